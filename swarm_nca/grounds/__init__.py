"""What worlds stand on: pictures, or graphs."""

from swarm_nca.grounds.canvas import Canvas
from swarm_nca.grounds.ground import Ground, Lattice, Sprouting, spread, starts
from swarm_nca.grounds.network import Network, join_tables

__all__ = ["Canvas", "Ground", "Lattice", "Network", "Sprouting", "join_tables", "spread", "starts"]
