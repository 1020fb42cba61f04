"""Transforms: the picture moves, turns or changes its shape under a living swarm.

Cells stay where they are and keep what they hold wherever the new picture is alive too; newborn
cells hold zeros. Each kind maps the grey picture [H, W] of a world to another one on the same
canvas; what leaves the canvas is lost.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from swarm_nca.bounds import LONGEST_SIDE, Number
from swarm_nca.images import compose
from swarm_nca.images.files import resized
from swarm_nca.images.pictures import Grey
from swarm_nca.perturbations.perturbation import Perturbation, relabeled
from swarm_nca.world import World

#: Pixels along an axis.
Distance = Annotated[float, Ge(-float(LONGEST_SIDE)), Le(float(LONGEST_SIDE))]

#: How many times as large.
Factor = Annotated[float, Gt(0.0), Le(16.0)]

#: Pixels by which strokes become wider or thinner.
Width = Annotated[float, Gt(0.0), Le(8.0)]


@dataclass(frozen=True, kw_only=True)
class Transform(Perturbation):
    """What all transforms share.

    Attributes:
        label: what the cells should agree on from then on, by number (−1: unknown) or name; as
            before when None.
    """

    label: int | str | None = None

    @abstractmethod
    def grey(self, picture: Grey) -> Grey:
        """The picture after it, of any size: its middle comes to the canvas's middle."""

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds on their transformed pictures; see `Perturbation.__call__`."""

        def transformed(alone: World, _: int) -> World:
            before = alone.picture().cpu().numpy().astype(np.float32)
            after = _in_the_middle(self.grey(before), before.shape)
            return relabeled(alone.repictured([after], alone.label), self.label)

        return self.one_by_one(world, transformed)


@dataclass(frozen=True, kw_only=True)
class Translate(Transform):
    """Moves the picture by `by`, (rows down, columns right), whole pixels or not."""

    kind: Literal["translate"] = field(default="translate", repr=False)
    by: tuple[Distance, Distance]

    def grey(self, picture: Grey) -> Grey:
        """See `Transform.grey`."""
        return compose.shift(picture, self.by)

    def what(self, before: World, after: World) -> str:
        """How far."""
        return f"by {self.by[0]:g} rows, {self.by[1]:g} columns"


@dataclass(frozen=True, kw_only=True)
class Rotate(Transform):
    """Turns the picture anticlockwise about its middle by `degrees`."""

    kind: Literal["rotate"] = field(default="rotate", repr=False)
    degrees: Number

    def grey(self, picture: Grey) -> Grey:
        """See `Transform.grey`."""
        return compose.rotate(picture, self.degrees)

    def what(self, before: World, after: World) -> str:
        """How far."""
        return f"by {self.degrees:g}°"


@dataclass(frozen=True, kw_only=True)
class Scale(Transform):
    """Scales the picture by `factor`, at most 16, about its middle."""

    kind: Literal["scale"] = field(default="scale", repr=False)
    factor: Factor

    def grey(self, picture: Grey) -> Grey:
        """See `Transform.grey`."""
        return _resized(picture, self.factor, self.factor)

    def what(self, before: World, after: World) -> str:
        """How large."""
        return f"× {self.factor:g}"


@dataclass(frozen=True, kw_only=True)
class Stretch(Transform):
    """Scales height and width by `by` (rows, columns), about the middle."""

    kind: Literal["stretch"] = field(default="stretch", repr=False)
    by: tuple[Factor, Factor]

    def grey(self, picture: Grey) -> Grey:
        """See `Transform.grey`."""
        return _resized(picture, *self.by)

    def what(self, before: World, after: World) -> str:
        """How high and how wide."""
        return f"height × {self.by[0]:g}, width × {self.by[1]:g}"


@dataclass(frozen=True, kw_only=True)
class Thicken(Transform):
    """Makes strokes wider by about `width` pixels."""

    kind: Literal["thicken"] = field(default="thicken", repr=False)
    width: Width = 1.0

    def grey(self, picture: Grey) -> Grey:
        """See `Transform.grey`."""
        return compose.thickness(picture, self.width)

    def what(self, before: World, after: World) -> str:
        """By how much."""
        return f"by {self.width:g} px"


@dataclass(frozen=True, kw_only=True)
class Thin(Transform):
    """Makes strokes thinner by about `width` pixels; thinner ones vanish."""

    kind: Literal["thin"] = field(default="thin", repr=False)
    width: Width = 1.0

    def grey(self, picture: Grey) -> Grey:
        """See `Transform.grey`."""
        return compose.thickness(picture, -self.width)

    def what(self, before: World, after: World) -> str:
        """By how much."""
        return f"by {self.width:g} px"


@dataclass(frozen=True, kw_only=True)
class Invert(Transform):
    """Exchanges ink and background: 1 − grey."""

    kind: Literal["invert"] = field(default="invert", repr=False)

    def grey(self, picture: Grey) -> Grey:
        """See `Transform.grey`."""
        return np.float32(1) - picture


def _resized(picture: Grey, rows: float, columns: float) -> Grey:
    height, width = picture.shape
    return resized(picture, (max(1, round(height * rows)), max(1, round(width * columns))))


def _in_the_middle(grey: Grey, shape: tuple[int, ...]) -> Grey:
    """[H, W]: cut at its edges, or padded with background, the same at opposite sides."""
    for axis, wanted in enumerate(shape):
        surplus = grey.shape[axis] - wanted
        if surplus > 0:
            grey = grey.take(range(surplus // 2, surplus // 2 + wanted), axis)
        elif surplus < 0:
            before = -surplus // 2
            pads = [(0, 0), (0, 0)]
            pads[axis] = (before, -surplus - before)
            grey = np.pad(grey, pads)
    return np.clip(grey, 0.0, 1.0)
