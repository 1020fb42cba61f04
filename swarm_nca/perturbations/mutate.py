"""Mutation: replaces the picture of a world; cells that stay alive keep their states.

From self-classifying MNIST (Randazzo et al., Distill 2020): cells alive in both pictures keep their
channels, and newborn cells hold zeros. A mutation of one half makes a chimera of two digits.
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
    Images = Source  # the form in YAML files; schemas read the annotation at run time

#: The halves of a picture.
SIDES: tuple[str, ...] = get_args(Side)


@dataclass(frozen=True, eq=False, kw_only=True)  # pictures do not compare
class Mutate(Perturbation):
    """Replaces the pictures of the worlds; cells keep their states.

    Attributes:
        images: the source of the pictures, or the pictures: grey in [0, 1], [H, W] for all worlds
            or [B, H, W] for B worlds, or `Pictures`. They are centred on the canvas. The source
            that made the worlds gives the same pictures again; use its `index` or `seed` for
            others.
        half: the half of the picture to replace: left, right, top or bottom; a middle row or column
            stays. The whole picture when None.
        label: the new label, by number (−1: unknown) or name. When None, the labels of the
            pictures, unknown for arrays; for a half also unknown, unless old and new label are
            equal.
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
        """The labels before and after, the half, and whether the pictures are the same."""
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
    """The batch with new pictures or halves for the chosen worlds; states are kept.

    Raises:
        ValueError: the number of pictures is neither 1 nor that of the chosen worlds, or a picture
            is larger than its canvas.
    """
    pictures = pictures_of(images, seed, world.readout.class_names)
    worlds = len(perturbation.chosen(world))
    if len(pictures) not in (1, worlds):
        raise ValueError(
            f"images must hold one picture, or one for each of {worlds} worlds; got {len(pictures)}"
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
    """The pictures of `images`; a source is loaded, with paths relative to `base`."""
    if isinstance(images, Pictures):
        return images
    if isinstance(images, Source):
        return load(images, seed=seed, base=base, classes=classes)
    grey: Any = dense("images", images)[None] if getattr(images, "ndim", 3) == 2 else images
    return Pictures(grey)
