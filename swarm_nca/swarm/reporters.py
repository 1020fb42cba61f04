"""Metrics as reporters for a swarm's data collector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from swarm_nca.measure.metrics import METRICS
from swarm_nca.rules import Classes, Rule

if TYPE_CHECKING:
    from swarm_nca.swarm.model import Swarm


def measured(metric: str, swarm: Swarm) -> float:
    """A metric of the present swarm; nan if there is nothing to measure."""
    return METRICS[metric].reading(swarm.stats).pooled()


#: Model reporters by name: every metric. Add your own with {**REPORTERS, "mine": function}.
REPORTERS: Mapping[str, Callable[[Swarm], float]] = {
    name: partial(measured, name) for name in METRICS
}

#: The default reporters for classes. They take a tenth of the time of a step.
USUAL = ("cell_accuracy", "total_agreement", "vote_accuracy", "agree_and_correct", "undecided")

#: The default reporters for other read-outs: magnitude of states (for bits, the share that is on)
#: and of their change.
USUAL_WITHOUT_CLASSES = ("state_magnitude", "residual_magnitude")


def usual(rule: Rule) -> Mapping[str, Callable[[Swarm], float]]:
    """The default reporters of a swarm under this rule."""
    names = USUAL if isinstance(rule.readout, Classes) else USUAL_WITHOUT_CLASSES
    return {name: REPORTERS[name] for name in names}
