"""A step is what it says: held against a loop over cells, a convolution, and itself in company."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from swarm_nca.engine import CHUNK, Stepper, draws_of, rollout, step, trajectory
from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World

BusyRule = Callable[..., Rule]


def digits(rule: Rule, count: int, size: int = 14, **others: Any) -> World:
    """Small pen strokes with random states."""
    grey = np.asarray(strokes(count, seed=2, size=size).grey)
    return World.from_images(grey, rule, **({"start": "random", "seed": 4} | others))


def looped(world: World, rule: Rule, steps: int, seed: int) -> np.ndarray[Any, Any]:
    """The trajectory's end, cell by cell and slot by slot, everybody reading the step before."""
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
@pytest.mark.parametrize("grid", [Grid(), Grid("von_neumann", torus=True)], ids=str)
def test_it_is_a_loop_over_the_cells(busy_rule: BusyRule, grid: Grid, drop: float) -> None:
    rule = busy_rule(torch.float64, hidden=(12, 10))
    world = digits(rule, 2, size=9, grid=grid, links=Links(drop), keys=[3, 900])
    expected = looped(world, rule, 8, seed=6)
    assert np.abs(expected - world.state.numpy()).max() > 0.1
    np.testing.assert_allclose(rollout(world, rule, 8, seed=6).state, expected, atol=1e-10)


def test_it_is_a_loop_over_the_nodes_of_a_graph(busy_rule: BusyRule) -> None:
    rule = busy_rule(
        torch.float64, classes=Classes.named("l", "r"), slots=6, stimulus_size=2, fire_rate=0.3
    )
    graph = number_slots(nx.random_regular_graph(5, 12, seed=1), slots=6)
    sensed = np.random.default_rng(0).normal(size=(12, 2))
    world = World.from_graph(graph, rule, stimulus=sensed, links=Links(0.2), start="random")
    expected = looped(world, rule, 8, seed=1)
    np.testing.assert_allclose(rollout(world, rule, 8, seed=1).state, expected, atol=1e-10)


def convolved(world: World, rule: Rule, steps: int) -> torch.Tensor:
    """The same by zero-padded convolutions over whole pictures, the dead masked out."""
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
def test_with_all_firing_and_no_noise_it_is_a_dense_convolution(
    busy_rule: BusyRule, steps: int
) -> None:
    rule = busy_rule()
    world = digits(rule, 5)
    after = rollout(world, rule, steps, fire_rate=1.0, noise=0.0)
    expected = convolved(world, rule, steps)
    assert (expected - world.state).abs().max() > 0.05
    torch.testing.assert_close(after.state, expected, atol=1e-4, rtol=0)


def test_company_does_not_matter(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    batch = digits(rule, 64)
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
    young = digits(rule, len(ages), size=8)
    old = [rollout(young[i], rule, age, seed) for i, age in enumerate(ages)]
    together = rollout(World.join(old), rule, 4, seed)
    for i, age in enumerate(ages):
        expected = rollout(young[i], rule, age + 4, seed)
        torch.testing.assert_close(together[i].state, expected.state, atol=1e-10, rtol=0)
        assert together.step[i] == age + 4


@pytest.mark.parametrize("drop", [0.0, 0.3])
def test_a_pause_changes_nothing(busy_rule: BusyRule, drop: float) -> None:
    rule = busy_rule()
    world = digits(rule, 2, links=Links(drop))
    whole = rollout(world, rule, 200, seed=5)
    paused = rollout(rollout(world, rule, 120, seed=5), rule, 80, seed=5)
    assert bool(torch.isfinite(whole.state).all())
    assert torch.equal(whole.state, paused.state)
    assert whole.step.tolist() == paused.step.tolist() == [200, 200]


def test_more_rows_than_are_worked_on_at_once_make_no_difference(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digits(rule, 100)
    assert world.cells * rule.fire_rate > 1.2 * CHUNK
    together = rollout(world, rule, 3)
    apart = World.join([rollout(one, rule, 3) for one in world.split()])
    torch.testing.assert_close(together.state, apart.state, atol=1e-5, rtol=0)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_the_number_of_threads_does_not_matter(
    busy_rule: BusyRule, threads: Callable[[int], None]
) -> None:
    rule, ends = busy_rule(), []
    world = digits(rule, 40)
    for count in (1, 2, 3):
        threads(count)
        ends.append(rollout(world, rule, 20, seed=1).state)
    for end in ends[1:]:
        torch.testing.assert_close(end, ends[0], atol=1e-4, rtol=0)


def test_seeds_give_other_lives_and_the_same_seed_the_same(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digits(rule, 2)
    one, again, other = (rollout(world, rule, 3, seed=s).state for s in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def copied(world: World) -> dict[str, torch.Tensor]:
    fields = ("state", "key", "step", "label", "address", "neighbors", "stimulus")
    return {f: getattr(world, f).clone() for f in fields} | {"grey": world.canvas.grey.clone()}


@pytest.mark.parametrize("gradients", [False, True])
def test_the_world_passed_in_never_changes(busy_rule: BusyRule, gradients: bool) -> None:
    rule = busy_rule().requires_grad_(gradients)
    world = digits(rule, 2, links=Links(0.2))
    before = copied(world)
    stepper = Stepper(world, rule)
    stepper.step()
    stepper.state.fill_(7.0)
    rollout(world, rule, 3)
    list(trajectory(world, rule, 2))
    for name, value in copied(world).items():
        assert torch.equal(value, before[name]), name


def test_cells_that_do_not_fire_do_not_change_at_all(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digits(rule, 3)
    stepper = Stepper(world, rule, seed=8)
    fired = stepper.step()
    changed = (stepper.state != world.state).any(dim=1)
    assert changed.nonzero().view(-1).tolist() == fired.tolist()
    assert 0.3 < len(fired) / world.cells < 0.7


def test_fire_rate_and_noise_override_the_rules(busy_rule: BusyRule) -> None:
    rule = busy_rule(fire_rate=0.3, noise=0.5)
    world = digits(rule, 3)
    assert len(Stepper(world, rule, fire_rate=1.0).step()) == world.cells
    assert torch.equal(rollout(world, rule, 5, fire_rate=0.0).state, world.state)
    assert rollout(world, rule, 5, fire_rate=0.0).step.tolist() == [5] * 3
    quiet = rollout(world, rule, 1, noise=0.0).state
    same_rule = busy_rule(fire_rate=0.3, noise=0.0)
    assert torch.equal(quiet, rollout(world, same_rule, 1).state)
    assert not torch.equal(quiet, rollout(world, rule, 1).state)


def test_a_rollout_with_gradients_goes_through_steps_in_which_nobody_fires(
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


def test_noise_has_the_rules_spread(busy_rule: BusyRule) -> None:
    rule = Mlp(noise=0.02).requires_grad_(False)
    world = digits(rule, 60, start="zeros")
    state = rollout(world, rule, 4, fire_rate=1.0).state
    assert float(state.std()) == pytest.approx(0.02 * 2, rel=0.02)


def test_at_drop_one_every_cell_lives_as_if_alone(busy_rule: BusyRule) -> None:
    rule = busy_rule(torch.float64)
    deaf = tiny_world("###\n#.#", rule, links=Links(drop=1.0))
    deaf = deaf.restarted("random", 2)
    table = torch.full_like(deaf.neighbors, deaf.cells)
    table[:, 4] = torch.arange(deaf.cells)
    graph = World.from_graph(_topology(table), rule, stimulus=deaf.stimulus)
    hermits = graph.with_state(deaf.state)
    one, other = (rollout(w, rule, 5, fire_rate=1.0, noise=0.0) for w in (deaf, hermits))
    assert torch.equal(one.state, other.state)


def _topology(table: torch.Tensor) -> Any:
    from swarm_nca.topologies import Topology

    return Topology(table, tuple(range(len(table))))


def test_links_that_drop_nothing_are_perfect_links(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    perfect, lossless = (digits(rule, 2, links=links) for links in (Links(), Links(drop=0.0)))
    lossy = digits(rule, 2, links=Links(drop=0.2))
    ends = [rollout(world, rule, 5).state for world in (perfect, lossless, lossy)]
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_a_trajectory_is_every_moment_of_a_rollout(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digits(rule, 2)
    moments = list(trajectory(world, rule, 4, seed=2))
    assert [moment.step.tolist() for moment in moments] == [[t, t] for t in (1, 2, 3, 4)]
    one_by_one = world
    for t, moment in enumerate(moments, start=1):
        one_by_one = step(one_by_one, rule, seed=2)
        assert torch.equal(moment.state, one_by_one.state)
        assert torch.equal(moment.state, rollout(world, rule, t, seed=2).state)


def test_damage_to_the_live_buffer_is_heard_at_the_next_step(busy_rule: BusyRule) -> None:
    rule = busy_rule()
    world = digits(rule, 1)
    stepper = Stepper(world, rule, seed=3)
    stepper.step()
    kept = stepper.world()
    stepper.state[: world.cells // 2] = 0.0
    assert bool(kept.state[0].any()), "a world taken from a stepper is safe from further steps"
    damaged = stepper.world()
    stepper.step()
    assert torch.equal(stepper.state, rollout(damaged, rule, 1, seed=3).state)


def test_gradients_flow_to_weights_and_state_and_change_no_number(busy_rule: BusyRule) -> None:
    rule = busy_rule(torch.float64)
    world = digits(rule, 2, links=Links(0.3))
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
    ("wrong", "told"),
    [
        ({"steps": -1}, "steps must be a whole number, 0 or more, got -1"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": 0.5}, "seed must be a whole number"),
        ({"fire_rate": 1.5}, "fire_rate must lie between 0 and 1, got 1.5"),
        ({"noise": -1.0}, "noise is a standard deviation, 0 or more, got -1.0"),
        ({"noise": float("nan")}, "noise"),
    ],
)
def test_what_cannot_be_run_is_refused(
    busy_rule: BusyRule, wrong: dict[str, Any], told: str, gradients: bool
) -> None:
    rule = busy_rule().requires_grad_(gradients)
    world = tiny_world("##", rule)
    with pytest.raises(ValueError, match=told):
        rollout(world, rule, **({"steps": 2} | wrong))
    with pytest.raises(ValueError, match=told):
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


class Keeping(Mlp):
    """A rule that hands out a tensor which it keeps."""

    kind = "keeping"
    always: torch.Tensor

    def change(self, prepared: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        return self.always.expand(len(messages), -1)


def test_what_a_rule_of_ones_own_keeps_is_never_written_to() -> None:
    rule = Keeping(noise=0.5)
    rule.always = torch.zeros(rule.channels)
    world = tiny_world("###", rule)
    moved = rollout(world, rule.requires_grad_(False), 3, fire_rate=1.0).state
    assert not rule.always.any()
    plain = rollout(world, Mlp(noise=0.5).requires_grad_(False), 3, fire_rate=1.0).state
    assert torch.equal(moved, plain)  # an untrained rule changes nothing: both are the noise alone
