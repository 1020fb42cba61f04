"""Up from down: a rule examined on the same pictures, turned.

A sweater upside down is still a sweater, but not to a rule that learned where its neighbours are.
Every picture is turned about its centre on a canvas that holds it whole in any position, so that
nothing is cut off. Between pixels grey is interpolated: from the quarters apart, a turn also blurs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional

from swarm_nca.images import Pictures
from swarm_nca.measure.protocols import Evaluation, Progress, Protocol, evaluate
from swarm_nca.rules import Rule


def angles(turn: float) -> list[float]:
    """0°, `turn`, twice that, … to 180°.

    Raises:
        ValueError: a turn that is not from 0.1 to 180 degrees.
    """
    if not 0.1 <= turn <= 180.0:
        raise ValueError(f"turn must be from 0.1 to 180 degrees, got {turn:g}")
    # A turn of 180 / 7 is meant to end at 180, whatever the last digit says.
    return [turn * step for step in range(math.floor(180.0 / turn + 1e-9) + 1)]


def turned(pictures: Pictures, degrees: float) -> Pictures:
    """Pictures turned against the clock about their centres, bilinear, on a common square canvas.

    The canvas holds the longest diagonal; a turn by quarters only moves pixels of square pictures.
    """
    shapes = [picture.shape for picture in pictures]
    height, width = (max(lengths) for lengths in zip(*shapes, strict=True))
    side = math.ceil(math.hypot(height, width))
    side += (side - height) % 2  # as even as the pictures: the middle stays the middle
    block = np.asarray(pictures.centred_on((side, side)).grey)
    grey = torch.from_numpy(block).double()[None]  # pictures as channels: one lattice serves all
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # The lattice looks back from the new pixel to the old one; rows count downwards.
    back = torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]], dtype=torch.float64)
    lattice = functional.affine_grid(back, [1, len(pictures), side, side], align_corners=False)
    moved = functional.grid_sample(grey, lattice, align_corners=False)[0]
    return Pictures(moved.clamp_(0.0, 1.0).float().numpy(), pictures.labels, pictures.classes)


def evaluate_turned(
    rule: Rule,
    pictures: Pictures,
    turn: float,
    *,
    steps: int = 200,
    protocol: Protocol = "fresh",
    seed: int = 0,
    progress: Progress | None = None,
) -> Iterator[tuple[float, Evaluation]]:
    """The examination of `evaluate` at every angle from 0° to 180°, `turn` degrees apart.

    Yields:
        degrees, and what came out there, few looks but the last; keys and seed are the same at
        every angle.

    Raises:
        ValueError: as `angles` and `evaluate` do.
    """
    every = angles(turn)

    def told(before: int) -> Progress:
        def tell(done: int, total: int) -> None:
            if progress is not None:
                progress(before * total + done, len(every) * total)

        return tell

    for number, degrees in enumerate(every):
        yield (
            degrees,
            evaluate(
                rule,
                turned(pictures, degrees),
                steps=steps,
                protocol=protocol,
                every=steps,
                seed=seed,
                progress=told(number),
            ),
        )
