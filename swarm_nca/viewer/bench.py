"""How fast the viewer is on this machine, and how much it holds, beside what it promises.

No window is opened: a frame is one step, everything that follows from it, and the whole picture
painted on a surface, as `window` does it before the screen takes over.
"""

from __future__ import annotations

import mmap
import time
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from pygame import Surface
from rich.console import Console

from swarm_nca.cores import threads
from swarm_nca.measure.tables import as_table
from swarm_nca.measure.writing import check_json, write_json
from swarm_nca.perturbations import Draw
from swarm_nca.viewer.app import App
from swarm_nca.viewer.opening import from_rule
from swarm_nca.viewer.story import Visitor

Row: TypeAlias = dict[str, float]

#: Sides of the canvas, whether a cell is inspected there, and frames per second that are promised.
_SCENES = ((28, False, 120.0), (56, True, 60.0), (140, False, 45.0))

#: Frames before any is timed, the full canvas's side, and the segments drawn there.
_WARM, _SIDE, _SEGMENTS = 20, 140, 60

#: Milliseconds for a segment of a stroke, and megabytes to go back 2,000 steps, at most.
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
    *,
    frames: int = 2_000,
    steps: int = 2_000,
    seconds: float = 4.0,
    console: Console | None = None,
) -> dict[str, Any]:
    """Measure, print the tables, write the JSON.

    Args:
        rule: that the viewer opens with.
        json_file: where to write the numbers, atomically; its folder must exist.
        frames: over which memory is watched.
        steps: that are gone back.
        seconds: for each frame rate.

    Raises:
        ValueError: no such rule, or a folder that does not exist.
    """
    console = console or Console()
    check_json(json_file)
    with threads(1):  # as the window has it
        with console.status("frames"):
            rates = [frame_rate(rule, *scene, seconds=seconds) for scene in _SCENES]
        console.print(as_table("Frames, a step in each", _FRAMES, rates))
        with console.status("strokes"):
            stroke = stroke_cost(rule)
        console.print(as_table("Drawing on a full canvas", _STROKE, [stroke]))
        with console.status("rewinding"):
            rewind = rewind_cost(rule, steps)
        console.print(as_table("Going back on a full canvas", _REWIND, [rewind]))
        with console.status("memory"):
            memory = memory_over(rule, frames)
    if memory is not None:
        console.print(as_table("Memory of the process, frame by frame", _MEMORY, [memory]))
    numbers = {"frames": rates, "stroke": stroke, "rewind": rewind, "memory": memory}
    write_json(json_file, numbers)
    return numbers


def frame_rate(rule: str, side: int, inspected: bool, bar: float, *, seconds: float) -> Row:
    """Frames per second with a step in each, by the median frame; large canvases are filled.

    `undisturbed` goes by the processor's time alone: what it would be if nothing else ran.
    """
    app, surface = _app(rule, side)
    if side > 28:
        app.fill()
    if inspected:
        row, column = app.session.world.position[0].tolist()
        app.question((row, column))
    for _ in range(_WARM):
        _frame(app, surface)
    spent: list[float] = []
    worked, until = time.process_time(), time.perf_counter() + seconds
    while len(spent) < _WARM or time.perf_counter() < until:
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


def stroke_cost(rule: str) -> Row:
    """A segment drawn by mouse where every pixel lives, and the frame it is seen in."""
    app, surface = _full(rule)
    visitor = Visitor(app)
    places = [visitor.place(i % 23, 2 * i % 27) for i in range(_SEGMENTS + 1)]
    visitor.press(places[0])
    drawing, frames = [], []
    for place in places[1:]:
        began = time.perf_counter()
        visitor.move(place)
        app.hand.flush()
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


def rewind_cost(rule: str, steps: int) -> Row:
    """What is kept of so many steps where every pixel lives, and how long half the way back takes.

    No picture of them is painted.
    """
    app, _ = _full(rule)
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
    """The process's memory while a digit is watched; None where the system does not tell.

    It is read first once everything is in place, after a tenth of the frames. The window is small:
    many frames are wanted, and it is not pixels that would pile up.
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


def _full(rule: str) -> tuple[App, Surface]:
    """A canvas on which every pixel lives."""
    app, surface = _app(rule, _SIDE)
    app.edit(Draw(points=((_SIDE / 2, _SIDE / 2),), radius=2.0 * _SIDE))
    return app, surface


def _frame(app: App, surface: Surface) -> None:
    app.tick(1 / 60)
    app.draw(surface)


def _resident() -> int | None:
    """Bytes of this process that are in memory now, where Linux tells."""
    told = Path("/proc/self/statm")
    pages = int(told.read_text().split()[1]) if told.is_file() else None
    return None if pages is None else pages * mmap.PAGESIZE
