"""How well a pattern grows, stays and heals: the protocol of published comparisons, with numbers.

Several worlds grow from their sprouts, each with draws of its own. Their errors are told when they
are grown, and after a long time; and how much of the error that a wound brings is gone after some
steps. Errors are mean squared errors of premultiplied RGBA over all pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le

from swarm_nca.bounds import Count, Share, check_bounds
from swarm_nca.engine import Stepper
from swarm_nca.rules import Rule
from swarm_nca.tasks.growing import Growing
from swarm_nca.world import World

#: What a world must keep to be retained: its largest error, and its largest number.
RETAINED_BELOW, LARGEST_STATE = 0.15, 1e3

#: Is told the steps done and in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class GrowingProtocol:
    """When is looked, and how deep the wound is.

    Attributes:
        worlds: how many grow.
        grown: the step at which they should be grown, and are wounded.
        late: the step at which they should still be there.
        healed: steps after the wound.
        severity: the wound's diameter, as a share of the field's width; it lies in the middle.
        seed: of all draws.
    """

    worlds: Annotated[int, Ge(1), Le(1000)] = 5
    grown: Count = 96
    late: Count = 4096
    healed: Count = 80
    severity: Annotated[Share, Gt(0.0)] = 0.3
    seed: Annotated[int, Ge(0), Le((1 << 64) - 1)] = 0

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.late < self.grown:
            raise ValueError(f"late is {self.late}, before they are grown, at {self.grown}")


@dataclass(frozen=True)
class Grown:
    """What became of one world.

    Attributes:
        error_grown, error_late: at these steps, unwounded.
        error_wounded, error_healed: right after the wound, and some steps later.
        alive: whether any cell lives late.
        retained: alive and finite late, with an error of at most 0.15 and numbers up to 1,000.
    """

    error_grown: float
    error_late: float
    error_wounded: float
    error_healed: float
    alive: bool
    retained: bool

    @property
    def recovery(self) -> float:
        """The percentage of the wound's error that is gone again; below 0 if it grew."""
        brought = self.error_wounded - self.error_grown
        if brought == 0.0:
            return float("nan")
        return 100.0 * (self.error_wounded - self.error_healed) / brought


@torch.no_grad()
def grown_by(
    rule: Rule,
    task: Growing,
    protocol: GrowingProtocol | None = None,
    progress: Progress | None = None,
) -> list[Grown]:
    """What becomes of each world under the protocol.

    Args:
        protocol: the published one when None.
        progress: is told the steps done and in all.

    Raises:
        ValueError: a rule that cannot grow.
    """
    asked = protocol or GrowingProtocol()
    task.check_rule(rule)
    told = _Counted(progress, asked.late + asked.healed)
    grown = told.run(task.start(asked.worlds, rule), rule, asked.grown, asked.seed)
    late = told.run(grown, rule, asked.late - asked.grown, asked.seed)
    wounded = _wounded(grown, asked.severity)
    healed = told.run(wounded, rule, asked.healed, asked.seed)
    errors = [task.losses(world, world).tolist() for world in (grown, late, wounded, healed)]
    alpha = late.state[:, 3].view(len(late), -1)
    largest = late.state.abs().view(len(late), -1).amax(1)
    outcomes = []
    for number, (first, last, hurt, mended) in enumerate(zip(*errors, strict=True)):
        alive = bool((alpha[number] > rule.alive_above).any())
        # A NaN fails both comparisons.
        kept = last <= RETAINED_BELOW and float(largest[number]) <= LARGEST_STATE
        outcomes.append(Grown(first, last, hurt, mended, alive, alive and kept))
    return outcomes


class _Counted:
    """Runs worlds, and tells of all steps together."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def run(self, world: World, rule: Rule, steps: int, seed: int) -> World:
        stepper = Stepper(world, rule, seed)
        for _ in range(steps):
            stepper.step()
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)
        return stepper.world()


def _wounded(world: World, severity: float) -> World:
    """All that lies within a disc in the middle of every world, erased."""
    rows, columns = world.picture(0).shape
    middle = torch.tensor([(rows - 1) / 2, (columns - 1) / 2])
    away = (world.position.cpu() - middle).square().sum(1)
    within = (away <= (severity * columns / 2) ** 2).to(world.state.device)
    return world.with_state(world.state.masked_fill(within[:, None], 0.0))
