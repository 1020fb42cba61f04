"""The engine: single steps and rollouts of a swarm. On a CPU only cells that fire are computed."""

from swarm_nca.engine.away import check_device
from swarm_nca.engine.backend import Backend
from swarm_nca.engine.backends import BACKENDS, stepper
from swarm_nca.engine.fit import (
    PRECISIONS,
    check_fit,
    check_guest,
    draws_of,
    products_in,
    rates_of,
)
from swarm_nca.engine.gather import CHUNK, Stepper
from swarm_nca.engine.lattice import LatticeStepper
from swarm_nca.engine.mail import Mail, ordinary
from swarm_nca.engine.rollouts import recorded, rollout, step, trajectory

__all__ = [
    "BACKENDS",
    "CHUNK",
    "PRECISIONS",
    "Backend",
    "LatticeStepper",
    "Mail",
    "Stepper",
    "check_device",
    "check_fit",
    "check_guest",
    "draws_of",
    "ordinary",
    "products_in",
    "rates_of",
    "recorded",
    "rollout",
    "step",
    "stepper",
    "trajectory",
]
