"""Faults in training: perturbations of a batch for one rollout, drawn in every iteration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from swarm_nca.config import Document
from swarm_nca.perturbations import Immigrants, Perturbation
from swarm_nca.training.recipe import Recipe
from swarm_nca.world import World

#: A perturbation and the probability that it acts in an iteration.
Chance = tuple[float, Perturbation]


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
            loaded.append((fault.chance, change))
    return loaded


def faulty(world: World, faults: Sequence[Chance], generator: torch.Generator) -> World:
    """The batch after the faults that are drawn, in their order.

    Args:
        generator: source of all draws, also of the perturbations' seeds.
    """
    for chance, change in faults:
        drawn = torch.rand((), generator=generator)
        seed = int(torch.randint(1 << 62, (), generator=generator))
        if float(drawn) < chance:
            world = change(world, seed=seed)
    return world
