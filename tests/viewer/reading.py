"""Reads the window's text line by line and compares it with values counted independently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from pygame import Rect, Surface
from scipy import ndimage

from swarm_nca.viewer.app import App
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.session import Session

#: Names in the panel "Over time", in their order.
CURVES = ("accuracy", "largest vote", "undecided", "magnitude")

#: The beginnings of the inspector's title.
_A_CELL = ("the cell at row ", "row ")


class Line(NamedTuple):
    """A painted line of text: the full text, and the place of its pixels.

    `cut` is true if the line was too long for its room.
    """

    text: str
    place: Rect
    cut: bool


@contextmanager
def lines_of() -> Iterator[list[Line]]:
    """Collects every line of text painted in the block."""
    lines: list[Line] = []
    paint = Paint.text

    def text(self: Paint, text: str, *rest: Any, **others: Any) -> int:
        before = self.surface
        layer = _Blits(before)
        object.__setattr__(self, "surface", layer)
        try:
            width = paint(self, text, *rest, **others)
        finally:
            object.__setattr__(self, "surface", before)
        (place,) = layer.places
        room = others.get("room")
        size, strong = others.get("size", rest[2] if len(rest) > 2 else 13), others.get("strong")
        cut = room is not None and self.width(text, size, bool(strong)) > room
        lines.append(Line(text, place, cut))
        return width

    with patch.object(Paint, "text", text):
        yield lines


class _Blits:
    """A surface that records the places of its blits."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self.places: list[Rect] = []

    def blit(self, source: Surface, place: tuple[int, int]) -> None:
        self._surface.blit(source, place)
        self.places.append(Rect(place, source.get_size()))


def window(app: App) -> list[Line]:
    """All lines of text in the window."""
    with lines_of() as lines:
        app.draw(Surface(app.layout.window.size))
    return lines


def curves_said(lines: list[Line], rules: int = 1) -> list[dict[str, str]]:
    """The numbers beside the curves' names, per rule."""
    said = [line.text for line in lines]
    said = said[said.index("Over time") :]
    shown: list[dict[str, str]] = [{} for _ in range(rules)]
    for name in CURVES:
        numbers = [said[place + 1] for place, text in enumerate(said) if text == name]
        assert len(numbers) == rules, name
        for rule, number in zip(shown, numbers, strict=True):
            rule[name] = number
    return shown


def votes_said(lines: list[Line], names: tuple[str, ...]) -> dict[str, str]:
    """The panel "The vote": the text beside each class and beside silent, "" for none."""
    place = [line.text for line in lines].index("The vote") + 2
    shown = {}
    for name in (*names, "silent"):
        assert lines[place].text == name
        beside = lines[place + 1]
        has = abs(beside.place.centery - lines[place].place.centery) <= 1
        shown[name] = beside.text if has and beside.place.left > lines[place].place.left else ""
        place += 2 if shown[name] else 1
    return shown


class Truth(NamedTuple):
    """The true values of one world, counted from its states without the code of the metrics."""

    cells: int
    votes: dict[str, int]
    curves: dict[str, str]


def truth(session: Session) -> Truth:
    """The true values of the world that a session shows."""
    rule, world = session.rule, session.world
    first = int(world.counts[: session.shown].sum())
    cells = int(world.counts[session.shown])
    state = world.state[first : first + cells].double().numpy()
    voices, label = state[:, rule.free_channels :], int(world.label[session.shown])
    best = voices.argmax(axis=1)  # the first nan, if there is one
    loudest = voices[np.arange(cells), best]
    decided, speaks = loudest >= rule.undecided_below, loudest > rule.shown_above
    names = rule.classes.names
    votes = {name: int((speaks & (best == n)).sum()) for n, name in enumerate(names)}
    size = float(np.abs(state).mean()) if cells else 0.0
    spoken = cells > 0 and size != 0
    right = int((decided & (best == label)).sum())
    together = 0
    for piece in pieces(session):
        shown = np.where(speaks & piece, best, -1)
        together += max(int((shown == n).sum()) for n in range(len(names)))
    return Truth(
        cells,
        votes | {"silent": int((~speaks).sum())},
        {
            "accuracy": f"{right / cells:.0%}" if spoken and label >= 0 else "–",
            "largest vote": f"{together / cells:.0%}" if cells else "–",
            "undecided": f"{(~decided).sum() / cells:.0%}" if spoken else "–",
            "magnitude": magnitude(size) if cells else "–",
        },
    )


def shown_by(session: Session) -> npt.NDArray[np.int64]:
    """The class that each cell of the world shown shows, −1 for silent."""
    voices = session.alone.state.numpy()[:, session.rule.free_channels :]
    best = voices.argmax(axis=1)
    return np.where(voices[np.arange(len(best)), best] > session.rule.shown_above, best, -1)


def pieces(session: Session) -> list[npt.NDArray[np.bool_]]:
    """The cells of each piece of the world shown, bool [cells]: alive pixels that touch."""
    world = session.alone
    alive = np.zeros(world.picture().shape, bool)
    alive.reshape(-1)[world.site.numpy()] = True
    label, count = ndimage.label(alive, np.ones((3, 3)))
    of_cell = label.reshape(-1)[world.site.numpy()]
    return [of_cell == number for number in range(1, count + 1)]


def said_of(session: Session, site: int) -> str:
    """A cell's label, as written in the inspector's title."""
    rule, world = session.rule, session.alone
    here = world.state[world.site == site]
    if not len(here):
        return "no cell here"
    voices = here[0, rule.free_channels :].tolist()
    best = next((n for n, voice in enumerate(voices) if voice != voice), None)
    best = voices.index(max(voices)) if best is None else best
    return f"class {rule.classes.names[best]}" if voices[best] > rule.shown_above else "silent"


def magnitude(value: float) -> str:
    """As written in the panel: two decimals, or a power of ten for large values."""
    if not np.isfinite(value):
        return "–"
    return f"{value:.2f}" if value < 1_000 else f"{value:.0e}"


def agree(said: dict[str, str], true: dict[str, str]) -> bool:
    """Whether the curves' numbers are the true ones; magnitudes may be rounded up or down."""
    shown, exact = said["magnitude"], true["magnitude"]
    if "–" in (shown, exact):  # float32 overflows before float64
        close = shown == exact or (shown == "–" and float(exact) > 1e36)
    else:
        close = abs(float(shown) - float(exact)) <= max(0.011, 0.15 * float(exact))
        close = close and (float(exact) >= 1_000 or abs(float(shown) - float(exact)) <= 0.011)
    return close and {**said, "magnitude": ""} == {**true, "magnitude": ""}


def lies(app: App) -> list[str]:
    """All texts of the window that are not true."""
    lines, sessions = window(app), app.session.side_by_side
    said, wrong = [line.text for line in lines], []
    if not app.session.rule.readout.class_names:  # opened from the list: no votes and no accuracy
        return [] if f"step {app.session.step:,}" in said else [f"step {app.session.step}"]
    truths = [truth(session) for session in sessions]
    for shown, true in zip(curves_said(lines, len(sessions)), truths, strict=True):
        if not agree(shown, true.curves):
            wrong.append(f"curves say {shown}, true is {true.curves}")
    for name, shown in votes_said(lines, app.session.rule.classes.names).items():
        counts = [true.votes[name] for true in truths]
        if shown != (" · ".join(f"{count:,}" for count in counts) if any(counts) else ""):
            wrong.append(f"votes for {name} are {shown!r}, true is {counts}")
    found = pieces(sessions[0])
    several = f" in {len(found):,} pieces" if len(found) > 1 else ""
    if said[said.index("The vote") + 1] != f"{truths[0].cells:,} cells{several}":
        wrong.append(f"cells: {truths[0].cells}{several}")
    if f"step {app.session.step:,}" not in said:
        wrong.append(f"step {app.session.step}")
    for number, text in enumerate(said):
        if re.fullmatch(r"(All )?[\d,]+ (of [\d,]+ )?cells show", text):
            votes = {name: count for name, count in truths[0].votes.items() if name != "silent"}
            count = int(text.removeprefix("All ").split(" ")[0].replace(",", ""))
            if not count == max(votes.values()) == votes[said[number + 1]]:
                wrong.append(f"{text} {said[number + 1]}, true is {votes}")
        if re.fullmatch(r"[\d,]+ of [\d,]+ pieces agree", text) and len(sessions) == 1:
            labels = [shown_by(sessions[0])[piece] for piece in found]
            agree_ = [len(set(label.tolist())) == 1 and label[0] >= 0 for label in labels]
            if text != f"{sum(agree_):,} of {len(found):,} pieces agree":
                wrong.append(f"{text}, true is {sum(agree_)}")
    if app.witness is not None:
        place = next(n for n, text in enumerate(said) if text.lower().startswith(_A_CELL))
        true_label = said_of(sessions[app.witness.of], app.witness.site)
        if said[place + 1] != true_label:
            wrong.append(f"the cell's label is {said[place + 1]}, true is {true_label}")
    return wrong
