"""The inspector: one cell's state, stimulus, messages and label history."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pygame import Rect

from swarm_nca.rules import Rule
from swarm_nca.viewer.lettering import SMALL
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.panels import heading
from swarm_nca.viewer.theme import Color

#: Number of steps in the label history.
MEMORY = 142

Values = npt.NDArray[np.float32]


@dataclass
class CellProbe:
    """The inspected cell and its labels at the last steps.

    Attributes:
        site: its pixel, row-major.
        of: its rule: 0 for the first, 1 for the second.
        said: (step, label), ascending; −1 for silent, −2 for dead.
    """

    site: int
    of: int = 0
    said: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MEMORY))

    def note(self, step: int, look: Look) -> None:
        """Store the cell's label at a step; drops labels of later steps."""
        while self.said and self.said[-1][0] >= step:
            self.said.pop()
        row = row_of(look, self.site)
        self.said.append((step, -2 if row is None else int(look.decided[row])))


@dataclass(frozen=True, eq=False)
class Answer:
    """A cell's state [C], stimulus [S], messages per slot [K, C], and filled slots [K]."""

    state: Values
    stimulus: Values
    inbox: Values
    heard: npt.NDArray[np.bool_]
    label: int


def row_of(look: Look, site: int) -> int | None:
    """The row of the cell at a pixel, if there is one."""
    address = look.world.address.numpy()
    row = int(np.searchsorted(address, site))
    return row if row < len(address) and address[row] == site else None


def question(look: Look, row: int) -> Answer:
    """State, stimulus, messages and label of the cell at a row."""
    world = look.world
    state = world.state.numpy()
    neighbors = world.neighbors[row].numpy()
    heard = neighbors < len(state)
    inbox = np.zeros((len(neighbors), state.shape[1]), np.float32)
    inbox[heard] = state[neighbors[heard]]
    label = int(look.decided[row])
    return Answer(state[row], world.stimulus[row].numpy(), inbox, heard, label)


def inspector(
    paint: Paint, place: Rect, look: Look, witness: CellProbe | None, under: str = ""
) -> None:
    """Paint the panel; without an inspected cell, paint how to use it.

    Args:
        under: the name of the cell's rule, if there are two rules.
    """
    if witness is None:
        heading(paint, place, "A cell")
        _invitation(paint, place)
        return
    row_name, column_name = divmod(witness.site, look.world.picture().shape[1])
    title = f"The cell at row {row_name}, column {column_name}"
    if under:
        title = f"Row {row_name}, column {column_name}, under {under}"
    parts, row = rooms(place, paint.scale), row_of(look, witness.site)
    answer = None if row is None else question(look, row)
    label = "no cell here"
    if answer is not None:
        readout = look.rule.readout
        label = readout.silent if answer.label < 0 else readout.names[answer.label]
        if answer.label >= 0 and readout.class_names:
            label = f"class {label}"
    heading(paint, place, title, label)
    for name, text in LABELS.items():
        if name == "senses" and not look.rule.stimulus_size:
            continue
        room: Rect = getattr(parts, name)
        above = room.top - paint.px(9)
        if name == "senses":
            paint.text(text, (room.right, above), paint.theme.quiet, SMALL, "right")
        else:
            paint.text(text, (room.left, above), paint.theme.quiet, SMALL)
    _memory(paint, parts.said, look, witness)
    if answer is None:
        return
    _inbox(paint, parts.hears, look, answer)
    _holding(paint, parts.holds, look, answer.state)
    if len(answer.stimulus):
        _patch(paint, parts.senses, answer.stimulus)


def channels_told(rule: Rule) -> str:
    """The meaning of the channels, in one line."""
    total, readout = rule.channels, rule.readout
    read = readout.channels(total)
    meaning = "classes" if readout.class_names else ", ".join(readout.channel_names)
    parts = [(0, read.start, "free"), (read.start, read.stop, meaning), (read.stop, total, "free")]
    return "channels " + ", ".join(
        f"{first} – {end - 1}: {text}" for first, end, text in parts if end > first
    )


class Rooms(NamedTuple):
    """The places of the panel's parts."""

    hears: Rect
    holds: Rect
    senses: Rect
    said: Rect


#: The label above each part, and its tooltip.
LABELS = {"hears": "messages", "holds": "state", "senses": "stimulus", "said": "history"}
TIPS = {
    "hears": "Messages: the neighbour's state in each slot; the cell's own state in the middle",
    "holds": "State: grey bars are free channels, coloured bars are read-out channels. "
    "The cell's class is the longest coloured bar that points up",
    "senses": "Stimulus: the grey of the cell's pixel and of the eight pixels around it",
    "said": "History: what the cell has shown at the last steps; the latest step is at the right",
}


def rooms(place: Rect, scale: float) -> Rooms:
    """The places of the panel's parts within the panel's place."""

    def px(length: float) -> int:
        return round(length * scale)

    gap, label = px(12), px(17)
    top = place.top + px(22) + label
    side = max(px(30), min(px(118), place.bottom - top - label - px(14) - gap))
    hears = Rect(place.left, top, side, side)
    senses = Rect(place.right - px(42), top, px(42), px(42))
    holds = Rect(hears.right + gap, top, senses.left - 2 * gap - hears.right, side)
    said = Rect(place.left, hears.bottom + px(4) + label, place.width, px(10))
    return Rooms(hears, holds, senses, said)


def _invitation(paint: Paint, place: Rect) -> None:
    """Paint how to inspect a cell."""
    y = place.top + paint.px(34)
    x = place.left + paint.px(9)
    paint.icon("inspect", (x, y), paint.theme.quiet, 18)
    x += paint.px(18)
    for line in ("Choose the magnifying glass and click a cell", "to see its state and messages."):
        paint.text(line, (x, y), paint.theme.quiet, SMALL, room=place.right - x)
        y += paint.px(17)


def _holding(paint: Paint, place: Rect, look: Look, state: Values) -> None:
    """A state's bars, and the meaning of the channels below them."""
    names = Rect(place.left, place.bottom - paint.px(12), place.width, paint.px(12))
    _bars(paint, Rect(place.topleft, (place.width, place.height - names.height)), look, state)
    y, color, total = names.centery, paint.theme.quiet, max(1, len(state))
    read = look.rule.readout.channels(len(state))
    meaning = "classes" if look.rule.readout.class_names else look.rule.readout.title
    parts = ((0, read.start, "free"), (read.start, read.stop, meaning), (read.stop, total, "free"))
    for first, end, text in parts:
        middle = place.left + round(place.width * (first + end) / 2 / total)
        if end > first:
            paint.text(text, (middle, y), color, SMALL - 1, "center")


def _bars(paint: Paint, place: Rect, look: Look, state: Values, edge: bool = True) -> None:
    """A vector as bars above and below a middle line, squashed by the arctangent."""
    middle, count = place.centery, len(state)
    read, readout = look.rule.readout.channels(count), look.rule.readout
    # The theme's colours, if each read-out channel has a name of its own.
    named = len(readout.names) == len(readout.channel_names)
    colors = look.palette.tolist() if named else readout.channel_colors
    lengths = np.nan_to_num(np.arctan(state)) / (np.pi / 2) * (place.height / 2)
    if edge:
        paint.line((place.left, middle), (place.right, middle), paint.theme.line)
    edges = np.linspace(place.left, place.right, count + 1).round().astype(int).tolist()
    wide = edges[1] - edges[0] > 4
    for number, length in enumerate(lengths.tolist()):
        color: Color = paint.theme.faint
        if read.start <= number < read.stop:
            color = tuple(colors[number - read.start])
        height = max(1, round(abs(length)))
        top = middle - height if length > 0 else middle
        width = max(1, edges[number + 1] - edges[number] - wide)
        paint.bar(Rect(edges[number], top, width, height), color)


def _inbox(paint: Paint, place: Rect, look: Look, answer: Answer) -> None:
    side = round(len(answer.inbox) ** 0.5)
    gap = paint.px(3)
    size = (place.width - gap * (side - 1)) // side
    for slot, message in enumerate(answer.inbox):
        row, column = divmod(slot, side)
        tile = Rect(place.left + column * (size + gap), place.top + row * (size + gap), size, size)
        itself = slot == len(answer.inbox) // 2
        paint.box(tile, paint.theme.raised, 3, paint.theme.accent if itself else None)
        if answer.heard[slot]:
            inner = tile.inflate(-paint.px(6), -paint.px(6))
            _bars(paint, inner, look, message, edge=False)


def _patch(paint: Paint, place: Rect, stimulus: Values) -> None:
    side = round(len(stimulus) ** 0.5)
    paper = np.array(paint.theme.paper, np.float32)
    pen = np.array(paint.theme.ink, np.float32)
    rgb = paper + (pen - paper) * np.clip(stimulus, 0, 1).reshape(side, side, 1)
    paint.pixels(rgb.astype(np.uint8), place)


def _memory(paint: Paint, place: Rect, look: Look, witness: CellProbe) -> None:
    """The cell's labels from left to right, the latest at the right end."""
    said = [label for _, label in witness.said]
    colors = np.concatenate([look.palette, np.array([paint.theme.track], np.uint8)])
    strip = np.empty((1, MEMORY, 3), np.uint8)
    strip[:] = paint.theme.track
    if said:
        # Negative indices count from the end: −1 is the track's colour, −2 that of silent cells.
        numbers = np.array([-1 if label == -2 else -2 if label == -1 else label for label in said])
        strip[0, -len(said) :] = colors[numbers]
    paint.pixels(strip, place)
