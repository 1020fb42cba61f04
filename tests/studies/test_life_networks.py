from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from swarm_nca.studies.life_boards import Boards, flat, whole
from swarm_nca.studies.life_networks import Architecture, Networks, initial_weights

from .oracles import Single, life

SIDE, BOARDS = 6, 5


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_a_minimal_network_has_23_n_plus_2_weights(steps: int) -> None:
    assert Architecture(steps, 1).weights == 23 * steps + 2


@pytest.mark.parametrize(("steps", "width"), [(1, 8), (2, 3), (3, 2)])
def test_the_number_of_weights_equals_that_of_torchs_layers(steps: int, width: int) -> None:
    architecture = Architecture(steps, width)
    row = torch.zeros(architecture.weights)
    assert sum(one.numel() for one in Single(architecture, row).parameters()) == len(row)


@pytest.mark.parametrize(("steps", "width"), [(1, 1), (1, 3), (2, 1), (2, 3), (3, 2)])
@pytest.mark.parametrize("start", ["normal", "glorot"])
def test_networks_computed_together_equal_single_ones_in_output_and_gradient(
    steps, width, start
) -> None:
    architecture = Architecture(steps, width)
    rows = initial_weights(architecture, 7, range(4), start)
    rows += 0.1 * torch.randn(rows.shape, generator=torch.Generator().manual_seed(3))
    boards = Boards(steps, SIDE).draw(np.random.default_rng(1), BOARDS)
    target, patches = life(boards, steps), whole(boards)
    networks = Networks(architecture, rows, SIDE)
    answers = networks.logits(patches)
    gradients = networks.gradient(patches, flat(target), 1 / target.numel())
    for row, answer, gradient in zip(rows, answers, gradients, strict=True):
        single = Single(architecture, row)
        logits = single(boards)
        torch.testing.assert_close(answer, flat(logits), rtol=1e-4, atol=1e-5)
        binary_cross_entropy_with_logits(logits, target).backward()
        expected = torch.cat([one.grad.reshape(-1) for one in single.parameters()])
        torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-6)
    assert gradients.abs().amax(dim=1).gt(0).any()


def test_initial_weights_depend_only_on_seed_architecture_and_number() -> None:
    architecture = Architecture(2, 2)
    rows = initial_weights(architecture, 5, range(6))
    assert torch.equal(rows[4:], initial_weights(architecture, 5, [4, 5]))
    assert not torch.equal(rows[:1], initial_weights(architecture, 6, [0]))
    assert len({tuple(row.tolist()) for row in rows}) == 6


def test_initial_kernels_are_normal_or_glorot_uniform_and_biases_zero() -> None:
    architecture = Architecture(1, 40)
    positions = architecture.kernel_positions()
    rows = initial_weights(architecture, 0, range(9))
    biases = torch.ones(architecture.weights, dtype=torch.bool)
    biases[positions] = False
    assert int(biases.sum()) == 80 + 40 + 1
    assert not rows[:, biases].any()
    kernels = rows[:, positions]
    assert float(kernels.mean()) == pytest.approx(0, abs=0.02)
    assert float(kernels.std()) == pytest.approx(1, abs=0.02)
    uniform = initial_weights(architecture, 0, range(9), "glorot")
    first, _ = next(architecture.parts(uniform))
    reach = (6 / (9 * 1 + 9 * 80)) ** 0.5
    assert 0.95 * reach < float(first.abs().max()) <= reach


@pytest.mark.parametrize(("steps", "width"), [(0, 1), (1, 0)])
def test_an_architecture_without_steps_or_width_is_refused(steps: int, width: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Architecture(steps, width)
