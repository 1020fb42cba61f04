"""Views of a world: what the canvas shows, each a function from one look to an array of pixels.

To add one, write a function from `Look` to uint8 [H, W, 3], or several pixels for each cell, and a
line in `VIEWS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from swarm_nca.recording.channels import diverging
from swarm_nca.render import Rgb, cells_rgb, decided
from swarm_nca.rules import Rule
from swarm_nca.viewer.groups import groups_of
from swarm_nca.viewer.messages import messages
from swarm_nca.viewer.theme import Theme, name_colors
from swarm_nca.world import World

#: Amber, for cells that hesitate.
_AMBER = (238, 142, 28)


@dataclass(frozen=True)
class Look:
    """What is looked at, and how.

    Attributes:
        world: a single world on a picture.
        fired: int64 [n], its rows that acted in the last step.
        hue: by how much the classes' colours are turned, a share of the colour wheel.
        channel: the channel that `channel` shows.
        seed: what the world's draws depend on, for those who look ahead.
        detail: pixels for each cell that are of use to a view finer than cells.
    """

    world: World
    rule: Rule
    fired: npt.NDArray[np.int64]
    theme: Theme
    hue: float = 0.0
    channel: int = 0
    seed: int = 0
    detail: int = 8

    @property
    def palette(self) -> Rgb:
        """uint8 [names + 1, 3], the colours of what cells show, then that of the silent."""
        colors = name_colors(self.rule.readout, self.hue, self.theme.paper)
        silent = self.theme.mark if self.rule.readout.class_names else self.theme.paper
        return np.concatenate([colors, np.array([silent], np.uint8)])

    @property
    def decided(self) -> npt.NDArray[np.int64]:
        """int64 [N], what each cell shows, −1 for silent."""
        return decided(self.world, shown_above=self.rule.shown_above)

    def means(self, channel: int) -> str:
        """What one of the rule's channels is, in words: `free`, `class 7` or `alpha`."""
        readout = self.rule.readout
        name = readout.channel_name(channel, self.rule.channels)
        return f"class {name}" if name and readout.class_names else name or "free"

    def cells(self, colors: Rgb) -> Rgb:
        """Cells in colours [N, 3]; faint grey, too weak to live, shows in between."""
        return cells_rgb(self.world, colors, behind=_between(self, faint=True))


def classes(look: Look) -> Rgb:
    """What every cell says it is part of."""
    return look.cells(look.palette[look.decided])


def shown(look: Look) -> Rgb:
    """What every cell shows in its own colour, where that is no class."""
    state = look.world.state.numpy()
    return look.cells(look.rule.readout.rgb(state, look.rule.shown_above, look.theme.paper))


def grey(look: Look) -> Rgb:
    """The picture that the cells live on."""
    return _between(look, faint=False)


def channel(look: Look) -> Rgb:
    """One channel of every cell's state: purple below zero, orange above."""
    return _channel(look, look.channel)


def tiles(look: Look) -> Rgb:
    """All channels at once, a tile each, with a gap of a pixel or more."""
    rows, columns, gap = tiling(look)
    height, width = look.world.picture().shape
    sheet = np.empty((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
    sheet[:] = look.theme.desk
    for number in range(look.rule.channels):
        row, column = divmod(number, columns)
        top, left = row * (height + gap), column * (width + gap)
        sheet[top : top + height, left : left + width] = _channel(look, number)
    return sheet


def tiling(look: Look) -> tuple[int, int, int]:
    """Rows and columns of tiles, and the gap between two of them in a picture's pixels."""
    count = look.rule.channels
    columns = int(np.ceil(np.sqrt(count)))
    return -(-count // columns), columns, max(1, look.world.picture().shape[0] // 14)


def doubt(look: Look) -> Rgb:
    """How little each cell's first choice leads over its second: amber where it hesitates."""
    logits = look.world.logits.numpy()
    best = np.partition(logits, -2, axis=1)[:, -2:] if len(logits) else logits[:, :2]
    with np.errstate(invalid="ignore"):  # of a rule that blows up: endless less endless
        lead = np.nan_to_num(np.clip(best[:, 1] - best[:, 0], 0.0, 1.0))
    calm = np.array(look.theme.faint, np.float32)
    colors = np.array(_AMBER) + (calm - _AMBER) * lead[:, None]
    return look.cells(colors.astype(np.uint8))


def fired(look: Look) -> Rgb:
    """Who acted in the last step."""
    colors = np.empty((look.world.cells, 3), np.uint8)
    colors[:] = look.theme.line
    colors[look.fired] = look.theme.accent
    return look.cells(colors)


def groups(look: Look) -> Rgb:
    """Touching cells of one opinion; in each piece of the picture all but the largest darker."""
    says = look.decided
    neighbors = look.world.neighbors.numpy()
    colors = look.palette[says]
    if len(says):
        piece = groups_of(neighbors, np.zeros_like(says))
        group = groups_of(neighbors, says)
        size = np.bincount(group)[group]
        # The last one written wins: the largest group of each piece.
        order = np.argsort(size, kind="stable")
        largest = np.empty(piece.max() + 1, np.int64)
        largest[piece[order]] = group[order]
        dissents = group != largest[piece]
        toward = np.array(look.theme.ink, np.float32)
        darker = colors + (toward - colors) * 0.6
        colors = np.where(dissents[:, None], darker, colors).astype(np.uint8)
    return look.cells(colors)


class View(NamedTuple):
    """A view: its name, what it tells, and how it is drawn."""

    name: str
    tip: str
    draw: Callable[[Look], Rgb]


#: Every view of rules with classes, in the order of their buttons.
VIEWS = (
    View("Classes", "What each cell says it is part of", classes),
    View("Grey", "The picture the cells live on", grey),
    View(
        "Channel",
        "One channel of every cell: purple below zero, orange above. Again: the next one",
        channel,
    ),
    View("Tiles", "All channels at once; click one to see it alone", tiles),
    View("Doubt", "Amber where a cell's first choice hardly leads", doubt),
    View("Fired", "Who acted in the last step", fired),
    View(
        "Groups",
        "In each piece of the picture, whoever disagrees with the largest group is darker",
        groups,
    ),
    View(
        "Messages",
        "What each cell hears: its neighbours' states, the louder the stronger",
        messages,
    ),
)


#: What the first view of rules without classes tells, by the kind of their read-out.
_TOLD = {
    "bit": "Which cells are on",
    "rgba": "Every cell in its colour, as its first four channels say it",
    "field": "The first number of every cell: the darker, the larger",
}

#: Views that make sense whatever cells show; `Tiles` where there is more than one channel.
_COMMON = ("Channel", "Tiles", "Fired", "Messages")


@lru_cache(maxsize=8)
def views_of(rule: Rule) -> tuple[View, ...]:
    """The views of worlds of a rule; the first one is named after its read-out."""
    readout = rule.readout
    if readout.class_names:
        return VIEWS
    first = View(readout.title, _TOLD.get(readout.kind, "What every cell shows"), shown)
    common = [view for view in VIEWS if view.name in _COMMON]
    if rule.habitat.sprout is None:
        common[:0] = [view for view in VIEWS if view.name == "Grey"]
    return first, *(one for one in common if rule.channels > 1 or one.name not in ("Tiles",))


def _channel(look: Look, number: int) -> Rgb:
    values = look.world.state[:, number].numpy()
    return cells_rgb(look.world, diverging(values), behind=_paper(look))


def _between(look: Look, *, faint: bool) -> Rgb:
    """The paper with the picture's grey on it, of all pixels or only of those too faint to live."""
    ink = look.world.picture().numpy()[:, :, None]
    if faint:
        ink = np.where(ink > look.rule.alive_above, 0.0, ink)
    paper, pen = np.array(look.theme.paper, np.float32), np.array(look.theme.ink, np.float32)
    mixed: Rgb = (paper + (pen - paper) * ink).astype(np.uint8)
    return mixed


def _paper(look: Look) -> Rgb:
    paper = np.empty((*look.world.picture().shape, 3), np.uint8)
    paper[:] = look.theme.paper
    return paper
