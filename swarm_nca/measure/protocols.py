"""Evaluation protocols: fresh pictures, and pictures that are swapped for others.

As published (Randazzo et al., Distill 2020): batches of 1,000 pictures, metrics pooled over each
batch after every step, then averaged over batches. `fresh` starts from zeros. `mutation` adds a
phase: every picture is swapped for another, and cells alive in both keep all their fields.
`restart` swaps too, but resets states to zero; the article's evaluation code does this under the
name of mutation.

Letters: P pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, get_args

import torch
from torch import Tensor

from swarm_nca.bounds import Count, check
from swarm_nca.links import Links
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.measure.metrics import METRICS, steps_to_agreement
from swarm_nca.measure.protocol_run import EARLY, Protocol, ProtocolRun
from swarm_nca.measure.readings import Reading
from swarm_nca.measure.vote_counts import VoteCounts
from swarm_nca.rules import Rule
from swarm_nca.suggestion import unknown

if TYPE_CHECKING:
    from swarm_nca.images import Pictures

__all__ = ["Evaluation", "Progress", "Protocol", "Watch", "check_classes", "check_exam", "evaluate"]

#: Maximum measured steps of an evaluation; each keeps a few kB per batch.
MOST_LOOKS = 100_000

#: Called with (steps done, total steps), over all batches.
Progress: TypeAlias = Callable[[int, int], None]

#: Called with the step, counted through all phases, and the statistics of one batch after it.
Watch: TypeAlias = Callable[[int, CellStats], None]


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation.

    Attributes:
        protocol, seed: as given.
        steps: length of each phase; one more phase follows each swap.
        swaps: how often every picture was swapped; 0 when fresh.
        every: steps between two measured steps.
        pictures: P.
        curve: one row per measured step, `step` from 1 on and every metric of `METRICS`.
        last: decisions of the cells at the end, for each of the P pictures.
        settled: int64 [P], the step of the last phase (from 1) since which a picture's cells agree
            at every measured step; −1 if they disagree at the end.
        begin: the first phase that was run.
    """

    protocol: Protocol
    seed: int
    steps: int
    swaps: int
    every: int
    pictures: int
    curve: list[dict[str, float]]
    last: VoteCounts
    settled: Tensor
    begin: int = 0

    @property
    def looks(self) -> list[int]:
        """The measured steps of a phase."""
        return [int(row["step"]) - self.begin * self.steps for row in self.phases[0]]

    @property
    def phases(self) -> list[list[dict[str, float]]]:
        """The curve, split at the swaps."""
        each = len(self.curve) // (1 + self.swaps - self.begin)
        return [self.curve[start : start + each] for start in range(0, len(self.curve), each)]

    @property
    def first_nonfinite(self) -> dict[str, float] | None:
        """The first row with a state that is not finite."""
        return next((row for row in self.curve if row["nonfinite"]), None)


def evaluate(
    rule: Rule,
    pictures: Pictures,
    *,
    steps: int = 200,
    protocol: Protocol = "fresh",
    swaps: int = 1,
    every: int = 1,
    seed: int = 0,
    begin: int = 0,
    batch: int = 1_000,
    precision: str | None = None,
    links: Links | None = None,
    device: str | None = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Evaluation:
    """Measure a rule on pictures, step by step.

    A world's key is its picture's number, so its course depends on neither batch nor limit. If
    pictures are swapped and differ in size, all are first centred on one canvas. No world shows
    the same picture twice.

    Args:
        pictures: either all their classes are the rule's, matched by name, or none is, and then no
            picture has a right class.
        steps: length of each phase; with `mutation` and `restart` there is one more phase per swap.
        swaps: how often all pictures are swapped.
        every: measure every so many steps only, and at the `EARLY` steps and the last of each
            phase, since measuring costs a good part of a step.
        seed: seed of every random draw and of the swaps.
        begin: the first phase to run, from 0. Phases before a `restart` do not affect it, so they
            may be left out, also from the curve.
        batch: pictures that are pooled, and held in memory, together.
        precision: see `engine.rollout`.
        links: the links of all worlds; perfect ones when None.
        device: where the cells are stepped, such as `cuda`; they are measured on the CPU.
        progress: called after every step.
        watch: called at every measured step, batch by batch.

    Raises:
        ValueError: no pictures, pictures of which the rule has some classes but not all, no steps,
            an unknown protocol, too few pictures for the swaps, or `begin` above 0 without
            `restart`.
    """
    check_exam(rule, pictures, steps, protocol, swaps, every)
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
    swaps = 0 if protocol == "fresh" else swaps
    latest = swaps if protocol == "restart" else 0
    if not 0 <= begin <= latest:
        raise ValueError(f"begin must lie between 0 and {latest} for {protocol}, got {begin}")
    protocol_run = ProtocolRun(
        rule, pictures, steps, protocol, swaps, every, seed, begin, precision, links, device
    )
    batches = torch.split(torch.arange(len(pictures)), batch)
    total = len(batches) * (1 + swaps - begin) * steps
    done = count(1)
    tick = (lambda: progress(next(done), total)) if progress is not None else (lambda: None)
    results = [_run_batch(protocol_run, chosen, tick, watch) for chosen in batches]
    tables = torch.stack([result.table for result in results])
    sizes = torch.stack([result.sizes for result in results])
    order = protocol_run.shown[-1].argsort()
    first = torch.tensor([-1, *protocol_run.looks])[
        torch.cat([result.settled for result in results]).clamp(min=0)
    ]
    return Evaluation(
        protocol,
        seed,
        steps,
        swaps,
        every,
        len(pictures),
        _curve(protocol_run.steps_looked_at, results[-1].kinds, tables, sizes),
        VoteCounts.joined([result.last for result in results]).of(order),
        first[order],
        begin,
    )


class _BatchResult(NamedTuple):
    """The results of one batch: metrics [looks, metrics] and their kinds; see `Evaluation`.

    `sizes` [looks, metrics] are the numbers of worlds with something to measure.
    """

    table: Tensor
    sizes: Tensor
    kinds: list[type[Reading]]
    settled: Tensor
    last: VoteCounts


def _run_batch(
    protocol_run: ProtocolRun, chosen: Tensor, tick: Callable[[], None], watch: Watch | None
) -> _BatchResult:
    rows, sizes, agrees = [], [], []
    for step, stats in zip(
        protocol_run.steps_looked_at, protocol_run.looks_at(chosen, tick), strict=True
    ):
        if watch is not None:
            watch(step, stats)
        readings = [metric.reading(stats) for metric in METRICS.values()]
        rows.append([reading.pooled() for reading in readings])
        sizes.append([int((~reading.per_world().isnan()).sum()) for reading in readings])
        agrees.append(stats.agrees)
    return _BatchResult(
        torch.tensor(rows, dtype=torch.float64),
        torch.tensor(sizes),
        [type(reading) for reading in readings],
        steps_to_agreement(torch.stack(agrees[-len(protocol_run.looks) :])).cpu(),
        stats.counted(),
    )


def check_exam(
    rule: Rule, pictures: Pictures, steps: int, protocol: str, swaps: int = 1, every: int = 1
) -> None:
    """Check the arguments of `evaluate`.

    Raises:
        ValueError: the first unusable argument.
    """
    known = get_args(Protocol)
    if protocol not in known:
        raise ValueError(unknown("protocol", protocol, known))
    for name, value in (("steps", steps), ("swaps", swaps), ("every", every)):
        check(name, value, Count)
    looks = (1 + swaps) * (steps // every + len(EARLY))
    if looks > MOST_LOOKS:
        raise ValueError(
            f"{looks} measured steps are too many for memory, the limit is {MOST_LOOKS}: use fewer "
            f"steps or swaps, or measure less often (every={-(-steps // 1000)})"
        )
    if protocol == "fresh" and swaps != 1:
        raise ValueError(f"{swaps} swaps need the protocol mutation or restart; fresh has none")
    fewest = 1 if protocol == "fresh" else 1 + swaps
    if len(pictures) < fewest:
        raise ValueError(f"{protocol} needs at least {fewest} pictures, got {len(pictures)}")
    check_classes(rule, pictures)


def check_classes(rule: Rule, pictures: Pictures) -> None:
    """Raise a ValueError if the rule has some classes of the pictures but not all."""
    names = rule.classes.names
    foreign = [name for name in pictures.classes if name not in names]
    if 0 < len(foreign) < len(pictures.classes):
        raise ValueError(
            f"the pictures have {len(pictures.classes)} classes ({_listed(pictures.classes)}), the "
            f"rule has {len(names)} ({_listed(names)}) and lacks {_listed(foreign)}; use a rule "
            "trained on such pictures, or pictures of its classes"
        )


def _curve(
    steps: list[int], kinds: list[type[Reading]], tables: Tensor, sizes: Tensor
) -> list[dict[str, float]]:
    """The curve from tables [batches, looks, metrics], and the sizes of what was measured."""
    columns = [
        kind.over_batches(tables[..., number], sizes[..., number]).tolist()
        for number, kind in enumerate(kinds)
    ]
    return [
        {"step": step, **dict(zip(METRICS, row, strict=True))}
        for step, *row in zip(steps, *columns, strict=True)
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
