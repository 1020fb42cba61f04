from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from swarm_nca.studies.life_boards import Boards
from swarm_nca.studies.life_networks import Architecture, Networks, initial_weights
from swarm_nca.studies.life_training import Adam, Outcome, Protocol, flawless, train

from .oracles import Single, exact_row, life


@pytest.mark.parametrize("steps", [1, 2])
def test_training_together_equals_single_networks_with_torchs_adam(steps: int) -> None:
    architecture = Architecture(steps, 2)
    rows = initial_weights(architecture, 1, range(3))
    source, batch, count = Boards(steps, side=6), 4, 25
    adam = Adam(rows.clone(), 1e-3)
    networks = Networks(architecture, adam.rows, source.side)
    for one in source.batches(np.random.default_rng(9), batch, count):
        adam.step(networks.gradient(one.patches, one.target, one.share))
    drawn = source.draw(np.random.default_rng(9), batch * count).view(count, batch, 6, 6)
    for row, learned in zip(rows, adam.rows, strict=True):
        single = Single(architecture, row)
        optimizer = torch.optim.Adam(single.parameters(), lr=1e-3)
        for boards in drawn:
            optimizer.zero_grad()
            binary_cross_entropy_with_logits(single(boards), life(boards, steps)).backward()
            optimizer.step()
        assert not torch.allclose(single.row(), row, atol=1e-3)
        torch.testing.assert_close(learned, single.row(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_flawless_accepts_a_network_without_mistakes_and_refuses_a_single_mistake(steps) -> None:
    architecture = Architecture(steps, 1)
    right = exact_row(steps)
    # relu(6 − u) instead of relu(5 − u): a live cell with two neighbours (u = 5) falls out.
    wrong = right.clone()
    wrong[18] += 1
    eval_set = Boards(steps).eval_set(np.random.default_rng(0), 200)
    found = flawless(architecture, torch.stack([wrong, right, wrong]), [eval_set], 8)
    assert found.tolist() == [False, True, False]
    target = eval_set.target.clone()
    target[-1] = 1 - target[-1]
    other = replace(eval_set, target=target)  # a single cell is not what the exact network says
    assert not flawless(architecture, right[None], [eval_set, other], 8)


def test_networks_leave_when_they_have_learned_or_cannot_change() -> None:
    architecture = Architecture(1, 1)
    right, dead = exact_row(1), exact_row(1)
    dead[20:22] = -1  # both outputs are weighed negatively, and the bias is 0: always 0
    dead[22] = -1
    start = initial_weights(architecture, 0, [0])[0]
    calls: list[tuple[int, int, int]] = []
    protocol = Protocol(examples=90, batch=4, side=6, round=5, eval_set=64)
    found = train(
        architecture,
        torch.stack([dead, start, right]),
        protocol,
        tell=lambda *numbers: calls.append(numbers),
    )
    assert found == [Outcome(None, True), Outcome(None, False), Outcome(20, False)]
    assert calls == [(20, 1, 1), (40, 1, 1), (60, 1, 1), (80, 1, 1), (92, 1, 1)]


def test_a_network_has_the_same_outcome_alone_and_with_others() -> None:
    architecture = Architecture(1, 6)
    protocol = Protocol(examples=3_000, rate=0.02, round=50)
    rows = initial_weights(architecture, 0, range(3))
    among = train(architecture, rows, protocol)
    assert any(one.examples is not None for one in among)
    assert [train(architecture, row[None], protocol)[0] for row in rows] == among
    assert train(architecture, rows, protocol) == among


@pytest.mark.parametrize(
    "wrong", [{"examples": 0}, {"batch": 0}, {"rate": 0.0}, {"seed": -1}, {"eval_set": 0}]
)
def test_a_protocol_out_of_bounds_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="got"):
        Protocol(**wrong)  # type: ignore[arg-type]
