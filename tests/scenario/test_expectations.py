"""Expectations over steps and for a share of worlds, against the tables of the same run."""

import pytest
import torch

from swarm_nca.config import LocatedError
from swarm_nca.measure.readings import Ratio
from swarm_nca.scenario import load, run
from swarm_nca.scenario.judging import Judge
from swarm_nca.scenario.junit import told
from swarm_nca.scenario.schema import Expect

#: Boards of Life whose living cells first fall, then rise, each in its own way.
BOARDS = """\
name: boards
rule: {kind: life, rule: B3/S23}
images: {soup: 0.4, size: [12, 12], count: 5}
topology: {torus: true}
steps: 12
record: {picture: false}
"""


@pytest.fixture
def judged(tmp_path):
    """Run the boards with one expectation, given as YAML; returns it and the run."""

    def run_with(expectation, text=BOARDS):
        path = tmp_path / "boards.yaml"
        path.write_text(f"{text}expect:\n  - {{{expectation}}}\n", encoding="utf-8")
        done = run(path)
        return done.expectations[0], done

    return run_with


def pooled(done, first, last):
    rows = done.pooled[(done.pooled["step"] >= first) & (done.pooled["step"] <= last)]
    return rows["alive"]


def test_from_and_to_need_the_bounds_at_every_step_and_show_the_worst(judged):
    result, done = judged("metric: alive, from: 3, to: 7, min: 1")
    lowest = pooled(done, 3, 7).min()
    assert (result.passed, result.value) == (True, lowest)
    for bound, passed in ((lowest, True), (lowest + 1, False)):
        assert judged(f"metric: alive, from: 3, to: 7, min: {bound}")[0].passed is passed
    highest = pooled(done, 3, 7).max()
    for bound, passed in ((highest, True), (highest - 1, False)):
        result, _ = judged(f"metric: alive, from: 3, to: 7, max: {bound}")
        assert (result.passed, result.value) == (passed, highest)


def test_without_an_end_they_reach_from_the_start_and_to_the_end(judged):
    result, done = judged("metric: alive, from: 5, min: 0")
    assert result.value == pooled(done, 5, 12).min()
    result, done = judged("metric: alive, to: 4, max: 1000")
    assert (result.value, result.at, result.to) == (pooled(done, 0, 4).max(), 0, 4)


def test_within_needs_the_bounds_once_and_names_the_step(judged):
    _, done = judged("metric: alive, at: 2, min: 0")
    few = pooled(done, 2, 8)
    low, step = few.min(), int(done.pooled["step"][few.idxmin()])
    result, _ = judged(f"metric: alive, at: 2, within: 6, max: {low}")
    assert (result.passed, result.value, result.reached) == (True, low, step)
    result, _ = judged(f"metric: alive, at: 2, within: 6, max: {low - 1}")
    assert (result.passed, result.value, result.reached) == (False, low, None)
    early = step - 3
    assert early >= 0
    result, _ = judged(f"metric: alive, at: {early}, within: 2, max: {low}")
    assert not result.passed


@pytest.mark.parametrize("when", ["at: 6", "from: 4, to: 6", "at: 4, within: 2"])
def test_a_share_of_worlds_is_judged_world_by_world(judged, when):
    _, done = judged("metric: alive, at: 6, min: 0")
    table = done.metrics.pivot(index="step", columns="world", values="alive")
    span = table.loc[6:6] if when == "at: 6" else table.loc[4:6]
    bound = sorted(table.loc[6])[2]
    met = (span >= bound).any() if "within" in when else (span >= bound).all()
    share = met.mean()
    assert 0 < share <= 1
    result, _ = judged(f"metric: alive, {when}, min: {bound}, share: {share}")
    assert (result.passed, result.value) == (True, share)
    if share < 1:
        assert not judged(f"metric: alive, {when}, min: {bound}, share: {share + 0.1}")[0].passed


def test_worlds_without_a_value_do_not_count_for_a_share():
    judge = Judge(Expect(metric="cell_accuracy", at=1, min=0.5, share=0.5), steps=3)
    part, whole = torch.tensor([0, 1, 3]), torch.tensor([0, 4, 4])  # nan, 0.25, 0.75
    judge.see(1, Ratio(part, whole))
    assert (judge.result.value, judge.result.passed) == (0.5, True)
    judge = Judge(Expect(metric="cell_accuracy", at=1, min=0.5, share=0.5), steps=3)
    judge.see(1, Ratio(part[:1], whole[:1]))
    assert not judge.result.passed
    assert judge.result.unknown


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        ("at: 3, min: 1", "alive at 3 ≥ 1"),
        ("from: 3, to: 5, max: 9", "alive from 3 to 5 ≤ 9"),
        ("at: 3, within: 4, min: 2, max: 2", "alive within 4 steps of 3 = 2"),
        ("at: 3, min: 1, share: 0.9", "alive at 3 ≥ 1 in 90 % of worlds"),
    ],
)
def test_an_expectation_is_told_in_one_line(judged, expectation, words):
    assert told(judged(f"metric: alive, {expectation}")[0]) == words


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ("min: 1", "needs its steps: at: 200, or from: 100 and to: 200"),
        ("at: 3, to: 4, min: 1", "at cannot be combined with from and to"),
        ("from: 3, within: 4, min: 1", "within needs at"),
        ("from: 9, to: 4, min: 1", r"to must be at least from \(9\), got 4"),
        ("at: 10, within: 4, min: 1", "within: must be a step of the run, 0 to 12, got 14"),
        ("from: 13, min: 1", "from: must be a step of the run, 0 to 12, got 13"),
        ("at: 3, min: 1, share: 0", "share: must be above 0"),
        ("at: 3, min: 1, shar: 1", "unknown key 'shar' .did you mean 'share'"),
        ("form: 3, min: 1", "unknown key 'form' .did you mean 'from'"),
    ],
)
def test_a_mistake_has_its_place_and_cure(tmp_path, expectation, message):
    path = tmp_path / "boards.yaml"
    path.write_text(f"{BOARDS}expect:\n  - {{metric: alive, {expectation}}}\n", encoding="utf-8")
    with pytest.raises(LocatedError, match=message):
        load(path)


def test_the_resolved_scenario_keeps_the_expectation(judged):
    _, done = judged("metric: alive, at: 2, within: 6, max: 60, share: 0.5")
    assert "within: 6" in done.scenario
    assert "share: 0.5" in done.scenario
    assert "from" not in done.scenario.split("expect:")[1]
