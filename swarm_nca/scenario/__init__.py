"""Scenarios: a run described in a YAML file, checked to the last key before it starts."""

from swarm_nca.scenario.runner import run
from swarm_nca.scenario.scenario import Scenario, load
from swarm_nca.scenario.schema import Settings

__all__ = ["Scenario", "Settings", "load", "run"]
