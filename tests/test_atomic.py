"""Atomic file writing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from swarm_nca.atomic import (
    NotWritten,
    check_file,
    check_folder,
    leftovers,
    temporary_name,
    write_atomically,
)


def test_a_file_is_written_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "rule.bin"
    for data in (b"first", b"", b"x" * 100_000):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["rule.bin"]
    (tmp_path / "ordinary").touch()
    assert path.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_failure_leaves_the_old_file_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rule.bin"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["rule.bin"]


def test_an_interruption_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "rule.bin", b"new")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_refused_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nowhere/rule\.bin: not written \(No such file"):
        write_atomically(tmp_path / "nowhere" / "rule.bin", b"new")
    assert os.listdir(tmp_path) == []


def test_checks_accept_writable_paths_and_leave_no_trace(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(b"old")
    check_file(tmp_path / "old.json")
    check_file(tmp_path / "new.json")
    check_folder(tmp_path)
    check_folder(tmp_path / "new" / "folder")
    assert os.listdir(tmp_path) == ["old.json"]
    assert (tmp_path / "old.json").read_bytes() == b"old"


def test_checks_refuse_unusable_paths_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path, message in (
        (tmp_path, "this is a folder; name a file in it"),
        (tmp_path / "nowhere" / "a.json", "nowhere does not exist; make it first"),
        (file / "a.json", "file does not exist; make it first"),
        (tmp_path / ("a" * 250), "nothing can be written there"),
        (Path(os.devnull), "this is no ordinary file"),
    ):
        with pytest.raises(ValueError, match=message):
            check_file(path)
    for path, message in (
        (file, "file: this is a file, not a folder"),
        (file / "folder" / "inner", "inner: .*file is a file, not a folder"),
    ):
        with pytest.raises(ValueError, match=message):
            check_folder(path)
    assert os.listdir(tmp_path) == ["file"]


def test_checks_refuse_folders_where_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File permissions do not predict this for the superuser or for file systems like /proc."""

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(ValueError, match=r"a\.json: nothing can be written there \(Permission"):
        check_file(tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"run: nothing can be written there \(Permission"):
        check_folder(tmp_path / "run")


def test_a_write_removes_only_temporary_files_of_ended_processes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rule.bin"
    code = (
        "import os, signal, sys; from pathlib import Path; "
        "import swarm_nca.atomic as atomic;"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL);"
        "atomic.write_atomically(Path(sys.argv[1]), b'half')"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode < 0
    (left,) = os.listdir(tmp_path)
    assert leftovers(path) == [tmp_path / left]
    _, name, ending, pid, began, _ = left.split(".")
    reused_process_id = f".{name}.{ending}.{os.getpid()}.1.abc"
    unrelated = [
        temporary_name(path, "living").name,
        f".other.bin.{pid}.{began}.abc",
        ".rule.bin.backup",
        f".rule.bin.{pid}",
        f"rule.bin.{pid}.{began}.abc",
        f".rule.bin.{10**30}.{began}.abc",
    ]
    for file_name in (*unrelated, reused_process_id):
        (tmp_path / file_name).touch()
    write_atomically(path, b"new")
    assert sorted(os.listdir(tmp_path)) == sorted([*unrelated, "rule.bin"])


def test_a_full_disk_error_names_the_file_and_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritten) as raised:
        write_atomically(tmp_path / "rule.bin", b"new")
    assert raised.value.errno == errno.ENOSPC
    assert str(raised.value) == (
        f"{tmp_path}/rule.bin: not written (No space left on device); free some space on that "
        "disk, or choose another place"
    )


def test_checks_refuse_unreachable_names(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (loop, loop / "in", tmp_path / ("a" * 300), tmp_path / "new" / ("a" * 300)):
        for check in (check_file, check_folder):
            with pytest.raises(ValueError, match=r"choose another place|make it first"):
                check(path)
    assert os.listdir(tmp_path) == ["loop"]
