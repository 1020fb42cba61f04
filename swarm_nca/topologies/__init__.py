"""Topologies: the neighbour of each cell in each slot. To add one, write a file and a line here."""

from swarm_nca.topologies.cubic import cubic
from swarm_nca.topologies.graph_file import read_graph, stimulus_of
from swarm_nca.topologies.grid import NEIGHBORHOODS, Grid
from swarm_nca.topologies.table import OWN_SLOT, Topology, number_slots

__all__ = [
    "NEIGHBORHOODS",
    "OWN_SLOT",
    "Grid",
    "Topology",
    "cubic",
    "number_slots",
    "read_graph",
    "stimulus_of",
]
