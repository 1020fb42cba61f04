"""Faults in training: perturbations of a batch, each drawn by its chance in every iteration.

A fault acts for one rollout: the rule learns to work during its first steps. A lasting fault has a
part of the pool instead, whose worlds keep the fault in all their rollouts: the rule learns to work
under it for a long time. Messages under way between two rollouts are lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from swarm_nca.config import Document
from swarm_nca.perturbations import Immigrants, Perturbation
from swarm_nca.rules import Rule
from swarm_nca.tasks import Task
from swarm_nca.training.pool import Pool
from swarm_nca.training.recipe import Recipe
from swarm_nca.world import World


@dataclass(frozen=True)
class Chance:
    """A perturbation and the probability that it acts in an iteration.

    Attributes:
        lasting: whether it has a part of the pool, whose worlds keep it in all their rollouts.
    """

    chance: float
    change: Perturbation
    lasting: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the pool, and the lasting fault of its worlds; None in the sound part."""

    pool: Pool
    fault: Chance | None = None

    @classmethod
    def of(
        cls, count: int, task: Task, rule: Rule, fault: Chance, generator: torch.Generator
    ) -> Part:
        """New worlds that have a fault from their first step."""
        world = _hit(task.start(count, rule, generator), fault.change, generator)
        return cls(Pool.of(world), fault)

    def refreshed(
        self,
        world: World,
        fresh: int,
        mutated: int,
        task: Task,
        rule: Rule,
        generator: torch.Generator,
    ) -> World:
        """The batch with new pictures for the first worlds, on which the fault acts anew."""
        if self.fault is None:
            return task.refresh(world, fresh, mutated, rule, generator)
        if (count := fresh + mutated) == 0:
            return world
        first = task.refresh(world[:count], fresh, mutated, rule, generator)
        first = _hit(first, self.fault.change, generator)
        return first if count == len(world) else World.join([first, world[count:]])


def drawn(parts: Sequence[Part], generator: torch.Generator) -> Part:
    """The part for an iteration: each lasting part by its chance, else the sound one, the first."""
    if len(parts) == 1:
        return parts[0]
    place = float(torch.rand((), generator=generator, dtype=torch.float64))
    for part in parts:
        chance = 0.0 if part.fault is None else part.fault.chance
        if place < chance:
            return part
        place -= chance
    return parts[0]


def faults_of(recipe: Recipe, document: Document) -> list[Chance]:
    """The faults of a recipe, with the rules of immigrants read.

    Raises:
        LocatedError: a rule that cannot be read.
    """
    base, loaded = Path(document.file).parent, []
    for i, fault in enumerate(recipe.faults):
        change = fault.change
        with document.at("faults", i, "change"):
            if isinstance(change, Immigrants):
                change = change.loaded(base)
            loaded.append(Chance(fault.chance, change, fault.lasting))
    return loaded


def faulty(world: World, faults: Sequence[Chance], generator: torch.Generator) -> World:
    """The batch after the faults of one rollout that are drawn, in their order.

    Args:
        generator: source of all draws, also of the perturbations' seeds.
    """
    for fault in faults:
        if fault.lasting:
            continue
        draw = torch.rand((), generator=generator)
        seed = int(torch.randint(1 << 62, (), generator=generator))
        if float(draw) < fault.chance:
            world = fault.change(world, seed=seed)
    return world


def _hit(world: World, fault: Perturbation, generator: torch.Generator) -> World:
    """The worlds after a perturbation with a drawn seed."""
    return fault(world, seed=int(torch.randint(1 << 62, (), generator=generator)))
