"""Steps of Muon equal those of torch's own, up to torch's rounding to bfloat16."""

from __future__ import annotations

import pytest
import torch

from swarm_nca.training.muon import Muon, orthogonal


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(30, 7), (7, 30), (12, 12)], ids=str)
def test_steps_equal_those_of_torch(shape: tuple[int, int]) -> None:
    ours, theirs = (drawn(*shape).requires_grad_() for _ in range(2))
    torch_muon = torch.optim.Muon([theirs], weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    muon = Muon([ours])
    for step in range(6):
        before = theirs.detach().clone()
        for weight, optimizer in ((ours, muon), (theirs, torch_muon)):
            weight.grad = drawn(*shape, seed=step)
            optimizer.param_groups[0]["lr"] = 0.01 * (step + 1)
            optimizer.step()
        moved = float((theirs - before).detach().norm())
        assert float((ours - theirs).detach().norm()) < 0.03 * moved * (step + 1)


def test_singular_values_become_about_one() -> None:
    left, _ = torch.linalg.qr(drawn(8, 8))
    right, _ = torch.linalg.qr(drawn(20, 8, seed=1))
    matrix = left @ torch.diag(torch.logspace(0, -2, 8)) @ right.t()
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert float(values.min()) > 0.4
    assert float(values.max()) < 1.6


def test_a_matrix_of_zeros_stays_one() -> None:
    assert not orthogonal(torch.zeros(3, 5)).any()


def test_a_weight_without_a_gradient_stays_as_it_is() -> None:
    weight = drawn(3, 4).requires_grad_()
    before = weight.detach().clone()
    Muon([weight]).step()
    assert torch.equal(weight, before)


def test_a_vector_is_refused() -> None:
    with pytest.raises(ValueError, match="give other weights to Adam"):
        Muon([torch.zeros(3)])
