"""What a swarm's data collector can record: the metrics, all of a moment from one look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from swarm_nca.measure.metrics import METRICS

if TYPE_CHECKING:
    from swarm_nca.swarm.model import Swarm


def measured(metric: str, swarm: Swarm) -> float:
    """A metric of the swarm as it is now; nan where there is nothing to measure."""
    return METRICS[metric].reading(swarm.census).pooled()


#: Model reporters by name: every metric. Add your own with {**REPORTERS, "mine": function}.
REPORTERS: Mapping[str, Callable[[Swarm], float]] = {
    name: partial(measured, name) for name in METRICS
}

#: Those recorded unless others are given: what cells have decided, at a tenth of a step's cost.
USUAL = ("cell_accuracy", "total_agreement", "vote_accuracy", "agree_and_correct", "undecided")
