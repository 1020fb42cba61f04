"""Timing things against each other on a machine that has other work to do.

What is compared runs in turn, round after round, so that a busy minute hits all of them alike; what
is reported are medians, and the median of the ratios within rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

#: A single timing lasts at least so long (seconds), by repeating what is quicker.
SHORTEST = 0.005


@dataclass(frozen=True)
class Times:
    """Seconds per call of several tasks, by name, one entry per round."""

    rounds: Mapping[str, list[float]]

    def seconds(self, name: str) -> float:
        """The median time of one call."""
        return median(self.rounds[name])

    def ratio(self, slow: str, fast: str) -> float:
        """How many times longer one takes than another: the median over rounds."""
        pairs = zip(self.rounds[slow], self.rounds[fast], strict=True)
        return median(one / other for one, other in pairs)


def interleaved(
    tasks: Mapping[str, Callable[[], object]], *, seconds: float = 4.0, fewest: int = 3
) -> Times:
    """Time tasks in turn.

    Args:
        tasks: called without arguments, by name; each is called once beforehand, to warm up.
        seconds: rounds are begun until so much time has passed,
        fewest: but at least so many are made.
    """
    repeats = {}
    for name, task in tasks.items():
        task()
        repeats[name] = max(1, round(SHORTEST / _timed(task, 1)))
    rounds: dict[str, list[float]] = {name: [] for name in tasks}
    start, done = time.perf_counter(), 0
    while done < fewest or time.perf_counter() - start < seconds:
        for name, task in tasks.items():
            rounds[name].append(_timed(task, repeats[name]))
        done += 1
    return Times(rounds)


def _timed(task: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        task()
    return (time.perf_counter() - start) / repeats
