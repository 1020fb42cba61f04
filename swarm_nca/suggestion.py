"""Suggests the nearest known name in error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from swarm_nca.arguments import shown


def unknown(what: str, given: object, known: Iterable[str]) -> str:
    """The message for an unknown name: lists the known names and suggests the nearest."""
    names = list(known)
    choices = ", ".join(names) or "none"
    name = f"'{given}'" if isinstance(given, str) else shown(given)
    return f"no {what} {name}{did_you_mean(given, names)}: there are {choices}"


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """` (did you mean 'radius'?)` if a known name is similar, else an empty string."""
    name = nearest(word, known)
    return f" (did you mean {name!r}?)" if name is not None else ""


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known name most similar to the word, ignoring case; None if no name is similar."""
    names = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(str(word).casefold(), names, n=1)
    return names[found[0]] if found else None
