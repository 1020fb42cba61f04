"""Judges an expectation from the readings of the steps that it names."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from swarm_nca.measure.readings import Reading
from swarm_nca.recording import Expectation
from swarm_nca.scenario.schema import Expect


class Judge:
    """Follows one expectation through a run.

    Args:
        wanted: the expectation.
        steps: length of the run.
    """

    def __init__(self, wanted: Expect, steps: int) -> None:
        self.wanted = wanted
        self.first, self.last = wanted.span(steps)
        #: The pooled value that decides: the worst of the steps, or the best if one step is enough.
        self._value = math.nan
        self._reached: int | None = None
        self._begun = True
        self._met: npt.NDArray[np.bool_] | None = None
        self._known: npt.NDArray[np.bool_] | None = None

    def see(self, step: int, reading: Reading, begun: bool = True) -> None:
        """Take note of a step; steps that the expectation does not name are ignored.

        Args:
            begun: see `Expectation`.
        """
        if not self.first <= step <= self.last:
            return
        self._begun &= begun
        if self.wanted.share is not None:
            self._see_worlds(reading.per_world().numpy())
            return
        value = reading.pooled()
        if self.wanted.within is not None:
            if step == self.first or self._missed_by(value) < self._missed_by(self._value):
                self._value = value
            if self._reached is None and self._missed_by(value) <= 0:
                self._reached = step
        elif step == self.first or self._missed_by(value) > self._missed_by(self._value):
            self._value = value

    @property
    def result(self) -> Expectation:
        """The result, once the last step has been seen."""
        value = self._value
        if self._met is not None and self._known is not None:
            known = int(self._known.sum())
            value = float((self._met & self._known).sum() / known) if known else math.nan
        wanted = self.wanted
        return Expectation(
            wanted.metric,
            self.first,
            wanted.min,
            wanted.max,
            value,
            self._begun,
            to=self.last if wanted.at is None else None,
            within=wanted.within,
            share=wanted.share,
            reached=self._reached,
        )

    def _missed_by(self, value: float) -> float:
        """By how much a value misses the bounds; not above 0 within them, infinite for nan."""
        if math.isnan(value):
            return math.inf
        low = -math.inf if self.wanted.min is None else self.wanted.min - value
        high = -math.inf if self.wanted.max is None else value - self.wanted.max
        return max(low, high)

    def _see_worlds(self, values: npt.NDArray[np.float64]) -> None:
        """Each world's own verdict; a world without any value, such as one without a label, has
        none.
        """
        met = np.array([self._missed_by(float(value)) <= 0 for value in values])
        known = ~np.isnan(values)
        if self._met is None or self._known is None:
            self._met, self._known = met, known
        else:
            once = self.wanted.within is not None
            self._met = self._met | met if once else self._met & met
            self._known = self._known | known
