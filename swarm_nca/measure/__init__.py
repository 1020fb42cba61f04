"""What is measured of a swarm, and how a rule is examined: plain functions of worlds."""

from swarm_nca.measure.census import UNDECIDED, Census, decisions
from swarm_nca.measure.metrics import (
    METRICS,
    Metric,
    Ratio,
    find_metric,
    measure,
    measure_worlds,
    steps_to_agreement,
)
from swarm_nca.measure.protocols import CURVE, Evaluation, Protocol, evaluate

__all__ = [
    "CURVE",
    "METRICS",
    "UNDECIDED",
    "Census",
    "Evaluation",
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
