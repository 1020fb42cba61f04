"""The hand-written gradient with compiled steps, forward and backward; see `kernel` and `bptt`.

Each step is one call that gathers messages, computes all layers, and keeps their activations; its
gradient is one call that goes back through the layers and adds to the gradients of the senders.
Only the gradients of the weights are products of torch, one for each layer and some steps.

Worlds do not hear each other, so a batch is split into parts, which threads roll out and back from
the first step to the last without waiting for each other. The parts depend on the batch only: the
results have the same bytes for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from swarm_nca import bptt
from swarm_nca.engine.fit import check_fit
from swarm_nca.engine.gather import living
from swarm_nca.engine.mail import Mail
from swarm_nca.kernel import BackwardKernel, Kernel, Weights, fits
from swarm_nca.matmul import compiled
from swarm_nca.randomness import StepDraws, normal_table
from swarm_nca.rules import Rule
from swarm_nca.threads import on_threads
from swarm_nca.world import World

#: Rows of a product that gives gradients of weights, at least: its factors are still in the cache.
TOGETHER = 1_024

#: In bfloat16 their number is a multiple of this, because oneDNN compiles a kernel for each number.
FILLED = 256

#: A batch has two parts, or more if each has this many cells.
PART = 16_384


def compiled_bptt(
    world: World,
    rule: Rule,
    steps: int,
    draws: StepDraws,
    fire_rate: float,
    noise: float,
    scratch: bptt.Scratch | None = None,
    products: torch.dtype | None = None,
) -> Tensor:
    """The state [N, C] after `steps` steps, with gradients; the arguments are those of `bptt`.

    Raises:
        ValueError: no steps, a rule that does not fit the world, or one that `refuses` rejects.
        OSError: there is no C compiler, or it fails.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}")
    products = products or world.state.dtype
    reason = refuses(world, rule, products)
    if reason is not None:
        raise ValueError(f"{reason}: train it through swarm_nca.bptt")
    check_fit(world, rule)
    fired = [draws.fires(t, fire_rate) for t in range(steps)]
    filtered = rule.filtered()
    filters, layers = (None, rule.layers()) if filtered is None else filtered
    weights = [part for layer in layers or () for part in layer]
    run = _Run(world, rule, draws, fired, noise, scratch or bptt.Scratch(), products, filters)
    unroll: Any = _CompiledBptt.apply
    state: Tensor = unroll(world.state, run, *weights)
    return state


def refuses(world: World, rule: Rule, products: torch.dtype) -> str | None:
    """Why this gradient does not support a world and rule; None if it does."""
    if reason := bptt.refuses(rule) or bptt.refuses_world(world):
        return reason
    if not world.state.is_cpu or world.state.dtype != torch.float32 or not fits(products):
        return "compiled gradients need a CPU, float32 states, and products that it can compute"
    return None


def unasked() -> str | None:
    """Why trainings do not use this gradient; None if the environment asks for it."""
    return None if compiled() else "compiled gradients need SWARM_NCA_PRODUCTS=compiled"


class _CompiledBptt(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, state: Tensor, run: _Run, *weights: Tensor) -> Tensor:
        after, kept = run.forward(weights)
        ctx.run, ctx.precisions = run, [weight.dtype for weight in weights]
        ctx.save_for_backward(*kept)
        return after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        ctx.saved_tensors  # noqa: B018 - raises an error if a later rollout has used the scratch
        state_grad, gradients = ctx.run.backward(grad_state)
        given = (grad.to(kind) for grad, kind in zip(gradients, ctx.precisions, strict=True))
        return (state_grad, None, *given)


class _Run:
    """One rollout of a batch and its gradient.

    Attributes:
        padded: [N + 1, C], the present states, and a row of zeros.
        bank_grad: [N + 1, C], the gradients of the states, and a row for absent neighbours that
            stays 0; N rows more for what cells say, if that differs from their states.
    """

    def __init__(
        self,
        world: World,
        rule: Rule,
        draws: StepDraws,
        fired: Sequence[Tensor],
        noise: float,
        scratch: bptt.Scratch,
        products: torch.dtype,
        filters: Tensor | None,
    ) -> None:
        self.world, self.rule, self.draws, self.noise = world, rule, draws, noise
        self.scratch, self.products, self.filters = scratch, products, filters
        self.mail = Mail(world, draws)
        self.fired = [self.mail.able(rows) for rows in fired]
        self.mortal = rule.lives(world.state, world.largest) is not None
        # With several parts all numbers are drawn before, in the order of the steps.
        apart = self.mail.direct and not (self.mortal and noise)
        self.offsets: list[Tensor] | None = None
        if noise and apart:
            self.offsets = [draws.offsets(t, rows) for t, rows in enumerate(self.fired)]
        edges = _edges(world) if apart else [0, len(world)]
        self._parts = [_Part(self, number, edges) for number in range(len(edges) - 1)]

    def forward(self, weights: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The last states [N, C], and the arrays that the gradient reads again."""
        used = [weight.detach().to(self.products) for weight in weights]
        self.layers: list[Weights] = list(zip(used[::2], used[1::2], strict=True))
        state, slots = self.world.state.detach(), self.world.neighbors.shape[1]
        self.stimulus = self.world.stimulus
        channels, sensed = state.shape[1], self.stimulus.shape[1]
        # In float32: oneDNN would compile a product in bfloat16 for every number of cells.
        perception, bias = (weight.detach() for weight in weights[:2])
        prepared = bias[None]
        if sensed:
            prepared = torch.addmm(bias, self.stimulus, perception[:sensed])
        self.kernel = Kernel(self.layers, slots, channels, prepared, self.filters)
        self.backward_kernel = BackwardKernel(self.layers, slots, channels, self.filters)
        self.padded = torch.cat([state, state.new_zeros(1, channels)])
        self.short = self.padded.to(self.products)
        self._on_threads(lambda part: part.forward())
        kept = [each for part in self._parts for each in (part.messages, *part.units)]
        return self.padded[:-1].clone(), kept

    def backward(self, grad_state: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Gradients of the first states [N, C], and of each weight."""
        absent, channels = grad_state.shape
        said = absent if self.mail.passes(grad_state) is not None else 0
        self.bank_grad = torch.cat([grad_state, grad_state.new_zeros(1 + said, channels)])
        self._on_threads(lambda part: part.backward())
        totals = [part.totals for part in self._parts]
        return self.bank_grad[:absent], [
            torch.stack(each).sum(0) for each in zip(*totals, strict=True)
        ]

    def _on_threads(self, job: Callable[[_Part], None]) -> None:
        def work(thread: int, piece: int) -> None:
            with torch.no_grad():
                job(self._parts[piece])

        on_threads(work, len(self._parts), torch.get_num_threads())


class _Part:
    """Some worlds of a batch, whose cells are successive rows.

    Args:
        run: the rollout of the whole batch.
        number: of this part.
        edges: the first worlds of all parts, and the number of worlds.
    """

    def __init__(self, run: _Run, number: int, edges: Sequence[int]) -> None:
        self._run, self._name = run, f"{number} of {len(edges) - 1}"
        first, stop = edges[number : number + 2]
        begins = functional.pad(run.world.counts.cumsum(0), (1, 0))
        self._rows = slice(int(begins[first]), int(begins[stop]))
        whole = len(edges) == 2
        self._largest = run.world.largest
        if run.mortal and not whole:
            self._largest = run.world.select(list(range(first, stop))).largest
        self._own = [slice(0, len(rows)) for rows in run.fired]
        if not whole:
            bounds = torch.tensor([self._rows.start, self._rows.stop])
            places = [torch.searchsorted(rows, bounds).tolist() for rows in run.fired]
            self._own = [slice(*place) for place in places]

    def forward(self) -> None:
        """Take all steps; what the gradient needs is kept."""
        run, padded, slots = self._run, self._run.padded, self._run.world.neighbors.shape[1]
        mail, kernel, channels = run.mail, run.kernel, padded.shape[1]
        sums = slots if run.filters is None else run.filters.shape[1]
        self._widths = [sums * channels, *(len(bias) for _, bias in run.layers[:-1])]
        columns = [self._widths[0], *(kernel.padded(width) for width in self._widths[1:])]
        end = self._before = FILLED if run.products == torch.bfloat16 else 0
        expected = end + (0 if run.mortal else sum(own.stop - own.start for own in self._own))
        self._keep(columns, expected, 0)
        for each in (self.messages, *self.units):
            each[:end].zero_()  # raises the version counter too: kernels write unseen
        deviates = normal_table(padded.dtype, padded.device) if run.noise else None
        self._steps: list[tuple[Tensor, Tensor]] = []
        self._passing: list[Tensor | None] = []
        self._dead: list[Tensor] = []
        own_state = padded[self._rows]
        for t, own in enumerate(self._own):
            rows, before = run.fired[t][own], self._living(own_state)
            if before is not None:
                rows = rows[before[rows - self._rows.start]]
            part = slice(end, end := end + len(rows))
            if end > len(self.messages):
                self._keep(columns, end, part.start)
            bank = mail.collect(padded, t)
            table = mail.table if mail.direct else mail.arriving(rows, t)
            self._passing.append(mail.passes(padded[:-1]))
            if run.products != padded.dtype:
                bank = self._in_short(bank)
            change = run.scratch.empty(f"change {self._name}", len(rows), channels, padded)
            offsets = None
            if run.noise:
                offsets = run.offsets[t][own] if run.offsets else run.draws.offsets(t, rows)
            kernel.answers(
                bank,
                table,
                rows,
                change,
                of_all=mail.direct,
                noise=run.noise,
                deviates=deviates,
                offsets=offsets,
                heard=self.messages[part],
                units=[each[part] for each in self.units],
            )
            kernel.write(padded, rows, change, replaces=False)
            if before is not None:
                self._bury(own_state, before)
            self._steps.append((rows, table))

    def backward(self) -> None:
        """Add the gradients of the messages to those of the states, and sum those of weights."""
        run, absent = self._run, self._run.world.cells
        state_grad, channels = run.bank_grad[:absent], run.bank_grad.shape[1]
        # Of each layer: the weights' gradients, then the bias's; last of all the stimulus's.
        outputs = [*self._widths[1:], channels]
        self._sums = [
            state_grad.new_zeros(size, inputs)
            for size, inputs in zip(outputs, self._widths, strict=True)
        ]
        self._bias_sums = [state_grad.new_zeros(size) for size in outputs]
        self._sensed = state_grad.new_zeros(outputs[0], run.stimulus.shape[1])
        longest = max((len(rows) for rows, _ in self._steps), default=0)
        space = TOGETHER + longest + FILLED
        grads = [
            run.scratch.empty(f"gradient {n} {self._name}", space, each.shape[1], each)
            for n, each in enumerate(self.units)
        ]
        like = self.messages
        grads.append(run.scratch.empty(f"answer gradient {self._name}", space, channels, like))
        order = torch.arange(longest)
        # The steps of one product fill the arrays from their end.
        end = high = sum(len(rows) for rows, _ in self._steps) + self._before
        at, acted = space, []
        for t in reversed(range(len(self._steps))):
            rows, table = self._steps[t]
            if self._dead:
                state_grad.index_fill_(0, self._dead[t], 0.0)
            part, at = slice(at - len(rows), at), at - len(rows)
            end -= len(rows)
            acted.append(rows)
            grads[-1][part] = state_grad.index_select(0, rows)
            run.backward_kernel.send_back(
                grads[-1][part],
                order[: len(rows)],
                rows,
                table,
                run.bank_grad,
                absent,
                of_all=run.mail.direct,
                units=[each[end : end + len(rows)] for each in self.units],
                unit_grads=[each[part] for each in grads[:-1]],
            )
            if (passes := self._passing[t]) is not None:
                said_grad = run.bank_grad[absent + 1 :]
                state_grad += said_grad * passes
                said_grad.zero_()
            if space - at >= TOGETHER or t == 0:
                self._sum(grads, slice(at, space), slice(end, high), torch.cat(acted[::-1]))
                high, at = end, space
                acted.clear()
        first, *others = (total.t() for total in self._sums)
        first = torch.cat([self._sensed.t(), first])
        pairs = zip((first, *others), self._bias_sums, strict=True)
        self.totals = [each for pair in pairs for each in pair]

    def _keep(self, columns: Sequence[int], rows: int, kept: int) -> None:
        """Make arrays of `rows` rows for what cells hear and for each hidden layer."""
        run, (heard, *hidden) = self._run, columns
        like = run.layers[0][0]
        name = f"messages {self._name}"
        self.messages = run.scratch.empty(name, rows, heard, like, kept)
        self.units = [
            run.scratch.empty(f"hidden {n} {self._name}", rows, width, like, kept)
            for n, width in enumerate(hidden)
        ]

    def _in_short(self, bank: Tensor) -> Tensor:
        """The bank of a step in the precision of the products."""
        run = self._run
        if not run.mail.plain:
            return bank.to(run.products)
        run.short[self._rows] = bank[self._rows]
        return run.short

    def _living(self, state: Tensor) -> Tensor | None:
        """Which of these worlds' cells live; None if cells do not die."""
        return living(self._run.rule, state, self._largest) if self._run.mortal else None

    def _bury(self, state: Tensor, before: Tensor) -> None:
        """Set the states of cells to zero that do not live before and after a step."""
        after = living(self._run.rule, state, self._largest)
        # Cells that died in an earlier step are zero already, except at the first step.
        gone = (before & ~after if self._dead else ~(before & after)).nonzero().view(-1)
        state.index_fill_(0, gone, 0.0)
        self._dead.append(gone + self._rows.start)

    def _sum(self, grads: Sequence[Tensor], part: slice, kept: slice, rows: Tensor) -> None:
        """Add the gradients of weights for some steps.

        Args:
            grads, part: gradients of the sums of each layer, and their rows of these steps.
            kept: the rows of these steps in the arrays of the forward pass.
            rows: the cells of these rows.
        """
        fill = -len(rows) % FILLED if self._before else 0
        if fill:
            for each in grads:
                each[part.start - fill : part.start] = 0.0
            kept, part = slice(kept.start - fill, kept.stop), slice(part.start - fill, part.stop)
        given = zip((self.messages, *self.units), self._widths, strict=True)
        for n, (inputs, width) in enumerate(given):
            outputs = grads[n][part, : len(self._sums[n])]
            _add_product(self._sums[n], outputs, inputs[kept, :width])
            self._bias_sums[n] += outputs.sum(0)
        if self._sensed.numel():
            outputs = grads[0][part, : len(self._sensed)][fill:]
            _add_product(self._sensed, outputs, self._run.stimulus[rows].to(outputs.dtype))


def _edges(world: World) -> list[int]:
    """The first worlds of parts with about as many cells each, and the number of worlds."""
    ends = world.counts.cumsum(0)
    count = min(len(world), max(2, world.cells // PART))
    aims = torch.arange(1, count) * world.cells // count
    inner = (torch.searchsorted(ends, aims) + 1).tolist()
    return sorted({0, *inner, len(world)})


def _add_product(total: Tensor, outputs: Tensor, inputs: Tensor) -> None:
    """Add outputsᵀ · inputs to a total, which may have a longer precision than the factors."""
    if total.dtype == outputs.dtype:
        total.addmm_(outputs.t(), inputs)
    else:
        total += outputs.t() @ inputs
