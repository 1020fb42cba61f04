"""Metrics of swarms and evaluation protocols of rules, as plain functions of worlds."""

from swarm_nca.measure.cell_stats import CellStats, decisions
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
from swarm_nca.measure.vote_counts import UNDECIDED, VoteCounts

__all__ = [
    "CURVE",
    "METRICS",
    "UNDECIDED",
    "CellStats",
    "Count",
    "Evaluation",
    "Largest",
    "Metric",
    "Protocol",
    "Ratio",
    "VoteCounts",
    "decisions",
    "evaluate",
    "find_metric",
    "measure",
    "measure_worlds",
    "steps_to_agreement",
]
