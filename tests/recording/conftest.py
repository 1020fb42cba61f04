"""Runs with given states, not computed ones, so that the content of every picture is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
import torch

from swarm_nca.recording import METRIC_COLUMNS, Expectation, Frame, Run
from swarm_nca.rules import Mlp
from swarm_nca.world import World

MakeRun = Callable[..., Run]


def with_labels(world: World, *labels: int) -> World:
    """The same worlds with one class per world for all its cells (−1: silent)."""
    said = torch.tensor(labels)[world.world_of]
    state = torch.zeros_like(world.state)
    free = state.shape[1] - len(world.classes)
    rows = (said >= 0).nonzero().view(-1)
    state[rows, free + said[rows]] = 1.0
    return world.with_state(state)


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    """A run of crosses: silent, then class 7; rings of class 2 after each swap."""

    def make(
        steps: int = 40,
        swaps: Sequence[int] = (20,),
        worlds: int = 1,
        labelled: bool = True,
        expectations: Sequence[Expectation] = (),
        every: int = 1,
        name: str = "cross-becomes-ring",
    ) -> Run:
        rule = Mlp()
        cross, ring = np.zeros((12, 12), np.float32), np.zeros((12, 12), np.float32)
        cross[5:7, 1:11] = cross[1:11, 5:7] = 0.8
        ring[2:10, 2:10], ring[4:8, 4:8] = 0.9, 0.0
        start = World.from_images([cross] * worlds, rule)
        now, frames = with_labels(start, *[-1] * worlds), []
        for step in range(steps + 1):
            if step == 3:
                now = with_labels(now, *[7] * worlds)
            if step % every == 0 or step in swaps or step == steps:
                frames.append(Frame(step, now))
            if step in swaps:
                now = now.repictured([ring] * worlds)
                frames.append(Frame(step, now))
                now = with_labels(now, *[2] * worlds)
        share = 1.0 if labelled else np.nan
        plain = [0.0, 0.5, 1 / 3, 0.1, 2.5, 0.0]  # undecided to nonfinite
        rows = [
            [
                t,
                w,
                share * min(1, t / 10),
                float(t > 5),
                share,
                share,
                0 * share,
                float(t <= 5),
                *plain,
            ]
            for t in range(steps + 1)
            for w in range(worlds)
        ]
        events = [[t, "mutate", "7 → 2"] for t in swaps]
        return Run(
            name=name,
            scenario="name: cross\nseed: 3\nimages: {dataset: strokes}\n",
            seed=3,
            rule="digits",
            rule_hash="ab" * 32,
            metrics=(metrics := pd.DataFrame(rows, columns=list(METRIC_COLUMNS))),
            # All worlds are equal.
            pooled=metrics[metrics["world"] == 0].drop(columns="world").reset_index(drop=True),
            events=pd.DataFrame(events, columns=["step", "kind", "what"]),
            frames=tuple(frames),
            expectations=tuple(expectations),
            seconds=1.5,
        )

    return make
