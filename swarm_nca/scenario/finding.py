"""Finds scenarios, recipes and sweeps by file, or by the name of one that ships."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from swarm_nca import shipped
from swarm_nca.suggestion import did_you_mean

#: The folders of scenarios in the folder that ships; their names are unique over all.
SHELVES = ("bits", "faults", "graphs", "trust")


def shipped_scenarios() -> dict[str, Path]:
    """Names and files of the scenarios that ship."""
    folder = shipped.folder("scenarios")
    return _named(folder) | {k: v for shelf in SHELVES for k, v in _named(folder / shelf).items()}


def shipped_recipes() -> dict[str, Path]:
    """Names and files of the training recipes that ship."""
    return _named(shipped.folder("scenarios") / "train")


def shipped_sweeps() -> dict[str, Path]:
    """Names and files of the sweeps that ship."""
    return _named(shipped.folder("scenarios") / "sweeps")


def find_scenario(name: str | os.PathLike[str]) -> Path:
    """The file of a scenario, given its path or shipped name; an existing file has priority.

    Raises:
        ValueError: neither a file nor a shipped name; a name that looks like a path is returned.
    """
    return _of_kind(name, "scenario")


def find_recipe(name: str | os.PathLike[str]) -> Path:
    """The file of a recipe; see `find_scenario`."""
    return _of_kind(name, "recipe")


def find_sweep(name: str | os.PathLike[str]) -> Path:
    """The file of a sweep; see `find_scenario`."""
    return _of_kind(name, "sweep")


def find_any(name: str | os.PathLike[str]) -> Path:
    """The file of a scenario, a recipe or a sweep; see `find_scenario`."""
    known = shipped_sweeps() | shipped_recipes() | shipped_scenarios()
    return _found(name, known, "scenario, recipe or sweep")


def find_either(name: str | os.PathLike[str]) -> Path:
    """The file of a scenario or a recipe; see `find_scenario`."""
    return _found(name, shipped_recipes() | shipped_scenarios(), "scenario or recipe")


#: What ships of each kind, and the command that runs it.
_KINDS: Mapping[str, tuple[Callable[[], dict[str, Path]], str]] = {
    "scenario": (shipped_scenarios, "run"),
    "recipe": (shipped_recipes, "train"),
    "sweep": (shipped_sweeps, "sweep"),
}


def _of_kind(name: str | os.PathLike[str], kind: str) -> Path:
    """The file of a kind; the shipped name of another kind is refused with its command."""
    own = _KINDS[kind][0]()
    for other, (shipped_files, command) in _KINDS.items():
        if _ships(name, shipped_files()) and not _ships(name, own):
            raise ValueError(f"{name}: this is a {other}; use: swarm-nca {command} {name}")
    return _found(name, own, kind)


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
