"""The hand-written gradient equals autograd and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from swarm_nca.bptt import Scratch, bptt
from swarm_nca.bptt import run as bptt_run
from swarm_nca.engine import draws_of, rollout
from swarm_nca.links import Links
from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.testing import tiny_world
from swarm_nca.threads import threads
from swarm_nca.world import World
from swarm_nca.world.faults import Fault, with_fault

BusyRule = Callable[..., Rule]
STEPS, SEED = 6, 4


@pytest.fixture
def rule(busy_rule: BusyRule) -> Rule:
    settings: dict[str, Any] = {"hidden": (7, 6), "free_channels": 2, "strength": 0.3}
    made = busy_rule(torch.float64, classes=Classes.named("a", "b"), **settings)
    return made.requires_grad_(True)


def world_of(rule: Rule, links: Links = Links(), **changes: Any) -> World:  # noqa: B008
    first = tiny_world(".##.\n##.#\n#.3#", rule, key=5, links=links).restarted("random", 1)
    second = tiny_world("#3\n.#", rule, key=9, links=links).restarted("random", 2)
    return World.join([first, second])


class Doubling(Mlp):
    """A rule that overrides `change`, so it has no layers."""

    kind = "doubling"

    def change(self, prepared: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        return 2 * super().change(prepared, messages)


def target(state: torch.Tensor) -> torch.Tensor:
    """A loss with a different weight for every cell and channel."""
    weights = torch.linspace(-1.0, 2.0, state.numel(), dtype=state.dtype).view_as(state)
    return (weights * state.square() + state).sum()


def gradients(
    rule: Rule, end: Callable[[World], torch.Tensor], world: World, with_state: bool
) -> list[torch.Tensor]:
    """Gradients of the loss: for the weights, then for the first state if `with_state`."""
    rule.zero_grad()
    state = world.state.clone().requires_grad_(with_state)
    target(end(world.with_state(state))).backward()
    found = [weight.grad for weight in rule.parameters()] + [state.grad] * with_state
    return [gradient.clone() for gradient in found if gradient is not None]


def by_hand(rule: Rule, scratch: Scratch | None = None) -> Callable[[World], torch.Tensor]:
    def end(world: World) -> torch.Tensor:
        draws = draws_of(world, SEED)
        return bptt(world, rule, STEPS, draws, rule.fire_rate, rule.noise, scratch)

    return end


@pytest.mark.parametrize("with_state", [False, True], ids=["weights", "and-state"])
@pytest.mark.parametrize(
    ("links", "faulty"),
    [
        (Links(), False),
        (Links(drop=0.4), False),
        (Links(drop=1.0), False),
        (Links(drop=0.2, bits=4, range=0.8), False),
        (Links(), True),
        (Links(bits=6, range=0.5), True),
    ],
    ids=str,
)
def test_states_and_gradients_equal_autograd(
    rule: Rule, links: Links, faulty: bool, with_state: bool
) -> None:
    world = world_of(rule, links)
    if faulty:
        for row, fault in enumerate(Fault):
            says = torch.full((1, rule.channels), 0.7, dtype=world.state.dtype)
            world = with_fault(world, torch.tensor([2 * row]), fault, says)

    def by_autograd(world: World) -> torch.Tensor:
        return rollout(world, rule, STEPS, SEED).state

    torch.testing.assert_close(by_hand(rule)(world), by_autograd(world), atol=1e-12, rtol=0)
    found = gradients(rule, by_hand(rule), world, with_state)
    expected = gradients(rule, by_autograd, world, with_state)
    assert len(found) == len(expected) == 6 + with_state
    for actual, wanted in zip(found, expected, strict=True):
        assert float(wanted.abs().max()) > 1e-3
        torch.testing.assert_close(actual, wanted, atol=1e-9, rtol=1e-9)


def test_parts_of_a_batch_have_the_gradients_of_the_whole(
    rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.join([world_of(rule).restarted("random", seed) for seed in range(3)])

    def by_autograd(world: World) -> torch.Tensor:
        return rollout(world, rule, STEPS, SEED).state

    monkeypatch.setattr(bptt_run, "LEAST", 8)
    monkeypatch.setattr(bptt_run, "PART", 10)
    assert len(bptt_run._edges(world, 8)) > 3
    for count in (1, 2):
        with threads(count):
            found = gradients(rule, by_hand(rule), world, True)
        for actual, wanted in zip(found, gradients(rule, by_autograd, world, True), strict=True):
            torch.testing.assert_close(actual, wanted, atol=1e-9, rtol=1e-9)


def test_weights_that_change_before_the_gradient_are_noticed(rule: Rule) -> None:
    state = by_hand(rule)(world_of(rule))
    with torch.no_grad():
        rule.output.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        state.sum().backward()


@pytest.mark.parametrize("links", [Links(delay=1), Links(0.1, on_loss="last")], ids=str)
def test_links_with_a_memory_are_refused(rule: Rule, links: Links) -> None:
    with pytest.raises(ValueError, match="without delay and without repeated messages: train it"):
        by_hand(rule)(world_of(rule, links))


@pytest.mark.parametrize(
    ("products", "near"), [(torch.float32, 1e-5), (torch.bfloat16, 0.05)], ids=str
)
def test_shorter_products_change_states_and_gradients_by_rounding_only(
    rule: Rule, products: torch.dtype, near: float
) -> None:
    world = world_of(rule, Links(drop=0.2))

    def shorter(world: World) -> torch.Tensor:
        draws = draws_of(world, SEED)
        return bptt(world, rule, STEPS, draws, rule.fire_rate, rule.noise, products=products)

    assert shorter(world).dtype == torch.float64
    apart = shorter(world) - by_hand(rule)(world)
    assert float(apart.detach().abs().max()) < near
    found = gradients(rule, shorter, world, with_state=True)
    expected = gradients(rule, by_hand(rule), world, with_state=True)
    for actual, wanted in zip(found, expected, strict=True):
        assert actual.dtype == torch.float64
        assert float((actual - wanted).norm() / wanted.norm()) < near


def test_gradients_equal_finite_differences(rule: Rule) -> None:
    world = world_of(rule, Links(drop=0.2))
    found = gradients(rule, by_hand(rule), world, with_state=True)
    random, shift = np.random.default_rng(0), 1e-6
    state = world.state.clone()
    with torch.no_grad():
        for tensor, gradient in zip([*rule.parameters(), state], found, strict=True):
            flat = tensor.view(-1)
            for i in random.choice(len(flat), size=min(6, len(flat)), replace=False).tolist():
                before, losses = float(flat[i]), []
                for moved in (before + shift, before - shift):
                    flat[i] = moved
                    losses.append(float(target(by_hand(rule)(world.with_state(state)))))
                flat[i] = before
                slope = (losses[0] - losses[1]) / (2 * shift)
                assert float(gradient.view(-1)[i]) == pytest.approx(slope, rel=1e-4, abs=1e-5)


def test_a_scratch_can_be_reused_by_successive_rollouts(rule: Rule) -> None:
    scratch, large = Scratch(), world_of(rule)
    for world in (large, large[1], large):
        fresh = gradients(rule, by_hand(rule), world, with_state=True)
        reused = gradients(rule, by_hand(rule, scratch), world, with_state=True)
        for actual, wanted in zip(reused, fresh, strict=True):
            assert torch.equal(actual, wanted)


def test_two_pending_rollouts_in_one_scratch_are_refused(rule: Rule) -> None:
    scratch, world = Scratch(), world_of(rule)
    first = by_hand(rule, scratch)(world)
    by_hand(rule, scratch)(world)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        target(first).backward()


def test_the_world_passed_in_never_changes(rule: Rule) -> None:
    world = world_of(rule)
    before = world.state.clone()
    gradients(rule, by_hand(rule), world, with_state=True)
    assert torch.equal(world.state, before)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_without_firing_cells_the_gradient_is_zero(rule: Rule, dtype: torch.dtype) -> None:
    rule = rule.to(dtype)
    world = world_of(rule)
    state = bptt(world, rule, 3, draws_of(world, 0), fire_rate=0.0, noise=0.0)
    assert torch.equal(state, world.state)
    target(state).backward()
    for weight in rule.parameters():
        assert weight.grad is not None
        assert not bool(weight.grad.any())


def test_zero_steps_and_unfit_rules_are_refused(rule: Rule, busy_rule: BusyRule) -> None:
    world = world_of(rule)
    with pytest.raises(ValueError, match="steps must be 1 or more, got 0"):
        bptt(world, rule, 0, draws_of(world, 0), 0.5, 0.0)
    with pytest.raises(ValueError, match="build the world with the rule"):
        bptt(world, busy_rule(torch.float64), 1, draws_of(world, 0), 0.5, 0.0)


def test_a_rule_without_layers_is_refused_with_the_cure() -> None:
    rule = Doubling()
    world = tiny_world("##", rule)
    with pytest.raises(
        ValueError,
        match=r"needs a rule's layers, and 'doubling' has none: train it through .*rollout",
    ):
        bptt(world, rule, 1, draws_of(world, 0), 0.5, 0.0)
