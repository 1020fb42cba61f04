"""Runs a stress suite: every family, setting by setting, and keeps what is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from swarm_nca.processes import local, stop
from swarm_nca.simulation import Change
from swarm_nca.stress.families import FAMILIES, Family, Fault, Setting, Shift
from swarm_nca.stress.faults import healed
from swarm_nca.stress.measuring import Row, Tick, conduct_of, looks, row_of, world_of
from swarm_nca.stress.subject import Subject
from swarm_nca.stress.table import PictureRow, Store, picture_rows
from swarm_nca.world import World

#: Steps of a run on pictures.
STEPS = 200

#: Steps at which a fault is measured; it ends after the last of them. Steps from there to the last
#: measurement.
UNDER_FAULT, RECOVERY = (200, 1_000), 200

#: The rows of a setting, and those of its pictures.
_Rows = tuple[list[Row], list[PictureRow]]

#: Settings that other processes measure.
_Results = dict[tuple[str, Setting], Future[_Rows]]

#: Called with (what is running, steps done, steps in all).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Suite:
    """A suite of one subject.

    Attributes:
        subject: rule and pictures.
        families: those to run; see `families.chosen`.
        store: the finished settings.
    """

    subject: Subject
    families: Mapping[str, Family]
    store: Store

    @property
    def left(self) -> list[tuple[str, Setting]]:
        """The settings that are not finished, in order."""
        return [
            (name, setting)
            for name, family in self.families.items()
            for setting in family.settings_for(self.subject)
            if not self.store.of(name, setting)
        ]

    def run(self, progress: Progress = lambda what, done, total: None, workers: int = 1) -> None:
        """Finish all settings, and store them in order.

        Args:
            progress: called after every step, or after every setting with several workers.
            workers: processes that measure settings at the same time, each on one core; 1 measures
                in this process.
        """
        left = self.left
        total = sum(_steps(self.families[name]) for name, _ in left)
        with self._workers(left, workers) as results:
            before = 0
            for name, setting in left:
                what = f"{name} {written(setting)}"
                tick: Tick = partial(_report, progress, what, count(before + 1), total)
                found = self._same(name, setting)
                if found is None and (name, setting) in results:
                    progress(what, before, total)
                    found = _result(results[name, setting])
                self.store.add(*(found or measured(self.subject, name, setting, tick)))
                before += _steps(self.families[name])
                progress(what, before, total)

    @contextmanager
    def _workers(self, left: list[tuple[str, Setting]], workers: int) -> Iterator[_Results]:
        """The results of settings that other processes measure; none with one worker."""
        if min(workers, len(left)) <= 1:
            yield {}
            return
        executor, results, neutral = local(workers), _Results(), set[type[Family]]()
        try:
            for name, setting in left:
                family = self.families[name]
                if setting == family.neutral_for(self.subject):
                    if self._same(name, setting) is not None or type(family) in neutral:
                        continue
                    neutral.add(type(family))
                task = executor.submit(measured, self.subject, name, setting)
                results[name, setting] = task
            yield results
        finally:
            stop(executor)

    def _same(self, name: str, setting: Setting) -> _Rows | None:
        """The rows of another family's neutral setting, if this is neutral too and one is known."""
        family = self.families[name]
        if setting != family.neutral_for(self.subject):
            return None
        for other, candidate in _all_of(type(family)):
            neutral = candidate.neutral_for(self.subject)
            rows = [] if neutral is None else self.store.of(other, neutral)
            if rows:
                pictures = [
                    replace(one, family=name, setting=setting)
                    for one in self.store.pictures
                    if (one.family, one.setting) == (other, neutral)
                ]
                return [replace(row, family=name, setting=setting) for row in rows], pictures
        return None


def measured(subject: Subject, name: str, setting: Setting, tick: Tick = lambda: None) -> _Rows:
    """The rows of a setting of a family."""
    family, rule, seed = FAMILIES[name], subject.rule, subject.seed
    if isinstance(family, Shift):
        world = world_of(family.make(subject, setting), rule)
        (look,) = looks(world, rule, seed, [STEPS], tick=tick)
        seen = conduct_of(look, seed)
        return [row_of(name, setting, look)], picture_rows(name, setting, seen)
    start, plan = faulty(subject, family, float(setting), world_of(subject.pictures, rule))
    end = UNDER_FAULT[-1]
    steps = [*UNDER_FAULT, end + RECOVERY]
    found = looks(start, rule, seed, steps, plan, tick)
    return [row_of(name, setting, look, look.step > end) for look in found], []


def faulty(
    subject: Subject, family: Fault, setting: float, sound: World
) -> tuple[World, list[tuple[int, Change]]]:
    """The first world, and the begin and end of the fault if they come later."""

    def fail(world: World, seed: int = 0) -> World:
        return family.make(world, setting, subject)

    def heal(world: World, seed: int = 0) -> World:
        return healed(world, sound)

    end: tuple[int, Change] = (UNDER_FAULT[-1], heal)
    if family.begin:
        return sound, [(family.begin, fail), end]
    return fail(sound, subject.seed), [end]


def _result(task: Future[_Rows]) -> _Rows:
    try:
        return task.result()
    except BrokenExecutor as error:
        raise ValueError(
            "a worker process died (out of memory?): what was finished is kept; give the same "
            "command again with --workers 1"
        ) from error


def written(setting: Setting) -> str:
    """A setting as text."""
    return f"{setting:g}" if isinstance(setting, float) else setting


def _all_of(kind: type[Family]) -> Iterator[tuple[str, Family]]:
    return ((name, family) for name, family in FAMILIES.items() if isinstance(family, kind))


def _steps(family: Family) -> int:
    return UNDER_FAULT[-1] + RECOVERY if isinstance(family, Fault) else STEPS


def _report(progress: Progress, what: str, done: Iterator[int], total: int) -> None:
    progress(what, next(done), total)
