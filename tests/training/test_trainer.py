"""Training is a function of recipe and seed: stopping and resuming change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from swarm_nca.config import LocatedError, parse
from swarm_nca.rules import load_rule
from swarm_nca.training.checkpoint import load_checkpoint, save_checkpoint
from swarm_nca.training.command import train
from swarm_nca.training.folder import Log
from swarm_nca.training.optimizers import normalize_gradients
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer

RECIPE = """
name: tiny
data: [{dataset: strokes, count: 60}]
held_out: 10
iterations: 12
batch: 4
pool: 8
steps: 4
schedule: {rate: 2e-3, warmup: 3, shape: cosine}
log_every: 2
checkpoint_every: 4
"""


def trainer_of(text: str = RECIPE) -> Trainer:
    document = parse(text)
    recipe = document.validate(Recipe)
    rule, task, _ = set_up(recipe, document)
    return Trainer(recipe, rule, task)


def weights_of(trainer: Trainer) -> torch.Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in trainer.rule.parameters()])


@pytest.mark.parametrize("regime", ["naive", "persistent", "mutating"])
def test_every_regime_lowers_the_loss(regime: str) -> None:
    text = RECIPE.replace("iterations: 12", "iterations: 100").replace("count: 60", "count: 12")
    trainer = trainer_of(text.replace("held_out: 10", "held_out: 2") + f"regime: {regime}\n")
    losses = [trainer.advance().loss for _ in range(100)]
    assert sum(losses[-30:]) < 0.97 * sum(losses[:30])


@pytest.mark.parametrize(
    ("regime", "shares"), [("naive", (16, 0)), ("persistent", (8, 0)), ("mutating", (4, 4))]
)
def test_the_shares_of_a_batch_of_sixteen_are_the_published_ones(
    regime: str, shares: tuple[int, int]
) -> None:
    text = f"name: x\niterations: 1\ndata: [{{dataset: mnist}}]\nregime: {regime}\n"
    assert parse(text).validate(Recipe).shares() == shares


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """A folder of pictures of two classes, neither of them square."""
    for name, size in (("bar", (60, 20)), ("sheet", (30, 45))):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        ink = np.full(size, 255, np.uint8)
        ink[5:-5, 5:-5] = 0
        for number in range(2):
            Image.fromarray(ink).save(tmp_path / "shapes" / name / f"{number}.png")
    return tmp_path / "shapes"


def test_a_users_pictures_of_any_shape_are_scaled_to_fit(shapes: Path) -> None:
    recipe = "name: own\ndata: [{folder: shapes}]\nheld_out: 1\niterations: 1\n"
    document = parse(recipe, str(shapes.with_name("own.yaml")))
    rule, task, _ = set_up(document.validate(Recipe), document)
    assert rule.classes.names == ("bar", "sheet")
    assert task.grey.shape == (3, 28, 28)
    assert bool((task.grey.amax((1, 2)) > 0.9).all())


def test_the_recipe_in_a_runs_folder_trains_on_the_same_pictures(
    tmp_path: Path, shapes: Path
) -> None:
    recipe = shapes.with_name("own.yaml")
    recipe.write_text(
        "name: own\ndata: [{folder: shapes}]\nheld_out: 1\niterations: 1\nbatch: 2\npool: 2\n"
        "regime: naive\n"
    )
    assert train(recipe, tmp_path / "runs" / "first") == 0
    assert train(tmp_path / "runs" / "first" / "recipe.yaml", tmp_path / "again") == 0
    assert load_rule(tmp_path / "again" / "rule.safetensors").hash() == (
        load_rule(tmp_path / "runs" / "first" / "rule.safetensors").hash()
    )


def test_a_run_resumed_from_its_checkpoint_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole, first, second = trainer_of(), trainer_of(), trainer_of()
    for _ in range(12):
        whole.advance()
    for _ in range(5):
        first.advance()
    save_checkpoint(first, tmp_path / "checkpoint.safetensors", 1.5)
    assert load_checkpoint(second, tmp_path / "checkpoint.safetensors") == 1.5
    for _ in range(7):
        second.advance()
    assert torch.equal(weights_of(whole), weights_of(second))
    assert whole.pool is not None
    assert second.pool is not None
    assert torch.equal(whole.pool.cells["state"], second.pool.cells["state"])


def test_normalised_gradients_have_length_one_per_tensor_or_per_share() -> None:
    trainer = trainer_of()
    for weight in trainer.rule.parameters():
        weight.grad = torch.rand_like(weight) + 1.0
    normalize_gradients(trainer.rule, "shares")
    perception = trainer.rule.perception.grad
    assert perception is not None
    lengths = [float(part.norm()) for part in (perception[:9], perception[9:])]
    assert lengths == pytest.approx([1.0, 1.0], abs=1e-5)
    normalize_gradients(trainer.rule, "tensors")
    for weight in trainer.rule.parameters():
        assert weight.grad is not None
        assert float(weight.grad.norm()) == pytest.approx(1.0, abs=1e-5)


def test_an_infinite_loss_stops_the_run_and_leaves_the_weights() -> None:
    trainer = trainer_of()
    with torch.no_grad():
        trainer.rule.output_bias.fill_(3e38)
    before = weights_of(trainer)
    with pytest.raises(ArithmeticError, match=r"lower schedule\.rate"):
        trainer.advance()
    assert torch.equal(before, weights_of(trainer))


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(RECIPE)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"is in use; choose another folder with --out"):
        train(recipe, tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["thesis.txt"]
    assert train(recipe, tmp_path / "mine") == 0
    with pytest.raises(ValueError, match=r"is in use; resume with --resume .*mine"):
        train(recipe, tmp_path / "mine")


def test_a_run_that_failed_before_its_first_checkpoint_leaves_its_folder_free(
    tmp_path: Path,
) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(RECIPE + "augment: {shift: 500}\n")
    with pytest.raises(ValueError, match=r"the batch of iteration 1 has no living cell: augment"):
        train(recipe, tmp_path / "out")
    recipe.write_text(RECIPE)
    assert train(recipe, tmp_path / "out") == 0


def test_the_log_row_of_the_millionth_iteration_can_be_read(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.csv", 0)
    log.add(1_000_000, 0.5, -0.3, 1.0, 1e-3, 1234567.0)
    Log(tmp_path / "log.csv", 1_000_000)
    assert (tmp_path / "log.csv").read_text().splitlines()[1].startswith("1000000,0.5,")


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    first = trainer_of()
    first.advance()
    save_checkpoint(first, tmp_path / "c.safetensors", 0.0)
    other = trainer_of(RECIPE.replace("batch: 4", "batch: 5"))
    with pytest.raises(ValueError, match="batch = 4"):
        load_checkpoint(other, tmp_path / "c.safetensors")


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    trainer = trainer_of()
    trainer.advance()
    path = tmp_path / "c.safetensors"
    save_checkpoint(trainer, path, 0.0)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        load_checkpoint(trainer_of(), path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("pool: 8|pool: 2", "the pool (2) must hold"),
        ("batch: 4|fresh: 0.8\nmutated: 0.5\nbatch: 4", "fresh and mutated"),
        ("dataset: strokes, count: 60|dataset: strokes", "strokes are drawn without limit"),
        ("steps: 4|stepps: 4", "did you mean 'steps'?"),
        ("batch: 4|fresh: 0.2\nmutated: [0.2, 0.85]\nbatch: 4", "at most 1, got 1.05"),
        ("steps: 4|steps: [8, 4]", "steps must be [smallest, largest], got [8, 4]"),
        ("steps: 4|steps: 0", "steps"),
        ("held_out: 10|held_out: 60", "held_out is 60"),
        ("iterations: 12|iterations: 12\naverage: 1.0", "average"),
        ("iterations: 12|iterations: 0", "iterations"),
        ("rate: 2e-3|rate: .inf", "finite"),
        (
            "shape: cosine|shape: cosine, drops: [3]",
            "drops needs shape: steps, the shape is",
        ),
        ("shape: cosine|shape: steps", "shape: steps needs drops"),
        ("shape: cosine|shape: constant, hold: 0.5", "hold needs shape: cosine"),
        ("dataset: strokes, count: 60|dataset: mnist, seed: 3", "seed is for drawn pictures only"),
        ("pool: 8|pool: 400000000", "pool: must be at most 500000, got 400000000"),
        ("pool: 8|pool: 8\nrule: {free_channels: 250}", "rule: noise serves at most 256 channels"),
        ("pool: 8|pool: 8\nrule: {hidden: [200000, 200000]}", "hidden[0]: must be at most 4096"),
        ("pool: 8|pool: 8\nrule: {noise: 1e39}", "rule.noise: must be at most 1e+06, got 1e+39"),
        ("pool: 8|pool: 8\nwounds: {strength: 1e39}", "wounds.strength: must be at most 1e+06"),
        ("rate: 2e-3|rate: 1e308", "schedule.rate: must be at most 1e+06, got 1e+308"),
        ("pool: 8|pool: 8\naugment: {shift: 1e300}", "augment.shift: must be at most 4096"),
        ("pool: 8|pool: 8\naugment: {scale: [1e-300, 1]}", "scale[0]: must be at least 0.01"),
        ("pool: 8|pool: 400000\nrule: {free_channels: 256}", "pool: pool of 400000 worlds takes"),
        (
            "steps: 4|steps: 9999\nrule: {hidden: [4096, 4096], fire_rate: 1.0}",
            "batch: batch of 4 worlds, unrolled over 9999 steps, takes at least 1",
        ),
        ("shape: cosine|shape: steps, drops: [9, 3]", "drops must ascend, got [9, 3]"),
        ("batch: 4|fresh: 0.1\nbatch: 4", "fresh is 0.1 of a batch of 4, less than one world"),
        ("iterations: 12|iterations: 12\nrule: {noise: .nan}", "finite"),
        ("name: tiny|name: ../tiny", "name also names the run folder"),
    ],
)
def test_a_bad_recipe_is_refused_with_its_place(change: str, line: str) -> None:
    document = parse(RECIPE.replace(*change.split("|")), "recipe.yaml")
    with pytest.raises(LocatedError, match=r"recipe\.yaml:") as caught:
        set_up(document.validate(Recipe), document)
    assert line in str(caught.value)


def test_random_rollout_lengths_cover_the_whole_range() -> None:
    # Every cell adds 1 to every channel in every step, so that the loss tells the steps taken.
    trainer = trainer_of(
        RECIPE.replace("steps: 4", "steps: [2, 4]")
        .replace("count: 60", "count: 2")
        .replace("held_out: 10", "held_out: 1")
        .replace("rate: 2e-3", "rate: 1e-30")
        + "regime: naive\nrule: {fire_rate: 1, noise: 0}\n"
    )
    with torch.no_grad():
        for weight in trainer.rule.parameters():
            weight.zero_()
        trainer.rule.output_bias.fill_(1.0)
    losses = {trainer.advance().loss for _ in range(20)}
    cells = int((trainer.task.grey[0] > 0.1).sum())
    wanted = [0.5 * cells * (9 * steps**2 + (steps - 1) ** 2) for steps in (2, 3, 4)]
    assert sorted(losses) == pytest.approx(wanted)


@pytest.mark.parametrize("change", ["hidden: [7, 5]", "free_channels: 3", "hearing: ring"])
def test_the_held_out_pictures_do_not_depend_on_the_rule(change: str) -> None:
    held = []
    for text in (RECIPE, f"{RECIPE}rule: {{{change}}}\n", f"{RECIPE}seed: 1\n"):
        document = parse(text)
        held.append(set_up(document.validate(Recipe), document)[2].grey)
    assert torch.equal(held[0], held[1])
    assert not torch.equal(held[0], held[2])


def test_the_learning_rate_warms_up_holds_and_falls_along_a_cosine() -> None:
    schedule = trainer_of().recipe.schedule
    rates = [schedule.at(i, 1000) for i in (0, 2, 400, 700, 1000)]
    assert rates == pytest.approx([2e-3 / 3, 2e-3, 2e-3, 2e-3 * 0.505, 2e-5])
    # A quarter of the way down, where a straight line would stand at 0.75.
    quarter = (1 + 0.5**0.5) / 2
    assert schedule.at(550, 1000) == pytest.approx(2e-3 * (0.01 + 0.99 * quarter))
    assert schedule.at(850, 1000) == pytest.approx(2e-3 * (1 - 0.99 * quarter))


def test_the_published_schedule_drops_twice() -> None:
    document = parse(RECIPE.replace("warmup: 3, shape: cosine", "shape: steps, drops: [30, 70]"))
    schedule = document.validate(Recipe).schedule
    assert [schedule.at(i, 100) for i in (0, 29, 30, 69, 70, 99)] == pytest.approx(
        [2e-3, 2e-3, 2e-4, 2e-4, 2e-5, 2e-5]
    )
