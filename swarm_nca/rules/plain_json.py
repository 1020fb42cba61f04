"""JSON of others, read strictly: what it holds can be printed, written again and walked through.

Python's own reader takes NaN, keys given twice, half characters and any depth.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from swarm_nca.rules.bounds import shown

#: How deep lists and mappings may stand in each other.
DEEPEST = 64

#: How many digits a whole number may have.
_DIGITS = 40


def parsed(text: str, longest: int) -> Any:
    """What a JSON text holds.

    Args:
        longest: how many characters are read at most.

    Raises:
        ValueError: no JSON, too long or too deep, a key given twice, numbers that are not finite or
            too long, or text that is no Unicode.
    """
    if len(text) > longest:
        raise ValueError(f"{len(text):,} characters of JSON, at most {longest:,} are read")
    try:
        data = json.loads(
            text,
            object_pairs_hook=_mapping,
            parse_constant=_not_finite,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError:
        _too_deep()
    _check(data)
    return data


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in mapping if keys.count(key) > 1)
        raise ValueError(f"the key {shown(twice)} is given twice")
    return mapping


def _not_finite(word: str) -> NoReturn:
    raise ValueError(f"{word} is no finite number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{shown(digits)} is beyond every float")
    return number


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a whole number of {len(digits):,} digits, at most {_DIGITS} are read")
    return int(digits)


def _check(data: Any) -> None:
    """A ValueError for what stands too deep, and for text that cannot be encoded."""
    waiting = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{shown(value)} holds half a character (a surrogate)") from None
        elif isinstance(value, dict | list):
            if depth > DEEPEST:
                _too_deep()
            inside = [*value, *value.values()] if isinstance(value, dict) else value
            waiting += [(one, depth + 1) for one in inside]


def _too_deep() -> NoReturn:
    raise ValueError(f"lists and mappings stand in each other more than {DEEPEST} deep")
