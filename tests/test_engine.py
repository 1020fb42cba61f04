"""Steps equal a loop over cells, a dense convolution, and the same world in other batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from swarm_nca.engine import CHUNK, Stepper, draws_of, recorded, rollout, step, trajectory
from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.perturbations import Stuck
from swarm_nca.rules import Classes, Mlp, Rule, make_rule
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World

BusyRule = Callable[..., Rule]


def slots_read(stepper: Stepper) -> int:
    """The number of slots whose messages a stepper reads."""
    return stepper._mail.arriving(torch.arange(3), 0).shape[1]


@pytest.mark.parametrize(
    ("neighborhood", "slots"), [("moore", 9), ("von_neumann", 5), ("hexagonal", 7)]
)
@pytest.mark.parametrize("kind", ["slots", "ring", "quantized"])
def test_slots_that_are_silent_on_a_grid_are_not_read_and_the_result_is_that_of_all_slots(
    busy_rule: BusyRule, kind: str, neighborhood: str, slots: int
) -> None:
    if kind == "quantized":
        rule: Rule = make_rule(kind="quantized", hidden=(12, 10)).requires_grad_(False).double()
    else:
        rule = busy_rule(torch.float64, hidden=(12, 10), hearing=kind)
    world = digit_worlds(rule, 2, grid=Grid(neighborhood))
    stepper = Stepper(world, rule, 7)
    assert slots_read(stepper) == slots
    for _ in range(6):
        stepper.step()
    all_slots = recorded(world, rule, 6, draws_of(world, 7), rule.fire_rate, rule.noise)
    assert not torch.equal(all_slots.state, world.state)
    torch.testing.assert_close(stepper.state, all_slots.state, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        lambda world: replace(world, links=Links(0.2)),
        lambda world: replace(world, links=Links(bits=4)),
        Stuck(share=0.3),
    ],
    ids=["lossy", "rounded", "stuck"],
)
def test_all_slots_are_read_where_messages_are_drawn_or_kept(busy_rule: BusyRule, change) -> None:
    rule = busy_rule()
    world = digit_worlds(rule, 2, grid=Grid("hexagonal"))
    assert slots_read(Stepper(world, rule)) == 7
    assert slots_read(Stepper(change(world), rule)) == 9


def digit_worlds(rule: Rule, count: int, size: int = 14, **others: Any) -> World:
    """Small pen strokes with random states."""
    grey = np.asarray(strokes(count, seed=2, size=size).grey)
    return World.from_images(grey, rule, **({"start": "random", "seed": 4} | others))


def loop_over_cells(world: World, rule: Rule, steps: int, seed: int) -> np.ndarray[Any, Any]:
    """The last state, computed cell by cell and slot by slot from the states before each step."""
    w = {name: weight.numpy() for name, weight in rule.named_parameters()}
    state, stimulus = world.state.numpy().copy(), world.stimulus.numpy()
    draws = draws_of(world, seed)
    for t in range(steps):
        before = state.copy()
        fires = draws.word(t, 0).numpy() < rule.fire_rate * 2**32
        for cell in np.flatnonzero(fires):
            senses = list(stimulus[cell])
            for slot in range(rule.slots):
                other = int(world.neighbors[cell, slot])
                lost = int(draws.word(t, 16 + slot)[cell]) < world.links.drop * 2**32
                silent = other == world.cells or (lost and other != cell)
                senses += [0.0] * rule.channels if silent else list(before[other])
            first = np.maximum(0, np.array(senses) @ w["perception"] + w["perception_bias"])
            second = np.maximum(0, first @ w["middle"] + w["middle_bias"])
            change = second @ w["output"] + w["output_bias"]
            noise = draws.normals(t, torch.tensor([cell]), rule.channels, torch.float64)[0]
            state[cell] += change + rule.noise * noise.numpy()
    return state


@pytest.mark.parametrize("drop", [0.0, 0.4], ids=["perfect", "lossy"])
@pytest.mark.parametrize(
    "grid",
    [Grid(), Grid("von_neumann", torus=True), Grid("hexagonal"), Grid("triangular")],
    ids=str,
)
def test_a_rollout_equals_a_loop_over_cells(busy_rule: BusyRule, grid: Grid, drop: float) -> None:
    rule = busy_rule(torch.float64, hidden=(12, 10))
    world = digit_worlds(rule, 2, size=9, grid=grid, links=Links(drop), keys=[3, 900])
    expected = loop_over_cells(world, rule, 8, seed=6)
    assert np.abs(expected - world.state.numpy()).max() > 0.1
    np.testing.assert_allclose(rollout(world, rule, 8, seed=6).state, expected, atol=1e-10)


def test_a_rollout_equals_a_loop_over_graph_nodes(busy_rule: BusyRule) -> None:
    rule = busy_rule(
        torch.float64, classes=Classes.named("l", "r"), slots=6, stimulus_size=2, fire_rate=0.3
    )
    graph = number_slots(nx.random_regular_graph(5, 12, seed=1), slots=6)
    sensed = np.random.default_rng(0).normal(size=(12, 2))
    world = World.from_graph(graph, rule, stimulus=sensed, links=Links(0.2), start="random")
    expected = loop_over_cells(world, rule, 8, seed=1)
    np.testing.assert_allclose(rollout(world, rule, 8, seed=1).state, expected, atol=1e-10)


def dense_convolution(world: World, rule: Rule, steps: int) -> torch.Tensor:
    """The last state by zero-padded convolutions over whole pictures, with dead pixels masked."""
    grey = torch.stack([world.picture(i) for i in range(len(world))])[:, None]
    alive = grey > rule.alive_above
    state = torch.zeros(len(world), rule.channels, *grey.shape[2:])
    state.permute(0, 2, 3, 1)[alive[:, 0]] = world.state
    senses = torch.cat(
        [
            rule.perception[:9].reshape(3, 3, 1, -1),
            rule.perception[9:].reshape(3, 3, rule.channels, -1),
        ],
        dim=2,
    )
    for _ in range(steps):
        patch = torch.cat([grey, state], dim=1)
        hidden = functional.conv2d(
            patch, senses.permute(3, 2, 0, 1), rule.perception_bias, padding=1
        )
        hidden = functional.conv2d(
            hidden.relu(), rule.middle.t()[..., None, None], rule.middle_bias
        )
        change = functional.conv2d(
            hidden.relu(), rule.output.t()[..., None, None], rule.output_bias
        )
        state = state + change * alive
    return state.permute(0, 2, 3, 1)[alive[:, 0]]


@pytest.mark.parametrize("steps", [1, 5, 10])
def test_at_fire_rate_one_without_noise_a_rollout_equals_a_dense_convolution(
    busy_rule: BusyRule, steps: int
) -> None:
    rule = busy_rule()
    world = digit_worlds(rule, 5)
    after = rollout(world, rule, steps, fire_rate=1.0, noise=0.0)
    expected = dense_convolution(world, rule, steps)
    assert (expected - world.state).abs().max() > 0.05
    torch.testing.assert_close(after.state, expected, atol=1e-4, rtol=0)


def test_a_world_behaves_the_same_alone_and_in_any_batch(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    batch = digit_worlds(rule, 64)
    together = rollout(batch, rule, 20, seed=3)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(1)).tolist()
    shuffled = rollout(batch.select(order), rule, 20, seed=3)
    halves = [rollout(batch.select(range(a, a + 32)), rule, 20, seed=3) for a in (0, 32)]
    others = {
        "alone": rollout(batch[37], rule, 20, seed=3),
        "shuffled": shuffled[order.index(37)],
        "halves": halves[1][5],
    }
    assert (together[37].state - batch[37].state).abs().max() > 0.1
    for name, other in others.items():
        assert other.key.tolist() == [37]
        torch.testing.assert_close(other.state, together[37].state, atol=1e-4, rtol=0, msg=name)
    torch.testing.assert_close(World.join(halves).state, together.state, atol=1e-4, rtol=0)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=4), st.integers(0, 2**64 - 1))
def test_worlds_of_different_age_share_a_batch(
    busy_rule: BusyRule, ages: list[int], seed: int
) -> None:
    rule = busy_rule(torch.float64, hidden=(8, 8))
    young = digit_worlds(rule, len(ages), size=8)
    old = [rollout(young[i], rule, age, seed) for i, age in enumerate(ages)]
    together = rollout(World.join(old), rule, 4, seed)
    for i, age in enumerate(ages):
        expected = rollout(young[i], rule, age + 4, seed)
        torch.testing.assert_close(together[i].state, expected.state, atol=1e-10, rtol=0)
        assert together.step[i] == age + 4


@pytest.mark.parametrize("drop", [0.0, 0.3])
def test_two_rollouts_in_a_row_equal_one_long_rollout(busy_rule: BusyRule, drop: float) -> None:
    rule = busy_rule()
    world = digit_worlds(rule, 2, links=Links(drop))
    whole = rollout(world, rule, 200, seed=5)
    paused = rollout(rollout(world, rule, 120, seed=5), rule, 80, seed=5)
    assert bool(torch.isfinite(whole.state).all())
    assert torch.equal(whole.state, paused.state)
    assert whole.step.tolist() == paused.step.tolist() == [200, 200]


def test_batches_larger_than_a_chunk_give_the_same_states(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digit_worlds(rule, 100)
    assert world.cells * rule.fire_rate > 1.2 * CHUNK
    together = rollout(world, rule, 3)
    apart = World.join([rollout(one, rule, 3) for one in world.split()])
    torch.testing.assert_close(together.state, apart.state, atol=1e-5, rtol=0)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_the_number_of_threads_does_not_change_states(
    busy_rule: BusyRule, threads: Callable[[int], None]
) -> None:
    rule, ends = busy_rule(), []
    world = digit_worlds(rule, 100)
    assert world.cells * rule.fire_rate > 1.2 * CHUNK
    for count in (1, 2, 3):
        threads(count)
        ends.append(rollout(world, rule, 20, seed=1).state)
    for end in ends[1:]:
        assert torch.equal(end, ends[0])


def test_large_worlds_of_different_age_step_on_two_threads(
    busy_rule: BusyRule, threads: Callable[[int], None]
) -> None:
    rule = busy_rule(torch.float32, hidden=(3, 3), noise=0.1)
    young = World.from_images(torch.full((2, 100, 100), 0.5), rule)
    older = World.join([young[0], young[1].with_state(young[1].state, 1)])
    threads(2)
    shared = rollout(older, rule, 2)
    threads(1)
    assert torch.equal(shared.state, rollout(older, rule, 2).state)


def test_equal_seeds_give_equal_states_and_others_differ(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digit_worlds(rule, 2)
    one, again, other = (rollout(world, rule, 3, seed=s).state for s in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def copied(world: World) -> dict[str, torch.Tensor]:
    fields = ("state", "key", "step", "label", "address", "neighbors", "stimulus")
    return {f: getattr(world, f).clone() for f in fields} | {"grey": world.canvas.grey.clone()}


@pytest.mark.parametrize("gradients", [False, True])
def test_the_world_passed_in_never_changes(busy_rule: BusyRule, gradients: bool) -> None:
    rule = busy_rule().requires_grad_(gradients)
    world = digit_worlds(rule, 2, links=Links(0.2))
    before = copied(world)
    stepper = Stepper(world, rule)
    stepper.step()
    stepper.state.fill_(7.0)
    rollout(world, rule, 3)
    list(trajectory(world, rule, 2))
    for name, value in copied(world).items():
        assert torch.equal(value, before[name]), name


def test_cells_that_do_not_fire_do_not_change(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digit_worlds(rule, 3)
    stepper = Stepper(world, rule, seed=8)
    stepper.step()
    changed = (stepper.state != world.state).any(dim=1)
    assert changed.nonzero().view(-1).tolist() == stepper.fired.tolist()
    assert 0.3 < len(stepper.fired) / world.cells < 0.7


def test_fire_rate_and_noise_override_the_rules(busy_rule: BusyRule) -> None:
    rule = busy_rule(fire_rate=0.3, noise=0.5)
    world = digit_worlds(rule, 3)
    every = Stepper(world, rule, fire_rate=1.0)
    every.step()
    assert len(every.fired) == world.cells
    assert torch.equal(rollout(world, rule, 5, fire_rate=0.0).state, world.state)
    assert rollout(world, rule, 5, fire_rate=0.0).step.tolist() == [5] * 3
    quiet = rollout(world, rule, 1, noise=0.0).state
    same_rule = busy_rule(fire_rate=0.3, noise=0.0)
    assert torch.equal(quiet, rollout(world, same_rule, 1).state)
    assert not torch.equal(quiet, rollout(world, rule, 1).state)


def test_a_rollout_with_gradients_allows_steps_without_firing_cells(
    busy_rule: BusyRule,
) -> None:
    rule = busy_rule(fire_rate=0.3)
    lone = tiny_world("#", rule)
    frozen = rollout(lone, rule, 12, seed=2).state
    rule.requires_grad_(True)
    learning = rollout(lone, rule, 12, seed=2).state
    torch.testing.assert_close(learning.detach(), frozen)
    assert learning.requires_grad
    assert torch.equal(rollout(lone, rule, 5, fire_rate=0.0).state, lone.state)


def test_noise_has_the_standard_deviation_of_the_rule(busy_rule: BusyRule) -> None:
    rule = Mlp(noise=0.02).requires_grad_(False)
    world = digit_worlds(rule, 60, start="zeros")
    state = rollout(world, rule, 4, fire_rate=1.0).state
    assert float(state.std()) == pytest.approx(0.02 * 2, rel=0.02)


def test_at_drop_one_every_cell_receives_only_its_own_message(busy_rule: BusyRule) -> None:
    rule = busy_rule(torch.float64)
    all_lost = tiny_world("###\n#.#", rule, links=Links(drop=1.0))
    all_lost = all_lost.restarted("random", 2)
    table = torch.full_like(all_lost.neighbors, all_lost.cells)
    table[:, 4] = torch.arange(all_lost.cells)
    graph = World.from_graph(_topology(table), rule, stimulus=all_lost.stimulus)
    isolated = graph.with_state(all_lost.state)
    one, other = (rollout(w, rule, 5, fire_rate=1.0, noise=0.0) for w in (all_lost, isolated))
    assert torch.equal(one.state, other.state)


def _topology(table: torch.Tensor) -> Any:
    from swarm_nca.topologies import Topology

    return Topology(table, tuple(range(len(table))))


def test_links_with_drop_zero_equal_perfect_links(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    perfect, lossless = (digit_worlds(rule, 2, links=links) for links in (Links(), Links(drop=0.0)))
    lossy = digit_worlds(rule, 2, links=Links(drop=0.2))
    ends = [rollout(world, rule, 5).state for world in (perfect, lossless, lossy)]
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_a_trajectory_gives_the_world_after_every_step(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digit_worlds(rule, 2)
    moments = list(trajectory(world, rule, 4, seed=2))
    assert [moment.step.tolist() for moment in moments] == [[t, t] for t in (1, 2, 3, 4)]
    one_by_one = world
    for t, moment in enumerate(moments, start=1):
        one_by_one = step(one_by_one, rule, seed=2)
        assert torch.equal(moment.state, one_by_one.state)
        assert torch.equal(moment.state, rollout(world, rule, t, seed=2).state)


def test_writing_to_the_live_buffer_affects_the_next_step(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digit_worlds(rule, 1)
    stepper = Stepper(world, rule, seed=3)
    stepper.step()
    kept = stepper.world()
    stepper.state[: world.cells // 2] = 0.0
    assert bool(kept.state[0].any()), "a world taken from a stepper is safe from further steps"
    damaged = stepper.world()
    stepper.step()
    assert torch.equal(stepper.state, rollout(damaged, rule, 1, seed=3).state)


def test_recording_gradients_does_not_change_states(busy_rule: BusyRule) -> None:
    rule = busy_rule(torch.float64)
    world = digit_worlds(rule, 2, links=Links(0.3))
    expected = rollout(world, rule, 5, seed=1)
    live = world.with_state(world.state.clone().requires_grad_(True))
    rule.requires_grad_(True)
    after = rollout(live, rule, 5, seed=1)
    torch.testing.assert_close(after.state, expected.state, atol=1e-12, rtol=0)
    after.state.square().sum().backward()
    for tensor in (live.state, *rule.parameters()):
        assert tensor.grad is not None
        assert float(tensor.grad.abs().max()) > 0
    with torch.no_grad():
        assert not rollout(live, rule, 2).state.requires_grad


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": -1}, "steps must be a whole number, 0 or more, got -1"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": 0.5}, "seed must be a whole number"),
        ({"fire_rate": 1.5}, "fire_rate must be at most 1, got 1.5"),
        ({"noise": -1.0}, "noise must be at least 0, got -1.0"),
        ({"noise": float("nan")}, "noise"),
    ],
)
def test_arguments_out_of_range_are_refused(
    busy_rule: BusyRule, wrong: dict[str, Any], message: str, gradients: bool
) -> None:
    rule = busy_rule().requires_grad_(gradients)
    world = tiny_world("##", rule)
    with pytest.raises(ValueError, match=message):
        rollout(world, rule, **({"steps": 2} | wrong))
    with pytest.raises(ValueError, match=message):
        trajectory(world, rule, **({"steps": 2} | wrong))


@pytest.mark.parametrize("gradients", [False, True])
def test_a_rule_that_does_not_fit_the_world_is_refused(
    busy_rule: BusyRule, gradients: bool
) -> None:
    world = tiny_world("##", busy_rule())
    for others in ({"free_channels": 3}, {"slots": 5}, {"stimulus_size": 1}):
        with pytest.raises(ValueError, match=r"= \(19, 9, 9\), the rule needs \("):
            rollout(world, busy_rule(**others).requires_grad_(gradients), 1)
    with pytest.raises(ValueError, match=r"float32.*float64.*world\.to\(dtype=…\)"):
        rollout(world, busy_rule(torch.float64).requires_grad_(gradients), 1)


class ReturnsKeptTensor(Mlp):
    """A rule that returns a view of a tensor which it keeps."""

    kind = "keeping"
    kept: torch.Tensor

    def change(self, prepared: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        return self.kept.expand(len(messages), -1)


def test_a_tensor_kept_by_a_rule_is_never_written_to() -> None:
    rule = ReturnsKeptTensor(noise=0.5)
    rule.kept = torch.zeros(rule.channels)
    world = tiny_world("###", rule)
    moved = rollout(world, rule.requires_grad_(False), 3, fire_rate=1.0).state
    assert not rule.kept.any()
    plain = rollout(world, Mlp(noise=0.5).requires_grad_(False), 3, fire_rate=1.0).state
    assert torch.equal(moved, plain)  # an untrained rule adds no change, only noise
