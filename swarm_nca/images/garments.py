"""Pictures of clothes, shoes and bags without a download, similar to Fashion-MNIST.

A garment is drawn from panels and scaled to fill 28×28 along its longer side, as in the published
pictures, which were made from photographs: dark cloth is bright, the white background is 0.
Picture i is a pure function of the seed and i, as in `strokes`.
(Xiao, Rasul, Vollgraf 2017, Fashion-MNIST, arXiv:1708.07747: the classes and the framing.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from swarm_nca.images import accessories, clothes
from swarm_nca.images.draws import Draws, numbered_draws
from swarm_nca.images.fabric import FABRIC_DRAWS, Cloth, woven
from swarm_nca.images.pictures import Pictures, check_pixels, class_number
from swarm_nca.images.sewing import Panel, sewn

Pattern = tuple[Callable[[Draws], list[Panel]], Cloth]

PATTERNS: Mapping[str, Pattern] = {
    "T-shirt": (clothes.t_shirt, Cloth((0.2, 0.95), stripes=0.08, flowers=0.05)),
    "trouser": (clothes.trouser, Cloth((0.4, 0.95))),
    "pullover": (clothes.pullover, Cloth((0.2, 0.95), stripes=0.08)),
    "dress": (clothes.dress, Cloth((0.3, 0.97), stripes=0.06, flowers=0.2)),
    "coat": (clothes.coat, Cloth((0.3, 0.93))),
    "sandal": (accessories.sandal, Cloth((0.35, 0.85), folds=0.25)),
    "shirt": (clothes.shirt, Cloth((0.15, 0.9), checks=0.15, flowers=0.2)),
    "sneaker": (accessories.sneaker, Cloth((0.35, 0.9))),
    "bag": (accessories.bag, Cloth((0.4, 0.92))),
    "ankle boot": (accessories.ankle_boot, Cloth((0.5, 0.93))),
}
"""The pattern and the cloth of each class, in the order of the labels."""

_SHAPE_DRAWS = 80  # enough for every pattern

_CHUNK = 512  # pictures drawn together


def garments(
    count: int,
    seed: int = 0,
    *,
    start: int = 0,
    label: int | str | None = None,
    size: int = 28,
) -> Pictures:
    """`count` garments: numbers `start` to `start + count − 1` of the seed.

    `label`: only this class, by number or name; all classes with equal chances if None. `size`:
    pictures are [size, size]. Raises ValueError for a count or a size below 1 or too large, a
    seed or a start below 0, and an unknown label.
    """
    if count < 1:
        raise ValueError(f"a count of garments is at least 1, got {count}")
    if size < 1:
        raise ValueError(f"a garment's picture has at least 1 pixel a side, got {size}")
    if seed < 0 or start < 0:
        raise ValueError(f"seed and start are at least 0, got seed {seed} and start {start}")
    check_pixels(count, size, size)
    names = tuple(PATTERNS)
    only = None if label is None else class_number(label, names)
    grey = np.empty((count, size, size), np.float32)
    labels = np.empty(count, np.int64)
    for first in range(0, count, _CHUNK):
        rows = slice(first, min(first + _CHUNK, count))
        each = 1 + _SHAPE_DRAWS + FABRIC_DRAWS
        uniform = numbered_draws(seed, start + first, rows.stop - first, each)
        kinds = (uniform[:, 0] * len(names)).astype(np.int64) if only is None else only
        labels[rows] = kinds
        for kind in np.unique(labels[rows]):
            which = labels[rows] == kind
            cut, cloth = PATTERNS[names[kind]]
            shape = Draws(uniform[which, 1 : 1 + _SHAPE_DRAWS])
            fill, turn = shape.between(0.945, 1.0) * size, shape.between(-0.035, 0.035)
            fabric = woven(Draws(uniform[which, 1 + _SHAPE_DRAWS :]), cloth, size)
            grey[rows][which] = sewn(cut(shape), fabric, size, fill, turn)
    return Pictures(grey, labels, names)
