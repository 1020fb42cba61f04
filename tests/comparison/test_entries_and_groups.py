"""Entries are found or refused with the cure, and grouped by all settings except the seed."""

from __future__ import annotations

import shutil

import pytest

from swarm_nca.comparison.entries import entries
from swarm_nca.comparison.groups import grouped
from swarm_nca.config import LocatedError


def groups_of(*places) -> list[tuple[str, list[str]]]:
    """Label and arguments of each group."""
    groups = grouped(entries([str(place) for place in places]))
    return [(group.label, [entry.given for entry in group.entries]) for group in groups]


def test_runs_that_differ_only_in_seed_and_name_are_one_group(trained) -> None:
    runs = [
        trained("a", name="l2-noise-0", seed=0),
        trained("b", name="ce-0", loss="ce"),
        trained("c", name="l2-noise-1", seed=1),
    ]
    a, b, c = map(str, runs)
    assert groups_of(*runs) == [("l2-noise", [a, c]), ("ce-0", [b])]


def test_groups_of_one_name_are_labelled_by_their_differences(trained) -> None:
    runs = [
        trained("a"),
        trained("b", loss="ce", rule={"noise": 0.0}),
        trained("c", loss="ce", seed=1),
    ]
    labels = [label for label, _ in groups_of(*runs)]
    assert labels == ["l2, noise 0.02", "ce, noise 0", "ce, noise 0.02"]


def test_a_unique_name_is_the_label(trained) -> None:
    runs = [trained("a", name="mine"), trained("b", pool=80), trained("c", pool=40)]
    assert [label for label, _ in groups_of(*runs)] == ["mine", "run: pool 80", "run: pool 40"]


def test_a_run_that_stopped_early_is_a_group_of_its_own(trained) -> None:
    runs = [trained("a"), trained("b", seed=1, trained=3)]
    assert [label for label, _ in groups_of(*runs)] == ["complete", "stopped at 3"]


def test_a_run_without_a_setting_of_others_is_labelled_as_lacking_it(trained) -> None:
    runs = [
        trained("a"),
        trained("b", wounds={"share": 0.5}),
        trained("c", wounds={"share": 0.5}, loss="ce"),
    ]
    labels = [label for label, _ in groups_of(*runs)]
    wounded = "share 0.5, strength 1"
    assert labels == ["l2, no wounds", f"l2, {wounded}", f"ce, {wounded}"]


def test_settings_of_every_kind_have_readable_labels(trained) -> None:
    strokes = {"dataset": "strokes", "count": 12}
    base = {"data": [strokes], "rule": {"hidden": [6, 5]}}
    runs = [
        trained("a", **base),
        trained("b", **base | {"bound": 3.0}),
        trained("c", **base | {"fresh": [0.5, 0.25], "data": [{"dataset": "mnist"}]}),
    ]
    assert [label for label, _ in groups_of(*runs)] == [
        "strokes, count 12, fresh 0.25, no bound",
        "strokes, count 12, fresh 0.25, bound 3",
        "mnist, no count, fresh 0.5/0.25, no bound",
    ]


def test_a_label_names_the_setting_if_its_value_is_not_a_word(trained) -> None:
    strokes, letters = ({"dataset": name, "count": 9} for name in ("strokes", "letters"))
    base = {"held_out": 2}
    runs = [
        trained("a", **base, normalize="none", data=[strokes, letters]),
        trained("b", **base, data=[strokes], schedule={"shape": "steps", "drops": [2, 4]}),
    ]
    assert [label for label, _ in groups_of(*runs)] == [
        "letters, constant, no normalize, count 9, seed 0, no only, known True, no drops",
        "1 source, steps, tensors, drops 2/4",
    ]


def test_settings_without_effect_on_training_do_not_split_groups(trained, tmp_path) -> None:
    (tmp_path / "deep").mkdir()
    runs = [
        trained(
            "a", data=[{"folder": "pictures"}], rule={"weights": "../own.safetensors"}, log_every=50
        ),
        trained(
            "deep/b",
            data=[{"folder": "../../a/pictures"}],
            rule={"weights": "../../own.safetensors"},
            log_every=10,
            seed=1,
        ),
    ]
    assert [label for label, _ in groups_of(*runs)] == ["run"]


def test_labels_have_whole_numbers_in_full_and_count_sources(trained) -> None:
    strokes, letters, doodles = (
        {"dataset": name, "count": 123_456} for name in ("strokes", "letters", "doodles")
    )
    runs = [
        trained("a", data=[strokes]),
        trained("b", data=[strokes | {"count": 123_457}, letters, doodles]),
    ]
    one, three = (label for label, _ in groups_of(*runs))
    assert one == "count 123456, 1 source"
    assert three.startswith("count 123457, letters, ")


def test_a_shipped_rule_has_priority_over_a_folder_of_its_name(
    trained, tmp_path, monkeypatch
) -> None:
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    (entry,) = entries(["digits"])
    assert len(entry.rule.classes) == 10


def test_a_folder_with_a_rule_and_no_recipe_is_a_rule_without_run(trained) -> None:
    run = trained("a")
    (run / "recipe.yaml").unlink()
    (entry,) = entries([str(run)])
    assert (entry.name, entry.folder, entry.settings) == ("a", None, ())


def test_rules_without_run_are_labelled_by_file_or_name(trained, tmp_path) -> None:
    first, second = (trained(name) / "rule.safetensors" for name in "ab")
    twin = tmp_path / "deeper" / "a.safetensors"
    twin.parent.mkdir()
    shutil.copy(second, twin)
    alone = shutil.copy(first, tmp_path / "alone.safetensors")
    assert groups_of("digits", alone) == [("digits", ["digits"]), ("alone", [str(alone)])]
    assert [label for label, _ in groups_of(first, second)] == ["a", "b"]
    assert [label for label, _ in groups_of(first, twin)] == [str(first), str(twin)]


def test_the_same_rule_twice_is_refused(trained) -> None:
    run = trained("a")
    with pytest.raises(ValueError, match=r"a/rule.safetensors: the same rule as .*a; give each"):
        entries([str(run), str(run / "rule.safetensors")])


def test_a_folder_of_runs_is_refused_with_the_pattern_to_give(trained, tmp_path) -> None:
    trained("a")
    trained("b")
    with pytest.raises(ValueError, match=r"but 2 training runs: give .*/\*"):
        entries([str(tmp_path)])


def test_a_folder_without_a_run_is_refused_with_a_similar_folder(trained, tmp_path) -> None:
    trained("sparsemax")
    (tmp_path / "sparsemx").mkdir()
    with pytest.raises(ValueError, match=r"holds no rule.safetensors \(did you mean 'sparsemax'"):
        entries([str(tmp_path / "sparsemx")])


def test_an_unknown_name_is_refused_with_a_shipped_rule() -> None:
    with pytest.raises(ValueError, match=r"no rule 'digts' \(did you mean 'digits'\?\)"):
        entries(["digts"])


def test_a_broken_recipe_is_refused_with_its_place(trained) -> None:
    run = trained("a")
    recipe = run / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("loss: l2", "loss: l3"))
    with pytest.raises(LocatedError, match=r"recipe.yaml:\d+:\d+: loss: .*l3"):
        entries([str(run)])


def test_a_list_of_words_is_a_label(trained) -> None:
    quantized = {"kind": "quantized", "hidden": [6], "filters": ["int3", "int3"]}
    other = quantized | {"filters": ["int2", "int3"]}
    runs = [trained("a", rule=quantized), trained("b", rule=other)]
    labels = [label for label, _ in groups_of(*runs)]
    assert labels == ["filters int3/int3", "filters int2/int3"]
