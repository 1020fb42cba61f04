"""Training: one iteration at a time, every one a function of the state before it.

An iteration takes a batch from the pool, unrolls the rule over it, descends along gradients each
divided by its own length, and writes the batch back. All that one iteration leaves to the next is
in `Trainer`'s fields, so that a run which was stopped and resumed is the run which was not.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from swarm_nca.masked import Masked
from swarm_nca.rules import Rule
from swarm_nca.tasks import Classification, loss_of
from swarm_nca.training.averaging import Average
from swarm_nca.training.descent import Descent, normalize_gradients
from swarm_nca.training.draws import GeneratorDraws, generator_of, masks
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
        rule: trained in place, on the recipe's device.
        task: the pictures.
        team: the processes that train together; this one alone when None.

    Raises:
        ValueError: several processes and a GPU.

    Attributes:
        began_with: the hash of the weights before the first iteration.
    """

    def __init__(
        self, recipe: Recipe, rule: Rule, task: Classification, team: Team | None = None
    ) -> None:
        self.team = team or Team()
        if self.team.size > 1 and recipe.device != "cpu":
            raise ValueError(
                f"{self.team.size} processes train together on CPUs alone; start one for "
                f"device: {recipe.device}, or set device: cpu"
            )
        rule = rule.requires_grad_(True).to(recipe.device)
        self.recipe, self.rule, self.task = recipe, rule, task
        self.began_with = rule.hash()
        self.descent = Descent(rule, recipe.optimizer)
        self.average = None if recipe.average is None else Average(rule, recipe.average)
        self.iteration = 0
        self.pool: Pool | None = None
        if recipe.regime != "naive":
            generator = generator_of(recipe.seed, 0)
            self.pool = Pool.filled(task, rule, recipe.pool, recipe.start, generator)
        self._products = torch.bfloat16 if recipe.precision == "bfloat16" else None
        longest = recipe.steps if isinstance(recipe.steps, int) else recipe.steps[1]
        self._scratch, self._masked = Scratch(), Masked(longest, self._products)

    @property
    def outcome(self) -> Rule:
        """The rule that training has come to: the average's where there is one; on the CPU."""
        rule = self.rule if self.average is None else self.average.rule
        return rule if self.recipe.device == "cpu" else copy.deepcopy(rule).cpu()

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
        state = self._rolled_out(world, steps, generator)
        after = world.with_state(state)
        loss = loss_of(recipe.loss, after, recipe.bound)
        right = (after.logits.detach().argmax(1) == after.label[after.world_of]).to(loss.dtype)
        # Both at once: a GPU is waited for once.
        value, cell_accuracy = torch.stack([loss.detach(), right.mean()]).tolist()
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
        return Report(self.iteration, value, rate, cell_accuracy, after)

    def _rolled_out(self, world: World, steps: int, generator: torch.Generator) -> Tensor:
        """The state [N, C] some steps later, with gradients to the weights."""
        rule = self.rule
        if self.recipe.device != "cpu":
            return self._masked(world, rule, *masks(generator, steps, rule, world.state))
        share = self.team.share(world)
        mine = unrolled(
            share.world,
            rule,
            steps,
            share.draws(GeneratorDraws(generator, world.cells)),
            rule.fire_rate,
            rule.noise,
            self._scratch,
            self._products,
        )
        return share.joined(mine)

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
