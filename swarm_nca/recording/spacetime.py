"""Worlds of one row over time: one row of pixels per step, time runs downwards.

This is the usual picture of elementary automata (Wolfram 1983). A step without a frame shows the
frame before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from swarm_nca.recording.channels import color_bar, diverging
from swarm_nca.recording.paper import ACCENT, FAINT, INK, QUIET, Paper
from swarm_nca.recording.run import Frame, Run
from swarm_nca.recording.strip import shrunk
from swarm_nca.render import Rgb, cells_rgb, decisions_rgb, enlarged, extent
from swarm_nca.world import World

#: Maximum number of rows of a diagram, and maximum height in pixels.
MOST, TALLEST = 1_000, 900

#: Maximum number of channels shown over time, and maximum height of each in pixels.
_CHANNELS, _CHANNEL = 12, 420

#: Space for the numbers of steps at the left, and for the gap below.
_LEFT, _BELOW = 62, 24


def is_row(world: World) -> bool:
    """Whether a world is one row of pixels."""
    return world.space.pictured and len(world) > 0 and extent(world)[0] == 1


class Diagram:
    """One world of a run, one row of pixels per step.

    Args:
        index: of the world in the batch.
        channel: the channel to show; the cells' read-out when None.

    Attributes:
        steps: the step of each row, ascending.
    """

    def __init__(self, run: Run, index: int = 0, channel: int | None = None) -> None:
        first: dict[int, Frame] = {}
        for frame in run.frames:  # at a perturbation, the frame before it
            first.setdefault(frame.step, frame)
        kept = list(first)
        self.steps = _spread(run.first, run.steps)
        drawn = [_line(first[step].world, index, channel, run.shown_above) for step in kept]
        rows = np.searchsorted(kept, self.steps, side="right") - 1
        self._rgb: Rgb = np.concatenate(drawn)[rows]

    def rgb(self, until: int | None = None) -> Rgb:
        """uint8 [rows, W, 3]; the rows after step `until` are white."""
        if until is None:
            return self._rgb
        rgb = self._rgb.copy()
        rgb[self.steps > until] = 255
        return rgb


def _spread(first: int, last: int) -> npt.NDArray[np.int64]:
    """At most `MOST` steps from the first to the last."""
    return np.unique(np.linspace(first, last, min(last - first + 1, MOST)).astype(np.int64))


def _line(world: World, index: int, channel: int | None, above: float) -> Rgb:
    if channel is None:
        return decisions_rgb(world, index, shown_above=above)
    values = world.state[world.rows_of(index), channel].detach().cpu().numpy()
    return cells_rgb(world, diverging(values), index)


@dataclass(frozen=True)
class SpaceTime:
    """A diagram on a sheet `width` pixels wide, used instead of a strip of moments."""

    run: Run
    width: int
    index: int = 0
    channel: int | None = None
    tallest: int = TALLEST

    @cached_property
    def _picture(self) -> Rgb:
        rgb = Diagram(self.run, self.index, self.channel).rgb()
        return fitted(rgb, self.width - _LEFT, self.tallest)

    @property
    def height(self) -> int:
        """Pixels that `draw` needs."""
        return int(self._picture.shape[0]) + _BELOW

    def draw(self, paper: Paper, x: int, y: int) -> None:
        """Draw with the top left corner at (x, y), numbers of steps at the left."""
        tall, wide = self._picture.shape[:2]
        left = x + _LEFT
        paper.picture(left, y, self._picture)
        for down in (0, tall):
            paper.line(left, y + down, left + wide, y + down, color=FAINT)
        first, steps = self.run.first, self.run.steps - self.run.first
        for step in _ticks(steps):
            at = y + (step + 0.5) / (steps + 1) * tall
            paper.line(left - 8, at, left - 2, at, color=QUIET)
            paper.text(left - 14, at + 6, f"{first + step:,}", 7.5, QUIET, "right")
        for step in sorted({int(step) for step in self.run.events["step"]}):
            at = y + (step - first + 1) / (steps + 1) * tall
            paper.line(left, at, left + wide, at, color=ACCENT, width=1)


def row_channels_png(run: Run) -> bytes:
    """The channels of the first world over time, as a PNG file."""
    world = run.frames[0].world
    total, margin, title = world.state.shape[1], 48, 30
    width = 1_200 - 2 * margin
    parts = [
        SpaceTime(run, width, channel=number, tallest=_CHANNEL)
        for number in range(min(total, _CHANNELS))
    ]
    paper = Paper(1_200, 118 + sum(part.height + title for part in parts) + 84)
    paper.text(margin, 46, "States and messages", 15, INK, weight="bold")
    words = f"{run.name}  ·  a cell's message is its whole state; time runs down the page"
    paper.text(margin, 76, words, 9, QUIET)
    y = 104
    for number, part in enumerate(parts):
        name = world.readout.channel_name(number, total)
        paper.text(margin + _LEFT, y + 14, f"channel {number}  {name}", 8, QUIET)
        part.draw(paper, margin, y + title)
        y += part.height + title
    color_bar(paper, paper.height - 58, empty=False)
    return paper.png()


def fitted(rgb: Rgb, width: int, height: int) -> Rgb:
    """A picture enlarged by a whole number, or shrunk, to fit."""
    share = min(width / rgb.shape[1], height / rgb.shape[0])
    return enlarged(rgb, int(share)) if share >= 1 else shrunk(rgb, share)


def _ticks(steps: int) -> list[int]:
    """About six steps at round numbers, the first one included."""
    rough = max(1.0, steps / 6)
    magnitude = 10 ** int(np.log10(rough))
    stride = next(n * magnitude for n in (1, 2, 5, 10) if n * magnitude >= rough)
    return list(range(0, steps + 1, stride))
