"""The gradient of compiled steps equals that of autograd up to rounding."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from swarm_nca import matmul
from swarm_nca.bptt import Scratch, bptt, refuses_to_compile
from swarm_nca.bptt import run as bptt_run
from swarm_nca.engine import draws_of, recorded, rollout
from swarm_nca.images import strokes
from swarm_nca.kernels.library import fits
from swarm_nca.links import Links
from swarm_nca.perturbations import Freeze, Immigrants, Liar, Silence, Stuck
from swarm_nca.rules import Mlp, Rule
from swarm_nca.tasks import Classification
from swarm_nca.threads import threads
from swarm_nca.topologies import Grid
from swarm_nca.training.parallel import DataParallel
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.rollouts import Rollouts
from swarm_nca.training.trainer import Trainer
from swarm_nca.world import World

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

STEPS, SEED = 5, 4

Roll = Callable[..., torch.Tensor]

compiled_bptt = partial(bptt, compile_kernel=True)


def by_autograd(*setting: Any) -> torch.Tensor:
    """The arguments are those of `bptt`, whose scratch and precision it does not use."""
    return recorded(*setting[:6]).state


def rule_of(hidden: tuple[int, ...] = (12, 10), hearing: Any = "slots") -> Rule:
    generator = torch.Generator().manual_seed(1)
    rule = Mlp(hidden=hidden, free_channels=3, hearing=hearing, generator=generator)
    with torch.no_grad():
        for weight in rule.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return rule


def digits(rule: Rule, neighborhood: str = "moore", links: Links | None = None) -> World:
    pictures = strokes(3, seed=2, size=14)
    world = World.from_images(
        pictures.grey, rule, labels=pictures.labels, grid=Grid(neighborhood), start="random"
    )
    return world if links is None else replace(world, links=links)


def gradients(
    roll: Roll, world: World, rule: Rule, products: torch.dtype | None = None
) -> list[torch.Tensor]:
    """The state, then the gradients of the first state and the weights."""
    rule.zero_grad()
    first = world.state.clone().requires_grad_()
    draws = draws_of(world, SEED)
    rates = rule.fire_rate, rule.noise
    state = roll(world.with_state(first), rule, STEPS, draws, *rates, Scratch(), products)
    weights = torch.linspace(-1.0, 2.0, state.numel()).view_as(state)
    (weights * state.square() + state).mean().backward()
    found = [state.detach(), first.grad, *(weight.grad for weight in rule.parameters())]
    return [part.clone() for part in found if part is not None]


def assert_near(ours: list[torch.Tensor], theirs: list[torch.Tensor], near: float) -> None:
    assert len(ours) == len(theirs)
    for actual, wanted in zip(ours, theirs, strict=True):
        assert float(wanted.abs().max()) > 1e-5
        assert float((actual - wanted).norm() / wanted.norm()) < near


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world,
        lambda world: replace(world, links=Links(drop=0.4)),
        lambda world: replace(world, links=Links(drop=0.2, bits=4, range=0.8)),
        Silence(share=0.3),
        Freeze(share=0.3),
        Stuck(share=0.3),
        Liar(share=0.3),
    ],
    ids=["sound", "lost", "lost and rounded", "silent", "frozen", "stuck", "lying"],
)
def test_states_and_gradients_equal_those_of_autograd(change: Callable[[World], World]) -> None:
    rule = rule_of()
    world = change(digits(rule))
    assert_near(gradients(compiled_bptt, world, rule), gradients(by_autograd, world, rule), 1e-4)


@pytest.mark.parametrize(
    ("hidden", "neighborhood"), [((7,), "moore"), ((40, 5, 30), "hexagonal")], ids=str
)
def test_any_layers_on_any_grid_have_the_gradients_of_autograd(
    hidden: tuple[int, ...], neighborhood: str
) -> None:
    rule = rule_of(hidden)
    world = digits(rule, neighborhood)
    assert_near(gradients(compiled_bptt, world, rule), gradients(by_autograd, world, rule), 1e-4)


@pytest.mark.parametrize("hearing", ["slots", "sobel"])
def test_any_stimulus_has_the_gradients_of_autograd(hearing: Any) -> None:
    rule = rule_of(hearing=hearing)
    world = digits(rule)
    world = replace(world, stimulus=world.stimulus.t().contiguous().t())
    assert_near(gradients(compiled_bptt, world, rule), gradients(by_autograd, world, rule), 1e-4)


def growing(noise: float = 0.0) -> tuple[World, Rule]:
    """Three worlds of cells that are born and die, some steps old."""
    generator = torch.Generator().manual_seed(3)
    rule = Mlp.growing(hidden=(24,), noise=noise, generator=generator)
    with torch.no_grad():
        rule.output.normal_(std=0.15, generator=generator)
        world = World.from_images(np.eye(3, 400, 30).reshape(3, 20, 20), rule)
        return rollout(world, rule, 12, seed=1), rule


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_cells_that_are_born_and_die_have_the_gradients_of_autograd(noise: float) -> None:
    world, rule = growing(noise)
    ours, theirs = gradients(compiled_bptt, world, rule), gradients(by_autograd, world, rule)
    lived, lives = (rule.lives(state, world.largest) for state in (world.state, theirs[0]))
    assert lived is not None
    assert lives is not None
    assert noise or bool((lived & ~lives).any()), "no cell has died"
    assert bool((lives & ~lived).any()), "no cell was born"
    assert_near(ours, theirs, 1e-4)


def test_the_number_of_threads_changes_no_byte() -> None:
    digit_rule = rule_of()
    lossy = digits(digit_rule, links=Links(drop=0.3))
    pairs = ((digits(digit_rule), digit_rule), (lossy, digit_rule), growing(), growing(0.02))
    for world, rule in pairs:
        found = []
        for count in (1, 2):
            with threads(count):
                found.append(gradients(compiled_bptt, world, rule))
        assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))


def test_a_batch_of_one_world_has_the_gradients_of_torch() -> None:
    rule = rule_of()
    world = digits(rule).select([1])
    assert_near(gradients(compiled_bptt, world, rule), gradients(by_autograd, world, rule), 1e-4)


def test_in_bfloat16_gradients_lie_as_near_to_float32_as_those_of_torch() -> None:
    if not fits(torch.bfloat16):
        reason = refuses_to_compile(digits(rule_of()), torch.bfloat16)
        assert reason is not None
        assert "products that it can compute" in reason
        return
    rule = rule_of((40, 33))
    world = digits(rule, links=Links(drop=0.2))
    exact = gradients(bptt, world, rule)
    ours, theirs = (gradients(roll, world, rule, torch.bfloat16) for roll in (compiled_bptt, bptt))
    for one, other, wanted in zip(ours, theirs, exact, strict=True):
        apart = float((one - wanted).norm() / wanted.norm())
        assert 0 < apart < max(0.01, 2 * float((other - wanted).norm() / wanted.norm()))


@pytest.mark.parametrize("roll", [bptt, compiled_bptt], ids=["torch", "compiled"])
def test_many_firing_cells_in_several_groups_of_steps_have_the_gradients_of_autograd(
    roll: Roll, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = rule_of()
    world = World.from_images(torch.full((1, 27, 27), 0.5), rule, start="random")
    wanted = gradients(by_autograd, world, rule)
    for together in (1, 500, 1_000_000):  # a step has about 365 firing cells
        monkeypatch.setattr(bptt_run, "TOGETHER", together)
        assert_near(gradients(roll, world, rule), wanted, 1e-4)


@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("cells", [1, 3, 5])
def test_an_odd_number_of_cells_has_the_gradients_of_torch(
    cells: int, products: torch.dtype
) -> None:
    if not fits(products):
        return
    rule = rule_of()
    rule.fire_rate = 1.0
    world = World.from_images(torch.full((1, 1, cells), 0.5), rule, start="random")
    ours, theirs = (gradients(roll, world, rule, products) for roll in (compiled_bptt, bptt))
    assert_near(ours, theirs, 1e-4 if products == torch.float32 else 0.04)


def test_weights_have_the_same_gradients_where_the_first_state_wants_none() -> None:
    rule = rule_of()
    world = digits(rule)
    wanted = gradients(compiled_bptt, world, rule)[2:]
    rule.zero_grad()
    rates = rule.fire_rate, rule.noise
    state = compiled_bptt(world, rule, STEPS, draws_of(world, SEED), *rates)
    weights = torch.linspace(-1.0, 2.0, state.numel()).view_as(state)
    (weights * state.square() + state).mean().backward()
    for weight, gradient in zip(rule.parameters(), wanted, strict=True):
        assert weight.grad is not None
        assert torch.equal(weight.grad, gradient)


def test_without_firing_cells_the_gradient_is_zero() -> None:
    rule = rule_of()
    world = digits(rule)
    state = compiled_bptt(world, rule, 3, draws_of(world, 0), fire_rate=0.0, noise=0.0)
    assert torch.equal(state, world.state)
    state.sum().backward()
    assert all(weight.grad is not None and not weight.grad.any() for weight in rule.parameters())


def test_noise_for_more_channels_than_deviates_is_refused() -> None:
    rule = Mlp(hidden=(4,), free_channels=300, noise=0.0)
    world = World.from_images(strokes(2, seed=2, size=14).grey, rule)
    with pytest.raises(ValueError, match="noise serves at most 256 channels, got 310"):
        compiled_bptt(world, rule, 2, draws_of(world, 0), 0.5, noise=0.1)


def test_a_batch_without_worlds_has_no_gradient() -> None:
    rule = rule_of()
    world = digits(rule).select([])
    for roll in (compiled_bptt, bptt):
        roll(world, rule, 2, draws_of(world, 0), 0.5, 0.1).sum().backward()


def test_two_pending_rollouts_in_one_scratch_are_refused() -> None:
    rule, scratch = rule_of(), Scratch()
    world = digits(rule)
    first, _ = (
        compiled_bptt(world, rule, 2, draws_of(world, 0), 0.5, 0.0, scratch) for _ in range(2)
    )
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        first.sum().backward()


def test_what_it_cannot_do_is_refused_with_the_way_that_can() -> None:
    rule = rule_of()
    late, guests = Links(delay=1), Immigrants(share=0.5, rule=rule_of())
    for world, learner, reason in (
        (digits(rule, links=late), rule, "without delay"),
        (guests(digits(rule)), rule, "one rule for all cells"),
        (digits(rule).to(dtype=torch.float64), rule_of().double(), "float32 states"),
    ):
        draws = draws_of(world, 0)
        with pytest.raises(ValueError, match=f"{reason}.*train it through swarm_nca.rollout"):
            compiled_bptt(world, learner, 1, draws, 0.5, 0.0)
    with pytest.raises(ValueError, match="steps must be 1 or more"):
        compiled_bptt(digits(rule), rule, 0, draws_of(digits(rule), 0), 0.5, 0.0)


def test_trainings_use_it_where_the_environment_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained() -> tuple[str, torch.Tensor]:
        recipe = Recipe.model_validate(
            {
                "name": "small",
                "data": [{"dataset": "strokes", "count": 12}],
                "held_out": 4,
                "iterations": 5,
                "batch": 4,
                "pool": 6,
                "steps": 4,
                "rule": {"hidden": [8]},
            }
        )
        pictures = strokes(12, seed=1, size=12)
        task = Classification(torch.as_tensor(pictures.grey), torch.as_tensor(pictures.labels))
        rule = Mlp(hidden=(8,), generator=torch.Generator().manual_seed(3))
        trainer = Trainer(recipe, rule, task)
        world = digits(rule)
        for _ in range(5):
            trainer.advance()
        weights = torch.cat([weight.detach().flatten() for weight in rule.parameters()])
        return Rollouts(4, None, DataParallel()).chosen(world, rule), weights

    (plain, theirs), _ = trained(), monkeypatch.setattr(matmul, "_library", "compiled")
    asked, ours = trained()
    assert (plain, asked) == ("bptt", "compiled_bptt")
    assert not torch.equal(ours, theirs), "the sums have another order"
    torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-4)
