"""The ONNX export takes the steps that the engine takes, in another runtime."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from typer.testing import CliRunner

import swarm_nca as sn
from swarm_nca.cli import app
from swarm_nca.engine import draws_of
from swarm_nca.export.onnx_step import model
from swarm_nca.rules import Mlp


def test_steps_with_handed_in_draws_are_the_engines_for_worlds_of_any_size() -> None:
    rule = sn.load_rule("digits")
    session = onnxruntime.InferenceSession(model(rule, "digits"))
    for count in (1, 3):
        pictures = sn.images.strokes(count, seed=5)
        world = sn.World.from_images(pictures.grey, rule)
        draws, state = draws_of(world, 7), world.state.numpy()
        for step in range(40):
            fired, fires = draws.fires(step, rule.fire_rate), np.zeros(world.cells, bool)
            fires[fired] = True
            noise = np.zeros_like(state)
            normals = draws.normals(step, fired, rule.channels, torch.float32)
            noise[fired] = rule.noise * normals.numpy()
            given = {
                "state": state,
                "stimulus": world.stimulus.numpy(),
                "neighbors": world.neighbors.numpy(),
                "fires": fires,
                "noise": noise,
            }
            (state,) = session.run(None, given)
        expected = sn.rollout(world, rule, 40, seed=7)
        assert np.abs(state - expected.state.numpy()).max() < 1e-4


def test_the_command_writes_a_model_that_names_its_rule(tmp_path: Path) -> None:
    out = tmp_path / "digits.onnx"
    said = CliRunner().invoke(app, ["export", "digits", "--to", "onnx", "--out", str(out)])
    assert said.exit_code == 0, said.output
    facts = onnxruntime.InferenceSession(str(out)).get_modelmeta().custom_metadata_map
    assert facts["rule"] == sn.load_rule("digits").hash()
    assert float(facts["fire_rate"]) == 0.5


def test_the_same_rule_gives_the_same_bytes() -> None:
    rule = sn.load_rule("digits")
    assert model(rule, "digits") == model(rule, "digits")


def test_rules_of_another_form_are_refused() -> None:
    for rule in (sn.make_rule(kind="life", rule="B3/S23"), Mlp.growing()):
        with pytest.raises(ValueError, match="have another form"):
            model(rule, "rule")
    with pytest.raises(ValueError, match="holds float32 weights, not float16"):
        model(sn.load_rule("digits"), "digits", precision="float16")


def test_without_the_package_the_message_has_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match=r'pip install "swarm-nca\[onnx\]"'):
        model(sn.load_rule("digits"), "digits")
