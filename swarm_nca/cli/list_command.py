"""The body of `swarm-nca list`: all that files and commands can name, from the package's tables."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, get_args

from rich.console import Console
from rich.text import Text

from swarm_nca.cli.rules_command import purpose
from swarm_nca.config import read
from swarm_nca.export import EXPORTS
from swarm_nca.images.datasets import DATASETS
from swarm_nca.images.drawn import DRAWN
from swarm_nca.images.hybrids import HYBRIDS
from swarm_nca.images.source import ORIGINS
from swarm_nca.images.targets import TARGETS
from swarm_nca.links import kinds_of_links
from swarm_nca.measure import METRICS, Protocol, find_metric
from swarm_nca.measure.groups import GROUPINGS
from swarm_nca.measure.metrics import OTHERS
from swarm_nca.perturbations import kinds
from swarm_nca.rules import read_rule, shipped_rules
from swarm_nca.rules.families import families, settings_of
from swarm_nca.rules.quantizers import QUANTIZERS
from swarm_nca.rules.readouts import READOUTS
from swarm_nca.scenario.finding import shipped_recipes, shipped_scenarios, shipped_sweeps
from swarm_nca.stress.families import FAMILIES as STRESS_FAMILIES
from swarm_nca.suggestion import unknown
from swarm_nca.tasks.kinds import tasks
from swarm_nca.tasks.losses import LOSSES
from swarm_nca.topologies.grid import NEIGHBORHOODS
from swarm_nca.training.learners import LEARNERS

#: Names, each with a short description, which may be empty.
Names: TypeAlias = Iterable[tuple[str, str]]


#: Maximum width of a table.
_WIDEST = 100


class Kind(NamedTuple):
    """A kind of names.

    Fields:
        where: where a user writes them.
        names: makes the list.
    """

    where: str
    names: Callable[[], Names]


def list_command(kind: str | None, as_json: bool, console: Console) -> None:
    """Print one table per kind, or JSON: `{kind: [{"name": …, "about": …}, …]}`.

    Args:
        kind: a key of `LISTS`; all kinds when None.

    Raises:
        ValueError: an unknown kind.
    """
    if kind is not None and kind not in LISTS:
        raise ValueError(unknown("kind of names", kind, LISTS))
    shown = LISTS if kind is None else {kind: LISTS[kind]}
    if as_json:
        found = {
            name: [{"name": one, "about": about} for one, about in entry.names()]
            for name, entry in shown.items()
        }
        text = json.dumps(found, indent=1, ensure_ascii=False)
        console.print(text, soft_wrap=True, markup=False, highlight=False)
        return
    for number, (name, entry) in enumerate(shown.items()):
        if number:
            console.print()
        console.print(Text.assemble((name, "bold"), f": {entry.where}"), soft_wrap=True)
        width = min(console.width, _WIDEST)
        for line in _lines(list(entry.names())):
            console.print(Text(line), width=width, overflow="ellipsis", no_wrap=True)


def _lines(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """One line for each name and its description; all names in lines if none has one."""
    if not any(about for _, about in rows):
        names = ", ".join(name for name, _ in rows)
        yield from textwrap.wrap(names, _WIDEST, initial_indent="  ", subsequent_indent="  ")
        return
    wide = max(len(name) for name, _ in rows)
    for name, about in rows:
        yield f"  {name:{wide}}  {about}"


def _rules() -> Iterator[tuple[str, str]]:
    for name, path in shipped_rules().items():
        yield name, purpose(*read_rule(path))


def _scenarios() -> Iterator[tuple[str, str]]:
    for name, path in shipped_scenarios().items():
        data = read(path).data
        yield name, _sentence(str(data.get("description", "")) if isinstance(data, dict) else "")


def _sweeps() -> Iterator[tuple[str, str]]:
    for name, path in shipped_sweeps().items():
        yield name, _sentence(str(read(path).data.get("description", "")))


def _recipes() -> Iterator[tuple[str, str]]:
    """The comment at the head of a recipe describes it."""
    for name, path in shipped_recipes().items():
        yield name, _sentence(_head(path))


def _head(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    heads = [line.startswith("#") for line in lines]
    return " ".join(line.lstrip("# ") for line in lines[: [*heads, False].index(False)])


def _data_sets() -> Iterator[tuple[str, str]]:
    classes = {name: one.classes for name, one in DATASETS.items()}
    classes |= {name: one.classes for name, one in DRAWN.items()}
    for name, names in classes.items():
        yield name, ", ".join(names)
    yield from _documented(HYBRIDS)


def _origins() -> Iterator[tuple[str, str]]:
    for name, keys in ORIGINS.items():
        yield name, f"with {', '.join(keys)}"


def _metrics() -> Iterator[tuple[str, str]]:
    yield from _documented({name: find_metric(name) for name in (*METRICS, *OTHERS)})


def _families() -> Iterator[tuple[str, str]]:
    for name, family in families().items():
        settings = ", ".join(settings_of(family))
        yield name, f"{_sentence(family.__doc__)} Settings: {settings or 'none'}."


def _quantizers() -> Iterator[tuple[str, str]]:
    for name, (function, bits) in QUANTIZERS.items():
        yield name, f"{bits} bit{'s' if bits > 1 else ''} a value. {_sentence(function.__doc__)}"


def _stress_families() -> Names:
    return [(name, family.about) for name, family in STRESS_FAMILIES.items()]


def _documented(table: Mapping[str, Any]) -> Names:
    """Names, with the first sentences of what they name."""
    return [(name, _sentence(inspect.getdoc(value))) for name, value in table.items()]


def _named(names: Iterable[str]) -> Names:
    return [(name, "") for name in names]


def _sentence(text: str | None) -> str:
    """The first sentence, in one line."""
    paragraph = " ".join((text or "").strip().partition("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", paragraph)[0]


#: Every kind of names.
LISTS: Mapping[str, Kind] = {
    "rules": Kind("RULE of every command, rule: of a scenario", _rules),
    "scenarios": Kind("swarm-nca run NAME, swarm-nca view NAME", _scenarios),
    "recipes": Kind("swarm-nca train NAME", _recipes),
    "sweeps": Kind("swarm-nca sweep NAME", _sweeps),
    "data-sets": Kind("--dataset, dataset: of pictures and recipes", _data_sets),
    "pictures": Kind("images: {KIND: …} of a scenario", _origins),
    "targets": Kind("target: {drawn: NAME}", lambda: _named(TARGETS)),
    "perturbations": Kind("kind: of a perturbation", lambda: _documented(kinds())),
    "metrics": Kind("metric: of an expectation", _metrics),
    "links": Kind("links: {kind: NAME}", lambda: _documented(kinds_of_links())),
    "neighborhoods": Kind(
        "topology: {kind: grid, neighborhood: NAME}", lambda: _named(NEIGHBORHOODS)
    ),
    "families": Kind("rule: {kind: NAME, …}", _families),
    "readouts": Kind("what cells of a rule show", lambda: _documented(READOUTS)),
    "quantizers": Kind("swarm_nca.quantizers.NAME", _quantizers),
    "tasks": Kind("task: {kind: NAME} of a recipe", lambda: _documented(tasks())),
    "losses": Kind("loss: of a recipe", lambda: _documented(LOSSES)),
    "learners": Kind("learner: {kind: NAME} of a recipe", lambda: _documented(LEARNERS)),
    "protocols": Kind("--protocol of swarm-nca evaluate", lambda: _named(get_args(Protocol))),
    "groupings": Kind("--by of swarm-nca evaluate", lambda: _documented(GROUPINGS)),
    "stress": Kind("--only of swarm-nca stress", _stress_families),
    "exports": Kind(
        "--to of swarm-nca export",
        lambda: _documented({name: export.make for name, export in EXPORTS.items()}),
    ),
}
