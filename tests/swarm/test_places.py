"""Places look up their ground on the ground's own device."""

import networkx as nx
import numpy as np
import torch

from swarm_nca.rules import Mlp
from swarm_nca.swarm.places import Places
from swarm_nca.topologies import number_slots
from swarm_nca.world import World


def test_tensors_made_without_a_word_about_their_device_play_no_part():
    rule = Mlp()
    picture = World.from_images(np.ones((1, 3, 4)), rule)
    ring = World.from_graph(number_slots(nx.cycle_graph(5)), rule)
    for world in (picture, ring):
        expected = Places(world.space).graph
        with torch.device("meta"):  # holds no numbers
            found = Places(world.space).graph
        assert nx.utils.edges_equal(found.edges, expected.edges, directed=True)
