"""Run folders that are whole or not there: written beside their place, then moved into it."""

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

#: The files by which a folder is known to be a run's.
MARKS = ("scenario.yaml", "metrics.csv", "provenance.json")

#: What file managers leave in every folder they show; nobody misses it.
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")

#: Endings of temporary names: of a run that is being written, and of an earlier one moved aside.
_FRESH, _FORMER = "new", "old"


def folders_of(scenarios: Sequence[Scenario], out: Path | None) -> list[Path]:
    """Where each run goes.

    Args:
        out: the folder of a single run, or what holds one folder for each of several; `runs` when
            None.

    Raises:
        ValueError: two runs that would share a folder.
    """
    if out is not None and len(scenarios) == 1:
        return [out]
    folders = [(out or Path("runs")) / scenario.name for scenario in scenarios]
    for i, folder in enumerate(folders):
        if folder in folders[:i]:
            raise ValueError(
                f"{scenarios[i].document.file}: a second scenario named {folder.name!r}; their "
                "runs would share a folder, so give each its own name"
            )
    return folders


def check_place(folder: Path) -> None:
    """A ValueError unless a run can be written there; tidies up after runs that were killed there.

    A place is fine that is free, an empty folder, or a run's folder, which will be replaced: it
    must hold nothing else, and nobody may stand in it.
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
    """Have a run folder written and put in its place, replacing an earlier run.

    The place is checked again before the run is moved there. Where something else has come into it
    meanwhile, that is left alone, and the run is kept beside it under another name.

    Whatever stops the writing leaves the earlier run as it was, and nothing else behind.

    Args:
        write: called with an empty folder, to write the run's files into.

    Raises:
        ValueError: a place that was or has become unfit.
        NotWritten: a disk that is full, or the like.
    """
    check_place(folder)
    place = _resolved(folder)  # a link to it stays
    fresh, former = temporary_name(place, _FRESH), temporary_name(place, _FORMER)
    try:
        _written(place, fresh, write)
        try:
            _move(folder, place, fresh, former)
        except ValueError as error:
            kept = _kept_beside(place, fresh)
            raise ValueError(f"{error}; the run that was to go there is kept in {kept}") from error
    finally:
        try:
            _put_away(former, place)
            _put_away(fresh, place)
        except BaseException:  # a signal
            _put_away(former, place)
            _put_away(fresh, place)
            raise


def _resolved(folder: Path) -> Path:
    """The folder itself, where links lead to it."""
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
            f"{folder}: a run replaces its folder as a whole, which cannot be done to one that is "
            "in use; choose another --out"
        )


def _check_held(folder: Path, at: Path) -> None:
    """A ValueError if something is in a folder that no run writes.

    Args:
        folder: as the message names it.
        at: where it is now.
    """
    files = {one.name for one in at.iterdir() if one.is_symlink() or not one.is_dir()}
    held = {one.name for one in at.iterdir()} - files.intersection(LITTER)
    if held and not held.issuperset(MARKS):
        raise ValueError(
            f"{folder}: this folder holds something else than a run and is left alone; choose "
            "another --out, or empty it"
        )
    foreign = sorted(held - files.intersection(FILES))
    if foreign:
        raise ValueError(
            f"{folder}: besides an earlier run this folder holds {foreign[0]!r}, which no run "
            "writes, and is left alone; choose another --out, or move that file away"
        )


def _written(place: Path, fresh: Path, write: Callable[[Path], None]) -> None:
    """Write a run; an error names its file as it would have been called in its place."""
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
    """Move a run to its place, and what is there out of the way.

    Raises:
        ValueError: something else has come into the place; it stays there.
    """
    if place.exists():
        _check_replaceable(folder, place)
        place.rename(former)
        try:
            _check_held(folder, former)  # what came between the check and the move, moved as well
        except ValueError:
            former.rename(place)
            raise
    try:
        fresh.rename(place)
    except OSError as error:  # an empty folder would be replaced
        if not os.path.lexists(place):
            raise NotWritten(place, error) from error
        raise ValueError(
            f"{folder}: something came into this place during the run and is left alone"
        ) from error


def _kept_beside(place: Path, fresh: Path) -> Path:
    """Where a run is kept that found its place taken: the first free name with a number."""
    names = (place.with_name(f"{place.name}-{number}") for number in count(2))
    kept = next(one for one in names if not os.path.lexists(one))
    fresh.rename(kept)
    return kept


def _put_away(left: Path, place: Path) -> None:
    """Remove what is left under a temporary name; an earlier run goes back if its place is free.

    Of an earlier run the files are removed that runs write, and no others.
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
