"""Targets in colour: premultiplied, on a transparent background, drawn or from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swarm_nca.images.targets import TARGETS, drawn_target, read_target


@pytest.mark.parametrize("name", TARGETS)
def test_a_drawn_target_is_coloured_premultiplied_and_antialiased(name: str) -> None:
    target = drawn_target(name)
    alpha = target[..., 3]
    assert target.shape == (40, 40, 4)
    assert (target[..., :3] <= alpha[..., None] + 1e-6).all()
    assert not alpha[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert 0.1 < (alpha > 0.99).mean() < 0.7
    assert ((alpha > 0.05) & (alpha < 0.95)).sum() > 40
    solid = target[alpha > 0.99][:, :3]
    assert len(np.unique(solid.round(1), axis=0)) >= 4


def test_drawn_targets_differ_and_other_names_are_refused() -> None:
    pictures = [drawn_target(name, 16) for name in TARGETS]
    for i, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 0.03 for other in pictures[:i])
    with pytest.raises(ValueError, match="did you mean 'heart'"):
        drawn_target("hart")


def test_a_file_is_premultiplied_and_centred_with_its_aspect_kept(tmp_path: Path) -> None:
    rgba = np.zeros((2, 4, 4), np.uint8)
    rgba[:, :, 0], rgba[:, :, 3] = 200, [0, 51, 102, 255]
    Image.fromarray(rgba).save(tmp_path / "wide.png")
    target = read_target(tmp_path / "wide.png", 4)
    expected = np.zeros((4, 4, 4))
    expected[1:3, :, 3] = np.array([0, 51, 102, 255]) / 255
    expected[1:3, :, 0] = 200 / 255 * expected[1:3, :, 3]
    assert np.allclose(target, expected, atol=1e-6)


def test_a_fully_transparent_picture_is_refused(tmp_path: Path) -> None:
    Image.new("RGBA", (5, 5)).save(tmp_path / "empty.png")
    with pytest.raises(ValueError, match=r"empty\.png: is fully transparent"):
        read_target(tmp_path / "empty.png")
    with pytest.raises(ValueError, match="no such file"):
        read_target(tmp_path / "gone.png")
