"""Steps of a function compiled for the rule equal those of torch up to rounding."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from swarm_nca.engine import Stepper
from swarm_nca.images import strokes
from swarm_nca.kernels.compiled import Kernel
from swarm_nca.kernels.library import fits
from swarm_nca.links import Links
from swarm_nca.perturbations import Immigrants, Liar, Silence
from swarm_nca.randomness import normal_rows
from swarm_nca.rules import Mlp, Rule
from swarm_nca.threads import threads
from swarm_nca.topologies import Grid
from swarm_nca.world import World

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

BusyRule = Callable[..., Rule]


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    ("sensed", "slots", "channels", "outputs"),
    [
        (9, 9, 20, [80, 80, 20]),
        (4, 5, 3, [1, 3]),
        (0, 2, 7, [7]),
        (1, 3, 6, [33, 16, 97, 6]),
    ],
)
def test_answers_equal_products_in_float64(
    sensed: int, slots: int, channels: int, outputs: list[int], dtype: torch.dtype
) -> None:
    if not fits(dtype):
        assert dtype == torch.bfloat16
        return
    for cells in (0, 1, 5, 6, 7, 16, 17, 50):
        check_answers(slots, channels, outputs, dtype, cells, sensed)


def check_answers(
    slots: int, channels: int, outputs: list[int], dtype: torch.dtype, cells: int, sensed: int
) -> None:
    inputs = [slots * channels + sensed, *outputs]
    shapes = list(zip(inputs, outputs, strict=False))
    # Rounded first: the products of rounded factors are exact, and their sums are not rounded.
    layers = [
        ((drawn(i, o, seed=o) / i**0.5).to(dtype), drawn(o, seed=o + 1).to(dtype))
        for i, o in shapes
    ]
    bank, stimulus = drawn(40, channels).to(dtype), drawn(60, sensed, seed=2).to(dtype)
    generator = torch.Generator().manual_seed(3)
    table = torch.randint(0, 40, (cells, slots), generator=generator)
    rows = torch.randperm(60, generator=generator)[:cells]
    offsets = torch.arange(cells)

    given = torch.cat([stimulus[rows], bank[table].flatten(1)], 1)
    values = given.double() @ layers[0][0].double() + layers[0][1].double()
    for weight, bias in layers[1:]:
        values = functional.relu(values).to(dtype).double() @ weight.double() + bias.double()
    change = torch.empty(cells, channels)
    kernel = Kernel(layers, slots, channels, stimulus)
    kernel.answers(bank, table, rows, change)
    # A sum near the middle between two bfloat16 numbers may be rounded to the other one.
    near = 1e-4 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(change.double(), values, rtol=1e-4, atol=near)
    kernel.answers(bank, table, rows, change, noise=0.5, offsets=offsets)
    noise = normal_rows(offsets, channels, torch.float32)
    torch.testing.assert_close(change.double(), values + 0.5 * noise, rtol=1e-4, atol=near)
    of_all = torch.zeros(60, slots, dtype=torch.int64)
    of_all[rows] = table
    again = torch.empty_like(change)
    kernel.answers(bank, of_all, rows, again, of_all=True)
    kernel.answers(bank, table, rows, change)
    assert torch.equal(again, change)


def test_a_value_that_is_no_number_stays_one() -> None:
    layers = [(drawn(4, 8), torch.zeros(8)), (drawn(8, 2), torch.zeros(2))]
    bank = torch.tensor([[1.0, 2.0], [float("nan"), 0.0]])
    change, rows = torch.empty(2, 2), torch.arange(2)
    Kernel(layers, 2, 2, torch.zeros(2, 0)).answers(bank, rows[:, None].expand(2, 2), rows, change)
    assert change.isfinite().all(1).tolist() == [True, False]


def test_in_a_block_only_cells_that_hear_no_number_have_none() -> None:
    layers = [(drawn(i, o, seed=o), drawn(o)) for i, o in ((2, 16), (16, 16), (16, 97), (97, 2))]
    bank, rows = drawn(60, 2), torch.arange(60)
    bank[3] = float("nan")
    for dtype in (torch.float32, torch.bfloat16):
        if fits(dtype):
            short = [(weight.to(dtype), bias.to(dtype)) for weight, bias in layers]
            change = torch.empty(60, 2)
            Kernel(short, 1, 2, torch.zeros(60, 0, dtype=dtype)).answers(
                bank.to(dtype), rows[:, None], rows, change
            )
            assert change.isfinite().all(1).logical_not().nonzero().view(-1).tolist() == [3]


def digits(rule: Rule, count: int = 6, grid: Grid | None = None) -> World:
    pictures = strokes(count, seed=2)
    grid = grid or Grid()
    return World.from_images(pictures.grey, rule, labels=pictures.labels, grid=grid)


def states(
    world: World,
    rule: Rule,
    compile_kernel: bool,
    count: int = 1,
    precision: str | None = None,
) -> torch.Tensor:
    with threads(count):
        stepper = Stepper(world, rule, 3, compile_kernel=compile_kernel, precision=precision)
        for _ in range(8):
            stepper.step()
    return stepper.world().state


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world,
        lambda world: replace(world, links=Links(drop=0.3)),
        lambda world: replace(world, links=Links(drop=0.3, on_loss="last")),
        lambda world: replace(world, links=Links(delay=(0, 2), bits=8)),
        Silence(share=0.2),
        Liar(share=0.1),
        Immigrants(share=0.4, rule=Mlp(hidden=(9,), generator=torch.Generator().manual_seed(1))),
    ],
    ids=["sound", "lost", "last heard", "late and rounded", "silent", "lying", "two rules"],
)
def test_compiled_steps_equal_those_of_torch(
    busy_rule: BusyRule, change: Callable[[World], World]
) -> None:
    rule = busy_rule(torch.float32, hidden=(12, 10))
    world = change(digits(rule))
    ours, theirs = states(world, rule, True), states(world, rule, False)
    assert bool(theirs.any())
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("neighborhood", ["von_neumann", "hexagonal"])
def test_compiled_steps_on_other_grids_equal_those_of_torch(
    busy_rule: BusyRule, neighborhood: str
) -> None:
    rule = busy_rule(torch.float32, hidden=(12, 10))
    world = digits(rule, grid=Grid(neighborhood))
    torch.testing.assert_close(
        states(world, rule, True), states(world, rule, False), rtol=1e-3, atol=1e-4
    )


def test_compiled_steps_of_filtered_messages_and_a_stimulus_equal_those_of_torch() -> None:
    rule = Mlp(hearing="sobel", hidden=(12, 10), noise=0.0, stimulus_size=9)
    generator = torch.Generator().manual_seed(4)
    for weight in rule.requires_grad_(False).parameters():
        weight.normal_(std=0.2, generator=generator)
    world = digits(rule)
    assert bool(world.stimulus.any())
    ours, theirs = states(world, rule, True), states(world, rule, False)
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("strides", ["columns first", "one for all cells"])
def test_a_stimulus_may_lie_in_memory_in_any_order(busy_rule: BusyRule, strides: str) -> None:
    rule = busy_rule(torch.float32, hidden=(12, 10))
    world = digits(rule)
    stimulus = world.stimulus.t().contiguous().t()
    if strides == "one for all cells":
        stimulus = stimulus[5:6].expand(world.cells, -1)
    assert not stimulus.is_contiguous()
    world = replace(world, stimulus=stimulus)
    ours, theirs = states(world, rule, True), states(world, rule, False)
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_weights_for_another_stimulus_are_refused() -> None:
    layers = [(drawn(7, 3), drawn(3))]
    with pytest.raises(ValueError, match=r"needs 2 rows for the stimulus and 6 .*; got 7 rows"):
        Kernel(layers, 3, 2, drawn(4, 2))
    with pytest.raises(ValueError, match=r"of torch.float64; got 8 rows of torch.float32"):
        Kernel([(drawn(8, 3), drawn(3))], 3, 2, drawn(4, 2).double())


def test_cells_that_are_born_and_die_do_so_in_compiled_steps() -> None:
    rule = Mlp.growing(generator=torch.Generator().manual_seed(5)).requires_grad_(False)
    rule.output.normal_(std=0.1, generator=torch.Generator().manual_seed(6))
    grey = np.zeros((1, 20, 20), np.float32)
    grey[0, 10, 10] = 1.0
    world = World.from_images(grey, rule)
    ours, theirs = states(world, rule, True), states(world, rule, False)
    assert 1 < int((theirs != 0).any(1).sum()) < 400
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_copy_of_a_compiled_stepper_takes_the_same_steps(busy_rule: BusyRule) -> None:
    stepper = Stepper(
        digits(busy_rule(torch.float32)), busy_rule(torch.float32), compile_kernel=True
    )
    twin = copy.deepcopy(stepper)
    for each in (stepper, twin):
        each.step()
    assert torch.equal(stepper.state, twin.state)


def test_noise_for_more_channels_than_deviates_is_refused() -> None:
    rule = Mlp(free_channels=300, hidden=(4,), noise=0.0).requires_grad_(False)
    with pytest.raises(ValueError, match="noise serves at most 256 channels, got 310"):
        Stepper(digits(rule), rule, noise=0.1, compile_kernel=True)


def test_the_number_of_threads_does_not_change_compiled_steps(busy_rule: BusyRule) -> None:
    rule = busy_rule(torch.float32, hidden=(12, 10))
    world = digits(rule, 90)
    assert torch.equal(states(world, rule, True), states(world, rule, True, count=3))


def test_in_bfloat16_compiled_steps_lie_as_near_to_float32_as_those_of_torch(
    busy_rule: BusyRule,
) -> None:
    rule = busy_rule(torch.float32, hidden=(12, 10))
    world = digits(rule)
    exact, theirs = states(world, rule, False), states(world, rule, False, precision="bfloat16")
    ours = states(world, rule, True, precision="bfloat16")
    # A processor without bfloat16 units takes the steps of torch.
    assert torch.equal(ours, theirs) == (not fits(torch.bfloat16))
    assert 0 < float((ours - exact).norm()) <= 1.5 * float((theirs - exact).norm())
    # Both use the same registers of a thread, in turn.
    assert torch.equal(theirs, states(world, rule, False, precision="bfloat16"))
    assert torch.equal(ours, states(world, rule, True, precision="bfloat16"))


CODE = """
import torch, swarm_nca as sn
from swarm_nca.engine import Stepper
rule, pictures = sn.load_rule("digits"), sn.images.strokes(2)
world = sn.World.from_images(pictures.grey, rule, labels=pictures.labels)
for chosen in (None, True, False):
    stepper = Stepper(world, rule, compile_kernel=chosen)
    for _ in range(20):
        stepper.step()
    print(stepper.state.double().sum().item())
"""


def test_the_environment_asks_for_compiled_steps() -> None:
    variables = os.environ | {"SWARM_NCA_PRODUCTS": "compiled"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    asked, compiled, plain = map(float, done.stdout.split())
    assert asked == compiled != plain, "the sums have another order"
    assert asked == pytest.approx(plain, rel=1e-3)


def test_without_a_compiler_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(FileNotFoundError, match=r"found no C compiler .*: install one"):
        Kernel([(drawn(2, 3), drawn(3))], slots=1, channels=2, stimulus=drawn(1, 0))
