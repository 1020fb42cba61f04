"""Spaces of worlds: pictures or graphs."""

from swarm_nca.spaces.graph_space import GraphSpace, join_tables
from swarm_nca.spaces.pixel_space import PixelSpace
from swarm_nca.spaces.space import Lattice, Space, Sprouting, spread, starts

__all__ = [
    "GraphSpace",
    "Lattice",
    "PixelSpace",
    "Space",
    "Sprouting",
    "join_tables",
    "spread",
    "starts",
]
