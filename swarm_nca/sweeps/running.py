"""Runs a sweep: hands its plans to an executor, and every result to the table.

The executor is a pool of local processes, a Ray cluster, or any other of `concurrent.futures`. If a
local worker dies, its pool is made anew, and the runs that it broke off are tried again one by one;
a run during which a worker dies again, alone, is recorded as failed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.config.errors import one_line
from swarm_nca.processes import cores, local, stop
from swarm_nca.sweeps.named import check_named
from swarm_nca.sweeps.plans import Plan, checked
from swarm_nca.sweeps.ray_cluster import RayExecutor
from swarm_nca.sweeps.reading import Opening, opened
from swarm_nca.sweeps.search import Searched, check_installed
from swarm_nca.sweeps.table import DONE, FAILED, Row, Table
from swarm_nca.sweeps.work import Outcome, perform
from swarm_nca.training.lock import locked

#: Files and folders of a sweep.
TABLE, LOCK, RUNS, JOURNAL = "table.csv", ".lock", "runs", "search.journal"

#: The error of a run whose worker died twice.
DIED = "the worker process died twice, the second time with this run alone (out of memory?)"

#: Called after each run with (runs finished, runs failed, runs in all).
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Swept:
    """A finished sweep.

    Attributes:
        name: of the sweep.
        folder: holds the table, the figure and the runs that left files.
        keys: the keys that take several values.
        rows: one for each run of the sweep, in its order; cells as text, by column.
        repeated: number of runs that were in the table already.
        best: the best trial's values and measure, of a search.
    """

    name: str
    folder: Path
    keys: tuple[str, ...]
    rows: tuple[Row, ...]
    repeated: int = 0
    best: str = ""

    @property
    def failed(self) -> int:
        """Number of failed runs."""
        return sum(row["status"] == FAILED for row in self.rows)

    @property
    def table(self) -> Path:
        """The table."""
        return self.folder / TABLE


class Source(Protocol):
    """Gives the plans of a sweep."""

    def __len__(self) -> int:
        """Number of runs in all."""

    def take(self) -> Plan | None:
        """The next plan; None if there is none, or none before the next result."""

    def tell(self, plan: Plan, row: Row) -> None:
        """Take note of the row of a plan."""


class Listed:
    """A source that is known in advance."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._left = deque(plans)
        self._count = len(self._left)

    def __len__(self) -> int:
        return self._count

    def take(self) -> Plan | None:
        return self._left.popleft() if self._left else None

    def tell(self, plan: Plan, row: Row) -> None:
        return


def sweep(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    overrides: Iterable[str] = (),
    seeds: str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    ray: str | None = None,
    on_error: Literal["continue", "stop"] = "continue",
    progress: Progress | None = None,
) -> Swept:
    """Run a sweep, or what is left of it; finished runs are never repeated.

    Args:
        path: a sweep file, or the name of a sweep that ships.
        out: the folder of the table and the figure; `runs/sweep-NAME` when None.
        overrides: `key=value,value,…` of keys of the base: their values in the grid.
        seeds: seeds instead of the file's, such as `0-9`.
        workers: number of runs at the same time; the cores when None.
        executor: any executor of `concurrent.futures`, which is not shut down; local processes
            when None.
        ray: the address of a Ray cluster that takes the place of local processes, or `auto`.
        on_error: whether the sweep goes on after a failed run.
        progress: called after each run with (runs finished, runs failed, runs in all).

    Returns:
        The rows of the table and their folder.

    Raises:
        LocatedError: a mistake in the sweep or its base, with its place; before the first run. The
            measures of a training are known after the first one.
        ValueError: a folder that cannot be used, or another process that sweeps there; an executor
            that broke.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    opening = opened(path, overrides, seeds)
    folder = Path(out) if out is not None else Path("runs") / f"sweep-{opening.name}"
    plans = checked(opening)
    _check_place(folder)
    if opening.sweep.search is not None:
        check_installed()
    with _made(executor, ray, workers) as (make, most):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / LOCK, "sweeping"):
            table = Table(folder / TABLE, opening.keys)
            source = _source(opening, plans, folder)
            pool = _Pool(opening, table, source, folder.resolve(), make, progress)
            try:
                pool.run(most, on_error == "stop")
            finally:
                table.sort(pool.order)
            rows = tuple(table.rows[run] for run in pool.order if run in table.rows)
            best = source.best if isinstance(source, Searched) else ""
            swept = Swept(opening.name, folder, tuple(opening.keys), rows, pool.repeated, best)
            _draw(opening, swept)
    return swept


def _source(opening: Opening, plans: Iterable[Plan], folder: Path) -> Source:
    """What gives the plans: a search, or the plans that are known in advance."""
    if opening.sweep.search is not None:
        return Searched(opening, folder / JOURNAL)
    return Listed(plans)


def _check_place(folder: Path) -> None:
    """Raise a ValueError unless the folder is free or holds a sweep."""
    check_folder(folder)
    if folder.is_dir() and not (folder / TABLE).is_file():
        held = sorted(path.name for path in folder.iterdir() if path.name != LOCK)
        if held:
            raise ValueError(
                f"{folder}: the folder holds {held[0]!r} and no {TABLE}, so it is not a sweep's; "
                "choose another --out"
            )


@contextmanager
def _made(
    executor: Executor | None, ray: str | None, workers: int | None
) -> Iterator[tuple[Callable[[], Executor] | Executor, int]]:
    """What makes executors, or the one executor there is; and the number of runs at a time."""
    if executor is not None and ray is not None:
        raise ValueError("give either an executor or the address of a Ray cluster")
    if executor is not None:
        yield executor, workers or int(getattr(executor, "_max_workers", 0)) or cores()
    elif ray is not None:
        cluster = RayExecutor(ray, workers)
        try:
            yield cluster, workers or cluster.workers
        finally:
            cluster.shutdown(cancel_futures=True)
    else:
        most = workers or cores()
        yield (lambda: local(most)), most


class _Pool:
    """The runs at work, the executor that does them, and the table that takes the results."""

    def __init__(
        self,
        opening: Opening,
        table: Table,
        source: Source,
        folder: Path,
        executor: Callable[[], Executor] | Executor,
        progress: Progress | None,
    ) -> None:
        self.table, self.source, self.folder = table, source, folder
        self.opening, self.keep = opening, opening.sweep.keep
        self.progress = progress or (lambda done, failed, runs: None)
        self.order: list[str] = []
        self.repeated = self.finished = self.failed = 0
        self._make = executor if not isinstance(executor, Executor) else None
        self._executor = executor if isinstance(executor, Executor) else None
        self._at_work: dict[Future[Outcome], Plan] = {}
        self._suspects: deque[Plan] = deque()
        self._alone = ""

    def run(self, most: int, stop_on_error: bool) -> None:
        """Do all runs of the source, `most` at a time."""
        try:
            while True:
                self._fill(most)
                if not self._at_work:
                    if self._suspects:
                        continue
                    return
                done, _ = wait(self._at_work, return_when=FIRST_COMPLETED)
                self._take(done)
                if stop_on_error and self.failed:
                    return
        finally:
            if self._make is not None and self._executor is not None:
                stop(self._executor)
            for future in self._at_work:
                future.cancel()

    def _fill(self, most: int) -> None:
        """Start runs until `most` are at work; after a worker's death, suspects alone."""
        self._alone = ""
        if self._suspects:
            if not self._at_work:
                suspect = self._suspects.popleft()
                self._start(suspect)
                self._alone = suspect.name
            return
        while len(self._at_work) < most and (plan := self.source.take()) is not None:
            if any(other.name == plan.name for other in self._at_work.values()):
                continue  # two trials of a search with the same values share a run
            self.order.append(plan.name)
            if self.table.done(plan.name):
                self.repeated += 1
                self._note(plan, self.table.rows[plan.name])
            elif not self._start(plan):
                return

    def _start(self, plan: Plan) -> bool:
        """Start a run; if a worker has just died, the run joins the suspects instead."""
        if self._executor is None and self._make is not None:
            self._executor = self._make()
        if self._executor is None:
            raise ValueError("there is no executor")
        folder = self.folder / RUNS / plan.name
        try:
            future = self._executor.submit(perform, plan, folder, self.keep)
        except BrokenExecutor:
            self._suspects.append(plan)
            if not self._at_work:  # an idle worker died: no result will report it
                self._renew()
            return False
        self._at_work[future] = plan
        return True

    def _take(self, done: Iterable[Future[Outcome]]) -> None:
        """Record finished runs; if a worker died, make the executor anew."""
        broken = []
        for future in done:
            plan = self._at_work.pop(future)
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                broken.append(plan)
            elif error is not None:
                self._record(plan, Outcome(error=one_line(f"{type(error).__name__}: {error}")))
            else:
                self._record(plan, future.result())
        if not broken:
            return
        broken += self._at_work.values()
        self._at_work.clear()
        self._renew()
        if self._alone == broken[0].name:
            self._record(broken[0], Outcome(error=DIED))
        else:
            self._suspects.extend(broken)

    def _renew(self) -> None:
        """Give up an executor that broke; the next run gets a new one."""
        if self._make is None or self._executor is None:
            raise ValueError(
                "the executor broke, because a worker died; finished runs are kept: make a new "
                "executor and repeat the sweep"
            )
        stop(self._executor)
        self._executor = None

    def _record(self, plan: Plan, outcome: Outcome) -> None:
        row = self.table.add(
            {
                "run": plan.name,
                "status": FAILED if outcome.error else DONE,
                "seed": plan.seed,
                **plan.values,
                **outcome.measures,
                "seconds": round(outcome.seconds, 3),
                "failure": outcome.error,
                "plan": {plan.kind: plan.data},
            }
        )
        self._note(plan, row)

    def _note(self, plan: Plan, row: Row) -> None:
        self.finished += 1
        self.failed += row["status"] == FAILED
        if plan.kind == "recipe" and row["status"] == DONE:
            check_named(self.opening, self.table.columns)
        self.source.tell(plan, row)
        self.progress(self.finished, self.failed, len(self.source))


def _draw(opening: Opening, swept: Swept) -> None:
    """Write the figure, if there is something to show."""
    from swarm_nca.sweeps.figure import figure

    paper = figure(opening, swept.rows)
    if paper is not None:
        write_atomically(swept.folder / "sweep.png", paper.png())
        write_atomically(swept.folder / "sweep.pdf", paper.pdf())
