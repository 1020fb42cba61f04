"""Pictures of no class: their cells learn to show none, and scores count them apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import yaml

from swarm_nca import Mlp, World
from swarm_nca.config import LocatedError, parse
from swarm_nca.tasks import LOSSES, Classification
from swarm_nca.tasks.losses import l2
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import Setup, set_up


def world(labels: list[int]) -> World:
    grey = torch.zeros(len(labels), 6, 6)
    grey[:, 2:4, 1:5] = 1.0
    made = World.from_images(grey, Mlp(), labels=torch.tensor(labels))
    generator = torch.Generator().manual_seed(1)
    return made.with_state(torch.randn(made.state.shape, generator=generator))


def test_the_target_of_a_picture_of_no_class_is_zero_in_every_class_channel() -> None:
    mixed = world([3, -1])
    known, unknown = l2(mixed, each=True, silent=True).tolist()
    logits = mixed.logits.view(2, 8, 10)
    wanted = torch.zeros(8, 10)
    assert unknown == pytest.approx(float(0.5 * (logits[1] - wanted).square().sum()))
    wanted[:, 3] = 1.0
    assert known == pytest.approx(float(0.5 * (logits[0] - wanted).square().sum()))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_losses_refuse_worlds_without_label_unless_they_should_be_silent(name: str) -> None:
    with pytest.raises(ValueError, match="label"):
        LOSSES[name](world([3, -1]))


RECIPE: dict[str, Any] = {
    "name": "silent",
    "data": [
        {"dataset": "strokes", "count": 60},
        {"dataset": "letters", "only": ["A", "K"], "count": 41, "known": False},
    ],
    "canvas": [32, 36],
    "held_out": 40,
    "rule": {"undecided_below": 0.4},
    "iterations": 2,
    "batch": 4,
    "pool": 8,
}


def made(recipe: dict[str, Any]) -> Setup:
    document = parse(yaml.safe_dump(recipe))
    return set_up(document.validate(Recipe), document)


def test_a_recipe_mixes_known_and_unknown_pictures_on_its_canvas() -> None:
    rule, train, held_out = made(RECIPE)
    assert isinstance(train, Classification)
    assert isinstance(held_out, Classification)
    assert rule.classes.names == tuple("0123456789")
    assert (rule.undecided_below, rule.shown_above) == (0.4, 0.4)
    drawn = made({**RECIPE, "rule": {"shown_above": 0.3}}).rule
    assert (drawn.undecided_below, drawn.shown_above) == (0.0, 0.3)
    label = torch.cat([train.label, held_out.label])
    assert label.shape == (101,)
    assert int((label == -1).sum()) == 41
    assert train.grey.shape[1:] == (32, 36)
    assert float(train.grey[:, :2].max()) == 0.0


def test_scores_count_known_and_unknown_pictures_apart() -> None:
    rule, _, held_out = made(RECIPE)
    # An untrained rule leaves its states near zero, so that no cell decides.
    scores = held_out.scores(rule)
    assert (scores["abstains"], scores["unknown_abstains"]) == (100.0, 100.0)
    assert scores["agree_though_wrong"] == 0.0


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ({"loss": "ce"}, "need loss: l2"),
        ({"data": [{"dataset": "letters", "count": 9, "known": False}]}, "with classes"),
        ({"data": [{"dataset": "strokes", "count": 9, "only": ["x"]}]}, "x"),
        ({"canvas": [20, 20]}, "canvas"),
        (
            {
                "data": [
                    {"dataset": "strokes", "count": 30, "only": ["1", "2"]},
                    {"dataset": "doodles", "count": 30, "only": ["2", "3"], "known": False},
                ],
                "held_out": 5,
            },
            r"data\[1\].* other sources teach the classes 2,",
        ),
    ],
)
def test_recipes_that_cannot_work_name_the_cure(change: dict[str, Any], cure: str) -> None:
    with pytest.raises(LocatedError, match=cure):
        made(RECIPE | change)
