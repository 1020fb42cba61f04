"""Augmentation of pictures with different shapes."""

from __future__ import annotations

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
