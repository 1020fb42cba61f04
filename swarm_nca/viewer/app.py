"""The app: a session, its view settings and its input. Works without a window.

`handle` takes events, `tick` advances time, `draw` paints the picture.
"""

from __future__ import annotations

import time
from collections import deque
from math import inf
from pathlib import Path

import pygame
from pygame import Rect, Surface
from pygame.event import Event

from swarm_nca.perturbations import Mutate, Perturbation
from swarm_nca.render import Rgb
from swarm_nca.viewer import commands, controls, edits, panes, screen
from swarm_nca.viewer.beside import beside
from swarm_nca.viewer.bits import weights_of
from swarm_nca.viewer.camera import WHOLE
from swarm_nca.viewer.film import Film
from swarm_nca.viewer.input import Hand
from swarm_nca.viewer.inspector import CellProbe
from swarm_nca.viewer.layout import Layout, layout_of
from swarm_nca.viewer.overlays import Look, View, views_of
from swarm_nca.viewer.past_rows import PastRows
from swarm_nca.viewer.picker import Picker
from swarm_nca.viewer.samples import sample
from swarm_nca.viewer.session import Session, Snapshot
from swarm_nca.viewer.session_config import SessionConfig
from swarm_nca.viewer.span import Span
from swarm_nca.viewer.theme import LIGHT
from swarm_nca.viewer.tiles import tile_at
from swarm_nca.viewer.timebar import TimeBar
from swarm_nca.viewer.tools import PEN, cleared
from swarm_nca.viewer.trail import Trail
from swarm_nca.viewer.widgets import Widget

#: Seconds per frame that steps may take; seconds that a notice stays.
_SHARE, _STAYS = 0.012, 3.5


class App:
    """The viewer's state: session, view settings, widgets.

    Args:
        opening: the start of the session.
        size: of the window, in pixels.
        folder: where files are saved.
        beside: a second rule for the same drawing, if any.

    Raises:
        ValueError: no such rule, or a second rule that does not fit the first.

    Attributes:
        SPEEDS: the choices of steps per second: from one step per 60 frames to as fast as possible.
        SIDES: the choices of the canvas's side, in pixels.
        beside, asked: the second rule now, if any, and the one given at the start.
        picker: the open list of rules and scenarios, if any.
        camera: the zoom, and the part of the picture in the middle.
        trail: the changes that can be undone and redone.
        span, film: the steps marked to be filmed, and the film being made, if any.
    """

    SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 240.0, inf)
    SIDES = (28, 56, 84, 112, 140)

    def __init__(
        self,
        opening: SessionConfig,
        size: tuple[int, int] = (1280, 720),
        folder: Path | None = None,
        beside: str | None = None,
    ) -> None:
        self.folder = folder or Path.cwd()
        self.beside: str | None = None
        self.asked = beside
        self.theme = LIGHT
        self.hue: float = 0.0
        self.view, self.channel = views_of(opening.rule)[0], 0
        self.tool = PEN
        # Strokes for digits, or single cells.
        self.brush: float = 1.3 if opening.rule.readout.class_names else 0.6
        self.speed, self.playing, self.rate = self.SPEEDS.index(30.0), True, 0.0
        self.strength: float = 0.25
        self.help, self.running, self.full_screen = False, True, False
        self.notice, self._notice_left = "", 0.0
        self.pointer = (-1, -1)
        self.picker: Picker | None = None
        self.recording = False
        self.film: Film | None = None
        self.layout = layout_of(size)
        self.samples: dict[str, int] = {}
        self._boards = 0
        self.trail = Trail()
        self._adopt(Session(opening))
        if beside is not None:
            self.stand_beside(beside)

    def open(self, opening: SessionConfig) -> None:
        """Begin a new session; undo goes back to the present one.

        Raises:
            ValueError: a first step that fails; the present session stays.
        """
        session = Session(opening)
        with self.trail.change(self.session, f"open {opening.name}"):
            self._adopt(session)

    def restore(self, snapshot: Snapshot) -> None:
        """Show a session as it was when a snapshot was taken."""
        snapshot.session.restore(snapshot)
        if snapshot.session is not self.session:
            self._adopt(snapshot.session)

    def _adopt(self, session: Session) -> None:
        """Show a session."""
        self.session, opening = session, session.opening
        self.camera = WHOLE
        self.witness: CellProbe | None = None
        try:
            self.stand_beside(self.beside)
        except ValueError:  # the second rule does not fit this session's rule
            self.stand_beside(None)
        if self.view not in self.views:
            self.view = self.views[0]
        self.samples, self.grafted = {}, -1
        self.channel = min(self.channel, opening.rule.channels - 1)
        self.input, self.span, self.recording = Hand(self), Span(), False
        self._owed, self._taken = 0.0, deque[tuple[float, int]](maxlen=90)
        self._said: tuple[int, str] | None = None
        self._past = PastRows()
        self.notice = ""
        self.arrange(self.layout)
        self._keep_row()

    def arrange(self, layout: Layout) -> None:
        """Place all widgets."""
        self.layout = layout
        self.timebar: TimeBar = controls.timebar(self)
        self.widgets: list[Widget] = [*controls.widgets(self), self.timebar]

    # ------------------------------------------------------------------ look

    @property
    def views(self) -> tuple[View, ...]:
        """The views of this rule's worlds, in the order of their buttons."""
        return views_of(self.session.rule)

    @property
    def looks(self) -> tuple[Look, ...]:
        """The world shown and its view settings, one per rule."""
        detail = max(1, self.canvas.width // self.extent[1])
        sessions = self.session.side_by_side
        return panes.looks_of(sessions, self.theme, self.hue, self.channel, detail)

    @property
    def look(self) -> Look:
        """The first rule's world and its view settings."""
        return self.looks[0]

    @property
    def canvases(self) -> tuple[Rect, ...]:
        """Where each rule's picture is on the window; larger than its pane if zoomed."""
        return tuple(self.camera.place(pane, *self.extent) for pane in self.panes)

    @property
    def canvas(self) -> Rect:
        """Where the first rule's picture is on the window."""
        return self.canvases[0]

    @property
    def panes(self) -> tuple[Rect, ...]:
        """The place for each rule's picture."""
        return self.layout.panes(len(self.session.side_by_side))

    @property
    def pictures(self) -> tuple[Rect, ...]:
        """What is looked at on the stage: tooltips stay off it."""
        if self.extent[0] == 1 or not self.touchable:
            return (self.layout.stage,)
        places = zip(self.canvases, self.panes, strict=True)
        return tuple(canvas.clip(pane).inflate(6, 6) for canvas, pane in places)

    @property
    def extent(self) -> tuple[int, int]:
        """(rows, columns) of the picture."""
        rows, columns = self.session.opening.start.picture(self.session.shown).shape
        return rows, columns

    @property
    def zoomable(self) -> bool:
        """Whether the view shows one picture of several rows, which the camera can show closer."""
        return self.touchable and self.extent[0] > 1

    def zoom(self, notches: int, point: tuple[int, int] | None = None) -> None:
        """Show the picture closer (1) or farther (−1); the cell under the point stays there."""
        if self.zoomable:
            pane = self.panes[0 if point is None else self.pane_at(point)]
            self.camera = self.camera.zoomed(notches, pane, self.extent, point or pane.center)

    def pan(self, across: int, down: int) -> None:
        """Move the picture by so many pixels of the window, where it is larger than its pane."""
        self.camera = self.camera.moved(across, down, self.panes[0], self.extent)

    @property
    def rail(self) -> tuple[Rect, Rect, Rect]:
        """The places of vote, curves and inspector; see `Layout.rail`."""
        return self.layout.rail(self.witness is not None or bool(weights_of(self.session.rule)))

    @property
    def touchable(self) -> bool:
        """Whether the view shows one picture, so that a point of the canvas is a pixel."""
        return self.view.name != "Tiles"

    def pane_at(self, point: tuple[int, int]) -> int:
        """The number of the canvas closest to a point."""
        middles = [pygame.Vector2(pane.center) for pane in self.panes]
        return min(range(len(middles)), key=lambda pane: middles[pane].distance_to(point))

    def place_of(self, point: tuple[int, int], pane: int = 0) -> tuple[float, float]:
        """(row, column) under a point of the window; integers are centres of pixels."""
        canvas, (rows, columns) = self.canvases[pane], self.extent
        row = (point[1] - canvas.top) / canvas.height * rows - 0.5
        column = (point[0] - canvas.left) / canvas.width * columns - 0.5
        return round(row, 2), round(column, 2)

    def draw(self, surface: Surface) -> None:
        """Paint everything."""
        screen.paint(self, surface)

    # ------------------------------------------------------------------ time

    def tick(self, seconds: float) -> None:
        """Advance time: apply strokes, take steps, fade notices."""
        self.input.flush()
        before, began = self.session.step, time.perf_counter()
        self.session.catch_up(_SHARE)
        if self.playing and not self.session.lag:
            rate = self.SPEEDS[self.speed]
            self._owed = inf if rate == inf else self._owed + seconds * rate + 1e-9
            while self._owed >= 1 and self.playing and self.session.advance():
                self._owed -= 1
                self._keep_row()
                self._end_of_scenario()
                if time.perf_counter() - began > _SHARE:
                    self._owed = min(self._owed, 1.0)
                    break
            if self.session.waiting or self._owed == inf:
                self._owed = 0.0
        self._taken.append((seconds, max(0, self.session.step - before)))
        passed = sum(duration for duration, _ in self._taken)
        self.rate = sum(steps for _, steps in self._taken) / passed if passed else 0.0
        commands.roll(self, _SHARE)
        self.settle(seconds)

    def settle(self, seconds: float = 0.0) -> None:
        """Update measurements, inspector and notices after the session has changed."""
        session = self.session
        session.measure()
        self._keep_row()
        if self.witness is not None:
            of = self.witness.of
            self.witness.note(self.session.side_by_side[of].step, self.looks[of])
        if len(session.said) and self._said != session.said[-1]:
            self._said = session.said[-1]
            self.say(f"Step {self._said[0]}  {self._said[1]}")
        self._notice_left -= seconds
        if self._notice_left <= 0:
            self.notice = ""

    def _keep_row(self) -> None:
        """Store the picture of a world of one row, to draw it over time."""
        if self.extent[0] == 1:
            self._past.keep(self.session.step, self.views[0].draw(self.look))

    def past(self, rows: int) -> Rgb | None:
        """uint8 [n, W, 3], the last steps of a world of one row; None for other worlds."""
        return self._past.before(self.session.step, rows)

    def say(self, words: str) -> None:
        """Show a notice for 3.5 seconds."""
        self.notice, self._notice_left = words, _STAYS

    def step(self) -> None:
        """Take a single step."""
        self.playing = False
        self.session.advance()

    def seek(self, step: int) -> None:
        """Pause, and show another step."""
        self.playing = False
        self.session.seek(step)

    def _end_of_scenario(self) -> None:
        session = self.session
        if session.opening.steps and session.step == session.opening.steps:
            self.playing = False
            expectations = session.expectations
            passed = sum(result is not None and result.passed for result in expectations)
            count = len(expectations)
            summary = f": {passed} of {count} expectations passed" if count else ""
            self.say(f"Scenario finished{summary}")

    # ----------------------------------------------------------------- edits

    def edit(self, *perturbations: Perturbation) -> bool:
        """Apply perturbations to the world; an error becomes a notice, and the result is False."""
        try:
            with self.trail.change(self.session, perturbations[-1].kind):
                for perturbation in perturbations:
                    self.session.edit(perturbation)
        except ValueError as error:
            self.say(str(error))
            return False
        return True

    def stand_beside(self, name: str | None) -> None:
        """Start a second rule on the same drawing, or remove it (None).

        Raises:
            ValueError: no such rule, or one that does not fit the first.
        """
        self.session.accompany(None if name is None else beside(self.session.opening, name))
        self.beside = name
        if self.witness is not None and self.witness.of:
            self.witness = None

    def clear(self) -> None:
        """Empty the canvas."""
        self.edit(cleared(*self.extent))

    def mutate(self, number: int) -> None:
        """Change the picture to one of class `number`; the cells keep their states."""
        names = self.session.rule.readout.class_names
        if number >= len(names):
            return
        source = sample(names[number], self.samples.get(names[number], 0))
        if source is None:
            self.say(f"No built-in picture of {names[number]!r}: drop a picture on the window")
            return
        if self.edit(Mutate(images=source)):
            self.samples[names[number]] = self.samples.get(names[number], 0) + 1

    def another_board(self) -> int:
        """A number that differs for each random start or fill."""
        self._boards += 1
        return self._boards

    def fill(self) -> None:
        """Fill the canvas; see `edits.fill`."""
        edits.fill(self)

    def resize_canvas(self, side: int) -> None:
        """Start a new session on another canvas; see `edits.resize_canvas`."""
        edits.resize_canvas(self, side)

    # ----------------------------------------------------------------- events

    def handle(self, event: Event) -> None:
        """Handle one event of the pointer, the keyboard or the window, or a dropped file."""
        self.input.handle(event)

    def question(self, place: tuple[float, float], of: int = 0) -> None:
        """Inspect the cell at a place; a place outside the canvas closes the inspector.

        Args:
            of: the rule of the cell: 0 for the first, 1 for the second.
        """
        row, column = round(place[0]), round(place[1])
        rows, columns = self.extent
        if not (0 <= row < rows and 0 <= column < columns):
            self.witness = None
        else:
            site, now = row * columns + column, self.witness
            if now is None or (now.site, now.of) != (site, of):
                self.witness = now = CellProbe(site, of)
            now.note(self.session.side_by_side[of].step, self.looks[of])

    def choose_tile(self, point: tuple[int, int]) -> None:
        """Show only the channel whose tile is under a point."""
        number = self.tile_at(point)
        if number is not None:
            self.channel = number
            self.view = next(view for view in self.views if view.name == "Channel")

    def tile_at(self, point: tuple[int, int]) -> int | None:
        """The channel whose tile is under a point, in the view of tiles."""
        pane = self.pane_at(point)
        return tile_at(self.looks[pane], self.panes[pane], point, self.layout.scale)

    def widget_at(self, point: tuple[int, int]) -> Widget | None:
        """The widget under a point."""
        return next((widget for widget in self.widgets if widget.place.collidepoint(point)), None)
