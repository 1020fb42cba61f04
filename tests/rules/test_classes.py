"""Names and colours of classes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.rules import DIGITS, Classes


def test_the_default_is_ten_digits_in_ten_colours() -> None:
    assert DIGITS.names == tuple("0123456789")
    assert len(set(DIGITS.colors)) == len(DIGITS) == 10


#: Characters that every name may contain.
WRITTEN = st.characters(codec="utf-8", categories=("L", "N", "P", "S"))


@given(st.lists(st.text(WRITTEN, min_size=1, max_size=3), min_size=2, max_size=40, unique=True))
def test_named_classes_get_different_colours_and_survive_json(names: list[str]) -> None:
    classes = Classes.named(*names)
    assert len(set(classes.colors)) == len(names)
    assert Classes.from_json(classes.to_json()) == classes


@pytest.mark.parametrize(
    "name",
    ["T-shirt", "two words", "łuk", "\u0915\u094d\u200d\u0937", "\u3000全", "$x^$", "[/red]"],
)
def test_names_may_use_any_script(name: str) -> None:
    assert Classes.named("a", name).names == ("a", name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (7, "a class name must be text, got 7"),
        ("", "needs a letter, digit or sign, got ''"),
        (" ", "needs a letter, digit or sign"),
        ("\u0301", "needs a letter, digit or sign"),
        ("two\nlines", r"one line of text .*, got 'two\\nlines'"),
        ("a\x00", "without control characters"),
        ("a\ud800", "or surrogates"),
        ("a\u2028b", "one line of text"),
        ("a\u202eb", "one line of text"),
        ("long" * 26, "at most 100 characters, got 104"),
    ],
)
def test_invalid_names_are_refused_in_one_line(name: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Classes(("a", name), ((0, 0, 0), (1, 1, 1)))
    assert len(str(caught.value).splitlines()) == 1


def test_more_than_256_classes_are_refused() -> None:
    names = [str(i) for i in range(257)]
    assert len(Classes.named(*names[:256])) == 256
    with pytest.raises(ValueError, match="at most 256 classes, got 257"):
        Classes.named(*names)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (["a", "b"], "a mapping of names and colors, got"),
        ({"names": ["a", "b"]}, "a mapping of names and colors"),
        ({"names": "ab", "colors": [[0, 0, 0]] * 2}, "names of classes must be a list, got 'ab'"),
        ({"names": ["a", "b"], "colors": [[0, 0, 0], 5]}, "a colour is three numbers"),
        ({"names": ["a", "b"], "colors": [[0, 0, 0], [0, 0, 12.7]]}, "three whole numbers"),
        ({"names": ["a", "b"], "colors": [[0, 0, 0], [0, 0, True]]}, "three whole numbers"),
        ({"names": ["a", "b"], "colors": [[0, 0, 0], [0, 0, 10**400]]}, "three whole numbers"),
        ({"names": ["a", "b"], "colors": [[0, 0, 0], [0, 0, float("nan")]]}, "three whole"),
    ],
)
def test_invalid_data_is_refused(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Classes.from_json(data)


@pytest.mark.parametrize(
    ("names", "colors", "message"),
    [
        (("a",), ((0, 0, 0),), "at least two classes, got"),
        (("a", "a"), ((0, 0, 0), (1, 1, 1)), "names must be different"),
        (("a", "b"), ((0, 0, 0),), "2 classes need as many colours, got 1"),
        (("a", "b"), ((0, 0, 0), (0, 0, 256)), "from 0 to 255"),
        (("a", "b"), ((0, 0, 0), (0, 0)), "three numbers"),
    ],
)
def test_invalid_classes_are_refused(
    names: tuple[str, ...], colors: tuple[tuple[int, int, int], ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Classes(names, colors)
