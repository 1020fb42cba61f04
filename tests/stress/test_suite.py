"""A suite keeps what is finished, goes on from it, and refuses another one's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm_nca.rules import Mlp, save_rule
from swarm_nca.stress import suite as suites
from swarm_nca.stress.families import chosen
from swarm_nca.stress.subject import subject_of
from swarm_nca.stress.suite import Suite
from swarm_nca.stress.table import PICTURES, PLAN, TABLE, Store

from .conftest import MakeSuite

NAMES = ["clean", "letters", "dead"]


def test_a_stopped_suite_goes_on_and_ends_with_the_same_files(
    make_suite: MakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_suite(tmp_path / "whole", NAMES).run()
    stopped = make_suite(tmp_path / "stopped", NAMES)

    def interrupt(what: str, done: int, total: int) -> None:
        if what == "dead 0.05" and done % 8 == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped.run(interrupt)
    kept = (tmp_path / "stopped" / TABLE).read_bytes()
    assert (tmp_path / "whole" / TABLE).read_bytes().startswith(kept)
    measured = []
    measure = suites.measured
    monkeypatch.setattr(
        suites,
        "measured",
        lambda subject, name, setting, tick: (
            measured.append((name, setting)) or measure(subject, name, setting, tick)
        ),
    )
    again = make_suite(tmp_path / "stopped", NAMES)
    again.run()
    assert measured == [("dead", share) for share in (0.05, 0.1, 0.15, 0.3, 0.5)]
    for file in (TABLE, PICTURES, PLAN):
        whole, mended = ((tmp_path / name / file).read_bytes() for name in ("whole", "stopped"))
        assert whole == mended, file
    assert again.left == []


def test_a_neutral_setting_equals_the_measurement_it_is_taken_from(
    make_suite: MakeSuite, tmp_path: Path
) -> None:
    both = make_suite(tmp_path / "both", ["clean", "broken", "loss", "dead"])
    both.run()
    alone = make_suite(tmp_path / "alone", ["broken", "dead"])
    alone.run()
    for name in ("broken", "dead"):
        assert both.store.of(name, 0.0) == alone.store.of(name, 0.0)
        assert len(both.store.of(name, 0.0)) == (1 if name == "broken" else 3)


def test_progress_ends_at_the_total_and_never_goes_back(
    make_suite: MakeSuite, tmp_path: Path
) -> None:
    calls: list[tuple[int, int]] = []
    suite = make_suite(tmp_path, ["clean", "broken", "loss"])
    suite.run(lambda what, done, total: calls.append((done, total)))
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert {total for _, total in calls} == {done[-1]}


def test_the_tables_read_back_as_they_were_written(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite(tmp_path, ["clean", "letters", "loss"])
    suite.run()
    read = Store.opened(tmp_path, suite.subject.plan, ())
    assert [str(row) for row in read.rows] == [
        str(row) for row in make_suite(tmp_path, ["clean"]).store.rows
    ]
    for before, after in zip(suite.store.rows, read.rows, strict=True):
        assert (before.family, before.setting, before.step) == (
            after.family,
            after.setting,
            after.step,
        )
        for name, share in before.shares.items():
            assert after.shares[name].value == pytest.approx(share.value, nan_ok=True)
    for one, other in zip(suite.store.pictures, read.pictures, strict=True):
        assert (one.wrong, one.known, one.answers) == (other.wrong, other.known, other.answers)
        assert dict(other.signals) == pytest.approx(dict(one.signals), nan_ok=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "another pictures of the data set, seed"),
        ({"count": 3}, "another pictures of the data set, count"),
        ({"rule": "other"}, "another rule"),
    ],
)
def test_another_suite_s_folder_is_refused_unchanged(
    make_suite: MakeSuite, rule_file: str, tmp_path: Path, change, message: str
) -> None:
    make_suite(tmp_path / "out", ["clean"]).run()
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    if "rule" in change:
        change = {"rule": str(save_rule(Mlp(), tmp_path / "other.safetensors"))}
    arguments = {"rule": rule_file, "data": "strokes", "count": 2, **change}
    with pytest.raises(ValueError, match=message):
        Store.opened(tmp_path / "out", subject_of(**arguments).plan, ())
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before


def test_a_folder_with_other_files_or_a_damaged_table_is_refused(
    make_suite: MakeSuite, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="files that are not a stress suite's"):
        make_suite(tmp_path, ["clean"])
    make_suite(tmp_path / "new", ["clean"]).run()
    (tmp_path / "new" / TABLE).write_text("family,setting\nclean,clean\n")
    with pytest.raises(ValueError, match="damaged or of another version"):
        make_suite(tmp_path / "new", ["clean"])


def test_several_workers_give_the_files_of_one(rule_file: str, tmp_path: Path) -> None:
    small = subject_of(rule_file, "strokes", count=2)
    for workers in (1, 2):
        store = Store.opened(tmp_path / str(workers), small.plan, ())
        Suite(small, chosen(["clean", "broken"], small), store).run(workers=workers)
    for file in (TABLE, PICTURES, PLAN):
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()
