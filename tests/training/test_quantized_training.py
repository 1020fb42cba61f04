"""Recipes for quantized rules: they begin as a rule in floats, stay in bounds and go on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from swarm_nca.config import LocatedError, parse
from swarm_nca.rules import Quantized, load_rule, read_rule
from swarm_nca.training import calibration
from swarm_nca.training.checkpoint import weights_of
from swarm_nca.training.command import train
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up

RECIPE = """
name: bits
data: [{dataset: strokes, count: 12}]
held_out: 2
iterations: 2
batch: 2
regime: naive
steps: 2
optimizer: muon
normalize: shares
schedule: {rate: 0.5}
rule: {kind: quantized, hidden: [80, 80], filters: [int2, ternary, int4], scales: both}
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "WORLDS", 4)
    monkeypatch.setattr(calibration, "STEPS", 4)
    monkeypatch.setattr(calibration, "FITS", 4)


def begun(text: str) -> Quantized:
    document = parse(text)
    rule = set_up(document.validate(Recipe), document).rule
    assert isinstance(rule, Quantized)
    return rule


def test_a_rule_begins_as_one_in_floats() -> None:
    digits = load_rule("digits")
    rule = begun(RECIPE.replace("{kind", "{weights: digits, kind"))
    generator = torch.Generator().manual_seed(1)
    stimulus = torch.rand(500, 9, generator=generator)
    silence = torch.zeros(500, 9, digits.channels)
    wanted, found, other = (one(stimulus, silence) for one in (digits, rule, begun(RECIPE)))
    wanted, found, other = (one.detach() - one.detach().mean(0) for one in (wanted, found, other))
    assert (found - wanted).square().mean() < 0.5 * wanted.square().mean()
    assert torch.corrcoef(torch.stack([other.flatten(), wanted.flatten()]))[0, 1] < 0.5


def test_training_keeps_latents_in_bounds_and_saves_bits(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    before = begun(RECIPE)
    assert train(recipe, tmp_path / "run") == 0
    saved, _ = read_rule(tmp_path / "run" / "rule.safetensors")
    held = weights_of(tmp_path / "run" / "checkpoint.safetensors")
    assert saved.hash() != before.hash()
    assert all(float(held[name].abs().max()) == 1.0 for name in before.names)  # rate 0.5 overshoots
    assert (tmp_path / "run" / "rule.safetensors").stat().st_size < 22_000

    onward = begun(RECIPE.replace("{kind", f"{{weights: {tmp_path / 'run'}, kind"))
    assert onward.hash() == saved.hash()
    for name, weight in onward.named_parameters():
        assert torch.equal(weight, held[name]), name
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"")
    with pytest.raises(LocatedError, match="not a readable checkpoint"):
        begun(RECIPE.replace("{kind", f"{{weights: {tmp_path / 'run'}, kind"))


def test_a_second_training_with_another_reach_begins_with_the_same_bits(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    assert train(recipe, tmp_path / "run") == 0
    saved, _ = read_rule(tmp_path / "run" / "rule.safetensors")
    onward = begun(RECIPE.replace("{kind", f"{{weights: {tmp_path / 'run'}, reach: 50, kind"))
    assert onward.reach == 50.0
    for name, held in onward.stored().items():
        assert torch.equal(held, saved.stored()[name]), name


def test_another_neighborhood_is_refused_with_its_place() -> None:
    given = RECIPE.replace("{kind", "{weights: digits, neighborhood: von_neumann, kind")
    with pytest.raises(LocatedError, match=r":12:.*neighborhood is moore: set rule.neighborhood"):
        begun(given)


def test_sizes_that_do_not_fit_are_refused_with_their_place() -> None:
    with pytest.raises(LocatedError, match=r":12:.*its layers have 80, 80, 19 units: set"):
        begun(RECIPE.replace("{kind", "{weights: digits, kind").replace("[80, 80]", "[80, 90]"))
