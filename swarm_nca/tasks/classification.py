"""Agreeing on a class: pictures with labels to draw from, as one block in memory."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn import functional

from swarm_nca.bounds import LONGEST_SIDE, check_bounds

#: How far a picture may be made larger or smaller: a hundredfold leaves one pixel, or one stroke.
Scale = Annotated[float, Ge(0.01), Le(100.0)]


@dataclass(frozen=True)
class Augmentation:
    """How a drawn picture may differ from the stored one, each time anew; by default not at all.

    Attributes:
        shift: largest shift, per axis, in pixels of the stored picture (enlarged and turned with
            it), ≥ 0; what leaves the picture is lost.
        scale: smallest and largest enlargement, each from 0.01 to 100.
        rotate: largest turn in degrees, either way, at most 360.
    """

    shift: Annotated[float, Ge(0.0), Le(LONGEST_SIDE)] = 0.0
    scale: tuple[Scale, Scale] = (1.0, 1.0)
    rotate: Annotated[float, Ge(0.0), Le(360.0)] = 0.0

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale is [smallest, largest], got {list(self.scale)}")

    def __call__(self, grey: Tensor, generator: torch.Generator) -> Tensor:
        """[B, H, W] → [B, H, W], bilinear; beyond the border there is no ink."""
        worlds, height, width = grey.shape
        if self == Augmentation() or not worlds:
            return grey
        draw = torch.rand(worlds, 4, generator=generator) * 2.0 - 1.0
        low, high = (math.log(bound) for bound in self.scale)
        size = torch.exp((low + high) / 2 + draw[:, 0] * (high - low) / 2)
        angle = draw[:, 1] * math.radians(self.rotate)
        cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
        right = draw[:, 2] * self.shift * 2 / width
        down = draw[:, 3] * self.shift * 2 / height
        # The sampling grid looks back from the new pixel to the old one, in halves of the sides.
        aspect = height / width
        rows = [torch.stack([cos, -sin * aspect, right], 1)]
        rows += [torch.stack([sin / aspect, cos, down], 1)]
        lattice = functional.affine_grid(
            torch.stack(rows, 1), [worlds, 1, height, width], align_corners=False
        )
        turned = functional.grid_sample(grey[:, None], lattice, align_corners=False)
        return turned[:, 0].clamp_(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Classification:
    """Pictures of one size and what their cells should agree on.

    Attributes:
        grey: [P, H, W] in [0, 1].
        label: int64 [P].
        augmentation: applied to every picture drawn.
    """

    grey: Tensor
    label: Tensor
    augmentation: Augmentation = Augmentation()

    @cached_property
    def content(self) -> str:
        """SHA-256 over pictures and labels: names what there is to learn from."""
        digest = hashlib.sha256(str(tuple(self.grey.shape)).encode())
        for tensor in (self.grey, self.label):
            digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()

    def sample(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Some pictures [count, H, W] and labels [count], drawn with replacement."""
        drawn = torch.randint(len(self.grey), (count,), generator=generator)
        return self.augmentation(self.grey[drawn], generator), self.label[drawn]
