"""Patterns of Life in run-length encoded text: valid text is read, invalid text is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from swarm_nca.images import Source, load
from swarm_nca.images.rle import parse_pattern, read_pattern

GLIDER = [[0, 1, 0], [0, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    "text",
    [
        "bob$2bo$3o!",
        "bo$bbo$ooo! what follows is ignored",
        "#N Glider\n#C a comment\nx = 3, y = 3, rule = B3/S23\nbob$2bo$\n3o!\n",
        "x=3,y=3\nbob$\n2b\no$3o!",
    ],
)
def test_line_breaks_do_not_change_a_pattern(text: str) -> None:
    assert parse_pattern(text).grey.tolist() == GLIDER


def test_a_header_gives_the_size_and_the_rule() -> None:
    found = parse_pattern("x = 5, y = 4, rule = B36/S23\n$o!")
    assert found.rule == "B36/S23"
    assert found.grey.shape == (4, 5)
    assert np.argwhere(found.grey).tolist() == [[1, 0]]


def test_empty_rows_and_counts_of_any_length_are_kept() -> None:
    found = parse_pattern("o3$12b2o!")
    assert found.grey.shape == (4, 14)
    assert np.argwhere(found.grey).tolist() == [[0, 0], [3, 12], [3, 13]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bob$2bo$3o", "ends with !"),
        ("", "ends with !"),
        ("bbb!", "at least one live cell"),
        ("bobA!", "with two states only; got 'A!'"),
        ("x = 2, y = 3\nbob$2bo$3o!", "x = 2, y = 3, but its rows take x = 3"),
        ("99999999999o!", "do not fit"),
        ("x = 9999999, y = 9999999\no!", "do not fit"),
    ],
)
def test_invalid_patterns_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_pattern(text)


def test_an_error_names_the_missing_or_invalid_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.rle: cannot be read"):
        read_pattern("none.rle", tmp_path)
    (tmp_path / "cut.rle").write_text("x = 3, y = 3\nbob$2b", encoding="ascii")
    with pytest.raises(ValueError, match=r"cut\.rle: a pattern ends with !"):
        read_pattern("cut.rle", tmp_path)


def test_a_soup_has_its_density_and_depends_on_the_seed_alone() -> None:
    grey = load(Source(soup=0.3, size=(100, 200), count=2), seed=5).grey
    assert grey.shape == (2, 100, 200)
    assert set(np.unique(grey)) == {0.0, 1.0}
    assert abs(float(np.mean(grey)) - 0.3) < 0.01
    assert np.array_equal(grey, load(Source(soup=0.3, size=(100, 200), count=2), seed=5).grey)
    assert not np.array_equal(grey, load(Source(soup=0.3, size=(100, 200), count=2), seed=6).grey)


@pytest.mark.parametrize(("size", "middle"), [((5, 7), [2, 3]), ((72, 72), [36, 36])])
def test_a_sprout_is_one_pixel_in_the_middle(size: tuple[int, int], middle: list[int]) -> None:
    grey = load(Source(sprout=True, size=size)).grey
    assert np.argwhere(grey[0]).tolist() == [middle]


def test_a_soup_and_a_sprout_need_a_size() -> None:
    for source in (Source(soup=0.3), Source(sprout=True)):
        with pytest.raises(ValueError, match="needs a size"):
            load(source)
