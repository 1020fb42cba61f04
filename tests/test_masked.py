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
from swarm_nca.engine import Backend, Stepper, check_device, stepper
from swarm_nca.engine.away import Away
from swarm_nca.engine.masked import MaskedStepper
from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.perturbations import (
    Damage,
    Draw,
    Freeze,
    Immigrants,
    Kill,
    Liar,
    Perturbation,
    Restart,
    Set,
    Silence,
    Stuck,
)
from swarm_nca.rules import Classes, Mlp, Rule, make_rule
from swarm_nca.scenario import load
from swarm_nca.simulation import Planned, Simulation
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


def growing_seed() -> tuple[World, Rule]:
    rule = Mlp.growing(generator=torch.Generator().manual_seed(1)).requires_grad_(False).double()
    rule.output.normal_(0, 0.1, generator=torch.Generator().manual_seed(2))
    seed = torch.zeros(1, 9, 9)
    seed[0, 3:6, 3:6] = 1.0
    return World.from_images(seed, rule), rule


def soup() -> tuple[World, Rule]:
    life = make_rule(kind="life", rule="B3/S23")
    board = (torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(3)) < 0.4).float()
    return World.from_images(board, life), life


def bits(**settings: Any) -> tuple[World, Rule]:
    rule = make_rule(kind="quantized", hidden=(12, 10), **settings)
    rule = rule.requires_grad_(False).double()
    return World.from_images(strokes(2, seed=1).grey, rule, start="random"), rule


FAMILIES: dict[str, Callable[[], tuple[World, Rule]]] = {
    "growing": growing_seed,
    "life": soup,
    "quantized": bits,
    "quantized inputs": lambda: bits(hearing="dyadic6", inputs=("int4", "uint4", "uint4")),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_so_they_do_for_rules_of_other_kinds(name: str) -> None:
    world, rule = FAMILIES[name]()
    same_course(world, rule)
    every = MaskedStepper(world, rule, 7)
    with NoWait():  # type: ignore[no-untyped-call]
        for _ in range(9):
            every.step()


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
    changes: dict[str, dict[str, Any]] = {
        "last heard": {"links": Links(0.2, on_loss="last")},
        "one rule": {"guests": (rule,)},
    }
    for reason, change in changes.items():
        assert reason in str(MaskedStepper.refuses(replace(away, **change), rule, 0.5, 0.0))
        with pytest.raises(ValueError, match=rf"{reason}.*use Stepper"):
            MaskedStepper(replace(world, **change), rule)


def busy_plan(guest: Rule) -> Planned:
    """Changes of all kinds between steps 2 and 7."""
    changes: list[Perturbation] = [
        Set(links=Links(0.2, delay=(0, 3))),
        Damage(shape="disc", center=(1, 1), radius=1),
        Immigrants(rule=guest, share=0.5),
        Set(links=Links(0.3, on_loss="last")),
        Draw(points=[(0, 0)], radius=1),
        Restart(start="random"),
    ]
    return Planned([(2 + number, change) for number, change in enumerate(changes)])


def test_a_run_on_a_device_goes_the_course_of_one_here(busy_rule: BusyRule, device: str) -> None:
    rule, guest = rule_of(busy_rule), rule_of(busy_rule, strength=0.5)
    there: list[Backend] = []

    def away(world: World, rule: Rule, seed: int) -> Backend:
        there.append(Away(world, rule, device, partial(stepper, seed=seed)))
        return there[-1]

    one, other = (
        Simulation(worlds_of(rule), rule, 7, busy_plan(guest), make) for make in (None, away)
    )
    for _ in range(12):
        here, moved = one.advance(), other.advance()
        assert moved.world.state.device == torch.device("cpu")
        torch.testing.assert_close(moved.world.state, here.world.state, rtol=0, atol=1e-9)
        assert torch.equal(one.fired, other.fired)
    assert len(there) == 7
    assert rule.get_parameter("perception").device == torch.device("cpu")


def test_evaluations_and_runs_pass_their_device_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Here(Away):
        def __init__(self, world: World, rule: Rule, device: str, make: Any) -> None:
            asked.append(device)
            super().__init__(world, rule, "cpu", make)

    monkeypatch.setattr("swarm_nca.engine.backends.Away", Here)
    for module in ("scenario.runner", "cli.evaluate_command"):
        monkeypatch.setattr(f"swarm_nca.{module}.check_device", lambda device: None)
    here, there = (
        evaluate_command("digits", "strokes", limit=4, steps=30, every=30, device=device)
        for device in ("cpu", "cuda")
    )
    assert here.curve == there.curve
    assert asked == ["cuda"]
    one, other = (
        sn.run("seven-becomes-two", overrides=[f"device={device}", *SHORT])
        for device in ("cpu", "cuda")
    )
    assert torch.equal(one.frames[-1].world.state, other.frames[-1].world.state)
    assert asked == ["cuda"] * 2


@pytest.mark.parametrize("name", ["gpu", "", "mps", "meta", "cuda:x", "cuda:99"])
def test_other_devices_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"device must be cpu|finds"):
        check_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_an_error_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(LocatedError, match="device: torch finds no GPU: choose device cpu"):
        sn.run("seven-becomes-two", tmp_path / "run", overrides=["device=cuda"])
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="torch finds no GPU: choose device cpu"):
        evaluate_command("digits", "strokes", limit=2, device="cuda")


def test_agents_are_stepped_on_the_cpu() -> None:
    with pytest.raises(LocatedError, match="engine: agents has device: cpu, got cuda"):
        load("seven-becomes-two", overrides=["device=cuda", "engine=agents"])
