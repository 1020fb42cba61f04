"""Whether rules fit a data set, by the names of classes alone: before any picture is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from swarm_nca.comparison.entries import Entry
from swarm_nca.images.datasets import DATASETS
from swarm_nca.images.drawn import DRAWN

#: The sign between the names of several data sets.
_PLUS = "+"

#: Maximum number of classes that a message lists.
_LISTED = 12


def known_classes(dataset: str) -> tuple[str, ...]:
    """The classes of a data set, or of several joined by +; empty if a name alone does not say."""
    found: dict[str, None] = {}
    for name in dataset.split(_PLUS):
        one = DATASETS.get(name) or DRAWN.get(name)
        if one is None:
            return ()
        found |= dict.fromkeys(one.classes)
    return tuple(found)


def check_fit(entries: Sequence[Entry], dataset: str, classes: Sequence[str]) -> None:
    """Check that every rule has the classes of the pictures.

    Args:
        dataset: the pictures, as the user named them.
        classes: their classes; rules for pictures without classes are checked for classes only.

    Raises:
        ValueError: a rule without classes, or one that lacks classes of the pictures.
    """
    for entry in entries:
        try:
            names = entry.rule.classes.names
        except ValueError as error:
            raise ValueError(f"{entry.given}: {error}") from error
        missing = [name for name in classes if name not in names]
        if missing:
            raise ValueError(
                f"{entry.given}: the rule has the classes {_listed(names)} and lacks "
                f"{_listed(missing)} of {dataset}: leave the rule out, or give pictures of its "
                "classes with --dataset"
            )


def _listed(names: Sequence[str]) -> str:
    if len(names) <= _LISTED:
        return ", ".join(names)
    return f"{', '.join(names[: _LISTED - 2])}, … {names[-1]}"
