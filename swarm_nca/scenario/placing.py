"""Run folders that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm_nca.scenario.scenario import Scenario

#: The files by which a folder is known to be a run's, and safe to replace.
MARKS = ("scenario.yaml", "metrics.csv", "provenance.json")


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

    A place is fine that is free, an empty folder, or a run's folder, which will be replaced.
    """
    if not folder.exists():
        above = next(one for one in folder.absolute().parents if one.exists())
        if not above.is_dir():
            raise ValueError(f"{folder}: {above} is a file, not a folder; choose another --out")
        if not os.access(above, os.W_OK):
            raise ValueError(f"{folder}: {above} may not be written to; choose another --out")
    elif not folder.is_dir():
        raise ValueError(f"{folder}: this is a file; choose a folder for the run with --out")
    elif any(folder.iterdir()) and not all((folder / mark).is_file() for mark in MARKS):
        raise ValueError(
            f"{folder}: this folder holds something else than a run and is left alone; choose "
            "another --out, or empty it"
        )


def place(folder: Path, write: Callable[[Path], None]) -> None:
    """Have a run folder written and put in its place, replacing an earlier run.

    Whatever stops the writing leaves the earlier run as it was, and nothing else behind.
    """
    check_place(folder)
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
