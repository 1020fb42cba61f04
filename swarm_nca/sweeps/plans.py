"""Plans: every run of a sweep as one complete scenario or recipe.

A plan's name is the hash of its data, its seed and the bytes of the rule file that it names. A run
that is in the table is therefore not run again, also by a sweep with other keys or values.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from swarm_nca.config import Document
from swarm_nca.measure.metrics import METRICS, OTHERS, metrics_for
from swarm_nca.rules import find_rule
from swarm_nca.scenario import Settings, load
from swarm_nca.sweeps.named import check_named
from swarm_nca.sweeps.reading import Given, Kind, Opening
from swarm_nca.sweeps.schema import MOST_RUNS
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import look_up

#: Keys that do not change the result of a run.
_ABOUT = ("name", "description")

#: Hexadecimal digits of a plan's name.
_DIGITS = 12

#: Keys of a scenario that decide which measures its run has.
_DECIDING = ("rule", "target")

#: Plans that are loaded completely before a sweep starts: every value of a short grid once.
_TRIED = 20


@dataclass(frozen=True, eq=False)
class Plan:
    """One run of a sweep.

    Attributes:
        kind: what the document is.
        document: the base with all changes of this run, its seed included.
        values: the keys of the sweep with their values in this run.
        seed: seed of the run.
    """

    kind: Kind
    document: Document
    values: Mapping[str, Any]
    seed: int

    @cached_property
    def name(self) -> str:
        """The run's name: 12 hexadecimal digits."""
        whole = {"kind": self.kind, "plan": self.data, "rule": self._rule_digest}
        text = json.dumps(whole, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

    @property
    def data(self) -> dict[str, Any]:
        """The whole plan as plain data, without name and description."""
        data: dict[str, Any] = self.document.data
        return {key: value for key, value in data.items() if key not in _ABOUT}

    def check(self) -> None:
        """Raise a LocatedError if a key or value does not fit the base."""
        self.document.validate(Settings if self.kind == "scenario" else Recipe)

    def try_out(self) -> tuple[str, ...]:
        """Raise a ValueError if a file or a moment that the plan names cannot be used.

        Returns:
            The measures of a scenario; none for a recipe, whose run decides them.
        """
        if self.kind == "scenario":
            return (*metrics_for(load(self.document).start), "expectations", "met")
        look_up(self.document.validate(Recipe), self.document)
        return ()

    @property
    def _rule_digest(self) -> str:
        """The hash of the rule file that the plan names; empty without one."""
        rule = self.data.get("rule")
        name = rule.get("weights") if isinstance(rule, dict) else rule
        if not isinstance(name, str):
            return ""
        try:
            return _digest(find_rule(name, Path(self.document.file).parent))
        except (ValueError, OSError):  # the run itself will say so
            return ""


@lru_cache(maxsize=64)
def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def plans_of(opening: Opening) -> list[Plan]:
    """The plans of a sweep without a search: grid × sample × seeds, the seeds fastest.

    Raises:
        LocatedError: a key or value that does not fit the base, with its place in the sweep; or
            too many runs.
    """
    count = opening.sweep.sample.count if opening.sweep.sample is not None else 1
    sizes = (count, max(1, len(opening.seeds)), *map(len, opening.grid.values()))
    if (runs := math.prod(sizes)) > MOST_RUNS:
        raise opening.document.error(
            (), f"a sweep has at most {MOST_RUNS:,} runs, got {runs:,}: give fewer values or seeds"
        )
    found = [plan for values in _settings(opening) for plan in seeded(opening, values)]
    return list({plan.name: plan for plan in found}.values())


def seeded(opening: Opening, values: Mapping[str, Given]) -> Iterator[Plan]:
    """One plan for each seed, with some keys of the base changed.

    Raises:
        LocatedError: a key or value that does not fit the base.
    """
    document = opening.base
    for key, given in values.items():
        document = document.with_node(key, given.node, given.folder)
    plain = {key: given.node.data() for key, given in values.items()}
    seeds = opening.seeds or (document.data.get("seed", 0),)
    for seed in seeds:
        changed = document.with_overrides([f"seed={seed}"]) if opening.seeds else document
        plan = Plan(opening.kind, changed, plain, seed)
        plan.check()
        yield plan


def checked(opening: Opening) -> list[Plan]:
    """The plans of a sweep, tried out; of a search one example.

    The first plan is loaded completely, and at least one plan with each value of a short grid. The
    measures that a sweep over scenarios names must be those of a plan that is loaded, or any if the
    sweep changes what decides them.

    Raises:
        LocatedError: a mistake in the sweep, or a plan that cannot run.
    """
    if opening.sweep.search is not None:
        middle = {
            key: opening.given(part.at(0.5), "search", key)
            for key, part in opening.sweep.search.keys.items()
        }
        plans = list(seeded(opening, middle))
    else:
        plans = plans_of(opening)
    seen: set[str] = set()
    measures: dict[str, None] = {}
    tried = 0
    for plan in plans:
        marks = {f"{key}={json.dumps(plan.values.get(key))}" for key in opening.grid}
        if tried == 0 or (marks - seen and tried < _TRIED):
            measures |= dict.fromkeys(plan.try_out())
            tried += 1
            seen |= marks
    if opening.kind == "scenario":
        if any(key.split(".")[0] in _DECIDING for key in opening.keys):
            measures |= dict.fromkeys([*OTHERS, *METRICS])
        check_named(opening, measures)
    return plans


def _settings(opening: Opening) -> Iterator[dict[str, Given]]:
    """The changes of every combination of the grid with every draw of the sample."""
    names, lists = list(opening.grid), list(opening.grid.values())
    draws = list(_draws(opening))
    for combination in itertools.product(*lists):
        for drawn in draws:
            yield dict(zip(names, combination, strict=True)) | drawn


def _draws(opening: Opening) -> Iterator[dict[str, Given]]:
    """The draws of the sample; one draw without keys if there is no sample."""
    sample = opening.sweep.sample
    if sample is None:
        yield {}
        return
    for number in range(sample.count):
        drawn = {}
        for key, distribution in sample.keys.items():
            share = _share(sample.seed, key, number)
            drawn[key] = opening.given(distribution.at(share), "sample", key)
        yield drawn


def _share(seed: int, key: str, number: int) -> float:
    """A number in [0, 1): a function of seed, key and number only.

    A larger sample keeps the draws of a smaller one, and a further key changes no other key's.
    """
    word = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return float(np.random.default_rng([seed, word, number]).random())
