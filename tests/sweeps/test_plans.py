"""What a sweep runs: combinations, draws, names, and mistakes with their place."""

import pytest

from swarm_nca.config import LocatedError
from swarm_nca.sweeps.plans import checked, plans_of
from swarm_nca.sweeps.reading import opened

SAMPLE = """\
base: board.yaml
sample:
  count: {count}
  images.soup: {{uniform: [0.1, 0.6]}}
  steps: {{integers: [2, 5]}}
"""


def plans(path, *overrides, seeds=None):
    return plans_of(opened(path, overrides, seeds))


def test_a_grid_runs_every_combination_with_every_seed_once(write):
    found = [(p.values["steps"], p.values["images.soup"], p.seed) for p in plans(write())]
    assert found == [(t, s, n) for t in (3, 4) for s in (0.2, 0.5) for n in (0, 1)]


def test_a_plan_is_the_whole_scenario_with_its_values_and_seed(write):
    last = plans(write())[-1]
    assert last.data["steps"] == 4
    assert last.data["images"] == {"soup": 0.5, "size": [8, 8]}
    assert last.data["seed"] == 1
    assert last.data["rule"] == {"kind": "life", "rule": "B3/S23"}


def test_a_name_depends_on_the_plan_and_not_on_the_sweep_around_it(write):
    path = write()
    names = {plan.name for plan in plans(path)}
    assert len(names) == 8
    alone = plans(path, "steps=4", "images.soup=0.5", seeds="1")
    assert [plan.name for plan in alone] == [plans(path)[-1].name]
    write(base=path.with_name("board.yaml").read_text().replace("B3/S23", "B36/S23"))
    assert names.isdisjoint(plan.name for plan in plans(path))


def test_a_name_depends_on_the_bytes_of_the_rule_file(write, tmp_path, busy_rule):
    from swarm_nca.rules import save_rule

    rule = busy_rule(hidden=(8, 8))
    save_rule(rule, tmp_path / "own.safetensors")
    base = "rule: own.safetensors\nimages: {dataset: strokes, label: 7}\nsteps: 3\n"
    path = write("base: board.yaml\nseeds: 0\n", base)
    (before,) = plans(path)
    rule.output[0, 0] += 1
    save_rule(rule, tmp_path / "own.safetensors")
    from swarm_nca.sweeps.plans import _digest

    _digest.cache_clear()
    (after,) = plans(path)
    assert before.data == after.data
    assert before.name != after.name


def test_a_larger_sample_keeps_the_draws_of_a_smaller_one(write):
    few = [plan.values for plan in plans(write(SAMPLE.format(count=3)))]
    many = [plan.values for plan in plans(write(SAMPLE.format(count=9)))]
    assert many[:3] == few
    assert len({values["images.soup"] for values in many}) == 9
    assert all(0.1 <= values["images.soup"] <= 0.6 for values in many)
    assert {values["steps"] for values in many} <= {2, 3, 4, 5}


def test_a_further_key_changes_no_draw_of_the_others(write):
    text = SAMPLE.format(count=4)
    before = [plan.values["images.soup"] for plan in plans(write(text))]
    more = text + "  seeds: {choice: [1]}\n".replace("seeds", "images.seed")
    assert [plan.values["images.soup"] for plan in plans(write(more))] == before


@pytest.mark.parametrize(
    ("kind", "bounds", "share", "value"),
    [
        ("uniform", [2, 4], 0.25, 2.5),
        ("log_uniform", [1e-4, 1e-2], 0.5, 1e-3),
        ("integers", [1, 4], 0.999, 4),
        ("integers", [1, 4], 0.0, 1),
        ("choice", ["a", "b"], 0.5, "b"),
    ],
)
def test_a_distribution_gives_the_value_below_which_a_share_lies(kind, bounds, share, value):
    from swarm_nca.sweeps.schema import Distribution

    assert Distribution(**{kind: bounds}).at(share) == pytest.approx(value)


def test_sample_and_grid_meet_each_other(write):
    text = SAMPLE.format(count=2).replace("  steps: {integers: [2, 5]}\n", "")
    found = plans(write(text + "grid: {steps: [2, 3]}\n"))
    assert [plan.values["steps"] for plan in found] == [2, 2, 3, 3]


def test_values_of_the_command_line_replace_those_of_the_file(write):
    found = plans(write(), "images.size=[4, 4],[6, 6]", "steps=7", seeds="3,5-6")
    assert {plan.seed for plan in found} == {3, 5, 6}
    assert {plan.values["steps"] for plan in found} == {7}
    assert [plan.values["images.size"] for plan in found[::3]] == [[4, 4], [6, 6]] * 2


def test_paths_are_relative_to_the_file_that_holds_them(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "glider.rle").write_text("x = 3, y = 3, rule = B3/S23\nbob$2bo$3o!\n")
    base = "rule: {kind: life, rule: B3/S23}\nimages: {rle: 'bo!'}\ncanvas: [8, 8]\nsteps: 2\n"
    write("base: board.yaml\n", base)
    path = tmp_path / "deep" / "sweep.yaml"
    path.write_text("base: ../board.yaml\ngrid: {images.rle: [../glider.rle]}\n")
    inside = checked(opened(path))[0].data["images"]
    outside = checked(opened(path, ["images.rle=glider.rle"]))[0].data["images"]
    assert inside == outside == {"rle": "glider.rle"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("grid:", "gird:", "3:1: gird: unknown key 'gird' .did you mean 'grid'"),
        ("steps: [3, 4]", "stepps: [3]", "4:12: stepps: unknown key 'stepps' .*'steps'"),
        ("[0.2, 0.5]", "[0.2, 5]", "5:22: images.soup: must be at most 1, got 5"),
        ("board.yaml", "bord.yaml", "2:7: base: there is no file .*bord.yaml"),
        ("seeds: 0-1", "seeds: 1-0", "6:8: seeds: seeds are numbers or ranges"),
        ("images.soup", "seed", "5:10: seed: cannot be swept: give the seeds as seeds"),
        ("steps: [3, 4]", "expect.0.at: [9]", r"expect\[0\].at: must be a step of the run"),
        ("steps: [3, 4]", "steps: []", "4:10: "),
        (
            "seeds: 0-1",
            "show: [alife]",
            r"6:8: show\[0\]: no measure 'alife' .did you mean 'alive'",
        ),
        ("seeds: 0-1", "show: [seconds, error]", r"6:17: show\[1\]: no measure 'error'"),
    ],
)
def test_a_mistake_has_its_place_in_the_sweep(write, old, new, message):
    path = write()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(LocatedError, match=message):
        checked(opened(path))


def test_a_search_for_an_unknown_measure_is_refused(write):
    text = "base: board.yaml\nsearch: {trials: 2, maximize: cell_accuracy, steps: {choice: [3]}}\n"
    with pytest.raises(
        LocatedError, match=r"2:31: search.maximize: no measure .*: there are alive,"
    ):
        checked(opened(write(text)))


def test_a_sweep_over_rules_may_name_measures_of_any(write):
    text = "base: board.yaml\nshow: [cell_accuracy]\ngrid: {rule.rule: [B3/S23, B36/S23]}\n"
    assert len(checked(opened(write(text)))) == 2


def test_a_mistake_of_the_command_line_names_its_option(write):
    with pytest.raises(LocatedError, match=r"--set stepps=1: stepps: unknown key .*'steps'"):
        checked(opened(write(), ["stepps=1"]))
    with pytest.raises(LocatedError, match="--seeds 1-x: seeds are numbers"):
        opened(write(), seeds="1-x")


def test_too_many_runs_are_refused_before_they_are_made(write):
    with pytest.raises(LocatedError, match=r"at most 100,000 runs, got 400,000: give fewer"):
        plans(write(), seeds="0-99999")
