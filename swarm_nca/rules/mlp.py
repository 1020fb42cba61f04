"""The learned rule: a perception layer, hidden layers, and an output layer that starts at zero.

The default is the rule of self-classifying MNIST (Randazzo et al., Distill 2020, doi
10.23915/distill.00027.002): three layers over the cell's own stimulus and the messages in its
neighbour slots. A message is the neighbour's whole state. `hearing` sets how slots share weights:
with `slots` cells distinguish directions, with `ring` they do not, and with `sobel` perception is
fixed to the identity and two Sobel filters, as in growing patterns (Mordvintsev et al., Distill
2020).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from swarm_nca.rules.classes import DIGITS
from swarm_nca.rules.readout import Readout, Rgba
from swarm_nca.rules.rule import Filtered, Habitat, Largest, Layer, Rule, through
from swarm_nca.rules.settings import LAYERS, Settings
from swarm_nca.rules.weight_sharing import Hearing, filters_of, shared_rows

#: The names of the layers' parameters between the first and the last.
_HIDDEN = ("middle", *(f"middle_{n}" for n in range(2, LAYERS)))


class Mlp(Rule):
    """A learned rule of matrix products with ReLU between them.

    M rows, K slots, C = free_channels + channels of the read-out, S stimulus values, H hidden
    units. The default has 22,499 parameters; `Mlp.growing()` has 8,336.

    Args:
        classes: the classes, whose channels are the last ones, or another read-out, such as
            `Rgba()`.
        free_channels: channels that the read-out does not read; cells use them to communicate.
        hidden: sizes of the perception layer and of the hidden layers after it, one to five.
        slots: K; 9 on every grid, where slot 4 is the cell itself.
        stimulus_size: S; 9 grey values for pictures, 0 for none.
        hearing: with `slots` every slot has separate weights; with `ring` all slots except the
            cell's own share weights, for messages and stimulus, so that the rule cannot distinguish
            directions; with `sobel` the rule reads the identity and two Sobel filters per channel.
        mortal: whether cells live by their own alpha: every pixel is a cell, which is alive if
            alpha exceeds `alive_above` in its neighbourhood. Needs the read-out `Rgba`.
        angle: degrees by which the Sobel filters are turned.
        neighborhood, fire_rate, noise, alive_above, undecided_below, shown_above: see `Rule`.
        generator: source of the initial weights; torch's global generator when None.

    Raises:
        ValueError: a setting outside its bounds, or too many weights; see `settings.Settings`.
    """

    kind: ClassVar[str] = "mlp"

    def __init__(
        self,
        classes: Readout = DIGITS,
        *,
        free_channels: int = 9,
        hidden: tuple[int, ...] = (80, 80),
        slots: int = 9,
        stimulus_size: int = 9,
        hearing: Hearing = "slots",
        mortal: bool = False,
        angle: float = 0.0,
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
            hearing=hearing,
            mortal=mortal,
            angle=angle,
            neighborhood=neighborhood,
            fire_rate=fire_rate,
            noise=noise,
            alive_above=alive_above,
            undecided_below=undecided_below,
            shown_above=shown_above,
        )
        super().__init__(checked.classes, **checked.of_rule())
        self.hidden = checked.hidden
        self.hearing = checked.hearing
        self.mortal, self.angle = checked.mortal, checked.angle
        self._make(generator)

    def _make(self, generator: torch.Generator | None) -> None:
        """Create and initialise the parameters."""
        slots, channels, sizes = self.slots, self.channels, self.hidden
        self._copied: Tensor | None
        if self.hearing == "sobel":
            fixed = filters_of(slots, self.angle)
            self._copied = None
            #: Number of first rows of `perception`, which are for the stimulus.
            self.sensing_rows = self.stimulus_size
            rows = total = self.stimulus_size + fixed.shape[1] * channels
            spread = fixed.shape[1]
        else:
            copied = shared_rows(self.hearing, slots, channels, self.stimulus_size)
            self.register_buffer("_copied", copied, persistent=False)
            seen = copied[: self.stimulus_size]
            self.sensing_rows = int(seen.max()) + 1 if len(seen) else 0
            rows, total, spread = int(copied.max()) + 1, len(copied), slots
        self.perception = nn.Parameter(torch.empty(rows, sizes[0]))
        self.perception_bias = nn.Parameter(torch.zeros(sizes[0]))
        for name, size, before in zip(_HIDDEN, sizes[1:], sizes, strict=False):
            self.register_parameter(name, nn.Parameter(torch.empty(before, size)))
            self.register_parameter(f"{name}_bias", nn.Parameter(torch.zeros(size)))
        self.output = nn.Parameter(torch.zeros(sizes[-1], channels))
        self.output_bias = nn.Parameter(torch.zeros(channels))
        # Glorot, with the fans of the published 3×3 convolution: both fans count every slot.
        _glorot(self.perception, total, spread * sizes[0], generator)
        for name, size, before in zip(_HIDDEN, sizes[1:], sizes, strict=False):
            _glorot(self.get_parameter(name), before, size, generator)
        if self.hearing == "ring" and self._copied is not None:
            # Equal messages then have the same total effect as with separate weights.
            with torch.no_grad():
                self.perception.div_(self._copied.bincount().sqrt()[:, None])

    @classmethod
    def growing(cls, **settings: Any) -> Mlp:
        """The untrained rule of growing neural cellular automata: 16 channels, 8,336 parameters.

        Args:
            settings: arguments of `Mlp` that differ from the published ones.
        """
        published: dict[str, Any] = {
            "free_channels": 12,
            "hidden": (128,),
            "stimulus_size": 0,
            "hearing": "sobel",
            "mortal": True,
            "noise": 0.0,
        }
        return cls(Rgba(), **(published | settings))

    @property
    def habitat(self) -> Habitat:
        """All pixels for mortal cells, which start with alpha and hidden channels 1; else ink."""
        sprout = (0.0,) * 3 + (1.0,) * (self.channels - 3) if self.mortal else None
        return Habitat(self.alive_above, sprout, self.stimulus_size > 0)

    def lives(self, state: Tensor, largest: Largest) -> Tensor | None:
        """For mortal cells: whether alpha exceeds `alive_above` in the neighbourhood."""
        if not self.mortal:
            return None
        return largest(state[:, 3].detach()) > self.alive_above

    def layers(self) -> list[Layer] | None:
        """The weights in the form that cells use."""
        return self.used()

    def filtered(self) -> Filtered | None:
        """The fixed filters of `sobel`, and the learned weights after them."""
        if self.hearing != "sobel":
            return None
        filters = filters_of(self.slots, self.angle).to(self.perception)
        return Filtered(filters, self._with_others(self.perception))

    def used(self) -> list[Layer]:
        """The weights in the form that cells use; gradients flow to the learned weights."""
        filtered = self.filtered()
        if filtered is not None:
            return filtered.expanded(self.stimulus_size)
        perception: Tensor = self.perception
        if self.hearing == "ring" and self._copied is not None:
            perception = perception.index_select(0, self._copied)
        return self._with_others(perception)

    def _with_others(self, perception: Tensor) -> list[Layer]:
        names = _HIDDEN[: len(self.hidden) - 1]
        return [
            Layer(perception, self.perception_bias),
            *(Layer(self.get_parameter(n), self.get_parameter(f"{n}_bias")) for n in names),
            Layer(self.output, self.output_bias),
        ]

    def prepare(self, stimulus: Tensor) -> Tensor:
        """[N, S] → [N, H]: the part of the first layer that depends on the stimulus only."""
        first = self.used()[0]
        return torch.addmm(first.bias, stimulus, first.weight[: self.stimulus_size])

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """[M, H] prepared stimulus and [M, K, C] messages → [M, C] change of state."""
        return through(self.used(), prepared, messages)

    def widened(self, hidden: tuple[int, ...], generator: torch.Generator | None = None) -> Mlp:
        """A rule with more hidden units that computes the same, to be trained further.

        The added units have random inputs; the units and channels of this rule do not read them.

        Args:
            hidden: the new sizes, none of them smaller, as many as this rule has.
            generator: source of the added weights; torch's global generator when None.

        Returns:
            A rule whose weights require gradients.

        Raises:
            ValueError: fewer units, another number of layers, or too many weights.
        """
        wanted = Settings.from_json(self.settings() | {"hidden": hidden})
        if len(wanted.hidden) != len(self.hidden):
            raise ValueError(
                f"it has {len(self.hidden)} hidden layers, of {list(self.hidden)} units, and "
                f"widening adds units, not layers; got {list(wanted.hidden)}"
            )
        if any(new < old for new, old in zip(wanted.hidden, self.hidden, strict=True)):
            raise ValueError(
                f"hidden must be at least {list(self.hidden)}, got {list(wanted.hidden)}"
            )
        wide = type(self)(**wanted.arguments(), generator=generator).to(self.perception)
        with torch.no_grad():
            for name, old in self.named_parameters():
                new = wide.get_parameter(name)
                if old.ndim == 2:
                    new[len(old) :, : old.shape[1]] = 0.0
                new[tuple(slice(size) for size in old.shape)] = old
        return wide

    def settings(self) -> dict[str, Any]:
        """All settings, without the weights.

        Settings added later are left out at their defaults, so that older rules keep their hashes.
        """
        newer: dict[str, Any] = {
            "hearing": (self.hearing, "slots"),
            "mortal": (self.mortal, False),
            "angle": (self.angle, 0.0),
            "neighborhood": (self.neighborhood, "moore"),
        }
        changed = {name: value for name, (value, default) in newer.items() if value != default}
        return changed | {
            "classes": self.readout.to_json(),
            "free_channels": self.free_channels,
            "hidden": list(self.hidden),
            "slots": self.slots,
            "stimulus_size": self.stimulus_size,
            "fire_rate": self.fire_rate,
            "noise": self.noise,
            "alive_above": self.alive_above,
            "undecided_below": self.undecided_below,
            "shown_above": self.shown_above,
        }

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Mlp:
        """An untrained rule with these settings; see `Rule.from_settings`."""
        return cls(**Settings.from_json(settings).arguments())

    def header(self) -> dict[str, Any]:
        """`settings` without a kind: files from before families have none and hold an Mlp."""
        return self.settings() if self.kind == Mlp.kind else super().header()


def _glorot(weight: Tensor, fan_in: int, fan_out: int, generator: torch.Generator | None) -> None:
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    with torch.no_grad():
        weight.uniform_(-bound, bound, generator=generator)
