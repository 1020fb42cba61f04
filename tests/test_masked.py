"""Masked steps, which a GPU takes: the same trajectories, and no wait; cells on another device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import swarm_nca as sn
from swarm_nca.cli.evaluate_command import evaluate_command
from swarm_nca.config import LocatedError
from swarm_nca.engine import Stepper, stepper
from swarm_nca.engine.away import Away
from swarm_nca.engine.masked import MaskedStepper
from swarm_nca.links import Links
from swarm_nca.measure import evaluate
from swarm_nca.perturbations import Freeze, Kill, Liar, Silence, Stuck
from swarm_nca.rules import Classes, Mlp, Rule, make_rule
from swarm_nca.scenario import load
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World

BusyRule = Callable[..., Rule]

#: What makes a processor wait for a GPU: the size or the value of a result.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique", "bincount", "is_nonzero")


#: Changes of a scenario.
SHORT = ("steps=30", "expect=[]", "perturbations=[]")


class Waits(Exception):
    """Raised by `NoWait`."""


class NoWait(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Fails at an operation that waits for the device."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = str(func)
        places = args[1] if name.startswith("aten.index.") else ()
        masked = any(place is not None and place.dtype == torch.bool for place in places)
        if masked or any(word in name for word in WAITING):
            raise Waits(name)
        return func(*args, **(kwargs or {}))


def rule_of(busy_rule: BusyRule, **changes: Any) -> Rule:
    settings: dict[str, Any] = {"hidden": (7, 6), "free_channels": 2, "strength": 0.3}
    return busy_rule(torch.float64, classes=Classes.named("a", "b"), **(settings | changes))


def worlds_of(rule: Rule, **changes: Any) -> World:
    first = tiny_world(".##.\n##.#\n#.3#", rule, key=5, **changes).restarted("random", 1)
    second = tiny_world("###\n#.#\n###", rule, key=9, **changes).restarted("random", 2)
    return World.join([first, second])


CHANGES: dict[str, Callable[[World], World]] = {
    "sound": lambda world: world,
    "lossy": lambda world: replace(world, links=Links(0.3)),
    "late": lambda world: replace(world, links=Links(0.2, delay=(0, 3))),
    "rounded": lambda world: replace(world, links=Links(bits=3)),
    "stuck": Stuck(share=0.4),
    "lying": Liar(share=0.4),
    "frozen": Freeze(share=0.4),
    "silent": Silence(share=0.4),
    "dead": Kill(share=0.3),
    "other rates": lambda world: replace(world, fire_rate=0.9, noise=0.2),
    "all at once": lambda world: replace(world, fire_rate=1.0),
    "at other steps": lambda world: World.join([world[0], world[1].with_state(world[1].state, 3)]),
}


def same_course(world: World, rule: Rule, steps: int = 9, **others: Any) -> None:
    """Compare the masked steps of a world with those of the firing cells."""
    some = Stepper(world, rule, 7, compile_kernel=False, **others)
    every = MaskedStepper(world, rule, 7, **others)
    for _ in range(steps):
        some.step()
        every.step()
        assert torch.equal(some.fired, every.fired)
    assert not torch.equal(some.state, world.state)
    torch.testing.assert_close(every.state, some.state, rtol=0, atol=1e-12)
    one, other = some.world(), every.world()
    assert torch.equal(one.step, other.step)
    assert one.cell_fields.keys() == other.cell_fields.keys()
    for name, value in one.cell_fields.items():
        torch.testing.assert_close(other.cell_fields[name], value, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CHANGES)
def test_masked_steps_equal_those_of_the_firing_cells(busy_rule: BusyRule, name: str) -> None:
    rule = rule_of(busy_rule)
    same_course(CHANGES[name](worlds_of(rule)), rule)


@pytest.mark.parametrize("grid", [Grid("hexagonal"), Grid(torus=True)], ids=str)
def test_so_they_do_on_other_grids(busy_rule: BusyRule, grid: Grid) -> None:
    rule = rule_of(busy_rule)
    same_course(worlds_of(rule, grid=grid), rule)


def test_so_they_do_on_a_graph(busy_rule: BusyRule) -> None:
    rule = rule_of(busy_rule, slots=6, stimulus_size=2)
    graph = number_slots(nx.random_regular_graph(5, 12, seed=1), slots=6)
    same_course(World.from_graph(graph, rule, stimulus=torch.rand(12, 2), start="random"), rule)


def test_so_they_do_for_rules_of_other_kinds(busy_rule: BusyRule) -> None:
    growing = Mlp.growing(generator=torch.Generator().manual_seed(1)).requires_grad_(False).double()
    growing.output.normal_(0, 0.1, generator=torch.Generator().manual_seed(2))
    seed = torch.zeros(1, 9, 9)
    seed[0, 3:6, 3:6] = 1.0
    same_course(World.from_images(seed, growing), growing)
    life = make_rule(kind="life", rule="B3/S23")
    soup = (torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(3)) < 0.4).float()
    same_course(World.from_images(soup, life), life)
    bits = make_rule(kind="quantized", hidden=(12, 10)).requires_grad_(False).double()
    same_course(worlds_of(bits), bits)


def test_so_they_do_in_several_pieces(busy_rule: BusyRule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swarm_nca.engine.masked.PIECE", 5)
    rule = rule_of(busy_rule)
    same_course(worlds_of(rule), rule)


def test_states_that_run_away_do_not_reach_cells_that_do_not_fire(busy_rule: BusyRule) -> None:
    rule = rule_of(busy_rule, strength=1e200)
    world = worlds_of(rule)
    every = MaskedStepper(world, rule, 7)
    every.step()
    waiting = torch.ones(world.cells, dtype=torch.bool).index_fill(0, every.fired, False)
    assert not every.state.isfinite().all()
    assert torch.equal(every.state[waiting], world.state[waiting])


@pytest.mark.parametrize("name", CHANGES)
def test_no_step_waits_for_its_result(busy_rule: BusyRule, name: str) -> None:
    rule = rule_of(busy_rule)
    every = MaskedStepper(CHANGES[name](worlds_of(rule)), rule, 7)
    with NoWait():  # type: ignore[no-untyped-call]
        for _ in range(9):
            every.step()


def test_choosing_the_firing_cells_waits(busy_rule: BusyRule) -> None:
    rule = rule_of(busy_rule)
    some, every = (kind(worlds_of(rule), rule, 7) for kind in (Stepper, MaskedStepper))
    for waits in (some.step, lambda: every.fired):
        with pytest.raises(Waits, match="nonzero"), NoWait():  # type: ignore[no-untyped-call]
            waits()


def test_immigrants_and_kept_messages_are_left_to_other_backends(busy_rule: BusyRule) -> None:
    rule = rule_of(busy_rule)
    world = worlds_of(rule)
    away = replace(world, state=world.state.to("meta"))
    assert MaskedStepper.refuses(away, rule, 0.5, 0.0) is None
    assert "CPU" in str(MaskedStepper.refuses(world, rule, 0.5, 0.0))
    kept = replace(away, links=Links(0.2, on_loss="last"))
    assert "last heard" in str(MaskedStepper.refuses(kept, rule, 0.5, 0.0))
    guests = replace(away, guests=(rule,))
    assert "one rule" in str(MaskedStepper.refuses(guests, rule, 0.5, 0.0))


def test_cells_on_a_device_go_the_course_of_those_here(busy_rule: BusyRule, device: str) -> None:
    rule = rule_of(busy_rule)
    world = CHANGES["late"](worlds_of(rule))
    here, there = stepper(world, rule, 7), Away(world, rule, device, partial(stepper, seed=7))
    for _ in range(5):
        here.step()
        there.step()
    assert torch.equal(here.fired, there.fired)
    one, other = here.world(), there.world()
    assert rule.perception.device == other.state.device == torch.device("cpu")
    torch.testing.assert_close(other.state, one.state, rtol=0, atol=1e-9)
    # What is in flight comes back too: the course goes on from there.
    torch.testing.assert_close(
        sn.rollout(other, rule, 5, 7).state, sn.rollout(one, rule, 5, 7).state, rtol=0, atol=1e-9
    )


def test_evaluations_and_runs_take_a_device(device: str) -> None:
    pictures = sn.images.strokes(4, seed=1)
    rule = sn.load_rule("digits")
    here = evaluate(rule, pictures, steps=60, every=20)
    there = evaluate(rule, pictures, steps=60, every=20, device=device)
    assert here.curve[-1]["cell_accuracy"] == pytest.approx(
        there.curve[-1]["cell_accuracy"], abs=0.02
    )
    run = sn.run("seven-becomes-two", overrides=[f"device={device}", *SHORT])
    assert run.metrics["step"].max() == 30


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_an_error_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(LocatedError, match="device: torch finds no GPU: choose device cpu"):
        load("seven-becomes-two", overrides=["device=cuda"])
    with pytest.raises(ValueError, match="torch finds no GPU: choose device cpu"):
        evaluate_command("digits", "strokes", limit=2, device="cuda")


def test_agents_are_stepped_on_the_cpu() -> None:
    with pytest.raises(LocatedError, match="engine: agents has device: cpu, got cuda"):
        load("seven-becomes-two", overrides=["device=cuda", "engine=agents"])
