"""One cell questioned: what it holds, senses, and hears from where, and what it has said."""

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

#: Steps of which the labels are remembered.
MEMORY = 142

Values = npt.NDArray[np.float32]


@dataclass
class CellProbe:
    """The cell being questioned, and what it said at the last steps.

    Attributes:
        site: its pixel, row-major.
        of: which of two rules side by side it obeys, 0 or 1.
        said: (step, label), ascending; −1 for silent, −2 for dead.
    """

    site: int
    of: int = 0
    said: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MEMORY))

    def note(self, step: int, look: Look) -> None:
        """Remember what it says at a step; going back in time forgets what came after."""
        while self.said and self.said[-1][0] >= step:
            self.said.pop()
        row = row_of(look, self.site)
        self.said.append((step, -2 if row is None else int(look.decided[row])))


@dataclass(frozen=True, eq=False)
class Answer:
    """What a cell holds [C], senses [S], and hears in each slot [K, C]; who speaks there [K]."""

    state: Values
    stimulus: Values
    inbox: Values
    heard: npt.NDArray[np.bool_]
    label: int


def row_of(look: Look, site: int) -> int | None:
    """The row that lives at a pixel, if any."""
    address = look.world.address.numpy()
    row = int(np.searchsorted(address, site))
    return row if row < len(address) and address[row] == site else None


def question(look: Look, row: int) -> Answer:
    """Everything that one cell knows."""
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
    """The panel; a word on how to use it where nobody is questioned.

    Args:
        under: the rule that the cell obeys, where there are two.
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
    says = "nobody lives here"
    if answer is not None:
        readout = look.rule.readout
        says = readout.silent if answer.label < 0 else readout.names[answer.label]
        if answer.label >= 0 and readout.class_names:
            says = f"says {says}"
    heading(paint, place, title, says)
    for name, words in LABELS.items():
        if name == "senses" and not look.rule.stimulus_size:
            continue
        if name == "said" and not look.rule.readout.class_names:
            words = "has been"
        room: Rect = getattr(parts, name)
        above = room.top - paint.px(9)
        if name == "senses":
            paint.text(words, (room.right, above), paint.theme.quiet, SMALL, "right")
        else:
            paint.text(words, (room.left, above), paint.theme.quiet, SMALL)
    _memory(paint, parts.said, look, witness)
    if answer is None:
        return
    _inbox(paint, parts.hears, look, answer)
    _holding(paint, parts.holds, look, answer.state)
    if len(answer.stimulus):
        _patch(paint, parts.senses, answer.stimulus)


def channels_told(rule: Rule) -> str:
    """In one line which channels are which."""
    total, readout = rule.channels, rule.readout
    read = readout.channels(total)
    what = "the classes" if readout.class_names else ", ".join(readout.channel_names)
    parts = [(0, read.start, "free"), (read.start, read.stop, what), (read.stop, total, "free")]
    return "channels " + ", ".join(
        f"{first} – {end - 1} are {words}" for first, end, words in parts if end > first
    )


class Rooms(NamedTuple):
    """Where the parts of the panel are."""

    hears: Rect
    holds: Rect
    senses: Rect
    said: Rect


#: What stands above each part, and what it shows, for whoever points at it.
LABELS = {"hears": "hears", "holds": "holds", "senses": "senses", "said": "has said"}
TIPS = {
    "hears": "What it hears from each side: its neighbours' states; its own in the middle",
    "holds": "Its state: grey bars for free channels, which cells use as they like; "
    "coloured ones for the classes: the longest up is what it says",
    "senses": "The grey it senses: its own pixel and the eight around it",
    "said": "What it has said lately; now is at the right",
}


def rooms(place: Rect, scale: float) -> Rooms:
    """Where the parts of the panel are on its place."""

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
    """How to question one, where nobody is."""
    y = place.top + paint.px(34)
    x = place.left + paint.px(9)
    paint.icon("inspect", (x, y), paint.theme.quiet, 18)
    x += paint.px(18)
    for line in ("Take the magnifying glass and click a cell:", "see what it holds and hears."):
        paint.text(line, (x, y), paint.theme.quiet, SMALL, room=place.right - x)
        y += paint.px(17)


def _holding(paint: Paint, place: Rect, look: Look, state: Values) -> None:
    """A state's bars, and below them which are which."""
    names = Rect(place.left, place.bottom - paint.px(12), place.width, paint.px(12))
    _bars(paint, Rect(place.topleft, (place.width, place.height - names.height)), look, state)
    y, color, total = names.centery, paint.theme.quiet, max(1, len(state))
    read = look.rule.readout.channels(len(state))
    what = "classes" if look.rule.readout.class_names else look.rule.readout.title
    parts = ((0, read.start, "free"), (read.start, read.stop, what), (read.stop, total, "free"))
    for first, end, words in parts:
        middle = place.left + round(place.width * (first + end) / 2 / total)
        if end > first:
            paint.text(words, (middle, y), color, SMALL - 1, "center")


def _bars(paint: Paint, place: Rect, look: Look, state: Values, edge: bool = True) -> None:
    """A vector as bars above and below a middle line, squashed by the arctangent."""
    middle, count = place.centery, len(state)
    read, readout = look.rule.readout.channels(count), look.rule.readout
    # Those of the theme, where each channel that is read is one of the things that cells show.
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
    """Its labels from left to right, the latest at the right end."""
    said = [label for _, label in witness.said]
    colors = np.concatenate([look.palette, np.array([paint.theme.track], np.uint8)])
    strip = np.empty((1, MEMORY, 3), np.uint8)
    strip[:] = paint.theme.track
    if said:
        # −1 and −2 count from the end: track is last, the silent before it.
        numbers = np.array([-1 if label == -2 else -2 if label == -1 else label for label in said])
        strip[0, -len(said) :] = colors[numbers]
    paint.pixels(strip, place)
