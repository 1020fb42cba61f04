"""Compares running times on a machine that may be busy.

The tasks run in turn, in many rounds, so that other work slows all of them equally. Results are
medians, and medians of the ratios within rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

#: A clock in seconds.
Clock: TypeAlias = Callable[[], float]

#: Minimum seconds of a timing; quicker tasks are repeated.
SHORTEST = 0.005


@dataclass(frozen=True)
class Times:
    """Seconds per call of several tasks, by name, one entry per round."""

    rounds: Mapping[str, list[float]]

    def seconds(self, name: str) -> float:
        """The median time of one call."""
        return median(self.rounds[name])

    def least(self, name: str) -> float:
        """The shortest time of one call, which other work slows least."""
        return min(self.rounds[name])

    def ratio(self, slow: str, fast: str) -> float:
        """The time of `slow` over the time of `fast`: the median over rounds."""
        pairs = zip(self.rounds[slow], self.rounds[fast], strict=True)
        return median(numerator / denominator for numerator, denominator in pairs)


def interleaved(
    tasks: Mapping[str, Callable[[], object]],
    *,
    seconds: float = 4.0,
    fewest: int = 3,
    clock: Clock = time.perf_counter,
) -> Times:
    """Time tasks in turn.

    Args:
        tasks: functions without arguments, by name; each is called once first, to warm up.
        seconds: time after which no further round starts.
        fewest: minimum number of rounds.
        clock: what is measured; `time.process_time` leaves out the time in which other processes
            run, and adds up threads.
    """
    repeats = {}
    for name, task in tasks.items():
        task()
        repeats[name] = max(1, round(SHORTEST / _timed(task, 1, clock)))
    rounds: dict[str, list[float]] = {name: [] for name in tasks}
    start, done = time.perf_counter(), 0
    while done < fewest or time.perf_counter() - start < seconds:
        for name, task in tasks.items():
            rounds[name].append(_timed(task, repeats[name], clock))
        done += 1
    return Times(rounds)


def _timed(task: Callable[[], object], repeats: int, clock: Clock) -> float:
    start = clock()
    for _ in range(repeats):
        task()
    # A clock with coarse ticks must not measure nothing.
    return max(clock() - start, 1e-9) / repeats
