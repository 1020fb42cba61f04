"""Measures one setting: runs its worlds and counts decisions.

A vote, an answer or an abstention is one observation for each picture, so shares of pictures get
Wilson's interval; shares of cells get that of a ratio of sums (see `measure.intervals`). Pictures
without a right class have no accuracy, and each of their answers is wrong. Cells with a fault of
their own are not counted.

Letters: P pictures, N cells of all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from swarm_nca.images import Pictures
from swarm_nca.measure import CellStats, VoteCounts
from swarm_nca.measure.intervals import Z95, ratio_error, wilson
from swarm_nca.measure.signals import LATE, Conduct, certainty, moved_by_a_jolt
from swarm_nca.rules import Rule
from swarm_nca.simulation import Change, Planned, Simulation
from swarm_nca.stress.faults import sound_cells
from swarm_nca.threads import threads_for
from swarm_nca.world import World

#: Called after every step.
Tick = Callable[[], None]


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval; nan if there was nothing to measure."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """The scores of one setting at one step.

    Attributes:
        family, setting: see `families`.
        step: counted from the start.
        after: whether the fault has ended before this step.
        pictures: P; `known`: those with a right class.
        shares: by the names of `SCORES`.
        settled: the median step since which the pictures agree, of those that agree; nan if none
            does.
        largest: the largest |state| of any cell.
    """

    family: str
    setting: float | str
    step: int
    after: bool
    pictures: int
    known: int
    shares: Mapping[str, Share]
    settled: float
    largest: float


#: The scores of a row, with their headings.
SCORES = {
    "cell_accuracy": "cells",
    "vote_accuracy": "vote",
    "total_agreement": "agree",
    "agree_though_wrong": "agree, wrong",
    "abstains": "abstain",
    "label_flips": "flips a step",
}


@dataclass(frozen=True, eq=False)
class Look:
    """What P worlds show at one step.

    Attributes:
        step: the step.
        stats: the statistics of all cells; `stats.world` has its own copy of the states.
        votes: the decisions of the sound cells.
        flips: float64 [P], cells that change from class to class in a step, mean of the last steps.
        settled: int64 [P], the step since which a world agrees, counted from the start or the last
            change; −1 if it does not.
        strengths: float64 [P, classes], `CellStats.strengths`, mean over the steps since then.
    """

    step: int
    stats: CellStats
    votes: VoteCounts
    flips: Tensor
    settled: Tensor
    strengths: Tensor


def looks(
    world: World,
    rule: Rule,
    seed: int,
    steps: Sequence[int],
    plan: Sequence[tuple[int, Change]] = (),
    tick: Tick = lambda: None,
) -> list[Look]:
    """Run worlds to the last of `steps`, and look at them at each of these.

    Args:
        steps: ascending.
        plan: changes after given steps; the look at a step comes before its changes. After a change
            agreement is counted anew.
    """
    simulation, found = Simulation(world, rule, seed, Planned(plan)), []
    changed = {step for step, _ in plan}
    settled = torch.full((len(world),), -1)
    flips: list[Tensor] = []
    before: Tensor | None = None
    base, origin, sound = world, 0, sound_cells(world)
    strengths: Tensor | float = 0.0
    with threads_for(world.cells):
        for step in range(1, steps[-1] + 1):
            simulation.take_step()
            stats = CellStats(base.with_state(simulation.backend.state), rule)
            since = torch.where(settled < 0, step - origin, settled)
            votes = _votes(stats, sound)
            settled = torch.where(votes.agrees & (votes.decided > 0), since, -1)
            if before is not None:
                flips = [*flips[1 - LATE :], _flips(stats, before, sound)]
            before = stats.decision
            strengths = stats.strengths + strengths
            if step in steps:
                kept = CellStats(simulation.world, rule)
                late, whole = torch.stack(flips).mean(0), strengths / (step - origin)
                found.append(Look(step, kept, votes, late, settled, whole))
            if step in changed:
                simulation.happen()
                base, before, flips, origin = simulation.world, None, [], step
                strengths = 0.0
                settled, sound = torch.full_like(settled, -1), sound_cells(base)
            tick()
    return found


def _votes(stats: CellStats, sound: Tensor | None) -> VoteCounts:
    """The decisions of the sound cells; of all cells when None."""
    if sound is None:
        return stats.counted()
    columns = 1 + len(stats.rule.classes)
    box = (stats.world_of * columns + stats.decision + 1)[sound]
    ballot = torch.bincount(box, minlength=len(stats) * columns)
    return VoteCounts(ballot.view(len(stats), columns), stats.label)


def _flips(stats: CellStats, before: Tensor, sound: Tensor | None) -> Tensor:
    now = stats.decision
    flipped = (now != before) & (now >= 0) & (before >= 0)
    return stats.sums(flipped if sound is None else flipped & sound)


def world_of(pictures: Pictures, rule: Rule) -> World:
    """The worlds of pictures, with the labels that the rule has."""
    return World.from_images(
        pictures.grey, rule, labels=torch.from_numpy(pictures.labels_for(rule.classes.names))
    )


def row_of(family: str, setting: float | str, look: Look, after: bool = False) -> Row:
    """The scores of a look."""
    votes = look.votes
    settled = look.settled[look.settled > 0].double()
    return Row(
        family,
        setting,
        look.step,
        after,
        len(votes),
        int(votes.labelled.sum()),
        shares_of(votes, look.flips),
        float(settled.median()) if len(settled) else math.nan,
        float(look.stats.peak.max()) if look.stats.world.cells else math.nan,
    )


def shares_of(votes: VoteCounts, flips: Tensor) -> dict[str, Share]:
    """Every score of `SCORES` with its interval.

    Args:
        flips: [P], flipped cells in a step.
    """
    known, everyone = votes.labelled, torch.ones_like(votes.labelled)
    wrong = votes.majority != votes.label
    return {
        "cell_accuracy": _of_cells(votes.correct, votes.cells * known),
        "vote_accuracy": _of_pictures(~wrong, known),
        "total_agreement": _of_pictures(votes.agrees, everyone),
        "agree_though_wrong": _of_pictures(votes.answers & wrong, everyone),
        "abstains": _of_pictures(~votes.answers, everyone),
        "label_flips": _of_cells(flips, votes.cells),
    }


def conduct_of(look: Look, seed: int) -> Conduct:
    """The conduct of a look's worlds; see `measure.signals`."""
    stats = look.stats
    return Conduct(
        look.votes,
        look.flips / stats.cells.clamp(min=1),
        look.settled,
        moved_by_a_jolt(stats, seed),
        certainty(stats),
        look.strengths.amax(1),
    )


def _of_pictures(part: Tensor, whole: Tensor) -> Share:
    count = int(whole.sum())
    if not count:
        return Share(math.nan, math.nan, math.nan)
    share = (part & whole).sum().double() / count
    low, high = wilson(share, count)
    return Share(float(share), float(low), float(high))


def _of_cells(part: Tensor, whole: Tensor) -> Share:
    total = float(whole.sum())
    if not total:
        return Share(math.nan, math.nan, math.nan)
    share = float(part.sum()) / total
    reach = Z95 * float(ratio_error(part[None], whole))
    return Share(share, max(0.0, share - reach), min(1.0, share + reach))
