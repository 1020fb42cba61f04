"""The learning rate over the iterations of a training."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from annotated_types import Gt, Le, MaxLen
from pydantic import model_validator

from swarm_nca.bounds import MOST_ENTRIES, Count, Index, Positive, Share
from swarm_nca.training.rule_settings import Part

#: Settings that belong to one shape of schedule only.
_SHAPED = {"drops": "steps", "factor": "steps", "hold": "cosine", "floor": "cosine"}


class Schedule(Part):
    """The learning rate over the iterations: a warm-up from 0, then one of three shapes.

    `rate` is a step's length in each weight, as Adam counts it; `warmup` and `drops` are
    iterations. `constant` keeps the rate; `steps` multiplies it by `factor` after each of the
    `drops`; `cosine` holds it for the share `hold` of the run and lets it fall to `floor` times
    itself along half a cosine.
    """

    rate: Positive = 1e-3
    warmup: Index = 0
    shape: Literal["constant", "steps", "cosine"] = "constant"
    drops: Annotated[tuple[Count, ...], MaxLen(MOST_ENTRIES)] = ()
    factor: Annotated[float, Gt(0.0), Le(1.0)] = 0.1
    hold: Share = 0.4
    floor: Share = 0.01

    @model_validator(mode="after")
    def _of_one_shape(self) -> Schedule:
        for name, shape in _SHAPED.items():
            if self.shape != shape and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(
                    f"{name} needs shape: {shape}, the shape is {self.shape}: leave {name} out"
                )
        if self.shape == "steps" and not self.drops:
            raise ValueError("shape: steps needs drops, the iterations after which the rate falls")
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops must ascend, got {list(self.drops)}")
        return self

    def at(self, iteration: int, iterations: int) -> float:
        """The learning rate of an iteration, counted from 0."""
        rate = self.rate * min(1.0, (iteration + 1) / self.warmup if self.warmup else 1.0)
        if self.shape == "steps":
            return float(rate * self.factor ** sum(iteration >= drop for drop in self.drops))
        held = self.hold * iterations
        if self.shape == "constant" or iteration <= held:
            return rate
        along = (iteration - held) / max(1.0, iterations - held)
        return rate * (self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * along)))
