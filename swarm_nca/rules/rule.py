"""The rule every cell obeys: what it senses and hears in, a change of its state out.

Three layers as in self-classifying MNIST (Randazzo et al., Distill 2020, doi
10.23915/distill.00027.002): a perception layer over the cell's own stimulus and the messages in
its neighbour slots, a hidden layer, and an output layer that starts at zero, so that an untrained
rule does nothing. A message is the neighbour's whole state; slots keep their order, so a cell
knows who spoke from where, unless they share their weights (see `hearing`).
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from swarm_nca.arguments import real
from swarm_nca.products import layer
from swarm_nca.rules.classes import DIGITS, Classes
from swarm_nca.rules.hearing import Hearing, shared_rows


class Filters(NamedTuple):
    """The weights of the three products, as they are used; [in, out] each, and biases [out].

    `perception` has S rows for the stimulus, then C for each of the K slots.
    """

    perception: Tensor
    perception_bias: Tensor
    middle: Tensor
    middle_bias: Tensor
    output: Tensor
    output_bias: Tensor


class Rule(nn.Module):
    """(stimulus, messages) → change of state, shared by all cells.

    M rows, K slots, C = free_channels + classes state channels, S stimulus values, H hidden units.
    With the defaults it has 22,499 parameters.

    Args:
        classes: what cells decide between; the class channels are the last ones.
        free_channels: channels without a meaning of their own, used to talk.
        hidden: H of the perception layer and of the hidden layer.
        slots: K; 9 on every grid, the cell itself being slot 4.
        stimulus_size: S; 9 grey values for pictures.
        hearing: `slots` gives every slot weights of its own; with `ring` all but the cell's own
            slot share theirs, in what is heard and in what is seen, so that the rule does not know
            up from down.
        fire_rate: share of cells that act in a step, in [0, 1].
        noise: standard deviation added to every change, ≥ 0.
        alive_above: a pixel lives if its grey exceeds this, in [0, 1).
        undecided_below: a cell whose class channels all lie below this counts as undecided.
        shown_above: a cell is drawn as silent unless a class channel exceeds this.
        generator: source of the initial weights; torch's global one when None.

    Raises:
        ValueError: a size, rate or threshold outside its range.
    """

    def __init__(
        self,
        classes: Classes = DIGITS,
        *,
        free_channels: int = 9,
        hidden: tuple[int, int] = (80, 80),
        slots: int = 9,
        stimulus_size: int = 9,
        hearing: Hearing = "slots",
        fire_rate: float = 0.5,
        noise: float = 0.02,
        alive_above: float = 0.1,
        undecided_below: float = 0.0,
        shown_above: float = 0.01,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        _check(free_channels=free_channels, slots=slots, stimulus_size=stimulus_size)
        if len(hidden) != 2:
            raise ValueError(f"hidden is two sizes, one for each hidden layer, got {hidden}")
        _check(hidden_1=hidden[0], hidden_2=hidden[1])
        check_rates(fire_rate, noise)
        if not 0.0 <= alive_above < 1.0:
            raise ValueError(f"alive_above must lie in [0, 1), got {alive_above}")
        if not (math.isfinite(undecided_below) and math.isfinite(shown_above)):
            raise ValueError(
                "undecided_below and shown_above must be finite, "
                f"got {undecided_below} and {shown_above}"
            )
        self.classes = classes
        self.free_channels = free_channels
        self.hidden = (hidden[0], hidden[1])
        self.slots = slots
        self.stimulus_size = stimulus_size
        self.hearing = hearing
        self.fire_rate = fire_rate
        self.noise = noise
        self.alive_above = alive_above
        self.undecided_below = undecided_below
        self.shown_above = shown_above

        channels, (first, second) = self.channels, self.hidden
        copied = shared_rows(hearing, slots, channels, stimulus_size)
        copies = copied.bincount()
        self._copied: Tensor
        self.register_buffer("_copied", copied, persistent=False)
        #: Rows of `perception` that act on the stimulus; those after them act on what is heard.
        self.sensing_rows = int(copied[:stimulus_size].max()) + 1
        self.perception = nn.Parameter(torch.empty(len(copies), first))
        self.perception_bias = nn.Parameter(torch.zeros(first))
        self.middle = nn.Parameter(torch.empty(first, second))
        self.middle_bias = nn.Parameter(torch.zeros(second))
        self.output = nn.Parameter(torch.zeros(second, channels))
        self.output_bias = nn.Parameter(torch.zeros(channels))
        # Glorot, with the fans of the published 3×3 convolution: every slot counts on both sides.
        _glorot(self.perception, len(copied), slots * first, generator)
        _glorot(self.middle, first, second, generator)
        if hearing != "slots":
            # Neighbours who say the same are then answered as loudly as with weights of their own.
            with torch.no_grad():
                self.perception.div_(copies.sqrt()[:, None])

    @property
    def channels(self) -> int:
        """C: free channels, then one per class."""
        return self.free_channels + len(self.classes)

    def filters(self) -> Filters:
        """The weights as cells use them, functions of the learned ones: gradients flow through."""
        perception: Tensor = self.perception
        if self.hearing != "slots":
            perception = perception.index_select(0, self._copied)
        return Filters(
            perception,
            self.perception_bias,
            self.middle,
            self.middle_bias,
            self.output,
            self.output_bias,
        )

    def prepare(self, stimulus: Tensor) -> Tensor:
        """[N, S] → [N, H]: the stimulus's share of the first layer, the same at every step."""
        use = self.filters()
        return torch.addmm(use.perception_bias, stimulus, use.perception[: self.stimulus_size])

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """[M, H] prepared stimulus and [M, K·C] messages → [M, C] change of state."""
        use = self.filters()
        heard = use.perception[self.stimulus_size :]
        first = layer(messages, heard, prepared).relu_()
        second = layer(first, use.middle, use.middle_bias).relu_()
        return layer(second, use.output, use.output_bias)

    def forward(self, stimulus: Tensor, messages: Tensor) -> Tensor:
        """What cells do with what they sense [M, S] and hear [M, K, C]: a change [M, C]."""
        return self.change(self.prepare(stimulus), messages.flatten(1))

    def logits(self, state: Tensor) -> Tensor:
        """The class channels [N, classes] of a state [N, C]."""
        return state[:, self.free_channels :]

    def settings(self) -> dict[str, Any]:
        """All that makes this rule besides its weights, as plain data: `Rule.from_settings`.

        A hearing that tells all slots apart goes without saying: older rules keep their hashes.
        """
        hearing = {} if self.hearing == "slots" else {"hearing": self.hearing}
        return hearing | {
            "classes": self.classes.to_json(),
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
    def from_settings(cls, settings: dict[str, Any]) -> Rule:
        """An untrained rule with these settings.

        Raises:
            TypeError, KeyError, ValueError: settings that no rule has.
        """
        settings = dict(settings)
        classes = Classes.from_json(settings.pop("classes"))
        first, second = settings.pop("hidden")
        return cls(classes, hidden=(first, second), **settings)

    def hash(self) -> str:
        """SHA-256 over settings and weights (as bytes): names this very rule."""
        digest = hashlib.sha256(json.dumps(self.settings(), sort_keys=True).encode())
        for name, weight in self.state_dict().items():
            digest.update(f"{name}:{tuple(weight.shape)}:{weight.dtype}".encode())
            digest.update(weight.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def check_rates(fire_rate: float, noise: float) -> None:
    """A ValueError, unless cells can fire at this rate and with this noise."""
    fire_rate, noise = real("fire_rate", fire_rate), real("noise", noise)
    if not 0.0 <= fire_rate <= 1.0:
        raise ValueError(f"fire_rate must lie between 0 and 1, got {fire_rate}")
    if not (noise >= 0.0 and math.isfinite(noise)):
        raise ValueError(f"noise is a standard deviation, 0 or more, got {noise}")


def _check(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {size}")


def _glorot(weight: Tensor, fan_in: int, fan_out: int, generator: torch.Generator | None) -> None:
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    with torch.no_grad():
        weight.uniform_(-bound, bound, generator=generator)
