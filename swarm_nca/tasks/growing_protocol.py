"""The evaluation protocol of growing patterns: growth, persistence and recovery from damage.

Several worlds grow from sprouts with different draws. The protocol measures the error after growth
and at a late step, and the share of the error from a wound that disappears after some steps. Errors
are mean squared errors of premultiplied RGBA over all pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le

from swarm_nca.bounds import Count, Share, check_bounds
from swarm_nca.engine import stepper
from swarm_nca.rules import Rule
from swarm_nca.tasks.growing import Growing
from swarm_nca.world import World

#: The largest error, and the largest |state|, of a retained world.
RETAINED_BELOW, LARGEST_STATE = 0.15, 1e3

#: Called with (steps done, steps in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class GrowingProtocol:
    """The steps of measurements, and the size of the wound.

    Attributes:
        worlds: number of worlds.
        grown: the step after which growth is measured and worlds are wounded.
        late: the step after which persistence is measured.
        healed: steps from the wound to the measurement of recovery.
        severity: diameter of the wound in the middle, as a share of the field's width.
        seed: seed of all draws.
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
            raise ValueError(f"late must be at least grown, {self.grown}, got {self.late}")


@dataclass(frozen=True)
class Grown:
    """The measurements of one world.

    Attributes:
        error_grown, error_late: errors at these steps without a wound.
        error_wounded, error_healed: errors right after the wound, and `healed` steps later.
        alive: whether any cell is alive at the late step.
        retained: whether, at the late step, the world is alive, its error is at most 0.15 and its
            |state| at most 1,000.
    """

    error_grown: float
    error_late: float
    error_wounded: float
    error_healed: float
    alive: bool
    retained: bool

    @property
    def recovery(self) -> float:
        """The percentage of the wound's error that disappeared; below 0 if the error grew."""
        added = self.error_wounded - self.error_grown
        if added == 0.0:
            return float("nan")
        return 100.0 * (self.error_wounded - self.error_healed) / added


@torch.no_grad()
def grown_by(
    rule: Rule,
    task: Growing,
    protocol: GrowingProtocol | None = None,
    progress: Progress | None = None,
) -> list[Grown]:
    """The measurements of each world under the protocol.

    Args:
        protocol: the published one when None.
        progress: called with (steps done, steps in all).

    Raises:
        ValueError: a rule whose cells cannot grow.
    """
    plan = protocol or GrowingProtocol()
    task.check_rule(rule)
    runner = _Runner(progress, plan.late + plan.healed)
    grown = runner.run(task.start(plan.worlds, rule), rule, plan.grown, plan.seed)
    late = runner.run(grown, rule, plan.late - plan.grown, plan.seed)
    wounded = _wounded(grown, plan.severity)
    healed = runner.run(wounded, rule, plan.healed, plan.seed)
    errors = [task.losses(world, world).tolist() for world in (grown, late, wounded, healed)]
    alpha = late.state[:, 3].view(len(late), -1)
    largest = late.state.abs().view(len(late), -1).amax(1)
    outcomes = []
    for number, (at_grown, at_late, at_wound, at_healed) in enumerate(zip(*errors, strict=True)):
        alive = bool((alpha[number] > rule.alive_above).any())
        # A NaN fails both comparisons.
        kept = at_late <= RETAINED_BELOW and float(largest[number]) <= LARGEST_STATE
        outcomes.append(Grown(at_grown, at_late, at_wound, at_healed, alive, alive and kept))
    return outcomes


class _Runner:
    """Runs worlds and reports the progress over all runs."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def run(self, world: World, rule: Rule, steps: int, seed: int) -> World:
        running = stepper(world, rule, seed)
        for _ in range(steps):
            running.step()
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)
        return running.world()


def _wounded(world: World, severity: float) -> World:
    """The worlds with zero states in a disc in the middle."""
    rows, columns = world.picture(0).shape
    middle = torch.tensor([(rows - 1) / 2, (columns - 1) / 2])
    distance = (world.position.cpu() - middle).square().sum(1)
    within = (distance <= (severity * columns / 2) ** 2).to(world.state.device)
    return world.with_state(world.state.masked_fill(within[:, None], 0.0))
