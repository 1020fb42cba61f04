"""The C export compiles without a warning and computes what the engine computes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import swarm_nca as sn
from swarm_nca.cli import app
from swarm_nca.engine import draws_of
from swarm_nca.export import c
from swarm_nca.rules import Classes, Mlp, Quantized, Rule

COMPILER = shutil.which("gcc") or shutil.which("cc")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2")

#: A machine without a compiler can only look at the text.
compiled = pytest.mark.skipif(COMPILER is None, reason="no C compiler")

Vector = ctypes.POINTER(ctypes.c_float)


def library(rule: Rule, name: str, folder: Path) -> ctypes.CDLL:
    """A shared library of the exported rule."""
    (folder / f"{name}.c").write_bytes(c.source(rule, name))
    (folder / f"{name}.h").write_bytes(c.header(rule, name))
    target = folder / f"{name}.so"
    assert COMPILER
    command = [COMPILER, *STRICT, "-shared", "-fPIC", "-o", str(target), str(folder / f"{name}.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return ctypes.CDLL(str(target))


def pointer(values: np.ndarray) -> object:
    assert values.dtype == np.float32
    assert values.flags.c_contiguous
    return values.ctypes.data_as(Vector)


def changes(
    function: Callable[..., None], stimulus: torch.Tensor, heard: torch.Tensor
) -> np.ndarray:
    """[M, C], cell after cell."""
    rows = np.empty((len(heard), heard.shape[-1]), np.float32)
    sensed, messages = stimulus.numpy(), heard.numpy()
    for n in range(len(rows)):
        function(pointer(sensed[n]), pointer(messages[n]), pointer(rows[n]))
    return rows


RULES: dict[str, Callable[[], Rule]] = {
    "mnist": lambda: sn.load_rule("mnist"),
    "ring": lambda: busy(Mlp(hearing="ring", hidden=(20, 30, 12), free_channels=3)),
    "growing": lambda: busy(Mlp.growing(), 0.05),
    "bits": lambda: in_bits(filters=("ste_sign", "ternary", "int5"), scales="both"),
    "planes": lambda: in_bits(filters="ste_sign", scales="both", planes=(3, 1, 2)),
    "turned": lambda: in_bits(filters="ternary", planes=2, hearing="dyadic"),
    "counted": lambda: in_bits(
        filters=("ste_sign", "ternary", "int4"), planes=(3, 2, 1), inputs=("int4", "uint3", "int2")
    ),
    "binary": lambda: in_bits(
        filters="ste_sign", inputs=("ste_sign", "ste_heaviside", "uint1"), stimulus_size=0, slots=4
    ),
    "directions": lambda: in_bits(filters=("int8", "float"), hidden=(12,), hearing="dyadic"),
    "plain": lambda: in_bits(
        filters="ste_heaviside", scales="none", bias=False, stimulus_size=0, slots=4
    ),
    "graph": lambda: busy(Mlp(slots=4, stimulus_size=0, hidden=(16,), free_channels=2)),
}


def in_bits(**settings: Any) -> Rule:
    """A quantized rule with random biases."""
    generator = torch.Generator().manual_seed(6)
    rule = Quantized(**{"hidden": (20, 13), "free_channels": 3} | settings, generator=generator)
    for name, weight in rule.named_parameters():
        if name.endswith(("_bias", "_gain")):
            torch.nn.init.normal_(weight, std=0.3, generator=generator)
    return rule.requires_grad_(False)


def busy(rule: Mlp, strength: float = 0.2) -> Mlp:
    """The rule with random weights in every layer."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in rule.parameters():
            weight.normal_(std=strength, generator=generator)
    return rule.requires_grad_(False)


@compiled
@pytest.mark.parametrize("name", RULES)
def test_ten_thousand_random_inputs_give_the_changes_of_the_rule(name: str, tmp_path: Path) -> None:
    rule = RULES[name]()
    built = library(rule, name, tmp_path)
    generator = torch.Generator().manual_seed(1)
    stimulus = torch.rand(10_000, rule.stimulus_size, generator=generator)
    heard = torch.randn(10_000, rule.slots, rule.channels, generator=generator)
    expected = rule(stimulus, heard).numpy()
    found = changes(getattr(built, f"{name}_change"), stimulus, heard)
    assert np.abs(found - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())


@compiled
def test_two_hundred_steps_of_a_digit_are_the_engines(tmp_path: Path) -> None:
    rule, pictures = sn.load_rule("mnist"), sn.images.strokes(1, seed=5, label=3)
    world = sn.World.from_images(pictures.grey, rule, labels=pictures.labels)
    built = library(rule, "mnist", tmp_path)
    draws, state = draws_of(world, 7), world.state.clone()
    for step in range(200):
        fired = draws.fires(step, rule.fire_rate)
        padded = torch.cat([state, torch.zeros(1, rule.channels)])
        heard = padded[world.neighbors[fired]]
        state[fired] += torch.from_numpy(changes(built.mnist_change, world.stimulus[fired], heard))
    expected = sn.rollout(world, rule, 200, seed=7, noise=0.0)
    assert (state - expected.state).abs().max() < 1e-3
    says = [built.mnist_decide(pointer(row)) for row in state.numpy()]
    assert says == expected.state[:, rule.classes.channels(rule.channels)].argmax(1).tolist()
    assert set(says) == {3}


@compiled
def test_a_cell_below_the_threshold_is_undecided(tmp_path: Path) -> None:
    rule = busy(
        Mlp(Classes(('a "b"', "ü\\"), ((9, 9, 9), (1, 1, 1))), free_channels=2, undecided_below=0.5)
    )
    built = library(rule, "two", tmp_path)
    for votes, says in (((0.4, 0.1), -1), ((0.4, 0.6), 1), ((0.7, 0.7), 0)):
        assert built.two_decide(pointer(np.array([9, 9, *votes], np.float32))) == says
    names = (ctypes.c_char_p * 2).in_dll(built, "two_class_names")
    assert [name.decode() for name in names] == ['a "b"', "ü\\"]


def test_the_source_says_what_memory_it_needs() -> None:
    text = c.source(sn.load_rule("mnist"), "mnist").decode()
    assert "Constants: 89976 bytes. Scratch on the stack: " in text
    assert int(text.split("stack: ")[1].split()[0]) <= 1024
    assert "malloc" not in text
    assert "#include <" not in text


def test_the_command_writes_source_and_header(tmp_path: Path) -> None:
    out = tmp_path / "my-rule.c"
    said = CliRunner().invoke(app, ["export", "digits", "--to", "c", "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert '#include "my-rule.h"' in out.read_text()
    assert "void my_rule_change(" in (tmp_path / "my-rule.h").read_text()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["my-rule.c", "my-rule.h"]


@pytest.mark.parametrize(
    ("rule", "precision", "said"),
    [
        (lambda: sn.make_rule(kind="life", rule="B3/S23"), "float32", "replace it"),
        (lambda: sn.load_rule("digits"), "float16", "holds float32 weights, not float16"),
    ],
)
def test_what_has_no_c_form_is_refused(rule: Callable[[], Rule], precision: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        c.source(rule(), "rule", precision=precision)  # type: ignore[arg-type]


def test_the_header_tells_the_grid_and_the_births_that_the_caller_must_heed() -> None:
    plain = c.header(sn.load_rule("digits"), "digits").decode()
    assert "grid" not in plain
    assert "ALIVE" not in plain
    four = c.header(sn.load_rule("digits-4"), "four").decode()
    assert "The grid is von_neumann. Neighbours are in slots" in four
    assert "1 3 4 5 7." in four
    growing = c.header(sn.load_rule("growing-grow"), "flower").decode()
    assert "#define FLOWER_ALIVE_ABOVE 1.00000000e-01f" in growing
    assert "set the states of those cells to 0" in growing


@compiled
def test_a_file_may_have_a_name_in_any_letters(tmp_path: Path) -> None:
    library(sn.load_rule("digits"), "größe", tmp_path)
