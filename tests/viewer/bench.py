"""Measures the viewer's speed and memory on this machine beside the values it promises.

No window is opened: a frame is one step with all its effects, and the whole picture painted on a
surface, as in `window` without the display. To measure, and optionally write the numbers to a file
in a folder that exists:

    python -m tests.viewer.bench [FILE.json]
"""

from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeAlias

from pygame import Surface
from rich.console import Console

from swarm_nca.measure.tables import as_table
from swarm_nca.measure.writing import check_json, write_json
from swarm_nca.perturbations import Draw
from swarm_nca.threads import threads
from swarm_nca.viewer.app import App
from swarm_nca.viewer.session_config import from_rule

from .story import Visitor

Row: TypeAlias = dict[str, float]


class Extent(NamedTuple):
    """The amount of measurements.

    Attributes:
        scenes: side of the canvas, whether a cell is inspected, and promised frames per second.
        seconds: per scene.
        warm: untimed frames at first.
        side: of the full canvas.
        segments: drawn on the full canvas.
        steps: taken on the full canvas, to go back.
        frames: during which memory is measured.
    """

    scenes: tuple[tuple[int, bool, float], ...] = (
        (28, False, 120.0),
        (56, True, 60.0),
        (140, False, 45.0),
    )
    seconds: float = 4.0
    warm: int = 20
    side: int = 140
    segments: int = 60
    steps: int = 2_000
    frames: int = 2_000


#: The machine for which the promises are made.
FULL = Extent()

#: Maximum milliseconds for a segment of a stroke, and megabytes to go back 2,000 steps.
_SEGMENT_MS, _REWIND_MB = 5.0, 200.0

_FRAMES = {
    "canvas": "{side:.0f} × {side:.0f}",
    "cells": "{cells:,.0f}",
    "inspected": "{inspected:.0f}",
    "frames / s": "{per_second:,.0f}",
    "undisturbed": "{undisturbed:,.0f}",
    "wanted": "≥ {bar:.0f}",
}
_STROKE = {
    "cells": "{cells:,.0f}",
    "a segment": "{ms:.2f} ms",
    "wanted": "≤ {bar:.0f} ms",
    "and its frame": "{frame_ms:.1f} ms",
}
_REWIND = {
    "cells": "{cells:,.0f}",
    "steps": "{steps:,.0f}",
    "kept": "{mb:,.0f} MB",
    "wanted": "≤ {bar:.0f} MB",
    "back by half": "{seek_ms:,.0f} ms",
}
_MEMORY = {
    "frames": "{frames:,.0f}",
    "at first": "{first_mb:,.1f} MB",
    "after a half": "{half_mb:,.1f} MB",
    "at last": "{last_mb:,.1f} MB",
    "moments kept": "{kept_mb:,.1f} MB",
}


def viewer_bench(
    rule: str = "digits",
    json_file: Path | None = None,
    extent: Extent = FULL,
    console: Console | None = None,
) -> dict[str, Any]:
    """Measure, print the tables, write the JSON.

    Args:
        rule: of the session.
        json_file: where to write the numbers, atomically; its folder must exist.
        extent: how much is measured.
        console: where the tables go; the terminal when None.

    Raises:
        ValueError: no such rule, or a folder that does not exist.
    """
    console = console or Console()
    check_json(json_file)
    with threads(1):  # as in the window
        with console.status("frames"):
            rates = [frame_rate(rule, *scene, extent) for scene in extent.scenes]
        console.print(as_table("Frames, a step in each", _FRAMES, rates))
        with console.status("strokes"):
            stroke = stroke_cost(rule, extent)
        console.print(as_table("Drawing on a full canvas", _STROKE, [stroke]))
        with console.status("rewinding"):
            rewind = rewind_cost(rule, extent)
        console.print(as_table("Going back on a full canvas", _REWIND, [rewind]))
        with console.status("memory"):
            memory = memory_over(rule, extent.frames)
    if memory is not None:
        console.print(as_table("Memory of the process, frame by frame", _MEMORY, [memory]))
    numbers = {"frames": rates, "stroke": stroke, "rewind": rewind, "memory": memory}
    write_json(json_file, numbers)
    return numbers


def frame_rate(rule: str, side: int, inspected: bool, bar: float, extent: Extent) -> Row:
    """Frames per second with one step per frame, from the median frame; large canvases are filled.

    `undisturbed` uses processor time: the rate if nothing else ran.
    """
    app, surface = _app(rule, side)
    if side > 28:
        app.fill()
    if inspected:
        row, column = app.session.world.position[0].tolist()
        app.question((row, column))
    for _ in range(extent.warm):
        _frame(app, surface)
    spent: list[float] = []
    worked, until = time.process_time(), time.perf_counter() + extent.seconds
    while len(spent) < extent.warm or time.perf_counter() < until:
        began = time.perf_counter()
        _frame(app, surface)
        spent.append(time.perf_counter() - began)
    worked = time.process_time() - worked
    return {
        "side": side,
        "cells": app.session.world.cells,
        "inspected": inspected,
        "per_second": 1 / median(spent),
        "undisturbed": len(spent) / worked,
        "bar": bar,
    }


def stroke_cost(rule: str, extent: Extent) -> Row:
    """The cost of a segment drawn by mouse on a full canvas, and of the frame that shows it."""
    app, surface = _full(rule, extent.side)
    visitor = Visitor(app)
    places = [visitor.place(i % 23, 2 * i % 27) for i in range(extent.segments + 1)]
    visitor.press(places[0])
    drawing, frames = [], []
    for place in places[1:]:
        began = time.perf_counter()
        visitor.move(place)
        app.input.flush()
        drawn = time.perf_counter()
        _frame(app, surface)
        drawing.append(drawn - began)
        frames.append(time.perf_counter() - began)
    visitor.release()
    return {
        "cells": app.session.world.cells,
        "ms": 1e3 * median(drawing),
        "frame_ms": 1e3 * median(frames),
        "bar": _SEGMENT_MS,
    }


def rewind_cost(rule: str, extent: Extent) -> Row:
    """Bytes kept for `extent.steps` steps of a full canvas, and the time to go half the way back.

    No picture is painted.
    """
    (app, _), steps = _full(rule, extent.side), extent.steps
    for _ in range(steps):
        app.session.advance()
    began = time.perf_counter()
    app.seek(steps // 2 + 1)
    return {
        "cells": app.session.world.cells,
        "steps": steps,
        "mb": app.session.kept_bytes / 1e6,
        "seek_ms": 1e3 * (time.perf_counter() - began),
        "bar": _REWIND_MB,
    }


def memory_over(rule: str, frames: int) -> Row | None:
    """The process's memory while a digit is shown; None on systems other than Linux.

    First read after a tenth of the frames, when everything is loaded. The window is small, to allow
    many frames: pixels would not accumulate.
    """
    app, surface = _app(rule, 28, (640, 360))
    row, column = app.session.world.position[0].tolist()
    app.question((row, column))
    marks = {frames // 10: 0.0, frames // 2: 0.0, frames: 0.0}
    for number in range(1, frames + 1):
        _frame(app, surface)
        if number in marks:
            held = _resident()
            if held is None:
                return None
            marks[number] = held / 1e6
    first, half, last = marks.values()
    return {
        "frames": frames,
        "first_mb": first,
        "half_mb": half,
        "last_mb": last,
        "kept_mb": app.session.kept_bytes / 1e6,
    }


def _app(rule: str, side: int, size: tuple[int, int] = (1280, 720)) -> tuple[App, Surface]:
    app = App(from_rule(rule, side), size)
    app.speed = app.SPEEDS.index(60.0)
    return app, Surface(app.layout.window.size)


def _full(rule: str, side: int) -> tuple[App, Surface]:
    """A canvas on which every pixel is alive."""
    app, surface = _app(rule, side)
    app.edit(Draw(points=((side / 2, side / 2),), radius=2.0 * side))
    return app, surface


def _frame(app: App, surface: Surface) -> None:
    app.tick(1 / 60)
    app.draw(surface)


def _resident() -> int | None:
    """Resident bytes of this process on Linux; None elsewhere."""
    statm = Path("/proc/self/statm")
    pages = int(statm.read_text().split()[1]) if statm.is_file() else None
    return None if pages is None else pages * mmap.PAGESIZE


if __name__ == "__main__":
    viewer_bench(json_file=Path(sys.argv[1]) if len(sys.argv) > 1 else None)
