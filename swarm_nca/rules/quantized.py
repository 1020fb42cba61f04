"""The learned rule in few bits: the layers of `Mlp` with filters of 1 to 8 bits and learned scales.

A weight is value · scale: the value of its latent by the quantizer of its layer, a scale for each
output (filter) and, if wanted, one for each input, as in OneBit (Xu et al. 2024) and XNOR-Net
(Rastegari et al. 2016). In training latents are floats in ±`reach`, and gradients pass the
quantizer straight through. A file holds values in their bits, and scales and biases as float16, to
which the rule rounds them in training too: what is read back computes the same.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from swarm_nca.rules.bits import Bits, Heard, Scales
from swarm_nca.rules.classes import DIGITS
from swarm_nca.rules.dyadic import directions
from swarm_nca.rules.filters import FILTERS, Filters, pack, unpack
from swarm_nca.rules.memory import Held
from swarm_nca.rules.readout import Readout
from swarm_nca.rules.readouts import readout_of
from swarm_nca.rules.rule import Filtered, Layer, Rule, through
from swarm_nca.rules.settings import LAYERS, Settings

#: The names of the layers' parameters.
_NAMES = ("perception", "middle", *(f"middle_{n}" for n in range(2, LAYERS)), "output")

#: The largest logarithm of a scale; float16 holds its power with full precision.
_LARGEST_LOG = 9.0


class Quantized(Rule):
    """A learned rule whose filters take 1 to 8 bits a weight.

    M rows, K slots, C = free_channels + channels of the read-out, S stimulus values, P sums of
    slots, H hidden units.

    Args:
        classes: the classes, whose channels are the last ones, or another read-out.
        free_channels: channels that the read-out does not read.
        hidden: sizes of the perception layer and of the hidden layers after it, one to five.
        slots, stimulus_size: K and S.
        hearing: with `slots` every slot has separate weights; with `dyadic` (4 sums), `dyadic6` or
            `dyadic9` the rule reads fixed direction filters; see `dyadic.directions`.
        filters: the kind of each layer's filters, a name of `filters.FILTERS` or `float`; one name
            for all layers.
        scales: `output`: one learned scale for each filter; `both`: one for each input too; `mean`:
            the mean of each filter's latents (magnitude-aware sign); `none`.
        bias: whether layers have biases.
        reach: latents lie within ±reach. Latents change by about the learning rate in a step, so
            that a small reach lets weights change their values fast.
        neighborhood, fire_rate, noise, alive_above, undecided_below, shown_above: see `Rule`.
        generator: source of the initial weights; torch's global generator when None.

    Raises:
        ValueError: a setting out of bounds.
    """

    kind: ClassVar[str] = "quantized"

    def __init__(
        self,
        classes: Readout = DIGITS,
        *,
        free_channels: int = 9,
        hidden: tuple[int, ...] = (80, 80),
        slots: int = 9,
        stimulus_size: int = 9,
        hearing: Heard = "slots",
        filters: str | tuple[str, ...] = "int4",
        scales: Scales = "output",
        bias: bool = True,
        reach: float = 1.0,
        neighborhood: str = "moore",
        fire_rate: float = 0.5,
        noise: float = 0.02,
        alive_above: float = 0.1,
        undecided_below: float = 0.0,
        shown_above: float = 0.01,
        generator: torch.Generator | None = None,
    ) -> None:
        checked = Settings(
            classes=classes,
            free_channels=free_channels,
            hidden=hidden,
            slots=slots,
            stimulus_size=stimulus_size,
            neighborhood=neighborhood,
            fire_rate=fire_rate,
            noise=noise,
            alive_above=alive_above,
            undecided_below=undecided_below,
            shown_above=shown_above,
        )
        super().__init__(checked.classes, **checked.of_rule())
        self.hidden = checked.hidden
        bits = Bits(hearing, filters, scales, bias, reach)
        bits.check_for(len(self.hidden) + 1, self.slots)
        self.hearing, self.scales, self.bias = bits.hearing, bits.scales, bits.bias
        self.filters, self.reach = bits.filters, bits.reach
        self._make(generator)

    def _make(self, generator: torch.Generator | None) -> None:
        """Create and initialise the parameters."""
        fixed = self._directions()
        sums = self.slots if fixed is None else fixed.shape[1]
        #: Number of first rows of `perception`, which are for the stimulus.
        self.sensing_rows = self.stimulus_size
        sizes = (self.stimulus_size + sums * self.channels, *self.hidden, self.channels)
        for name, kind, rows, columns in zip(
            self.names, self.filters, sizes, sizes[1:], strict=False
        ):
            weight = torch.empty(rows, columns)
            spread = math.sqrt(2.0 / (rows + columns)) * (0.1 if name == "output" else 1.0)
            if kind != "float":
                weight.uniform_(-self.reach, self.reach, generator=generator)
            elif name == "output":
                weight.zero_()  # as in `Mlp`; a rule in bits can only begin with small changes
            else:
                weight.uniform_(-spread * 3**0.5, spread * 3**0.5, generator=generator)
            self.register_parameter(name, nn.Parameter(weight))
            if self.bias:
                self.register_parameter(f"{name}_bias", nn.Parameter(torch.zeros(columns)))
            if kind == "float":
                continue
            size = float(self._values(name, kind).detach().square().mean().sqrt())
            begun = torch.full((columns,), math.log(spread / max(size, 1e-3)))
            if self.scales in ("output", "both"):
                self.register_parameter(f"{name}_scale", nn.Parameter(begun))
            if self.scales == "both":
                self.register_parameter(f"{name}_gain", nn.Parameter(torch.zeros(rows)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the layers, in order."""
        return (*_NAMES[: len(self.hidden)], "output")

    def _directions(self) -> Tensor | None:
        return None if self.hearing == "slots" else directions(self.hearing)

    def _values(self, name: str, kind: str) -> Tensor:
        return FILTERS[kind].quantize(self.get_parameter(name) / self.reach)

    def factors(self, name: str) -> tuple[Tensor | None, Tensor | None]:
        """The scales of a layer's inputs [in] and outputs [out], as float16 holds them."""
        if self.scales == "mean":
            return None, _rounded(self.get_parameter(name).detach().abs().mean(0))
        held = dict(self.named_parameters(recurse=False))
        logs = held.get(f"{name}_gain"), held.get(f"{name}_scale")
        return tuple(None if log is None else _rounded(log.exp()) for log in logs)  # type: ignore

    def weight_of(self, name: str) -> Tensor:
        """[in, out]: a layer's weights as used; gradients flow to latents and scales."""
        kind = self.filters[self.names.index(name)]
        if kind == "float":
            return self.get_parameter(name)
        weight = self._values(name, kind)
        gain, scale = self.factors(name)
        weight = weight if gain is None else weight * gain[:, None]
        return weight if scale is None else weight * scale

    def used(self) -> list[Layer]:
        """The layers over the sums that the rule hears; gradients flow to the parameters."""
        layers = []
        for name in self.names:
            weight = self.weight_of(name)
            bias = (
                _rounded(self.get_parameter(f"{name}_bias"))
                if self.bias
                else weight.new_zeros(weight.shape[1])
            )
            layers.append(Layer(weight, bias))
        return layers

    def layers(self) -> list[Layer] | None:
        """The weights in the form that cells use."""
        filtered = self.filtered()
        return self.used() if filtered is None else filtered.expanded(self.stimulus_size)

    def filtered(self) -> Filtered | None:
        """The fixed direction filters, and the learned layers after them."""
        fixed = self._directions()
        return (
            None
            if fixed is None
            else Filtered(fixed.to(self.get_parameter("perception")), self.used())
        )

    def prepare(self, stimulus: Tensor) -> Tensor:
        """[N, S] → [N, H]: the part of the first layer that depends on the stimulus only."""
        first = self.used()[0]
        return torch.addmm(first.bias, stimulus, first.weight[: self.stimulus_size])

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """[M, H] prepared stimulus and [M, K, C] messages → [M, C] change of state."""
        return through(self.layers() or [], prepared, messages)

    @torch.no_grad()
    def settle(self) -> None:
        """Keep latents within ±reach, and scales within what float16 holds."""
        for name, kind in zip(self.names, self.filters, strict=True):
            if kind != "float":
                self.get_parameter(name).clamp_(-self.reach, self.reach)
        for name, log in self.named_parameters():
            if name.endswith(("_scale", "_gain")):
                log.clamp_(-_LARGEST_LOG, _LARGEST_LOG)

    @torch.no_grad()
    def begin_from(self, other: Rule) -> None:
        """Take over the weights of a rule of the same sizes, quantized with little error.

        Raises:
            ValueError: a rule without layers, or of other sizes.
        """
        given = other.filtered() if self.hearing != "slots" else None
        layers = other.layers() if given is None else given.layers
        if layers is None:
            raise ValueError(f"a rule of kind {other.kind!r} has no layers to begin from")
        for name, layer in zip(self.names, layers, strict=True):
            self.take_weights(name, layer)
        self.settle()

    @torch.no_grad()
    def take_weights(self, name: str, layer: Layer) -> None:
        """Set scales, latents and bias of a layer so that it is near to the given one.

        Raises:
            ValueError: weights of another shape.
        """
        weight, held = layer.weight.float(), self.get_parameter(name)
        kind = self.filters[self.names.index(name)]
        if weight.shape != held.shape:
            raise ValueError(
                f"its {name} weights are {list(weight.shape)}, this rule needs "
                f"{list(held.shape)}: set hearing, free_channels and hidden to its own"
            )
        if self.bias:
            self.get_parameter(f"{name}_bias").copy_(layer.bias)
        if kind == "float" or self.scales in ("none", "mean"):
            held.copy_(weight if kind == "float" else weight.clamp(-self.reach, self.reach))
            return
        if self.scales == "both":
            size = weight.square().mean(1).sqrt().clamp_min(1e-4)
            gain = (size / size.log().mean().exp()).half().float()
            self.get_parameter(f"{name}_gain").copy_(gain.log())
            weight = weight / gain[:, None]
        scale = fitted_scale(weight, FILTERS[kind])
        self.get_parameter(f"{name}_scale").copy_(scale.log())
        held.copy_((weight / scale).clamp(-1.0, 1.0) * self.reach)

    @torch.no_grad()
    def take_latents(
        self, name: str, latents: Tensor, gain: Tensor, scale: Tensor, bias: Tensor
    ) -> None:
        """Set a quantized layer: latents [in, out] in ±1, gains [in], scales and biases [out].

        Gains are left out unless `scales` is `both`.
        """
        self.get_parameter(name).copy_(latents * self.reach)
        self.get_parameter(f"{name}_scale").copy_(scale.log())
        if self.scales == "both":
            self.get_parameter(f"{name}_gain").copy_(gain.log())
        if self.bias:
            self.get_parameter(f"{name}_bias").copy_(bias)

    def stored(self) -> dict[str, Tensor]:
        """What a file holds: filters in their bits, scales and biases as float16."""
        held: dict[str, Tensor] = {}
        for name, kind in zip(self.names, self.filters, strict=True):
            latents = self.get_parameter(name).detach()
            if kind == "float":
                held[name] = latents
            else:
                kept = FILTERS[kind]
                held[name] = pack(kept.codes(latents / self.reach), kept.bits)
                gain, scale = self.factors(name)
                for what, factor in (("gain", gain), ("scale", scale)):
                    if factor is not None:
                        held[f"{name}_{what}"] = factor.detach().half()
            if self.bias:
                held[f"{name}_bias"] = self.get_parameter(f"{name}_bias").detach().half()
        return held

    def memory(self) -> list[Held]:
        """The numbers that a file holds: filters at the bits of their kind."""
        kinds = dict(zip(self.names, self.filters, strict=True))
        held = []
        for name, tensor in self.stored().items():
            kind = kinds.get(name, "float")
            if kind == "float":
                held.append(Held(name, tuple(tensor.shape), 8 * tensor.element_size()))
            else:
                shape = tuple(self.get_parameter(name).shape)
                held.append(Held(name, shape, FILTERS[kind].bits))
        return held

    @torch.no_grad()
    def restore(self, stored: dict[str, Tensor]) -> None:
        """Take over what `stored` gave; the rule then computes the same.

        Raises:
            ValueError: bits that no filter has.
        """
        for name, kind in zip(self.names, self.filters, strict=True):
            latents = self.get_parameter(name)
            if self.bias:
                self.get_parameter(f"{name}_bias").copy_(stored[f"{name}_bias"])
            if kind == "float":
                latents.copy_(stored[name])
                continue
            kept = FILTERS[kind]
            codes = unpack(stored[name], kept.bits, latents.numel())
            if int(codes.max()) >= kept.codes_in_use:
                raise ValueError(f"'{name}' holds bits that no {kind} filter has")
            values = kept.latents_of(codes, latents.dtype).view_as(latents)
            latents.copy_(values * self.reach)
            if self.scales == "mean":
                latents.copy_(values * stored[f"{name}_scale"].to(values))
            for what in ("gain", "scale"):
                if self.scales != "mean" and f"{name}_{what}" in stored:
                    factor = stored[f"{name}_{what}"].double()
                    self.get_parameter(f"{name}_{what}").copy_(factor.log())

    def settings(self) -> dict[str, Any]:
        """All settings, without the weights; `neighborhood` only if it is not the usual one."""
        usual = self.neighborhood == "moore"
        return ({} if usual else {"neighborhood": self.neighborhood}) | {
            "classes": self.readout.to_json(),
            "free_channels": self.free_channels,
            "hidden": list(self.hidden),
            "slots": self.slots,
            "stimulus_size": self.stimulus_size,
            "hearing": self.hearing,
            "filters": list(self.filters),
            "scales": self.scales,
            "bias": self.bias,
            "reach": self.reach,
            "fire_rate": self.fire_rate,
            "noise": self.noise,
            "alive_above": self.alive_above,
            "undecided_below": self.undecided_below,
            "shown_above": self.shown_above,
        }

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Quantized:
        """An untrained rule with these settings; see `Rule.from_settings`."""
        return cls(**settings | {"classes": readout_of(settings["classes"])})


def fitted_scale(weight: Tensor, filters: Filters, grid: int = 80) -> Tensor:
    """[out]: for each filter of [in, out], the scale with the smallest squared rounding error."""
    largest = weight.abs().amax(0).clamp_min(1e-4)
    best, least = largest, torch.full_like(largest, math.inf)
    for part in torch.linspace(0.05, 1.2, grid).tolist():
        scale = (largest * part).half().float()
        error = (weight - filters.quantize(weight / scale) * scale).square().sum(0)
        best = torch.where(error < least, scale, best)
        least = torch.minimum(error, least)
    return best


def _rounded(x: Tensor) -> Tensor:
    """The nearest float16, in the dtype of x; the gradient passes straight through."""
    return _Half.apply(x)  # type: ignore[no-any-return, no-untyped-call]


class _Half(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.half().to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]
