"""Run folders that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swarm_nca.atomic import check_folder
from swarm_nca.recording.folder import FILES

if TYPE_CHECKING:
    from swarm_nca.scenario.scenario import Scenario

#: The files by which a folder is known to be a run's.
MARKS = ("scenario.yaml", "metrics.csv", "provenance.json")

#: What file managers leave in every folder they show; nobody misses it.
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")


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
    """A ValueError unless a run can be written there.

    A place is fine that is free, an empty folder, or a run's folder, which will be replaced: it
    must hold nothing else, and nobody may stand in it.
    """
    place = folder.resolve()
    if place.exists():
        _check_replaceable(folder, place)
    check_folder(place.parent)


def _check_replaceable(folder: Path, place: Path) -> None:
    if not place.is_dir():
        raise ValueError(f"{folder}: this is a file; choose a folder for the run with --out")
    held = {one.name for one in place.iterdir()}.difference(LITTER)
    if held and not held.issuperset(MARKS):
        raise ValueError(
            f"{folder}: this folder holds something else than a run and is left alone; choose "
            "another --out, or empty it"
        )
    foreign = sorted(held.difference(FILES))
    if foreign:
        raise ValueError(
            f"{folder}: besides an earlier run this folder holds {foreign[0]!r}, which no run "
            "writes, and is left alone; choose another --out, or move that file away"
        )
    if place.is_mount() or Path.cwd().is_relative_to(place):
        raise ValueError(
            f"{folder}: a run replaces its folder as a whole, which cannot be done to one that is "
            "in use; choose another --out"
        )


def place(folder: Path, write: Callable[[Path], None]) -> None:
    """Have a run folder written and put in its place, replacing an earlier run.

    Whatever stops the writing leaves the earlier run as it was, and nothing else behind.
    """
    check_place(folder)
    folder = folder.resolve()  # a link to it stays
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.parent / f".{folder.name}.{os.getpid()}.new"
    former = folder.parent / f".{folder.name}.{os.getpid()}.old"
    fresh.mkdir()
    try:
        write(fresh)
        if folder.exists():
            folder.rename(former)
        try:
            fresh.rename(folder)
        except BaseException:
            if former.exists():
                former.rename(folder)
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)
