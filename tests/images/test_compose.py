"""Composed and transformed shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from swarm_nca.images import compose, draw_glyph

GREY = arrays(
    np.float32,
    st.tuples(st.integers(2, 12), st.integers(2, 12)),
    elements=st.floats(0, 1, width=32),
)


def pieces(grey):
    """The number of 8-connected pieces of ink, by flooding."""
    left, count = set(zip(*np.nonzero(grey > 0.1), strict=True)), 0
    while left:
        count, front = count + 1, [left.pop()]
        while front:
            row, column = front.pop()
            near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            front += near
    return count


@given(GREY)
def test_neutral_transforms_are_the_identity(grey):
    assert np.array_equal(compose.shift(grey, (0, 0)), grey)
    assert np.array_equal(compose.rotate(grey, 0), grey)
    assert np.array_equal(compose.scale(grey, 1), grey)
    assert np.allclose(compose.thickness(grey, 0), grey)
    assert np.array_equal(compose.row([grey]), grey)
    assert np.array_equal(compose.chimera(grey, grey), grey)


@given(GREY, st.floats(0.3, 3), st.floats(-400, 400), st.floats(-3, 3), st.floats(-20, 20))
def test_every_transform_keeps_grey_in_the_unit_interval(grey, factor, turn, wider, by):
    for result in (
        compose.scale(grey, factor),
        compose.rotate(grey, turn),
        compose.thickness(grey, wider),
        compose.shift(grey, (by, -by)),
    ):
        assert result.dtype == np.float32
        assert result.min() >= 0
        assert result.max() <= 1 + 1e-6


@given(GREY, st.integers(-14, 14), st.integers(-14, 14))
def test_a_shift_by_whole_pixels_moves_every_value(grey, down, right):
    moved = compose.shift(grey, (down, right))
    for (row, column), value in np.ndenumerate(moved):
        at = row - down, column - right
        inside = all(0 <= a < n for a, n in zip(at, grey.shape, strict=True))
        assert value == (grey[at] if inside else 0)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_a_fractional_shift_moves_the_centre_of_mass(down, right):
    grey = draw_glyph("5")
    moved = compose.shift(grey, (down, right))
    centres = [(np.indices((28, 28)) * each).sum((1, 2)) / each.sum() for each in (grey, moved)]
    assert centres[1] - centres[0] == pytest.approx((down, right), abs=1e-3)


@given(GREY)
def test_a_quarter_turn_equals_numpy_s(grey):
    square = grey[: min(grey.shape), : min(grey.shape)]
    assert np.allclose(compose.rotate(square, 90), np.rot90(square), atol=1e-5)


def test_a_rotated_digit_keeps_its_canvas_and_a_rotated_row_its_ink():
    assert compose.rotate(draw_glyph("0"), 37).shape == (28, 28)
    row = compose.row([draw_glyph("2"), draw_glyph("3")])
    turned = compose.rotate(row, 90)
    assert turned.sum() == pytest.approx(row.sum(), rel=0.02)
    assert turned.shape[0] > 28


def test_scaling_keeps_the_shape_and_squares_the_ink():
    grey = draw_glyph("8")
    larger = compose.scale(grey, 2)
    assert larger.shape == (56, 56)
    assert larger.sum() == pytest.approx(4 * grey.sum(), rel=0.02)
    assert np.abs(compose.scale(larger, 0.5) - grey).mean() < 0.02


@pytest.mark.parametrize("change", [-1.5, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0])
def test_thickness_widens_a_stroke_by_the_given_pixels(change):
    bar = np.zeros((30, 30), np.float32)
    bar[5:25, 12:18] = 1
    assert compose.thickness(bar, change)[15].sum() == pytest.approx(6 + change, abs=0.3)


def test_thickness_acts_smoothly_on_any_fraction_of_a_pixel():
    ink = [compose.thickness(draw_glyph("6"), change).sum() for change in np.arange(-2, 3, 0.1)]
    steps = np.diff(ink)
    assert steps.min() > 0
    assert steps.max() < 6 * np.median(steps)


def test_a_chimera_has_the_halves_of_its_parents():
    three, five = draw_glyph("3"), draw_glyph("5")
    both = compose.chimera(three, five)
    assert np.array_equal(both[:, :14], three[:, :14])
    assert np.array_equal(both[:, 14:], five[:, 14:])


def test_a_chimera_of_different_sizes_has_the_larger_size():
    wide, tall = np.ones((2, 6), np.float32), np.full((4, 2), 0.5, np.float32)
    both = compose.chimera(wide, tall)
    assert both.shape == (4, 6)
    assert both.tolist() == [
        [0, 0, 0, 0.5, 0, 0],
        [1, 1, 1, 0.5, 0, 0],
        [1, 1, 1, 0.5, 0, 0],
        [0, 0, 0, 0.5, 0, 0],
    ]


@pytest.mark.parametrize("word", ["10", "2357", "LOVE"])
def test_a_joined_row_is_one_piece_and_an_open_row_is_not(word):
    digits = [draw_glyph(name) for name in word]
    assert pieces(compose.row(digits)) == len(word)
    joined = compose.row(digits, join=True)
    assert joined.shape == (28, 28 * len(word))
    assert pieces(joined) == 1
    assert (joined >= compose.row(digits)).all()


def test_invalid_compositions_are_refused():
    with pytest.raises(ValueError, match="at least one picture"):
        compose.row([])
    with pytest.raises(ValueError, match="without ink cannot be joined"):
        compose.row([draw_glyph("1"), np.zeros((28, 28), np.float32)], join=True)
    with pytest.raises(ValueError, match="above 0, got 0"):
        compose.scale(draw_glyph("1"), 0)
