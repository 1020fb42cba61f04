"""Sparsemax equals an independent projection onto the simplex; properties of similar heads."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from swarm_nca.tasks.losses import sparsegen_lin, sparsemax, sum_norm

rows = st.lists(st.floats(-100, 100), min_size=1, max_size=12).map(
    lambda row: torch.tensor([row], dtype=torch.float64)
)


def by_bisection(scores: Tensor) -> Tensor:
    """The projection with τ found by bisection, since Σ max(0, z − τ) decreases in τ."""
    low, high = float(scores.max()) - 1.0, float(scores.max())
    for _ in range(100):
        middle = (low + high) / 2
        if float((scores - middle).clamp_min(0).sum()) > 1:
            low = middle
        else:
            high = middle
    return (scores - high).clamp_min(0)


@given(rows)
def test_sparsemax_equals_bisection(scores: Tensor) -> None:
    torch.testing.assert_close(sparsemax(scores), by_bisection(scores), rtol=0, atol=1e-9)


@given(rows, st.integers(0, 2**32 - 1))
def test_no_point_of_the_simplex_is_nearer(scores: Tensor, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    others = torch.rand(50, scores.shape[1], generator=generator).double().pow(4) + 1e-9
    others = torch.cat([others / others.sum(1, keepdim=True), torch.eye(scores.shape[1])])
    nearest = (sparsemax(scores) - scores).square().sum()
    assert bool(((others - scores).square().sum(1) >= nearest - 1e-6).all())


@pytest.mark.parametrize("head", [sparsemax, sparsegen_lin, sum_norm])
@given(scores=rows)
def test_every_head_gives_a_distribution_that_keeps_the_order(head, scores) -> None:
    share = head(scores)
    assert bool((share >= 0).all())
    assert float(share.sum()) == pytest.approx(1.0, abs=1e-9)
    ordered = share[0, scores[0].argsort()]
    assert bool((ordered.diff() >= -1e-12).all())


@given(rows, st.floats(-1000, 1000))
def test_adding_a_constant_changes_nothing(scores: Tensor, constant: float) -> None:
    torch.testing.assert_close(sparsemax(scores + constant), sparsemax(scores), rtol=0, atol=1e-9)


def test_rows_are_projected_independently() -> None:
    both = torch.tensor([[0.1, 0.2, 0.3], [5.0, -1.0, 4.5]], dtype=torch.float64)
    alone = torch.cat([sparsemax(row[None]) for row in both])
    assert torch.equal(sparsemax(both), alone)
    expected = torch.tensor([[0.7 / 3, 1 / 3, 1.3 / 3], [0.75, 0.0, 0.25]], dtype=torch.float64)
    torch.testing.assert_close(alone, expected)


def test_points_of_the_simplex_do_not_change() -> None:
    point = torch.tensor([[0.25, 0.5, 0.25, 0.0]])
    assert torch.equal(sparsemax(point), point)


@pytest.mark.parametrize("head", [sparsemax, sparsegen_lin, sum_norm])
def test_jacobians_equal_numeric_ones(head) -> None:
    scores = torch.tensor([[0.4, 0.1, -0.7, 0.33], [-30.0, -31.0, -29.0, -29.1]])
    assert torch.autograd.gradcheck(head, scores.double().requires_grad_())


def test_the_jacobian_of_sparsemax_equals_the_docstring() -> None:
    scores = torch.tensor([0.4, 0.1, -0.9, 0.33], dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda z: sparsemax(z[None])[0], scores)
    kept = torch.tensor([1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(jacobian, torch.diag(kept) - torch.outer(kept, kept) / 3)


@given(rows, st.floats(-5, 0.9))
def test_more_sparsity_never_keeps_more_classes(scores: Tensor, sparsity: float) -> None:
    fewer, more = sparsegen_lin(scores, 0.95), sparsegen_lin(scores, sparsity)
    assert int((fewer > 0).sum()) <= int((more > 0).sum())


def test_the_limits_of_sparsegen_are_argmax_and_uniform() -> None:
    scores = torch.tensor([[0.4, 0.1, -0.9]])
    assert sparsegen_lin(scores, 0.9).tolist() == [[1.0, 0.0, 0.0]]
    torch.testing.assert_close(sparsegen_lin(scores, -1e5), torch.full((1, 3), 1 / 3))
