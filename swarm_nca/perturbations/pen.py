"""The base class of `Draw` and `Erase`: a pen that follows a line or the strokes of a character."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
import torch
from annotated_types import Gt, Le, MaxLen
from torch import Tensor

from swarm_nca.bounds import MOST_POINTS, Index, Number, Positive
from swarm_nca.images.raster import segment_coverage
from swarm_nca.images.strokes import INK_SOFTNESS, glyph_strokes
from swarm_nca.perturbations.area import extent
from swarm_nca.perturbations.perturbation import Perturbation, labels, relabeled
from swarm_nca.world import World

#: (row, column) points of a line, one or more.
Points: TypeAlias = Annotated[tuple[tuple[Number, Number], ...], MaxLen(MOST_POINTS)]


@dataclass(frozen=True, kw_only=True)
class Pen(Perturbation):
    """Changes grey along a line; `of` says how.

    Attributes:
        points: the (row, column) points of the line; one point makes a dot.
        glyph: instead of points, a digit or letter, drawn in the middle of the canvas.
        stroke: the stroke of the glyph, counted from 0 in writing order; all strokes when None.
        radius: radius of the round tip in pixels, above 0.
        strength: the change of fully covered pixels, in (0, 1].
        label: the new label, by number (−1: unknown) or name; unchanged when None.
    """

    points: Points | None = None
    glyph: int | str | None = None
    stroke: Index | None = None
    radius: Positive
    strength: Annotated[float, Gt(0.0), Le(1.0)] = 1.0
    label: int | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.points is None) == (self.glyph is None):
            raise ValueError(
                "a pen follows either points, [[row, column], …], or a glyph such as 7"
            )
        if self.stroke is not None and self.glyph is None:
            raise ValueError(
                "stroke counts the strokes of a glyph; give a glyph, or leave out stroke"
            )
        if self.points is not None and not len(self.points):
            raise ValueError("points must hold at least one [row, column], got none")

    @abstractmethod
    def of(self, alone: World, sites: Tensor, share: Tensor) -> World:
        """A single world with the grey of these pixels changed.

        Args:
            sites: int64 [n], the covered pixels.
            share: [n], how much of each is covered, times `strength`.
        """

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds with grey changed along the line; see `Perturbation.__call__`."""
        return self.one_by_one(world, self._along)

    def what(self, before: World, after: World) -> str:
        """The line, and the label if it changed."""
        if self.glyph is not None:
            line = (
                f"{self.glyph}" if self.stroke is None else f"stroke {self.stroke} of {self.glyph}"
            )
        else:
            line = f"a line of {len(self.points or ())} points"
        changed = labels(before) != labels(after)
        return f"{line}, {labels(before)} → {labels(after)}" if changed else line

    def _along(self, alone: World, _: int) -> World:
        sites, share = self._coverage(alone)
        return relabeled(self.of(alone, sites, share * self.strength), self.label)

    def _coverage(self, alone: World) -> tuple[Tensor, Tensor]:
        """The covered pixels of a single world, int64 [n], and the covered share of each [n]."""
        rows, columns = alone.picture().shape
        if self.glyph is not None:
            lines = _strokes(self.glyph, self.stroke, (rows, columns), self.radius)
        else:
            lines = [np.asarray(self.points, np.float64)]
        covered = np.zeros((rows, columns), np.float32)
        for line in lines:
            row, column, share = segment_coverage(line, self.radius, (rows, columns), INK_SOFTNESS)
            covered[row, column] = np.maximum(covered[row, column], share)
        sites = covered.reshape(-1).nonzero()[0]
        if not len(sites):
            raise ValueError(f"the line misses {extent(alone)}")
        grey = alone.canvas.grey
        amount = torch.from_numpy(covered.reshape(-1)[sites])
        return torch.from_numpy(sites).to(grey.device), amount.to(grey.device, grey.dtype)


def _strokes(
    glyph: int | str, stroke: int | None, shape: tuple[int, int], radius: float
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """The strokes of a character in MNIST's proportions, in the middle of the canvas."""
    side = min(shape)
    written = glyph_strokes(str(glyph), size=side, box=side * 20 / 28, thickness=2 * radius)
    if stroke is not None and not 0 <= stroke < len(written):
        raise ValueError(f"stroke must be 0 to {len(written) - 1} for '{glyph}', got {stroke}")
    chosen = written if stroke is None else [written[stroke]]
    corner = np.array([(length - side) // 2 for length in shape])
    return [line + corner for line in chosen]
