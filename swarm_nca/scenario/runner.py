"""Running a scenario: steps, what happens between them, and what is kept.

Row t of the metrics is the world after step t and before the perturbations at t; row 0 is the
start. Both engines give the same run, as both are a `step` and the present `world`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from swarm_nca.cores import sharing_cores
from swarm_nca.engine import Stepper
from swarm_nca.measure.census import Census
from swarm_nca.measure.metrics import metrics_for
from swarm_nca.perturbations import Perturbation
from swarm_nca.recording import Expectation, Frame, Run, Table, kept_steps, write_run
from swarm_nca.scenario.placing import check_place, place
from swarm_nca.scenario.scenario import Scenario, load
from swarm_nca.world import World

#: Told after each step: how many are done, and of how many.
Progress = Callable[[int, int], None]


def run(
    scenario: str | os.PathLike[str] | Scenario,
    out: str | os.PathLike[str] | None = None,
    *,
    seed: int | None = None,
    overrides: Iterable[str] = (),
    progress: Progress | None = None,
) -> Run:
    """Run a scenario from beginning to end.

    Args:
        scenario: its file, or what `load` made of one.
        out: the run folder to write; an earlier run there is replaced once this one is over.
            Nothing is written when None.
        seed: overrides the scenario's.
        overrides: `key=value` changes to it, as `--set` takes them.
        progress: called after each step with (steps done, steps in all).

    Returns:
        What came of it: `.metrics` and `.events` (DataFrames), `.frames`, `.expectations`,
        `.passed`.

    Raises:
        LocatedError: a mistake in the file, told with its place.
        ValueError: a folder that cannot be written, or changes asked of a scenario already loaded.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario, overrides=overrides, seed=seed)
    elif seed is not None or tuple(overrides):
        raise ValueError("this scenario is loaded already; give seed and overrides to load()")
    folder = None if out is None else Path(out)
    if folder is not None:
        check_place(folder)
        folder = folder.resolve()  # paths in it are told from where it really is
    with sharing_cores(scenario.start.cells):
        result = _Recorder(scenario).run(folder, progress or (lambda done, steps: None))
    if folder is not None:
        record = scenario.settings.record
        place(
            folder,
            lambda new: write_run(new, result, pictures=record.picture, states=record.states),
        )
    return result


class _Engine(Protocol):
    """Worlds being stepped."""

    def step(self) -> World:
        """The worlds one step later."""

    def go_on(self, world: World) -> None:
        """Go on from here, after a perturbation."""


class _Batched:
    """All cells of all worlds at once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.go_on(scenario.start)

    def step(self) -> World:
        self._stepper.step()
        return self._stepper.world()

    def go_on(self, world: World) -> None:
        self._stepper = Stepper(world, self._scenario.rule, self._scenario.settings.seed)


class _Agents:
    """Every world as a swarm of agents that act one by one."""

    def __init__(self, scenario: Scenario) -> None:
        from swarm_nca.swarm import Swarm

        self._swarms = [
            Swarm(alone, scenario.rule, scenario.settings.seed, "agents", model_reporters={})
            for alone in scenario.start.split()
        ]

    def step(self) -> World:
        for swarm in self._swarms:
            swarm.step()
        return World.join([swarm.world for swarm in self._swarms])

    def go_on(self, world: World) -> None:
        for swarm, alone in zip(self._swarms, world.split(), strict=True):
            swarm.world = alone


#: The engines that a scenario can name.
_ENGINES: dict[str, Callable[[Scenario], _Engine]] = {"batched": _Batched, "agents": _Agents}


class _Recorder:
    """One run of a scenario, and what is noted of it on the way."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.measured = metrics_for(scenario.start)
        numbers = dict.fromkeys(self.measured, "float64")
        self.metrics = Table({"step": "int64", "world": "int64", **numbers})
        self.pooled = Table({"step": "int64", **numbers})
        self.events: list[dict[str, Any]] = []
        self.frames: list[Frame] = []
        self.expectations: dict[int, Expectation] = {}

    def run(self, folder: Path | None, progress: Progress) -> Run:
        began = time.perf_counter()
        scenario, settings = self.scenario, self.scenario.settings
        world, previous = scenario.start, None
        moments = {one.at for one in scenario.perturbations}
        cell_bytes = world.state.element_size() * world.state.shape[1]
        every = settings.record.every
        kept = kept_steps(settings.steps, every, moments, world.cells, cell_bytes)
        engine = _ENGINES[settings.engine](scenario)
        for step in range(settings.steps + 1):
            if step:
                previous, world = world, engine.step()
                progress(step, settings.steps)
            self._measure(step, world, previous)
            if step in kept:
                self.frames.append(Frame(step, world))
            acting = scenario.acting_at(step)
            for _, perturbation in acting:
                before, world = world, perturbation(world, settings.seed)
                self._note(step, perturbation, before, world)
            if acting:
                engine.go_on(world)
                if step in kept:
                    self.frames.append(Frame(step, world))
        return Run(
            name=scenario.name,
            scenario=scenario.text(folder or scenario.folder),
            seed=settings.seed,
            rule=settings.rule,
            rule_hash=scenario.rule.hash(),
            metrics=self.metrics,
            pooled=self.pooled,
            events=pd.DataFrame(self.events, columns=list(EVENT_TYPES)).astype(EVENT_TYPES),
            frames=tuple(self.frames),
            expectations=tuple(self.expectations[i] for i in range(len(settings.expect))),
            shown_above=scenario.rule.shown_above,
            seconds=time.perf_counter() - began,
        )

    def _measure(self, step: int, world: World, previous: World | None) -> None:
        census = Census(world, self.scenario.rule, previous)
        readings = [metric.reading(census) for metric in self.measured.values()]
        worlds = np.arange(len(world))
        measured = [reading.per_world().numpy() for reading in readings]
        self.metrics.append(np.column_stack([np.full_like(worlds, step), worlds, *measured]))
        values = (reading.pooled() for reading in readings)
        pooled = dict(zip(self.measured, values, strict=True))
        self.pooled.append(np.array([[step, *pooled.values()]], np.float64))
        for i, one in enumerate(self.scenario.settings.expect):
            if one.at == step:
                value = pooled[one.metric]
                self.expectations[i] = Expectation(one.metric, one.at, one.min, one.max, value)

    def _note(self, step: int, perturbation: Perturbation, before: World, after: World) -> None:
        self.events.append(
            {
                "step": step,
                "kind": perturbation.kind,
                "what": perturbation.what(before, after),
                "world": perturbation.world,
                "cells_before": before.cells,
                "cells_after": after.cells,
            }
        )


#: The events' columns and their types; `world` is empty where a perturbation acted on all of them.
EVENT_TYPES = {
    "step": "int64",
    "kind": "object",
    "what": "object",
    "world": "Int64",
    "cells_before": "int64",
    "cells_after": "int64",
}
