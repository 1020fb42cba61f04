"""The measures that a sweep names, in `show` and as the aim of its search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from swarm_nca.suggestion import unknown
from swarm_nca.sweeps.reading import Opening
from swarm_nca.sweeps.table import FIRST, LAST


def check_named(opening: Opening, measures: Iterable[str]) -> None:
    """Raise a LocatedError, with the place of the name, if a sweep names an unknown measure.

    Args:
        measures: the measures of the sweep's runs; other columns of the table are ignored.
    """
    search = opening.sweep.search
    named: dict[tuple[Any, ...], str] = {
        ("show", number): name for number, name in enumerate(opening.sweep.show)
    }
    if search is not None:
        aim = "minimize" if search.maximize is None else "maximize"
        named["search", aim] = search.measure
    others = (*FIRST, *LAST, *opening.keys)
    known = [*(name for name in measures if name not in others), "seconds"]
    for path, name in named.items():
        if name not in known:
            raise opening.document.error(path, unknown("measure", name, known))
