"""Finding a rule: by the name it ships under, by its file, or by the folder of its training."""

from __future__ import annotations

import os
from pathlib import Path

from swarm_nca import shipped
from swarm_nca.rules.bounds import shown
from swarm_nca.rules.published import read_published_rule
from swarm_nca.rules.rule import Rule
from swarm_nca.rules.storage import read_rule
from swarm_nca.suggestion import did_you_mean

#: The rule in the folder that a training leaves.
_IN_FOLDER = "rule.safetensors"


def shipped_rules() -> dict[str, Path]:
    """Names and files of the rules that travel with the package, by name."""
    files = sorted((shipped.folder("assets") / "rules").glob("*.safetensors"))
    return {file.stem: file for file in files}


def find_rule(name: str | Path, base: Path | None = None) -> Path:
    """The file a rule's name stands for.

    Args:
        name: a shipped name, or a path to a `.safetensors` file, to the published JSON, or to a
            training's folder.
        base: the folder that a relative path starts from; the working directory when None.

    Raises:
        ValueError: neither a shipped name nor an existing file, or a folder without a rule.
    """
    if not isinstance(name, str | os.PathLike):
        raise ValueError(f"a rule is asked for by its name or its file, got {name!r}")
    known = shipped_rules()
    if str(name) in known:
        return known[str(name)]
    path = (base or Path()) / name
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError) as error:  # a name that no file can have
        raise ValueError(f"no rule {shown(str(name))}: {shown(str(error))[1:-1]}") from error
    if is_file:
        return path
    if is_folder:
        if (path / _IN_FOLDER).is_file():
            return path / _IN_FOLDER
        raise ValueError(
            f"{path}: this folder holds no {_IN_FOLDER}; swarm-nca train leaves one when it is done"
        )
    where = "" if path == Path(name) else f" ({path})"
    told = (
        f"no rule '{name}'{did_you_mean(name, known)}: there is no such file or folder{where}, and "
        f"those that ship are {', '.join(known) or 'none'}"
    )
    raise ValueError(told.encode(errors="backslashreplace").decode())


def called(name: str | Path) -> str:
    """What to call a rule in a table: as it ships, or as its file, or as its training's folder."""
    path = Path(name)
    if path.name == _IN_FOLDER:
        return path.absolute().parent.name
    return path.stem if path.suffix in (".safetensors", ".json") else path.absolute().name


def load_rule(name: str | Path, base: Path | None = None) -> Rule:
    """A rule ready for use: frozen, so that running it records no gradients.

    Args:
        name: a shipped name (`digits`), a `.safetensors` file, the published model's JSON, or a
            training's folder.
        base: the folder that a relative path starts from; the working directory when None.

    Raises:
        ValueError: no such rule, or a file that cannot be used; the message says why.
    """
    path = find_rule(name, base)
    return read_published_rule(path) if path.suffix == ".json" else read_rule(path)[0]
