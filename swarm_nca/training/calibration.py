"""A quantized rule begun from another rule: weights rounded one after another, errors passed on.

Rounding each weight to the nearest value ignores that the errors of a filter add up. Here the
weights of an input are rounded for all filters at once, and the weights of the inputs that are
still to come make up for it as well as the second moments of the inputs allow (Frantar et al. 2022,
GPTQ). The inputs are those that cells meet while the first rule runs. Every layer is fitted to what
the layers before it, rounded already, give it.

Hidden layers may be a whole number of times as wide as those of the first rule. Every unit is then
there several times, and each copy makes up for the rounding of the others, so that the mean of
several coarse filters takes the place of a fine one.

At the end the scales and biases of all layers are fitted together to the first rule's answers.
Layer by layer they only fit the inputs of the next activation; errors that make states grow over
hundreds of steps are in the answers.

Letters: M cells, I inputs and O outputs of a layer, T copies.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from swarm_nca.engine import trajectory
from swarm_nca.rules import FILTERS, Layer, Quantized, Rule
from swarm_nca.rules.codebook import Codebook
from swarm_nca.rules.inputs import INPUTS
from swarm_nca.tasks import Task
from swarm_nca.world import World

#: Worlds that are run, steps before and after their pictures change, and cells taken each step.
WORLDS, STEPS, CELLS = 192, 40, 400

#: Rounds of rounding and fitting scales, and of rounding every copy anew.
ROUNDS, SWEEPS = 2, 2

#: Iterations, cells of each, and the first learning rate of the scales.
FITS, BATCH, RATE = 500, 2048, 1e-3

#: Added to the diagonal of second moments, as a share of its mean.
_DAMPING = 0.001


@torch.no_grad()
def begin_from(rule: Quantized, other: Rule, task: Task, generator: torch.Generator) -> None:
    """Give `rule` the weights of `other`, rounded with errors passed on.

    Args:
        rule: changed in place.
        other: a rule with layers that has learned the task.
        task: gives the worlds.
        generator: source of all draws.

    Raises:
        ValueError: a rule of other sizes, or without layers.
    """
    if rule.scales not in ("output", "both"):
        rule.begin_from(other)
        return
    filters = rule.directions()
    wanted = _layers(other, rule.hearing, filters)
    times = _times(rule, other, [len(layer.bias) for layer in wanted])
    exact = found = heard = inputs_met(other, task, filters, generator)
    for n, (name, layer) in enumerate(zip(rule.names, wanted, strict=True)):
        answer = torch.addmm(layer.bias, exact, layer.weight)
        # Inputs that are there several times share the weight of the one.
        prior = layer.weight.repeat(times[n - 1], 1) / times[n - 1] if n else layer.weight
        found = _with_fitted_ranges(rule, n, found)
        kind, moments = rule.filters[n], Moments.of(found)
        if kind == "float":
            weight = moments.solved(moments.crossed(answer), prior.double()).float()
            bias = answer.mean(0) - moments.mean @ weight
            rule.take_weights(name, Layer(weight.repeat(1, times[n]), bias.repeat(times[n])))
        else:
            codebook = Codebook(FILTERS[kind], rule.planes[n])
            fit = _Fit(codebook, rule.scales == "both", moments)
            rule.take_latents(name, *fit(answer, prior.double(), times[n]))
        used = rule.used()[n]
        exact, found = answer.relu(), torch.addmm(used.bias, found, used.weight).relu()
    rule.settle()
    # A latent near the end of its interval would leave it by chance in the first iterations.
    rule.restore(rule.stored())
    _fit_scales(rule, heard, answer, generator)


@torch.enable_grad()
def _fit_scales(rule: Quantized, heard: Tensor, answer: Tensor, generator: torch.Generator) -> None:
    """Fit scales, gains and biases of all layers together to `answer` [M, C]; bits stay."""
    scales = [weight for name, weight in rule.named_parameters() if name not in rule.names]
    needed = [weight.requires_grad for weight in scales]
    optimizer = torch.optim.Adam([weight.requires_grad_(True) for weight in scales])
    for fit in range(FITS):
        chosen = torch.randint(len(heard), (BATCH,), generator=generator)
        units = heard[chosen]
        for n, layer in enumerate(rule.used()):
            units = torch.addmm(
                layer.bias, _as_read(rule, n, units.relu() if n else units), layer.weight
            )
        error = (units - answer[chosen]).square().mean()
        found = torch.autograd.grad(error / answer.square().mean(), scales)
        for weight, gradient in zip(scales, found, strict=True):
            weight.grad = gradient
        optimizer.param_groups[0]["lr"] = RATE * (1.0 - fit / FITS)
        optimizer.step()
    for weight, need in zip(scales, needed, strict=True):
        weight.grad = None
        weight.requires_grad_(need)
    rule.settle()


def _with_fitted_ranges(rule: Quantized, n: int, found: Tensor) -> Tensor:
    """Fit the ranges of layer n's inputs, in place; returns the inputs as quantized, [M, I]."""
    log = dict(rule.named_parameters()).get(f"{rule.names[n]}_range")
    if log is not None:
        parts = [found] if len(log) == 1 else [*found.split_with_sizes(_parts(rule, found), 1)]
        kind = INPUTS[rule.inputs[n]]
        for part, given in enumerate(parts):
            largest = given.abs().max().clamp_min(1e-3)
            reaches = [largest * share for share in torch.linspace(0.05, 1.0, 39)]
            errors = [(kind(given, reach) - given).square().sum() for reach in reaches]
            log[part] = reaches[int(torch.stack(errors).argmin())].log()
    return _as_read(rule, n, found)


def _as_read(rule: Quantized, n: int, units: Tensor) -> Tensor:
    """What layer n reads of its inputs [M, I]."""
    if n:
        return rule.read(n, units)
    stimulus, messages = units.split_with_sizes(_parts(rule, units), 1)
    return torch.cat([rule.read(0, stimulus), rule.read(0, messages, 1)], 1)


def _parts(rule: Quantized, inputs: Tensor) -> list[int]:
    """How many of the first layer's inputs are for the stimulus, and how many for messages."""
    return [rule.stimulus_size, inputs.shape[1] - rule.stimulus_size]


def _layers(other: Rule, hearing: str, filters: Tensor | None) -> list[Layer]:
    """The layers of a rule behind the same filters."""
    if isinstance(other, Quantized) and other.quantizes_inputs:
        raise ValueError(
            "weights of a rule with quantized inputs cannot be rounded anew: begin from the float "
            "rule"
        )
    if filters is None:
        layers = other.layers()
    else:
        given = other.filtered()
        fits = given is not None and torch.equal(given.filters.to(filters), filters)
        layers = given.layers if given is not None and fits else None
    if layers is None:
        raise ValueError(f"a rule of kind {other.kind!r} has no layers that hear by {hearing}")
    return layers


def _times(rule: Quantized, other: Rule, sizes: list[int]) -> list[int]:
    """How many copies each layer has of each unit."""
    own = [*rule.hidden, rule.channels]
    times = [wide // size for wide, size in zip(own, sizes, strict=False)]
    fits = len(own) == len(sizes) and min(times) >= 1 and times[-1] == 1
    if not fits or [size * n for size, n in zip(sizes, times, strict=True)] != own:
        raise ValueError(
            f"its layers have {', '.join(map(str, sizes))} units: set rule.hidden to these sizes "
            f"or multiples of them, without the last, and free_channels to {other.free_channels}"
        )
    return times


def inputs_met(
    rule: Rule, task: Task, filters: Tensor | None, generator: torch.Generator
) -> Tensor:
    """float32 [M, I]: stimulus and messages, or their sums by filters [K, P], of random cells."""
    world, rows = task.start(WORLDS, rule, generator), []
    for phase in range(2):
        if phase and task.mutates:
            world = task.refresh(world, 0, len(world), rule, generator)
        seed = int(torch.randint(1 << 30, (), generator=generator))
        for moment in trajectory(world, rule, STEPS, seed):
            rows.append(_heard(world, filters, generator))
            world = moment
    return torch.cat(rows)


def _heard(world: World, filters: Tensor | None, generator: torch.Generator) -> Tensor:
    chosen = torch.randperm(world.cells, generator=generator)[:CELLS]
    padded = torch.cat([world.state, world.state.new_zeros(1, world.state.shape[1])])
    messages = padded[world.neighbors[chosen]]
    if filters is not None:
        messages = torch.einsum("kp,mkc->mpc", filters.to(messages), messages)
    return torch.cat([world.stimulus[chosen], messages.flatten(1)], dim=1)


class Moments(NamedTuple):
    """Second moments of inputs around their means.

    Fields:
        mean: [I].
        spread: float64 [M, I], inputs without their means.
        plain, damped: float64 [I, I]; with `_DAMPING` on the diagonal.
    """

    mean: Tensor
    spread: Tensor
    plain: Tensor
    damped: Tensor

    @classmethod
    def of(cls, inputs: Tensor) -> Moments:
        """The moments of inputs [M, I]."""
        mean = inputs.mean(0)
        spread = (inputs - mean).double()
        plain = spread.T @ spread / len(inputs)
        damped = plain.clone()
        damped.diagonal().add_(_DAMPING * plain.diagonal().mean())
        return cls(mean, spread, plain, damped)

    def crossed(self, answer: Tensor) -> Tensor:
        """float64 [I, O]: moments of inputs with answers [M, O]."""
        return self.spread.T @ (answer - answer.mean(0)).double() / len(answer)

    def solved(self, goal: Tensor, prior: Tensor) -> Tensor:
        """float64 [I, O]: the weights that give crossed moments `goal`, near to `prior`."""
        step: Tensor = torch.linalg.solve(self.damped, goal - self.plain @ prior)
        return prior + step


class _Fit:
    """Fits layers to the same inputs.

    Args:
        codebook: the values of a weight.
        gains: whether inputs have scales.
        moments: those of the inputs.
    """

    def __init__(self, codebook: Codebook, gains: bool, moments: Moments) -> None:
        self._codebook, self._gains, self._moments = codebook, gains, moments

    def __call__(
        self, answer: Tensor, prior: Tensor, times: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A layer for `answer` [M, O], with T copies of each unit.

        Args:
            prior: float64 [I, O], weights to stay near to where the inputs leave a choice.

        Returns:
            latents [P·I, T·O] within ±1, gains [I], scales [P, T·O] and biases [T·O].
        """
        moments, wanted = self._moments, self._moments.crossed(answer)
        gain = self._first_gain(moments.solved(wanted, prior))
        copies: list[_Rounded] = []
        for copy in range(times):
            done = self._sum(copies, gain, prior)
            goal = (copy + 1) * wanted - moments.plain @ done
            copies.append(self._rounded(goal, (copy + 1) * prior - done, gain))
        for _ in range(SWEEPS if self._gains or times > 1 else 0):
            if self._gains:
                others = [self._others(n, copies, gain) for n in range(times)]
                goals = [times * wanted - moments.plain @ other for other in others]
                gain = self._fitted_gain(copies, goals, gain)
            for n in range(times):
                other = self._others(n, copies, gain)
                goal = times * wanted - moments.plain @ other
                copies[n] = self._rounded(goal, times * prior - other, gain)
        weight = torch.cat([self._weight(one, gain) for one in copies], dim=1)
        bias = answer.mean(0).repeat(times) - moments.mean @ weight.float()
        latents = torch.cat([self._codebook.latents_of(one.codes) for one in copies], dim=1)
        return latents, gain, torch.cat([one.scale for one in copies], dim=1), bias

    def _first_gain(self, weight: Tensor) -> Tensor:
        if not self._gains:
            return torch.ones(len(weight), dtype=torch.float64)
        size = weight.square().mean(1).sqrt().clamp_min(1e-4)
        gain: Tensor = size / size.log().mean().exp()
        return gain

    def _weight(self, one: _Rounded, gain: Tensor) -> Tensor:
        planes = self._codebook.planes_of(one.codes) * one.scale[:, None]
        return planes.sum(0) * gain[:, None]

    def _sum(self, copies: list[_Rounded], gain: Tensor, like: Tensor) -> Tensor:
        total = torch.zeros_like(like)
        for one in copies:
            total += self._weight(one, gain)
        return total

    def _others(self, n: int, copies: list[_Rounded], gain: Tensor) -> Tensor:
        """The sum of the weights of all copies but n."""
        own = self._weight(copies[n], gain)
        return self._sum(copies, gain, own) - own

    def _rounded(self, goal: Tensor, prior: Tensor, gain: Tensor) -> _Rounded:
        """The best values and scales for the crossed moments of a goal."""
        damped, weight = self._moments.damped, self._moments.solved(goal, prior)
        scale = self._codebook.even_scales(weight / gain[:, None])
        for _ in range(ROUNDS):
            codes = passed_on(weight, gain, scale, self._codebook, damped)
            planes = self._codebook.planes_of(codes) * gain[:, None]
            scale = _fitted_scale(planes, goal, damped, scale)
        return _Rounded(codes, scale)

    def _fitted_gain(self, copies: list[_Rounded], goals: list[Tensor], gain: Tensor) -> Tensor:
        """The gains with the least squared error of all copies."""
        values = torch.cat([self._weight(one, torch.ones_like(gain)) for one in copies], dim=1)
        products = self._moments.damped * (values @ values.T)
        products.diagonal().add_(1e-3 * products.diagonal().mean())
        better = torch.linalg.solve(products, (values * torch.cat(goals, 1)).sum(1))
        return torch.where(better > 0.05 * gain, better, 0.5 * gain)


class _Rounded(NamedTuple):
    """Combinations of a codebook [I, O], and scales of its planes [P, O]."""

    codes: Tensor
    scale: Tensor


def _fitted_scale(planes: Tensor, goal: Tensor, moments: Tensor, scale: Tensor) -> Tensor:
    """float64 [P, O]: the scales of planes [P, I, O] with the least squared error of `goal` [I, O].

    Filters that need a scale below 0 keep theirs, `scale`.
    """
    products = torch.einsum("pio,qio->opq", planes, moments @ planes)
    diagonal = products.diagonal(dim1=1, dim2=2)
    diagonal.add_(1e-9 * diagonal.mean(1, keepdim=True) + 1e-12)
    better = torch.linalg.solve(products, torch.einsum("pio,io->op", planes, goal)).T
    return torch.where((better > 1e-6).all(0), better, scale)


def passed_on(
    weight: Tensor, gain: Tensor, scale: Tensor, codebook: Codebook, moments: Tensor
) -> Tensor:
    """int64 [I, O]: combinations that stand for `weight`; see the module's docstring.

    Args:
        weight: [I, O].
        gain, scale: [I], [P, O].
        codebook: the values of a weight.
        moments: [I, I], second moments of the inputs.
    """
    order = moments.diagonal().argsort(descending=True)
    left, gain = weight[order].clone(), gain[order]
    ordered = moments[order][:, order]
    inverse = torch.linalg.cholesky(
        torch.cholesky_inverse(torch.linalg.cholesky(ordered)), upper=True
    )
    sums = codebook.values @ scale
    codes = torch.empty(left.shape, dtype=torch.int64)
    for i in range(len(left)):
        codes[i] = codebook.nearest(left[i] / gain[i], scale)
        rounded = sums.gather(0, codes[i][None])[0] * gain[i]
        error = (left[i] - rounded) / inverse[i, i]
        left[i + 1 :] -= inverse[i, i + 1 :, None] * error
    found = torch.empty_like(codes)
    found[order] = codes
    return found
