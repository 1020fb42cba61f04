"""The trainer: one iteration at a time, each a function of the state before it.

An iteration takes a batch from the pool, rolls out the rule, takes an optimizer step along
normalized gradients, and writes the batch back. The fields of `Trainer` hold all that the next
iteration needs, so a resumed run equals an uninterrupted one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from swarm_nca.engine import products_in
from swarm_nca.perturbations import Immigrants
from swarm_nca.rules import Rule
from swarm_nca.tasks import Task
from swarm_nca.training.averaging import Average
from swarm_nca.training.draws import generator_of
from swarm_nca.training.faults import Chance, Part, drawn, faulty
from swarm_nca.training.learners import Gradient, Objective
from swarm_nca.training.optimizers import Optimizers, normalize_gradients
from swarm_nca.training.parallel import DataParallel
from swarm_nca.training.pool import Pool
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.rollouts import Rollouts
from swarm_nca.training.state_damage import damaged, wounded
from swarm_nca.world import World


@dataclass(frozen=True)
class Report:
    """The results of one iteration.

    Attributes:
        iteration: counted from 1.
        loss: loss of the batch after its rollout.
        rate: the learning rate.
        metrics: the task's metrics of the batch after its rollout, by name.
        world: the batch after its rollout.
    """

    iteration: int
    loss: float
    rate: float
    metrics: Mapping[str, float]
    world: World


class Trainer:
    """A training run between two iterations.

    Args:
        recipe: how to train.
        rule: trained in place, on the recipe's device.
        task: the task to learn.
        team: the processes that train together; only this one when None.
        faults: perturbations of the batches; see `faults_of`.

    Raises:
        ValueError: several processes with a GPU, a rule that does not fit the task, or a rule or
            fault that the recipe's precision does not support.

    Attributes:
        began_with: the hash of the weights before the first iteration.
    """

    def __init__(
        self,
        recipe: Recipe,
        rule: Rule,
        task: Task,
        team: DataParallel | None = None,
        faults: Sequence[Chance] = (),
    ) -> None:
        self.team, self._faults = team or DataParallel(), faults
        if self.team.size > 1 and recipe.device != "cpu":
            raise ValueError(
                f"{self.team.size} processes cannot train on device: {recipe.device}; start one "
                "process, or set device: cpu"
            )
        task.check_rule(rule)
        rule = rule.requires_grad_(True).to(recipe.device)
        self.recipe, self.rule, self.task = recipe, rule, task
        self.began_with = rule.hash()
        self.descent = Optimizers(rule, recipe.optimizer)
        self.average = None if recipe.average is None else Average(rule, recipe.average)
        self.iteration = 0
        lasting = [fault for fault in faults if fault.lasting]
        if len(lasting) != sum(fault.lasting for fault in recipe.faults):
            raise ValueError(
                "the lasting faults are not those of the recipe: give faults_of(recipe, document)"
            )
        self.parts: list[Part] = []
        if recipe.regime != "naive":
            generator = generator_of(recipe.seed, 0)
            sound, *sizes = recipe.parts
            self.parts = [Part(Pool.of(task.start(sound, rule, generator)))]
            for size, fault in zip(sizes, lasting, strict=True):
                self.parts.append(Part.of(size, task, rule, fault, generator))
        products = torch.bfloat16 if recipe.precision == "bfloat16" else None
        longest = recipe.steps if isinstance(recipe.steps, int) else recipe.steps[1]
        self._rollouts = Rollouts(longest, products, self.team)
        self._try_faults()

    @property
    def outcome(self) -> Rule:
        """The present rule, with averaged weights if the recipe averages; on the CPU."""
        rule = self.rule if self.average is None else self.average.rule
        return rule if self.recipe.device == "cpu" else copy.deepcopy(rule).cpu()

    def advance(self) -> Report:
        """Run one iteration.

        Raises:
            ArithmeticError: the loss is no longer finite; the weights are not changed.
            ValueError: the batch has no living cell.
        """
        recipe, rule = self.recipe, self.rule
        generator = generator_of(recipe.seed, self.iteration + 1)
        steps = _steps(recipe, generator)
        part, which, world = self._batch(generator)
        if not world.cells:
            raise ValueError(
                f"the batch of iteration {self.iteration + 1} has no living cell: augment moves or "
                "shrinks all ink away; lower augment.shift, or raise augment.scale"
            )
        if recipe.wounds is not None:
            world = wounded(world, recipe.wounds.share, recipe.wounds.strength, generator)
        if recipe.damage is not None:
            hit = round(len(world) * recipe.damage.share)
            world = damaged(world, hit, recipe.damage.radius, generator)
        sound = world
        world = faulty(world, self._faults, generator)
        self.descent.zero_grad()
        objective = Objective(
            world,
            steps,
            self.task,
            recipe.bound,
            self._rollouts,
            generator,
            self.team,
            None if recipe.precision == "float32" else recipe.precision,
        )
        loss, after = recipe.learner.learn(rule, objective)
        found = self.task.metrics(world, after)
        # One transfer, so that a GPU synchronizes once.
        scalars = [loss, *(metric.to(loss) for metric in found.values())]
        value, *metrics = torch.stack(scalars).tolist()
        if not math.isfinite(value):
            bound = "" if recipe.bound else ", or with a bound"
            raise ArithmeticError(
                f"the loss became {value} at iteration {self.iteration + 1}; start again with a "
                f"lower schedule.rate{bound}"
            )
        normalize_gradients(rule, recipe.normalize)
        rate = recipe.schedule.at(self.iteration, recipe.iterations)
        self.descent.step(rate)
        rule.settle()
        if self.average is not None:
            self.average.add(rule)
        after = after.with_state(after.state.detach())
        if part is not None and torch.equal(after.address, sound.address):
            # The pool keeps no fault of one rollout; worlds that have lost cells stay as they were.
            part.pool.put_back(which, sound.with_state(after.state))
        self.iteration += 1
        return Report(self.iteration, value, rate, dict(zip(found, metrics, strict=True)), after)

    def _try_faults(self) -> None:
        """Raise a ValueError unless every fault, and the recipe's precision under it, fits."""
        recipe, rule = self.recipe, self.rule
        sound = self.task.start(recipe.batch, rule, generator_of(recipe.seed, 0))
        worlds = [("this rule", sound)]
        for number, fault in enumerate(self._faults):
            try:
                worlds.append((f"the fault {fault.change.kind!r}", fault.change(sound, seed=0)))
            except ValueError as error:
                raise ValueError(f"faults[{number}].change: {error}") from error
        for what, world in worlds if recipe.precision != "float32" else ():
            try:
                if isinstance(recipe.learner, Gradient):
                    self._rollouts.chosen(world, rule)
                else:
                    products_in(recipe.precision, world, rule)
            except ValueError as error:
                raise ValueError(
                    f"precision: {recipe.precision} does not support {what}; set precision: "
                    f"float32, or leave it out ({error})"
                ) from error

    @property
    def guests(self) -> list[str]:
        """The hashes of the rules of immigrants, fault by fault."""
        changes = [fault.change for fault in self._faults]
        rules = [change.rule for change in changes if isinstance(change, Immigrants)]
        return [rule if isinstance(rule, str) else rule.hash() for rule in rules]

    @property
    def pool(self) -> Pool | None:
        """The sound part of the pool; None without a pool."""
        return self.parts[0].pool if self.parts else None

    def _batch(self, generator: torch.Generator) -> tuple[Part | None, Tensor, World]:
        """The part of the pool, the numbers of the batch's worlds in it, and the batch."""
        recipe, task, rule = self.recipe, self.task, self.rule
        fresh, mutated = recipe.shares(self.iteration)
        if not self.parts:
            return None, torch.arange(fresh), task.start(fresh, rule, generator)
        part = drawn(self.parts, generator)
        pool = part.pool
        which = torch.randperm(len(pool), generator=generator)[: recipe.batch].to(rule.device)
        world = pool.take(which)
        if task.ranked:
            with torch.no_grad():
                order = task.losses(world, world).argsort(descending=True, stable=True)
            which, world = which[order], pool.take(which[order])
        return part, which, part.refreshed(world, fresh, mutated, task, rule, generator)


def _steps(recipe: Recipe, generator: torch.Generator) -> int:
    """The number of steps of an iteration's rollout."""
    if isinstance(recipe.steps, int):
        return recipe.steps
    least, most = recipe.steps
    return int(torch.randint(least, most + 1, (), generator=generator))
