"""How Mesa draws the agents of a swarm: in the colours that the rule's read-out gives their states.

The functions of this module need the extra `solara`; `swarm_nca.swarm.visualization` exports them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from matplotlib.collections import PathCollection
from mesa.visualization import draw_space, make_space_component
from mesa.visualization.components import AgentPortrayalStyle

from swarm_nca.swarm.agents import CellAgent
from swarm_nca.swarm.model import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Outline of the discs of nodes: grey, because a cell can be white.
_OUTLINE = "#969696"

#: Side of a square, as a share of the cell's side. Cells of fewer points than `_SMALL` get no gaps:
#: gaps of less than a pixel make a moiré.
_SIDE, _SIDE_IF_SMALL, _SMALL = 0.92, 1.04, 5.0


def portrayal(agent: CellAgent) -> AgentPortrayalStyle:
    """A square pixel, or the disc of a node, in the read-out's colour.

    For Mesa's `draw_space`, `make_space_component` and `SpaceRenderer`.
    """
    swarm = agent.model
    rgb = swarm.rule.readout.rgb(agent.state[None], swarm.rule.shown_above)[0]
    color = "#{:02x}{:02x}{:02x}".format(*rgb)
    if swarm.places.pictured:
        return AgentPortrayalStyle(color=color, marker="s", size=None, linewidths=0)
    size = min(200.0, 20_000 / swarm.places.count)
    return AgentPortrayalStyle(
        color=color, marker="o", size=size, edgecolors=_OUTLINE, linewidths=0.8
    )


def fill_cells(ax: Axes) -> None:
    """Let the squares of a picture fill its cells, without numbered axes.

    A `post_process` for Mesa's Matplotlib components of swarms on pictures.
    """
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color("#d5d9de")
    ax.apply_aspect()
    cell = 72 * math.dist(*ax.transData.transform([(0, 0), (1, 0)])) / ax.figure.dpi  # in points
    side = cell * (_SIDE if cell >= _SMALL else _SIDE_IF_SMALL)
    for squares in ax.collections:
        if isinstance(squares, PathCollection):
            squares.set_sizes([side**2])


def _equal_axes(ax: Axes) -> None:
    ax.set_aspect("equal")


def drawing_options(swarm: Swarm) -> dict[str, Any]:
    """Keyword arguments for Mesa's `draw_space` and `make_space_component` that suit a swarm.

    No lines between pixels; a graph whose nodes have coordinates is drawn by them.
    """
    if swarm.places.pictured:
        return {"draw_grid": False}
    places = dict(swarm.space.G.nodes(data="pos"))
    if None in places.values():
        return {}
    flat = {node: place[:2] for node, place in places.items()}
    return {"layout_alg": lambda graph, **_: flat}


def draw(swarm: Swarm, ax: Axes | None = None) -> Axes:
    """Mesa's `draw_space` of a swarm in the rule's colours.

    Args:
        swarm: on a picture or a graph.
        ax: where to draw; a figure of its own when None.
    """
    ax = draw_space(swarm.space, portrayal, ax=ax, **drawing_options(swarm))
    _finish(swarm)(ax)
    return ax


def space_component(swarm: Swarm) -> Any:
    """Mesa's space component for a `SolaraViz` page of a swarm, in the rule's colours."""
    return make_space_component(
        portrayal,
        post_process=_finish(swarm),
        **drawing_options(swarm),
    )


def _finish(swarm: Swarm) -> Callable[[Axes], None]:
    return fill_cells if swarm.places.pictured else _equal_axes
