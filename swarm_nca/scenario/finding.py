"""Finds scenarios and recipes by file, or by the name of one that ships."""

from __future__ import annotations

import os
from pathlib import Path

from swarm_nca import shipped
from swarm_nca.suggestion import did_you_mean

#: The folders of scenarios in the folder that ships; their names are unique over all.
SHELVES = ("faults", "graphs")


def shipped_scenarios() -> dict[str, Path]:
    """Names and files of the scenarios that ship."""
    folder = shipped.folder("scenarios")
    return _named(folder) | {k: v for shelf in SHELVES for k, v in _named(folder / shelf).items()}


def shipped_recipes() -> dict[str, Path]:
    """Names and files of the training recipes that ship."""
    return _named(shipped.folder("scenarios") / "train")


def find_scenario(name: str | os.PathLike[str]) -> Path:
    """The file of a scenario, given its path or shipped name; an existing file has priority.

    Raises:
        ValueError: neither a file nor a shipped name; a name that looks like a path is returned.
    """
    if _ships(name, shipped_recipes()) and not _ships(name, shipped_scenarios()):
        raise ValueError(f"{name}: this is a recipe; use: swarm-nca train {name}")
    return _found(name, shipped_scenarios(), "scenario")


def find_recipe(name: str | os.PathLike[str]) -> Path:
    """The file of a recipe; see `find_scenario`."""
    if _ships(name, shipped_scenarios()) and not _ships(name, shipped_recipes()):
        raise ValueError(f"{name}: this is a scenario; use: swarm-nca run {name}")
    return _found(name, shipped_recipes(), "recipe")


def find_either(name: str | os.PathLike[str]) -> Path:
    """The file of a scenario or a recipe; see `find_scenario`."""
    return _found(name, shipped_recipes() | shipped_scenarios(), "scenario or recipe")


def _named(folder: Path) -> dict[str, Path]:
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def _ships(name: str | os.PathLike[str], known: dict[str, Path]) -> bool:
    """Whether a name is a shipped name and not the name of an existing file."""
    return os.fspath(name) in known and not Path(name).is_file()


def _found(name: str | os.PathLike[str], known: dict[str, Path], kind: str) -> Path:
    path = Path(name)
    if _ships(name, known):
        return known[path.name]
    if path.exists() or path.suffix or len(path.parts) != 1:
        return path
    hint = did_you_mean(path.name, known)
    raise ValueError(
        f"{path}: no such file, and no shipped {kind} of this name{hint}; "
        f"there are {', '.join(known) or 'none'}"
    )
