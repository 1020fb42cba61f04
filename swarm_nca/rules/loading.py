"""Finds and loads rules by shipped name, file or training folder."""

from __future__ import annotations

import os
from pathlib import Path

from swarm_nca import shipped
from swarm_nca.arguments import shown
from swarm_nca.rules.published import read_published_rule
from swarm_nca.rules.rule import Rule
from swarm_nca.rules.storage import read_rule
from swarm_nca.suggestion import did_you_mean

#: The rule file in a training folder.
_IN_FOLDER = "rule.safetensors"


def shipped_rules() -> dict[str, Path]:
    """Name → file of the shipped rules."""
    files = (shipped.folder("assets") / "rules").glob("*.safetensors")
    return {file.stem: file for file in sorted(files, key=lambda file: file.stem)}


def find_rule(name: str | Path, base: Path | None = None) -> Path:
    """The file of a rule.

    Args:
        name: a shipped name, or the path of a `.safetensors` file, of the published JSON, or of a
            training folder.
        base: the folder for relative paths; the working directory when None.

    Raises:
        ValueError: neither a shipped name nor an existing file, or a folder without a rule.
    """
    if not isinstance(name, str | os.PathLike):
        raise ValueError(f"a rule must be given by its name or its file, got {name!r}")
    known = shipped_rules()
    if str(name) in known:
        return known[str(name)]
    path = (base or Path()) / name
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError) as error:  # an impossible file name
        raise ValueError(f"no rule {shown(str(name))}: {shown(str(error))[1:-1]}") from error
    if is_file:
        return path
    if is_folder:
        if (path / _IN_FOLDER).is_file():
            return path / _IN_FOLDER
        raise ValueError(
            f"{path}: this folder holds no {_IN_FOLDER}; swarm-nca train writes it at its end"
        )
    where = "" if path == Path(name) else f" ({path})"
    message = (
        f"no rule '{name}'{did_you_mean(name, known)}: there is no such file or folder{where}, and "
        f"the shipped rules are {', '.join(known) or 'none'}"
    )
    raise ValueError(message.encode(errors="backslashreplace").decode())


def called(name: str | Path) -> str:
    """The name of a rule in tables: its shipped name, file stem or training folder."""
    path = Path(name)
    if path.name == _IN_FOLDER:
        return path.absolute().parent.name
    return path.stem if path.suffix in (".safetensors", ".json") else path.absolute().name


def load_rule(name: str | Path, base: Path | None = None) -> Rule:
    """Load a rule with frozen weights, so that rollouts record no gradients.

    Args:
        name: a shipped name (`digits`), a `.safetensors` file, the published model's JSON, or a
            training folder.
        base: the folder for relative paths; the working directory when None.

    Raises:
        ValueError: an unknown rule, or an unusable file; the message gives the reason.
    """
    path = find_rule(name, base)
    return read_published_rule(path) if path.suffix == ".json" else read_rule(path)[0]
