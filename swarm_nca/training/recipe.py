"""A recipe: everything a training run depends on, as one YAML file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import BaseModel, ConfigDict, model_validator

from swarm_nca.bounds import MOST_ENTRIES, Count, Index, NonNegative, Positive, Seed, Share
from swarm_nca.images import DRAWN, SIZE, DatasetName
from swarm_nca.located import path_from
from swarm_nca.located.names import FolderName
from swarm_nca.randomness import LONGEST_ROW
from swarm_nca.rules import Hearing, shipped_rules
from swarm_nca.tasks import LOSSES, Augmentation
from swarm_nca.training.descent import Method, Normalization

#: Units of a hidden layer, and channels without a meaning; noise serves 256 channels in all.
MOST_UNITS, MOST_CHANNELS = 4096, LONGEST_ROW

#: Pictures of one source, and worlds of a pool or a batch.
MOST_TRAINED = 500_000

#: Sources of one training.
MOST_SOURCES = 100

#: Steps of a rollout that is learned from: all of them are kept until the gradients are known.
MOST_UNROLLED = 10_000

#: Bytes that a pool, or what is kept of a batch's rollout, may take, as far as a recipe tells.
MOST_BYTES = 64 << 30

Units = Annotated[int, Ge(1), Le(MOST_UNITS)]
Worlds = Annotated[int, Ge(1), Le(MOST_TRAINED)]
Unrolled = Annotated[int, Ge(1), Le(MOST_UNROLLED)]
Span = tuple[Unrolled, Unrolled]
Course = tuple[Share, Share]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Data(_Part):
    """One source of training pictures, with the classes it brings.

    `count` takes the first so many, of a folder in turn from every class; of what is drawn and has
    no end it says how many.
    """

    dataset: DatasetName | None = None
    folder: Path | None = None
    count: Worlds | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        if (self.dataset is None) == (self.folder is None):
            raise ValueError("give exactly one of dataset and folder")
        if self.seed and self.dataset not in DRAWN:
            raise ValueError("seed goes with pictures that are drawn; these are there already")
        if self.dataset in DRAWN and self.count is None:
            raise ValueError(f"{self.dataset} are endless: say how many with count")
        return self


class RuleSettings(_Part):
    """The rule to train; its classes come from the data.

    `weights` names a rule to begin with, as `load_rule` takes it: of the same sizes and classes.
    """

    weights: str | None = None
    free_channels: Annotated[int, Ge(1), Le(MOST_CHANNELS)] = 9
    hidden: tuple[Units, Units] = (80, 80)
    hearing: Hearing = "slots"
    fire_rate: Annotated[float, Gt(0.0), Le(1.0)] = 0.5
    noise: NonNegative = 0.02


class Wounds(_Part):
    """How often a world of the batch is jolted within a disc, and how hard; see `wounds`."""

    share: Share = 0.25
    strength: Positive = 1.0


#: What only one shape of a schedule asks for.
_SHAPED = {"drops": "steps", "factor": "steps", "hold": "cosine", "floor": "cosine"}


class Schedule(_Part):
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
                raise ValueError(f"{name} goes with shape: {shape}, the shape is {self.shape}")
        if self.shape == "steps" and not self.drops:
            raise ValueError("shape: steps needs drops, the iterations after which the rate falls")
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops ascend, got {list(self.drops)}")
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


class Recipe(_Part):
    """One training run, to the letter.

    The regime says how a batch is made up: `naive` starts all of it anew and keeps no pool, so that
    it has no use for `pool`, `fresh` and `mutated`; `mutating` takes it from a pool, starts the
    share `fresh` of it anew on other pictures and swaps those of the share `mutated` under the
    living cells; `persistent` starts that share anew as well, instead of mutating it. A share may
    be two, of the first and of the last iteration: it goes evenly from one to the other, rounded to
    whole worlds in every iteration.

    `optimizer` goes down the gradient (see `Descent`), `precision` is that of the rollout's matrix
    products: bfloat16 is faster on processors that have such arithmetic, and slower elsewhere.
    `device` is where all is computed: a GPU (`cuda`) draws other random numbers than a CPU does,
    and pays with larger batches. `steps` is the length of a rollout, or the least and the most of
    one drawn anew each iteration.
    `bound` is what a channel may hold before the loss pulls it back; `wounds` jolt worlds of the
    batch, so that a rule learns to heal. With `average` the run ends with the exponential average
    of its weights that keeps this share of itself in every iteration.
    """

    name: FolderName
    seed: Annotated[int, Ge(0), Lt(1 << 31)] = 0
    data: Annotated[tuple[Data, ...], MaxLen(MOST_SOURCES)]
    held_out: Count = 1000
    rule: RuleSettings = RuleSettings()
    regime: Literal["naive", "persistent", "mutating"] = "mutating"
    start: Literal["zeros", "random"] = "zeros"
    iterations: Count
    batch: Worlds = 16
    pool: Worlds = 160
    fresh: Share | Course = 0.25
    mutated: Share | Course = 0.25
    steps: Unrolled | Span = 20
    loss: Literal[tuple(LOSSES)] = "l2"  # type: ignore[valid-type]
    bound: Positive | None = None
    wounds: Wounds | None = None
    average: Annotated[float, Gt(0.0), Lt(1.0)] | None = None
    schedule: Schedule = Schedule()
    optimizer: Method = "adam"
    normalize: Normalization = "tensors"
    precision: Literal["float32", "bfloat16"] = "float32"
    device: Literal["cpu", "cuda"] = "cpu"
    augment: Augmentation = Augmentation()
    log_every: Count = 50
    checkpoint_every: Count = 1000

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        if not self.data:
            raise ValueError("data names no source of pictures; give at least one")
        if self.regime != "naive":
            self._check_pool()
        if not isinstance(self.steps, int) and self.steps[0] > self.steps[1]:
            raise ValueError(f"steps is [least, most], got {list(self.steps)}")
        self._check_memory()
        drawn = [source.count for source in self.data if source.dataset in DRAWN]
        if len(drawn) == len(self.data):
            self.check_held_out(sum(filter(None, drawn)))
        return self

    def _check_memory(self) -> None:
        """A ValueError where the pool, or the rollout of a batch, needs more than there is.

        Both are lower bounds: a picture has 28 × 28 pixels, of which one in eight lives.
        """
        pixels, width = math.prod(SIZE), 4 * (self.rule.free_channels + 1)
        longest = self.steps if isinstance(self.steps, int) else self.steps[1]
        fired = self.batch * longest * pixels / 8 * self.rule.fire_rate
        need = {
            f"pool of {self.pool} worlds": self.pool * pixels * width,
            f"batch of {self.batch} worlds, unrolled over {longest} steps,": fired
            * (width * 9 + 4 * sum(self.rule.hidden)),
        }
        for what, size in need.items():
            if size > MOST_BYTES and not (self.regime == "naive" and what.startswith("pool")):
                raise ValueError(
                    f"{what} takes at least {size / (1 << 30):,.0f} GB, and {MOST_BYTES >> 30} GB "
                    "is the most: lower it, steps, or the sizes of the rule"
                )

    def check_held_out(self, pictures: int) -> None:
        """A ValueError unless of so many pictures some are left to learn from."""
        if self.held_out >= pictures:
            raise ValueError(f"held_out is {self.held_out}, but there are only {pictures} pictures")

    def _check_pool(self) -> None:
        if self.pool < self.batch:
            raise ValueError(
                f"the pool ({self.pool}) must hold at least one batch ({self.batch}) of worlds"
            )
        ends = {"fresh": _ends(self.fresh), "mutated": _ends(self.mutated)}
        most = max(sum(course[at] for course in ends.values()) for at in (0, 1))
        if most > 1.0:
            raise ValueError(f"fresh and mutated are shares of one batch, they sum up to {most:g}")
        for name, course in ends.items():
            largest = max(course)
            if largest and not round(self.batch * largest):
                raise ValueError(
                    f"{name} is {largest:g} of a batch of {self.batch}, not one whole world: raise "
                    f"one of them, or say {name}: 0"
                )

    def moved(self, old: Path, new: Path) -> Recipe:
        """The same training, its paths told from another folder than the one they start from."""
        data = tuple(
            source.model_copy(update={"folder": Path(path_from(new, old, str(source.folder)))})
            if source.folder
            else source
            for source in self.data
        )
        weights = self.rule.weights
        if weights is not None and weights not in shipped_rules():
            weights = path_from(new, old, weights)
        rule = self.rule.model_copy(update={"weights": weights})
        return self.model_copy(update={"data": data, "rule": rule})

    def deciding(self) -> dict[str, Any]:
        """As plain data what decides the weights, given pictures and seed: not how the run is
        called or how often it tells of itself.
        """
        return self.model_dump(mode="json", exclude={"name", "log_every", "checkpoint_every"})

    def shares(self, iteration: int = 0) -> tuple[int, int]:
        """How many worlds of an iteration's batch start anew, and how many are mutated.

        Args:
            iteration: counted from 0.
        """
        if self.regime == "naive":
            return self.batch, 0
        along = iteration / max(1, self.iterations - 1)
        fresh, mutated = (
            round(self.batch * (first + (last - first) * along))
            for first, last in (_ends(self.fresh), _ends(self.mutated))
        )
        # Two halves of an odd batch both round up.
        mutated = min(mutated, self.batch - fresh)
        return (fresh, mutated) if self.regime == "mutating" else (fresh + mutated, 0)


def _ends(course: float | Course) -> Course:
    """A share in the first and in the last iteration."""
    return course if isinstance(course, tuple) else (course, course)
