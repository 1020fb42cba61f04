"""What is compared: the rules that training runs ended with, or rules by name or file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm_nca.config import read
from swarm_nca.rules import Rule, called, load_rule, read_rule, shipped_rules
from swarm_nca.suggestion import did_you_mean
from swarm_nca.training.folder import Folder
from swarm_nca.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Entry:
    """A rule, and the training run it comes from where that is known.

    Attributes:
        given: as the user wrote it.
        name: the run's, or the rule's.
        rule, hash: the rule, and what names its very weights.
        folder: of the training run; None for a rule alone.
        seed: the run's.
        settings: all that decided the training besides the seed, by dotted key; paths start from
            the working directory.
    """

    given: str
    name: str
    rule: Rule
    hash: str
    folder: Folder | None = None
    seed: int | None = None
    settings: tuple[tuple[str, Any], ...] = ()


def entries(given: Sequence[str]) -> list[Entry]:
    """What the names stand for, in their order.

    Raises:
        ValueError: one that is neither a rule nor a folder that holds one, a rule given twice, or
            a recipe (located) or rule that cannot be read.
    """
    found: dict[str, Entry] = {}
    for name in given:
        is_folder = name not in shipped_rules() and Path(name).is_dir()
        entry = _in_folder(name) if is_folder else _alone(name)
        twin = found.setdefault(entry.hash, entry)
        if twin is not entry:
            raise ValueError(f"{name}: the very rule of {twin.given}; give each rule once")
    return list(found.values())


def _alone(given: str) -> Entry:
    rule = load_rule(given)
    return Entry(given, called(given), rule, rule.hash())


def _in_folder(given: str) -> Entry:
    """The rule in a folder: of a training run where its recipe is beside it, else a rule alone."""
    folder = Folder(Path(given))
    if not folder.rule.is_file():
        raise ValueError(f"{given}: no {folder.rule.name} there{_cure(folder.path)}")
    if not folder.recipe.is_file():
        return _alone(given)
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
    runs = sorted(one for one in path.iterdir() if Folder(one).rule.is_file())
    if runs:
        return f", but {len(runs)} training runs inside: give {path}/*"
    beside = [one.name for one in path.absolute().parent.iterdir() if Folder(one).rule.is_file()]
    return (
        f"{did_you_mean(path.name, beside)}; give folders that swarm-nca train has written to, or "
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
