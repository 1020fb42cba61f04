"""How a rule is examined: fresh pictures, and pictures that are swapped for others on the way.

As published (Randazzo et al., Distill 2020): batches of 1,000 pictures, metrics pooled over each
batch after every step, then averaged over batches. `fresh` starts from zeros. `mutation` goes on
from there: every picture is swapped for another and cells alive in both keep all they hold.
`restart` swaps too, but hands zero states to what follows: that is what the article's own
evaluation code does, under the name of mutation.

Letters: P pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, get_args

import torch
from torch import Tensor

from swarm_nca.bounds import MOST, shortly
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.measure.metrics import METRICS, pooled, steps_to_agreement
from swarm_nca.measure.protocol_run import EARLY, Protocol, ProtocolRun
from swarm_nca.measure.readings import Reading
from swarm_nca.measure.vote_counts import VoteCounts
from swarm_nca.rules import Rule
from swarm_nca.suggestion import unknown

if TYPE_CHECKING:
    from swarm_nca.images import Pictures

__all__ = ["Evaluation", "Progress", "Protocol", "Watch", "check_classes", "check_exam", "evaluate"]

#: Of one examination: every look at a batch keeps a few kB.
MOST_LOOKS = 100_000

#: Told the steps done and the steps in all, over all batches.
Progress: TypeAlias = Callable[[int, int], None]

#: Told the step, counted through all phases, and what is seen after it of one batch.
Watch: TypeAlias = Callable[[int, CellStats], None]


@dataclass(frozen=True)
class Evaluation:
    """What came out of an examination.

    Attributes:
        protocol, seed: as asked for.
        steps: length of each phase; one more phase follows each swap.
        swaps: how often every picture was swapped for another; 0 when fresh.
        every: how many steps lie between two looks.
        pictures: P.
        curve: one row per look, `step` from 1 on and every metric of `METRICS`.
        last: what the cells of each of the P pictures had decided at the end.
        settled: int64 [P], the step of the last phase (from 1) from which on a picture's cells
            agree at every look until the end; −1 where they do not.
        begin: the first phase that was sat.
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
        """The steps of a phase that were looked at."""
        return [int(row["step"]) - self.begin * self.steps for row in self.phases[0]]

    @property
    def phases(self) -> list[list[dict[str, float]]]:
        """The curve, cut at the swaps."""
        each = len(self.curve) // (1 + self.swaps - self.begin)
        return [self.curve[start : start + each] for start in range(0, len(self.curve), each)]

    @property
    def first_nonfinite(self) -> dict[str, float] | None:
        """The first row in which a cell held something that is no finite number."""
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
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Evaluation:
    """Metrics of a rule on labelled pictures, step by step.

    A world's key is its picture's number, so what it does depends on neither batch nor limit.
    Where pictures are swapped and differ in size, all are first centred on one canvas. No world
    is shown one picture twice.

    Args:
        pictures: their classes are the rule's, matched by name; or all of them are strange to it,
            and no picture has a right answer.
        steps: of each phase; there is one, and with `mutation` and `restart` one more per swap.
        swaps: how often all pictures are swapped for others.
        every: look after every so many steps only, and at the `EARLY` ones and the last of each
            phase: a look costs a good part of a step.
        seed: every random draw, and who is swapped for whom.
        begin: the first phase that is sat, from 0. Those before a `restart` leave nothing behind,
            so that they may be left out, of the curve too.
        batch: pictures pooled, and held in memory, together.
        progress: called after every step.
        watch: called at every look, batch by batch.

    Raises:
        ValueError: no pictures, classes of which the rule knows some but not others, no steps, an
            unknown protocol, too few pictures to be swapped so often, or a first phase other than
            0 that is not a restart's.
    """
    check_exam(rule, pictures, steps, protocol, swaps, every)
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
    swaps = 0 if protocol == "fresh" else swaps
    latest = swaps if protocol == "restart" else 0
    if not 0 <= begin <= latest:
        raise ValueError(f"begin must lie between 0 and {latest} for {protocol}, got {begin}")
    protocol_run = ProtocolRun(rule, pictures, steps, protocol, swaps, every, seed, begin)
    batches = torch.split(torch.arange(len(pictures)), batch)
    total = len(batches) * (1 + swaps - begin) * steps
    done = count(1)
    tick = (lambda: progress(next(done), total)) if progress is not None else (lambda: None)
    sat = [_sat(protocol_run, chosen, tick, watch) for chosen in batches]
    tables = torch.stack([one.table for one in sat])
    sizes = torch.tensor([len(chosen) for chosen in batches])
    order = protocol_run.shown[-1].argsort()
    first = torch.tensor([-1, *protocol_run.looks])[
        torch.cat([one.settled for one in sat]).clamp(min=0)
    ]
    return Evaluation(
        protocol,
        seed,
        steps,
        swaps,
        every,
        len(pictures),
        _curve(protocol_run.steps_looked_at, sat[-1].kinds, tables, sizes),
        VoteCounts.joined([one.last for one in sat]).of(order),
        first[order],
        begin,
    )


class _Sat(NamedTuple):
    """What came out of one batch: metrics [looks, metrics] and their kinds; see `Evaluation`."""

    table: Tensor
    kinds: list[type[Reading]]
    settled: Tensor
    last: VoteCounts


def _sat(
    protocol_run: ProtocolRun, chosen: Tensor, tick: Callable[[], None], watch: Watch | None
) -> _Sat:
    rows, agrees = [], []
    for step, seen in zip(
        protocol_run.steps_looked_at, protocol_run.looks_at(chosen, tick), strict=True
    ):
        if watch is not None:
            watch(step, seen)
        rows.append(list(pooled(seen).values()))
        agrees.append(seen.agrees)
    return _Sat(
        torch.tensor(rows, dtype=torch.float64),
        [type(metric.reading(seen)) for metric in METRICS.values()],
        steps_to_agreement(torch.stack(agrees[-len(protocol_run.looks) :])).cpu(),
        seen.counted(),
    )


def check_exam(
    rule: Rule, pictures: Pictures, steps: int, protocol: str, swaps: int = 1, every: int = 1
) -> None:
    """What `evaluate` asks of its arguments; see there.

    Raises:
        ValueError: the first thing that cannot be used.
    """
    known = get_args(Protocol)
    if protocol not in known:
        raise ValueError(unknown("protocol", protocol, known))
    for name, value in (("steps", steps), ("swaps", swaps), ("every", every)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {shortly(value)}")
        if value > MOST:
            raise ValueError(f"{name} must be at most {MOST}, got {shortly(value)}")
    looks = (1 + swaps) * (steps // every + len(EARLY))
    if looks > MOST_LOOKS:
        raise ValueError(
            f"{looks} looks at the cells are more than the {MOST_LOOKS} that memory is meant for: "
            f"take fewer steps or swaps, or look less often (every={-(-steps // 1000)})"
        )
    if protocol == "fresh" and swaps != 1:
        raise ValueError(f"{swaps} swaps need the protocol mutation or restart; fresh has none")
    fewest = 1 if protocol == "fresh" else 1 + swaps
    if len(pictures) < fewest:
        raise ValueError(f"{protocol} needs at least {fewest} pictures, got {len(pictures)}")
    check_classes(rule, pictures)


def check_classes(rule: Rule, pictures: Pictures) -> None:
    """A ValueError where the rule knows some classes of the pictures but not others."""
    names = rule.classes.names
    foreign = [name for name in pictures.classes if name not in names]
    if 0 < len(foreign) < len(pictures.classes):
        raise ValueError(
            f"the pictures have {len(pictures.classes)} classes ({_listed(pictures.classes)}), the "
            f"rule decides between {len(names)} ({_listed(names)}) and does not know "
            f"{_listed(foreign)}; take a rule trained on such pictures, or pictures of its classes"
        )


def _curve(
    steps: list[int], kinds: list[type[Reading]], tables: Tensor, sizes: Tensor
) -> list[dict[str, float]]:
    """Batches' tables [batches, looks, metrics] as one, the batches of these sizes."""
    columns = [
        kind.over_batches(tables[:, :, number], sizes).tolist() for number, kind in enumerate(kinds)
    ]
    return [
        {"step": step, **dict(zip(METRICS, row, strict=True))}
        for step, *row in zip(steps, *columns, strict=True)
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
