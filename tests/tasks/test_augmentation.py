"""Augmentation: each change does what its name says, and others leave pictures alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from swarm_nca.tasks import Augmentation, Classification


def bars(count: int, height: int, width: int) -> Tensor:
    """Pictures with a horizontal bar of 16 × 2 pixels in the middle."""
    grey = torch.zeros(count, height, width)
    row, column = height // 2, width // 2
    grey[:, row - 1 : row + 1, column - 8 : column + 8] = 1.0
    return grey


def spread(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Variances [B, 2] of the ink along and across its axis, and the axis angle [B] in degrees."""
    rows, columns = torch.meshgrid(*map(torch.arange, grey.shape[1:]), indexing="ij")
    place = torch.stack([rows, columns], -1).double()
    weight = (grey / grey.sum((1, 2), keepdim=True)).double()[..., None]
    middle = (weight * place).sum((1, 2), keepdim=True)
    away = place - middle
    moments = ((weight * away)[..., None] * away[..., None, :]).sum((1, 2))
    variances, axes = torch.linalg.eigh(moments)
    return variances.flip(-1), torch.rad2deg(torch.atan(axes[:, 0, 1] / axes[:, 1, 1]))


@pytest.mark.parametrize(("height", "width"), [(20, 60), (60, 20), (28, 28)])
def test_a_rotated_bar_keeps_its_length_and_ink(height: int, width: int) -> None:
    grey = bars(64, height, width)
    turned = Augmentation(rotate=90)(grey, torch.Generator().manual_seed(1))
    (before, lying), (after, slanted) = spread(grey), spread(turned)
    assert float(lying.abs().max()) == pytest.approx(0.0, abs=1e-6)
    assert float(slanted.min()) < -75 < 75 < float(slanted.max())
    length, was = after[:, 0].sqrt(), before[:, 0].sqrt()
    assert torch.allclose(length, was, rtol=0.04)
    assert torch.allclose(turned.sum((1, 2)), grey.sum((1, 2)), rtol=0.04)


def test_augmentation_of_no_pictures_is_empty() -> None:
    grey = torch.zeros(0, 20, 60)
    assert Augmentation(shift=2, rotate=9)(grey, torch.Generator()).shape == (0, 20, 60)
    task = Classification(bars(3, 20, 60), torch.arange(3), Augmentation(rotate=9))
    drawn, labels = task.sample(0, torch.Generator())
    assert (len(drawn), len(labels)) == (0, 0)


@pytest.mark.parametrize("wrong", [{"shift": float("inf")}, {"rotate": float("nan")}])
def test_infinite_ranges_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        Augmentation(**wrong)
    with pytest.raises(ValueError, match="finite"):
        Augmentation(scale=(1.0, float("inf")))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2)


def test_strokes_become_two_pixels_wider_or_thinner() -> None:
    grey = bars(4, 28, 28)
    wider = Augmentation(thickness=(2.0, 2.0))(grey, generator())
    assert torch.equal(wider[:, 14].sum(1), torch.full((4,), 18.0))
    assert torch.equal(wider.amax(2).sum(1), torch.full((4,), 4.0))
    assert torch.equal(Augmentation(thickness=(-2.0, -2.0))(wider, generator()), grey)
    half = Augmentation(thickness=(1.0, 1.0))(grey, generator())
    assert torch.allclose(half[:, 12, 14], torch.full((4,), 0.5))


def test_a_slanted_bar_leans_by_its_columns_per_row() -> None:
    upright = bars(64, 28, 28).transpose(1, 2)
    leaning = Augmentation(slant=0.5)(upright, generator())
    columns = torch.arange(28.0)
    top, bottom = ((leaning[:, row] * columns).sum(1) / leaning[:, row].sum(1) for row in (8, 19))
    lean = (top - bottom) / 11
    assert torch.allclose(leaning.sum((1, 2)), upright.sum((1, 2)), rtol=0.03)
    assert float(lean.abs().max()) <= 0.52
    assert float(lean.min()) < -0.4 < 0.4 < float(lean.max())


def test_aspect_changes_width_and_height_by_inverse_factors() -> None:
    square = torch.zeros(64, 40, 40)
    square[:, 14:26, 14:26] = 1.0
    stretched = Augmentation(aspect=2.0)(square, generator())
    assert torch.allclose(stretched.sum((1, 2)), square.sum((1, 2)), rtol=0.03)
    wide = stretched[:, 19].sum(1) / stretched[:, :, 19].sum(1)
    assert 0.49 < float(wide.min()) < 0.6
    assert 1.7 < float(wide.max()) < 2.1


def test_blur_keeps_the_ink_and_contrast_its_place() -> None:
    grey = 0.5 * bars(16, 28, 28)
    blurred = Augmentation(blur=1.0)(grey, generator())
    assert torch.allclose(blurred.sum((1, 2)), grey.sum((1, 2)))
    assert float((blurred.amax((1, 2)) - 0.5).abs().max()) > 0.05
    contrasted = Augmentation(contrast=2.0)(grey, generator())
    assert torch.equal(contrasted > 0, grey > 0)
    inked = contrasted.amax((1, 2))
    assert 0.25 <= float(inked.min()) < 0.4 < 0.6 < float(inked.max()) <= 0.5**0.5


def test_an_elastic_field_moves_each_picture_in_its_own_way() -> None:
    grey = bars(2, 28, 28)
    moved = Augmentation(elastic=1.0)(grey, generator())
    assert torch.allclose(moved.sum((1, 2)), grey.sum((1, 2)), rtol=0.25)
    assert not torch.allclose(moved[0], moved[1], atol=0.1)
    assert not torch.allclose(moved[0], grey[0], atol=0.1)


def test_a_share_of_the_pictures_is_mirrored_pixel_by_pixel() -> None:
    generator = torch.Generator().manual_seed(0)
    grey = torch.rand(2000, 5, 6, generator=generator)
    found = Augmentation(mirror=0.3)(grey, generator)
    mirrored = (found == grey.flip(2)).all(2).all(1)
    same = (found == grey).all(2).all(1)
    assert bool((mirrored ^ same).all())
    assert float(mirrored.double().mean()) == pytest.approx(0.3, abs=0.04)


def test_a_share_of_the_pictures_is_changed_and_the_others_stay_as_they_are() -> None:
    grey = bars(400, 28, 28)
    changed = Augmentation(shift=2.0, blur=0.5, share=0.25)(grey, generator())
    same = (changed == grey).flatten(1).all(1)
    assert 0.68 < float(same.float().mean()) < 0.82
    assert torch.equal(Augmentation(rotate=20.0, share=0.0)(grey, generator()), grey)
    assert torch.equal(grey, bars(400, 28, 28))
    turned = Augmentation(rotate=20.0, share=1.0)(grey, generator())
    assert torch.equal(turned, Augmentation(rotate=20.0)(grey, generator()))


def test_new_changes_leave_the_draws_of_old_recipes_alone() -> None:
    grey, old = bars(3, 28, 28), Augmentation(shift=2.0, scale=(0.8, 1.2), rotate=20.0)
    plain = old(grey, generator())
    tiny = Augmentation(shift=2.0, scale=(0.8, 1.2), rotate=20.0, thickness=(0.0, 1e-9))
    assert torch.equal(plain, old(grey, generator()))
    assert torch.allclose(tiny(grey, generator()), plain, atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [{"thickness": (1.0, -1.0)}, {"aspect": 0.5}, {"blur": 2.0}, {"contrast": 0.5}, {"share": 1.5}],
)
def test_ranges_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Augmentation(**wrong)
