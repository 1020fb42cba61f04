"""Panels drawn as pixels: areas and lines have the given size, rotation and grey."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from swarm_nca.images.draws import Draws, numbered_draws
from swarm_nca.images.sewing import Fabric, Panel, curve, sewn

SIZE = 32
SQUARE = ((0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0))
STAR = ((0, 3), (2.5, 4), (4, 9), (5, 5), (9, 4), (6, 2), (7, -2), (3, 1))


def picture(*panels, fill=24.0, turn=0.0, tone=1.0, rim=0.0):
    fabric = Fabric(np.array([tone]), np.array([rim]), np.ones((1, SIZE, SIZE), np.float32))
    return sewn(panels, fabric, SIZE, np.array([fill]), np.array([turn]))[0]


def drawn_by_pillow(points, fill):
    """The same area at 16 times the resolution, averaged."""
    low, high = np.min(points, 0), np.max(points, 0)
    fine = 16
    at = (np.array(points) - (low + high) / 2) * fill / (high - low).max() + SIZE / 2
    image = Image.new("L", (SIZE * fine, SIZE * fine))
    ImageDraw.Draw(image).polygon([(column * fine, row * fine) for row, column in at], fill=255)
    return np.asarray(image).reshape(SIZE, fine, SIZE, fine).mean((1, 3)) / 255


@pytest.mark.parametrize("points", [SQUARE, SQUARE[::-1], STAR, STAR[::-1]])
def test_an_area_s_coverage_equals_pillow_s(points):
    drawn, reference = picture(Panel(points)), drawn_by_pillow(points, 24.0)
    assert np.abs(drawn - reference).max() < 0.35  # at sharp corners
    assert np.abs(drawn - reference).mean() < 0.01
    assert drawn.sum() == pytest.approx(reference.sum(), rel=0.02)


def test_a_mirrored_half_equals_the_whole_outline():
    half = ((0.0, -1.0), (0.0, 4.0), (3.0, 2.0), (6.0, 5.0), (6.0, -1.0))
    right = [point for point in half if point[1] > 0]
    whole = (*right, *((row, -column) for row, column in reversed(right)))
    assert np.allclose(picture(Panel(half, mirrored=True)), picture(Panel(whole)), atol=1e-5)


def test_a_line_has_its_width_and_counts_for_the_size():
    grey = picture(Panel(((0.0, 0.0), (0.0, 20.0)), width=4.0))
    assert grey.sum() == pytest.approx(20 * 4 + np.pi * 4, rel=0.02)
    assert (grey.max(0) > 0.4).sum() == 24
    assert (grey.max(1) > 0.4).sum() == 4


def test_the_upper_panel_covers_the_lower_and_unworn_panels_are_not_drawn():
    lower, upper = Panel(SQUARE), Panel(((1, 1), (1, 3), (3, 3), (3, 1)), tone=0.5)
    both = picture(lower, upper)
    assert both[16, 16] == pytest.approx(0.5)
    assert both[6, 6] == pytest.approx(1.0)
    bare = Panel(((-9, -9), (-9, 9), (9, 9)), worn=np.array([False]))
    assert np.array_equal(picture(lower, bare), picture(lower))


def test_a_rim_changes_the_edge_and_not_the_middle():
    plain, rimmed = (picture(Panel(SQUARE), tone=0.5, rim=rim) for rim in (0.0, 0.3))
    assert rimmed[16, 16] == pytest.approx(plain[16, 16], abs=1e-3)
    assert rimmed[5, 16] > plain[5, 16] + 0.05


def test_a_turn_is_anticlockwise():
    low_right = Panel(((0.0, 0.0), (4.0, 0.0), (4.0, 1.0), (0.0, 1.0)))
    mark = Panel(((3.0, 0.0), (3.0, 1.0), (4.0, 1.0), (4.0, 0.0)), tone=0.5)
    upright, turned = (picture(low_right, mark, turn=turn) for turn in (0.0, np.pi / 2))
    assert np.allclose(turned, np.rot90(upright), atol=1e-4)


def test_garments_of_a_batch_equal_garments_drawn_alone():
    fabric = Fabric(np.ones(2), np.zeros(2), np.ones((2, SIZE, SIZE), np.float32))
    width = np.array([4.0, 8.0])
    panel = Panel(((0.0, 0.0), (0.0, width), (8.0, width), (8.0, 0.0)))
    narrow, wide = sewn([panel], fabric, SIZE, np.full(2, 24.0), np.zeros(2))
    assert wide.sum() == pytest.approx(2 * narrow.sum(), rel=0.02)


@pytest.mark.parametrize("closed", [True, False])
def test_a_curve_runs_through_its_points(closed):
    points = ((0.0, 0.0), (3.0, 1.0), (4.0, 5.0), (1.0, 7.0))
    through = np.array(curve(points, closed))
    gaps = np.hypot(*(np.array(points)[:, None] - through).T).min(0)
    assert gaps.max() < 1e-9
    assert len(through) == (16 if closed else 13)


def test_numbered_draws_are_the_same_from_any_start():
    whole = numbered_draws(5, 0, 40, each=7)
    assert np.array_equal(whole[13:20], numbered_draws(5, 13, 7, each=7))
    assert np.unique(whole).size == whole.size


def test_draws_give_every_column_once_and_then_fail():
    uniform = np.arange(10).reshape(2, 5) / 10
    draws = Draws(uniform)
    assert draws.count == 2
    assert draws.evenly(0, 10).tolist() == [0, 5]
    assert draws.between(0, 10).tolist() == [1.5, 6.5]
    assert draws.field(1, 2).tolist() == pytest.approx(2 * uniform[:, None, 3:] - 1)
    with pytest.raises(IndexError):
        draws.evenly()
    with pytest.raises(IndexError):
        Draws(uniform).field(2, 3)
