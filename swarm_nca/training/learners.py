"""Learners: compute a gradient of the loss for the weights of a rule.

`Gradient` back-propagates through the rollout; `Evolution` tries changes of the weights and
compares their losses. Afterwards the gradient is normalized and an optimizer takes a step.

To add one, write a subclass of `Learner` and a line in `LEARNERS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from swarm_nca.bounds import check_bounds
from swarm_nca.engine import rollout
from swarm_nca.rules import Rule
from swarm_nca.tasks import Task, overflow
from swarm_nca.training.parallel import DataParallel
from swarm_nca.training.rollouts import Rollouts
from swarm_nca.world import World


@dataclass(frozen=True)
class Objective:
    """The objective of one iteration: the loss of a batch after its rollout.

    Attributes:
        world: the batch before its rollout.
        steps: steps of the rollout.
        task: defines the loss.
        bound: |s| of a channel above which the loss has a penalty; no bound when None.
        rollouts: rollouts with gradients.
        generator: source of all draws.
        team: the processes that share the work.
        precision: of matrix products in rollouts without gradients; see `engine.rollout`.
    """

    world: World
    steps: int
    task: Task
    bound: float | None
    rollouts: Rollouts
    generator: torch.Generator
    team: DataParallel
    precision: str | None = None

    def loss(self, after: World) -> Tensor:
        """A scalar."""
        loss = self.task.loss(self.world, after)
        return loss if self.bound is None else loss + overflow(after, self.bound)

    def with_gradient(self, rule: Rule) -> tuple[Tensor, World]:
        """The loss, which gradients flow from, and the batch after its rollout."""
        after = self.world.with_state(self.rollouts(self.world, rule, self.steps, self.generator))
        return self.loss(after), after

    @torch.no_grad()
    def tried(self, rule: Rule, seed: int) -> tuple[Tensor, World]:
        """The loss and the batch after a rollout without gradients.

        Args:
            seed: rules tried with the same seed get the same draws.
        """
        # The worlds of a pool may have equal keys; numbers give each world its own draws.
        named = replace(self.world, key=torch.arange(len(self.world)).to(self.world.key))
        rolled = rollout(named, rule, self.steps, seed, precision=self.precision)
        after = self.world.with_state(rolled.state)
        return self.loss(after), after


class Learner(ABC):
    """Computes a gradient for the weights of a rule."""

    @abstractmethod
    def learn(self, rule: Rule, objective: Objective) -> tuple[Tensor, World]:
        """Set the gradient of every weight.

        Returns:
            loss: loss of the present rule, a detached scalar.
            after: the batch after the rule's rollout.
        """


@dataclass(frozen=True)
class Gradient(Learner):
    """Back-propagation through the rollout."""

    kind: Literal["gradient"] = field(default="gradient", repr=False)

    def learn(self, rule: Rule, objective: Objective) -> tuple[Tensor, World]:
        """See `Learner.learn`."""
        loss, after = objective.with_gradient(rule)
        torch.autograd.backward(loss)
        objective.team.add_gradients(rule)
        return loss.detach(), after


@dataclass(frozen=True)
class Evolution(Learner):
    """Evolution strategies: adds noise to all weights and subtracts it, and compares the losses.

    Both changes of a pair get the same worlds and draws; losses are used by rank (Salimans et al.
    2017, arXiv 1703.03864). It needs no gradients, and two rollouts per pair.

    Attributes:
        pairs: number of pairs of opposite changes.
        spread: standard deviation of a change.
    """

    kind: Literal["evolution"] = field(default="evolution", repr=False)
    pairs: Annotated[int, Ge(1), Le(100_000)] = 32
    spread: Annotated[float, Gt(0.0), Le(1e6)] = 0.02

    def __post_init__(self) -> None:
        check_bounds(self)

    def learn(self, rule: Rule, objective: Objective) -> tuple[Tensor, World]:
        """See `Learner.learn`."""
        generator, team = objective.generator, objective.team
        seed = int(torch.randint(1 << 62, (), generator=generator))
        loss, after = objective.tried(rule, seed)
        weights = list(rule.parameters())
        middle = parameters_to_vector(weights).detach().clone()
        noise = torch.randn(self.pairs, len(middle), generator=generator).to(middle)
        losses = torch.zeros(2 * self.pairs, dtype=torch.float64)
        for number in range(team.rank, 2 * self.pairs, team.size):
            pair, sign = number // 2, 1 - 2 * (number % 2)
            self._move(weights, middle + sign * self.spread * noise[pair])
            losses[number] = float(objective.tried(rule, seed)[0])
        self._move(weights, middle)
        team.add(losses)
        share = shaped(losses).view(-1, 2)
        slope = (share[:, 0] - share[:, 1]).to(middle) @ noise / (2 * self.pairs * self.spread)
        start = 0
        for weight in weights:
            weight.grad = slope[start : start + weight.numel()].view_as(weight).clone()
            start += weight.numel()
        return loss, after

    @torch.no_grad()
    def _move(self, weights: list[torch.nn.Parameter], to: Tensor) -> None:
        vector_to_parameters(to, weights)


def shaped(losses: Tensor) -> Tensor:
    """The ranks of losses [n], spaced evenly from −½ to ½; a loss that is nan ranks worst."""
    order = losses.nan_to_num(nan=torch.inf, posinf=torch.inf).argsort(stable=True)
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(len(losses))
    return ranks.to(losses.dtype) / max(1, len(losses) - 1) - 0.5


#: The learners that recipes can name, by kind.
LEARNERS: Mapping[str, type[Learner]] = MappingProxyType(
    {"gradient": Gradient, "evolution": Evolution}
)
