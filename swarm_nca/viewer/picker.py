"""The picker: a list of the shipped rules, the shipped scenarios and those of the folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pygame
from pygame import Rect, Surface

from swarm_nca.config import read
from swarm_nca.rules import load_rule, shipped_rules
from swarm_nca.scenario.finding import shipped_scenarios
from swarm_nca.viewer.layout import Layout
from swarm_nca.viewer.lettering import LARGE, SMALL, pixels_high, wrapped
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session_config import SessionConfig, from_rule, from_scenario

#: The panel's size, the height of a line, and the most lines shown; at a scale of 1.
_SIZE, _LINE, LINES = (860, 640), 19, 26


class Entry(NamedTuple):
    """A line of the list.

    Attributes:
        kind: rule, scenario, or file (a scenario in the folder).
        words: what it shows.
        start: (side of the canvas) → the start of a session.
    """

    kind: str
    name: str
    words: str
    start: Callable[[int], SessionConfig]


@dataclass
class Picker:
    """The open list.

    Attributes:
        typed: the letters typed to search the entries.
        chosen, first: the chosen entry and the first one in sight, among those found.
    """

    entries: Sequence[Entry]
    typed: str = ""
    chosen: int = 0
    first: int = 0

    @property
    def found(self) -> list[Entry]:
        """The entries that hold what is typed: first in kind and name, then also in the words."""
        wanted = self.typed.casefold().split()

        def holds(entry: Entry, columns: int) -> bool:
            text = " ".join((entry.kind, entry.name, entry.words)[:columns]).casefold()
            return all(part in text for part in wanted)

        named = [entry for entry in self.entries if holds(entry, 2)]
        return named + [each for each in self.entries if not holds(each, 2) and holds(each, 3)]

    def move(self, lines: int) -> None:
        """Choose an entry so many lines below, or above if negative; it comes in sight."""
        self.chosen = min(max(self.chosen + lines, 0), max(0, len(self.found) - 1))
        self.first = min(max(self.first, self.chosen - LINES + 1), self.chosen)

    def type(self, letters: str) -> None:
        """Search also for these letters."""
        self.typed, self.chosen, self.first = self.typed + letters, 0, 0

    def erase(self) -> None:
        """Take back the last letter."""
        self.typed, self.chosen, self.first = self.typed[:-1], 0, 0

    def entry(self) -> Entry | None:
        """The chosen entry; None if none is found."""
        found = self.found
        return found[self.chosen] if found else None


def entries_of(folder: Path) -> list[Entry]:
    """The shipped rules, the shipped scenarios, and the scenario files of a folder."""
    rules = [Entry("rule", name, _about_rule(name), _starts_rule(name)) for name in shipped_rules()]
    shipped = [
        Entry("scenario", name, _about(path, path.stat().st_mtime) or "", _starts_scenario(path))
        for name, path in shipped_scenarios().items()
    ]
    own = [
        Entry("file", path.stem, words or "Scenario", _starts_scenario(path))
        for path in sorted(folder.glob("[!.]*.y*ml"))
        if path.is_file() and (words := _about(path, path.stat().st_mtime, "rule")) is not None
    ]
    return [*rules, *shipped, *own]


def panel_of(layout: Layout) -> Rect:
    """The place of the list on the window."""
    place = Rect(0, 0, layout.px(_SIZE[0]), layout.px(_SIZE[1]))
    place.center = layout.window.center
    return place


def line_at(picker: Picker, layout: Layout, point: tuple[int, int]) -> int | None:
    """The entry under a point; None beside the list."""
    for number, place in enumerate(_lines(picker, layout)):
        if place.collidepoint(point):
            return picker.first + number
    return None


def paint_picker(picker: Picker, layout: Layout, brush: Paint) -> None:
    """Paint the list above the window."""
    px, theme, panel = layout.px, brush.theme, panel_of(layout)
    shade = Surface(layout.window.size, pygame.SRCALPHA)
    shade.fill((*theme.desk, 225))
    brush.surface.blit(shade, (0, 0))
    brush.box(panel, theme.panel, 12, theme.line)
    left, right, top = panel.left + px(32), panel.right - px(32), panel.top + px(30)
    brush.text("Open a rule or a scenario", (left, top), size=LARGE, strong=True)
    hint = f"search: {picker.typed}" if picker.typed else "type to search, Enter opens, Esc closes"
    ink = theme.ink if picker.typed else theme.quiet
    brush.text(hint, (right, top), ink, SMALL, "right", room=px(380))
    found, first = picker.found, picker.first
    for number, place in enumerate(_lines(picker, layout)):
        entry, y = found[first + number], place.centery
        if first + number == picker.chosen:
            brush.box(place, theme.raised, 5)
            brush.bar(Rect(place.left, place.top, px(3), place.height), theme.accent)
        brush.text(entry.kind, (left, y), theme.quiet, SMALL)
        room = px(180)
        brush.text(entry.name, (left + px(70), y), theme.ink, SMALL, strong=True, room=room)
        room = right - left - px(264)
        if entry.words:
            brush.text(entry.words, (left + px(260), y), theme.quiet, SMALL, room=room)
    foot = panel.bottom - px(46)
    chosen = picker.entry()
    words = "Nothing found: Backspace takes back a letter" if chosen is None else chosen.words
    if len(found) > LINES:
        count = f"{first + 1} – {first + LINES} of {len(found)}"
        brush.text(count, (right, foot), theme.quiet, SMALL, "right")
    room = right - left - px(100)
    line, *others = wrapped(words, pixels_high(SMALL, brush.scale), room)
    for number, text in enumerate((line, " ".join(others))):
        if text:
            brush.text(text, (left, foot + number * px(16)), theme.ink, SMALL, room=room)


def _lines(picker: Picker, layout: Layout) -> list[Rect]:
    """The places of the entries in sight."""
    panel, px = panel_of(layout), layout.px
    count = min(LINES, len(picker.found))
    return [
        Rect(panel.left + px(20), panel.top + px(58 + n * _LINE), panel.width - px(40), px(_LINE))
        for n in range(count)
    ]


def _starts_rule(name: str) -> Callable[[int], SessionConfig]:
    return lambda side: from_rule(name, side)


def _starts_scenario(path: Path) -> Callable[[int], SessionConfig]:
    return lambda side: from_scenario(str(path))


@lru_cache(maxsize=64)
def _about_rule(name: str) -> str:
    """What the cells of a shipped rule show."""
    readout = load_rule(name).readout
    names = readout.class_names
    return f"Classes {', '.join(names)}" if names else f"Cells with {readout.title} values"


@lru_cache(maxsize=256)
def _about(path: Path, changed: float, key: str = "") -> str | None:
    """The description in a file; None if it cannot be read or lacks a key."""
    try:
        data = read(path).data
    except (ValueError, OSError):
        return None
    if not isinstance(data, dict) or (key and key not in data):
        return None
    return " ".join(str(data.get("description", "")).split())
