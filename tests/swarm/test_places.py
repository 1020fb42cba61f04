"""Places use the device of their space."""

import networkx as nx
import numpy as np
import torch

from swarm_nca.rules import Mlp
from swarm_nca.swarm.places import Places
from swarm_nca.topologies import number_slots
from swarm_nca.world import World


def test_places_use_the_device_of_the_space():
    rule = Mlp()
    picture = World.from_images(np.ones((1, 3, 4)), rule)
    ring = World.from_graph(number_slots(nx.cycle_graph(5)), rule)
    for world in (picture, ring):
        expected = Places(world.space).graph
        with torch.device("meta"):  # tensors on "meta" have no values
            found = Places(world.space).graph
        assert nx.utils.edges_equal(found.edges, expected.edges, directed=True)
