"""Learners and rollouts: every task with both learners, and a user's own rule."""

from __future__ import annotations

import math
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

import swarm_nca as sn
from swarm_nca import extensions, tasks
from swarm_nca.config import LocatedError, parse
from swarm_nca.rules import Habitat, load_rule, read_rule
from swarm_nca.tasks import Growing, Transition
from swarm_nca.training.checkpoint import load_checkpoint, save_checkpoint
from swarm_nca.training.command import train
from swarm_nca.training.learners import LEARNERS, Evolution, Gradient, Objective, shaped
from swarm_nca.training.parallel import DataParallel
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.rollouts import WAYS, Rollouts
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer

TASKS = {
    "classification": """
data: [{dataset: strokes, count: 20, seed: 1}]
held_out: 3
rule: {free_channels: 3, hidden: [8, 8]}
pool: 6
steps: 3
""",
    "growing": """
task: {kind: growing, target: {drawn: heart}, size: 7, padding: 2}
rule: {free_channels: 2, hidden: [8]}
pool: 6
fresh: 0.25
steps: [3, 5]
damage: {share: 0.5}
""",
    "transition": """
task: {kind: transition, teacher: {kind: elementary, number: 110}, size: 6}
rule: {hidden: [8]}
""",
}

LEARN = {"gradient": "", "evolution": "learner: {kind: evolution, pairs: 3, spread: 0.05}\n"}


def recipe_of(task: str, learner: str = "gradient", more: str = "", iterations: int = 6) -> str:
    text = (
        f"name: tiny\niterations: {iterations}\nbatch: 4\nlog_every: 2\nschedule: {{rate: 1e-2}}\n"
    )
    return text + TASKS[task] + LEARN[learner] + more


def trainer_of(text: str) -> Trainer:
    document = parse(text, "recipe.yaml")
    recipe = document.validate(Recipe)
    rule, task, _ = set_up(recipe, document)
    return Trainer(recipe, rule, task)


def flat(rule: sn.Rule) -> Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in rule.parameters()])


def test_this_module_covers_every_learner_and_task() -> None:
    assert set(LEARN) == set(LEARNERS)
    assert set(TASKS) == set(tasks.TASKS)


@pytest.mark.parametrize("learner", LEARN)
@pytest.mark.parametrize("task", TASKS)
def test_every_learner_trains_on_every_task_into_a_folder(
    task: str, learner: str, tmp_path: Path
) -> None:
    (tmp_path / "tiny.yaml").write_text(recipe_of(task, learner))
    assert train(tmp_path / "tiny.yaml", tmp_path / "run") == 0
    rows = (tmp_path / "run" / "log.csv").read_text().splitlines()
    names = tasks.TASKS[task].metric_names
    assert rows[0].split(",") == ["iteration", "loss", "log10_loss", *names, "rate", "seconds"]
    assert [row.split(",")[0] for row in rows[1:]] == ["2", "4", "6"]
    assert all(math.isfinite(float(value)) for row in rows[1:] for value in row.split(","))
    assert (tmp_path / "run" / "strip.png").read_bytes().startswith(b"\x89PNG")
    rule, card = read_rule(tmp_path / "run" / "rule.safetensors")
    assert card["recipe"]["iterations"] == 6
    assert float(rule.output.abs().max()) > 0
    again = train(tmp_path / "run" / "recipe.yaml", tmp_path / "again")
    assert again == 0
    assert load_rule(tmp_path / "again").hash() == rule.hash()


@pytest.mark.parametrize("learner", LEARN)
@pytest.mark.parametrize("task", ["growing", "transition"])
def test_a_resumed_run_is_bit_for_bit_equal(task: str, learner: str, tmp_path: Path) -> None:
    regime = "regime: persistent\npool: 6\n" if task == "transition" else ""
    text = recipe_of(task, learner, regime)
    whole, first, second = trainer_of(text), trainer_of(text), trainer_of(text)
    losses = [whole.advance().loss for _ in range(5)]
    for _ in range(2):
        first.advance()
    save_checkpoint(first, tmp_path / "checkpoint.safetensors", 0.0)
    load_checkpoint(second, tmp_path / "checkpoint.safetensors")
    assert [second.advance().loss for _ in range(3)] == losses[2:]
    assert torch.equal(flat(whole.rule), flat(second.rule))
    assert whole.pool is not None
    assert second.pool is not None
    for name, cells in whole.pool.cells.items():
        assert torch.equal(cells, second.pool.cells[name])


def test_a_checkpoint_of_another_target_is_refused(tmp_path: Path) -> None:
    text = recipe_of("growing")
    save_checkpoint(trainer_of(text), tmp_path / "checkpoint.safetensors", 0.0)
    other = trainer_of(text.replace("heart", "flower"))
    with pytest.raises(ValueError, match="start a new run with --out"):
        load_checkpoint(other, tmp_path / "checkpoint.safetensors")


# ------------------------------------------------------------------- evolution


def objective_of(task: Transition, rule: sn.Rule, seed: int) -> Objective:
    generator = torch.Generator().manual_seed(seed)
    world = task.start(16, rule, generator)
    rollouts = Rollouts(1, None, DataParallel())
    return Objective(world, 1, task, None, rollouts, generator, DataParallel())


def learner_rule() -> sn.Mlp:
    generator = torch.Generator().manual_seed(1)
    settings = {"free_channels": 1, "hidden": (6,), "stimulus_size": 0, "hearing": "ring"}
    rule = sn.Mlp(sn.Bit(), **settings, fire_rate=1.0, noise=0.0, generator=generator)
    with torch.no_grad():
        rule.output.normal_(std=0.5, generator=generator)
    return rule


def test_ranks_are_spaced_evenly_and_nan_ranks_worst() -> None:
    losses = torch.tensor([3.0, float("nan"), -1.0, 7.0, 5.0], dtype=torch.float64)
    assert shaped(losses).tolist() == [-0.25, 0.5, -0.5, 0.25, 0.0]
    assert torch.equal(shaped(losses * 100), shaped(losses))


def test_evolution_estimates_the_gradient_and_changes_no_weight() -> None:
    task, rule = Transition(size=8), learner_rule()
    before = flat(rule)
    directions = []
    for learner in (Gradient(), Evolution(pairs=400, spread=0.01)):
        rule.zero_grad()
        loss, after = learner.learn(rule, objective_of(task, rule, 3))
        assert len(after) == 16
        assert float(loss) == pytest.approx(float(task.loss(after, after).detach()), rel=1e-5)
        directions.append(
            torch.cat([w.grad.reshape(-1) for w in rule.parameters() if w.grad is not None])
        )
    assert torch.equal(flat(rule), before)
    true, found = directions
    assert len(true) == len(found) == len(before)
    assert float(torch.cosine_similarity(true, found, dim=0)) > 0.8


def test_processes_that_share_the_pairs_get_the_same_gradient() -> None:
    task, rule, parts = Transition(size=5), learner_rule(), []
    for rank in range(2):
        # Each process fills in its own losses; the sum over both is what one alone finds.
        kept: list[Tensor] = []
        team = DataParallel(rank, 2, lambda losses, kept=kept: kept.append(losses.clone()))  # type: ignore[misc]
        objective = objective_of(task, rule, 4)
        Evolution(pairs=5).learn(rule, Objective(**(vars(objective) | {"team": team})))
        parts.append(kept[0])
    alone: list[Tensor] = []
    team = DataParallel(0, 1, lambda losses: alone.append(losses.clone()))
    objective = objective_of(task, rule, 4)
    Evolution(pairs=5).learn(rule, Objective(**(vars(objective) | {"team": team})))
    assert torch.equal(parts[0] + parts[1], alone[0])
    assert bool((parts[0] == 0).any())


@pytest.mark.parametrize("learner", ["{kind: evolution, pairs: 0}", "{kind: evolution, spread: 0}"])
def test_settings_of_evolution_have_bounds(learner: str) -> None:
    with pytest.raises(LocatedError, match="learner"):
        trainer_of(recipe_of("growing", more=f"learner: {learner}\n"))


# -------------------------------------------------------------- ways to roll out


class Majority(sn.Rule):
    """Each cell moves towards the mean of its neighbours by a learned share."""

    kind: ClassVar[str] = "test-majority"

    def __init__(self, share: float = 0.0) -> None:
        super().__init__(sn.Bit(), channels=1, stimulus_size=0, fire_rate=1.0)
        self.share = nn.Parameter(torch.tensor(share))

    @property
    def habitat(self) -> Habitat:
        return Habitat(sprout=(1.0,), senses=False)

    def change(self, prepared: Tensor, messages: Tensor) -> Tensor:
        return self.share * (messages.mean(1) - messages[:, 4])

    def settings(self) -> dict[str, float]:
        return {}


def test_the_fastest_supported_rollout_is_chosen() -> None:
    rollouts, task = Rollouts(4, None, DataParallel()), Transition(size=5)
    generator = torch.Generator().manual_seed(0)
    assert list(WAYS) == ["cuda_graph", "compiled_bptt", "bptt", "recorded"]
    for rule, way in ((learner_rule(), "bptt"), (Majority(), "recorded")):
        world = task.start(1, rule, generator)
        assert rollouts.chosen(world, rule) == way
    short = Rollouts(4, torch.bfloat16, DataParallel())
    with pytest.raises(ValueError, match=r"bptt: .* has none; recorded: .*precision"):
        short.chosen(task.start(1, Majority(), generator), Majority())


def test_a_users_own_rule_trains_by_autograd() -> None:
    task, rule = Transition(teacher={"kind": "life"}, size=6), Majority()
    recipe = Recipe.model_validate(
        {
            "name": "own",
            "task": {"kind": "transition", "size": 6},
            "rule": {"kind": "mlp"},
            "iterations": 30,
            "schedule": {"rate": 3e-2},
        }
    )
    trainer = Trainer(recipe, rule, task)
    losses = [trainer.advance().loss for _ in range(30)]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    assert float(rule.share) > 0.1


def test_the_recorded_rollout_has_the_hand_written_gradient() -> None:
    task = Growing({"drawn": "heart"}, size=7, padding=1)
    generator = torch.Generator().manual_seed(2)
    rule = sn.Mlp.growing(hidden=(6,), generator=generator)
    with torch.no_grad():
        rule.output.normal_(std=0.3, generator=generator)
    found = {}
    for name in ("bptt", "recorded"):
        way = WAYS[name](DataParallel(), 6, None)
        world = task.start(2, rule, generator)
        rule.zero_grad()
        state = way(world, rule, 6, torch.Generator().manual_seed(5))
        task.loss(world, world.with_state(state)).backward()
        found[name] = [w.grad.clone() for w in rule.parameters() if w.grad is not None]
    for one, other in zip(found["bptt"], found["recorded"], strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-7)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("kind: growing|kind: growin", "did you mean 'growing'"),
        ("kind: growing, |", "kind"),
        ("size: 7|sise: 7", "did you mean 'size'"),
        ("drawn: heart|drawn: hart", "did you mean 'heart'"),
        ("pool: 6|pool: 6\nregime: mutating", "cannot be mutated"),
        ("pool: 6|pool: 6\nloss: ce", "loss is for classification only"),
        (
            "pool: 6|pool: 6\ndata: [{dataset: strokes, count: 9}]",
            "data is for classification only",
        ),
        ("hidden: [8]|hidden: [8], mortal: false", "mortal: true"),
        ("hidden: [8]|hidden: [8], kind: majorty", "no rule family 'majorty'"),
        ("{share: 0.5}|{radius: [0.5, 0.2]}", "radius must be [smallest, largest]"),
        ("hidden: [8]|hidden: []", "1 to 5 hidden layers"),
    ],
)
def test_a_bad_recipe_is_refused(change: str, line: str) -> None:
    with pytest.raises(LocatedError, match=r"recipe\.yaml") as caught:
        trainer_of(recipe_of("growing").replace(*change.split("|")))
    assert line in str(caught.value)


# ------------------------------------------------------------ a user's own task


class Bright(tasks.Task):
    """All cells should hold 1 in their last channel."""

    kind: ClassVar[str] = "bright"
    ranked: ClassVar[bool] = True
    metric_names: ClassVar[tuple[str, ...]] = ("mean",)
    defaults: ClassVar[dict[str, Any]] = {
        "regime": "persistent",
        "mutated": 0,
        "rule": {"free_channels": 1, "hidden": [4], "noise": 0.0},
    }
    content, readout, extent = "bright", sn.Bit(), (3, 3)

    def start(self, count: int, rule: sn.Rule, generator: torch.Generator) -> sn.World:
        return sn.World.from_images(torch.ones(count, 3, 3), rule)

    def refresh(
        self,
        world: sn.World,
        fresh: int,
        mutated: int,
        rule: sn.Rule,
        generator: torch.Generator,
    ) -> sn.World:
        losses = self.losses(world, world)
        assert bool((losses.diff() <= 0).all()), "the worst come first"
        state = world.state.clone()
        state[: 9 * fresh] = 0.0
        return world.with_state(state)

    def losses(self, before: sn.World, after: sn.World) -> Tensor:
        return (after.state[:, -1] - 1).square().view(len(after), -1).mean(1)

    def metrics(self, before: sn.World, after: sn.World) -> dict[str, Tensor]:
        return {"mean": after.state.detach()[:, -1].mean()}

    def views(self, rule: sn.Rule) -> bytes:
        return b"no picture"


def test_a_task_from_another_package_trains_from_a_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(group: str) -> list[EntryPoint]:
        here = EntryPoint("bright", f"{__name__}:Bright", group)
        monkeypatch.setattr(EntryPoint, "load", lambda entry: Bright)
        return [here] if group == "swarm_nca.tasks" else []

    monkeypatch.setattr(extensions, "entry_points", lambda group: found(group))
    extensions._entries.cache_clear()
    try:
        text = "name: own\ntask: {kind: bright}\niterations: 40\nbatch: 4\npool: 8\nsteps: 3\n"
        (tmp_path / "own.yaml").write_text(text + "schedule: {rate: 2e-2}\nlog_every: 10\n")
        assert train(tmp_path / "own.yaml", tmp_path / "run") == 0
    finally:
        extensions._entries.cache_clear()
    rows = [row.split(",") for row in (tmp_path / "run" / "log.csv").read_text().splitlines()]
    assert rows[0][3] == "mean"
    assert float(rows[-1][1]) < 0.6 * float(rows[1][1])
    assert (tmp_path / "run" / "strip.png").read_bytes() == b"no picture"


def test_evolution_computes_its_rollouts_in_the_precision_of_the_recipe() -> None:
    text = recipe_of("growing", more="learner: {kind: evolution, pairs: 2}\n")
    exact, short = (
        trainer_of(f"{text}precision: {precision}\n") for precision in ("float32", "bfloat16")
    )
    for trainer in (exact, short):
        trainer.advance()
    losses = [trainer.advance().loss for trainer in (exact, short)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
