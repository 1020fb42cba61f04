"""How a batch is shared out between fresh, mutated and continuing worlds."""

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


def told(batch: int, share: float) -> bool:
    """Whether a share may be asked for: none, or enough to be a world."""
    return not share or bool(round(batch * share))


@given(st.integers(1, 64), st.floats(0, 1), st.floats(0, 1))
def test_shares_never_exceed_the_batch(batch: int, fresh: float, part: float) -> None:
    assume(told(batch, fresh) and told(batch, (1 - fresh) * part))
    new, swapped = recipe(batch, fresh, (1 - fresh) * part).shares()
    assert 0 <= new <= batch
    assert 0 <= swapped <= batch - new


def test_two_halves_of_an_odd_batch_fit_into_it() -> None:
    assert recipe(3, 0.5, 0.5).shares() == (2, 1)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_a_course_of_shares_never_exceeds_the_batch_either(
    first: float, last: float, iteration: int
) -> None:
    assume(told(16, max(first, last)) and told(16, 1 - min(first, last)))
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


def test_a_course_of_shares_goes_evenly_from_the_first_iterations_to_the_lasts() -> None:
    course = Recipe(
        name="shares", data=(Data(dataset="mnist"),), iterations=7, fresh=(0.5, 0.125), mutated=0.25
    )
    assert [course.shares(iteration) for iteration in range(7)] == [
        (fresh, 4) for fresh in (8, 7, 6, 5, 4, 3, 2)
    ]


def test_a_course_to_the_whole_batch_is_taken_though_its_decimals_are_not_exact() -> None:
    assert 0.33 + (0.93 - 0.33) + 0.07 > 1.0
    course = Recipe(
        name="shares",
        data=(Data(dataset="mnist"),),
        iterations=9,
        fresh=(0.33, 0.93),
        mutated=0.07,
    )
    assert course.shares(8) == (15, 1)


def test_a_share_too_small_for_a_single_world_is_refused_with_the_cure() -> None:
    with pytest.raises(ValueError, match=r"fresh is 0\.0625 of a batch of 8, not one whole world"):
        recipe(8, 0.0625, 0.25)
    assert recipe(8, 0.0, 0.25).shares() == (0, 2)
