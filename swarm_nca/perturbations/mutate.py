"""Mutation: the picture changes under the swarm, and the cells that live on keep what they held.

The perturbation of self-classifying MNIST (Randazzo et al., Distill 2020): a cell's channels stay
where the new picture is alive too, and newborn cells hold zeros. Half a mutation makes a chimera
of a digit in mid-life.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor

from swarm_nca.arguments import dense
from swarm_nca.images import Pictures, Source, load
from swarm_nca.images.raster import Side, half
from swarm_nca.perturbations.perturbation import Perturbation, labels, relabeled
from swarm_nca.world import World

if TYPE_CHECKING:
    PictureBatch: TypeAlias = (
        np.ndarray[Any, Any] | Tensor | Sequence[np.ndarray[Any, Any] | Tensor]
    )
    Images: TypeAlias = Source | Pictures | PictureBatch
else:
    Images = Source  # what a YAML file can say; schemas read the annotation at run time

#: The halves that a picture has.
SIDES: tuple[str, ...] = get_args(Side)


@dataclass(frozen=True, eq=False, kw_only=True)  # pictures do not compare
class Mutate(Perturbation):
    """New pictures for the worlds, which keep their cells' states.

    Attributes:
        images: where they come from, or the pictures themselves: grey in [0, 1], [H, W] for all
            worlds or [B, H, W] for B of them, or `Pictures`. They are centred on the canvas. A
            source that the worlds stand on already gives the same pictures again: choose others by
            its `index` or `seed`.
        half: only this half of the picture is swapped: left, right, top or bottom; a middle row
            or column stays. The whole picture when None.
        label: what the cells should agree on now, by number (−1: unknown) or name. When None, the
            pictures' own, unknown for arrays; after half a swap unknown too, unless the old label
            and the new one are the same.
    """

    kind: Literal["mutate"] = field(default="mutate", repr=False)
    images: Images
    half: Side | None = None
    label: int | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.half is not None and not (isinstance(self.half, str) and self.half in SIDES):
            raise ValueError(f"half must be one of {', '.join(SIDES)}, got {self.half!r}")

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds on their new pictures; see `Perturbation.__call__`."""
        return pictured(self, world, self.images, seed, self.label, self.half)

    def what(self, before: World, after: World) -> str:
        """The labels before and after, the half, and whether the pictures are the same ones."""
        part = "" if self.half is None else f", {self.half} half"
        same = ", same picture" if torch.equal(before.canvas.grey, after.canvas.grey) else ""
        if not before.readout.class_names:
            return f"{'the same' if same else 'another'} picture{part}"
        return f"{labels(before)} → {labels(after)}{part}{same}"


def pictured(
    perturbation: Perturbation,
    world: World,
    images: Images,
    seed: int,
    label: int | str | None = None,
    side: Side | None = None,
) -> World:
    """The worlds that a perturbation acts on, on other pictures or halves; states are kept.

    Raises:
        ValueError: a number of pictures that is neither 1 nor that of the worlds acted on, or one
            larger than its canvas.
    """
    pictures = pictures_of(images, seed, world.readout.class_names)
    worlds = len(perturbation.chosen(world))
    if len(pictures) not in (1, worlds):
        raise ValueError(
            f"images must hold one picture, or one for each of {worlds} worlds; there are "
            f"{len(pictures)}"
        )

    def change(alone: World, i: int) -> World:
        rows, columns = alone.picture().shape
        picture = pictures[i % len(pictures)].centred_on((rows, columns))
        grey, labelled = list(picture), picture.labels_for(alone.readout.class_names)
        if side is not None:
            mask = half(side, (rows, columns))
            grey = [np.where(mask, grey[0], alone.picture().cpu().numpy())]
            labelled = np.where(labelled == alone.label.cpu().numpy(), labelled, -1)
        return relabeled(alone.repictured(grey, labelled), label)

    return perturbation.one_by_one(world, change)


def pictures_of(
    images: Images, seed: int, classes: tuple[str, ...], base: str | Path = "."
) -> Pictures:
    """What `images` stands for: loaded, where it is a source, with paths relative to `base`."""
    if isinstance(images, Pictures):
        return images
    if isinstance(images, Source):
        return load(images, seed=seed, base=base, classes=classes)
    grey: Any = dense("images", images)[None] if getattr(images, "ndim", 3) == 2 else images
    return Pictures(grey)
