"""Transition: a rule learns another rule from pairs of boards, some steps apart.

The boards are random, with a different density each. As in learning Life (Springer and Kenyon,
2020), the learner has no other information about the rule.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from swarm_nca.bounds import LONGEST_SIDE, Share, check_bounds
from swarm_nca.engine import rollout
from swarm_nca.render import cells_rgb, png, sheet
from swarm_nca.rules import Bit, Readout, Rule, make_rule
from swarm_nca.tasks.task import Task
from swarm_nca.topologies import Grid
from swarm_nca.world import World

#: The name of the per-cell field with the target bit.
WANTED = "wanted"

#: Boards on the strip, boards for scores, and their seed.
_SHOWN, _SCORED, _SEED = 6, 100, 77


@dataclass(frozen=True, eq=False)
class Transition(Task):
    """Predicting the next boards of a teacher rule.

    Args:
        teacher: kind and settings of the rule to imitate, such as `{kind: life, rule: B3/S23}`; its
            read-out must be `bit`.
        ahead: steps of the teacher; the learner takes the same number.
        size: rows and columns of a board.
        torus: whether opposite borders touch.
        density: smallest and largest share of cells that are on, drawn for each board.

    Raises:
        ValueError: an invalid or unsuitable teacher, or a number out of bounds.
    """

    kind: ClassVar[str] = "transition"
    metric_names: ClassVar[tuple[str, ...]] = ("cell_accuracy", "board_accuracy")
    defaults: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "regime": "naive",
            "batch": 8,
            "steps": 1,
            "fresh": 0.5,
            "mutated": 0,
            "rule": {"free_channels": 1, "hidden": [16], "fire_rate": 1.0, "noise": 0.0},
        }
    )

    teacher: Mapping[str, Any] = field(
        default_factory=lambda: MappingProxyType({"kind": "life", "rule": "B3/S23"})
    )
    ahead: Annotated[int, Ge(1), Le(1000)] = 1
    size: Annotated[int, Ge(3), Le(LONGEST_SIDE)] = 16
    torus: bool = True
    density: tuple[Share, Share] = (0.1, 0.9)

    def __post_init__(self) -> None:
        object.__setattr__(self, "density", tuple(self.density))
        check_bounds(self)
        low, high = self.density
        if low > high:
            raise ValueError(f"density is [smallest, largest], got {[low, high]}")
        if not isinstance(self.torus, bool):
            raise ValueError(f"torus must be true or false, got {self.torus!r}")
        self._teacher  # noqa: B018 - raises errors before the training

    @cached_property
    def _teacher(self) -> Rule:
        if not isinstance(self.teacher, Mapping) or "kind" not in self.teacher:
            raise ValueError(
                "teacher needs kind and settings of a rule, such as {kind: life, rule: B3/S23}"
            )
        rule = make_rule(**self.teacher).requires_grad_(False)
        if rule.readout != Bit() or rule.channels != 1:
            raise ValueError(
                f"a teacher's cells hold one bit, but those of {rule.kind!r} hold "
                f"{rule.channels} channels read as {rule.readout.kind!r}; use a rule such as life"
            )
        return rule

    @property
    def content(self) -> str:
        """SHA-256 over the settings, since boards are drawn at random."""
        settings = [self._teacher.header(), self.ahead, self.size, self.torus, self.density]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    @property
    def readout(self) -> Readout:
        """The bit."""
        return Bit()

    @property
    def extent(self) -> tuple[int, int]:
        """(rows, columns) of a board."""
        return self.size, self.size

    def check_steps(self, least: int, most: int) -> None:
        """Raise a ValueError unless learner and teacher take the same number of steps."""
        if not least == most == self.ahead:
            raise ValueError(
                f"the teacher takes {self.ahead} steps: set steps: {self.ahead}, got "
                f"{least} to {most}"
            )

    def start(self, count: int, rule: Rule, generator: torch.Generator) -> World:
        """Random boards with the target bit of each cell in the field `WANTED`."""
        low, high = self.density
        density = low + (high - low) * torch.rand(count, 1, 1, generator=generator)
        bits = torch.rand(count, *self.extent, generator=generator) < density
        # Full ink makes every pixel a cell with any habitat.
        world = World.from_images(
            torch.ones(count, *self.extent), rule, grid=Grid(torus=self.torus)
        )
        state = torch.zeros_like(world.state)
        state[:, -1] = bits.view(-1).to(state)
        return self._with_wanted(world.with_state(state))

    def refresh(
        self, world: World, fresh: int, mutated: int, rule: Rule, generator: torch.Generator
    ) -> World:
        """The batch with the first boards redrawn; the others continue from their present bits."""
        fresh_state = self.start(fresh, rule, generator).state
        state = torch.cat([fresh_state, world.state[len(fresh_state) :]])
        state = torch.zeros_like(state).index_copy(
            1, torch.tensor([state.shape[1] - 1]), (state[:, -1:] > 0.5).to(state)
        )
        return self._with_wanted(world.with_state(state))

    def losses(self, before: World, after: World) -> Tensor:
        """[B], the mean squared error of the bits."""
        error = after.state[:, -1] - after.cell_fields[WANTED]
        return error.square().view(len(after), -1).mean(1)

    def metrics(self, before: World, after: World) -> dict[str, Tensor]:
        """The share of correct cells, and of boards whose cells are all correct."""
        right = (after.state.detach()[:, -1] > 0.5) == (after.cell_fields[WANTED] > 0.5)
        boards = right.view(len(after), -1)
        names = self.metric_names
        shares = right.float().mean(), boards.all(1).float().mean()
        return dict(zip(names, shares, strict=True))

    @torch.no_grad()
    def views(self, rule: Rule) -> bytes:
        """A PNG: boards, their targets, and the results of the learner."""
        world = self.start(_SHOWN, rule, torch.Generator().manual_seed(_SEED))
        after = rollout(world, rule, self.ahead)
        wanted = world.with_state(after.cell_fields[WANTED][:, None].expand(-1, rule.channels))
        tiles = [
            cells_rgb(row, row.readout.rgb(row.select(i).state.cpu().numpy(), 0.0), i, scale=4)
            for row in (world, wanted, after)
            for i in range(_SHOWN)
        ]
        return png(sheet(tiles, _SHOWN, 6))

    @torch.no_grad()
    def scores(self, rule: Rule) -> dict[str, float]:
        """Percentages of correct cells and boards, over a hundred boards."""
        world = self.start(_SCORED, rule, torch.Generator().manual_seed(_SEED))
        found = self.metrics(world, rollout(world, rule, self.ahead))
        return {name: round(100 * float(value), 2) for name, value in found.items()}

    def scored_on(self) -> str:
        """The number of boards."""
        return f"{_SCORED} boards"

    def _with_wanted(self, world: World) -> World:
        """The boards with target bits from the teacher."""
        bits = world.state.detach()[:, -1:].view(len(world), *self.extent)
        teacher = self._teacher
        lesson = World.from_images(bits.cpu().float(), teacher, grid=Grid(torus=self.torus))
        wanted = rollout(lesson, teacher, self.ahead).state[:, 0]
        return world.with_cells(**{WANTED: wanted.to(world.state)})
