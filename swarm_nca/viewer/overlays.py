"""Views of a world: functions from a `Look` to an array of pixels for the canvas.

To add a view, write a function from `Look` to uint8 [H, W, 3] (or several pixels per cell) and a
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

#: Amber, for cells whose two highest classes are almost equal.
_AMBER = (238, 142, 28)


@dataclass(frozen=True)
class Look:
    """A world and the settings with which it is drawn.

    Attributes:
        world: a single world on a picture.
        fired: int64 [n], its rows that fired in the last step.
        hue: rotation of the class colours, as a share of the colour wheel.
        channel: the channel that the view `channel` shows.
        seed: of the world's draws, for views that compute the next step's draws.
        detail: useful number of pixels per cell, for views finer than cells.
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
        """uint8 [names + 1, 3], the colours of the read-out's names, then of silent cells."""
        colors = name_colors(self.rule.readout, self.hue, self.theme.paper)
        silent = self.theme.mark if self.rule.readout.class_names else self.theme.paper
        return np.concatenate([colors, np.array([silent], np.uint8)])

    @property
    def decided(self) -> npt.NDArray[np.int64]:
        """int64 [N], the label of each cell, −1 for silent."""
        return decided(self.world, shown_above=self.rule.shown_above)

    def means(self, channel: int) -> str:
        """The meaning of one of the rule's channels: `free`, `class 7` or `alpha`."""
        readout = self.rule.readout
        name = readout.channel_name(channel, self.rule.channels)
        return f"class {name}" if name and readout.class_names else name or "free"

    def cells(self, colors: Rgb) -> Rgb:
        """Cells in colours [N, 3]; other pixels show their grey, too faint to be alive."""
        return cells_rgb(self.world, colors, behind=_between(self, faint=True))


def classes(look: Look) -> Rgb:
    """The class of every cell."""
    return look.cells(look.palette[look.decided])


def shown(look: Look) -> Rgb:
    """The read-out colour of every cell, for rules without classes."""
    state = look.world.state.numpy()
    return look.cells(look.rule.readout.rgb(state, look.rule.shown_above, look.theme.paper))


def grey(look: Look) -> Rgb:
    """The picture below the cells."""
    return _between(look, faint=False)


def channel(look: Look) -> Rgb:
    """One channel of every cell's state: purple below zero, orange above."""
    return _channel(look, look.channel)


def tiles(look: Look) -> Rgb:
    """All channels, uint8 [C·H, W, 3]: one picture per channel, one below the other."""
    return np.concatenate([_channel(look, number) for number in range(look.rule.channels)])


def doubt(look: Look) -> Rgb:
    """The lead of each cell's highest class over its second: amber for a small lead."""
    logits = look.world.logits.numpy()
    best = np.partition(logits, -2, axis=1)[:, -2:] if len(logits) else logits[:, :2]
    with np.errstate(invalid="ignore"):  # infinity minus infinity, for a rule that diverges
        lead = np.nan_to_num(np.clip(best[:, 1] - best[:, 0], 0.0, 1.0))
    calm = np.array(look.theme.faint, np.float32)
    colors = np.array(_AMBER) + (calm - _AMBER) * lead[:, None]
    return look.cells(colors.astype(np.uint8))


def fired(look: Look) -> Rgb:
    """The cells that fired in the last step."""
    colors = np.empty((look.world.cells, 3), np.uint8)
    colors[:] = look.theme.line
    colors[look.fired] = look.theme.accent
    return look.cells(colors)


def groups(look: Look) -> Rgb:
    """Connected cells of one label; in each component all groups but the largest are darker."""
    labels = look.decided
    neighbors = look.world.neighbors.numpy()
    colors = look.palette[labels]
    if len(labels):
        component = groups_of(neighbors, np.zeros_like(labels))
        group = groups_of(neighbors, labels)
        size = np.bincount(group)[group]
        # The last write per component remains: its largest group.
        order = np.argsort(size, kind="stable")
        largest = np.empty(component.max() + 1, np.int64)
        largest[component[order]] = group[order]
        dissents = group != largest[component]
        toward = np.array(look.theme.ink, np.float32)
        darker = colors + (toward - colors) * 0.6
        colors = np.where(dissents[:, None], darker, colors).astype(np.uint8)
    return look.cells(colors)


class View(NamedTuple):
    """A view: its name, its tooltip, and the function that draws it."""

    name: str
    tip: str
    draw: Callable[[Look], Rgb]


#: Every view of rules with classes, in the order of their buttons.
VIEWS = (
    View("Classes", "The class of each cell", classes),
    View("Grey", "The picture below the cells", grey),
    View(
        "Channel",
        "One channel of every cell: purple below zero, orange above. Press again: next channel",
        channel,
    ),
    View("Tiles", "All channels; click one to show only that channel", tiles),
    View("Doubt", "Amber: the cell's two highest classes are almost equal", doubt),
    View("Fired", "The cells that fired in the last step", fired),
    View(
        "Groups",
        "Connected cells of one class; all but the largest group of a component are darker",
        groups,
    ),
    View(
        "Messages",
        "Magnitude of the message that each cell receives from each neighbour",
        messages,
    ),
)


#: The tooltip of the first view of rules without classes, by kind of read-out.
_FIRST_TIPS = {
    "bit": "The cells that are on",
    "rgba": "The colour of each cell, from its first four channels",
    "field": "The first value of each cell: darker is larger",
}

#: Views for every kind of read-out; `Tiles` only for more than one channel.
_COMMON = ("Channel", "Tiles", "Fired", "Messages")


@lru_cache(maxsize=8)
def views_of(rule: Rule) -> tuple[View, ...]:
    """The views of worlds of a rule; the first one is named after its read-out."""
    readout = rule.readout
    if readout.class_names:
        return VIEWS
    first = View(readout.title, _FIRST_TIPS.get(readout.kind, "The read-out of each cell"), shown)
    common = [view for view in VIEWS if view.name in _COMMON]
    if rule.habitat.sprout is None:
        common[:0] = [view for view in VIEWS if view.name == "Grey"]
    return first, *(view for view in common if rule.channels > 1 or view.name != "Tiles")


def _channel(look: Look, number: int) -> Rgb:
    values = look.world.state[:, number].numpy()
    return cells_rgb(look.world, diverging(values), behind=_paper(look))


def _between(look: Look, *, faint: bool) -> Rgb:
    """The paper with the grey of all pixels, or only of pixels too faint to be alive."""
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
