"""The base class of rules: how a cell changes its state from its stimulus and its messages.

A rule family is a subclass in one file, with one line in `families.RULES`. The engine depends on
what a rule offers, not on its class: `layers` enables the fast gradients on CPU and GPU, `lives`
lets cells be born and die, `sweep` steps a full lattice at once, `for_a_run` saves work of every
step. For rules without one of them the engine uses the general path.

Letters: M firing rows, N rows in all, K neighbour slots, C state channels, S stimulus values, B
pictures of H×W pixels.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from swarm_nca.bounds import check
from swarm_nca.matmul import layer
from swarm_nca.rules.classes import Classes
from swarm_nca.rules.memory import Held
from swarm_nca.rules.readout import Readout
from swarm_nca.rules.settings import BOUNDS, Channels

#: Values [N] → the largest value [N] in the neighbourhood of each row, its own included.
Largest = Callable[[Tensor], Tensor]

#: Prepared stimulus [M, …] and messages [M, K, C] → the answer [M, C]; see `Rule.change`.
Change = Callable[[Tensor, Tensor], Tensor]


class Layer(NamedTuple):
    """One matrix product of a rule: weight [in, out] and bias [out]."""

    weight: Tensor
    bias: Tensor


class Filtered(NamedTuple):
    """Layers over P filtered sums of the messages; this makes the products smaller.

    Fields:
        filters: [K, P], the weight of each slot in each sum; not learned.
        layers: the first weight has S rows for the stimulus, then C for each of the P sums.
    """

    filters: Tensor
    layers: list[Layer]

    def expanded(self, stimulus_size: int) -> list[Layer]:
        """The same layers over the messages of all K slots instead of the P sums."""
        first, *others = self.layers
        sensed, summed = first.weight[:stimulus_size], first.weight[stimulus_size:]
        sums = summed.view(self.filters.shape[1], -1, summed.shape[1])
        heard = torch.einsum("kp,pch->kch", self.filters, sums).flatten(0, 1)
        return [Layer(torch.cat([sensed, heard]), first.bias), *others]


@dataclass(frozen=True)
class Habitat:
    """Which pixels of a picture are cells, and how they start.

    Attributes:
        alive_above: if `sprout` is None, a pixel is a cell if its grey exceeds this, in [0, 1).
        sprout: [C], the first state of living cells. Every pixel is then a cell; pixels with grey
            of ½ or more start with this state, all others with zeros. None: only ink is cells.
        senses: whether the stimulus of a cell is the grey of its 3×3 patch.
    """

    alive_above: float = 0.1
    sprout: tuple[float, ...] | None = None
    senses: bool = True


class Rule(nn.Module, ABC):
    """(stimulus, messages) → change of state, or next state; the same for all cells.

    Args:
        readout: how states are read.
        channels: C.
        slots: K; 9 on every grid, where slot 4 is the cell itself.
        stimulus_size: S; 9 grey values for pictures, 0 for rules without stimulus.
        fire_rate: share of cells that fire in a step, in [0, 1].
        noise: standard deviation of the noise added to every change, ≥ 0.
        alive_above: a pixel is alive if its grey exceeds this, in [0, 1).
        undecided_below: a cell is undecided if all its class channels are below this.
        shown_above: a cell is drawn as silent unless a class channel exceeds this.
        neighborhood: the neighbours of pixels, by the name of a grid, unless a world has another.

    Attributes:
        kind: the name of the family in settings, files and recipes.
        update: whether the answer is added to the state or replaces it.

    Raises:
        ValueError: a setting out of bounds; see `settings.Settings`.
    """

    kind: ClassVar[str]
    update: ClassVar[Literal["add", "replace"]] = "add"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" not in cls.__dict__:
            raise TypeError(
                f"{cls.__name__} needs its own kind, such as kind = {cls.__name__.lower()!r}: "
                "the kind names the family in files, so that they are not read as another rule"
            )
        if {"prepare", "change"} & cls.__dict__.keys():
            # The parent's layers and sweep do not describe overridden arithmetic.
            for method in ("layers", "filtered", "sweep", "for_a_run"):
                if method not in cls.__dict__:
                    setattr(cls, method, getattr(Rule, method))

    def __init__(
        self,
        readout: Readout,
        *,
        channels: int,
        slots: int = 9,
        stimulus_size: int = 9,
        fire_rate: float = 0.5,
        noise: float = 0.0,
        alive_above: float = 0.1,
        undecided_below: float = 0.0,
        shown_above: float = 0.01,
        neighborhood: str = "moore",
    ) -> None:
        super().__init__()
        check("channels", channels, Channels)
        given = {
            "slots": slots,
            "stimulus_size": stimulus_size,
            "fire_rate": fire_rate,
            "noise": noise,
            "alive_above": alive_above,
            "undecided_below": undecided_below,
            "shown_above": shown_above,
        }
        for name, value in given.items():
            check(name, value, BOUNDS[name])
        self.readout = readout
        self.channels = channels
        self.slots = slots
        self.stimulus_size = stimulus_size
        self.fire_rate = fire_rate
        self.noise = noise
        self.alive_above = alive_above
        self.undecided_below = undecided_below
        self.shown_above = shown_above
        self.neighborhood = neighborhood
        # Gives rules without weights a dtype and a device.
        self._anchor: Tensor
        self.register_buffer("_anchor", torch.zeros(()), persistent=False)

    # ------------------------------------------------------------- computation

    def prepare(self, stimulus: Tensor) -> Tensor:
        """[N, S] → [N, …]: the part that depends on the stimulus only; constant until an edit."""
        return stimulus

    @abstractmethod
    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """The answer of the rule for some rows.

        Args:
            prepared: [M, …], these rows of the result of `prepare`.
            messages: [M, K, C]; zeros in slots without a message.

        Returns:
            [M, C]: the changes of the states, or the next states if `update` is "replace".
        """

    def for_a_run(self) -> Change:
        """`change` for the steps of one run, in which parameters stay the same.

        Families without `layers` may override it to compute once what depends on parameters alone.
        """
        return self.change

    def lives(self, state: Tensor, largest: Largest) -> Tensor | None:
        """bool [N]: which rows are alive; None if the space alone decides.

        Called before and after the update of a step. Cells that are dead before the update do not
        fire; cells that are dead before or after it are set to zeros.

        Args:
            state: [N, C].
            largest: see `Largest`.
        """
        return None

    def layers(self) -> list[Layer] | None:
        """The matrix products of the rule, with ReLU between them; None for other arithmetic.

        The first weight has S rows for the stimulus, then C for each of the K slots; `prepare` adds
        the first bias to the products with the former. Gradients flow through the result to the
        parameters.
        """
        return None

    def filtered(self) -> Filtered | None:
        """`layers` after fixed filters of the messages; None without fixed filters."""
        return None

    def sweep(self, states: Tensor, torus: bool) -> Tensor | None:
        """The next states of full lattices [B, C, H, W] if all cells fire; None: not supported.

        Args:
            torus: whether opposite borders touch, but for those of an axis of one cell.
        """
        return None

    def forward(self, stimulus: Tensor, messages: Tensor) -> Tensor:
        """The answer [M, C] for stimulus [M, S] and messages [M, K, C]."""
        return self.change(self.prepare(stimulus), messages)

    # --------------------------------------------------------------- properties

    @property
    def habitat(self) -> Habitat:
        """Which pixels of a picture are cells."""
        return Habitat(self.alive_above, None, self.stimulus_size > 0)

    @property
    def classes(self) -> Classes:
        """The classes of the rule.

        Raises:
            ValueError: a rule with another read-out.
        """
        if not isinstance(self.readout, Classes):
            raise ValueError(
                f"this rule has no classes: its read-out is {self.readout.kind!r}; use a rule "
                "that classifies, such as digits"
            )
        return self.readout

    @property
    def free_channels(self) -> int:
        """The number of channels that the read-out does not read."""
        return self.channels - self.readout.width(self.channels)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights, and of worlds under this rule."""
        return self._anchor.dtype

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self._anchor.device

    def logits(self, state: Tensor) -> Tensor:
        """The channels of a state [N, C] that the read-out reads."""
        return state[:, self.readout.channels(self.channels)]

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """All settings, without the weights, as plain data for `from_settings`."""

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Rule:
        """An untrained rule with these settings.

        Raises:
            TypeError, KeyError, ValueError: invalid settings for this family.
        """
        return cls(**settings)

    def settle(self) -> None:
        """Bring the parameters back into their bounds; trainers call it after every step."""

    def stored(self) -> dict[str, Tensor]:
        """What a file holds of the rule besides its header, by name; the hash covers it."""
        return dict(self.state_dict())

    def memory(self) -> list[Held]:
        """The numbers that a file holds, and the bits of each; see `memory`."""
        return [
            Held(name, tuple(weight.shape), 8 * weight.element_size())
            for name, weight in self.stored().items()
        ]

    def restore(self, stored: dict[str, Tensor]) -> None:
        """Take over the weights that `stored` gave.

        Raises:
            ValueError: values that this family cannot have.
        """
        self.load_state_dict(stored)

    def header(self) -> dict[str, Any]:
        """The kind of the family and `settings`, as saved in files and checkpoints."""
        return {"kind": self.kind} | self.settings()

    def _repr_html_(self) -> str:
        """A table for notebooks: kind, read-out, size, rates, hash."""
        parameters = sum(weight.numel() for weight in self.parameters())
        rows = {
            "kind": self.kind,
            "read-out": self.readout.kind,
            "channels, slots, stimulus": f"{self.channels}, {self.slots}, {self.stimulus_size}",
            "parameters": f"{parameters:,}",
            "fire rate, noise": f"{self.fire_rate:g}, {self.noise:g}",
            "hash": self.hash()[:16],
        }
        cells = "".join(f"<tr><th>{name}</th><td>{escape(v)}</td></tr>" for name, v in rows.items())
        return f"<table>{cells}</table>"

    def hash(self) -> str:
        """SHA-256 over kind, settings and the bytes of the weights; identifies the rule."""
        digest = hashlib.sha256(json.dumps(self.header(), sort_keys=True).encode())
        for name, weight in self.stored().items():
            digest.update(f"{name}:{tuple(weight.shape)}:{weight.dtype}".encode())
            flat = weight.detach().cpu().reshape(-1)  # view(uint8) needs at least one dimension
            digest.update(flat.view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def through(
    layers: Sequence[Layer],
    prepared: Tensor,
    messages: Tensor,
    *,
    into: Tensor | None = None,
    units: Sequence[Tensor] = (),
) -> Tensor:
    """The answer [M, C] of layers for prepared stimulus [M, H] and messages [M, K, C].

    Args:
        into: see `matmul.product`; for the first layer.
        units: [M, width] for each hidden layer, become its activations; only without gradients.
    """
    (weight, _), *others = layers
    flat = messages.flatten(1)
    heard = weight[weight.shape[0] - flat.shape[1] :]
    sums = layer(flat, heard, prepared, into=into)
    for n, (weight, bias) in enumerate(others):
        given = torch.clamp_min(sums, 0, out=units[n]) if units else _rectified(sums)
        sums = layer(given, weight, bias, into=units[n + 1] if n + 1 < len(units) else None)
    return sums


def _rectified(sums: Tensor) -> Tensor:
    """max(0, x) in place.

    A bfloat16 number is below 0 where its bits, as a whole number, are: torch's own function would
    convert to float32 and back, at five times the time. A NaN with the sign bit becomes 0; the
    state that it comes from stays as it is.
    """
    if sums.dtype == torch.bfloat16 and not torch.is_grad_enabled():
        sums.view(torch.int16).relu_()
        return sums
    return sums.relu_()
