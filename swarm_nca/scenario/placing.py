"""Complete or absent run folders: each is written under a temporary name, then moved into place."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from swarm_nca.atomic import (
    NotWritten,
    check_beside,
    check_folder,
    leftovers,
    temporary_name,
    writing,
)
from swarm_nca.recording.folder import FILES

if TYPE_CHECKING:
    from swarm_nca.scenario.scenario import Scenario

#: A folder is a run folder if it holds these files.
MARKS = ("scenario.yaml", "metrics.csv", "provenance.json")

#: Files of file managers; these are deleted with a replaced run.
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")

#: Endings of temporary names: a run being written; an earlier run that was moved aside.
_FRESH, _FORMER = "new", "old"


def folders_of(scenarios: Sequence[Scenario], out: Path | None) -> list[Path]:
    """The folder of each run.

    Args:
        out: the folder of a single run; for several runs, the parent of their folders; `runs/NAME`
            when None.

    Raises:
        ValueError: two runs with the same folder.
    """
    if out is not None and len(scenarios) == 1:
        return [out]
    folders = [(out or Path("runs")) / scenario.name for scenario in scenarios]
    for i, folder in enumerate(folders):
        if folder in folders[:i]:
            raise ValueError(
                f"{scenarios[i].document.file}: a second scenario named {folder.name!r} would use "
                "the same run folder: give each scenario its own name"
            )
    return folders


def check_place(folder: Path) -> None:
    """Raise a ValueError unless a run can be written there; removes what killed runs left there.

    The place may be free, an empty folder, or a run folder, which will be replaced. A run folder
    must hold no other files, and must not be a mount point or contain the working directory.
    """
    place = _resolved(folder)
    for left in leftovers(place) if place.parent.is_dir() else ():
        _put_away(left, place)
    if place.exists():
        _check_replaceable(folder, place)
        check_beside(place, folder)
    else:
        check_folder(place)


def place(folder: Path, write: Callable[[Path], None]) -> None:
    """Write a run folder and move it into place, replacing an earlier run.

    The place is checked again before the move. If other files have appeared there, they stay, and
    the run is moved beside them under another name. If writing fails or is stopped, the earlier
    run stays and temporary files are removed.

    Args:
        write: writes the run's files into the empty folder that it gets.

    Raises:
        ValueError: the place cannot be used, before or after writing.
        NotWritten: an error of the file system, such as a full disk.
    """
    check_place(folder)
    place = _resolved(folder)  # keeps a symbolic link to the folder
    fresh, former = temporary_name(place, _FRESH), temporary_name(place, _FORMER)
    try:
        _written(place, fresh, write)
        try:
            _move(folder, place, fresh, former)
        except ValueError as error:
            kept = _kept_beside(place, fresh)
            raise ValueError(f"{error}; the new run is kept in {kept}") from error
    finally:
        try:
            _put_away(former, place)
            _put_away(fresh, place)
        except BaseException:  # a signal
            _put_away(former, place)
            _put_away(fresh, place)
            raise


def _resolved(folder: Path) -> Path:
    """The folder with symbolic links resolved."""
    try:
        folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise ValueError(
            f"{folder}: no run can be written there ({error.strerror}); choose another --out"
        ) from error
    return folder.resolve()


def _check_replaceable(folder: Path, place: Path) -> None:
    if not place.is_dir():
        raise ValueError(f"{folder}: this is a file; choose a folder for the run with --out")
    _check_held(folder, place)
    if place.is_mount() or Path.cwd().is_relative_to(place):
        raise ValueError(
            f"{folder}: the folder is in use, so a run cannot replace it; choose another --out"
        )


def _check_held(folder: Path, at: Path) -> None:
    """Raise a ValueError if a folder holds a file that no run writes.

    Args:
        folder: its name in the message.
        at: its present location.
    """
    files = {path.name for path in at.iterdir() if path.is_symlink() or not path.is_dir()}
    held = {path.name for path in at.iterdir()} - files.intersection(LITTER)
    if held and not held.issuperset(MARKS):
        raise ValueError(
            f"{folder}: the folder holds files that are not a run's, so it was not changed; "
            "choose another --out, or empty the folder"
        )
    foreign = sorted(held - files.intersection(FILES))
    if foreign:
        raise ValueError(
            f"{folder}: the folder holds a run and also {foreign[0]!r}, which no run writes, so it "
            "was not changed; choose another --out, or move that file away"
        )


def _written(place: Path, fresh: Path, write: Callable[[Path], None]) -> None:
    """Write a run; an error names the file by its final path."""
    try:
        with writing(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh.mkdir()
        write(fresh)
    except NotWritten as error:
        file = Path(error.filename)
        if file.is_relative_to(fresh):
            raise NotWritten(place / file.relative_to(fresh), error) from error
        raise


def _move(folder: Path, place: Path, fresh: Path, former: Path) -> None:
    """Move the earlier run aside and the new one into place.

    Raises:
        ValueError: other files have appeared in the place; they stay there.
    """
    if place.exists():
        _check_replaceable(folder, place)
        place.rename(former)
        try:
            _check_held(folder, former)  # files that appeared between check and move moved along
        except ValueError:
            former.rename(place)
            raise
    try:
        fresh.rename(place)
    except OSError as error:  # not raised by an empty folder, which is replaced
        if not os.path.lexists(place):
            raise NotWritten(place, error) from error
        raise ValueError(
            f"{folder}: files appeared there during the run, so it was not changed"
        ) from error


def _kept_beside(place: Path, fresh: Path) -> Path:
    """Move a run beside its occupied place, to the first free of NAME-2, NAME-3, …"""
    names = (place.with_name(f"{place.name}-{number}") for number in count(2))
    kept = next(name for name in names if not os.path.lexists(name))
    fresh.rename(kept)
    return kept


def _put_away(left: Path, place: Path) -> None:
    """Remove a temporary folder; an earlier run is moved back if its place is free.

    Of an earlier run only the files that runs write are removed.
    """
    if not left.is_dir():
        return
    if left.suffix != f".{_FORMER}":
        shutil.rmtree(left, ignore_errors=True)
    elif not os.path.lexists(place):
        left.rename(place)
    else:
        with contextlib.suppress(OSError):
            for name in (*FILES, *LITTER):
                (left / name).unlink(missing_ok=True)
            left.rmdir()
