"""Training: one iteration at a time, every one a function of the state before it.

An iteration takes a batch from the pool, unrolls the rule over it, descends along gradients each
divided by its own length, and writes the batch back. All that one iteration leaves to the next is
in `Trainer`'s fields, so that a run which was stopped and resumed is the run which was not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from swarm_nca.rules import Rule
from swarm_nca.tasks import Classification, loss_of
from swarm_nca.training.averaging import Average
from swarm_nca.training.descent import Descent, normalize_gradients
from swarm_nca.training.draws import GeneratorDraws, generator_of
from swarm_nca.training.parallel import Team
from swarm_nca.training.pool import Pool, started
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.wounds import wounded
from swarm_nca.unrolled import Scratch, unrolled
from swarm_nca.world import World


@dataclass(frozen=True)
class Report:
    """What one iteration found.

    Attributes:
        iteration: counted from 1.
        loss: of the batch after its rollout.
        rate: the learning rate used.
        cell_accuracy: share of the batch's cells that held their picture's label.
        world: the batch after its rollout.
    """

    iteration: int
    loss: float
    rate: float
    cell_accuracy: float
    world: World


class Trainer:
    """A training run between two iterations.

    Args:
        recipe: how to train.
        rule: trained in place.
        task: the pictures.
        team: the processes that train together; this one alone when None.

    Attributes:
        began_with: the hash of the weights before the first iteration.
    """

    def __init__(
        self, recipe: Recipe, rule: Rule, task: Classification, team: Team | None = None
    ) -> None:
        self.recipe, self.rule, self.task = recipe, rule.requires_grad_(True), task
        self.team = team or Team()
        self.began_with = rule.hash()
        self.descent = Descent(rule, recipe.optimizer)
        self.average = None if recipe.average is None else Average(rule, recipe.average)
        self.iteration = 0
        self.pool: Pool | None = None
        if recipe.regime != "naive":
            generator = generator_of(recipe.seed, 0)
            self.pool = Pool.filled(task, rule, recipe.pool, recipe.start, generator)
        self._scratch = Scratch()

    @property
    def outcome(self) -> Rule:
        """The rule that training has come to: the average's where there is one."""
        return self.rule if self.average is None else self.average.rule

    def advance(self) -> Report:
        """One iteration.

        Raises:
            ArithmeticError: the loss is no longer finite; the weights stay as they were.
            ValueError: nobody lives in the whole batch.
        """
        recipe, rule = self.recipe, self.rule
        generator = generator_of(recipe.seed, self.iteration + 1)
        steps = _steps(recipe, generator)
        which, world = self._batch(generator)
        if not world.cells:
            raise ValueError(
                f"no pixel lives in the batch of iteration {self.iteration + 1}: augment moves or "
                "shrinks all ink away; lower augment.shift, or raise augment.scale"
            )
        if recipe.wounds is not None:
            world = wounded(world, recipe.wounds.share, recipe.wounds.strength, generator)
        share = self.team.share(world)
        draws = share.draws(GeneratorDraws(generator, world.cells))
        products = torch.bfloat16 if recipe.precision == "bfloat16" else None
        mine = unrolled(
            share.world,
            rule,
            steps,
            draws,
            rule.fire_rate,
            rule.noise,
            self._scratch,
            products,
        )
        state = share.joined(mine)
        after = world.with_state(state)
        loss = loss_of(recipe.loss, after, recipe.bound)
        value = float(loss.detach())
        if not math.isfinite(value):
            bound = "" if recipe.bound else ", or with a bound"
            raise ArithmeticError(
                f"the loss became {value} at iteration {self.iteration + 1}; begin anew with a "
                f"lower schedule.rate{bound}"
            )
        self.descent.zero_grad()
        torch.autograd.backward(loss)
        self.team.add_gradients(rule)
        normalize_gradients(rule, recipe.normalize)
        rate = recipe.schedule.at(self.iteration, recipe.iterations)
        self.descent.step(rate)
        if self.average is not None:
            self.average.add(rule)
        after = after.with_state(state.detach())
        if self.pool is not None:
            self.pool.put_back(which, after)
        self.iteration += 1
        right = after.logits.argmax(1) == after.label[after.world_of]
        return Report(self.iteration, value, rate, float(right.float().mean()), after)

    def _batch(self, generator: torch.Generator) -> tuple[Tensor, World]:
        recipe = self.recipe
        fresh, mutated = recipe.shares(self.iteration)
        if self.pool is None:
            grey, label = self.task.sample(fresh, generator)
            world = started(grey, label, self.rule, recipe.start, generator)
            return torch.arange(fresh), world
        return self.pool.take(
            recipe.batch,
            fresh,
            mutated,
            task=self.task,
            rule=self.rule,
            start=recipe.start,
            generator=generator,
        )


def _steps(recipe: Recipe, generator: torch.Generator) -> int:
    """How long the rollout of an iteration is."""
    if isinstance(recipe.steps, int):
        return recipe.steps
    least, most = recipe.steps
    return int(torch.randint(least, most + 1, (), generator=generator))
