"""Files are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from swarm_nca.atomic import check_file, check_folder, write_atomically


def test_a_file_is_written_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "rule.bin"
    for data in (b"first", b"", b"x" * 100_000):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["rule.bin"]
    (tmp_path / "ordinary").touch()
    assert path.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(
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


def test_an_interruption_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "rule.bin", b"new")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nowhere/rule\.bin: not written \(No such file"):
        write_atomically(tmp_path / "nowhere" / "rule.bin", b"new")
    assert os.listdir(tmp_path) == []


def test_a_place_is_fine_where_files_can_be_written_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(b"old")
    check_file(tmp_path / "old.json")
    check_file(tmp_path / "new.json")
    check_folder(tmp_path)
    check_folder(tmp_path / "new" / "folder")
    assert [one.name for one in tmp_path.iterdir()] == ["old.json"]
    assert (tmp_path / "old.json").read_bytes() == b"old"


def test_a_place_that_cannot_hold_a_file_is_told_with_the_reason(tmp_path: Path) -> None:
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


def test_a_folder_that_takes_no_files_is_found_out_by_trying(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions tell the superuser nothing, nor do they of file systems such as /proc."""

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(ValueError, match=r"a\.json: nothing can be written there \(Permission"):
        check_file(tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"run: nothing can be written there \(Permission"):
        check_folder(tmp_path / "run")
