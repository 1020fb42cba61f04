"""Larger edits: fill the canvas, start again, change its size, open a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from swarm_nca.images import Source
from swarm_nca.perturbations import Mutate
from swarm_nca.viewer.session_config import first_of, from_scenario, from_source
from swarm_nca.viewer.starts import Start, starts_of
from swarm_nca.viewer.tools import cleared, whiteboard

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


def begin(app: App, start: Start) -> None:
    """Start again from one of the start pictures of a rule without classes."""
    app.edit(Mutate(images=start.source(app.extent, app.another_board())))


def fill(app: App) -> None:
    """Fill the canvas with digits; without classes, use the rule's last start."""
    rows, columns = app.extent
    names, starts = app.session.rule.readout.class_names, starts_of(app.session.rule)
    if not names and starts:
        begin(app, starts[-1])
        return
    strokes = whiteboard(names, rows, columns, app.another_board() - 1)
    if strokes:
        app.edit(cleared(rows, columns), *strokes)
    else:
        app.say("Only digits and capital letters can be drawn: drop a picture on the window")


def resize_canvas(app: App, side: int) -> None:
    """Start a new session on a canvas of side × side pixels; large ones are filled."""
    opening = app.session.opening
    source = first_of(opening.rule, side)
    grid = opening.start.canvas.grid
    rule, name = opening.rule, opening.rule_name
    with app.trail.change(app.session, f"canvas {side} × {side}"), app.trail.silence():
        app.open(from_source(rule, name, source, side, opening.folder, grid))
        if side > app.SIDES[1] and rule.readout.class_names:
            fill(app)


def drop(app: App, path: str) -> None:
    """Open a file dropped on the window: a picture replaces the world's, a scenario starts."""
    try:
        if path.endswith((".yaml", ".yml")):
            app.open(from_scenario(path))
            return
        source = Source(file=str(Path(path).absolute()), size=app.extent)
        with app.trail.change(app.session, "picture"):
            app.session.edit(Mutate(images=source))
    except (ValueError, OSError) as error:
        app.say(" ".join(str(error).split()))
