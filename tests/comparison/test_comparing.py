"""Evaluations are done once and stored; table and figures are made from the stored curves."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from swarm_nca.cli import compare_command as compare
from swarm_nca.cli.compare_command import compare_command
from swarm_nca.comparison import eval_sets
from swarm_nca.comparison.entries import Entry, entries
from swarm_nca.comparison.eval_sets import COMPARED, ERROR, LOSS, SharedExam, curves_of
from swarm_nca.comparison.groups import Group
from swarm_nca.comparison.scores import score, standing
from swarm_nca.comparison.table import (
    as_csv,
    as_markdown,
    compact,
    compact_note,
    note,
    sheets,
    told,
)
from swarm_nca.engine import rollout
from swarm_nca.measure import evaluate
from swarm_nca.measure.eval_set import exam_pictures
from swarm_nca.rules import Mlp, Rule
from swarm_nca.world import World

STEPS = 4


@pytest.fixture(scope="module")
def eval_set() -> SharedExam:
    return SharedExam("strokes", exam_pictures("strokes", limit=5), STEPS, 3)


def no_evaluation(*arguments, **settings):
    raise AssertionError("evaluated again")


def test_curves_equal_those_of_evaluate(trained, eval_set, tmp_path) -> None:
    (entry,) = entries([str(trained("a"))])
    for protocol in eval_sets.PROTOCOLS:
        curves = curves_of(entry, eval_set, protocol, tmp_path)
        expected = evaluate(
            entry.rule,
            eval_set.pictures,
            steps=STEPS,
            protocol=protocol,
            every=eval_sets.EVERY,
            seed=3,
        )
        for name in ("step", *COMPARED):
            column = [row[name] for row in expected.curve]
            np.testing.assert_array_equal(curves[name], column)


def test_a_mutation_and_a_restart_share_one_fresh_phase(trained, eval_set, tmp_path) -> None:
    (entry,) = entries([str(trained("a"))])
    steps = {}
    for protocol in eval_sets.PROTOCOLS:
        calls: list[tuple[int, int]] = []
        curves_of(entry, eval_set, protocol, tmp_path, lambda *now, calls=calls: calls.append(now))
        steps[protocol] = len(calls)
    assert steps == {"mutation": 2 * STEPS, "restart": STEPS}


def test_the_error_of_cell_accuracy_is_that_of_a_ratio_over_pictures(
    trained, eval_set, tmp_path
) -> None:
    (entry,) = entries([str(trained("a"))])
    curves = curves_of(entry, eval_set, "mutation", tmp_path)
    world = World.from_images(eval_set.pictures.grey, entry.rule, labels=eval_set.pictures.labels)
    after = rollout(world, entry.rule, STEPS, seed=3)
    right = entry.rule.logits(after.state).argmax(1) == after.label[after.world_of]
    right &= entry.rule.logits(after.state).amax(1) >= 0
    shares = [float(right[after.world_of == w].double().sum()) for w in range(5)]
    cells = world.counts.double().numpy()
    ratio = sum(shares) / cells.sum()
    squares = ((np.array(shares) - ratio * cells) ** 2).sum()
    row = curves["step"].tolist().index(STEPS)
    assert curves["cell_accuracy"][row] == pytest.approx(ratio)
    assert curves[ERROR][row] == pytest.approx(np.sqrt(5 / 4 * squares) / cells.sum())


def test_the_loss_is_that_of_the_worlds_on_all_pictures(trained, eval_set, tmp_path) -> None:
    (entry,) = entries([str(trained("a"))])
    curves = curves_of(entry, eval_set, "mutation", tmp_path)
    world = World.from_images(eval_set.pictures.grey, entry.rule, labels=eval_set.pictures.labels)
    after = rollout(world, entry.rule, STEPS, seed=3)
    aims = torch.eye(10)[after.label[after.world_of]]
    loss = 0.5 * float((aims - entry.rule.logits(after.state)).square().sum()) / len(world)
    row = curves["step"].tolist().index(STEPS)
    assert curves[LOSS][row] == pytest.approx(loss)


def test_curves_stored_without_a_loss_stay_valid(trained, eval_set, tmp_path, monkeypatch) -> None:
    (entry,) = entries([str(trained("a"))])
    first = curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    (file,) = (tmp_path / "kept").iterdir()
    document = json.loads(file.read_text())
    del document["curves"][LOSS]
    file.write_text(json.dumps(document))
    monkeypatch.setattr(eval_sets, "evaluate", no_evaluation)
    again = curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    assert np.isnan(again[LOSS]).all()
    assert again["cell_accuracy"].tolist() == first["cell_accuracy"].tolist()


def test_size_and_loss_of_rules_are_told() -> None:
    small = replace(two_standings()[1], group=Group("c", (SMALL, SMALL)))
    (sheet, *_) = sheets([two_standings()[0], small], 4)
    assert sheet.headings == ("rule", "bytes", "log10 L2 loss at 4")
    assert sheet.rows[0] == ("a|b", "89,996", "-0.30")
    assert sheet.rows[1][1:] == (
        f"{4 * sum(p.numel() for p in SMALL.rule.parameters()):,}",
        "-0.30",
    )
    assert "of the L2 loss at step 4" in " ".join(compact_note([small], 4).split())


def test_stored_curves_are_reused(trained, eval_set, tmp_path, monkeypatch) -> None:
    (entry,) = entries([str(trained("a"))])
    first = curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    monkeypatch.setattr(eval_sets, "evaluate", no_evaluation)
    again = curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    assert first.keys() == again.keys()
    for name, column in first.items():
        np.testing.assert_array_equal(column, again[name])


@pytest.mark.parametrize("change", ["seed", "steps", "pictures", "rule", "protocol"])
def test_stored_curves_of_another_evaluation_or_rule_are_not_used(
    trained, eval_set, tmp_path, monkeypatch, change
) -> None:
    (entry,) = entries([str(trained("a"))])
    curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    grey = np.array(eval_set.pictures.grey)
    grey[0, 5, 5] = 1.0 - grey[0, 5, 5]
    others = {
        "seed": (entry, replace(eval_set, seed=4), "mutation"),
        "steps": (entry, replace(eval_set, steps=3), "mutation"),
        "pictures": (
            entry,
            replace(eval_set, pictures=replace(eval_set.pictures, grey=grey)),
            "mutation",
        ),
        "rule": (entries([str(trained("b"))])[0], eval_set, "mutation"),
        "protocol": (entry, eval_set, "restart"),
    }
    monkeypatch.setattr(eval_sets, "evaluate", no_evaluation)
    with pytest.raises(AssertionError, match="evaluated again"):
        curves_of(*others[change], tmp_path / "kept")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"settings": 1, "curves": {}}', "half"])
def test_a_damaged_file_is_replaced(trained, eval_set, tmp_path, damage) -> None:
    (entry,) = entries([str(trained("a"))])
    first = curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    (file,) = (tmp_path / "kept").iterdir()
    whole = file.read_text()
    document = json.loads(whole)
    document["curves"]["undecided"].pop()
    file.write_text(json.dumps(document) if damage == "half" else damage)
    again = curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    np.testing.assert_array_equal(first["state_magnitude"], again["state_magnitude"])
    assert file.read_text() == whole


def test_nan_and_infinity_are_stored(trained, eval_set, tmp_path, monkeypatch) -> None:
    (entry,) = entries([str(trained("a"))])
    strange = {name: np.array([1.5, np.nan, np.inf]) for name in ("step", *COMPARED, ERROR, LOSS)}
    monkeypatch.setattr(eval_sets, "_measured", lambda *_: strange)
    curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    monkeypatch.setattr(eval_sets, "_measured", no_evaluation)
    again = curves_of(entry, eval_set, "mutation", tmp_path / "kept")
    np.testing.assert_array_equal(again["undecided"], strange["undecided"])
    (file,) = (tmp_path / "kept").iterdir()
    assert "NaN" not in file.read_text()


def alone(rule: Rule) -> Entry:
    return Entry("a", "a", rule, rule.hash())


ENTRY, SMALL = alone(Mlp()), alone(Mlp(hidden=(6, 6)))


def runs_with(**metrics: list[list[float]]) -> list[dict[str, np.ndarray]]:
    """Curves of two measured steps per phase for each run; metrics not given are 0.5."""
    count = len(next(iter(metrics.values())))
    steps = np.array([2.0, 4.0, 6.0, 8.0])
    half = [[0.5] * 4] * count
    return [
        {"step": steps}
        | {name: np.array(metrics.get(name, half)[run]) for name in (*COMPARED, ERROR, LOSS)}
        for run in range(count)
    ]


def test_a_score_is_the_mean_with_two_separate_ranges() -> None:
    runs = runs_with(total_agreement=[[0.5] * 4, [0.7] * 4], cell_accuracy=[[0.9] * 4, [0.8] * 4])
    runs = [curves | {ERROR: np.full(4, 0.01)} for curves in runs]
    agreement = score(runs, "total_agreement", 100)
    assert agreement.mean[0] == pytest.approx(0.6)
    assert (agreement.least[0], agreement.most[0]) == (0.5, 0.7)
    # The means of Wilson's bounds for 50 and 70 of 100.
    assert agreement.low[0] == pytest.approx((0.4038315 + 0.6041515) / 2, abs=1e-6)
    assert agreement.high[0] == pytest.approx((0.5961685 + 0.7810511) / 2, abs=1e-6)
    accuracy = score(runs, "cell_accuracy", 100)
    assert accuracy.low[0] == pytest.approx(0.85 - 0.01959964)
    assert np.isnan(score(runs, "state_magnitude", 100).low).all()


def two_standings():
    def make(label, *agreement):
        runs = runs_with(total_agreement=list(agreement))
        group = Group(label, tuple(ENTRY for _ in runs))
        return standing(group, {"mutation": runs, "restart": runs}, 4, 100)

    return [make("a|b", [0.1, 0.2, 0.3, 0.4]), make("c", [0.9] * 4, [0.7] * 4)]


def test_phases_are_read_at_their_own_steps() -> None:
    first = two_standings()[0]
    values = [first.value("total_agreement", p, 4).mean for p in ("fresh", "mutation", "restart")]
    assert values == [0.2, 0.4, 0.4]
    assert first.value("total_agreement", "mutation", 2).mean == 0.3


def test_tables_have_the_same_numbers_in_every_format() -> None:
    made = sheets(two_standings(), 4)
    agreement = next(sheet for sheet in made if sheet.title.startswith("total agreement"))
    assert agreement.headings == ("rule", "fresh 4", "mutation +4", "restart +4")
    assert agreement.rows[0][:2] == ("a|b", "20.0 [13.3–28.9]")
    assert agreement.rows[1][1] == "80.0 [71.5–86.3] (seeds 70.0–90.0)"
    markdown = as_markdown(made, "About.", "Note.")
    assert "| a\\|b | 20.0 [13.3–28.9] | 40.0 [30.9–49.8] | 40.0 [30.9–49.8] |" in markdown
    rows = list(csv.DictReader(io.StringIO(as_csv(two_standings(), 4))))
    (row,) = (
        row
        for row in rows
        if (row["rule"], row["phase"], row["metric"]) == ("c", "fresh", "total_agreement")
    )
    assert (row["runs"], row["step"], row["mean"], row["most"]) == ("2", "4", "0.8", "0.9")
    assert {row["low"] for row in rows if row["metric"] == "undecided"} == {""}


def test_means_of_states_have_three_digits() -> None:
    group = Group("a", (ENTRY,))
    runs = runs_with(state_magnitude=[[0.4, 0.387, 1234.5, np.nan]])
    row = standing(group, {"mutation": runs, "restart": runs}, 4, 100)
    metric, moments = "state_magnitude", [("fresh", 1), ("fresh", 4), ("mutation", 2)]
    values = [row.value(metric, *moment) for moment in moments]  # type: ignore[arg-type]
    assert [told(metric, value, row) for value in values] == ["0.400", "0.387", "1.23e+03"]
    assert told(metric, row.value(metric, "mutation", 4), row) == "–"


def test_the_note_mentions_seeds_only_with_several_seeds() -> None:
    alone, both = two_standings()[:1], two_standings()
    assert "Seeds" not in note(alone)
    assert "seed" not in as_markdown(sheets(alone, 4), "About.", note(alone))
    assert "Seeds: lowest and highest" in note(both)


def test_compare_writes_table_and_figures_and_repeats_them_from_stored_curves(
    trained, tmp_path, monkeypatch
) -> None:
    runs = [str(trained("a")), str(trained("b", seed=1)), str(trained("c", loss="ce"))]
    out, console = tmp_path / "out", Console(record=True, width=100)
    settings = {"limit": 4, "steps": STEPS, "out": out}
    standings = compare_command([*runs, "digits"], "strokes", console=console, **settings)
    assert {row.group.label for row in standings} == {"run: l2", "run: ce", "digits"}
    ordered = [row.value("total_agreement", "fresh", STEPS).mean for row in standings]
    assert ordered == sorted(ordered, reverse=True)
    printed = console.export_text()
    for words in ("4 pictures of strokes, at step 4", "digits", "lowest and the highest"):
        assert words in " ".join(printed.split())
    # One table: a line for each rule, under one head.
    assert [printed.count(label) for label in ("run: l2", "run: ce", "interval\n")] == [1, 1, 0]
    assert "mutation +4" in (out / "table.md").read_text()
    names = {"table.md", "table.csv", "evaluations"}
    names |= {f"{n}.{e}" for n in ("mutation", "restart", "ordering") for e in ("png", "pdf")}
    assert {one.name for one in out.iterdir()} == names
    assert len(list((Path(runs[0]) / "evaluations").iterdir())) == 2
    assert len(list((out / "evaluations").iterdir())) == 2
    before = {one.name: one.read_bytes() for one in out.iterdir() if one.is_file()}
    monkeypatch.setattr(eval_sets, "evaluate", no_evaluation)
    compare_command([*runs, "digits"], "strokes", console=Console(record=True), **settings)
    assert before == {one.name: one.read_bytes() for one in out.iterdir() if one.is_file()}
    with Image.open(out / "mutation.png") as picture:
        assert picture.width > 1000
    assert before["mutation.pdf"].startswith(b"%PDF")


def test_bad_arguments_are_refused_before_the_evaluation(trained, tmp_path) -> None:
    run, out = trained("a"), tmp_path / "out"
    file = tmp_path / "file"
    file.touch()
    for changes, message in (
        ({"limit": 1}, r"a: mutation needs at least 2 pictures, got 1"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"dataset": "stroks"}, "did you mean 'strokes'"),
        ({"out": file}, "file: this is a file, not a folder"),
    ):
        with pytest.raises(ValueError, match=message):
            compare_command([str(run)], **{"dataset": "strokes", "limit": 3, "out": out} | changes)
    assert not out.exists()
    (run / "evaluations").touch()
    with pytest.raises(ValueError, match="evaluations: this is a file, not a folder"):
        compare_command([str(run)], "strokes", limit=3, out=out)
    assert not out.exists()


def test_rules_that_lack_the_classes_are_refused_before_a_picture_is_loaded(
    tmp_path, monkeypatch
) -> None:
    def no_pictures(*arguments, **settings):
        raise AssertionError("pictures were loaded")

    monkeypatch.setattr(compare, "exam_pictures", no_pictures)
    for rule, dataset, message in (
        ("fashion-mnist", "mnist", r"^fashion-mnist: the rule has the classes T-shirt.* lacks 0"),
        ("digits", "letters", r"lacks A, B, .* of letters: leave the rule out, or"),
        ("digits", "strokes+letters", r"lacks A, B, "),
        ("growing-grow", "mnist", r"^growing-grow: this rule has no classes"),
    ):
        with pytest.raises(ValueError, match=message):
            compare_command([rule], dataset, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.undo()
    shapes = tmp_path / "shapes"
    for name in ("0", "moon"):
        (shapes / name).mkdir(parents=True)
        drawing = Image.new("L", (28, 28), 255)
        drawing.paste(0, (9, 5, 18, 23))
        drawing.save(shapes / name / "a.png")
    with pytest.raises(ValueError, match=r"lacks moon of .*shapes"):
        compare_command(["digits"], str(shapes), out=tmp_path / "out")


def test_the_table_of_the_terminal_fits_100_columns() -> None:
    group = Group("l2, noise 0.02, hidden 70/70 " * 3, (SMALL, SMALL))
    long = replace(two_standings()[1], group=group)
    console = Console(record=True, width=200)
    console.print(compact([two_standings()[0], long], 4, "10,000 pictures of fashion-mnist"))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 100
    first = next(line for line in lines if line.startswith("a|b"))
    numbers = "a|b 89,996 -0.30 50.0 20.0 13.3–28.9 50.0 50.0 40.0 40.0"
    assert " ".join(first.split()) == numbers
    assert max(map(len, compact_note([long], 4).splitlines())) <= 100


@pytest.mark.parametrize("held", [["mutation.png", "table.csv"], ["table.md", "thesis.txt"]])
def test_a_folder_with_other_files_is_refused(trained, tmp_path, held) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in held:
        (out / name).write_text("precious")
    with pytest.raises(
        ValueError, match="files that are not a comparison's, so it was not changed"
    ):
        compare_command([str(trained("a"))], "strokes", limit=3, steps=4, out=out)
    assert {file.name: file.read_text() for file in out.iterdir()} == dict.fromkeys(
        held, "precious"
    )


def test_figures_are_drawn_with_nonfinite_states(trained, tmp_path, monkeypatch) -> None:
    wild = runs_with(state_magnitude=[[1.0, 1e20, np.inf, np.nan]], cell_accuracy=[[np.nan] * 4])[0]
    monkeypatch.setattr(eval_sets, "_measured", lambda *_: wild)
    compare_command(
        [str(trained("a"))], "strokes", limit=3, steps=4, out=tmp_path / "out",
        console=Console(record=True),
    )  # fmt: skip
    assert (tmp_path / "out" / "mutation.png").is_file()
