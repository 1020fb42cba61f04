"""What is measured of a swarm, and how a rule is examined: plain functions of worlds."""

from swarm_nca.measure.ballots import UNDECIDED, Ballots
from swarm_nca.measure.census import Census, decisions
from swarm_nca.measure.metrics import (
    CURVE,
    METRICS,
    Metric,
    find_metric,
    measure,
    measure_worlds,
    steps_to_agreement,
)
from swarm_nca.measure.protocols import Evaluation, Protocol, evaluate
from swarm_nca.measure.readings import Count, Largest, Ratio

__all__ = [
    "CURVE",
    "METRICS",
    "UNDECIDED",
    "Ballots",
    "Census",
    "Count",
    "Evaluation",
    "Largest",
    "Metric",
    "Protocol",
    "Ratio",
    "decisions",
    "evaluate",
    "find_metric",
    "measure",
    "measure_worlds",
    "steps_to_agreement",
]
