"""What a swarm's data collector can record: the metrics, all of a moment from one look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from swarm_nca.measure.metrics import METRICS
from swarm_nca.rules import Classes, Rule

if TYPE_CHECKING:
    from swarm_nca.swarm.model import Swarm


def measured(metric: str, swarm: Swarm) -> float:
    """A metric of the swarm as it is now; nan where there is nothing to measure."""
    return METRICS[metric].reading(swarm.stats).pooled()


#: Model reporters by name: every metric. Add your own with {**REPORTERS, "mine": function}.
REPORTERS: Mapping[str, Callable[[Swarm], float]] = {
    name: partial(measured, name) for name in METRICS
}

#: Those recorded of classes unless others are given: what cells have decided, at a tenth of a
#: step's cost.
USUAL = ("cell_accuracy", "total_agreement", "vote_accuracy", "agree_and_correct", "undecided")

#: Those recorded of other read-outs: how much cells hold (of bits: the share that is on), and how
#: much it changed.
USUAL_WITHOUT_CLASSES = ("state_magnitude", "residual_magnitude")


def usual(rule: Rule) -> Mapping[str, Callable[[Swarm], float]]:
    """The reporters of a swarm under this rule unless others are given."""
    names = USUAL if isinstance(rule.readout, Classes) else USUAL_WITHOUT_CLASSES
    return {name: REPORTERS[name] for name in names}
