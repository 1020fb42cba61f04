"""The rules to compare: final rules of training runs, or rules by name or file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm_nca.rules import Rule, called, load_rule, read_rule, shipped_rules
from swarm_nca.suggestion import did_you_mean
from swarm_nca.training.folder import Folder


@dataclass(frozen=True, eq=False)
class Entry:
    """A rule, with its training run if there is one.

    Attributes:
        given: the user's argument.
        name: name of the run or the rule.
        rule, hash: the rule and the hash of its settings and weights.
        folder: folder of the training run; None for a rule without one.
        seed: seed of the run.
        settings: all settings that affect the training except the seed, by dotted key; paths are
            relative to the working directory.
    """

    given: str
    name: str
    rule: Rule
    hash: str
    folder: Folder | None = None
    seed: int | None = None
    settings: tuple[tuple[str, Any], ...] = ()


def entries(given: Sequence[str]) -> list[Entry]:
    """The entries of the names, in order.

    Raises:
        ValueError: a name that is neither a rule nor a folder with a rule, a rule given twice, or
            an unreadable recipe (located) or rule.
    """
    found: dict[str, Entry] = {}
    for name in given:
        is_folder = name not in shipped_rules() and Path(name).is_dir()
        entry = _in_folder(name) if is_folder else _alone(name)
        twin = found.setdefault(entry.hash, entry)
        if twin is not entry:
            raise ValueError(f"{name}: the same rule as {twin.given}; give each rule once")
    return list(found.values())


def _alone(given: str) -> Entry:
    rule = load_rule(given)
    return Entry(given, called(given), rule, rule.hash())


def _in_folder(given: str) -> Entry:
    """The rule in a folder: with its training run if the folder holds a recipe."""
    folder = Folder(Path(given))
    if not folder.rule.is_file():
        raise ValueError(f"{given}: the folder holds no {folder.rule.name}{_cure(folder.path)}")
    if not folder.recipe.is_file():
        return _alone(given)
    from swarm_nca.config import read  # slow to import, and rules by name do not need it
    from swarm_nca.training.recipe import Recipe

    rule, card = read_rule(folder.rule)
    recipe: Recipe = read(folder.recipe).validate(Recipe)
    settings = _flat(recipe.moved(folder.path, Path()).deciding())
    del settings["seed"]
    trained = card.get("iterations", recipe.iterations)
    if trained != recipe.iterations:
        settings["stopped at"] = trained
    return Entry(
        given, recipe.name, rule, rule.hash(), folder, recipe.seed, tuple(settings.items())
    )


def _cure(path: Path) -> str:
    runs = sorted(child for child in path.iterdir() if Folder(child).rule.is_file())
    if runs:
        return f", but {len(runs)} training runs: give {path}/*"
    siblings = path.absolute().parent.iterdir()
    beside = [sibling.name for sibling in siblings if Folder(sibling).rule.is_file()]
    return (
        f"{did_you_mean(path.name, beside)}; give folders that swarm-nca train has written, or "
        "rules"
    )


def _flat(data: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, list) and any(isinstance(part, dict) for part in value):
            value = {str(number): part for number, part in enumerate(value)}
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value
    return flat
