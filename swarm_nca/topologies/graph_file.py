"""Graphs from GraphML files, and the stimulus of their nodes."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from swarm_nca.topologies.table import OWN_SLOT, number_slots

if TYPE_CHECKING:
    import networkx as nx

#: The largest file; one node takes about 200 bytes.
MOST_BYTES = 64 << 20


def read_graph(path: str | Path, slots: int) -> nx.Graph[Hashable]:
    """A graph from a GraphML file, for rules with a number of slots.

    Nodes may carry `x` and `y` (and `z`), which become their attribute `pos`. Edges carry `slot`;
    if none does, the neighbours of each node take the slots in the file's order, and the node
    itself slot 4, or the last one of fewer slots.

    Raises:
        ValueError: a file that cannot be read, a multigraph, or a node with too many neighbours.
    """
    import networkx as nx

    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{path}: a graph file has at most {MOST_BYTES:,} bytes")
        graph: nx.Graph[Hashable] = nx.read_graphml(path)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from error
    except (nx.NetworkXError, SyntaxError, KeyError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not a readable GraphML file ({reason})") from error
    if not len(graph):
        raise ValueError(f"{path}: this graph has no nodes")
    if graph.is_multigraph():
        raise ValueError(f"{path}: two edges join the same nodes; keep one of them")
    _place(graph)
    numbered = [edge for *_, edge in graph.edges(data=True) if "slot" in edge]
    if len(numbered) == graph.number_of_edges() and numbered:
        return graph
    if numbered:
        raise ValueError(f"{path}: some edges have a slot and some have none; give all or none one")
    return number_slots(graph, slots, min(OWN_SLOT, slots - 1))


def stimulus_of(graph: nx.Graph[Hashable], size: int) -> Tensor | None:
    """[N, size], the attribute `grey` of the nodes in every value; None if no node has it.

    Raises:
        ValueError: only some nodes have it, or a value that is not a number in [0, 1].
    """
    given: dict[Hashable, Any] = {name: node.get("grey") for name, node in graph.nodes.items()}
    if all(value is None for value in given.values()):
        return None
    for name, value in given.items():
        if not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
            raise ValueError(f"node {name!r}: grey is a number from 0 to 1, got {value!r}")
    grey = torch.tensor([float(value) for value in given.values()])
    return grey[:, None].expand(-1, size).contiguous()


def _place(graph: nx.Graph[Hashable]) -> None:
    """Set `pos` from the attributes `x`, `y` and `z`."""
    for _, node in graph.nodes(data=True):
        axes = [node[axis] for axis in ("x", "y", "z") if axis in node]
        if axes and "pos" not in node:
            node["pos"] = tuple(axes)
