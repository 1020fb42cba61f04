"""Runs a scenario: steps, perturbations, metrics, frames and events.

Row t of the metrics describes the world after step t and before the perturbations at t; row 0 is
the start. Both engines give the same run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from swarm_nca.engine import check_device
from swarm_nca.export.live import live_page
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.measure.metrics import metrics_for
from swarm_nca.perturbations import Perturbation
from swarm_nca.recording import Frame, Run, Table, kept_steps, write_run
from swarm_nca.scenario.engines import engine_of
from swarm_nca.scenario.forking import origins_of
from swarm_nca.scenario.judging import Judge
from swarm_nca.scenario.placing import check_place, place
from swarm_nca.scenario.scenario import Scenario, load
from swarm_nca.simulation import Event, Moment, Planned, Simulation
from swarm_nca.threads import threads_for

#: Called after each step with (steps done, total steps).
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
        scenario: a file, the name of a scenario that ships, or a loaded scenario.
        out: the run folder to write; an earlier run there is replaced when this one is complete.
            Nothing is written when None.
        seed: overrides the scenario's seed.
        overrides: changes of the file, `key=value` as for `--set`.
        progress: called after each step with (steps done, total steps).

    Returns:
        The run: `.metrics` and `.events` (DataFrames), `.frames`, `.expectations`, `.passed`.

    Raises:
        LocatedError: a mistake in the file, with its place.
        ValueError: a folder that cannot be written; seed or overrides for a loaded scenario.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario, overrides=overrides, seed=seed)
    elif seed is not None or tuple(overrides):
        raise ValueError("this scenario is already loaded; give seed and overrides to load()")
    with scenario.document.at("device"):
        check_device(scenario.settings.device)
    folder = None if out is None else Path(out)
    if folder is not None:
        check_place(folder)
        if folder.resolve() in origins_of(scenario.document):
            raise ValueError(
                f"{folder}: the scenario goes on from the run in this folder, which it would "
                "replace; choose another folder with --out, or another name"
            )
        folder = folder.resolve()  # relative paths in the folder start from its real location
    with threads_for(scenario.start.cells):
        result = _Recorder(scenario).run(folder, progress or (lambda done, steps: None))
    if folder is not None:
        record = scenario.settings.record
        live = live_of(scenario, result) if record.picture else None
        place(
            folder,
            lambda new: write_run(
                new, result, pictures=record.picture, states=record.states, live=live
            ),
        )
    return result


def live_of(scenario: Scenario, result: Run) -> tuple[bytes, str] | None:
    """The page on which the run goes on from its last picture; see `live_page`."""
    world = result.frames[-1].world if result.frames else scenario.start
    return live_page(scenario.rule, result.rule_title, world, result.seed)


class _Recorder:
    """Runs a scenario and collects metrics, frames, events and expectations."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.measured = metrics_for(scenario.start)
        numbers = dict.fromkeys(self.measured, "float64")
        self.metrics = Table({"step": "int64", "world": "int64", **numbers})
        self.pooled = Table({"step": "int64", **numbers})
        self.events: list[dict[str, Any]] = []
        self.frames: list[Frame] = []
        steps = scenario.settings.steps
        self.judges = [Judge(wanted, steps) for wanted in scenario.settings.expect]

    def run(self, folder: Path | None, progress: Progress) -> Run:
        began = time.perf_counter()
        scenario, settings = self.scenario, self.scenario.settings
        world = scenario.start
        moments = {perturbation.at for perturbation in scenario.perturbations}
        cell_bytes = world.state.element_size() * world.state.shape[1]
        every = settings.record.every
        first = settings.first
        kept = kept_steps(settings.steps, every, moments, world.cells, cell_bytes, first)
        plan = Planned([(change.at, change) for change in scenario.perturbations])
        engine = engine_of(settings, settings.device)
        simulation = Simulation(world, scenario.rule, settings.seed, plan, engine)
        simulation.stand_on(world, first)
        for moment in simulation.moments(settings.steps - first):
            if moment.step > first:
                progress(moment.step, settings.steps)
            self._measure(moment)
            if moment.step in kept:
                self.frames.append(Frame(moment.step, moment.world))
            for event in moment.events:
                self._note(moment.step, event)
            if moment.events and moment.step in kept:
                self.frames.append(Frame(moment.step, moment.after))
        return Run(
            name=scenario.name,
            description=settings.about,
            scenario=scenario.text(folder or scenario.folder),
            seed=settings.seed,
            rule=settings.rule,
            rule_hash=scenario.rule.hash(),
            metrics=self.metrics,
            pooled=self.pooled,
            events=pd.DataFrame(self.events, columns=list(EVENT_TYPES)).astype(EVENT_TYPES),
            frames=tuple(self.frames),
            expectations=tuple(judge.result for judge in self.judges),
            shown_above=scenario.rule.shown_above,
            seconds=time.perf_counter() - began,
        )

    def _measure(self, moment: Moment) -> None:
        step, world = moment.step, moment.world
        stats = CellStats(world, self.scenario.rule, moment.before)
        readings = [metric.reading(stats) for metric in self.measured.values()]
        worlds = np.arange(len(world))
        measured = [reading.per_world().numpy() for reading in readings]
        self.metrics.append(np.column_stack([np.full_like(worlds, step), worlds, *measured]))
        pooled = [reading.pooled() for reading in readings]
        self.pooled.append(np.array([[step, *pooled]], np.float64))
        named = dict(zip(self.measured, readings, strict=True))
        for judge in self.judges:
            name = judge.wanted.metric
            judge.see(step, named[name], not self.measured[name].share or stats.begun is None)

    def _note(self, step: int, event: Event) -> None:
        perturbation: Perturbation = event.change
        self.events.append(
            {
                "step": step,
                "kind": perturbation.kind,
                "what": perturbation.what(event.before, event.after),
                "world": perturbation.world,
                "cells_before": event.before.cells,
                "cells_after": event.after.cells,
            }
        )


#: Columns of the events and their types; `world` is empty if a perturbation acted on all worlds.
EVENT_TYPES = {
    "step": "int64",
    "kind": "object",
    "what": "object",
    "world": "Int64",
    "cells_before": "int64",
    "cells_after": "int64",
}
