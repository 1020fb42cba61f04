"""Sweeps: many runs of one scenario or recipe, as rows of one table."""

from swarm_nca.sweeps.plans import Plan
from swarm_nca.sweeps.running import Swept, sweep
from swarm_nca.sweeps.schema import Sweep

__all__ = ["Plan", "Sweep", "Swept", "sweep"]
