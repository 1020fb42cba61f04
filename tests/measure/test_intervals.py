"""Intervals over pictures, against published values, simulation and limits."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from swarm_nca.measure.intervals import Z95, mean_interval, ratio_error, wilson


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_examples(successes, count, low, high) -> None:
    bounds = wilson(torch.tensor([successes / count], dtype=torch.float64), count)
    assert [round(float(bound), 4) for bound in bounds] == [low, high]


@given(count=st.integers(1, 10_000), share=st.floats(0, 1))
def test_wilson_solves_the_score_equation_and_holds_the_share(count: int, share: float) -> None:
    successes = round(share * count)
    observed = successes / count
    low, high = (float(b) for b in wilson(torch.tensor(observed, dtype=torch.float64), count))
    assert 0.0 <= low <= observed + 1e-12
    assert observed - 1e-12 <= high <= 1.0
    for bound in (low, high):
        # The observed share lies Z95 standard deviations away from each bound.
        reach = Z95 * math.sqrt(bound * (1 - bound) / count)
        assert abs(observed - bound) == pytest.approx(reach, abs=1e-6)


def test_a_share_of_no_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        wilson(torch.tensor([0.5]), 0)


def test_the_error_of_a_ratio_of_equal_wholes_is_that_of_a_mean() -> None:
    part = torch.tensor([[1.0, 4.0, 2.0, 7.0], [3.0, 3.0, 3.0, 3.0]])
    error = ratio_error(part, torch.full((4,), 8.0))
    expected = (part[0] / 8).std() / math.sqrt(4)
    assert error.tolist() == pytest.approx([float(expected), 0.0])


def test_the_error_of_a_ratio_is_the_spread_of_many_samples() -> None:
    generator = torch.Generator().manual_seed(0)
    whole = torch.randint(50, 300, (4000, 200), generator=generator).double()
    # Accuracy differs by picture and is a little lower for larger ones.
    skill = (torch.rand(4000, 200, generator=generator) - whole / 2000).clamp(0, 1)
    ratios = (skill * whole).sum(1) / whole.sum(1)
    errors = torch.stack([ratio_error((s * w)[None], w) for s, w in zip(skill, whole, strict=True)])
    assert float(errors.mean()) == pytest.approx(float(ratios.std()), rel=0.05)


def test_the_error_of_one_picture_is_nan() -> None:
    assert math.isnan(float(ratio_error(torch.tensor([[3.0]]), torch.tensor([5.0]))))


@pytest.mark.parametrize("count", [2, 3, 10, 11, 12, 40, 1000])
def test_the_interval_of_a_mean_is_students(count: int) -> None:
    values = torch.randn(count, generator=torch.Generator().manual_seed(count)).double()
    mean, low, high = mean_interval(values.tolist())
    error = float(values.std()) / math.sqrt(count)
    expected = stats.t.interval(0.95, count - 1, loc=float(values.mean()), scale=error)
    assert mean == pytest.approx(float(values.mean()))
    assert (low, high) == pytest.approx(expected, abs=2e-4 * error)


def test_the_mean_of_one_value_has_no_interval_and_that_of_none_is_refused() -> None:
    mean, low, high = mean_interval([3.0])
    assert mean == 3.0
    assert math.isnan(low)
    assert math.isnan(high)
    with pytest.raises(ValueError, match="at least 1 value"):
        mean_interval([])
