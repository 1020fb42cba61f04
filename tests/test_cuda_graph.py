"""The masked rollout gives the same states and gradients as `bptt`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import pytest
import torch
from torch import Tensor

from swarm_nca import cuda_graph
from swarm_nca.bptt import bptt
from swarm_nca.cuda_graph import CudaGraph
from swarm_nca.links import Links
from swarm_nca.randomness import TABLE_SIZE, StepDraws
from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World

BusyRule = Callable[..., Rule]
STEPS, JOLT = 6, 0.1
GRIDS = [Grid(), Grid("von_neumann"), Grid(torus=True)]


class Doubling(Mlp):
    """A rule that overrides `change`, so it has no layers."""

    kind = "doubling"

    def change(self, prepared: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        return 2 * super().change(prepared, messages)


class RecordedDraws(StepDraws):
    """Draws made in advance, with the interface that `bptt` needs."""

    def __init__(self, fires: Tensor, offsets: Tensor) -> None:
        self._fires, self._offsets = fires, offsets

    def word(self, t: int, stream: int) -> Tensor:
        raise AssertionError("bptt must draw nothing else")

    def fires(self, t: int, rate: float) -> Tensor:
        return self._fires[t].nonzero().view(-1)

    def offsets(self, t: int, rows: Tensor) -> Tensor:
        return self._offsets[t].index_select(0, rows)


def rule_of(busy_rule: BusyRule, **changes: Any) -> Rule:
    settings: dict[str, Any] = {"hidden": (7, 6), "free_channels": 2, "strength": 0.3}
    made = busy_rule(torch.float64, classes=Classes.named("a", "b"), **(settings | changes))
    return made.requires_grad_(True)


def world_of(rule: Rule, grid: Grid = Grid()) -> World:  # noqa: B008
    first = tiny_world(".##.\n##.#\n#.3#", rule, key=5, grid=grid).restarted("random", 1)
    second = tiny_world("#3#\n.##\n###", rule, key=9, grid=grid).restarted("random", 2)
    return World.join([first, second])


def recorded_draws(world: World, seed: int = 0) -> RecordedDraws:
    generator = torch.Generator().manual_seed(seed)
    fires = torch.rand(STEPS, world.cells, generator=generator) < 0.6
    offsets = torch.randint(TABLE_SIZE, (STEPS, world.cells), generator=generator)
    return RecordedDraws(fires, offsets)


def draws_for(world: World, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The same as masks, and as jolts of all cells."""
    draws, (cells, channels) = recorded_draws(world, seed), world.state.shape
    fires = [draws.fires(t, 0.6) for t in range(STEPS)]
    rows = torch.arange(cells)
    jolts = [draws.normals(t, rows, channels, world.state.dtype) for t in range(STEPS)]
    masks = torch.zeros(STEPS, cells, dtype=torch.bool)
    for mask, fired in zip(masks, fires, strict=True):
        mask[fired] = True
    return masks, JOLT * torch.stack(jolts)


def gradients(rule: Rule, state: Tensor) -> list[Tensor]:
    """Gradients of a loss with a different weight for every cell and channel."""
    rule.zero_grad()
    weights = torch.linspace(-1.0, 2.0, state.numel(), dtype=state.dtype, device=state.device)
    (weights.view_as(state) * state.square() + state).sum().backward()
    return [weight.grad.cpu().clone() for weight in rule.parameters() if weight.grad is not None]


@pytest.mark.parametrize("hearing", ["slots", "ring"])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_states_and_gradients_equal_bptt(
    busy_rule: BusyRule, device: str, grid: Grid, hearing: str
) -> None:
    rule = rule_of(busy_rule, hearing=hearing)
    world = world_of(rule, grid)
    fires, jolts = draws_for(world)
    expected = bptt(world, rule, STEPS, recorded_draws(world), 0.6, JOLT)
    expected_gradients = gradients(rule, expected)
    rule.to(device)
    moved = world.to(device)
    found = CudaGraph(STEPS)(moved, rule, fires.to(device), jolts.to(device))
    torch.testing.assert_close(found.cpu(), expected, atol=1e-12, rtol=0)
    for actual, wanted in zip(gradients(rule, found), expected_gradients, strict=True):
        assert float(wanted.abs().max()) > 1e-3
        torch.testing.assert_close(actual, wanted, atol=1e-9, rtol=1e-9)


def test_batches_of_different_sizes_do_not_affect_each_other(
    busy_rule: BusyRule, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    # Some sizes share one recording; there are more sizes than recordings are kept.
    monkeypatch.setattr(cuda_graph, "ROWS", 8)
    monkeypatch.setattr(cuda_graph, "RECORDINGS", 1)
    rule = rule_of(busy_rule).to(device)
    large = world_of(rule)
    rollout = CudaGraph(STEPS)
    for world in (large, large[1], large[0], large[1], large):
        fires, jolts = (drawn.to(device) for drawn in draws_for(world))
        alone, reused = (run(world, rule, fires, jolts) for run in (CudaGraph(STEPS), rollout))
        assert torch.equal(alone, reused)
        expected = gradients(rule, CudaGraph(STEPS)(world, rule, fires, jolts))
        for actual, wanted in zip(gradients(rule, reused), expected, strict=True):
            assert torch.equal(actual, wanted)


@pytest.mark.parametrize(
    ("products", "near"), [(torch.float32, 1e-5), (torch.bfloat16, 0.05)], ids=str
)
def test_shorter_products_change_states_and_gradients_by_rounding_only(
    busy_rule: BusyRule, products: torch.dtype, near: float, device: str
) -> None:
    rule = rule_of(busy_rule).to(device)
    world = world_of(rule)
    fires, jolts = (drawn.to(device) for drawn in draws_for(world))
    full, short = (CudaGraph(STEPS, kind)(world, rule, fires, jolts) for kind in (None, products))
    assert short.dtype == torch.float64
    assert float((short - full).detach().abs().max()) < near
    for actual, wanted in zip(gradients(rule, short), gradients(rule, full), strict=True):
        assert float((actual - wanted).norm() / wanted.norm()) < near


def test_the_world_passed_in_never_changes(busy_rule: BusyRule) -> None:
    rule = rule_of(busy_rule)
    world = world_of(rule)
    before = world.state.clone()
    gradients(rule, CudaGraph(STEPS)(world, rule, *draws_for(world)))
    assert torch.equal(world.state, before)


def test_unsupported_worlds_rules_and_lengths_are_refused(busy_rule: BusyRule) -> None:
    rule = rule_of(busy_rule)
    lossy = tiny_world("##", rule, links=Links(drop=0.1))
    with pytest.raises(ValueError, match="masked rollouts need pictures with perfect links"):
        CudaGraph(STEPS)(lossy, rule, *draws_for(lossy))
    world = World.from_graph(number_slots(nx.path_graph(2), slots=9), rule)
    with pytest.raises(ValueError, match="masked rollouts need pictures with perfect links"):
        CudaGraph(STEPS)(world, rule, *draws_for(world))
    world = world_of(rule)
    with pytest.raises(ValueError, match="6 steps are more than the longest rollout's 5"):
        CudaGraph(STEPS - 1)(world, rule, *draws_for(world))
    doubling = Doubling()
    alone = tiny_world("##", doubling)
    with pytest.raises(ValueError, match="needs a rule's layers, and 'doubling' has none"):
        CudaGraph(STEPS)(alone, doubling, *draws_for(alone))


def test_a_shorter_rollout_in_longer_memory_gives_the_same_result(
    busy_rule: BusyRule, device: str
) -> None:
    rule = rule_of(busy_rule).to(device)
    world = world_of(rule)
    fires, jolts = (drawn.to(device) for drawn in draws_for(world))
    longer = CudaGraph(STEPS)
    gradients(rule, longer(world, rule, fires, jolts))
    longer_end, short_end = (
        run(world, rule, fires[:2], jolts[:2]) for run in (longer, CudaGraph(2))
    )
    assert torch.equal(longer_end, short_end)
    for actual, wanted in zip(gradients(rule, longer_end), gradients(rule, short_end), strict=True):
        torch.testing.assert_close(actual, wanted, atol=1e-12, rtol=1e-12)


def test_two_pending_rollouts_in_one_memory_are_refused(
    busy_rule: BusyRule,
) -> None:
    rule = rule_of(busy_rule)
    world, rollout = world_of(rule), CudaGraph(STEPS)
    first = rollout(world, rule, *draws_for(world))
    rollout(world, rule, *draws_for(world, 1))
    with pytest.raises(RuntimeError, match="another rollout began"):
        gradients(rule, first)
