"""A recipe: everything a training run depends on, as one YAML file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import (
    GetCoreSchemaHandler,
    GetPydanticSchema,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from swarm_nca.bounds import MOST_ENTRIES, Count, Index, Positive, Seed, Share
from swarm_nca.config import path_from
from swarm_nca.config.names import FolderName
from swarm_nca.images import DRAWN, SIZE, DatasetName
from swarm_nca.rules import shipped_rules
from swarm_nca.tasks import LOSSES, Augmentation, Classification, Task, task_kind
from swarm_nca.training.learners import LEARNERS, Gradient, Learner
from swarm_nca.training.optimizers import Method, Normalization
from swarm_nca.training.rule_settings import AnyRule, Part, RuleSettings, family_of

#: Pictures of one source, and worlds of a pool or a batch.
MOST_TRAINED = 500_000

#: Sources of one training.
MOST_SOURCES = 100

#: Steps of a rollout that is learned from: all of them are kept until the gradients are known.
MOST_UNROLLED = 10_000

#: Bytes that a pool, or what is kept of a batch's rollout, may take, as far as a recipe tells.
MOST_BYTES = 64 << 30

Worlds = Annotated[int, Ge(1), Le(MOST_TRAINED)]
Bptt = Annotated[int, Ge(1), Le(MOST_UNROLLED)]
Span = tuple[Bptt, Bptt]
Course = tuple[Share, Share]


class Data(Part):
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


def _by_kind(_: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    branches = {kind: handler.generate_schema(one) for kind, one in LEARNERS.items()}
    return core_schema.tagged_union_schema(branches, discriminator="kind")


AnyLearner = Annotated[Learner, GetPydanticSchema(_by_kind)]


class Wounds(Part):
    """How often a world of the batch is jolted within a disc, and how hard; see `wounds`."""

    share: Share = 0.25
    strength: Positive = 1.0


class Wound(Part):
    """How many worlds of a batch are erased within a disc; see `wounds.damaged`.

    `share` is that of the batch, of a ranked one its best; `radius` is the least and the most, in
    halves of a picture's width.
    """

    share: Share = 0.375
    radius: tuple[Positive, Positive] = (0.1, 0.4)

    @model_validator(mode="after")
    def _ascending(self) -> Wound:
        if self.radius[0] > self.radius[1]:
            raise ValueError(f"radius is [least, most], got {list(self.radius)}")
        return self


#: What only one shape of a schedule asks for.
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


class Recipe(Part):
    """One training run, to the letter.

    The regime says how a batch is made up: `naive` starts all of it anew and keeps no pool, so that
    it has no use for `pool`, `fresh` and `mutated`; `mutating` takes it from a pool, starts the
    share `fresh` of it anew on other pictures and swaps those of the share `mutated` under the
    living cells; `persistent` starts that share anew as well, instead of mutating it. A share may
    be two, of the first and of the last iteration: it goes evenly from one to the other, rounded to
    whole worlds in every iteration.

    `task` says what to learn, by its kind; without it a recipe is a classification of the pictures
    in `data`, of which `held_out` are kept to watch it by. A task brings defaults of its own; see
    `Task.defaults`. The batch of a task that ranks it starts anew in its worst worlds; `damage`
    erases a disc in its best, so that a rule learns to grow again. `learner` finds the gradient.

    `optimizer` goes down the gradient (see `Optimizers`), `precision` is that of the rollout's
    matrix products: bfloat16 is faster on processors that have bfloat16 units, slower elsewhere.
    `device` is where all is computed: a GPU (`cuda`) draws other random numbers than a CPU does,
    and pays with larger batches. `steps` is the length of a rollout, or the least and the most of
    one drawn anew each iteration.
    `bound` is what a channel may hold before the loss pulls it back; `wounds` jolt worlds of the
    batch, so that a rule learns to heal. With `average` the run ends with the exponential average
    of its weights that keeps this share of itself in every iteration.
    """

    name: FolderName
    seed: Annotated[int, Ge(0), Lt(1 << 31)] = 0
    task: dict[str, Any] | None = None
    data: Annotated[tuple[Data, ...], MaxLen(MOST_SOURCES)] = ()
    held_out: Count = 1000
    rule: AnyRule = RuleSettings()
    regime: Literal["naive", "persistent", "mutating"] = "mutating"
    start: Literal["zeros", "random"] = "zeros"
    iterations: Count
    batch: Worlds = 16
    pool: Worlds = 160
    fresh: Share | Course = 0.25
    mutated: Share | Course = 0.25
    steps: Bptt | Span = 20
    loss: Literal[tuple(LOSSES)] = "l2"  # type: ignore[valid-type]
    bound: Positive | None = None
    wounds: Wounds | None = None
    damage: Wound | None = None
    average: Annotated[float, Gt(0.0), Lt(1.0)] | None = None
    schedule: Schedule = Schedule()
    learner: AnyLearner = Gradient()
    optimizer: Method = "adam"
    normalize: Normalization = "tensors"
    precision: Literal["float32", "bfloat16"] = "float32"
    device: Literal["cpu", "cuda"] = "cpu"
    augment: Augmentation = Augmentation()
    log_every: Count = 50
    checkpoint_every: Count = 1000

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, given: Any) -> Any:
        """What a task says of the keys that a file leaves out."""
        if not isinstance(given, dict):
            return given
        task = given.get("task")
        if not isinstance(task, dict) or not isinstance(task.get("kind"), str):
            return given
        full = dict(task_kind(task["kind"]).defaults) | given
        rule, usual = given.get("rule", {}), task_kind(task["kind"]).defaults.get("rule", {})
        if isinstance(rule, dict) and family_of(rule) == "mlp":
            full["rule"] = dict(usual) | rule
        return full

    @field_validator("task")
    @classmethod
    def _known_task(cls, task: dict[str, Any] | None) -> dict[str, Any] | None:
        if task is not None:
            if "kind" not in task:
                raise ValueError("a task needs its kind, such as kind: growing")
            task_kind(task["kind"])
        return task

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        if self.task is None and not self.data:
            raise ValueError("data names no source of pictures; give at least one")
        if self.task is not None:
            self._check_task(self.task)
        if self.regime != "naive":
            self._check_pool()
        if not isinstance(self.steps, int) and self.steps[0] > self.steps[1]:
            raise ValueError(f"steps is [least, most], got {list(self.steps)}")
        self._check_memory()
        drawn = [source.count for source in self.data if source.dataset in DRAWN]
        if self.data and len(drawn) == len(self.data):
            self.check_held_out(sum(filter(None, drawn)))
        return self

    @property
    def task_kind(self) -> type[Task]:
        """The class of the task."""
        return Classification if self.task is None else task_kind(self.task["kind"])

    @property
    def span(self) -> Span:
        """The least and the most steps of a rollout."""
        return (self.steps, self.steps) if isinstance(self.steps, int) else self.steps

    def _check_task(self, task: dict[str, Any]) -> None:
        fields = type(self).model_fields
        for key in ("data", "held_out", "loss", "augment", "start"):
            if getattr(self, key) != fields[key].default:
                raise ValueError(
                    f"{key} is of classifications: leave it out of a recipe for the task "
                    f"{task['kind']!r}"
                )
        if self.regime == "mutating" and not self.task_kind.mutates:
            raise ValueError(
                f"worlds of the task {task['kind']!r} cannot be mutated: take regime naive or "
                "persistent"
            )

    def _check_memory(self) -> None:
        """A ValueError where the pool, or the rollout of a batch, needs more than there is.

        Both are lower bounds: a picture has 28 × 28 pixels, of which one in eight lives.
        """
        if not isinstance(self.rule, RuleSettings):
            return
        pixels, width = math.prod(SIZE), 4 * (self.rule.free_channels + 1)
        longest = self.span[1]
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
        task = self.task
        if task is not None:
            task = {key: _moved(value, old, new) for key, value in task.items()}
        return self.model_copy(update={"task": task, "data": data, "rule": rule})

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


def _moved(value: Any, old: Path, new: Path) -> Any:
    """A task's setting with what it says under `file` told from another folder."""
    if not isinstance(value, dict):
        return value
    return {
        key: path_from(new, old, inner)
        if key == "file" and isinstance(inner, str)
        else _moved(inner, old, new)
        for key, inner in value.items()
    }
