"""`swarm-nca bench --against FILE`: the numbers of a bench beside those of an earlier one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from swarm_nca.measure.tables import Columns, as_table

#: Ends of the names of times; the rest of such a name says what was timed.
_TIMES = {"_ms": "ms", "_s": "s", "_us_per_agent": "µs"}

#: Times of exported C are named by the options of the compiler.
_OPTIONS = {"Os": "-Os", "O2": "-O2", "O3_native": "-O3 -march=native"}

#: What names a row of a list.
_NAMES = ("name", "rule", "product", "worlds", "agents")

_AGAINST: Columns = {
    "row": "{row}",
    "time": "{time}",
    "before": "{before:,.2f} {unit}",
    "now": "{now:,.2f} {unit}",
    "now / before": "{ratio:.2f} ×",
}


def read_earlier(path: Path) -> dict[str, Any]:
    """The numbers that `--json` wrote.

    Raises:
        ValueError: no such file, or another one.
    """
    try:
        numbers = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"there is no {path}: write one with swarm-nca bench --json FILE"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no file of swarm-nca bench --json: {error}") from error
    if not isinstance(numbers, dict) or not isinstance(numbers.get("machine"), dict):
        raise ValueError(f"{path} is no file of swarm-nca bench --json: it names no machine")
    try:
        list(_times(numbers))
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            f"{path} is no file of swarm-nca bench --json: not all of its rows hold times by name; "
            "write one with swarm-nca bench --json FILE"
        ) from None
    return numbers


def compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each time that both have: row, time, unit, before, now, ratio."""
    earlier, rows = dict(_times(before)), []
    for (row, time), (seconds, unit) in _times(now):
        if (row, time) in earlier and earlier[row, time][0] > 0:
            past = earlier[row, time][0]
            rows.append(
                {
                    "row": row,
                    "time": time,
                    "unit": unit,
                    "before": past,
                    "now": seconds,
                    "ratio": seconds / past,
                }
            )
    return rows


def print_against(console: Console, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Print the rows of `compared`, and what differs between the machines."""
    rows = compared(before, now)
    title = "Beside the earlier bench: below 1 × is faster"
    console.print(as_table(title, _AGAINST, rows))
    for what, value in now["machine"].items():
        past = before["machine"].get(what, value)
        if past != value:
            console.print(f"Another {what} than before: {value}, it was {past}", soft_wrap=True)
    if not rows:
        console.print("The earlier file has none of these rows: give both benches the same options")


def _times(numbers: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], tuple[float, str]]]:
    """((row, time), (value, unit)) of all rows."""
    for section, content in numbers.items():
        if section == "machine":
            continue
        for row, values in _rows(section.replace("_", " "), content):
            for name, value in values.items():
                end = next((end for end in _TIMES if name.endswith(end)), None)
                if name in _OPTIONS:
                    yield (row, _OPTIONS[name]), (float(value), "ns")
                elif end and not name.endswith(("_per_s", "_limit_ms", "rest_ms")):
                    time = name.removesuffix(end) + " per agent" * end.endswith("agent")
                    time = time.replace("_", " ")
                    yield (row, time), (float(value), _TIMES[end])


def _rows(section: str, content: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The named rows of a section: of a list, of a mapping of rows, or the section as one row."""
    if isinstance(content, list):
        for values in content:
            name = next((values[key] for key in _NAMES if key in values), "")
            yield f"{section} {name:g}" if isinstance(name, float) else f"{section} {name}", values
    elif all(isinstance(values, dict) for values in content.values()):
        for name, values in content.items():
            yield f"{section}: {name}", values
    else:
        yield section, content
