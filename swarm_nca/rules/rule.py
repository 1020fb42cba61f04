"""What every rule is: what one cell does with what it senses and hears, shared by all cells.

A family of rules is a subclass: one file, and one line in `families.RULES`. The engine asks what a
rule can do and never which class it has: `layers` gives the fast paths of gradients and GPUs,
`lives` lets cells be born and die, `sweep` steps a full lattice at once. Where a rule does not
offer one of them, the general path serves.

Letters: M rows that act, N rows in all, K neighbour slots, C state channels, S stimulus values, B
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

from swarm_nca.matmul import layer
from swarm_nca.rules.classes import Classes
from swarm_nca.rules.readout import Readout
from swarm_nca.rules.settings import BOUNDS, CHANNELS

#: Gives for each row the largest value [N] in its neighbourhood, its own included.
Largest = Callable[[Tensor], Tensor]


class Layer(NamedTuple):
    """One product of a rule, as it is used: weight [in, out] and bias [out]."""

    weight: Tensor
    bias: Tensor


class Filtered(NamedTuple):
    """Layers over P sums of what is heard, instead of all of it: fewer products to learn from.

    Fields:
        filters: [K, P], how much of what each slot says goes into each sum; not learned.
        layers: the first weight has S rows for the stimulus, then C for each of the P sums.
    """

    filters: Tensor
    layers: list[Layer]


@dataclass(frozen=True)
class Habitat:
    """Where the cells of a rule can live on a picture, and how they start.

    Attributes:
        alive_above: with `sprout` None a pixel is a cell if its grey exceeds this, in [0, 1).
        sprout: [C], what a cell holds that is alive at the start; every pixel is a cell then, and
            those whose grey is ½ or more start so, all others with zeros. None: only ink lives.
        senses: whether cells sense the grey of their 3×3 patch.
    """

    alive_above: float = 0.1
    sprout: tuple[float, ...] | None = None
    senses: bool = True


class Rule(nn.Module, ABC):
    """(stimulus, messages) → change of state, or the next state; shared by all cells.

    Args:
        readout: how states are read.
        channels: C.
        slots: K; 9 on every grid, slot 4 being the cell itself.
        stimulus_size: S; 9 grey values for pictures, 0 for rules that sense nothing.
        fire_rate: share of cells that act in a step, in [0, 1].
        noise: standard deviation added to every change, ≥ 0.
        alive_above: a pixel lives if its grey exceeds this, in [0, 1).
        undecided_below: a cell whose class channels all lie below this counts as undecided.
        shown_above: a cell is drawn as silent unless a class channel exceeds this.

    Attributes:
        kind: the name of the family in settings, files and recipes.
        update: whether the answer is added to the state, or replaces it.

    Raises:
        ValueError: a setting outside its bounds, or too many weights; see `settings.Settings`.
    """

    kind: ClassVar[str]
    update: ClassVar[Literal["add", "replace"]] = "add"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" not in cls.__dict__:
            raise TypeError(
                f"{cls.__name__} needs a kind of its own, such as kind = {cls.__name__.lower()!r}: "
                "it names the family in files, so that they are not read as another rule"
            )
        if {"prepare", "change"} & cls.__dict__.keys():
            # What a parent says of its own arithmetic does not hold for another one.
            for told in ("layers", "filtered", "sweep"):
                if told not in cls.__dict__:
                    setattr(cls, told, getattr(Rule, told))

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
    ) -> None:
        super().__init__()
        CHANNELS.checked("channels", channels)
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
            BOUNDS[name].checked(name, value)
        self.readout = readout
        self.channels = channels
        self.slots = slots
        self.stimulus_size = stimulus_size
        self.fire_rate = fire_rate
        self.noise = noise
        self.alive_above = alive_above
        self.undecided_below = undecided_below
        self.shown_above = shown_above
        # Rules without weights have a dtype and a device too.
        self._anchor: Tensor
        self.register_buffer("_anchor", torch.zeros(()), persistent=False)

    # ------------------------------------------------------------- what it does

    def prepare(self, stimulus: Tensor) -> Tensor:
        """[N, S] → [N, …]: the share of the stimulus, the same at every step until an edit."""
        return stimulus

    @abstractmethod
    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        """What the rows do.

        Args:
            prepared: [M, …], their rows of `prepare`'s answer.
            messages: [M, K, C], what they hear; zeros in slots without a neighbour.

        Returns:
            [M, C]: the change of their states, or the next ones where `update` is "replace".
        """

    def lives(self, state: Tensor, largest: Largest) -> Tensor | None:
        """bool [N]: which rows are alive; None where the ground alone decides.

        It is asked before and after the update of a step: cells that are dead at either time do
        not act and hold zeros.

        Args:
            state: [N, C].
            largest: see `Largest`.
        """
        return None

    def layers(self) -> list[Layer] | None:
        """The products of the rule, with ReLU after each but the last; None where it has others.

        The first weight has S rows for the stimulus, then C for each of the K slots. Gradients flow
        through the answer to the parameters.
        """
        return None

    def filtered(self) -> Filtered | None:
        """`layers`, over fixed filters of what is heard; None where every slot has weights."""
        return None

    def sweep(self, states: Tensor, torus: bool) -> Tensor | None:
        """The next states of full lattices [B, C, H, W], all cells acting at once; None: not known.

        Args:
            torus: whether opposite borders touch.
        """
        return None

    def forward(self, stimulus: Tensor, messages: Tensor) -> Tensor:
        """What cells do with what they sense [M, S] and hear [M, K, C]: the answer [M, C]."""
        return self.change(self.prepare(stimulus), messages)

    # --------------------------------------------------------------- what it is

    @property
    def habitat(self) -> Habitat:
        """Where its cells live on pictures."""
        return Habitat(self.alive_above, None, self.stimulus_size > 0)

    @property
    def classes(self) -> Classes:
        """What cells decide between.

        Raises:
            ValueError: a rule whose read-out is not classes.
        """
        if not isinstance(self.readout, Classes):
            raise ValueError(
                f"this rule has no classes: its read-out is {self.readout.kind!r}; take a rule "
                "that classifies, such as digits"
            )
        return self.readout

    @property
    def free_channels(self) -> int:
        """How many channels the read-out does not read: cells use them as they like."""
        return self.channels - self.readout.width(self.channels)

    @property
    def dtype(self) -> torch.dtype:
        """Of its numbers, and of the worlds it runs in."""
        return self._anchor.dtype

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._anchor.device

    def logits(self, state: Tensor) -> Tensor:
        """The channels of a state [N, C] that the read-out reads."""
        return state[:, self.readout.channels(self.channels)]

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """All that makes this rule besides its weights, as plain data: `from_settings` reads it."""

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Rule:
        """An untrained rule with these settings.

        Raises:
            TypeError, KeyError, ValueError: settings that no rule of this family has.
        """
        return cls(**settings)

    def header(self) -> dict[str, Any]:
        """`settings`, with the kind of the family: what files and checkpoints hold."""
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
        """SHA-256 over kind, settings and weights (as bytes): names this very rule."""
        digest = hashlib.sha256(json.dumps(self.header(), sort_keys=True).encode())
        for name, weight in self.state_dict().items():
            digest.update(f"{name}:{tuple(weight.shape)}:{weight.dtype}".encode())
            flat = weight.detach().cpu().reshape(-1)  # a weight of no dimensions has no bytes
            digest.update(flat.view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def through(layers: Sequence[Layer], prepared: Tensor, messages: Tensor) -> Tensor:
    """The answer [M, C] of layers to their prepared stimulus [M, H] and messages [M, K, C]."""
    (weight, _), *others = layers
    heard = messages.flatten(1)
    flowing = layer(heard, weight[weight.shape[0] - heard.shape[1] :], prepared)
    for weight, bias in others:
        flowing = layer(flowing.relu_(), weight, bias)
    return flowing
