"""The base class of tasks: training worlds and their losses.

Trainers use only this interface. A task family is a subclass in one file, with one line in
`kinds.TASKS`.

Letters: B worlds of a batch.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from swarm_nca.rules import Readout, Rule
from swarm_nca.suggestion import did_you_mean
from swarm_nca.world import World


class Task(ABC):
    """What a rule learns.

    Attributes:
        kind: the name of the family in recipes.
        defaults: default values of recipe keys for this task, as a file spells them; under `rule`,
            those of an `mlp`.
        stimulus_size: stimulus values of an `mlp`: the grey of 9 pixels, or none (0).
        ranked: whether a batch from the pool is sorted by loss, so that the worst worlds are
            restarted and the best are damaged.
        mutates: whether the picture of a world can change while its cells live.
        metric_names: the names of `metrics`, in order.
    """

    kind: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    stimulus_size: ClassVar[int] = 0
    ranked: ClassVar[bool] = False
    mutates: ClassVar[bool] = False
    metric_names: ClassVar[Sequence[str]] = ()

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], base: Path) -> Task:
        """The task from the settings of a recipe's `task`, without the kind.

        Args:
            base: the folder for relative paths.

        Raises:
            ValueError: unknown or invalid settings.
        """
        takes = list(inspect.signature(cls).parameters)
        for name in settings:
            if name not in takes:
                raise ValueError(
                    f"a task of kind {cls.kind!r} has no setting {name!r}"
                    f"{did_you_mean(name, takes)}; it takes {', '.join(takes) or 'none'}"
                )
        try:
            return cls(**settings)
        except TypeError as error:
            raise ValueError(f"a task of kind {cls.kind!r}: {error}") from error

    @property
    @abstractmethod
    def content(self) -> str:
        """SHA-256 over the training data; a training resumes only with the same value."""

    @property
    @abstractmethod
    def readout(self) -> Readout:
        """How the states of a rule for this task are read."""

    @property
    @abstractmethod
    def extent(self) -> tuple[int, int]:
        """(rows, columns) of a world."""

    @abstractmethod
    def start(self, count: int, rule: Rule, generator: torch.Generator) -> World:
        """Worlds at their start.

        Args:
            count: B, the number of worlds.
            rule: the rule of the cells; gives the device and dtype.
            generator: source of all draws, on the CPU.
        """

    @abstractmethod
    def refresh(
        self, world: World, fresh: int, mutated: int, rule: Rule, generator: torch.Generator
    ) -> World:
        """A batch from the pool, prepared for an iteration.

        Args:
            world: the batch [B] from the pool.
            fresh: number of worlds to restart, which are the first ones.
            mutated: number of worlds after them whose picture changes; 0 unless `mutates`.
            rule, generator: see `start`.
        """

    @abstractmethod
    def losses(self, before: World, after: World) -> Tensor:
        """[B], the loss of each world; differentiable in the state of `after`.

        Args:
            before: the batch before its rollout.
            after: the batch after it; for ranking, `before` itself.
        """

    def loss(self, before: World, after: World) -> Tensor:
        """A scalar: the mean of `losses`."""
        return self.losses(before, after).mean()

    @abstractmethod
    def metrics(self, before: World, after: World) -> dict[str, Tensor]:
        """Scalars for the log besides the loss, by the names in `metric_names`."""

    @abstractmethod
    def views(self, rule: Rule) -> bytes:
        """A PNG strip of results of the rule."""

    def captions(self, rule: Rule) -> list[str]:
        """A caption for each column of `views`; none by default."""
        return []

    def scores(self, rule: Rule) -> dict[str, float]:
        """Scores of a trained rule for its card; empty by default."""
        return {}

    def scored_on(self) -> str:
        """A short description of the data of `scores`."""
        return f"the task {self.kind}"

    def not_scored(self) -> str:
        """Why `scores` is empty."""
        return f"the task {self.kind} gives no scores"

    def check_steps(self, least: int, most: int) -> None:
        """Raise a ValueError unless the task supports rollouts of `least` to `most` steps."""
        return

    def check_rule(self, rule: Rule) -> None:
        """Raise a ValueError unless this rule can learn the task."""
        needed, given = self.readout, rule.readout
        if given != needed:
            raise ValueError(
                f"the task {self.kind!r} needs a rule with the read-out {needed.to_json()}, this "
                f"one has {given.to_json()}"
            )
