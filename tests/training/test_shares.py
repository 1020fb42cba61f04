"""The shares of fresh, mutated and unchanged worlds of a batch."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from swarm_nca.training.recipe import Data, Recipe


def recipe(batch: int, fresh: float, mutated: float) -> Recipe:
    return Recipe(
        name="shares",
        data=(Data(dataset="mnist"),),
        iterations=1,
        batch=batch,
        fresh=fresh,
        mutated=mutated,
    )


def allowed(batch: int, share: float) -> bool:
    """Whether a share may be asked for: none, or enough to be a world."""
    return not share or bool(round(batch * share))


@given(st.integers(1, 64), st.floats(0, 1), st.floats(0, 1))
def test_shares_never_exceed_the_batch(batch: int, fresh: float, part: float) -> None:
    assume(allowed(batch, fresh) and allowed(batch, (1 - fresh) * part))
    new, swapped = recipe(batch, fresh, (1 - fresh) * part).shares()
    assert 0 <= new <= batch
    assert 0 <= swapped <= batch - new


def test_two_halves_of_an_odd_batch_fit_into_it() -> None:
    assert recipe(3, 0.5, 0.5).shares() == (2, 1)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_a_pair_of_shares_never_exceeds_the_batch(
    first: float, last: float, iteration: int
) -> None:
    assume(allowed(16, max(first, last)) and allowed(16, 1 - min(first, last)))
    course = Recipe(
        name="shares",
        data=(Data(dataset="mnist"),),
        iterations=100,
        fresh=(first, last),
        mutated=(1 - first, 1 - last),
    )
    new, swapped = course.shares(iteration)
    assert new + swapped == course.batch
    low, high = sorted((first, last))
    assert round(16 * low) <= new <= round(16 * high)


def test_a_pair_of_shares_changes_linearly_from_the_first_to_the_last_iteration() -> None:
    course = Recipe(
        name="shares", data=(Data(dataset="mnist"),), iterations=7, fresh=(0.5, 0.125), mutated=0.25
    )
    assert [course.shares(iteration) for iteration in range(7)] == [
        (fresh, 4) for fresh in (8, 7, 6, 5, 4, 3, 2)
    ]


def test_a_pair_of_shares_may_reach_the_whole_batch_despite_rounding() -> None:
    assert 0.33 + (0.93 - 0.33) + 0.07 > 1.0
    course = Recipe(
        name="shares",
        data=(Data(dataset="mnist"),),
        iterations=9,
        fresh=(0.33, 0.93),
        mutated=0.07,
    )
    assert course.shares(8) == (15, 1)


def test_a_share_of_less_than_one_world_is_refused_with_the_cure() -> None:
    with pytest.raises(ValueError, match=r"fresh is 0\.0625 of a batch of 8, less than one world"):
        recipe(8, 0.0625, 0.25)
    assert recipe(8, 0.0, 0.25).shares() == (0, 2)
