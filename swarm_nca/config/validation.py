"""Validates a document against a pydantic model and locates its mistakes.

Pydantic gives the place of a mistake as a `loc`: keys and list numbers, mixed with names of union
branches. Following `loc` through the document separates them. Of a union only the mistakes of the
best fitting branch are reported, so that a misspelt key in a mapping is not reported as "must be
text".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from swarm_nca.config.booleans import booleans, misplaced
from swarm_nca.config.errors import LocatedError, Path, Place, Plain
from swarm_nca.config.schema import json_schema
from swarm_nca.config.tree import Node
from swarm_nca.config.wording import MISSING_KEY, Finding, in_words, value_at

if TYPE_CHECKING:
    from swarm_nca.config.document import Document

Route: TypeAlias = tuple[tuple[Any, bool], ...]
"""A pydantic `loc`; True marks a step into the document, False the name of a union branch."""

#: Maximum number of mistakes reported for a file.
MOST_TOLD = 100

#: Maximum number of readings tried of a `loc`; each branch name that is also a key doubles them.
MOST_ROUTES = 1000


def validate(document: Document, model: Any) -> Any:
    """The document's data as `model`; see `Document.validate`."""
    adapter = _adapter(model) if isinstance(model, type) else TypeAdapter(model)
    data, findings, cause = document.data, list[Finding](), None
    try:
        result = adapter.validate_python(data)
    except ValidationError as error:
        findings, cause = _selected(_mistakes(document, data, error, adapter), 0), error
    if next(booleans(data), None) is not None:
        paths = {finding.path for finding in findings}
        more = misplaced(data, json_schema(adapter), MOST_TOLD)
        findings += [finding for finding in more if finding.path not in paths]
    if findings:
        located = _located(document, findings)
        omitted = cause.error_count() - MOST_TOLD if cause else 0
        if omitted > 0:
            last = LocatedError(f"{omitted} more mistakes", Place(document.file))
            located = located.beside([last])
        raise located from cause
    return result


@lru_cache(maxsize=16)
def _adapter(model: type) -> TypeAdapter[Any]:
    """The validator of a class; cached, so that its JSON schema is made once."""
    return TypeAdapter(model)


def _mistakes(
    document: Document, data: Plain, error: ValidationError, adapter: TypeAdapter[Any]
) -> list[tuple[Route, Finding]]:
    schema, mistakes = json_schema(adapter), []
    for detail in error.errors(include_url=False)[:MOST_TOLD]:
        route = _route(document.root, data, dict(detail))
        mistakes.append((route, in_words(dict(detail), _path(route), data, schema)))
    return mistakes


def _route(node: Node, data: Plain, detail: dict[str, Any]) -> Route:
    """The reading of a `loc` that ends at the error's input, else the first reading."""
    loc = detail["loc"][:-1] if detail["type"] in MISSING_KEY else detail["loc"]
    routes = itertools.islice(_routes(node, loc), MOST_ROUTES)
    first = next(routes)
    for route in itertools.chain([first], routes):
        if value_at(data, _path(route)) is detail["input"]:
            return route
    return first


def _routes(node: Node, loc: Path) -> Iterator[Route]:
    """Every reading of a `loc`, those that step into the document first."""
    if not loc:
        yield ()
        return
    child = node.child(loc[0])
    if child is not None:
        yield from (((loc[0], True), *rest) for rest in _routes(child, loc[1:]))
    yield from (((loc[0], False), *rest) for rest in _routes(node, loc[1:]))


def _path(route: Route) -> Path:
    return tuple(name for name, is_step in route if is_step)


def _selected(mistakes: list[tuple[Route, Finding]], level: int) -> list[Finding]:
    """The findings, with one branch of each union. All routes share the first `level` names."""
    selected = [finding for route, finding in mistakes if len(route) == level]
    groups: dict[tuple[Any, bool], list[tuple[Route, Finding]]] = {}
    for route, finding in mistakes:
        if len(route) > level:
            groups.setdefault(route[level], []).append((route, finding))
    branches = []
    for (_, is_step), group in groups.items():
        inner = _selected(group, level + 1)
        if is_step:
            selected += inner
        else:
            branches.append(inner)
    if branches:
        selected += _best_branch(branches, _path(mistakes[0][0][:level]))
    return selected


def _best_branch(branches: list[list[Finding]], path: Path) -> list[Finding]:
    """The branch with the fewest findings, preferably one whose type the value has.

    If equally good branches differ only in what they expect at one place, one finding lists all.
    """

    def rank(branch: list[Finding]) -> tuple[bool, int]:
        misshapen = branch[0].words == "must be" and branch[0].path == path
        return misshapen, len(branch)

    best = min(map(rank, branches))
    good = [branch for branch in branches if rank(branch) == best]
    first = good[0][0]
    alike = {(len(branch), branch[0].path, branch[0].words) for branch in good}
    if alike == {(1, first.path, first.words)} and first.expected:
        expected = dict.fromkeys(word for branch in good for word in branch[0].expected)
        return [replace(first, expected=tuple(expected))]
    return max(good, key=lambda branch: max(len(finding.path) for finding in branch))


def _located(document: Document, findings: list[Finding]) -> LocatedError:
    """The findings as one error: unknown keys first, missing keys last."""
    misspelt = {(finding.path[:-1], finding.meant) for finding in findings if finding.unknown}
    ranked: dict[tuple[str, str], tuple[Any, LocatedError]] = {}
    for finding in findings:
        if finding.missing is not None and (finding.path, finding.missing) in misspelt:
            continue  # the key is present under a misspelt name
        error = document.error(finding.path, finding.text, key=finding.key)
        order = not finding.unknown, finding.missing is not None, error.line or 0, error.column or 0
        ranked.setdefault((error.path, error.message), (order, error))
    first, *others = (error for _, error in sorted(ranked.values(), key=lambda item: item[0]))
    return first.beside(others)
