"""The app: a session, what one sees of it, and the hand that touches it. No window is needed.

Events go in (`handle`), time passes (`tick`), a picture comes out (`draw`).
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from math import inf
from pathlib import Path

import pygame
from pygame import Rect, Surface
from pygame.event import Event

from swarm_nca.images import Source
from swarm_nca.perturbations import Mutate, Perturbation
from swarm_nca.portrait import Rgb
from swarm_nca.viewer import controls, screen, verbs
from swarm_nca.viewer.inspector import Witness
from swarm_nca.viewer.keys import ACTIONS, key_of
from swarm_nca.viewer.layout import Layout, layout_of
from swarm_nca.viewer.opening import Opening, from_scenario, from_source
from swarm_nca.viewer.overlays import VIEWS, Look
from swarm_nca.viewer.samples import sample
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.theme import LIGHT
from swarm_nca.viewer.timebar import TimeBar
from swarm_nca.viewer.tools import ERASER, INSPECT, PEN, Tool, cleared, whiteboard
from swarm_nca.viewer.widgets import Widget

#: Seconds of one frame that steps may take, and that a notice stays.
_SHARE, _STAYS = 0.012, 3.5


class App:
    """Everything that is shown and can be touched.

    Args:
        opening: what the session begins with.
        size: of the window, in pixels.
        folder: where files are saved.

    Attributes:
        SPEEDS: steps per second to choose from: from one step in sixty frames to as many as there
            is time for.
        SIDES: of the canvas to choose from, in pixels.
        BRUSH: the bounds of the pen's radius, in pixels.
    """

    SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 240.0, inf)
    SIDES = (28, 56, 84, 112, 140)
    BRUSH = (0.6, 4.0)

    def __init__(
        self, opening: Opening, size: tuple[int, int] = (1280, 720), folder: Path | None = None
    ) -> None:
        self.folder = folder or Path.cwd()
        self.theme, self.hue = LIGHT, 0.0
        self.view, self.channel = VIEWS[0], 0
        self.tool, self.brush = PEN, 1.3
        self.speed, self.playing, self.rate = self.SPEEDS.index(30.0), True, 0.0
        self.jolt = 0.5
        self.help, self.running = False, True
        self.notice, self._notice_left = "", 0.0
        self.pointer = (-1, -1)
        self.recording: list[Rgb] | None = None
        self.layout = layout_of(size)
        self.samples: dict[str, int] = {}
        self._boards = 0
        self.open(opening)

    def open(self, opening: Opening) -> None:
        """Begin a new session."""
        self.session = Session(opening)
        self.witness: Witness | None = None
        self.samples = {}
        self.channel = min(self.channel, opening.rule.channels - 1)
        self._held: Widget | None = None
        self._line: list[tuple[float, float]] = []
        self._hand: Tool | None = None
        self._owed, self._taken = 0.0, deque[tuple[float, int]](maxlen=90)
        self._said: tuple[int, str] | None = None
        self.notice = ""
        self.arrange(self.layout)

    def arrange(self, layout: Layout) -> None:
        """Put everything in its place."""
        self.layout = layout
        self.timebar: TimeBar = controls.timebar(self)
        self.widgets: list[Widget] = [*controls.widgets(self), self.timebar]

    # ------------------------------------------------------------------ look

    @property
    def look(self) -> Look:
        """The world as it is looked at."""
        session = self.session
        return Look(
            session.alone, session.rule, session.fired_rows, self.theme, self.hue, self.channel
        )

    @property
    def canvas(self) -> Rect:
        """Where the picture is on the window."""
        return self.layout.canvas(*self.extent)

    @property
    def extent(self) -> tuple[int, int]:
        """(rows, columns) of the picture."""
        rows, columns = self.session.opening.start.picture(self.session.shown).shape
        return rows, columns

    @property
    def touchable(self) -> bool:
        """Whether the view shows one picture, on which the pointer means a pixel."""
        return self.view.name != "Tiles"

    def place_of(self, point: tuple[int, int]) -> tuple[float, float]:
        """(row, column) under a point of the window; whole numbers are pixels' centres."""
        canvas, (rows, columns) = self.canvas, self.extent
        row = (point[1] - canvas.top) / canvas.height * rows - 0.5
        column = (point[0] - canvas.left) / canvas.width * columns - 0.5
        return round(row, 2), round(column, 2)

    def draw(self, surface: Surface) -> None:
        """Paint everything."""
        screen.paint(self, surface)

    # ------------------------------------------------------------------ time

    def tick(self, seconds: float) -> None:
        """Let time pass: what was drawn takes effect, steps are taken, notices fade."""
        self.flush()
        before, began = self.session.step, time.perf_counter()
        if self.playing:
            rate = self.SPEEDS[self.speed]
            self._owed = inf if rate == inf else self._owed + seconds * rate + 1e-9
            while self._owed >= 1 and self.playing and self.session.advance():
                self._owed -= 1
                self._end_of_scenario()
                if time.perf_counter() - began > _SHARE:
                    self._owed = min(self._owed, 1.0)
                    break
            if self.session.waiting or self._owed == inf:
                self._owed = 0.0
        self._taken.append((seconds, max(0, self.session.step - before)))
        passed = sum(one for one, _ in self._taken)
        self.rate = sum(steps for _, steps in self._taken) / passed if passed else 0.0
        self.settle(seconds)

    def settle(self, seconds: float = 0.0) -> None:
        """Take note of where the session stands now."""
        session = self.session
        session.measure()
        if self.witness is not None:
            self.witness.note(session.step, self.look)
        if len(session.said) and self._said != session.said[-1]:
            self._said = session.said[-1]
            self.say(f"Step {self._said[0]}  {self._said[1]}")
        self._notice_left -= seconds
        if self._notice_left <= 0:
            self.notice = ""
        if self.recording is not None:
            verbs.record(self)

    def say(self, words: str) -> None:
        """Show a notice for a while."""
        self.notice, self._notice_left = words, _STAYS

    def step(self) -> None:
        """Take a single step."""
        self.playing = False
        self.session.advance()

    def seek(self, step: int) -> None:
        """Stop, and show another moment."""
        self.playing = False
        self.session.seek(step)

    def _end_of_scenario(self) -> None:
        session = self.session
        if session.opening.steps and session.step == session.opening.steps:
            self.playing = False
            met = [one for one in session.expectations if one is not None and one.passed]
            count = len(session.expectations)
            judged = f": {len(met)} of {count} expectations passed" if count else ""
            self.say(f"The scenario is over{judged}")

    # ----------------------------------------------------------------- deeds

    def edit(self, *perturbations: Perturbation) -> bool:
        """Do something to the world; says why where it cannot be done."""
        try:
            for perturbation in perturbations:
                self.session.edit(perturbation)
        except ValueError as error:
            self.say(str(error))
            return False
        return True

    def clear(self) -> None:
        """Empty the canvas."""
        self.edit(cleared(*self.extent))

    def mutate(self, number: int) -> None:
        """Another picture, of a class; the cells keep what they hold."""
        names = self.session.rule.classes.names
        if number >= len(names):
            return
        source = sample(names[number], self.samples.get(names[number], 0))
        if source is None:
            self.say(f"There is no picture of {names[number]!r} offline; drop one on the window")
            return
        if self.edit(Mutate(images=source)):
            self.samples[names[number]] = self.samples.get(names[number], 0) + 1

    def fill(self) -> None:
        """As many digits as fit."""
        rows, columns = self.extent
        deeds = whiteboard(self.session.rule.classes.names, rows, columns, self._boards)
        self._boards += 1
        if deeds:
            self.edit(cleared(rows, columns), *deeds)
        else:
            self.say("The pen knows digits and capitals only; drop a picture on the window")

    def resize_canvas(self, side: int) -> None:
        """A new session on a canvas of another size; large ones are filled."""
        opening = self.session.opening
        names = opening.rule.classes.names
        source = sample(names[min(3, len(names) - 1)], 4) or Source(glyph=3)
        self.open(from_source(opening.rule, opening.rule_name, source, side, opening.folder))
        if side > self.SIDES[1]:
            self.fill()

    def drop(self, path: str) -> None:
        """A file dropped on the window: a picture becomes the world's, a scenario is opened."""
        try:
            if path.endswith((".yaml", ".yml")):
                self.open(from_scenario(path))
                return
            source = Source(file=str(Path(path).absolute()), size=self.extent)
            self.session.edit(Mutate(images=source))
        except (ValueError, OSError) as error:
            self.say(" ".join(str(error).split()))

    # ----------------------------------------------------------------- events

    def handle(self, event: Event) -> None:
        """One event: of the pointer, the keyboard, the window, or a dropped file."""
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event)

    def _quit(self, event: Event) -> None:
        self.running = False

    def _key(self, event: Event) -> None:
        key = key_of(event)
        for action in ACTIONS:
            if key in action.keys:
                action.do(self)
                return
        if len(key) == 1 and key in "0123456789":
            self.mutate(int(key))

    def _wheel(self, event: Event) -> None:
        verbs.nudge("brush", 1 if event.y > 0 else -1)(self)

    def _resized(self, event: Event) -> None:
        self.arrange(layout_of((max(event.x, 320), max(event.y, 240))))

    def _dropped(self, event: Event) -> None:
        self.drop(event.file)

    def _pressed(self, event: Event) -> None:
        self.pointer = event.pos
        if self.help:
            self.help = False
            return
        if event.button == 1:
            self._held = self.widget_at(event.pos)
            if self._held is not None:
                if self._held is self.timebar:
                    self.playing = False
                self._held.press(event.pos)
                return
        if event.button in (1, 2, 3) and self.touchable and self._near(event.pos):
            self._touch(event)

    def _touch(self, event: Event) -> None:
        shift = bool(pygame.key.get_mods() & pygame.KMOD_SHIFT) if _keyboard() else False
        erases = event.button == 3 or (event.button == 1 and shift)
        hand = INSPECT if event.button == 2 else ERASER if erases else self.tool
        if hand is INSPECT:
            self.question(self.place_of(event.pos))
            return
        self._hand, self._line = hand, [self.place_of(event.pos)]
        self.flush(keep=True)

    def question(self, place: tuple[float, float]) -> None:
        """Ask the cell at a place, or nobody outside the canvas."""
        row, column = round(place[0]), round(place[1])
        rows, columns = self.extent
        if 0 <= row < rows and 0 <= column < columns:
            self.witness = Witness(row * columns + column)
            self.witness.note(self.session.step, self.look)

    def _moved(self, event: Event) -> None:
        self.pointer = event.pos
        if self._held is not None:
            self._held.drag(event.pos)
        elif self._hand is not None:
            self._line.append(self.place_of(event.pos))

    def _released(self, event: Event) -> None:
        self.flush()
        self._held = self._hand = None
        self._line = []

    def flush(self, keep: bool = False) -> None:
        """Let the line drawn since the last picture take effect."""
        if self._hand is None or self._hand.deed is None or (len(self._line) < 2 and not keep):
            return
        radius = round(self.brush * self._hand.wider, 2)
        # Nobody knows what a picture is that somebody draws on.
        label = -1 if int(self.session.alone.label[0]) >= 0 else None
        with contextlib.suppress(ValueError):  # a line that runs beside the canvas draws nothing
            self.session.edit(self._hand.deed(self._line, radius, label))
        self._line = self._line[-1:]

    def widget_at(self, point: tuple[int, int]) -> Widget | None:
        """The widget under a point."""
        return next((one for one in self.widgets if one.place.collidepoint(point)), None)

    def _near(self, point: tuple[int, int]) -> bool:
        # A stroke may begin a little beside the canvas, where it has room.
        return bool(self.layout.stage.inflate(8, 8).collidepoint(point))


def _keyboard() -> bool:
    return bool(pygame.display.get_init())


_HANDLERS: dict[int, Callable[[App, Event], None]] = {
    pygame.QUIT: App._quit,
    pygame.KEYDOWN: App._key,
    pygame.MOUSEBUTTONDOWN: App._pressed,
    pygame.MOUSEMOTION: App._moved,
    pygame.MOUSEBUTTONUP: App._released,
    pygame.MOUSEWHEEL: App._wheel,
    pygame.WINDOWRESIZED: App._resized,
    pygame.DROPFILE: App._dropped,
}
