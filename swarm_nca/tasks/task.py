"""What every task is: what worlds to learn on, and how wrong they are in the end.

Trainers know tasks by this interface alone. A family of tasks is a subclass: one file, and one line
in `kinds.TASKS`.

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
    """What a rule should learn.

    Attributes:
        kind: the name of the family in recipes.
        defaults: what a recipe for this task says where it says nothing, by key, as a file spells
            it; under `rule`, what it says of an `mlp`.
        stimulus_size: what cells of an `mlp` sense: the grey of 9 pixels, or nothing (0).
        ranked: whether a batch from the pool is put in the order of its losses, so that the worst
            worlds start anew and the best are damaged.
        mutates: whether worlds can be changed under their living cells.
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
        """The task that a recipe's `task` describes, without its kind.

        Args:
            base: where its paths start from.

        Raises:
            ValueError: settings that this task does not have, or cannot use.
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
        """SHA-256 over what there is to learn from: a training resumes on nothing else."""

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
        """Worlds at their beginning.

        Args:
            count: how many, B.
            rule: whose cells live there; its device and dtype are the worlds'.
            generator: of all draws, on the CPU.
        """

    @abstractmethod
    def refresh(
        self, world: World, fresh: int, mutated: int, rule: Rule, generator: torch.Generator
    ) -> World:
        """A batch from the pool as it enters an iteration.

        Args:
            world: the batch [B] as it was written back.
            fresh: so many worlds, the first ones, start anew.
            mutated: so many after them change under their living cells; 0 unless `mutates`.
            rule, generator: see `start`.
        """

    @abstractmethod
    def losses(self, before: World, after: World) -> Tensor:
        """[B], how wrong each world is; differentiable in the state of `after`.

        Args:
            before: the batch before its rollout.
            after: the batch after it; `before` itself where a batch is ranked.
        """

    def loss(self, before: World, after: World) -> Tensor:
        """A scalar: the mean of `losses`."""
        return self.losses(before, after).mean()

    @abstractmethod
    def metrics(self, before: World, after: World) -> dict[str, Tensor]:
        """Scalars that a log tells beside the loss, by the names of `metric_names`."""

    @abstractmethod
    def views(self, rule: Rule) -> bytes:
        """A PNG strip of what the rule has come to."""

    def scores(self, rule: Rule) -> dict[str, float]:
        """What a rule's card tells when its training is over; none by default."""
        return {}

    def scored_on(self) -> str:
        """What `scores` looked at, in a few words."""
        return f"the task {self.kind}"

    def not_scored(self) -> str:
        """Why there are no `scores`, in a few words."""
        return f"the task {self.kind} gives no scores"

    def check_steps(self, least: int, most: int) -> None:
        """A ValueError, unless rollouts of so many steps make sense; they always do by default."""
        return

    def check_rule(self, rule: Rule) -> None:
        """A ValueError, unless this rule can learn the task."""
        wants, has = self.readout, rule.readout
        if has != wants:
            raise ValueError(
                f"the task {self.kind!r} needs a rule with the read-out {wants.to_json()}, this "
                f"one has {has.to_json()}"
            )
