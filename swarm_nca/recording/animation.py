"""The run as an animation: the picture beside the cells' decisions, step by step.

Steps soon after a start or a perturbation, when cells change most, are shown slowly and all others
fast; the last frame stays long enough to be read.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from swarm_nca.recording.run import Frame, Run
from swarm_nca.recording.spacetime import Diagram, is_row
from swarm_nca.recording.strip import shrunk, totals
from swarm_nca.render import SILENT, Rgb, decisions_rgb, enlarged, extent, grey_rgb, inked, sheet
from swarm_nca.world import World

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageFont import FreeTypeFont

#: Maximum number of frames of an animation, and its timing in milliseconds.
MOST = 240
_QUICK, _SLOW, _BEFORE, _AFTER, _END = 40, 90, 500, 900, 2600

#: Steps after a start or a perturbation that are all shown, and slowly.
_LIVELY = 24

_MARGIN, _HEAD, _FOOT, _WIDEST, _TALLEST = 18, 40, 62, 720, 900
_INK, _QUIET, _ACCENT, _TRACK = (27, 31, 36), (104, 112, 122), (179, 38, 30), (226, 229, 233)


@dataclass(frozen=True)
class Shot:
    """A frame of the animation, its duration in ms, and its caption."""

    frame: Frame
    stays: int
    caption: str = ""


def animation_webp(run: Run) -> bytes:
    """The run as a WebP that loops.

    One world: its picture beside its decisions, or only the decisions if every pixel is a cell.
    Several worlds: the decisions of up to 100 of them. Worlds of one row are drawn over time.
    """
    shots = shots_of(run)
    painter = _FramePainter(run)
    images = [painter.picture(shot) for shot in shots]
    file = io.BytesIO()
    images[0].save(
        file,
        "webp",
        save_all=True,
        append_images=images[1:],
        duration=[shot.stays for shot in shots],
        loop=0,
        lossless=True,
        # Few key frames and little search: a fifth of the time and a tenth of the size of the
        # encoder's defaults.
        quality=10,
        method=1,
        kmin=100,
        kmax=200,
    )
    return file.getvalue()


def last_frame_png(run: Run) -> bytes:
    """The last frame of the animation as a PNG, for paper."""
    file = io.BytesIO()
    _FramePainter(run).picture(shots_of(run)[-1]).save(file, "png")
    return file.getvalue()


def shots_of(run: Run, most: int = MOST) -> list[Shot]:
    """The frames to show, with durations and captions."""
    frames = list(run.frames)
    acted = [n for n in range(1, len(frames)) if frames[n].step == frames[n - 1].step]
    starts = [0, *acted]
    lively = {
        n
        for start in starts
        for n in range(start, len(frames))
        if frames[n].step - frames[start].step <= _LIVELY
    } | {n - 1 for n in acted}
    if len(lively) > most:  # too many perturbations to show all steps after each
        lively = {0, *acted}
    quiet = [n for n in range(len(frames)) if n not in lively]
    stride = max(1, -(-len(quiet) // max(1, most - len(lively))))
    chosen = sorted(lively | set(quiet[::stride]) | {len(frames) - 1})
    captions = _captions(run, frames, acted)
    return [
        Shot(frames[n], _stays(n, len(frames), acted, n in lively), captions[n]) for n in chosen
    ]


def _stays(n: int, count: int, acted: Sequence[int], lively: bool) -> int:
    if n == count - 1:
        return _END
    crowded = len(acted) > 6
    if n == 0 or n in acted:
        return _SLOW if crowded and n else _AFTER
    if n + 1 in acted:
        return _SLOW if crowded else _BEFORE
    return _SLOW if lively else _QUICK


def _captions(run: Run, frames: Sequence[Frame], acted: Sequence[int]) -> list[str]:
    """Captions that name each perturbation for twice `_LIVELY` steps after it acts."""
    words: dict[int, str] = {}
    for step, kind, what in zip(
        run.events["step"], run.events["kind"], run.events["what"], strict=True
    ):
        text = f"{kind}: {what}" if isinstance(what, str) and what else str(kind)
        words[int(step)] = f"{words[int(step)]}, {text}" if int(step) in words else text
    captions, caption, since = [], "", 0
    for n, frame in enumerate(frames):
        if n in acted:
            caption, since = words.get(frame.step, ""), frame.step
        captions.append(caption if frame.step - since <= 2 * _LIVELY else "")
    return captions


class _FramePainter:
    """Paints frames: the worlds with step, caption, time line and the shares of the classes."""

    def __init__(self, run: Run) -> None:
        self._run = run
        first = run.frames[0].world
        self._shown = min(100, len(first))
        self._alone = len(first) == 1
        self._two = self._alone and inked(first)
        self._rows = [Diagram(run, n) for n in range(self._shown)] if is_row(first) else []
        height, side = map(max, zip(*(extent(first, n) for n in range(self._shown)), strict=True))
        height = len(self._rows[0].steps) if self._rows else height
        tiles = 2 if self._two else self._shown
        # About as wide as high; two pictures are side by side unless they are wide.
        self._columns = max(1, min(tiles, math.ceil(math.sqrt(tiles * 1.01 * height / side))))
        across = (_WIDEST - 2 * _MARGIN) // self._columns - 16
        down = _TALLEST // -(-tiles // self._columns) - 16
        room = min(across / side, down / height)
        self._scale = max(1, min(8, int(room)))
        self._shrink = min(1.0, room)
        self._ends = {int(step) for step in run.events["step"]}
        self._large, self._small = _font(19), _font(14)

    def picture(self, shot: Shot) -> Picture:
        """Paint one shot; all shots have the same size."""
        from PIL import Image, ImageDraw

        worlds = self._worlds(shot.frame)
        height, width = worlds.shape[:2]
        wide = max(width, 380) + 2 * _MARGIN
        paper = np.full((_HEAD + height + _FOOT, wide, 3), 255, np.uint8)
        left = (wide - width) // 2
        paper[_HEAD : _HEAD + height, left : left + width] = worlds
        image = Image.fromarray(paper)
        draw = ImageDraw.Draw(image)
        step = f"step {shot.frame.step}"
        draw.text((_MARGIN, 12), step, _INK, self._large)
        right = wide - _MARGIN
        caption, room = shot.caption, wide - 3 * _MARGIN - draw.textlength(step, self._large)
        while draw.textlength(caption, self._small) > room:
            caption = caption.rstrip("…")[:-1] + "…"
        draw.text((right, 15), caption, _ACCENT, self._small, anchor="ra")
        self._time_line(draw, shot.frame.step, wide, _HEAD + height + 12)
        self._class_shares(draw, shot.frame.world, wide, _HEAD + height + 26)
        return image

    def _worlds(self, frame: Frame) -> Rgb:
        shown, scale, world = range(self._shown), self._scale, frame.world
        above = self._run.shown_above
        if self._rows:
            tiles = [enlarged(diagram.rgb(frame.step), scale) for diagram in self._rows]
        else:
            tiles = [decisions_rgb(world, n, scale=scale, shown_above=above) for n in shown]
        if self._two:
            tiles.insert(0, grey_rgb(world, scale=scale))
        if self._shrink < 1:
            tiles = [shrunk(tile, self._shrink) for tile in tiles]
        if not inked(world):
            tiles = [_edged(tile) for tile in tiles]
        return sheet(tiles, self._columns, 16 if self._alone else 4)

    def _time_line(self, draw: Any, step: int, wide: int, y: int) -> None:
        length, first = wide - 2 * _MARGIN, self._run.first
        steps = max(1, self._run.steps - first)
        draw.rectangle((_MARGIN, y, _MARGIN + length, y + 3), fill=_TRACK)
        draw.rectangle((_MARGIN, y, _MARGIN + length * (step - first) // steps, y + 3), fill=_QUIET)
        for at in self._ends:
            x = _MARGIN + length * (at - first) // steps
            draw.rectangle((x - 1, y - 3, x + 1, y + 6), fill=_ACCENT)

    def _class_shares(self, draw: Any, world: World, wide: int, y: int) -> None:
        """A bar divided by the shares of the classes, with their names in it.

        For rules without classes, a line of text.
        """
        above = self._run.shown_above
        counts = totals(world, above)
        if not world.readout.class_names:
            text = f"{world.readout.caption(counts)}, of {int(counts.sum()):,} cells"
            draw.text((_MARGIN, y + 4), text, _INK, self._small)
            return
        colors = (*world.classes.colors, (0, 0, 0))
        names = (*world.classes.names, SILENT)
        cells, done, length = max(1, int(counts.sum())), 0, wide - 2 * _MARGIN
        for name, color, count in zip(names, colors, counts.tolist(), strict=True):
            start = _MARGIN + length * done // cells
            done += count
            end = _MARGIN + length * done // cells
            if end > start:
                draw.rectangle((start, y, end - 1, y + 21), fill=color)
            if end - start > 8 + 9 * len(name):
                dark = sum(color) > 330
                draw.text(
                    ((start + end) / 2, y + 11), name, _INK if dark else "white", self._small, "mm"
                )


def _edged(tile: Rgb) -> Rgb:
    """A picture whose white outermost pixels are light grey."""
    edged, edge = tile.copy(), (214, 218, 223)
    for line in (edged[0], edged[-1], edged[:, 0], edged[:, -1]):
        line[(line == 255).all(axis=1)] = edge
    return edged


def _font(size: int) -> FreeTypeFont:
    """The typeface of the figures."""
    from pathlib import Path

    import matplotlib
    from PIL import ImageFont

    face = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(face), size)
