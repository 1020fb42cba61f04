"""The schema of a sweep file: a base, and the keys of it that take several values.

Keys of the base are dotted, as for `--set`: `links.drop`, `perturbations.0.radius`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from swarm_nca.bounds import MOST_ENTRIES, Seed
from swarm_nca.config.names import FolderName
from swarm_nca.measure.metrics import METRICS
from swarm_nca.sweeps.seeds import seeds_of

#: Maximum number of runs of a sweep.
MOST_RUNS = 100_000

#: Kinds of distributions that are an interval [low, high].
INTERVALS = ("uniform", "log_uniform", "integers")

Runs = Annotated[int, Ge(1), Le(MOST_RUNS)]
Seeds = Annotated[tuple[Seed, ...], BeforeValidator(seeds_of), MinLen(1), MaxLen(MOST_RUNS)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Distribution(_Part):
    """What a key's values are drawn from; exactly one of these."""

    uniform: tuple[float, float] | None = None
    """[low, high]: every number alike."""
    log_uniform: tuple[float, float] | None = None
    """[low, high], both above 0: every order of magnitude alike."""
    integers: tuple[int, int] | None = None
    """[low, high]: whole numbers, both ends included."""
    choice: Annotated[tuple[Any, ...], MinLen(1), MaxLen(MOST_ENTRIES)] | None = None
    """A list of values, each as likely as the others."""

    @model_validator(mode="after")
    def _one(self) -> Distribution:
        given = self.model_fields_set
        if len(given) != 1:
            raise ValueError(
                "a distribution is one of uniform, log_uniform, integers and choice, such as "
                "{log_uniform: [1e-4, 1e-2]}"
            )
        name = self.kind
        if name in INTERVALS:
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name} must be [low, high], got [{low:g}, {high:g}]")
            if name == "log_uniform" and low <= 0:
                raise ValueError(f"log_uniform needs numbers above 0, got {low:g}")
        return self

    @property
    def kind(self) -> str:
        """The name of the distribution."""
        return next(iter(self.model_fields_set))

    def at(self, share: float) -> Any:
        """The value below which this share of the distribution lies.

        Args:
            share: in [0, 1).
        """
        if self.choice is not None:
            return self.choice[int(share * len(self.choice))]
        low, high = getattr(self, self.kind)
        if self.kind == "integers":
            return low + int(share * (high - low + 1))
        if self.kind == "log_uniform":
            return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        return low + share * (high - low)


class _Drawn(BaseModel):
    """Settings, and besides them keys of the base with their distributions."""

    model_config = ConfigDict(
        extra="allow", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )
    __pydantic_extra__: dict[str, Distribution]

    @model_validator(mode="after")
    def _of_keys(self) -> _Drawn:
        if not self.keys:
            raise ValueError(
                "no key is given: name keys of the base, such as links.drop: {uniform: [0, 0.5]}"
            )
        return self

    @property
    def keys(self) -> Mapping[str, Distribution]:
        """The keys of the base, with their distributions."""
        return self.__pydantic_extra__


class Sample(_Drawn):
    """Values drawn at random; all other keys are keys of the base with their distributions."""

    count: Runs
    """Number of draws; each meets every combination of the grid and every seed."""
    seed: Seed = 0
    """Seed of the draws. A larger count keeps the draws of a smaller one."""


class Search(_Drawn):
    """Values proposed by Optuna; all other keys are keys of the base with their distributions."""

    trials: Runs
    """Number of trials; a trial is one run for each seed."""
    maximize: str | None = None
    """The measure to maximize, a column of the table; a trial has its mean over the seeds."""
    minimize: str | None = None
    """The measure to minimize."""
    seed: Seed = 0
    """Seed of the proposals."""

    @model_validator(mode="after")
    def _aim(self) -> Search:
        if (self.maximize is None) == (self.minimize is None):
            raise ValueError("a search needs either maximize or minimize, such as maximize: alive")
        return self

    @property
    def measure(self) -> str:
        """The measure to maximize or minimize."""
        return self.maximize or self.minimize or ""


class Sweep(_Part):
    """One sweep: a scenario or a recipe, run with many settings."""

    name: FolderName | None = None
    """Name of the sweep and of its folder, runs/sweep-NAME; the file's name if not given."""
    description: Annotated[str, MaxLen(2_000)] | None = None
    """What the sweep asks, in some sentences."""
    base: str
    """A scenario or a recipe: a shipped name, or a path relative to this file."""
    set: dict[str, Any] = {}
    """Keys of the base that get another value in all runs."""
    grid: dict[str, Annotated[tuple[Any, ...], MinLen(1), MaxLen(MOST_ENTRIES)]] = {}
    """Keys of the base with lists of values; every combination is run."""
    sample: Sample | None = None
    """Keys of the base whose values are drawn at random."""
    search: Search | None = None
    """Keys of the base whose values Optuna proposes, from the results so far."""
    seeds: Seeds | None = None
    """Seeds of every combination: a number, a range such as 0-9, or a list; the base's own seed if
    not given."""
    show: Annotated[tuple[str, ...], MaxLen(len(METRICS))] = ()
    """The measures that the figure shows, columns of the table; some usual ones if not given."""
    keep: bool = False
    """Whether each run of a scenario leaves its run folder, with report and pictures."""

    @model_validator(mode="after")
    def _one_way(self) -> Sweep:
        if self.search is not None and (self.grid or self.sample is not None):
            raise ValueError(
                "search cannot be combined with grid or sample: give their keys to search, as "
                "{choice: […]}"
            )
        return self
