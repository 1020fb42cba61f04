"""The recipe of the published comparison: every loss can start with its budget."""

from __future__ import annotations

import pytest

from swarm_nca.config import parse, read
from swarm_nca.scenario.finding import shipped_recipes
from swarm_nca.tasks import LOSSES
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer

TINY = """
name: tiny
data: [{dataset: strokes, count: 12}]
held_out: 2
iterations: 60
batch: 4
pool: 8
steps: 5
schedule: {rate: 2e-3}
"""


def shipped(name: str, *changes: str) -> Recipe:
    return read(shipped_recipes()[name]).with_overrides(changes).validate(Recipe)


def test_it_is_the_published_recipe_with_its_schedule_shortened() -> None:
    ours, published = (
        shipped(name).model_dump(exclude={"name", "held_out"})
        for name in ("comparison", "mnist-published")
    )
    share = ours.pop("iterations") / published.pop("iterations")
    drops = [round(share * drop) for drop in published["schedule"].pop("drops")]
    assert list(ours["schedule"].pop("drops")) == drops
    assert share == 0.15
    assert ours == published


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("change", ["rule.noise=0", "regime=naive", "start=random", "seed=1"])
def test_every_entry_of_the_comparison_is_a_recipe(loss: str, change: str) -> None:
    assert shipped("comparison", f"loss={loss}", change).loss == loss


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_can_start_from_zeros_without_noise(loss: str) -> None:
    document = parse(f"{TINY}loss: {loss}\nrule: {{noise: 0}}\n")
    recipe = document.validate(Recipe)
    rule, task, _ = set_up(recipe, document)
    trainer = Trainer(recipe, rule, task)
    before = rule.output.detach().clone()
    trainer.advance()
    assert not bool((rule.output == before).all())
