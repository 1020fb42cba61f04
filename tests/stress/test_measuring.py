"""Scores of a setting equal plain counts over a trajectory."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from swarm_nca.engine import rollout, trajectory
from swarm_nca.measure import CellStats, VoteCounts, measure, steps_to_agreement
from swarm_nca.measure.intervals import wilson
from swarm_nca.measure.signals import LATE
from swarm_nca.perturbations import Freeze, Immigrants, Kill, Stuck
from swarm_nca.rules import Mlp
from swarm_nca.stress.faults import healed
from swarm_nca.stress.measuring import looks, row_of, shares_of, world_of
from swarm_nca.stress.subject import Subject
from swarm_nca.world.faults import ANY, flagged
from swarm_nca.world.fields import RULE


def test_a_look_equals_a_rollout_and_its_flips_the_mean_over_the_last_steps(
    subject: Subject,
) -> None:
    rule, world = subject.rule, world_of(subject.pictures, subject.rule)
    first, last = looks(world, rule, 5, [3, LATE + 10])
    agrees, flips, before = [], [], world
    for after in trajectory(world, rule, LATE + 10, 5):
        stats = CellStats(after, rule, before)
        agrees.append(stats.agrees)
        flips.append(float(stats.flips.sum()) / world.cells)
        before = after
    row = row_of("family", 1.0, last)
    assert row.shares["label_flips"].value == pytest.approx(np.mean(flips[-LATE:]))
    assert last.settled.tolist() == steps_to_agreement(torch.stack(agrees)).tolist()
    measured = measure(before, rule)
    names = ("cell_accuracy", "vote_accuracy", "total_agreement", "agree_though_wrong", "abstains")
    for name in names:
        assert row.shares[name].value == pytest.approx(measured[name]), name
    assert row.largest == pytest.approx(measured["state_largest"])
    assert torch.equal(first.stats.world.state, rollout(world, rule, 3, 5).state)


def test_without_a_right_class_every_answer_is_wrong_and_accuracy_is_unknown() -> None:
    ballot = torch.tensor([[0, 4, 0], [3, 1, 0], [0, 2, 2]])
    shares = shares_of(VoteCounts(ballot, torch.full((3,), -1)), torch.tensor([0.0, 1.0, 2.0]))
    assert math.isnan(shares["cell_accuracy"].value)
    assert math.isnan(shares["vote_accuracy"].value)
    assert shares["agree_though_wrong"].value == pytest.approx(1 / 3)
    assert shares["abstains"].value == pytest.approx(2 / 3)
    low, high = wilson(torch.tensor(1 / 3, dtype=torch.float64), 3)
    assert shares["agree_though_wrong"].low == pytest.approx(float(low))
    assert shares["agree_though_wrong"].high == pytest.approx(float(high))
    assert shares["label_flips"].value == pytest.approx(3 / 12)


def test_faulty_cells_are_not_counted(subject: Subject) -> None:
    world = world_of(subject.pictures, subject.rule)
    frozen = Freeze(share=0.4)(world, 0)
    (look,) = looks(frozen, subject.rule, 0, [4])
    sound = [count - round(0.4 * count) for count in world.counts.tolist()]
    assert look.votes.cells.tolist() == sound


def test_immigrants_are_not_counted_and_heal_into_natives(subject: Subject) -> None:
    rule, sound = subject.rule, world_of(subject.pictures, subject.rule)
    other = Mlp(hidden=(5,), generator=torch.Generator().manual_seed(8)).requires_grad_(False)
    invaded = Immigrants(share=0.4, rule=other)(sound, 0)
    natives = [count - round(0.4 * count) for count in sound.counts.tolist()]
    during, after = looks(invaded, rule, 0, [4, 6], [(4, lambda w, seed=0: healed(w, sound))])
    assert during.votes.cells.tolist() == natives
    assert after.votes.cells.tolist() == sound.counts.tolist()
    assert not after.stats.world.guests
    both = Freeze(share=0.4)(invaded, 0)
    faulty = (flagged(both, ANY) | (both.cell_fields[RULE] > 0)).double()
    (look,) = looks(both, rule, 0, [4])
    counted = sound.counts - torch.bincount(sound.world_of, faulty)
    assert look.votes.cells.tolist() == counted.tolist()


def test_after_a_change_agreement_is_counted_anew_and_all_cells_are_back(subject: Subject) -> None:
    rule, sound = subject.rule, world_of(subject.pictures, subject.rule)
    faulty = Stuck(share=0.4)(sound, 0)
    during, after = looks(faulty, rule, 0, [6, 9], [(6, lambda w, seed=0: healed(w, sound))])
    assert int(during.votes.cells.sum()) < sound.cells
    assert int(after.votes.cells.sum()) == sound.cells
    assert int(after.settled.max()) <= 3
    healthy = healed(during.stats.world, sound)
    assert torch.equal(after.stats.world.state, rollout(healthy, rule, 3, 0).state)


def test_healing_returns_dead_cells_empty_and_leaves_the_others_as_they_are(
    subject: Subject,
) -> None:
    sound = world_of(subject.pictures, subject.rule)
    dying = rollout(Kill(share=0.3)(sound, 1), subject.rule, 5, 1)
    back = healed(dying, sound)
    assert torch.equal(back.neighbors, sound.neighbors)
    assert torch.equal(back.canvas.grey, sound.canvas.grey)
    alive = torch.isin(back.address, dying.address)
    assert torch.equal(back.state[alive], dying.state)
    assert not back.state[~alive].any()
    assert back.step.tolist() == dying.step.tolist()


def test_a_swarm_without_a_decided_cell_never_agrees(subject: Subject) -> None:
    silent = Mlp(hidden=(8,), undecided_below=0.9).requires_grad_(False)
    (look,) = looks(world_of(subject.pictures, silent), silent, 0, [4])
    assert look.settled.tolist() == [-1] * subject.count
