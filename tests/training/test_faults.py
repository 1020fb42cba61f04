"""Faults in training: perturbations of a batch for one rollout, or of a part of the pool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from swarm_nca.config import LocatedError, parse
from swarm_nca.images import strokes
from swarm_nca.links import Links
from swarm_nca.perturbations import Immigrants, Kill, Loss, Perturbation, Set, Silence
from swarm_nca.rules import Mlp, load_rule, save_rule
from swarm_nca.tasks import Classification
from swarm_nca.training.checkpoint import load_checkpoint, save_checkpoint
from swarm_nca.training.faults import Chance, drawn, faults_of, faulty
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.trainer import Trainer
from swarm_nca.world import World
from swarm_nca.world.faults import FAULT
from swarm_nca.world.fields import RULE

TEXT = """
name: small
data: [{dataset: strokes, count: 12}]
held_out: 4
iterations: 3
batch: 4
pool: 6
steps: 4
rule: {hidden: [8]}
faults:
  - {chance: 0.5, change: {kind: loss, drop: 0.3}}
  - {change: {kind: silence, share: 0.2}}
"""


def recipe(text: str = TEXT) -> Recipe:
    checked: Recipe = parse(text).validate(Recipe)
    return checked


def trainer(*faults: Perturbation) -> Trainer:
    pictures = strokes(12, seed=1, size=12)
    task = Classification(torch.as_tensor(pictures.grey), torch.as_tensor(pictures.labels))
    rule = Mlp(hidden=(8,), generator=torch.Generator().manual_seed(3))
    return Trainer(recipe(), rule, task, faults=[Chance(1.0, fault) for fault in faults])


def test_a_recipe_names_faults_as_a_scenario_names_perturbations() -> None:
    faults = faults_of(recipe(), parse(TEXT))
    assert [fault.chance for fault in faults] == [0.5, 1.0]
    assert [fault.change.kind for fault in faults] == ["loss", "silence"]
    with pytest.raises(LocatedError, match=r"12:21.*no kind is called 'silense' \(did you mean"):
        recipe(TEXT.replace("silence", "silense"))


def test_each_fault_acts_by_its_chance_and_in_its_order() -> None:
    world = World.from_images(strokes(2, seed=1, size=12).grey, Mlp(hidden=(8,)))
    generator, drops = torch.Generator().manual_seed(4), []
    faults: list[Chance] = [Chance(0.25, Loss(drop=0.3)), Chance(1.0, Silence(share=0.5))]
    for _ in range(400):
        after = faulty(world, faults, generator)
        drops.append(after.links.drop)
        assert float((after.cell_fields[FAULT] > 0).double().mean()) == pytest.approx(0.5, abs=0.05)
    assert sum(drop > 0 for drop in drops) / 400 == pytest.approx(0.25, abs=0.07)
    assert not torch.equal(
        faulty(world, faults, generator).cell_fields[FAULT],
        faulty(world, faults, generator).cell_fields[FAULT],
    ), "other cells each time"


def test_a_fault_acts_on_the_rollout_and_leaves_the_pool_sound() -> None:
    quiet, plain = trainer(Set(links=Links(drop=1.0)), Silence(share=1.0)), trainer()
    for _ in range(2):
        report = quiet.advance()
        assert report.loss != plain.advance().loss
        assert FAULT in report.world.cell_fields
    assert quiet.pool is not None
    kept = quiet.pool.world()
    assert (kept.links, dict(kept.cell_fields)) == (Links(), {})


@pytest.mark.parametrize("fault", [Silence(share=0.5), Loss(drop=0.3)], ids=["cells", "links"])
def test_the_pool_keeps_the_states_after_a_fault_of_one_rollout(fault: Perturbation) -> None:
    training = trainer(fault)
    assert training.pool is not None
    for _ in range(12):
        training.advance()
    assert float(training.pool.world().state.any(1).double().mean()) > 0.9
    assert not training.pool.world().cell_fields


def test_worlds_that_lost_cells_stay_in_the_pool_as_they_were() -> None:
    training = trainer(Kill(share=0.5))
    assert training.pool is not None
    before = training.pool.world()
    report = training.advance()
    assert report.world.cells < before.cells
    after = training.pool.world()
    assert torch.equal(after.canvas.grey, before.canvas.grey)
    assert torch.equal(after.state, before.state)


LASTING = """
fresh: 0.25
mutated: 0.25
batch: 4
pool: 40
faults:
  - {chance: 0.3, lasting: true, change: {kind: kill, share: 0.5}}
  - {chance: 0.3, lasting: true, change: {kind: liar, share: 0.25}}
  - {chance: 0.3, lasting: true, change: {kind: set, links: {drop: 0.4}}}
"""


def lasting(iterations: int, further: str = "") -> Trainer:
    head = TEXT.split("faults:")[0].replace("batch: 4\npool: 6\n", "")
    text = head.replace("iterations: 3", "iterations: 40") + LASTING + further
    pictures = strokes(12, seed=1, size=12)
    task = Classification(torch.as_tensor(pictures.grey), torch.as_tensor(pictures.labels))
    rule = Mlp(hidden=(8,), generator=torch.Generator().manual_seed(3))
    document = parse(text)
    training = Trainer(recipe(text), rule, task, faults=faults_of(recipe(text), document))
    for _ in range(iterations):
        training.advance()
    return training


def test_worlds_of_a_part_live_with_their_fault_through_all_refreshes() -> None:
    whole = torch.as_tensor(strokes(12, seed=1, size=12).grey)
    inks = {int((picture > 0.1).sum()) for picture in whole}
    sound, killed, lied, lossy = (part.pool.world() for part in lasting(40).parts)
    assert [len(part) for part in (sound, killed, lied, lossy)] == [4, 12, 12, 12]
    assert set(sound.counts.tolist()) <= inks
    assert sound.links == killed.links == Links()
    assert set(killed.counts.tolist()) <= {ink - round(0.5 * ink) for ink in inks}
    assert lossy.links == Links(drop=0.4)
    liars = lied.cell_fields[FAULT] > 0
    for alone in range(len(lied)):
        flags = liars[lied.world_of == alone]
        assert int(flags.sum()) == round(0.25 * len(flags))


def test_the_pool_keeps_the_states_of_worlds_that_live_without_some_cells() -> None:
    training = lasting(0)
    before = training.parts[1].pool.world()
    assert not bool(before.state.any())
    for _ in range(40):
        training.advance()
    after = training.parts[1].pool.world()
    assert float(after.state.any(1).double().mean()) > 0.9


def test_parts_of_the_pool_are_drawn_by_their_chances() -> None:
    parts, generator = lasting(0).parts, torch.Generator().manual_seed(5)
    for i, chance in enumerate((0.1, 0.2, 0.3), 1):
        fault = parts[i].fault
        assert fault is not None
        parts[i] = replace(parts[i], fault=replace(fault, chance=chance))
    counts = [0] * len(parts)
    for _ in range(2000):
        counts[parts.index(drawn(parts, generator))] += 1
    assert [count / 2000 for count in counts] == pytest.approx([0.4, 0.1, 0.2, 0.3], abs=0.04)


def test_a_run_with_lasting_faults_resumes_with_every_part_of_its_pool(tmp_path: Path) -> None:
    whole, half, rest = lasting(9), lasting(4), lasting(0)
    save_checkpoint(half, tmp_path / "checkpoint.safetensors", 0.0)
    load_checkpoint(rest, tmp_path / "checkpoint.safetensors")
    for _ in range(5):
        rest.advance()
    assert whole.rule.hash() == rest.rule.hash()
    for one, other in zip(whole.parts, rest.parts, strict=True):
        assert one.pool.world().links == other.pool.world().links
        for name, cells in one.pool.cells.items():
            assert torch.equal(cells, other.pool.cells[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("pool: 40", "pool: 30"), r"of 30 worlds by their chances into 3, 9, 9, 9 .* raise pool"),
        (("chance: 0.3", "chance: 0.8"), r"into -56, 32, 32, 32"),
        (("batch: 4\n", "regime: naive\nbatch: 4\n"), "a lasting fault needs a pool"),
    ],
)
def test_a_part_smaller_than_a_batch_is_refused_with_the_cure(
    change: tuple[str, str], message: str
) -> None:
    text = TEXT.split("faults:")[0].replace("batch: 4\npool: 6\n", "") + LASTING
    with pytest.raises(LocatedError, match=message):
        recipe(text.replace(*change))


def test_lasting_faults_are_refused_for_other_tasks_and_without_their_perturbations() -> None:
    other = """
name: small
task: {kind: growing, target: {drawn: heart}}
iterations: 3
faults: [{chance: 0.3, lasting: true, change: {kind: silence, share: 0.5}}]
"""
    with pytest.raises(LocatedError, match="lasting faults are for classification only"):
        recipe(other)
    whole = lasting(0)
    with pytest.raises(ValueError, match=r"give faults_of\(recipe, document\)"):
        Trainer(whole.recipe, Mlp(hidden=(8,)), whole.task)


def test_a_fault_of_one_rollout_does_not_stay_in_a_lasting_part() -> None:
    training = lasting(0, "  - {change: {kind: silence, share: 1.0}}\n")
    for _ in range(30):
        training.advance()
    for part in training.parts:
        fields = part.pool.world().cell_fields
        assert not bool((fields.get(FAULT, torch.zeros(1, dtype=torch.int64)) & 1).any())


def test_immigrants_are_read_beside_the_recipe_and_only_natives_learn(tmp_path: Path) -> None:
    host = Mlp(hidden=(5,), generator=torch.Generator().manual_seed(8))
    save_rule(host, tmp_path / "host.safetensors")
    text = TEXT.replace("{kind: silence, share", "{kind: immigrants, rule: host.safetensors, share")
    (tmp_path / "recipe.yaml").write_text(text)
    document = parse(text, str(tmp_path / "recipe.yaml"))
    change = faults_of(recipe(text), document)[1].change
    assert isinstance(change, Immigrants)
    training = trainer(change)
    report = training.advance()
    assert report.world.guests[0].hash() == load_rule(tmp_path / "host.safetensors").hash()
    assert float(report.world.cell_fields[RULE].double().mean()) == pytest.approx(0.2, abs=0.05)
    assert all(weight.grad is None for weight in report.world.guests[0].parameters())
    assert all(weight.grad is not None for weight in training.rule.parameters())
    lost = text.replace("host.s", "gone.s")
    document = parse(lost, str(tmp_path / "recipe.yaml"))
    with pytest.raises(LocatedError, match=r"faults\[1\].change: .*gone"):
        faults_of(recipe(lost), document)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("kind: silence, share: 0.2, at: 3", "at is for scenarios"),
        ("kind: silence, share: 0.2, every: 2", "every is for scenarios"),
        ("kind: silence, share: 0.2, world: 1}, lasting: true, chance: 0.4", "leave world out"),
    ],
)
def test_what_a_fault_of_a_training_cannot_have_is_refused(change: str, message: str) -> None:
    text = TEXT.replace("kind: silence, share: 0.2", change)
    text = text.replace("lasting: true, chance: 0.4}}", "lasting: true, chance: 0.4}")
    with pytest.raises(LocatedError, match=message):
        recipe(text)


def test_a_fault_that_does_not_fit_is_refused_before_the_first_iteration() -> None:
    with pytest.raises(ValueError, match=r"faults\[1\]\.change: .*needs \("):
        trainer(Silence(share=0.1), Immigrants(share=0.1, rule=Mlp(free_channels=3)))
