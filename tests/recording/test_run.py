"""The record of a run: results of expectations, and the choice of steps to keep."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.recording import Expectation, kept_steps

from .conftest import MakeRun


@pytest.mark.parametrize(
    ("low", "high", "value", "passed"),
    [
        (0.9, None, 0.9, True),
        (0.9, None, 0.8999, False),
        (None, 0.1, 0.1, True),
        (None, 0.1, 0.11, False),
        (0.2, 0.4, 0.3, True),
        (0.2, 0.4, 0.5, False),
        (0.0, None, math.nan, False),
        (None, None, math.nan, False),
        (None, 1.0, math.inf, False),
    ],
)
def test_an_expectation_is_met_within_its_bounds_and_never_by_nan(
    low: float | None, high: float | None, value: float, passed: bool
) -> None:
    assert Expectation("cell_accuracy", 10, low, high, value).passed is passed


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("cell_accuracy", "no class for these pictures"),
        ("label_flips", "no step before"),
        ("undecided", "nothing to measure"),
    ],
)
def test_an_expectation_without_a_value_has_a_reason(metric: str, reason: str) -> None:
    assert reason in Expectation(metric, 0, 0.0, None, math.nan).unknown
    assert Expectation(metric, 0, 0.0, None, 0.5).unknown == ""


def test_a_run_passes_if_every_expectation_is_met(make_run: MakeRun) -> None:
    met = Expectation("undecided", 1, None, 0.5, 0.0)
    missed = Expectation("undecided", 1, 0.5, None, 0.0)
    assert make_run().passed
    assert make_run(expectations=[met]).passed
    assert not make_run(expectations=[met, missed]).passed


def test_the_repr_of_a_run_is_one_line(make_run: MakeRun) -> None:
    failed = make_run(steps=20, worlds=3, expectations=[Expectation("undecided", 1, 1, None, 0)])
    assert repr(failed) == "Run('cross-becomes-ring', steps=20, worlds=3, passed=False)"


@given(
    steps=st.integers(0, 5000),
    every=st.integers(1, 50),
    cells=st.integers(0, 10**7),
    share=st.floats(0, 1),
)
def test_start_end_and_perturbations_are_always_kept_and_memory_is_bounded(
    steps: int, every: int, cells: int, share: float
) -> None:
    perturbed = {int(share * max(0, steps - 1))}
    kept = kept_steps(steps, every, perturbed, cells)
    assert {0, steps} | perturbed <= kept
    assert kept <= set(range(steps + 1))
    assert len(kept) <= 420
    assert len(kept) * cells <= max(2_000_000, 36 * cells) + 12 * cells


def test_a_short_run_keeps_every_step() -> None:
    assert kept_steps(300, 1, (), 200) == set(range(301))
    assert kept_steps(100, 25, {60}, 200) >= {0, 25, 50, 60, 75, 100}
    assert 30 not in kept_steps(100, 25, {60}, 200)


@given(
    steps=st.integers(1, 5000),
    cells=st.integers(1, 10**7),
    perturbations=st.integers(0, 600),
    cell_bytes=st.sampled_from([40, 80, 800]),
)
def test_frames_are_bounded_in_memory_for_any_world_and_perturbations(
    steps: int, cells: int, perturbations: int, cell_bytes: int
) -> None:
    perturbed = (
        set(range(0, steps, max(1, steps // max(1, perturbations)))) if perturbations else ()
    )
    kept = kept_steps(steps, 1, perturbed, cells, cell_bytes)
    frames = len(kept) + len(kept & set(perturbed))
    assert {0, steps} <= kept
    assert frames * cells * cell_bytes <= max(1 << 30, 5 * cells * cell_bytes)


def test_a_world_of_ordinary_size_keeps_first_regular_and_perturbed_steps() -> None:
    for cells in (200, 10_000, 80_000, 300_000):
        affordable = max(24, min(400, 2_000_000 // cells))
        for steps in (12, 100, 1000):
            first = {0, 1, 2, 3, 5, 7, 10, 15, 20} & set(range(steps + 1))
            regular = set(range(0, steps + 1, max(1, -(-steps // affordable))))
            assert kept_steps(steps, 1, {steps // 2}, cells) == (
                first | regular | {steps // 2, steps}
            )


def test_a_large_world_keeps_the_most_informative_steps() -> None:
    assert kept_steps(1000, 1, {500}, 4_000_000) == {0, 1000, 500}
    assert kept_steps(1000, 1, (), 4_000_000) == {0, 1000, 20, 15, 10}
    assert kept_steps(1000, 1, range(0, 1000, 10), 1_000_000) == {0, 320, 640, 960, 1000}
