"""The runs in `assets/comparison`: stored curves equal their rules' and the README's numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from swarm_nca.cli.compare_command import compare_command
from swarm_nca.comparison import eval_sets
from swarm_nca.comparison.entries import Entry, entries
from swarm_nca.comparison.eval_sets import SharedExam, curves_of
from swarm_nca.comparison.scores import Standing
from swarm_nca.measure import evaluate
from swarm_nca.measure.eval_set import exam_pictures

ROOT = Path(__file__).parents[2]
RUNS = sorted(map(str, (ROOT / "assets" / "comparison").glob("*/")))

#: Names of the losses in the README.
NAMES = {"l2": "L2", "softmax-l2": "softmax-L2", "ce": "CE"}


def refuse_evaluation(*arguments: object, **settings: object) -> None:
    raise AssertionError("evaluated again")


@pytest.fixture(scope="module")
def standings(tmp_path_factory: pytest.TempPathFactory) -> list[Standing]:
    """The result of `swarm-nca compare assets/comparison/*`, from stored files only."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(eval_sets, "evaluate", refuse_evaluation)
        quiet = Console(quiet=True)
        return compare_command(RUNS, out=tmp_path_factory.mktemp("compared"), console=quiet)


def loss_and_noise(entry: Entry) -> tuple[str, float]:
    settings = dict(entry.settings)
    return settings["loss"], settings["rule.noise"]


def test_every_loss_was_trained_with_two_seeds_of_one_recipe(standings: list[Standing]) -> None:
    assert len(standings) == 8
    for standing in standings:
        assert [entry.seed for entry in standing.group.entries] == [0, 1]
        rest = [dict(entry.settings) for entry in standing.group.entries]
        assert {(settings["iterations"], settings["batch"]) for settings in rest} == {(15000, 16)}


def test_the_readme_s_table_equals_the_stored_curves(standings: list[Standing]) -> None:
    readme = (ROOT / "assets" / "comparison" / "README.md").read_text(encoding="utf-8")
    for standing in standings:
        loss, noise = loss_and_noise(standing.group.entries[0])
        cells = standing.value("cell_accuracy", "fresh", 200)
        agree = standing.value("total_agreement", "fresh", 200)
        others = [
            standing.value("total_agreement", phase, 200) for phase in ("mutation", "restart")
        ]
        state = standing.value("state_magnitude", "fresh", 200).mean
        row = (
            f"| {NAMES.get(loss, loss)} | {noise:g} | {100 * cells.mean:.1f} "
            f"| {100 * agree.mean:.1f} ({100 * agree.low:.1f}–{100 * agree.high:.1f}) "
            f"| {100 * agree.least:.1f}, {100 * agree.most:.1f} "
            f"| {100 * others[0].mean:.1f} | {100 * others[1].mean:.1f} | {state:,.3g} |"
        )
        assert row in readme, row


def test_stored_curves_equal_those_of_their_rules() -> None:
    (entry,) = entries(RUNS[-1:])
    eval_set = SharedExam("mnist", exam_pictures("mnist"), 200, 0)
    assert entry.folder is not None
    kept = curves_of(entry, eval_set, "mutation", entry.folder.evaluations)
    for row in evaluate(entry.rule, eval_set.pictures, steps=5, every=5, seed=eval_set.seed).curve:
        at = kept["step"].tolist().index(row["step"])
        for metric in eval_sets.COMPARED:
            assert kept[metric][at] == pytest.approx(row[metric], rel=1e-4, abs=2e-4), metric
