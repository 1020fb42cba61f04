"""Fabrics of garments: a tone, folds, grain, and sometimes stripes, checks or flowers.

Cloth in a photograph is not evenly grey: it has folds, mostly vertical, a grain, and sometimes a
print. All of these multiply the tone, so that dark cloth stays dark.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from swarm_nca.images.draws import Column, Draws
from swarm_nca.images.pictures import SIZE, Grey
from swarm_nca.images.sewing import Fabric

FABRIC_DRAWS = 2 * 14 + 5 * 12 + 18 * 18 + SIZE[0] * SIZE[1]
"""Uniform numbers used by the fabric of one garment."""


@dataclass(frozen=True)
class Cloth:
    """Variation of the fabrics of one kind of garment.

    `tone`: (lowest, highest) grey. `folds`, `grain`: their maximum change of the tone, as shares of
    it. `stripes`, `checks`, `flowers`: the shares of garments with them.
    """

    tone: tuple[float, float] = (0.2, 0.95)
    folds: float = 0.16
    grain: float = 0.07
    stripes: float = 0.0
    checks: float = 0.0
    flowers: float = 0.0


def woven(draws: Draws, cloth: Cloth, size: int) -> Fabric:
    """The fabrics of B garments, for pictures [B, size, size]."""
    low, high = cloth.tone
    tone = low + (high - low) * draws.evenly() ** 0.5
    rim = draws.between(-0.1, 0.2) + 0.4 * (0.6 - tone)
    weave = 1 + _cube(draws.evenly() * cloth.folds) * _over(draws.field(5, 12), size)
    weave += _cube(draws.evenly() ** 3 * cloth.grain) * _over(draws.field(*SIZE), size)
    striped, checked = draws.chance(cloth.stripes), draws.chance(cloth.checks)
    flowered = draws.chance(cloth.flowers)
    across, along = _waves(draws, size), _waves(draws, size)
    strength = draws.between(0.15, 0.45)
    weave *= 1 + _cube(strength * (striped | checked)) * across[:, :, None]
    weave *= 1 + _cube(strength * checked) * along[:, None, :]
    weave *= 1 + _cube(2 * strength * flowered) * _over(draws.field(18, 18), size)
    return Fabric(tone, rim, weave.astype(np.float32))


def _waves(draws: Draws, size: int) -> Grey:
    """Bands [B, size] from −1 to 1, two to nine pixels wide in a picture of 28 × 28."""
    period = draws.between(4, 12)[:, None] / SIZE[0]
    at = np.arange(size) / size / period + draws.evenly()[:, None]
    return np.clip(2.5 * np.sin(2 * np.pi * at), -1, 1).astype(np.float32)


def _over(field: Grey, size: int) -> Grey:
    """A coarse field [B, h, w] interpolated smoothly to [B, size, size]."""
    _, rows, columns = field.shape
    spread = _spread(rows, size) @ field @ _spread(columns, size).T
    return np.asarray(spread, np.float32)


@cache
def _spread(coarse: int, size: int) -> Grey:
    """Interpolation weights [size, coarse] from a coarse row to a row of pixels."""
    at = (np.arange(size) + 0.5) / size * coarse - 0.5
    distance = np.abs(at[:, None] - np.arange(coarse))
    weights = np.where(distance < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(distance, 1)), 0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def _cube(column: Column) -> Grey:
    return column.astype(np.float32)[:, None, None]
