"""The table: cells, half-written lines, new columns, other files."""

import csv

import pytest

from swarm_nca.sweeps.table import Table, number


def row(run, status="done", **more):
    return {"run": run, "status": status, "seed": 0, **more, "seconds": 0.5, "plan": {"a": [1]}}


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_row_is_in_the_file_as_soon_as_it_is_added(tmp_path):
    table = Table(tmp_path / "table.csv", ["steps"])
    table.add(row("a", steps=3, alive=0.1 + 0.2))
    table.add(row("b", steps=[1, 2], alive=float("nan")))
    first, second = read(tmp_path / "table.csv")
    assert float(first["alive"]) == 0.1 + 0.2  # to the last bit
    assert (first["steps"], first["plan"]) == ("3", '{"a": [1]}')
    assert (second["steps"], second["alive"]) == ("[1, 2]", "")


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_half_written_row_is_dropped_and_its_run_is_not_done(tmp_path, cut):
    table = Table(tmp_path / "table.csv", [])
    for name in "abc":
        table.add(row(name, text="two\nlines"))
    whole = table.path.read_bytes()
    table.path.write_bytes(whole[:-cut])
    again = Table(table.path, [])
    assert (again.done("a"), again.done("b"), again.done("c")) == (True, True, False)
    again.add(row("c", text="two\nlines"))
    assert again.path.read_bytes() == whole


def test_a_failed_run_is_not_done_and_a_later_row_replaces_it(tmp_path):
    table = Table(tmp_path / "table.csv", [])
    table.add(row("a", "failed", error="no\tmemory"))
    assert not Table(table.path, []).done("a")
    table.add(row("a", alive=3))
    again = Table(table.path, [])
    assert again.done("a")
    again.sort(["a"])
    assert [line["status"] for line in read(table.path)] == ["done"]


def test_a_new_measure_is_a_new_column_of_all_rows(tmp_path):
    table = Table(tmp_path / "table.csv", ["steps"])
    table.add(row("a", steps=1, alive=2))
    table.add(row("b", steps=1, error_at_96=0.25))
    header = table.path.read_text().splitlines()[0].split(",")
    assert header == [
        *("run", "status", "seed", "steps", "alive", "error_at_96"),
        *("seconds", "failure", "plan"),
    ]
    first, second = Table(table.path, ["steps"]).rows.values()
    assert (number(first, "alive"), number(second, "error_at_96")) == (2.0, 0.25)
    assert number(first, "error_at_96") != number(first, "error_at_96")  # nan


def test_another_csv_file_is_left_alone(tmp_path):
    (tmp_path / "table.csv").write_text("name,age\nann,3\n")
    with pytest.raises(ValueError, match="not the table of a sweep"):
        Table(tmp_path / "table.csv", [])
    assert (tmp_path / "table.csv").read_text() == "name,age\nann,3\n"


def test_the_measure_error_and_the_failure_of_a_run_are_two_columns(tmp_path):
    table = Table(tmp_path / "sweep.csv", ["steps"])
    table.add(row("a", steps=1, error=0.25))
    assert table.rows["a"]["error"] == "0.25"
    old = table.path.read_text().replace(",error,", ",loss,").replace(",failure,", ",error,")
    table.path.write_text(old)
    assert Table(table.path, ["steps"]).columns[-3:] == ["seconds", "failure", "plan"]
