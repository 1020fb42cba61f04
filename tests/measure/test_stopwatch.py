from __future__ import annotations

import time

from swarm_nca.measure.stopwatch import Times, interleaved


def test_medians_and_ratios_are_taken_within_rounds() -> None:
    # The machine is ten times slower in the second round, which does not affect the ratio.
    times = Times({"slow": [2.0, 20.0, 2.4], "fast": [1.0, 10.0, 0.8]})
    assert times.seconds("slow") == 2.4
    assert times.ratio("slow", "fast") == 2.0


def test_tasks_run_in_turn_and_quick_ones_are_repeated() -> None:
    calls: list[str] = []

    def slow() -> None:
        calls.append("slow")
        time.sleep(0.02)

    times = interleaved({"slow": slow, "quick": lambda: calls.append("quick")}, fewest=2, seconds=0)
    assert len(times.rounds["slow"]) == len(times.rounds["quick"]) == 2
    # Two calls of each to warm up and to find the repeats, then two rounds in turn.
    assert calls[:4] == ["slow", "slow", "quick", "quick"]
    turns = [call for call, before in zip(calls[4:], calls[3:], strict=False) if call != before]
    assert turns == ["slow", "quick", "slow", "quick"]
    assert calls.count("quick") > 100
    assert 0.02 <= times.seconds("slow") < 0.2
    assert times.ratio("slow", "quick") > 10


def test_rounds_are_repeated_until_the_time_is_over() -> None:
    times = interleaved({"nap": lambda: time.sleep(0.01)}, seconds=0.5, fewest=1)
    assert 2 <= len(times.rounds["nap"]) <= 50
