"""The strip: one world at several moments, side by side, with steps and verdicts as text.

The verdict is text because ten colours are hard to tell apart, most of all for colour-blind
readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from swarm_nca.recording.moments import Moment, verdict
from swarm_nca.recording.paper import ACCENT, INK, QUIET, Paper
from swarm_nca.render import SILENT, Rgb, decisions_rgb, extent, inked, tally
from swarm_nca.world import World

_ABOVE, _BELOW, _BETWEEN = 46, 34, 10

#: Worlds wider than this many cells get tiles twice as wide, on two lines.
_LARGE = 120

#: The same for worlds in which every pixel is a cell: there single pixels matter.
_LARGE_BOARD = 48

#: Maximum height of a tile in pixels.
_TALLEST = 900


@dataclass(frozen=True)
class Strip:
    """One world's moments, laid out on lines `width` pixels wide.

    `index`: of the world in the batch. `captions`: draw step and event above every tile.
    """

    moments: Sequence[Moment]
    width: int
    index: int = 0
    shown_above: float = 0.01
    captions: bool = True

    @property
    def columns(self) -> int:
        """Moments on a line."""
        return min(len(self.moments), self._places)

    @property
    def height(self) -> int:
        """Pixels that `draw` needs."""
        lines = -(-len(self.moments) // self.columns)
        return lines * self._line

    def draw(self, paper: Paper, x: int, y: int) -> None:
        """Draw with the top left corner at (x, y)."""
        tile_height, tile_width = self._tile
        pitch = tile_width + (self.width - self._places * tile_width) / max(1, self._places - 1)
        for number, moment in enumerate(self.moments):
            line, column = divmod(number, self.columns)
            left, top = round(x + column * pitch), y + line * self._line
            middle = left + tile_width / 2
            if moment.after and column:
                at = left - (pitch - tile_width) / 2
                paper.line(at, top, at, top + self._line - _BETWEEN, color=ACCENT, width=1)
            if self.captions:
                self._head(paper, moment, middle, top, pitch)
                top += _ABOVE
            tile = self._drawn(moment.frame.world)
            shift = (tile_width - tile.shape[1]) // 2
            place = left + shift, top + (tile_height - tile.shape[0]) // 2
            paper.picture(*place, tile)
            if not inked(moment.frame.world):
                paper.frame(*place, tile)
            words = verdict(moment.frame.world, self.index, self.shown_above)
            weight = "normal" if words == SILENT else "bold"
            size = _fitting(words, pitch)
            below = top + tile_height + _BELOW - 10
            paper.text(middle, below, words, size, INK, "center", weight=weight)

    def _head(self, paper: Paper, moment: Moment, middle: float, top: float, room: float) -> None:
        color = ACCENT if moment.after else QUIET
        words = moment.after or ("start" if moment.frame.step == 0 else "")
        paper.text(middle, top + 15, words, _fitting(words, room, 7), color, "center")
        paper.text(middle, top + 36, f"step {moment.frame.step}", 8.5, INK, "center")

    def _drawn(self, world: World) -> Rgb:
        scale = self._scale
        whole = max(1, int(scale))
        tile = decisions_rgb(world, self.index, scale=whole, shown_above=self.shown_above)
        return tile if scale >= 1 else shrunk(tile, scale)

    @property
    def _extent(self) -> tuple[int, int]:
        sizes = [extent(moment.frame.world, self.index) for moment in self.moments]
        return max(rows for rows, _ in sizes), max(columns for _, columns in sizes)

    @property
    def _places(self) -> int:
        """Tiles per line: fewer for worlds that are wide or large."""
        rows, columns = self._extent
        inky = inked(self.moments[0].frame.world)
        most = 10 if columns <= (_LARGE if inky else _LARGE_BOARD) else 5
        most = max(2, min(most, round(most * 1.4 * rows / columns)))
        lines = -(-len(self.moments) // most)
        return most if lines == 1 else -(-len(self.moments) // lines)

    @property
    def _scale(self) -> float:
        """Pixels per cell: a whole number, or less than one for worlds larger than a tile."""
        room = (self.width - (self._places - 1) * 12) / self._places
        rows, columns = self._extent
        scale = min(room / columns, _TALLEST / rows)
        return float(int(scale)) if scale >= 1 else scale

    @property
    def _tile(self) -> tuple[int, int]:
        rows, columns = self._extent
        return round(rows * self._scale), round(columns * self._scale)

    @property
    def _line(self) -> int:
        return (_ABOVE if self.captions else 0) + self._tile[0] + _BETWEEN + _BELOW


def _fitting(words: str, room: float, size: float = 8) -> float:
    """A size of type in points at which bold words fit into `room` pixels."""
    return size * min(1.0, (room - 8) / (1.23 * size * max(1, len(words))))


def draw_legend(
    paper: Paper,
    x: int,
    baseline: int,
    world: World,
    shown_above: float,
    words: str = "",
    before: Sequence[World] = (),
) -> None:
    """A line with every class shown in these worlds: colour, name, number of cells.

    The line starts with `words`. Classes are sorted by falling number of cells; classes shown only
    in the worlds of `before` come last, without a number. For rules without classes, the read-out's
    caption.
    """
    counts = totals(world, shown_above)
    if not world.readout.class_names:
        text = f"{words}:  " if words else ""
        text += f"{world.readout.caption(counts)}, of {int(counts.sum()):,} cells"
        paper.text(x, baseline, text, 8, QUIET)
        return
    ever = sum((totals(earlier, shown_above) for earlier in before), counts)
    names, colors = (*world.classes.names, SILENT), (*world.classes.colors, (0, 0, 0))
    entries = [(int(counts[n]), names[n], colors[n]) for n in ever.nonzero()[0]]
    entries.sort(key=lambda entry: -entry[0])
    paper.text(x, baseline, words, 8, QUIET)
    x += round(9.6 * len(words)) + 16 * bool(words)
    for count, name, color in entries:
        label = f"{name}: {count:,}" if count else name
        wide = 26 + round(9.4 * len(label))
        if x + wide > paper.width - 24:
            paper.text(x, baseline, "…", 8, QUIET)
            break
        paper.chip(x, baseline - 15, 17, color)
        paper.text(x + 25, baseline, label, 8, INK)
        x += wide + 20


def totals(world: World, shown_above: float) -> npt.NDArray[np.int64]:
    """int64 [classes + 1], cells of all worlds that show each class; silent cells last."""
    counts = [tally(world, index, shown_above) for index in range(len(world))]
    return np.asarray(np.stack(counts).sum(axis=0))


def shrunk(rgb: Rgb, share: float) -> Rgb:
    """A picture made smaller; each pixel is the mean of the pixels it replaces."""
    from PIL import Image

    size = (max(1, round(rgb.shape[1] * share)), max(1, round(rgb.shape[0] * share)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))
