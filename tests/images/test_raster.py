"""Brushes: coverage against a brute-force oracle, bounds, masks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.images.raster import half, render_segments, segment_coverage

COORDINATE = st.floats(-5, 14)
LINE = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=5)
SHAPE = st.tuples(st.integers(1, 10), st.integers(1, 10))
RADIUS = st.floats(0.3, 4)


def by_points(line, radius, shape, softness=1.0):
    """Coverage from the minimum distance to many points of the line: slow and independent."""
    line = np.array(line)
    t = np.linspace(0, 1, 1000)[:, None]
    ends = pairwise(line)
    dots = np.concatenate([line, *(a + t * (b - a) for a, b in ends)])
    pixels = np.stack(np.indices(shape), -1)[:, :, None, :]
    distance = np.sqrt(((pixels - dots) ** 2).sum(-1)).min(-1)
    return np.clip((radius - distance) / softness + 0.5, 0, 1)


@given(LINE, RADIUS, SHAPE)
def test_a_brush_s_coverage_equals_a_brute_force_search(line, radius, shape):
    rows, columns, coverage = segment_coverage(line, radius, shape)
    canvas = np.zeros(shape)
    canvas[rows, columns] = coverage
    assert np.abs(canvas - by_points(line, radius, shape)).max() < 0.02
    assert ((coverage > 0) & (coverage <= 1)).all()
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == len(rows)


def test_a_small_brush_touches_few_pixels_of_a_huge_canvas():
    rows, columns, _ = segment_coverage([(5000, 7000), (5003, 7000)], 1.0, (10**6, 10**6))
    assert len(rows) < 30
    assert abs(rows - 5001.5).max() < 4
    assert abs(columns - 7000).max() < 3


@given(st.lists(LINE.filter(lambda line: len(line) > 1), min_size=1, max_size=4), RADIUS, SHAPE)
def test_pictures_drawn_together_equal_pictures_drawn_alone(lines, radius, shape):
    S = max(len(line) for line in lines) - 1
    padded = np.array([line + [line[-1]] * (S + 1 - len(line)) for line in lines], np.float32)
    radii = np.full((len(lines), S), radius, np.float32)
    together = render_segments(padded[:, :-1], padded[:, 1:], radii, shape)
    for line, picture in zip(lines, together, strict=True):
        assert np.abs(picture - by_points(line, radius, shape)).max() < 0.02


@pytest.mark.parametrize("shape", [(4, 6), (5, 7)])
@pytest.mark.parametrize(("one", "other"), [("left", "right"), ("top", "bottom")])
def test_two_halves_are_equally_large_and_never_overlap(shape, one, other):
    a, b = half(one, shape), half(other, shape)
    assert a.sum() == b.sum() > 0
    assert not (a & b).any()
    assert np.array_equal(a, b[:, ::-1] if one == "left" else b[::-1])


@pytest.mark.parametrize(
    ("line", "radius", "message"),
    [
        ([], 1, "a list of"),
        ([1, 2], 1, "got shape"),
        ([(1, float("nan"))], 1, "finite"),
        ([(1, 2)], 0, "above 0, got 0"),
        ([(1, 2)], float("nan"), "above 0, got nan"),
    ],
)
def test_a_line_that_cannot_be_drawn_is_refused(line, radius, message):
    with pytest.raises(ValueError, match=message):
        segment_coverage(line, radius, (5, 5))
