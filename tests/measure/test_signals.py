"""A swarm's signals: what a watcher collects, and which direction means trust."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from swarm_nca.engine import rollout, trajectory
from swarm_nca.images import Pictures
from swarm_nca.measure import CellStats, VoteCounts, decisions, evaluate, steps_to_agreement
from swarm_nca.measure.signals import (
    AFTERWARDS,
    JOLT,
    LATE,
    SIGNALS,
    Conduct,
    Watcher,
    as_json,
    errors,
    trusts,
)
from swarm_nca.perturbations import Noise
from swarm_nca.rules import Mlp
from swarm_nca.world import World

DIGITS = tuple("0123456789")


def test_a_watcher_collects_over_batches_what_a_plain_loop_measures(rule) -> None:
    grey = torch.rand(5, 6, 7, generator=torch.Generator().manual_seed(1))
    pictures = Pictures(grey.numpy(), [0, 1, 2, 0, 1], ("a", "b", "c"))
    watcher = Watcher(rule, 30, seed=3)
    evaluate(rule, pictures, steps=30, seed=3, batch=2, watch=watcher)
    seen = watcher.conduct
    for number in range(5):
        world = World.from_images(grey[number][None], rule, labels=[0], keys=[number])
        agrees, flips, channels = [], [], []
        for after in trajectory(world, rule, 30, seed=3):
            stats = CellStats(after, rule, world)
            agrees.append(bool(stats.agrees))
            flips.append(float(stats.flips / stats.cells))
            channels.append(rule.logits(after.state).mean(0))
            world = after
        jolted = rollout(Noise(strength=JOLT)(world, 3), rule, AFTERWARDS, seed=3)
        moved = (decisions(jolted, rule) != decisions(world, rule)).double().mean()
        highest = rule.logits(world.state).sort(dim=1, descending=True)[0]
        assert seen.last.votes[number].tolist() == stats.votes[0].tolist()
        assert float(seen.flips[number]) == pytest.approx(np.mean(flips[-LATE:]))
        assert int(seen.settled[number]) == int(steps_to_agreement(torch.tensor(agrees)[:, None]))
        assert float(seen.moved[number]) == pytest.approx(float(moved))
        margin = float((highest[:, 0] - highest[:, 1]).mean())
        assert float(seen.certainty[number]) == pytest.approx(margin, rel=1e-4)
        strength = float(torch.stack(channels).mean(0).max())
        assert float(seen.strength[number]) == pytest.approx(strength, rel=1e-4, abs=1e-6)


def two_swarms() -> Conduct:
    """A swarm that is sure in every respect, then one that is unsure in every respect."""
    ballot = torch.tensor([[0, 9, 1, 0], [4, 2, 3, 1]])
    votes = VoteCounts(ballot, torch.tensor([0, 0]))
    numbers = torch.tensor([[0.0, 0.2], [0.1, 0.3], [0.8, 0.1], [0.9, 0.2]], dtype=torch.float64)
    flips, moved, certainty, strength = numbers
    return Conduct(votes, flips, torch.tensor([20, -1]), moved, certainty, strength)


@pytest.mark.parametrize("name", SIGNALS)
def test_every_signal_trusts_the_surer_swarm_more(name) -> None:
    sure, unsure = SIGNALS[name](two_swarms()).tolist()
    assert sure > unsure


@pytest.mark.parametrize(("threshold", "settled"), [(0.0, 1), (0.035, 4), (9.0, -1)])
def test_a_swarm_does_not_agree_before_its_first_cell_decides(
    threshold: float, settled: int
) -> None:
    rule = Mlp(hidden=(2, 2), noise=0.0, fire_rate=1.0, undecided_below=threshold)
    with torch.no_grad():
        rule.output_bias[rule.free_channels + 1] = 0.01  # class 1 rises by this in every step
    watcher = Watcher(rule.requires_grad_(False), 6)
    evaluate(rule, Pictures(np.ones((1, 4, 4), np.float32), [1], DIGITS), steps=6, watch=watcher)
    assert watcher.conduct.settled.tolist() == [settled]


def test_any_vote_is_wrong_for_an_unknown_label() -> None:
    ballot = torch.tensor([[0, 3, 0], [0, 3, 0], [3, 0, 0], [3, 0, 0]])
    votes = VoteCounts(ballot, torch.tensor([0, 1, 0, -1]))
    assert errors(votes).tolist() == [False, True, True, True]


def test_signals_are_sorted_by_auroc_and_written_as_plain_data() -> None:
    seen = two_swarms()
    found = trusts(seen)
    assert {one.signal for one in found} == set(SIGNALS)
    assert [one.auroc for one in found] == [1.0] * len(SIGNALS)
    document = as_json(seen)
    assert document["wrong"] == 0.5
    assert (document["coverage"][0], document["coverage"][-1]) == (0.5, 1.0)
    assert (document["risk"][0], document["risk"][-1]) == (0.0, 0.5)
