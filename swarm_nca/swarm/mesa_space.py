"""A world's places as a Mesa space: a grid for a square picture, a network for all others.

The coordinates are Mesa's own. On a grid Mesa draws the first coordinate to the right and the
second one upwards, so pixel (row, column) of a picture of H rows is the cell (column, H − 1 − row).
In a network Mesa draws nodes that are numbered 0, 1, 2, …, so node number n is cell n. Mesa's
drawings of agents and property layers, with any portrayal and either backend, are then the right
way up. The names of agents stay (row, column) and the graph's own; `Swarm.cell_at(name)` leads from
a name to a cell.
"""

from __future__ import annotations

import inspect
from random import Random
from typing import Any, TypeAlias

import torch
from mesa.discrete_space import Network, OrthogonalMooreGrid, OrthogonalVonNeumannGrid

from swarm_nca.spaces import Space
from swarm_nca.topologies import Topology

#: What `Swarm.space` is.
MesaSpace: TypeAlias = OrthogonalMooreGrid | OrthogonalVonNeumannGrid | Network

#: Mesa's grids by neighbourhood; all other places become a network.
_GRIDS: dict[str, type[OrthogonalMooreGrid] | type[OrthogonalVonNeumannGrid]] = {
    "moore": OrthogonalMooreGrid,
    "von_neumann": OrthogonalVonNeumannGrid,
}


def mesa_space(space: Space, random: Random) -> MesaSpace:
    """All places of one world, alive or not, as the cells of a Mesa space without agents.

    Args:
        space: a picture or a graph, of one world.
        random: for Mesa's choices of random cells.
    """
    if space.pictured and space.as_pixels().grid.neighborhood in _GRIDS:
        return _grid(space, random)
    return _network(space, random)


def _grid(space: Space, random: Random) -> OrthogonalMooreGrid | OrthogonalVonNeumannGrid:
    grid = space.as_pixels().grid
    height, width = space.extent(0)
    cells = _GRIDS[grid.neighborhood]((width, height), torus=grid.torus, random=random)
    if grid.torus and 1 in (height, width):
        # On a ring Mesa connects each cell to itself, and to its neighbours three times.
        for cell in cells.all_cells:
            for step in [step for step in cell.connections if _leaves_ring(step, (width, height))]:
                del cell.connections[step]
    return cells


def _leaves_ring(step: tuple[int, int], extent: tuple[int, int]) -> bool:
    return any(moved and size == 1 for moved, size in zip(step, extent, strict=True))


def _network(space: Space, random: Random) -> Network:
    """Connections lead from a cell to those it hears, except to itself.

    The nodes of the network's graph `G` carry `name` and, where the world's graph has coordinates,
    `pos`.
    """
    addresses = torch.arange(int(space.sizes.sum()), device=space.sizes.device)
    heard, _ = space.look(addresses)
    graph = Topology(heard, tuple(range(len(addresses)))).to_networkx()
    graph.remove_edges_from([(node, node) for node in graph if graph.has_edge(node, node)])
    positions = space.position(addresses).tolist()
    placed = bool(positions) and len(positions[0]) > 1
    for node, name, position in zip(graph, space.names(), positions, strict=True):
        graph.nodes[node].update(name=name, **({"pos": tuple(position)} if placed else {}))
    options: dict[str, Any] = {}
    # Mesa 3.5 and later would lay the graph out with springs, which takes minutes.
    if "layout" in inspect.signature(Network).parameters:
        options["layout"] = dict(enumerate(positions)) if placed else None
    cells = Network(graph, random=random, **options)
    # The cells are connected by now. Mesa's drawing fails on the arrows of a directed graph.
    cells.G = graph.to_undirected()
    for _, _, data in cells.G.edges(data=True):
        data.clear()  # the slots of two directions do not fit one line
    return cells
