"""A run folder is complete or absent, and never replaces other files."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm_nca.atomic import NotWritten, temporary_name
from swarm_nca.cli import app
from swarm_nca.recording import folder as folder_module
from swarm_nca.scenario import load, run
from swarm_nca.scenario.placing import MARKS, check_place, place


def a_run(folder, word="new"):
    for mark in (*MARKS, "report.html"):
        (folder / mark).write_text(word)


def test_a_run_is_written_to_a_free_place(tmp_path):
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
def test_a_failed_or_stopped_run_leaves_only_the_earlier_run(tmp_path, stop):
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


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/dear.txt").write_text("you")
    with pytest.raises(ValueError, match="holds files that are not a run's, so it was not changed"):
        check_place(tmp_path / "letters")
    with pytest.raises(ValueError, match="this is a file"):
        check_place(tmp_path / "letters/dear.txt")
    with pytest.raises(ValueError, match="is a file, not a folder"):
        check_place(tmp_path / "letters/dear.txt/run")
    (tmp_path / "empty").mkdir()
    check_place(tmp_path / "empty")


def test_a_run_folder_with_a_foreign_file_is_refused(tmp_path):
    place(tmp_path / "run", a_run)
    (tmp_path / "run/.DS_Store").touch()
    check_place(tmp_path / "run")
    (tmp_path / "run/notes.txt").write_text("what I saw")
    with pytest.raises(ValueError, match=r"also 'notes\.txt', which no run writes"):
        place(tmp_path / "run", a_run)
    assert (tmp_path / "run/notes.txt").read_text() == "what I saw"


def test_the_working_directory_is_refused(tmp_path, monkeypatch):
    place(tmp_path / "run", a_run)
    (tmp_path / "run/empty").mkdir()
    monkeypatch.chdir(tmp_path / "run/empty")
    with pytest.raises(ValueError, match="in use"):
        check_place(Path("."))
    with pytest.raises(ValueError, match="was not changed"):
        check_place(Path(".."))
    (tmp_path / "run/empty").rmdir()
    monkeypatch.chdir(tmp_path / "run")
    with pytest.raises(ValueError, match="in use"):
        check_place(Path("."))


def test_a_link_to_a_run_stays_and_its_run_is_replaced(tmp_path):
    place(tmp_path / "real/run", lambda folder: a_run(folder, "old"))
    (tmp_path / "link").symlink_to(tmp_path / "real/run", target_is_directory=True)
    place(tmp_path / "link", a_run)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/run/metrics.csv").read_text() == "new"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "real"]
    assert [one.name for one in (tmp_path / "real").iterdir()] == ["run"]


def test_relative_paths_in_a_linked_run_folder_are_valid(write, tmp_path):
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


def test_the_place_is_checked_before_the_first_step(write, tmp_path):
    def never(done, steps):
        raise AssertionError

    with pytest.raises(ValueError, match="was not changed"):
        run(write(), tmp_path, progress=never)


def names_in(folder):
    return sorted(one.name for one in folder.iterdir())


def test_a_file_that_appears_in_the_empty_folder_stays_and_the_run_is_kept_beside_it(tmp_path):
    (tmp_path / "run").mkdir()

    def slow(folder):
        a_run(folder)
        (tmp_path / "run/notes.txt").write_text("mine")

    message = r"was not changed; .* the new run is kept in \S+/run-2$"
    with pytest.raises(ValueError, match=message):
        place(tmp_path / "run", slow)
    assert (tmp_path / "run/notes.txt").read_text() == "mine"
    assert names_in(tmp_path / "run") == ["notes.txt"]
    assert (tmp_path / "run-2/metrics.csv").read_text() == "new"
    assert names_in(tmp_path) == ["run", "run-2"]


def test_a_file_that_appears_at_the_free_place_stays_and_the_run_is_kept_beside_it(tmp_path):
    (tmp_path / "run-2").write_text("mine too")

    def slow(folder):
        a_run(folder)
        (tmp_path / "run").write_text("mine")

    with pytest.raises(ValueError, match=r"this is a file; .* is kept in \S+/run-3$"):
        place(tmp_path / "run", slow)
    assert (tmp_path / "run").read_text() == "mine"
    assert (tmp_path / "run-2").read_text() == "mine too"
    assert (tmp_path / "run-3/metrics.csv").read_text() == "new"
    assert names_in(tmp_path) == ["run", "run-2", "run-3"]


@pytest.mark.parametrize("earlier", [True, False], ids=["an earlier run", "nothing"])
@pytest.mark.parametrize("kind", ["file inside", "file instead", "folder instead"])
@pytest.mark.parametrize("nth", [1, 2])
def test_files_that_appear_between_the_last_check_and_a_move_survive(
    tmp_path, monkeypatch, earlier, kind, nth
):
    """The hook acts before the nth move: of the earlier run aside, or of the new run in."""
    if earlier:
        place(tmp_path / "run", lambda folder: a_run(folder, "old"))
    notes = tmp_path / ("run" if kind == "file instead" else "run/notes.txt")
    moves, rename = [], Path.rename

    def hooked(self, target):
        moves.append(self)
        if len(moves) == nth:
            if kind == "folder instead" and not notes.parent.exists():
                notes.parent.mkdir()
            if notes.parent.is_dir() and not notes.is_dir():
                notes.write_text("mine")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", hooked)
    try:
        place(tmp_path / "run", a_run)
        message = None
    except ValueError as error:
        message = str(error)
    if notes.is_file():
        assert notes.read_text() == "mine"
        assert message is not None
        assert "was not changed" in message
        assert message.endswith(f"is kept in {tmp_path}/run-2")
        assert (tmp_path / "run-2/metrics.csv").read_text() == "new"
        assert names_in(tmp_path) == ["run", "run-2"]
    else:  # the hook wrote nothing: there was no such move, or no folder for the file
        assert message is None
        assert (tmp_path / "run/metrics.csv").read_text() == "new"
        assert names_in(tmp_path) == ["run"]


def test_a_folder_with_the_name_of_a_run_file_is_kept(tmp_path):
    place(tmp_path / "run", a_run)
    (tmp_path / "run/states.npz").mkdir()
    (tmp_path / "run/states.npz/mine").write_text("mine")
    with pytest.raises(ValueError, match=r"also 'states\.npz', which no run writes"):
        place(tmp_path / "run", a_run)
    assert (tmp_path / "run/states.npz/mine").read_text() == "mine"


def test_the_command_prints_where_a_run_is_kept_whose_place_was_taken(write, tmp_path, monkeypatch):
    written = folder_module.write_atomically

    def slow(path, data):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run/notes.txt").write_text("mine")
        written(path, data)

    monkeypatch.setattr(folder_module, "write_atomically", slow)
    scenario = write(record="{picture: false}")
    done = CliRunner().invoke(app, ["run", str(scenario), "--out", str(tmp_path / "run")])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith(f"is kept in {tmp_path}/run-2")
    assert (tmp_path / "run/notes.txt").read_text() == "mine"
    assert (tmp_path / "run-2/metrics.csv").is_file()


def left_by_a_killed_process(path, ending):
    """The temporary name of a process that has ended."""
    code = (
        "import sys; from pathlib import Path; from swarm_nca.atomic import temporary_name;"
        "print(temporary_name(Path(sys.argv[1]), sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(path), ending]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def test_temporary_folders_of_killed_runs_are_removed_and_those_of_live_processes_stay(tmp_path):
    new = left_by_a_killed_process(tmp_path / "run", "new")
    old = left_by_a_killed_process(tmp_path / "run", "old")
    other = left_by_a_killed_process(tmp_path / "other", "new")
    living = temporary_name(tmp_path / "run", "others")
    for folder in (new, old, other, living):
        folder.mkdir()
        a_run(folder, "old")
    place(tmp_path / "run", a_run)
    assert (tmp_path / "run/metrics.csv").read_text() == "new"
    assert names_in(tmp_path) == sorted(["run", other.name, living.name])


def test_an_earlier_run_that_a_killed_run_moved_aside_is_moved_back(tmp_path):
    old = left_by_a_killed_process(tmp_path / "run", "old")
    old.mkdir()
    a_run(old, "old")
    check_place(tmp_path / "run")
    assert (tmp_path / "run/metrics.csv").read_text() == "old"
    assert names_in(tmp_path) == ["run"]


#: Replaces a run, and is stopped before its first, second, … access to the file system. Prints the
#: number of accesses.
STOPPED = """
import os, signal, sys
from pathlib import Path
from swarm_nca.atomic import write_atomically
from swarm_nca.scenario.placing import MARKS, check_place, place

root = Path(sys.argv[1])
os.fsync = lambda handle: None
watched = ("open", "tempfile.mkstemp", "shutil.rmtree")

def writer(word):
    return lambda folder: [write_atomically(folder / mark, word) for mark in MARKS]

def stop_at(nth):
    seen = 0
    def hook(event, args):
        nonlocal seen
        seen += event in watched or event.startswith("os.")
        if seen == nth:
            seen += 1
            os.kill(os.getpid(), number)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.addaudithook(hook)

def found(place):
    assert sorted(os.listdir(place)) == sorted(MARKS), (nth, os.listdir(place))
    (word,) = {(place / mark).read_bytes() for mark in MARKS}
    return word

for number in (signal.SIGTERM, signal.SIGKILL):
    nth, words, code = 0, set(), None
    while code != 0:
        nth += 1
        run = root / f"{number}-{nth}" / "run"
        place(run, writer(b"old"))
        child = os.fork()
        if not child:
            stop_at(nth)
            try:
                place(run, writer(b"new"))
            except KeyboardInterrupt:
                os._exit(130)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if number == signal.SIGKILL:
            check_place(run)
        assert os.listdir(run.parent) == ["run"], (nth, code, os.listdir(run.parent))
        words.add(found(run))
    assert words == {b"old", b"new"}
    print(nth - 1)
"""


def test_a_run_stopped_at_any_access_leaves_only_the_earlier_or_the_new_run(tmp_path):
    """Immediately after SIGTERM; after SIGKILL once the next run starts."""
    done = subprocess.run(
        [sys.executable, "-c", STOPPED, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(int(count) > 50 for count in done.stdout.split())


@pytest.mark.parametrize(
    "out", ["loop", "loop/run", "a" * 300, "new/" + "a" * 300, "a" * 250], ids=lambda out: out[:8]
)
def test_an_impossible_path_is_refused_before_the_first_step(write, tmp_path, out):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    def never(done, steps):
        raise AssertionError

    before = names_in(tmp_path)
    with pytest.raises(ValueError, match=r"\((Too many|File name).*\); choose another"):
        run(write(), tmp_path / out, progress=never)
    assert names_in(tmp_path) == sorted([*before, "short.yaml"])


def test_a_full_disk_is_reported_with_the_final_path_of_the_file(write, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    scenario = write(record="{picture: false}")
    before = names_in(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritten) as raised:
        run(scenario, tmp_path / "run")
    assert str(raised.value) == (
        f"{tmp_path}/run/scenario.yaml: not written (No space left on device); free some space on "
        "that disk, or choose another place"
    )
    assert names_in(tmp_path) == before
