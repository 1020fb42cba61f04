"""Immigrants: some cells obey another rule; natives obey the world's own rule again."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from swarm_nca.engine import check_guest
from swarm_nca.perturbations.faults import CellChoice
from swarm_nca.rules import Rule, load_rule
from swarm_nca.world import World
from swarm_nca.world.fields import RULE

if TYPE_CHECKING:
    RuleOrName: TypeAlias = Rule | str
else:
    RuleOrName = str  # the form in YAML files


@dataclass(frozen=True, eq=False, kw_only=True)
class Immigrants(CellChoice):
    """Cells obey another rule from here on.

    With a rule that was trained to mislead this is the attack of Randazzo, Mordvintsev, Niklasson
    and Levin, "Adversarial Reprogramming of Neural Cellular Automata" (Distill 2021).

    Attributes:
        rule: the rule, or its name or file; it has the channels, slots and stimulus of the world's.
    """

    CHOICE: ClassVar[int] = 8
    kind: Literal["immigrants"] = field(default="immigrants", repr=False)
    rule: RuleOrName

    def loaded(self, base: Path | None = None) -> Immigrants:
        """The same with the rule read from its name or file, relative to `base`."""
        if not isinstance(self.rule, str):
            return self
        return replace(self, rule=load_rule(self.rule, base))

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds with some cells under the other rule; see `Perturbation.__call__`.

        Raises:
            ValueError: also a rule that does not fit the world.
        """
        guest = self._guest(world)
        check_guest(world, guest)
        # All worlds of a batch share their guests.
        shared = world.guests if guest in world.guests else (*world.guests, guest)
        return super().__call__(replace(world, guests=shared), seed)

    def of(self, alone: World, rows: Tensor) -> World:
        """See `CellChoice.of`."""
        return _obeying(alone, rows, alone.guests.index(self._guest(alone)) + 1)

    def what(self, before: World, after: World) -> str:
        """How many cells, and the rule."""
        name = self.rule if isinstance(self.rule, str) else self.rule.hash()[:12]
        return f"{super().what(before, after)} under {name}"

    def _guest(self, world: World) -> Rule:
        """The rule, as the object that the world has if it has it."""
        rule = self.loaded().rule
        if isinstance(rule, str):  # `loaded` has read it
            raise TypeError(rule)
        if (rule.dtype, rule.device) != (world.state.dtype, world.state.device):
            rule = copy.deepcopy(rule).to(world.state)
        known = {guest.hash(): guest for guest in world.guests}
        return known.get(rule.hash(), rule)


@dataclass(frozen=True, kw_only=True)
class Natives(CellChoice):
    """Cells obey the world's own rule again; all of them without `share` and `cells`."""

    CHOICE: ClassVar[int] = 9
    ALL: ClassVar[bool] = True
    kind: Literal["natives"] = field(default="natives", repr=False)

    def of(self, alone: World, rows: Tensor) -> World:
        """See `CellChoice.of`."""
        return _obeying(alone, rows, 0)


def _obeying(alone: World, rows: Tensor, number: int) -> World:
    """A single world with some rows under another of its rules; see `fields.RULE`."""
    obeyed = alone.cell_fields.get(RULE, torch.zeros_like(alone.address))
    return alone.with_cells(rule=obeyed.index_fill(0, rows, number))
