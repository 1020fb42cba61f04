"""Classes: names and colours that belong to the rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.rules import DIGITS, Classes


def test_ten_digits_in_the_published_colours_are_the_default() -> None:
    assert DIGITS.names == tuple("0123456789")
    assert DIGITS.colors[:2] == ((128, 0, 0), (230, 25, 75))
    assert DIGITS.colors[9] == (128, 128, 0)
    assert len(set(DIGITS.colors)) == len(DIGITS) == 10


@given(st.lists(st.text(min_size=1, max_size=3), min_size=2, max_size=40, unique=True))
def test_any_names_get_colours_of_their_own_and_survive_json(names: list[str]) -> None:
    classes = Classes.named(*names)
    assert len(set(classes.colors)) == len(names)
    assert Classes.from_json(classes.to_json()) == classes


@pytest.mark.parametrize(
    ("names", "colors", "told"),
    [
        (("a",), ((0, 0, 0),), "at least two classes, got"),
        (("a", "a"), ((0, 0, 0), (1, 1, 1)), "its own name"),
        (("a", "b"), ((0, 0, 0),), "2 classes need as many colours, got 1"),
        (("a", "b"), ((0, 0, 0), (0, 0, 256)), "from 0 to 255"),
        (("a", "b"), ((0, 0, 0), (0, 0)), "three numbers"),
    ],
)
def test_classes_that_cannot_be_are_refused(
    names: tuple[str, ...], colors: tuple[tuple[int, int, int], ...], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        Classes(names, colors)
