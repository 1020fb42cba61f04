"""Augmentation: random changes of training pictures, drawn anew for every picture of a batch.

Letters: B pictures of H×W pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn import functional

from swarm_nca.bounds import LONGEST_SIDE, Share, check_bounds

#: Allowed enlargement: at 100 times smaller or larger only one pixel or one stroke is left.
Scale = Annotated[float, Ge(0.01), Le(100.0)]

#: Knots of the elastic field along each axis: neighbouring knots are some 5 pixels apart.
KNOTS = 6


@dataclass(frozen=True)
class Augmentation:
    """Random changes of drawn pictures; none by default.

    The changes are made in this order: mirror, blur, thickness, contrast, then all changes of the
    shape at once. Values are uniform in their ranges, factors uniform in their logarithm.

    Attributes:
        mirror: chance of each picture to have left and right exchanged.
        shift: largest shift per axis, in pixels of the stored picture (scaled and rotated with it),
            ≥ 0; ink outside the picture is lost.
        scale: smallest and largest enlargement, each from 0.01 to 100.
        aspect: largest factor of the width over the height, and of the height over the width, ≥ 1.
        rotate: largest rotation in degrees, in both directions, at most 360.
        slant: largest number of columns per row by which pictures lean, in both directions.
        elastic: standard deviation in pixels of a smooth field that moves the ink.
        thickness: pixels by which strokes become wider (thinner below 0): least and most, each from
            −2 to 2.
        blur: largest share of a smoothed picture, 3×3, that is mixed in.
        contrast: largest exponent of the grey values, ≥ 1; its inverse is the smallest.
        share: chance of each picture to be changed; the others stay as they are.
    """

    mirror: Share = 0.0
    shift: Annotated[float, Ge(0.0), Le(LONGEST_SIDE)] = 0.0
    scale: tuple[Scale, Scale] = (1.0, 1.0)
    aspect: Annotated[float, Ge(1.0), Le(10.0)] = 1.0
    rotate: Annotated[float, Ge(0.0), Le(360.0)] = 0.0
    slant: Annotated[float, Ge(0.0), Le(2.0)] = 0.0
    elastic: Annotated[float, Ge(0.0), Le(10.0)] = 0.0
    thickness: tuple[Annotated[float, Ge(-2.0), Le(2.0)], Annotated[float, Ge(-2.0), Le(2.0)]] = (
        0.0,
        0.0,
    )
    blur: Share = 0.0
    contrast: Annotated[float, Ge(1.0), Le(10.0)] = 1.0
    share: Share = 1.0

    def __post_init__(self) -> None:
        check_bounds(self)
        for name in ("scale", "thickness"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} is [smallest, largest], got {[low, high]}")

    def __call__(self, grey: Tensor, generator: torch.Generator) -> Tensor:
        """[B, H, W] → [B, H, W], bilinear; pixels outside the picture are white."""
        if self.share < 1.0:
            chosen = torch.rand(len(grey), generator=generator) < self.share
            changed = grey.clone()
            changed[chosen] = replace(self, share=1.0)(grey[chosen], generator)
            return changed
        if self == PLAIN or not len(grey):
            return grey
        if self.mirror:
            turned = torch.rand(len(grey), generator=generator) < self.mirror
            grey = torch.where(turned[:, None, None].to(grey.device), grey.flip(2), grey)
        shape = torch.rand(len(grey), 4, generator=generator) * 2.0 - 1.0
        if self.aspect > 1.0 or self.slant:
            lean = torch.rand(len(grey), 2, generator=generator) * 2.0 - 1.0
        else:
            lean = shape.new_zeros(len(grey), 2)
        grey = self._inked(grey, generator)
        if self._moves:
            lattice = self._lattice(grey, shape, lean)
            if self.elastic:
                lattice = lattice + self._field(grey, generator)
            grey = functional.grid_sample(grey[:, None], lattice, align_corners=False)[:, 0]
        return grey.clamp(0.0, 1.0)

    @property
    def _moves(self) -> bool:
        plain = self.scale == (1.0, 1.0) and self.aspect == 1.0
        return not plain or any((self.shift, self.rotate, self.slant, self.elastic))

    def _inked(self, grey: Tensor, generator: torch.Generator) -> Tensor:
        """Blur, thickness and contrast."""
        if self.blur:
            share = self.blur * torch.rand(len(grey), 1, 1, generator=generator)
            kernel = torch.tensor([0.25, 0.5, 0.25])
            smooth = functional.conv2d(
                grey[:, None], kernel[:, None].mul(kernel)[None, None].to(grey), padding=1
            )
            grey = torch.lerp(grey, smooth[:, 0], share.to(grey))
        if self.thickness != (0.0, 0.0):
            low, high = self.thickness
            change = low + (high - low) * torch.rand(len(grey), 1, 1, generator=generator).to(grey)
            for _ in range(math.ceil(max(abs(low), abs(high)) / 2)):
                # One pixel on both sides of a stroke makes it two pixels wider.
                part = (change / 2).clamp(-1.0, 1.0)
                wider = torch.lerp(grey, _dilated(grey), part.clamp_min(0.0))
                grey = torch.lerp(wider, -_dilated(-wider), (-part).clamp_min(0.0))
                change = change - 2 * part
        if self.contrast > 1.0:
            draw = torch.rand(len(grey), 1, 1, generator=generator) * 2.0 - 1.0
            grey = grey.clamp(0.0, 1.0) ** torch.exp(draw * math.log(self.contrast)).to(grey)
        return grey

    def _lattice(self, grey: Tensor, shape: Tensor, lean: Tensor) -> Tensor:
        """[B, H, W, 2], where each new pixel comes from, in units of half the sides."""
        worlds, height, width = grey.shape
        low, high = (math.log(bound) for bound in self.scale)
        size = torch.exp((low + high) / 2 + shape[:, 0] * (high - low) / 2)
        angle = shape[:, 1] * math.radians(self.rotate)
        stretch = torch.exp(lean[:, 0] * math.log(self.aspect) / 2)
        cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
        right = shape[:, 2] * self.shift * 2 / width
        down = shape[:, 3] * self.shift * 2 / height
        aspect, skew = height / width, lean[:, 1] * self.slant
        # Rotation and scale, then the slant and the stretch of the old picture.
        old_column = [cos - skew * sin, -sin - skew * cos]
        first = [old_column[0] / stretch, old_column[1] * aspect / stretch, right]
        second = [sin / aspect * stretch, cos * stretch, down]
        matrix = torch.stack([torch.stack(first, 1), torch.stack(second, 1)], 1)
        return functional.affine_grid(matrix, [worlds, 1, height, width], align_corners=False)

    def _field(self, grey: Tensor, generator: torch.Generator) -> Tensor:
        """[B, H, W, 2], a smooth random field of moves, in units of half the sides."""
        worlds, height, width = grey.shape
        knots = torch.randn(worlds, 2, KNOTS, KNOTS, generator=generator)
        field = functional.interpolate(
            knots, (height, width), mode="bicubic", align_corners=True
        ).permute(0, 2, 3, 1)
        return self.elastic * field * torch.tensor([2.0 / width, 2.0 / height])


#: Pictures as they are.
PLAIN = Augmentation()


def _dilated(grey: Tensor) -> Tensor:
    """The largest value of each pixel and its four neighbours."""
    picture = grey[:, None]
    upright = functional.max_pool2d(picture, (3, 1), 1, (1, 0))
    level = functional.max_pool2d(picture, (1, 3), 1, (0, 1))
    return torch.maximum(upright, level)[:, 0]
