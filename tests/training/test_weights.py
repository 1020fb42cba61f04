"""A recipe may start from the weights of a rule of the same kind and sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from swarm_nca.config import LocatedError, parse
from swarm_nca.rules import Mlp, load_rule, read_rule, save_rule
from swarm_nca.training.command import train
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up

RECIPE = """
name: further
data: [{dataset: strokes, count: 12}]
held_out: 2
iterations: 1
batch: 2
regime: naive
steps: 2
rule: {weights: digits}
"""


def test_training_starts_from_the_named_weights_and_the_card_has_their_hash(
    tmp_path: Path,
) -> None:
    digits = load_rule("digits")
    document = parse(RECIPE)
    rule, _, _ = set_up(document.validate(Recipe), document)
    assert rule.hash() == digits.hash()
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    assert train(tmp_path / "recipe.yaml", tmp_path / "run") == 0
    trained, card = read_rule(tmp_path / "run" / "rule.safetensors")
    assert card["began_with"] == digits.hash() != trained.hash()


def test_a_file_of_weights_is_found_relative_to_the_recipe_and_to_the_recipe_in_the_run_folder(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine").mkdir()
    digits = load_rule("digits")
    with torch.no_grad():
        digits.output_bias.add_(0.5)
    save_rule(digits, tmp_path / "mine" / "own.safetensors")
    recipe = tmp_path / "mine" / "recipe.yaml"
    recipe.write_text(RECIPE.replace("weights: digits", "weights: own.safetensors"))
    assert train(recipe, tmp_path / "run") == 0
    assert train(tmp_path / "run" / "recipe.yaml", tmp_path / "again") == 0
    for run in ("run", "again"):
        assert read_rule(tmp_path / run / "rule.safetensors")[1]["began_with"] == digits.hash()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("weights: digit", r"rule\.weights.*digits"),
        ("weights: digits, hidden: [80, 40]", r"its hidden is \[80, 80\]: set rule\.hidden to"),
        ("weights: digits, free_channels: 4", r"its free_channels is 9"),
        ("weights: digits, hearing: ring", r"its hearing is slots"),
        ("weights: five.safetensors", r"its slots is 5, but the task needs 9"),
        ("weights: four.safetensors", r"its stimulus_size is 4, but the task needs 9"),
        (
            "weights: fashion-mnist, free_channels: 14, hidden: [70, 70]",
            r"T-shirt.*start without its weights",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_their_place(
    rule: str, message: str, tmp_path: Path
) -> None:
    save_rule(Mlp(slots=5), tmp_path / "five.safetensors", {})
    save_rule(Mlp(stimulus_size=4), tmp_path / "four.safetensors", {})
    document = parse(RECIPE.replace("weights: digits", rule), str(tmp_path / "r.yaml"))
    with pytest.raises(LocatedError, match=rf"r\.yaml:9:.*{message}"):
        set_up(document.validate(Recipe), document)


def test_the_rule_keeps_its_thresholds_and_gets_the_recipes_rates(
    tmp_path: Path,
) -> None:
    digits = load_rule("digits")
    digits.alive_above, digits.shown_above, digits.noise = 0.2, 0.3, 0.4
    save_rule(digits, tmp_path / "own.safetensors", {})
    document = parse(RECIPE.replace("digits", "own.safetensors"), str(tmp_path / "r.yaml"))
    rule = set_up(document.validate(Recipe), document).rule
    assert (rule.alive_above, rule.shown_above, rule.noise) == (0.2, 0.3, 0.02)
