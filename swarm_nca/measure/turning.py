"""Evaluates a rule on the same pictures, turned by several angles.

A rule that distinguishes its neighbours by direction may fail on turned pictures. Every picture is
turned about its centre on a canvas that is large enough for any angle. Grey is interpolated between
pixels, so a turn that is not a multiple of 90° also blurs.
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
    """The angles 0°, `turn`, 2 · `turn`, … up to 180°.

    Raises:
        ValueError: `turn` is not from 0.1 to 180 degrees.
    """
    if not 0.1 <= turn <= 180.0:
        raise ValueError(f"turn must be from 0.1 to 180 degrees, got {turn:g}")
    # The tolerance lets a turn of 180 / 7 end at 180 despite rounding.
    return [turn * step for step in range(math.floor(180.0 / turn + 1e-9) + 1)]


def turned(pictures: Pictures, degrees: float) -> Pictures:
    """Pictures turned counterclockwise about their centres, bilinear, on one square canvas.

    The canvas side is the longest diagonal. A turn by multiples of 90° only moves the pixels of
    square pictures.
    """
    shapes = [picture.shape for picture in pictures]
    height, width = (max(lengths) for lengths in zip(*shapes, strict=True))
    side = math.ceil(math.hypot(height, width))
    side += (side - height) % 2  # same parity as the pictures, so that the centre stays
    block = np.asarray(pictures.centred_on((side, side)).grey)
    grey = torch.from_numpy(block).double()[None]  # pictures as channels share one sampling grid
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # The sampling grid maps new pixels to old ones; rows count downwards.
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
    """Run `evaluate` at every angle from 0° to 180°, `turn` degrees apart.

    Yields:
        Degrees and the evaluation, measured at few steps and the last one; keys and seed are the
        same at every angle.

    Raises:
        ValueError: as `angles` and `evaluate` do.
    """
    all_angles = angles(turn)

    def report_from(before: int) -> Progress:
        def report(done: int, total: int) -> None:
            if progress is not None:
                progress(before * total + done, len(all_angles) * total)

        return report

    for number, degrees in enumerate(all_angles):
        yield (
            degrees,
            evaluate(
                rule,
                turned(pictures, degrees),
                steps=steps,
                protocol=protocol,
                every=steps,
                seed=seed,
                progress=report_from(number),
            ),
        )
