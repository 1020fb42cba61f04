"""A guess at what was meant, for errors that hand over their cure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(what: str, given: object, known: Iterable[str]) -> str:
    """The message for a name that a table does not have, with the nearest that it has."""
    names = list(known)
    told = ", ".join(names) or "none"
    if isinstance(given, str):
        name = f"'{given}'"
    else:
        from swarm_nca.arguments import shown  # it loads numpy, which the help does without

        name = shown(given)
    return f"no {what} {name}{did_you_mean(given, names)}: there are {told}"


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """` (did you mean 'radius'?)` when one of the known names is near, else an empty text."""
    name = nearest(word, known)
    return f" (did you mean {name!r}?)" if name is not None else ""


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known name most like the word, whatever the case; None when none is near."""
    names = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(str(word).casefold(), names, n=1)
    return names[found[0]] if found else None
