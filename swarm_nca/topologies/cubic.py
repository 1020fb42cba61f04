"""Cubic lattices: cells in three dimensions, with up to 26 neighbours."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from swarm_nca.arguments import whole

if TYPE_CHECKING:
    import networkx as nx

#: Slots of a cubic lattice: 9·(layer offset + 1) + 3·(row offset + 1) + (column offset + 1).
SLOTS, OWN = 27, 13

#: The largest number of cells, since every link is an edge of a networkx graph.
MOST_CELLS = 100_000


def cubic(shape: tuple[int, int, int], torus: bool = False) -> nx.DiGraph[tuple[int, int, int]]:
    """A cubic lattice with 27 slots, the cell's own in the middle.

    Args:
        shape: layers, rows and columns; at least 3 each on a torus.
        torus: whether opposite sides touch.

    Returns:
        Edges u → v ("u hears v") with an attribute `slot`; nodes (layer, row, column) with `pos`,
        the coordinates of an oblique drawing.

    Raises:
        ValueError: sides below 1, a torus with sides below 3, or more than 100,000 cells.
    """
    import networkx as nx

    sides = tuple(whole("shape", side, 1, MOST_CELLS) for side in shape)
    if len(sides) != 3:
        raise ValueError(f"shape is (layers, rows, columns), got {list(shape)}")
    cells = sides[0] * sides[1] * sides[2]
    if cells > MOST_CELLS:
        raise ValueError(f"a cubic lattice has at most {MOST_CELLS:,} cells, got {cells:,}")
    if torus and min(sides) < 3:
        raise ValueError(
            f"on a torus all sides are at least 3, or cells have one neighbour twice; got "
            f"{list(sides)}"
        )
    graph: nx.DiGraph[tuple[int, int, int]] = nx.DiGraph(slots=SLOTS)
    offsets = list(itertools.product((-1, 0, 1), repeat=3))
    nodes = list(itertools.product(*map(range, sides)))
    for layer, row, column in nodes:
        # Layers lie behind each other, each shifted to the upper right.
        graph.add_node((layer, row, column), pos=(row - 0.45 * layer, column + 0.35 * layer))
    for (layer, row, column), (slot, offset) in itertools.product(nodes, enumerate(offsets)):
        other = (layer + offset[0], row + offset[1], column + offset[2])
        if torus:
            other = (other[0] % sides[0], other[1] % sides[1], other[2] % sides[2])
        if other in graph:
            graph.add_edge((layer, row, column), other, slot=slot)
    return graph
