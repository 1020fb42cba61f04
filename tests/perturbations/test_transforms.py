"""Transforms: where the ink goes, what cells keep, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

import swarm_nca as sn
from swarm_nca.perturbations import (
    Invert,
    Perturbation,
    Rotate,
    Scale,
    Stretch,
    Thicken,
    Thin,
    Translate,
)


@pytest.fixture(scope="module")
def world() -> sn.World:
    """A 7 whose cells have talked for some steps, on a canvas with room around it."""
    rule = sn.load_rule("digits")
    grey = np.pad(sn.images.strokes(1, seed=3, label=7).grey[0], 6)
    return sn.rollout(sn.World.from_images(grey[None], rule, labels=[7]), rule, 20)


def picture(world: sn.World) -> np.ndarray:
    return world.picture().numpy()


def test_a_translation_by_whole_pixels_moves_every_pixel(world: sn.World) -> None:
    moved = picture(Translate(by=(3, -2))(world))
    assert np.array_equal(moved[3:, :-2], picture(world)[:-3, 2:])
    assert not moved[:3].any()


def test_a_translation_by_half_a_pixel_is_the_mean_of_its_neighbours(world: sn.World) -> None:
    before, moved = picture(world), picture(Translate(by=(0.5, 0))(world))
    assert np.allclose(moved[1:], (before[1:] + before[:-1]) / 2, atol=1e-6)


def test_a_quarter_turn_is_numpys(world: sn.World) -> None:
    assert np.allclose(picture(Rotate(degrees=90)(world)), np.rot90(picture(world)), atol=1e-3)


def test_a_scaled_picture_keeps_its_middle_and_its_share_of_the_canvas(world: sn.World) -> None:
    before, after = picture(world), picture(Scale(factor=0.5)(world))
    assert after.sum() == pytest.approx(0.25 * before.sum(), rel=0.1)
    middle = (np.array(before.shape) - 1) / 2
    there = np.array(ndimage.center_of_mass(after)) - middle
    assert np.allclose(there, 0.5 * (np.array(ndimage.center_of_mass(before)) - middle), atol=0.6)


def test_a_stretched_picture_has_other_proportions(world: sn.World) -> None:
    before, after = picture(world) > 0.3, picture(Stretch(by=(0.5, 1.0))(world)) > 0.3
    rows, columns = np.flatnonzero(before.any(1)), np.flatnonzero(before.any(0))
    lower, wide = np.flatnonzero(after.any(1)), np.flatnonzero(after.any(0))
    assert np.ptp(lower) == pytest.approx(np.ptp(rows) / 2, abs=2)
    assert np.ptp(wide) == pytest.approx(np.ptp(columns), abs=1)


def test_thicker_and_thinner_strokes_bracket_the_picture(world: sn.World) -> None:
    thin, thick = picture(Thin()(world)), picture(Thicken()(world))
    assert (thin <= picture(world) + 1e-6).all()
    assert (thick >= picture(world) - 1e-6).all()
    assert thin.sum() < 0.9 * picture(world).sum()
    assert thick.sum() > 1.1 * picture(world).sum()


def test_two_inversions_are_none(world: sn.World) -> None:
    once = Invert()(world)
    assert np.allclose(picture(once), 1 - picture(world))
    assert np.allclose(picture(Invert()(once)), picture(world), atol=1e-6)


@pytest.mark.parametrize(
    "transform",
    [Translate(by=(2, 1)), Rotate(degrees=20), Scale(factor=1.4), Thicken(), Thin(), Invert()],
    ids=lambda transform: transform.kind,
)
def test_cells_keep_their_states_where_they_live_on_and_newborns_hold_zeros(
    world: sn.World, transform: Perturbation
) -> None:
    after = transform(world)
    held = dict(zip(world.site.tolist(), world.state, strict=True))
    blank = torch.zeros(world.state.shape[1])
    for site, state in zip(after.site.tolist(), after.state, strict=True):
        assert torch.equal(state, held.get(site, blank))
    assert after.label.tolist() == world.label.tolist()
    assert transform.what(world, after)


def test_a_transform_may_change_the_label(world: sn.World) -> None:
    assert Rotate(degrees=180, label=-1)(world).label.tolist() == [-1]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Scale(factor=0), "factor must be above 0"),
        (lambda: Scale(factor=17), "factor must be at most 16"),
        (lambda: Stretch(by=(1, -1)), "by"),
        (lambda: Translate(by=(1e9, 0)), "by"),
        (lambda: Thicken(width=9), "width must be at most 8"),
        (lambda: Rotate(degrees=float("nan")), "degrees"),
    ],
)
def test_numbers_beyond_reason_are_refused(make: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()  # type: ignore[operator]
