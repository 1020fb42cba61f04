"""Chooses the moments of a run to show, and their captions.

Cells change most in the first twenty steps after a start or a perturbation and little later; so a
few chosen moments show more of a run than evenly spaced ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from swarm_nca.recording.run import Frame, Run
from swarm_nca.render import tally
from swarm_nca.world import World

#: Steps after a start or a perturbation to show, the most informative first.
_AFTER = (20, 10, 5, 50, 1)


@dataclass(frozen=True)
class Moment:
    """A frame to show; `after` names the perturbations that have just acted, if any."""

    frame: Frame
    after: str = ""


@dataclass(frozen=True)
class Mark:
    """A label in a figure for a perturbation, or for several of one kind close together."""

    start: int
    end: int
    label: str


def moments(run: Run, most: int = 10) -> list[Moment]:
    """The most informative frames of a run, in order of time.

    The start, the end and both sides of every perturbation have priority, then the first steps
    after each; at most `most` (2 or more) frames.
    """
    frames = list(run.frames)
    if not frames:
        return []
    swaps = [n for n in range(1, len(frames)) if frames[n].step == frames[n - 1].step]
    bursts = _bursts(frames, swaps, max(1, run.steps // 20))
    shown = bursts[:: max(1, -(-2 * len(bursts) // max(1, most - 3)))]
    wanted = [0, len(frames) - 1]
    for burst in shown:
        wanted += [burst[-1], burst[0] - 1, *burst[len(burst) // 3 :: max(1, len(burst) // 3)]]
    for steps in _AFTER:
        for first in (0, *(burst[-1] for burst in shown)):
            wanted += _nearest(frames, first, steps)
    wanted += range(0, len(frames), max(1, len(frames) // most))
    chosen = sorted(list(dict.fromkeys(wanted))[: max(2, most)])
    return [Moment(frames[n], _acted(run, frames[n].step) if n in swaps else "") for n in chosen]


def verdict(world: World, index: int, shown_above: float) -> str:
    """The caption of one world: `all say 7`, `35 % say 7`, `silent`, or `5 on`."""
    counts = tally(world, index, shown_above)
    return world.readout.caption(counts)


def largest_votes(frames: Sequence[Frame], shown_above: float) -> tuple[list[int], list[float]]:
    """Steps, and the share of all cells that show the most common class of their world.

    At a step with perturbations, the share before they act.
    """
    shares: dict[int, float] = {}
    for frame in frames:
        world = frame.world
        most = sum(int(tally(world, n, shown_above)[:-1].max()) for n in range(len(world)))
        shares.setdefault(frame.step, most / max(1, world.cells))
    return list(shares), list(shares.values())


def marks(events: pd.DataFrame, steps: int) -> list[Mark]:
    """Labels of the events for a time axis; close events of one kind share a label."""
    found: list[tuple[Mark, str, int]] = []
    near = max(1, steps // 20)
    for step, kind, what in zip(events["step"], events["kind"], events["what"], strict=True):
        if found and found[-1][1] == kind and step - found[-1][0].end <= near:
            mark, _, count = found.pop()
            label = f"{kind} × {count + 1}"
            found.append((Mark(mark.start, int(step), label), kind, count + 1))
        else:
            label = f"{kind}: {what}" if isinstance(what, str) and what else str(kind)
            found.append((Mark(int(step), int(step), label), str(kind), 1))
    return [mark for mark, _, _ in found]


def _bursts(frames: Sequence[Frame], swaps: Sequence[int], near: int) -> list[list[int]]:
    """Groups of swaps close together, such as the strokes of a drawing."""
    bursts: list[list[int]] = []
    for swap in swaps:
        if bursts and frames[swap].step - frames[bursts[-1][-1]].step <= near:
            bursts[-1].append(swap)
        else:
            bursts.append([swap])
    return bursts


def _nearest(frames: Sequence[Frame], first: int, steps: int) -> list[int]:
    """The frame about `steps` steps after frame `first`, unless another swap comes before."""
    start = frames[first].step
    for n in range(first + 1, len(frames)):
        if frames[n].step == frames[n - 1].step:
            return []
        if frames[n].step >= start + steps:
            return [n] if frames[n].step <= start + 2 * steps else []
    return []


def _acted(run: Run, step: int) -> str:
    acted = run.events[run.events["step"] == step]
    return ", ".join(dict.fromkeys(str(kind) for kind in acted["kind"]))
