"""The learned rule in few bits: the layers of `Mlp` with filters of 1 to 8 bits and learned scales.

A weight is value · scale: the value of its latent by the quantizer of its layer, a scale for each
output (filter) and, if wanted, one for each input, as in OneBit (Xu et al. 2024) and XNOR-Net
(Rastegari et al. 2016). A filter may be a sum of several planes, each with values and scales of its
own; see `codebook`. What a layer reads may be quantized too; see `inputs`.

In training latents are floats in ±`reach`, and gradients pass the quantizer straight through. A
file holds values in their bits, and scales, ranges and biases as float16, to which the rule rounds
them in training too: what is read back computes the same.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from swarm_nca.rules import packing
from swarm_nca.rules.bits import Bits, Heard, Scales
from swarm_nca.rules.classes import DIGITS
from swarm_nca.rules.codebook import Codebook
from swarm_nca.rules.dyadic import directions
from swarm_nca.rules.filters import FILTERS
from swarm_nca.rules.half import in_half
from swarm_nca.rules.inputs import INPUTS
from swarm_nca.rules.memory import Held
from swarm_nca.rules.readout import Readout
from swarm_nca.rules.readouts import readout_of
from swarm_nca.rules.rule import Change, Filtered, Layer, Rule, through
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
        planes: how many planes each filter is the sum of; one number for all layers.
        inputs: the kind of each layer's inputs, a name of `inputs.INPUTS` or `float`; one name for
            all layers. Rules with quantized inputs have no `layers`: they run on one thread.
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
        planes: int | tuple[int, ...] = 1,
        inputs: str | tuple[str, ...] = "float",
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
        bits = Bits(hearing, filters, scales, bias, reach, planes, inputs)
        bits.check_for(len(self.hidden) + 1, self.slots)
        self.hearing, self.scales, self.bias = bits.hearing, bits.scales, bits.bias
        self.filters, self.reach = bits.filters, bits.reach
        self.planes, self.inputs = bits.planes, bits.inputs
        self._make(generator)

    def _make(self, generator: torch.Generator | None) -> None:
        """Create and initialise the parameters."""
        fixed = self.directions()
        sums = self.slots if fixed is None else fixed.shape[1]
        #: Number of first rows of `perception`, which are for the stimulus.
        self.sensing_rows = self.stimulus_size
        sizes = (self.stimulus_size + sums * self.channels, *self.hidden, self.channels)
        for n, name in enumerate(self.names):
            kind, planes, rows, columns = self.filters[n], self.planes[n], *sizes[n : n + 2]
            weight = torch.empty(planes * rows, columns)
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
            if self.inputs[n] != "float" and INPUTS[self.inputs[n]].ranged:
                ranges = torch.tensor([1.0, 2.0] if n == 0 and self.stimulus_size else [2.0])
                self.register_parameter(f"{name}_range", nn.Parameter(ranges.log()))
            if kind == "float":
                continue
            size = float(self._values(name).detach().square().mean().sqrt())
            begun = torch.full((columns,), math.log(spread / max(size, 1e-3)))
            if planes > 1:
                unit = Codebook(FILTERS[kind], planes).unit
                begun = begun + (unit / unit.square().sum().sqrt()).log().float()[:, None]
            if self.scales in ("output", "both"):
                self.register_parameter(f"{name}_scale", nn.Parameter(begun))
            if self.scales == "both":
                self.register_parameter(f"{name}_gain", nn.Parameter(torch.zeros(rows)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the layers, in order."""
        return (*_NAMES[: len(self.hidden)], "output")

    def directions(self) -> Tensor | None:
        """[K, P], the fixed direction filters; None where the rule hears each slot."""
        return None if self.hearing == "slots" else directions(self.hearing)

    @torch.no_grad()
    def codes(self, name: str) -> Tensor:
        """int64 [planes, in, out]: the whole numbers that a file holds for a layer's weights.

        Raises:
            KeyError: a layer of floats.
        """
        n, latents = self.names.index(name), self.get_parameter(name)
        codes = FILTERS[self.filters[n]].codes(latents / self.reach)
        return codes.view(self.planes[n], -1, codes.shape[1])

    def _values(self, name: str) -> Tensor:
        """[planes · in, out]: the values of a layer's planes."""
        kind = self.filters[self.names.index(name)]
        return FILTERS[kind].quantize(self.get_parameter(name) / self.reach)

    def factors(self, name: str) -> tuple[Tensor | None, Tensor | None]:
        """The scales of a layer's inputs [in] and outputs [out], as float16 holds them.

        Filters of several planes have scales [planes, out].
        """
        if self.scales == "mean":
            return None, in_half(self.get_parameter(name).detach().abs().mean(0))
        held = dict(self.named_parameters(recurse=False))
        logs = held.get(f"{name}_gain"), held.get(f"{name}_scale")
        return tuple(None if log is None else in_half(log.exp()) for log in logs)  # type: ignore

    def weight_of(self, name: str) -> Tensor:
        """[in, out]: a layer's weights as used; gradients flow to latents and scales."""
        n = self.names.index(name)
        if self.filters[n] == "float":
            return self.get_parameter(name)
        values = self._values(name)
        planes = values.view(self.planes[n], -1, values.shape[1])
        gain, scale = self.factors(name)
        planes = planes if gain is None else planes * gain[:, None]
        planes = planes if scale is None else planes * scale.view(len(planes), 1, -1)
        return planes[0] if len(planes) == 1 else planes.sum(0)

    @property
    def quantizes_inputs(self) -> bool:
        """Whether a layer reads quantized inputs."""
        return set(self.inputs) != {"float"}

    def read(self, n: int, given: Tensor, part: int = 0) -> Tensor:
        """[M, I] → [M, I]: what layer n reads of its inputs.

        Args:
            n: the layer, from 0.
            part: 1 for messages of a rule that senses a stimulus, in the first layer.
        """
        kind = self.inputs[n]
        return given if kind == "float" else INPUTS[kind](given, self.reach_of(n, part))

    def reach_of(self, n: int, part: int = 0) -> Tensor | None:
        """The range of layer n's inputs, a scalar; None for kinds without one; see `read`."""
        log: Tensor | None = getattr(self, f"{self.names[n]}_range", None)
        return None if log is None else in_half(log[min(part, len(log) - 1)].exp())

    def used(self) -> list[Layer]:
        """The layers over the sums that the rule hears; gradients flow to the parameters."""
        layers = []
        for name in self.names:
            weight = self.weight_of(name)
            bias = (
                in_half(self.get_parameter(f"{name}_bias"))
                if self.bias
                else weight.new_zeros(weight.shape[1])
            )
            layers.append(Layer(weight, bias))
        return layers

    def layers(self) -> list[Layer] | None:
        """The weights in the form that cells use; None if inputs are quantized."""
        if self.quantizes_inputs:
            return None
        filtered = self.filtered()
        return self.used() if filtered is None else filtered.expanded(self.stimulus_size)

    def filtered(self) -> Filtered | None:
        """The fixed direction filters, and the learned layers; None if inputs are quantized."""
        fixed = self.directions()
        if fixed is None or self.quantizes_inputs:
            return None
        return Filtered(fixed.to(self.get_parameter("perception")), self.used())

    def prepare(self, stimulus: Tensor) -> Tensor:
        """[N, S] → [N, H]: the part of the first layer that depends on the stimulus only."""
        first = self.used()[0]
        return torch.addmm(first.bias, self.read(0, stimulus), first.weight[: self.stimulus_size])

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """[M, H] prepared stimulus and [M, K, C] messages → [M, C] change of state."""
        if self.quantizes_inputs:
            return self._change_by(self.used(), self._placed(), prepared, messages)
        return through(self.layers() or [], prepared, messages)

    def for_a_run(self) -> Change:
        """`change` with the weights as they are now, quantized once, unless it was overridden."""
        overridden = getattr(self.change, "__func__", None) is not Quantized.change
        if overridden or not self.quantizes_inputs:
            return self.change
        return partial(self._change_by, self.used(), self._placed())

    def _placed(self) -> Tensor | None:
        """The direction filters, of the weights' type and on their device."""
        fixed = self.directions()
        return None if fixed is None else fixed.to(self.get_parameter(self.names[0]))

    def _change_by(
        self, layers: list[Layer], fixed: Tensor | None, prepared: Tensor, messages: Tensor
    ) -> Tensor:
        first, *others = layers
        if fixed is not None:
            messages = torch.einsum("kp,mkc->mpc", fixed, messages)
        heard = self.read(0, messages.flatten(1), 1)
        units = torch.addmm(prepared, heard, first.weight[self.stimulus_size :])
        for n, (weight, bias) in enumerate(others, 1):
            units = torch.addmm(bias, self.read(n, units.relu()), weight)
        return units

    @torch.no_grad()
    def settle(self) -> None:
        """Keep latents within ±reach, and scales within what float16 holds."""
        for name, kind in zip(self.names, self.filters, strict=True):
            if kind != "float":
                self.get_parameter(name).clamp_(-self.reach, self.reach)
        for name, log in self.named_parameters():
            if name.endswith(("_scale", "_gain", "_range")):
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
        n = self.names.index(name)
        kind, planes = self.filters[n], self.planes[n]
        needed = [len(held) // planes, held.shape[1]]
        if list(weight.shape) != needed:
            raise ValueError(
                f"its {name} weights are {list(weight.shape)}, this rule needs {needed}: "
                "set hearing, free_channels and hidden to its own"
            )
        if self.bias:
            self.get_parameter(f"{name}_bias").copy_(layer.bias)
        if kind == "float" or self.scales in ("none", "mean"):
            held.copy_(weight if kind == "float" else weight.clamp(-self.reach, self.reach))
            return
        rounded = Codebook(FILTERS[kind], planes).rounded(weight, self.scales == "both")
        self.take_latents(name, *rounded, layer.bias)

    @torch.no_grad()
    def take_latents(
        self, name: str, latents: Tensor, gain: Tensor, scale: Tensor, bias: Tensor
    ) -> None:
        """Set a quantized layer: gains [in], biases [out] and scales [planes, out].

        Latents [planes · in, out] are in ±1. Gains are left out unless `scales` is `both`.
        """
        self.get_parameter(name).copy_(latents * self.reach)
        held = self.get_parameter(f"{name}_scale")
        held.copy_(scale.log().view_as(held))
        if self.scales == "both":
            self.get_parameter(f"{name}_gain").copy_(gain.log())
        if self.bias:
            self.get_parameter(f"{name}_bias").copy_(bias)

    def stored(self) -> dict[str, Tensor]:
        """What a file holds: filters in their bits, scales and biases as float16."""
        return packing.stored(self)

    def memory(self) -> list[Held]:
        """The numbers that a file holds: filters at the bits of their kind."""
        return packing.memory(self)

    def restore(self, stored: dict[str, Tensor]) -> None:
        """Take over what `stored` gave; the rule then computes the same.

        Raises:
            ValueError: bits that no filter has.
        """
        packing.restore(self, stored)

    def settings(self) -> dict[str, Any]:
        """All settings, without the weights; some only if they are not the usual ones."""
        rare = {
            name: given
            for name, given, usual in (
                ("neighborhood", self.neighborhood, self.neighborhood == "moore"),
                ("planes", list(self.planes), set(self.planes) == {1}),
                ("inputs", list(self.inputs), not self.quantizes_inputs),
            )
            if not usual
        }
        return rare | {
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
