"""The inspector: one cell's state, stimulus, messages and label history."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from pygame import Rect

from swarm_nca.viewer.bits import (
    message_in_bits,
    nearest,
    rule_in_bits,
    squares,
    weights_of,
)
from swarm_nca.viewer.lettering import SMALL
from swarm_nca.viewer.marks import faults_named
from swarm_nca.viewer.messages import arriving
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
    """A cell's state [C], stimulus [S], what it hears next per slot [K, C], filled slots [K].

    `own` is its own slot, −1 without one.
    """

    state: Values
    stimulus: Values
    inbox: Values
    heard: npt.NDArray[np.bool_]
    label: int
    own: int


def row_of(look: Look, site: int) -> int | None:
    """The row of the cell at a pixel, if there is one."""
    address = look.world.address.numpy()
    row = int(np.searchsorted(address, site))
    return row if row < len(address) and address[row] == site else None


def question(look: Look, row: int) -> Answer:
    """State, stimulus, messages and label of the cell at a row."""
    world = look.world
    state = world.state.numpy()
    bank, index = arriving(look, torch.tensor([row]))
    heard = index[0].numpy() != len(state)
    inbox = bank[index[0]].numpy()
    label, itself = int(look.decided[row]), world.neighbors[row] == row
    own = int(itself.int().argmax()) if bool(itself.any()) else -1
    return Answer(state[row], world.stimulus[row].numpy(), inbox, heard, label, own)


def inspector(
    paint: Paint, place: Rect, look: Look, witness: CellProbe | None, under: str = ""
) -> None:
    """Paint the panel; without an inspected cell, paint how to use it.

    Args:
        under: the name of the cell's rule, if there are two rules.
    """
    if witness is None and weights_of(look.rule):
        rule_in_bits(paint, place, look.rule)
        return
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
        paint.text(text, (room.left, room.top - paint.px(9)), paint.theme.quiet, SMALL)
    _memory(paint, parts.said, look, witness)
    if answer is None or row is None:
        return
    _faults(paint, parts.holds, faults_named(look, row))
    _inbox(paint, parts.hears, look, answer)
    _axis(paint, parts.holds)
    _bars(paint, bars_of(parts.holds, paint.scale), look, answer.state)
    _values(paint, parts.reads, look, answer.state)
    if len(answer.stimulus):
        _patch(paint, parts.senses, answer.stimulus)


class Rooms(NamedTuple):
    """The places of the panel's parts."""

    hears: Rect
    senses: Rect
    reads: Rect
    said: Rect
    holds: Rect


#: The label above each part, and its tooltip.
LABELS = {
    "hears": "messages",
    "senses": "stimulus",
    "reads": "read-out",
    "said": "history",
    "holds": "state by channel",
}
TIPS = {
    "hears": "Messages: what the cell hears next in each slot; its own state in the middle",
    "senses": "Stimulus: the grey of the cell's pixel and of the pixels around it",
    "reads": "Read-out: the values of the channels that are read, the largest first",
    "said": "History: what the cell has shown at the last steps; the latest step is at the right",
    "holds": "State: grey bars are free channels, coloured bars are read-out channels. "
    "The cell's class is the longest coloured bar that points up",
}

#: The names of the nine slots.
SLOTS = (
    "the north-west",
    "the north",
    "the north-east",
    "the west",
    "itself",
    "the east",
    "the south-west",
    "the south",
    "the south-east",
)

#: Values of the read-out that are written.
_READ = 4

#: Ticks of the axis of a state's bars, and the room for their numbers.
_TICKS, _NUMBERS = (2.0, 0.0, -2.0), 24


def rooms(place: Rect, scale: float) -> Rooms:
    """The places of the panel's parts within the panel's place."""

    def px(length: float) -> int:
        return round(length * scale)

    gap, label = px(12), px(17)
    top = place.top + px(20) + label
    hears = Rect(place.left, top, px(84), px(84))
    senses = Rect(hears.right + gap, top, px(42), px(42))
    reads = Rect(senses.right + px(32), top, 0, px(54))
    reads.width = place.right - reads.left
    said = Rect(senses.left, hears.bottom - px(12), place.right - senses.left, px(12))
    holds = Rect(place.left, hears.bottom + label, place.width, 0)
    holds.height = max(1, place.bottom - holds.top - px(2))
    return Rooms(hears, senses, reads, said, holds)


def bars_of(holds: Rect, scale: float) -> Rect:
    """The place of a state's bars, beside the numbers of their axis."""
    numbers = round(_NUMBERS * scale)
    return Rect(holds.left + numbers, holds.top, holds.width - numbers, holds.height)


def value_at(
    look: Look, witness: CellProbe, parts: Rooms, scale: float, point: tuple[int, int]
) -> tuple[str, Rect] | None:
    """The value of the bar under a point, in words, and the bar's place; None without a bar."""
    row, bars = row_of(look, witness.site), bars_of(parts.holds, scale)
    if row is None:
        return None
    answer = question(look, row)
    if bars.collidepoint(point):
        return _bar_told(look, bars, answer.state, point)
    for slot, tile in enumerate(_slots(parts.hears, len(answer.inbox), scale)):
        if tile.collidepoint(point) and answer.heard[slot]:
            inner = tile.inflate(-2 * round(3 * scale), -2 * round(3 * scale))
            message = answer.inbox[slot]
            if _in_bits(look, answer, slot):
                words = _told(look, nearest(squares(inner, len(message)), point), message)
            else:
                inside = (min(max(point[0], inner.left), inner.right - 1), inner.centery)
                words, _ = _bar_told(look, inner, message, inside)
            nine = len(answer.inbox) == len(SLOTS)
            return f"From {SLOTS[slot] if nine else f'slot {slot}'}: {words}", tile
    return None


def _bar_told(look: Look, place: Rect, state: Values, point: tuple[int, int]) -> tuple[str, Rect]:
    edges = _edges(place, len(state))
    number = int(np.searchsorted(edges, point[0], "right")) - 1
    number = min(max(number, 0), len(state) - 1)
    bar = Rect(edges[number], place.top, edges[number + 1] - edges[number], place.height)
    return _told(look, number, state), bar


def _told(look: Look, channel: int, state: Values) -> str:
    return f"channel {channel}, {look.means(channel)}: {number_told(state[channel])}"


def number_told(value: float) -> str:
    """A value with its sign and two decimals; large ones as a power of ten."""
    if not np.isfinite(value):
        return str(float(value))
    return f"{value:+.2f}" if abs(value) < 1_000 else f"{value:+.0e}"


def _invitation(paint: Paint, place: Rect) -> None:
    """Paint how to inspect a cell."""
    y = place.top + paint.px(34)
    x = place.left + paint.px(9)
    paint.icon("inspect", (x, y), paint.theme.quiet, 18)
    x += paint.px(18)
    for line in ("Choose the magnifying glass and click", "a cell to see its state and messages."):
        paint.text(line, (x, y), paint.theme.quiet, SMALL, room=place.right - x)
        y += paint.px(17)


def _faults(paint: Paint, holds: Rect, named: tuple[str, ...]) -> None:
    """What is wrong with the cell, at the right end of the line above its state."""
    if named:
        room = holds.width - paint.width(LABELS["holds"], SMALL) - paint.px(8)
        place = (holds.right, holds.top - paint.px(9))
        paint.text(", ".join(named), place, size=SMALL, align="right", strong=True, room=room)


def _axis(paint: Paint, holds: Rect) -> None:
    """Lines at the ticks of the bars' axis, with their numbers at the left."""
    bars = bars_of(holds, paint.scale)
    for tick in _TICKS:
        y = bars.centery - round(float(_squashed(tick)) * bars.height / 2)
        paint.line((bars.left, y), (bars.right, y), paint.theme.line)
        text = f"{tick:+.0f}" if tick else "0"
        paint.text(text, (bars.left - paint.px(5), y), paint.theme.quiet, SMALL, "right")


def _values(paint: Paint, place: Rect, look: Look, state: Values) -> None:
    """The channels that are read and their values: of classes the three largest."""
    read = list(range(len(state))[look.rule.readout.channels(len(state))])
    if look.rule.readout.class_names:
        read = sorted(read, key=lambda number: -np.nan_to_num(state[number], nan=-np.inf))[:3]
    for line, number in enumerate(read[:_READ]):
        y = place.top + round((line + 0.5) * place.height / _READ)
        value = number_told(state[number])
        wide = paint.text(value, (place.right, y), paint.theme.ink, SMALL, "right")
        room = place.width - wide - paint.px(4)
        paint.text(look.means(number), (place.left, y), paint.theme.quiet, SMALL, room=room)


def _squashed(value: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Values mapped to (−1, 1) by the arctangent; 0 for nan."""
    squashed: npt.NDArray[np.float64] = np.nan_to_num(np.arctan(value)) / (np.pi / 2)
    return squashed


def _edges(place: Rect, count: int) -> list[int]:
    """The left edges of `count` bars side by side, and the right edge of the last one."""
    edges: list[int] = np.linspace(place.left, place.right, count + 1).round().astype(int).tolist()
    return edges


def _slots(place: Rect, count: int, scale: float) -> list[Rect]:
    """The tiles of the slots, row by row."""
    side, gap = round(count**0.5), round(3 * scale)
    size = (place.width - gap * (side - 1)) // side
    return [
        Rect(
            place.left + slot % side * (size + gap),
            place.top + slot // side * (size + gap),
            size,
            size,
        )
        for slot in range(count)
    ]


def _bars(paint: Paint, place: Rect, look: Look, state: Values) -> None:
    """A vector as bars above and below a middle line, squashed by the arctangent."""
    middle, count = place.centery, len(state)
    read, readout = look.rule.readout.channels(count), look.rule.readout
    # The theme's colours, if each read-out channel has a name of its own.
    named = len(readout.names) == len(readout.channel_names)
    colors = look.palette.tolist() if named else readout.channel_colors
    lengths = _squashed(state) * (place.height / 2)
    edges = _edges(place, count)
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
    tiles = _slots(place, len(answer.inbox), paint.scale)
    for slot, (tile, message) in enumerate(zip(tiles, answer.inbox, strict=True)):
        itself = slot == answer.own
        paint.box(tile, paint.theme.raised, 3, paint.theme.accent if itself else None)
        if answer.heard[slot]:
            inner = tile.inflate(-2 * paint.px(3), -2 * paint.px(3))
            if _in_bits(look, answer, slot):
                message_in_bits(paint, inner, message)
            else:
                _bars(paint, inner, look, message)


def _in_bits(look: Look, answer: Answer, slot: int) -> bool:
    """Whether a slot holds a message of one bit per channel; a cell's own memory is not rounded."""
    return look.world.links.bits == 1 and slot != answer.own


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
