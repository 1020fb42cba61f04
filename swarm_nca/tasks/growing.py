"""Growing a pattern from one cell (Mordvintsev et al., Distill 2020, doi 10.23915/distill.00023).

A world is an empty field with one living cell in its middle, the sprout. After a rollout the first
four channels of all pixels should equal a target picture in premultiplied RGBA.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from swarm_nca.bounds import check_bounds
from swarm_nca.engine import trajectory
from swarm_nca.images.targets import TARGETS, drawn_target, read_target
from swarm_nca.render import decisions_rgb, png, sheet
from swarm_nca.rules import Readout, Rgba, Rule
from swarm_nca.tasks.task import Task
from swarm_nca.world import World

#: Steps shown on the strip, and the step of the scores.
STRIP_STEPS, SCORED_AT = (8, 16, 32, 48, 64, 96, 192, 288), 96


@dataclass(frozen=True, eq=False)
class Growing(Task):
    """Growing one target picture.

    Args:
        target: `{drawn: NAME}`, a picture of `images.targets.TARGETS`, or `{file: PATH}`.
        size: rows and columns of the target.
        padding: empty rows and columns on every side of the target.

    Raises:
        ValueError: a missing target, or sizes out of bounds.
    """

    kind: ClassVar[str] = "growing"
    ranked: ClassVar[bool] = True
    metric_names: ClassVar[tuple[str, ...]] = ("error", "worst_error")
    defaults: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "regime": "persistent",
            "batch": 8,
            "pool": 256,
            "fresh": 0.125,
            "mutated": 0,
            "steps": [64, 96],
            "schedule": {"rate": 2e-3},
            "rule": {
                "free_channels": 12,
                "hidden": [128],
                "hearing": "sobel",
                "mortal": True,
                "noise": 0.0,
            },
        }
    )

    target: Mapping[str, Any]
    size: Annotated[int, Ge(1), Le(512)] = 40
    padding: Annotated[int, Ge(0), Le(512)] = 16
    base: Path = Path()

    def __post_init__(self) -> None:
        check_bounds(self)
        if not isinstance(self.target, Mapping) or len(self.target) != 1:
            raise ValueError(
                "target names one picture: {drawn: NAME} or {file: PATH}; NAME is one of "
                f"{', '.join(TARGETS)}"
            )
        self.rgba  # noqa: B018 - raises errors before the training

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], base: Path) -> Task:
        """See `Task.from_settings`."""
        if "base" in settings:
            raise ValueError("a task of kind 'growing' has no setting 'base'")
        return super().from_settings({**settings, "base": base}, base)

    @cached_property
    def rgba(self) -> Tensor:
        """[H, W, 4], the padded target, premultiplied."""
        (source, name), *_ = self.target.items()
        if source == "drawn":
            picture = drawn_target(str(name), self.size)
        elif source == "file":
            picture = read_target(self.base / str(name), self.size)
        else:
            raise ValueError(f"target takes drawn or file, got {source!r}")
        height, width = self.extent
        field = torch.zeros(height, width, 4)
        inner = slice(self.padding, self.padding + self.size)
        field[inner, inner] = torch.from_numpy(picture)
        return field

    @cached_property
    def content(self) -> str:
        """SHA-256 over the padded target."""
        digest = hashlib.sha256(str(self.extent).encode())
        digest.update(self.rgba.contiguous().numpy().data)
        return digest.hexdigest()

    @property
    def readout(self) -> Readout:
        """RGBA."""
        return Rgba()

    @property
    def extent(self) -> tuple[int, int]:
        """(rows, columns) of the padded target."""
        side = self.size + 2 * self.padding
        return side, side

    def check_rule(self, rule: Rule) -> None:
        """Raise a ValueError unless cells of this rule show RGBA and can be born."""
        super().check_rule(rule)
        if rule.habitat.sprout is None:
            raise ValueError(
                "growing needs a rule whose cells are born: set mortal: true, or give the rule a "
                "habitat with a sprout"
            )

    def start(self, count: int, rule: Rule, generator: torch.Generator | None = None) -> World:
        """Fields with one living cell in the middle."""
        height, width = self.extent
        grey = torch.zeros(count, height, width)
        grey[:, height // 2, width // 2] = 1.0
        return World.from_images(grey, rule)

    def refresh(
        self, world: World, fresh: int, mutated: int, rule: Rule, generator: torch.Generator
    ) -> World:
        """The batch with the first worlds restarted from sprouts."""
        if not fresh:
            return world
        fresh_state = self.start(1, rule).state.expand(fresh, -1, -1).flatten(0, 1)
        return world.with_state(torch.cat([fresh_state, world.state[len(fresh_state) :]]))

    def losses(self, before: World, after: World) -> Tensor:
        """[B], the mean squared error over the four channels of all pixels."""
        shown = after.state[:, : self.rgba.shape[2]].view(len(after), -1, self.rgba.shape[2])
        return (shown - self.rgba.to(shown).flatten(0, 1)).square().mean((1, 2))

    def metrics(self, before: World, after: World) -> dict[str, Tensor]:
        """The mean error of the batch, and the error of its worst world."""
        errors = self.losses(before, after.with_state(after.state.detach()))
        return {"error": errors.mean(), "worst_error": errors.max()}

    @torch.no_grad()
    def views(self, rule: Rule) -> bytes:
        """A PNG: the pattern at several steps, and the target."""
        world = self.start(1, rule)
        last = STRIP_STEPS[-1]
        moments = dict(enumerate(trajectory(world, rule, last), 1))
        tiles = [decisions_rgb(moments[step], scale=2) for step in STRIP_STEPS]
        wanted = self.rgba.to(world.state).flatten(0, 1)
        shown = world.with_state(torch.cat([wanted, world.state[:, 4:] * 0], 1))
        return png(sheet([*tiles, decisions_rgb(shown, scale=2)], len(tiles) + 1, 6))

    @torch.no_grad()
    def scores(self, rule: Rule) -> dict[str, float]:
        """The mean and the largest error of four worlds at step 96."""
        *_, world = trajectory(self.start(4, rule), rule, SCORED_AT)
        errors = self.losses(world, world)
        return {
            f"error_at_{SCORED_AT}": float(f"{float(errors.mean()):.3g}"),
            f"worst_error_at_{SCORED_AT}": float(f"{float(errors.max()):.3g}"),
        }

    def scored_on(self) -> str:
        """The number of worlds and the step."""
        return f"4 worlds at step {SCORED_AT}"
