"""The engines that a scenario can name, their precision and their device."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from swarm_nca.engine import Backend, stepper
from swarm_nca.rules import Rule
from swarm_nca.scenario.schema import Settings
from swarm_nca.simulation import MakesBackend
from swarm_nca.world import World


def _agents(world: World, rule: Rule, seed: int) -> Backend:
    from swarm_nca.swarm import SwarmBatch  # imports Mesa only for engine: agents

    return SwarmBatch(world, rule, seed)


#: Each engine by name: what makes its backend.
ENGINES: Mapping[str, MakesBackend] = {"batched": stepper, "agents": _agents}


def engine_of(settings: Settings, device: str = "cpu") -> MakesBackend:
    """What makes the backend of a scenario; only the batched engine has other precisions, and
    other devices.
    """
    if settings.engine == "batched":
        precision = None if settings.precision == "float32" else settings.precision
        return partial(stepper, precision=precision, device=device)
    return ENGINES[settings.engine]
