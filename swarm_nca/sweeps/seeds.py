"""Seeds of a sweep, as they are written: `3`, `0-9`, `0-4,10` or a list."""

from __future__ import annotations

import re
from typing import Any

from swarm_nca.bounds import MOST_SEED

#: Maximum number of seeds.
MOST_SEEDS = 100_000


def seeds_of(given: Any) -> Any:
    """The seeds of a number or text; a value of another type is returned unchanged.

    Raises:
        ValueError: another text, a descending range, or too many seeds.
    """
    if isinstance(given, int) and not isinstance(given, bool):
        return [given]
    if not isinstance(given, str):
        return given
    seeds: dict[int, None] = {}
    for part in given.split(","):
        form = re.fullmatch(r"\s*(\d{1,20})(?:\s*-\s*(\d{1,20}))?\s*", part)
        first, last = (1, 0) if form is None else (int(form[1]), int(form[2] or form[1]))
        if not first <= last <= MOST_SEED or last - first >= MOST_SEEDS:
            raise ValueError(f"seeds are numbers or ranges such as 0-9 or 0-4,10; got {given!r}")
        seeds |= dict.fromkeys(range(first, last + 1))
    return list(seeds)
