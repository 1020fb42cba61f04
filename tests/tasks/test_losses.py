"""Losses equal hand-computed values; gradients equal stated formulas and numeric gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from swarm_nca.tasks import LOSSES, loss_of, overflow
from swarm_nca.tasks.losses import sparsegen_lin, sparsegen_lin_loss, sparsemax, sum_norm
from swarm_nca.tasks.losses.sum_norm import SHARPNESS

every_loss = pytest.mark.parametrize("name", LOSSES)
INVARIANT = ["softmax-l2", "ce", "sparsemax", "sparsegen-lin"]

#: Two pictures with three cells in all: right, wrong, and beyond the target.
WORLDS = [[[1.3, -0.2, 0.1], [-0.4, 0.6, 0.55]], [[0.2, 0.9, -2.5]]]
LABELS = [0, 1]
SCORES = torch.tensor([cell for cells in WORLDS for cell in cells], dtype=torch.float64)
WANTED = torch.tensor([[1, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)


def gradient_of(world, name: str) -> tuple[Tensor, Tensor]:
    """Gradients of the sum over cells for the free channels and for the class channels."""
    state = world.state.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(LOSSES[name](world.with_state(state)), state)
    gradient = gradient * len(world)
    return gradient[:, :2], gradient[:, 2:]


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("l2", [0.5, 0.0, -1.0], 0.5 * (0.25 + 1.0)),
        ("softmax-l2", [math.log(2), 0.0, 0.0], 0.5 * (0.25 + 2 / 16)),
        ("ce", [math.log(2), 0.0, 0.0], math.log(2)),
        # p = (¾, ¼, 0): −z₀ + ½ (z₀² − ¼² + z₁² − ¼²) + ½ with τ = −¼.
        ("sparsemax", [0.5, 0.0, -1.0], -0.5 + 0.5 * (0.25 - 2 / 16) + 0.5),
        # z / ½ = (½, 0, −1): half of the value above.
        ("sparsegen-lin", [0.25, 0.0, -0.5], 0.5 * (-0.5 + 0.5 * (0.25 - 2 / 16) + 0.5)),
        # 1 + exp(β z) is 4, 2, 2: positive parts of 2, 1, 1 times log(2) / β.
        (
            "sum-norm",
            [math.log(3) / SHARPNESS, 0.0, 0.0],
            0.4 * math.log(2) - 1 - math.log(0.2 * math.log(2)),
        ),
    ],
)
def test_losses_equal_values_computed_by_hand(world_of, name, cell, expected) -> None:
    assert float(LOSSES[name](world_of([[cell]], [0]))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "zero_loss"),
    [
        ("l2", 0.5),
        ("softmax-l2", 0.45),
        ("ce", math.log(10)),
        ("sparsemax", 0.45),
        ("sparsegen-lin", 0.225),
        ("sum-norm", math.log(2) - 1 - math.log(math.log(2) / 10)),
    ],
)
def test_losses_of_zero_states_equal_the_docstrings(world_of, name, zero_loss) -> None:
    world = world_of([[[0.0] * 10] * 5, [[0.0] * 10]], [3, 9])
    assert float(LOSSES[name](world)) == pytest.approx(3 * zero_loss, abs=1e-12)


@every_loss
def test_losses_are_sums_over_cells_and_means_over_pictures(world_of, name) -> None:
    cells = [float(LOSSES[name](world_of([[cell]], [label]))) for cell, label in parts()]
    assert float(LOSSES[name](world_of(WORLDS, LABELS))) == pytest.approx(sum(cells) / 2)


def parts() -> list[tuple[list[float], int]]:
    return [(cell, label) for cells, label in zip(WORLDS, LABELS, strict=True) for cell in cells]


@every_loss
def test_gradients_equal_numeric_gradients(world_of, name) -> None:
    world = world_of(WORLDS, LABELS)
    state = world.state.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda held: LOSSES[name](world.with_state(held)), state)


def stated_softmax_l2(scores: Tensor) -> Tensor:
    p = scores.softmax(1)
    return p * ((p - WANTED) - (p * (p - WANTED)).sum(1, keepdim=True))


def stated_sum_norm(scores: Tensor) -> Tensor:
    positive = torch.log1p(torch.exp(SHARPNESS * scores)) / SHARPNESS
    return torch.sigmoid(SHARPNESS * scores) * (1 - WANTED / positive)


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("l2", lambda z: z - WANTED),
        ("softmax-l2", stated_softmax_l2),
        ("ce", lambda z: z.softmax(1) - WANTED),
        ("sparsemax", lambda z: sparsemax(z) - WANTED),
        ("sparsegen-lin", lambda z: sparsegen_lin(z) - WANTED),
        ("sum-norm", stated_sum_norm),
    ],
)
def test_gradients_equal_the_formulas_of_the_docstrings(
    world_of, name, stated: Callable[[Tensor], Tensor]
) -> None:
    free, classes = gradient_of(world_of(WORLDS, LABELS), name)
    assert not free.any(), "the loss does not depend on free channels"
    torch.testing.assert_close(classes, stated(SCORES), rtol=1e-6, atol=1e-9)


scores = st.lists(st.floats(-5, 5), min_size=3, max_size=3)


@pytest.mark.parametrize("name", INVARIANT)
@settings(max_examples=40)
@given(cell=scores, constant=st.floats(-50, 50))
def test_invariant_losses_ignore_added_constants(world_of, name, cell, constant) -> None:
    one, other = (
        float(LOSSES[name](world_of([[[score + more for score in cell]]], [1])))
        for more in (0.0, constant)
    )
    assert other == pytest.approx(one, abs=1e-9)


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - set(INVARIANT)))
def test_the_other_losses_depend_on_values(world_of, name) -> None:
    low, high = (float(LOSSES[name](world_of([[[z, z + 1, z]]], [1]))) for z in (0.0, 1.0))
    assert abs(low - high) > 0.1


@every_loss
@settings(max_examples=40)
@given(cell=scores)
def test_no_loss_is_negative(world_of, name, cell) -> None:
    world = world_of([[cell]], [2])
    assert float(LOSSES[name](world)) >= 0.0
    assert float(LOSSES[name](world.to(dtype=torch.float32))) >= 0.0


@pytest.mark.parametrize(("name", "margin"), [("sparsemax", 1.0), ("sparsegen-lin", 0.5)])
@settings(max_examples=40)
@given(wrong=st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=9), more=st.integers(0, 20))
def test_a_lead_of_the_margin_has_zero_loss_and_gradient(
    world_of, name, margin, wrong, more
) -> None:
    world = world_of([[[max(wrong) + margin + more, *wrong]]], [0])
    assert float(LOSSES[name](world)) == 0.0
    assert not gradient_of(world, name)[1].any()


@pytest.mark.parametrize(("name", "margin"), [("sparsemax", 1.0), ("sparsegen-lin", 0.5)])
def test_a_lead_below_the_margin_has_a_positive_loss(world_of, name, margin) -> None:
    assert float(LOSSES[name](world_of([[[margin - 1e-3, 0.0, -1.0]]], [0]))) > 0


@pytest.mark.parametrize("lead", [1.0, 5.0, 30.0])
def test_cross_entropy_has_a_gradient_at_any_lead(world_of, lead) -> None:
    assert bool(gradient_of(world_of([[[lead, 0.0, 0.0]]], [0]), "ce")[1].all())


@every_loss
def test_certainly_wrong_cells_have_a_gradient_except_with_softmax_l2(world_of, name) -> None:
    # The channel of the label is far below 0, where plain positive parts would give 0 / 0.
    world = world_of([[[-40.0, -30.0, -30.0]]], [0])
    pull = -float(gradient_of(world, name)[1][0, 0])
    assert (pull < 1e-4) if name == "softmax-l2" else (pull > 0.9)


@every_loss
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e3])
def test_values_and_gradients_stay_finite_in_single_precision(world_of, name, size) -> None:
    world = world_of([[[-size, size, 0.0], [0.0, 0.0, 0.0], [-size, -size, -size]]], [0])
    world = world.to(dtype=torch.float32)
    assert bool(torch.isfinite(LOSSES[name](world)))
    assert bool(torch.isfinite(gradient_of(world, name)[1]).all())


@every_loss
def test_gradient_descent_makes_every_cell_right(world_of, name) -> None:
    generator = torch.Generator().manual_seed(0)
    start = 0.3 * torch.randn(10, 20, 10, generator=generator)
    world = world_of(start.tolist(), list(range(10)))
    state = world.state.clone().requires_grad_()
    walk = torch.optim.Adam([state], lr=0.05)
    for _ in range(100):
        walk.zero_grad()
        loss = LOSSES[name](world.with_state(state))
        torch.autograd.backward(loss)
        walk.step()
    after = world.with_state(state.detach())
    assert torch.equal(after.logits.argmax(1), world.label[world.world_of])


@every_loss
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_states_that_are_not_finite_give_losses_that_are_not_finite(world_of, name, value) -> None:
    assert not math.isfinite(LOSSES[name](world_of([[[value, 0.0, 0.0], [1.0, 0.0, 0.0]]], [0])))


@every_loss
def test_unknown_labels_are_refused(world_of, name) -> None:
    with pytest.raises(ValueError, match="label of every world, and 1 of 2 have none, world 1"):
        LOSSES[name](world_of(WORLDS, [0, -1]))


def test_sparsegen_with_sparsity_zero_equals_sparsemax(world_of) -> None:
    world = world_of(WORLDS, LABELS)
    assert float(sparsegen_lin_loss(world, 0.0)) == float(LOSSES["sparsemax"](world))
    ahead = world_of([[[3.0, 0.0, 1.0]]], [0])
    assert float(sparsegen_lin_loss(ahead, -1.0)) == 0.0
    assert float(sparsegen_lin_loss(ahead, -1.5)) > 0.0


@pytest.mark.parametrize("sparsity", [1.0, 2.0, math.nan])
def test_a_sparsity_of_one_or_more_is_refused(world_of, sparsity) -> None:
    with pytest.raises(ValueError, match="below 1"):
        sparsegen_lin(SCORES, sparsity)
    with pytest.raises(ValueError, match="below 1"):
        sparsegen_lin_loss(world_of(WORLDS, LABELS), sparsity)


def test_the_sum_norm_loss_is_cross_entropy_plus_a_penalty_on_the_sum(
    world_of,
) -> None:
    world = world_of([[cell] for cell in SCORES.tolist()], [0, 0, 1])
    total = torch.nn.functional.softplus(SCORES, beta=SHARPNESS).sum(1)
    shares = (sum_norm(SCORES) * WANTED).sum(1)
    expected = (-shares.log() + (total - 1 - total.log())).sum() / 3
    assert float(LOSSES["sum-norm"](world)) == pytest.approx(float(expected))


def test_sum_norm_is_the_plain_share_for_large_scores() -> None:
    assert sum_norm(torch.tensor([[6.0, 3.0, 3.0]])).tolist() == [[0.5, 0.25, 0.25]]
    assert sum_norm(torch.tensor([[-7.0, -7.0]])).tolist() == [[0.5, 0.5]]


def test_sum_norm_of_the_published_target_equals_the_comment() -> None:
    target = torch.eye(10)[:1]
    assert round(float(sum_norm(target)[0, 0]), 2) == 0.62


def test_overflow_is_half_the_squared_excess_of_every_channel(world_of) -> None:
    world = world_of([[[0.0, -4.0, 2.0]]], [0], free=3.5)
    assert float(overflow(world, 3.0)) == pytest.approx(0.5 * (1.0 + 2 * 0.25))
    assert float(loss_of("l2", world, 3.0) - loss_of("l2", world, None)) == pytest.approx(0.75)
    assert float(overflow(world, 4.0)) == 0.0


@pytest.mark.parametrize("name", LOSSES)
def test_losses_per_world_equal_losses_of_single_worlds(world_of, name: str) -> None:
    world = world_of(WORLDS, LABELS)
    each = LOSSES[name](world, each=True)
    alone = [float(LOSSES[name](world.select([i]))) for i in range(len(world))]
    assert each.tolist() == pytest.approx(alone)
    assert float(loss_of(name, world, 0.5, each=True).mean()) == pytest.approx(
        float(loss_of(name, world, 0.5))
    )
