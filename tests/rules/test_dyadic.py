"""Direction filters: exact in short binary fractions, and blind to nothing they should see."""

from __future__ import annotations

import pytest
import torch

from swarm_nca.rules.dyadic import directions
from swarm_nca.rules.weight_sharing import filters_of

NAMES = ("dyadic", "dyadic6", "dyadic9")


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_sixteenths(name: str) -> None:
    filters = directions(name)
    assert torch.equal(filters * 16, (filters * 16).round())
    assert filters[4, 0] == filters[:, 0].sum() == 1.0
    assert filters[:, 1:].sum(0).abs().max() == 0.0  # all others are differences


def test_the_slopes_are_those_of_growing_patterns() -> None:
    for name in NAMES:
        torch.testing.assert_close(directions(name)[:, :3], filters_of(9))


def test_the_laplace_filter_is_the_sum_of_its_differences() -> None:
    laplace = directions("dyadic")[:, 3].view(3, 3) * 16
    assert laplace.tolist() == [[1, 2, 1], [2, -12, 2], [1, 2, 1]]


def test_nine_filters_lose_nothing_of_nine_slots() -> None:
    assert torch.linalg.matrix_rank(directions("dyadic9")) == 9


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="dyadic9, got 'sobel'"):
        directions("sobel")  # type: ignore[arg-type]
