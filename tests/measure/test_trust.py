"""AUROC and risk–coverage curves equal plain counts, and do not depend on the pictures' order."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.measure.trust import aurc, auroc, coverage_at, risks

PICTURES = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=7)


def split(pictures) -> tuple[torch.Tensor, torch.Tensor]:
    trust = torch.tensor([float(level) for level, _ in pictures], dtype=torch.float64)
    return trust, torch.tensor([wrong for _, wrong in pictures])


def plain_risks(pictures) -> list[float]:
    """Risk at each coverage, by answering one picture after another in the given order."""
    found, errors = [], 0
    for number, (_, wrong) in enumerate(pictures, 1):
        errors += wrong
        found.append(errors / number)
    return found


@given(PICTURES)
def test_auroc_is_the_share_of_pairs_in_which_the_right_picture_has_more_trust(pictures) -> None:
    pairs = [
        1.0 if right > wrong else 0.5 if right == wrong else 0.0
        for (right, bad), (wrong, worse) in itertools.product(pictures, pictures)
        if worse and not bad
    ]
    found = auroc(*split(pictures))
    assert math.isnan(found) if not pairs else found == pytest.approx(sum(pairs) / len(pairs))


@given(PICTURES)
def test_risks_are_the_mean_over_all_orders_of_equal_trust(pictures) -> None:
    orders = [
        order
        for order in itertools.permutations(pictures)
        if all(a[0] >= b[0] for a, b in itertools.pairwise(order))
    ]
    curves = torch.tensor([plain_risks(order) for order in orders], dtype=torch.float64)
    expected = curves.mean(0)
    torch.testing.assert_close(risks(*split(pictures)), expected)
    assert aurc(*split(pictures)) == pytest.approx(float(expected.mean()))


def test_infinite_trust_is_ordered_like_any_other() -> None:
    trust = torch.tensor([-math.inf, 2.0, math.inf, 1.0])
    assert auroc(trust, torch.tensor([True, False, False, True])) == 1.0
    assert auroc(trust, torch.tensor([False, True, True, False])) == 0.0


def test_the_coverage_at_a_risk_is_the_largest_one() -> None:
    trust = torch.tensor([5.0, 4.0, 3.0, 2.0])
    wrong = torch.tensor([False, True, False, False])
    # Risks 0, 1/2, 1/3, 1/4: the last may exceed an earlier bound and fall below it again.
    assert coverage_at(trust, wrong, 0.25) == 1.0
    assert coverage_at(trust, wrong, 0.2) == 0.25


@pytest.mark.parametrize(
    ("trust", "wrong", "message"),
    [
        ([1.0, 2.0], [True], "one entry for each picture"),
        ([math.nan], [True], "must not be nan"),
    ],
)
def test_bad_arguments_are_refused(trust, wrong, message) -> None:
    with pytest.raises(ValueError, match=message):
        auroc(torch.tensor(trust), torch.tensor(wrong))
