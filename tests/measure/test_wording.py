"""Numbers as text: the same words for a share wherever it is shown."""

from __future__ import annotations

import math

import pytest

from swarm_nca.measure.wording import bounds, printed


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("cell_accuracy", 0.9762, "97.6 %"),
        ("total_agreement", 1.0, "100 %"),
        ("total_agreement", 0.9996, "100.0 %"),
        ("undecided", 0.0, "0 %"),
        ("cell_accuracy", math.nan, "–"),
        ("alive", 12345.0, "12,345"),
        ("error", 0.000159, "0.000159"),
        ("residual_magnitude", 0.0078125, "0.00781"),
        ("state_largest", 4.25, "4.250"),
        ("state_largest", 2.5e22, "2.5e+22"),
        ("state_largest", math.inf, "∞"),
    ],
)
def test_numbers_are_printed_in_readable_form(metric: str, value: float, text: str) -> None:
    assert printed(metric, value) == text


def test_bounds_keep_their_digits_and_shares_are_in_percent() -> None:
    assert bounds("cell_accuracy", 0.955, None) == "≥ 95.5 %"
    assert bounds("undecided", None, 0.1) == "≤ 10 %"
    assert bounds("vote_accuracy", 0.29, 0.57) == "29 % … 57 %"
    assert bounds("alive", 5, 5) == "= 5"
    assert bounds("residual_magnitude", 0.0078125, 0.0078125) == "= 0.0078125"
    assert bounds("alive", None, None) == ""
