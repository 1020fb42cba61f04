"""Transitions: boards and their targets."""

from __future__ import annotations

import pytest
import torch

import swarm_nca as sn
from swarm_nca.tasks import Transition
from swarm_nca.tasks.transition import WANTED


def learner() -> sn.Mlp:
    rule = sn.Mlp(sn.Bit(), free_channels=2, hidden=(5,), stimulus_size=0, fire_rate=1.0, noise=0.0)
    return rule.requires_grad_(False)


def life(board: torch.Tensor, torus: bool) -> torch.Tensor:
    """Game of Life, cell by cell."""
    rows, columns = board.shape
    after = torch.zeros_like(board)
    for row in range(rows):
        for column in range(columns):
            count = 0
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    near, across = row + down, column + right
                    if torus:
                        near, across = near % rows, across % columns
                    if (down or right) and 0 <= near < rows and 0 <= across < columns:
                        count += int(board[near, across])
            after[row, column] = count == 3 or (count == 2 and board[row, column] == 1)
    return after


@pytest.mark.parametrize("torus", [True, False])
def test_boards_have_target_bits_from_life(torus: bool) -> None:
    task = Transition(ahead=2, size=7, torus=torus)
    world = task.start(3, learner(), torch.Generator().manual_seed(1))
    bits, wanted = world.state[:, -1].view(3, 7, 7), world.cell_fields[WANTED].view(3, 7, 7)
    assert not world.state[:, :-1].any()
    for board, after in zip(bits, wanted, strict=True):
        assert torch.equal(life(life(board, torus), torus), after)


def test_densities_vary_within_their_bounds() -> None:
    task = Transition(size=40, density=(0.2, 0.4))
    world = task.start(60, learner(), torch.Generator().manual_seed(2))
    shares = world.state[:, -1].view(60, -1).mean(1)
    assert 0.15 < float(shares.min()) < 0.23
    assert 0.37 < float(shares.max()) < 0.45


def test_boards_of_the_pool_continue_from_their_bits() -> None:
    task, rule = Transition(size=6), learner()
    generator = torch.Generator().manual_seed(3)
    world = task.start(3, rule, generator)
    murky = world.with_state(torch.rand(world.state.shape, generator=generator))
    batch = task.refresh(murky, 1, 0, rule, generator)
    shown, state = (murky.state[:, -1] > 0.5).float(), batch.state
    assert torch.equal(state[36:, -1], shown[36:])
    assert not state[:, :-1].any()
    assert not torch.equal(state[:36, -1], shown[:36])
    after = torch.cat([life(one, True).view(-1) for one in state[:, -1].view(3, 6, 6)])
    assert torch.equal(batch.cell_fields[WANTED], after)


def test_loss_and_metrics_of_known_errors() -> None:
    task, rule = Transition(size=4), learner()
    world = task.start(2, rule, torch.Generator().manual_seed(4))
    state = world.state.clone()
    state[:, -1] = world.cell_fields[WANTED]
    state[0, -1] += 0.4 if state[0, -1] < 0.5 else -0.4
    state[16, -1] = 1 - state[16, -1]
    after = world.with_state(state)
    assert task.losses(world, after).tolist() == pytest.approx([0.16 / 16, 1.0 / 16])
    metrics = {name: float(value) for name, value in task.metrics(world, after).items()}
    assert metrics == pytest.approx({"cell_accuracy": 31 / 32, "board_accuracy": 0.5})


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"teacher": {"rule": "B3/S23"}}, "teacher needs kind"),
        ({"teacher": {"kind": "life", "rule": "B9"}}, "B3/S23"),
        ({"teacher": {"kind": "mlp"}}, "hold one bit"),
        ({"density": (0.9, 0.1)}, "smallest, largest"),
        ({"ahead": 0}, "ahead must be at least 1"),
    ],
)
def test_invalid_teachers_are_refused(settings: dict, line: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=line):
        Transition(**settings)


def test_learner_and_teacher_must_take_the_same_number_of_steps() -> None:
    Transition(ahead=3).check_steps(3, 3)
    with pytest.raises(ValueError, match="set steps: 3"):
        Transition(ahead=3).check_steps(3, 4)
