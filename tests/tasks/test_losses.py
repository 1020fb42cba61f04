"""Every loss against values worked out by hand, its stated gradient, and numeric gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from swarm_nca.tasks import LOSSES, loss_of, overflow
from swarm_nca.tasks.losses import sparsegen_lin, sparsegen_lin_loss, sparsemax, sum_norm
from swarm_nca.tasks.losses.sum_norm import SHARPNESS

every_loss = pytest.mark.parametrize("name", LOSSES)
INVARIANT = ["softmax-l2", "ce", "sparsemax", "sparsegen-lin"]

#: Two pictures of three cells in all; some are right, some wrong, one has more than it needs.
WORLDS = [[[1.3, -0.2, 0.1], [-0.4, 0.6, 0.55]], [[0.2, 0.9, -2.5]]]
LABELS = [0, 1]
SCORES = torch.tensor([cell for cells in WORLDS for cell in cells], dtype=torch.float64)
WANTED = torch.tensor([[1, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)


def gradient_of(world, name: str) -> tuple[Tensor, Tensor]:
    """To the free channels, and to the class channels; of a sum over cells, not a mean."""
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
def test_a_loss_is_what_its_formula_gives_by_hand(holding, name, cell, expected) -> None:
    assert float(LOSSES[name](holding([[cell]], [0]))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "idle"),
    [
        ("l2", 0.5),
        ("softmax-l2", 0.45),
        ("ce", math.log(10)),
        ("sparsemax", 0.45),
        ("sparsegen-lin", 0.225),
        ("sum-norm", math.log(2) - 1 - math.log(math.log(2) / 10)),
    ],
)
def test_doing_nothing_scores_what_the_docstring_says_for_each_cell(holding, name, idle) -> None:
    world = holding([[[0.0] * 10] * 5, [[0.0] * 10]], [3, 9])
    assert float(LOSSES[name](world)) == pytest.approx(3 * idle, abs=1e-12)


@every_loss
def test_a_loss_is_summed_over_cells_and_averaged_over_pictures(holding, name) -> None:
    cells = [float(LOSSES[name](holding([[cell]], [label]))) for cell, label in parts()]
    assert float(LOSSES[name](holding(WORLDS, LABELS))) == pytest.approx(sum(cells) / 2)


def parts() -> list[tuple[list[float], int]]:
    return [(cell, label) for cells, label in zip(WORLDS, LABELS, strict=True) for cell in cells]


@every_loss
def test_the_gradient_is_the_numeric_one(holding, name) -> None:
    world = holding(WORLDS, LABELS)
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
def test_the_gradient_is_the_one_its_docstring_states(
    holding, name, stated: Callable[[Tensor], Tensor]
) -> None:
    free, classes = gradient_of(holding(WORLDS, LABELS), name)
    assert not free.any(), "free channels are nobody's business"
    torch.testing.assert_close(classes, stated(SCORES), rtol=1e-6, atol=1e-9)


scores = st.lists(st.floats(-5, 5), min_size=3, max_size=3)


@pytest.mark.parametrize("name", INVARIANT)
@given(cell=scores, constant=st.floats(-50, 50))
def test_only_differences_between_channels_count(holding, name, cell, constant) -> None:
    one, other = (
        float(LOSSES[name](holding([[[score + more for score in cell]]], [1])))
        for more in (0.0, constant)
    )
    assert other == pytest.approx(one, abs=1e-9)


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - set(INVARIANT)))
def test_the_others_ask_for_values_too(holding, name) -> None:
    low, high = (float(LOSSES[name](holding([[[z, z + 1, z]]], [1]))) for z in (0.0, 1.0))
    assert abs(low - high) > 0.1


@every_loss
@given(cell=scores)
def test_no_loss_is_negative(holding, name, cell) -> None:
    world = holding([[cell]], [2])
    assert float(LOSSES[name](world)) >= 0.0
    assert float(LOSSES[name](world.to(dtype=torch.float32))) >= 0.0


@pytest.mark.parametrize(("name", "margin"), [("sparsemax", 1.0), ("sparsegen-lin", 0.5)])
@given(wrong=st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=9), more=st.integers(0, 20))
def test_a_lead_by_the_margin_costs_exactly_nothing_and_pushes_no_more(
    holding, name, margin, wrong, more
) -> None:
    world = holding([[[max(wrong) + margin + more, *wrong]]], [0])
    assert float(LOSSES[name](world)) == 0.0
    assert not gradient_of(world, name)[1].any()


@pytest.mark.parametrize(("name", "margin"), [("sparsemax", 1.0), ("sparsegen-lin", 0.5)])
def test_a_lead_just_below_the_margin_still_costs(holding, name, margin) -> None:
    assert float(LOSSES[name](holding([[[margin - 1e-3, 0.0, -1.0]]], [0]))) > 0


@pytest.mark.parametrize("lead", [1.0, 5.0, 30.0])
def test_cross_entropy_pushes_at_any_lead(holding, lead) -> None:
    assert bool(gradient_of(holding([[[lead, 0.0, 0.0]]], [0]), "ce")[1].all())


@every_loss
def test_a_cell_that_is_surely_wrong_can_tell_where_to_go_unless_the_docstring_warns(
    holding, name
) -> None:
    # The label's channel lies far below 0, where plain positive parts would be 0 / 0.
    world = holding([[[-40.0, -30.0, -30.0]]], [0])
    pull = -float(gradient_of(world, name)[1][0, 0])
    assert (pull < 1e-4) if name == "softmax-l2" else (pull > 0.9)


@every_loss
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e3])
def test_values_and_gradients_stay_finite_in_single_precision(holding, name, size) -> None:
    world = holding([[[-size, size, 0.0], [0.0, 0.0, 0.0], [-size, -size, -size]]], [0])
    world = world.to(dtype=torch.float32)
    assert bool(torch.isfinite(LOSSES[name](world)))
    assert bool(torch.isfinite(gradient_of(world, name)[1]).all())


@every_loss
def test_down_its_gradient_every_cell_comes_to_say_its_label(holding, name) -> None:
    generator = torch.Generator().manual_seed(0)
    start = 0.3 * torch.randn(10, 20, 10, generator=generator)
    world = holding(start.tolist(), list(range(10)))
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
def test_a_state_that_is_no_finite_number_gives_a_loss_that_is_none(holding, name, value) -> None:
    assert not math.isfinite(LOSSES[name](holding([[[value, 0.0, 0.0], [1.0, 0.0, 0.0]]], [0])))


@every_loss
def test_a_world_whose_label_is_unknown_is_refused(holding, name) -> None:
    with pytest.raises(ValueError, match="label of every world, and 1 of 2 have none, world 1"):
        LOSSES[name](holding(WORLDS, [0, -1]))


def test_sparsegen_with_no_sparsity_is_sparsemax_and_sets_the_margin(holding) -> None:
    world = holding(WORLDS, LABELS)
    assert float(sparsegen_lin_loss(world, 0.0)) == float(LOSSES["sparsemax"](world))
    ahead = holding([[[3.0, 0.0, 1.0]]], [0])
    assert float(sparsegen_lin_loss(ahead, -1.0)) == 0.0
    assert float(sparsegen_lin_loss(ahead, -1.5)) > 0.0


@pytest.mark.parametrize("sparsity", [1.0, 2.0, math.nan])
def test_a_sparsity_that_has_no_nearest_point_is_refused(holding, sparsity) -> None:
    with pytest.raises(ValueError, match="below 1"):
        sparsegen_lin(SCORES, sparsity)
    with pytest.raises(ValueError, match="below 1"):
        sparsegen_lin_loss(holding(WORLDS, LABELS), sparsity)


def test_the_loss_of_sum_normalisation_is_cross_entropy_of_shares_and_a_hold_on_the_sum(
    holding,
) -> None:
    world = holding([[cell] for cell in SCORES.tolist()], [0, 0, 1])
    total = torch.nn.functional.softplus(SCORES, beta=SHARPNESS).sum(1)
    shares = (sum_norm(SCORES) * WANTED).sum(1)
    expected = (-shares.log() + (total - 1 - total.log())).sum() / 3
    assert float(LOSSES["sum-norm"](world)) == pytest.approx(float(expected))


def test_sum_normalisation_is_the_plain_share_of_scores_well_above_zero() -> None:
    assert sum_norm(torch.tensor([[6.0, 3.0, 3.0]])).tolist() == [[0.5, 0.25, 0.25]]
    assert sum_norm(torch.tensor([[-7.0, -7.0]])).tolist() == [[0.5, 0.5]]


def test_sum_normalisation_gives_the_published_target_the_share_it_states() -> None:
    target = torch.eye(10)[:1]
    assert round(float(sum_norm(target)[0, 0]), 2) == 0.62


def test_overflow_is_half_the_squared_excess_of_every_channel(holding) -> None:
    world = holding([[[0.0, -4.0, 2.0]]], [0], free=3.5)
    assert float(overflow(world, 3.0)) == pytest.approx(0.5 * (1.0 + 2 * 0.25))
    assert float(loss_of("l2", world, 3.0) - loss_of("l2", world, None)) == pytest.approx(0.75)
    assert float(overflow(world, 4.0)) == 0.0


@pytest.mark.parametrize("name", LOSSES)
def test_the_losses_of_each_world_are_those_of_each_alone(holding, name: str) -> None:
    world = holding(WORLDS, LABELS)
    each = LOSSES[name](world, each=True)
    alone = [float(LOSSES[name](world.select([i]))) for i in range(len(world))]
    assert each.tolist() == pytest.approx(alone)
    assert float(loss_of(name, world, 0.5, each=True).mean()) == pytest.approx(
        float(loss_of(name, world, 0.5))
    )
