"""A world as a Mesa model with one agent object per living cell."""

from swarm_nca.swarm.agents import CellAgent
from swarm_nca.swarm.batch import SwarmBatch
from swarm_nca.swarm.engines import ENGINES
from swarm_nca.swarm.model import Swarm
from swarm_nca.swarm.reporters import REPORTERS

__all__ = ["ENGINES", "REPORTERS", "CellAgent", "Swarm", "SwarmBatch"]
