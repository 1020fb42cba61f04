"""Scenarios: runs described in YAML files, checked completely before the first step."""

from swarm_nca.scenario.runner import run
from swarm_nca.scenario.scenario import Scenario, load
from swarm_nca.scenario.schema import Settings

__all__ = ["Scenario", "Settings", "load", "run"]
