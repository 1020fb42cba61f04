"""States and messages: every channel of one world at a few moments, one tile each.

A cell's message is its whole state, so the tiles show both. Values are squashed by the arctangent,
as in the article's internal-state videos: small values stay distinct and large ones stay bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swarm_nca.recording.moments import Moment, moments, verdict
from swarm_nca.recording.paper import ACCENT, INK, QUIET, Paper
from swarm_nca.recording.run import Run
from swarm_nca.recording.strip import shrunk
from swarm_nca.render import Rgb, cells_rgb, decisions_rgb, extent, inked
from swarm_nca.world import World

#: From negative to positive, through white. Colour-blind readers can tell purple and orange apart,
#: and both darken in print. After ColorBrewer's PuOr (Harrower and Brewer 2003).
_PURPLE_TO_ORANGE = (
    (45, 0, 75),
    (84, 39, 136),
    (128, 115, 172),
    (178, 171, 210),
    (247, 247, 247),
    (253, 184, 99),
    (224, 130, 20),
    (179, 88, 6),
    (127, 59, 8),
)

_MARGIN, _HEAD, _FOOT = 48, 118, 84
_TILE, _GAP, _TITLE, _APART = 84, 12, 26, 30

#: Maximum lines of cells averaged in one line of a tile's pixels; larger worlds are sampled.
_SAMPLES = 4

#: Tiles on a line, and the grey of pixels without a cell, which no value has.
_COLUMNS, _EMPTY = 12, 222
_TICKS = (-10.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 10.0)


def diverging(values: npt.NDArray[Any]) -> Rgb:
    """Colours [n, 3] of values [n]: purple below zero, orange above, arctan-squashed."""
    stops = np.array(_PURPLE_TO_ORANGE, dtype=np.float64)
    place = (np.arctan(np.nan_to_num(values)) / np.pi + 0.5) * (len(stops) - 1)
    parts = [np.interp(place, np.arange(len(stops)), part) for part in stops.T]
    return np.stack(parts, axis=-1).round().astype(np.uint8)


@dataclass(frozen=True)
class _Layout:
    """The layout: decisions at the left, free and class channels on lines beside them."""

    titles: tuple[tuple[str, ...], ...]
    scale: float
    rows: int
    columns: int

    @classmethod
    def of(cls, world: World) -> _Layout:
        rows, columns = extent(world)
        wide = 2 if columns > 2 * rows else 1  # wide worlds: half as many tiles, twice as wide
        most = _COLUMNS // wide
        lines = [
            titles[n : n + most] for titles in _titles(world) for n in range(0, len(titles), most)
        ]
        scale = _TILE * wide / max(rows, columns)
        return cls(tuple(lines), float(int(scale)) if scale >= 1 else scale, rows, columns)

    @property
    def tile(self) -> tuple[int, int]:
        return round(self.rows * self.scale), round(self.columns * self.scale)

    @property
    def left(self) -> int:
        return _MARGIN + 2 * self.tile[1] + _APART

    @property
    def width(self) -> int:
        pitch = self.tile[1] + _GAP
        return max(900, self.left + max(map(len, self.titles)) * pitch + _MARGIN)

    @property
    def block(self) -> int:
        lines = len(self.titles) * (self.tile[0] + _TITLE + 4)
        return max(lines, 2 * self.tile[0] + 2 * _TITLE) + _APART


def _titles(world: World) -> list[tuple[str, ...]]:
    """The channels' titles in order; read-out channels have their own lines."""
    total, readout = world.state.shape[1], world.readout
    read, names = readout.channels(total), readout.channel_names
    if readout.class_names and len(names[0]) < 4:
        names = (f"class {names[0]}", *names[1:])
    numbers = [str(n) for n in range(total)]
    before, after = numbers[: read.start], numbers[read.stop :]
    for free in (before, after):
        free[:1] = [f"channel {number}" for number in free[:1]]
    return [titles for titles in (tuple(before), names, tuple(after)) if titles]


def channels_png(run: Run) -> bytes:
    """All channels of the first world at up to five moments, as a PNG file."""
    shown = _shown_moments(run)
    world = shown[0].frame.world
    if world.state.shape[1] == 1:
        return _single(run, shown)
    layout = _Layout.of(world)
    paper = Paper(layout.width, _HEAD + len(shown) * layout.block + _FOOT)
    many = f", world 1 of {len(world)}" if len(world) > 1 else ""
    paper.text(_MARGIN, 46, "States and messages", 15, INK, weight="bold")
    words = f"{run.name}{many}  ·  a cell's message is its whole state; one tile per channel"
    paper.text(_MARGIN, 76, words, 9, QUIET)
    for number, moment in enumerate(shown):
        top = _HEAD + number * layout.block
        _decisions(paper, run, moment, top, layout)
        _channels(paper, moment.frame.world, top, layout)
    color_bar(paper, paper.height - _FOOT + 26, empty=inked(world))
    return paper.png()


def _single(run: Run, shown: Sequence[Moment]) -> bytes:
    """States of one channel: the moments side by side."""
    rows, columns = extent(shown[0].frame.world)
    room = 204
    share = room / max(rows, columns)
    scale = float(int(share)) if share >= 1 else share
    high = round(rows * scale)
    paper = Paper(2 * _MARGIN + 5 * (room + 2 * _GAP), _HEAD + 60 + high + _FOOT)
    paper.text(_MARGIN, 46, "States and messages", 15, INK, weight="bold")
    words = f"{run.name}  ·  a cell's message is its state of one channel"
    paper.text(_MARGIN, 76, words, 9, QUIET)
    for number, moment in enumerate(shown):
        x, world = _MARGIN + number * (room + 2 * _GAP), moment.frame.world
        paper.text(x, _HEAD + 18, f"step {moment.frame.step}", 9, INK, weight="bold")
        after = f"after {moment.after}" if moment.after else verdict(world, 0, run.shown_above)
        paper.text(x, _HEAD + 38, after, 8, ACCENT if moment.after else QUIET)
        values = world.state[world.rows_of(0), 0].detach().cpu().numpy()
        whole = max(1, int(scale))
        tile = cells_rgb(world, diverging(values), scale=whole, behind=_EMPTY)
        paper.picture(x, _HEAD + 50, tile if scale >= 1 else shrunk(tile, scale))
    color_bar(paper, paper.height - _FOOT + 26, empty=inked(shown[0].frame.world))
    return paper.png()


def _shown_moments(run: Run) -> Sequence[Moment]:
    """Up to five moments, without the start, where all states are equal."""
    found = moments(run, most=6)
    return found[1:] if len(found) > 1 else found


def _decisions(paper: Paper, run: Run, moment: Moment, top: int, layout: _Layout) -> None:
    world, scale = moment.frame.world, 2 * layout.scale
    words = f"step {moment.frame.step}"
    paper.text(_MARGIN, top + 18, words, 9, INK, weight="bold")
    label = f"after {moment.after}" if moment.after else verdict(world, 0, run.shown_above)
    paper.text(_MARGIN, top + 38, label, 8, ACCENT if moment.after else QUIET)
    tile = decisions_rgb(world, scale=max(1, int(scale)), shown_above=run.shown_above)
    paper.picture(_MARGIN, top + 46, tile if scale >= 1 else shrunk(tile, scale))


def _channels(paper: Paper, world: World, top: int, layout: _Layout) -> None:
    scale, whole = layout.scale, max(1, int(layout.scale))
    every = max(1, int(1 / (_SAMPLES * scale))) if world.space.pictured else 1
    rows, places = _sample(world, every)
    sampled = [-(-side // every) for side in extent(world)]
    values = iter(world.state[rows].detach().cpu().numpy().T)
    height, width = layout.tile
    for line, titles in enumerate(layout.titles):
        y = top + line * (height + _TITLE + 4)
        for column, title in enumerate(titles):
            x = layout.left + column * (width + _GAP)
            paper.text(x + width / 2, y + 18, title[: (width + _GAP) // 8], 7.5, QUIET, "center")
            colors = diverging(next(values))
            if every > 1:
                tile = np.full((*sampled, 3), _EMPTY, np.uint8)
                tile[places] = colors
            else:
                tile = cells_rgb(world, colors, scale=whole, behind=_EMPTY)
            paper.picture(x, y + _TITLE, tile if scale >= 1 else shrunk(tile, scale * every))


def _sample(
    world: World, every: int
) -> tuple[Tensor, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """The cells of the first world on each `every`-th line and column of its picture.

    Returns:
        Their rows, int64 [n], and their indices among those lines and columns, int64 [n] each.
    """
    rows = torch.arange(int(world.counts[0]), device=world.address.device)
    site, columns = world.address[rows], extent(world)[1]
    line, column = site // columns, site % columns
    taken = (line % every == 0) & (column % every == 0)
    line, column = line[taken] // every, column[taken] // every
    return rows[taken], (line.cpu().numpy(), column.cpu().numpy())


def color_bar(paper: Paper, top: int, *, empty: bool) -> None:
    """The scale of the colours.

    Args:
        empty: whether there are pixels without a cell.
    """
    left, length = _MARGIN + 70, 560
    span = np.tan(np.linspace(-0.5, 0.5, length) * np.pi * 0.999)
    paper.picture(left, top, np.repeat(diverging(span)[None], 16, axis=0))
    paper.text(_MARGIN, top + 14, "value", 8, QUIET)
    for value in _TICKS:
        at = left + (np.arctan(value) / np.pi + 0.5) * length
        paper.line(at, top + 16, at, top + 22, color=QUIET)
        label = "0" if value == 0 else f"{value:+g}".replace("-", "−")
        paper.text(at, top + 40, label, 7.5, QUIET, "center")
    if not empty:
        return
    paper.picture(left + length + 60, top, np.full((16, 16, 3), _EMPTY, np.uint8))
    paper.text(left + length + 86, top + 14, "no cell here", 8, QUIET)
