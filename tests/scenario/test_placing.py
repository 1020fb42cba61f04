"""A run folder is whole or not there, and never takes another's place."""

from pathlib import Path

import pytest

from swarm_nca.scenario import load, run
from swarm_nca.scenario.placing import MARKS, check_place, place


def a_run(folder, word="new"):
    for mark in (*MARKS, "report.html"):
        (folder / mark).write_text(word)


def test_a_run_is_written_where_nothing_is(tmp_path):
    place(tmp_path / "runs" / "first", a_run)
    assert (tmp_path / "runs/first/metrics.csv").read_text() == "new"
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["first"]


def test_an_earlier_run_is_replaced_as_a_whole(tmp_path):
    place(tmp_path / "run", lambda folder: (a_run(folder, "old"), (folder / "states.npz").touch()))
    place(tmp_path / "run", a_run)
    assert (tmp_path / "run/metrics.csv").read_text() == "new"
    assert not (tmp_path / "run/states.npz").exists()
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError, ValueError])
def test_whatever_stops_the_writing_leaves_the_earlier_run_and_nothing_else(tmp_path, stop):
    place(tmp_path / "run", lambda folder: a_run(folder, "old"))

    def half_way(folder):
        (folder / "metrics.csv").write_text("half")
        raise stop

    with pytest.raises(stop):
        place(tmp_path / "run", half_way)
    with pytest.raises(stop):
        place(tmp_path / "other", half_way)
    assert (tmp_path / "run/metrics.csv").read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/dear.txt").write_text("you")
    with pytest.raises(ValueError, match="holds something else than a run and is left alone"):
        check_place(tmp_path / "letters")
    with pytest.raises(ValueError, match="this is a file"):
        check_place(tmp_path / "letters/dear.txt")
    with pytest.raises(ValueError, match="is a file, not a folder"):
        check_place(tmp_path / "letters/dear.txt/run")
    (tmp_path / "empty").mkdir()
    check_place(tmp_path / "empty")


def test_a_run_folder_with_a_file_of_ones_own_in_it_is_left_alone(tmp_path):
    place(tmp_path / "run", a_run)
    (tmp_path / "run/.DS_Store").touch()
    check_place(tmp_path / "run")
    (tmp_path / "run/notes.txt").write_text("what I saw")
    with pytest.raises(ValueError, match=r"holds 'notes\.txt', which no run writes"):
        place(tmp_path / "run", a_run)
    assert (tmp_path / "run/notes.txt").read_text() == "what I saw"


def test_the_folder_one_stands_in_is_left_alone(tmp_path, monkeypatch):
    place(tmp_path / "run", a_run)
    (tmp_path / "run/empty").mkdir()
    monkeypatch.chdir(tmp_path / "run/empty")
    with pytest.raises(ValueError, match="in use"):
        check_place(Path("."))
    with pytest.raises(ValueError, match="left alone"):
        check_place(Path(".."))
    (tmp_path / "run/empty").rmdir()
    monkeypatch.chdir(tmp_path / "run")
    with pytest.raises(ValueError, match="in use"):
        check_place(Path("."))


def test_a_link_to_a_run_stays_one_and_the_run_behind_it_is_replaced(tmp_path):
    place(tmp_path / "real/run", lambda folder: a_run(folder, "old"))
    (tmp_path / "link").symlink_to(tmp_path / "real/run", target_is_directory=True)
    place(tmp_path / "link", a_run)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/run/metrics.csv").read_text() == "new"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "real"]
    assert [one.name for one in (tmp_path / "real").iterdir()] == ["run"]


def test_paths_in_a_run_behind_a_link_lead_to_their_files(write, tmp_path):
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far/away", target_is_directory=True)
    run(write(record="{picture: false}"), tmp_path / "link")
    assert load(tmp_path / "far/away/scenario.yaml").settings.steps == 8


def test_a_run_that_is_stopped_leaves_no_folder(write, tmp_path):
    def stop(done, steps):
        if done == 3:
            raise KeyboardInterrupt

    before = {one.name for one in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        run(write(), tmp_path / "runs" / "out", progress=stop)
    assert {one.name for one in tmp_path.iterdir()} - before == {"short.yaml"}


def test_the_place_is_looked_at_before_the_first_step(write, tmp_path):
    def never(done, steps):
        raise AssertionError

    with pytest.raises(ValueError, match="left alone"):
        run(write(), tmp_path, progress=never)
