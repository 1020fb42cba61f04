"""Finding a scenario: by its file, or by the name it ships under."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from swarm_nca import shipped


def shipped_scenarios() -> dict[str, Path]:
    """Names and files of the scenarios that travel with the package."""
    return {file.stem: file for file in sorted(shipped.folder("scenarios").glob("*.yaml"))}


def find_scenario(name: str | os.PathLike[str]) -> Path:
    """The file that a name stands for; a file of that name comes first.

    Raises:
        ValueError: neither a file nor a shipped name, where the name does not look like a path.
    """
    path = Path(name)
    known = shipped_scenarios()
    if path.exists() or path.suffix or len(path.parts) != 1:
        return path
    if path.name in known:
        return known[path.name]
    near = difflib.get_close_matches(path.name, known, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise ValueError(
        f"{path}: no such file, and no scenario of this name ships{hint}; "
        f"there are {', '.join(known) or 'none'}"
    )
