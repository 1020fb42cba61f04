"""A recipe: all settings of a training run, as one YAML file."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import field_validator, model_validator

from swarm_nca.bounds import MOST_ENTRIES, Count, Positive, Seed, Share, Side
from swarm_nca.config import path_from
from swarm_nca.config.kinds import by_kind
from swarm_nca.config.names import FolderName
from swarm_nca.images import DRAWN, SIZE, DatasetName
from swarm_nca.images.pictures import class_number
from swarm_nca.images.source import CLASSES
from swarm_nca.perturbations import Perturbation, kinds
from swarm_nca.rules import shipped_rules
from swarm_nca.tasks import LOSSES, Augmentation, Classification, Task, task_kind
from swarm_nca.training.learners import LEARNERS, Gradient, Learner
from swarm_nca.training.optimizers import Method, Normalization
from swarm_nca.training.rule_settings import AnyRule, Part, RuleSettings, family_of
from swarm_nca.training.schedule import Schedule

#: Maximum pictures of one source, and worlds of a pool or a batch.
MOST_TRAINED = 500_000

#: Maximum sources of one training.
MOST_SOURCES = 100

#: Maximum steps of a rollout with gradients, which keeps all steps in memory.
MOST_UNROLLED = 10_000

#: Maximum bytes of a pool, or of a batch's rollout, as estimated from the recipe.
MOST_BYTES = 64 << 30

Worlds = Annotated[int, Ge(1), Le(MOST_TRAINED)]
Bptt = Annotated[int, Ge(1), Le(MOST_UNROLLED)]
Span = tuple[Bptt, Bptt]
Course = tuple[Share, Share]


class Data(Part):
    """One source of training pictures, with its classes.

    `count` is the number of pictures: the first ones, of a folder in turn from every class. Drawn
    pictures need it. `only` names the classes to take; the others are left out. With `known: false`
    these are pictures of no class: their cells learn to show none, and all their class channels
    should be zero.
    """

    dataset: DatasetName | None = None
    folder: Path | None = None
    count: Worlds | None = None
    seed: Seed = 0
    only: Annotated[tuple[str, ...], MaxLen(MOST_ENTRIES)] = ()
    known: bool = True

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        if (self.dataset is None) == (self.folder is None):
            raise ValueError("give exactly one of dataset and folder")
        if self.seed and self.dataset not in DRAWN:
            raise ValueError("seed is for drawn pictures only: leave seed out")
        if self.dataset in DRAWN and self.count is None:
            raise ValueError(f"{self.dataset} are drawn without limit: give their number as count")
        if self.dataset is not None:
            for name in self.only:
                class_number(name, CLASSES[self.dataset])
        return self


AnyLearner = Annotated[Learner, by_kind(LEARNERS)]
AnyPerturbation = Annotated[Perturbation, by_kind(kinds())]


class Fault(Part):
    """A perturbation of the batch before its rollout, with this chance in each iteration.

    A lasting one has this share of the pool, whose worlds keep it in all their rollouts.
    """

    chance: Share = 1.0
    change: AnyPerturbation
    lasting: bool = False

    @model_validator(mode="after")
    def _before_a_rollout(self) -> Fault:
        for key in ("at", "every", "until"):
            if getattr(self.change, key):
                raise ValueError(
                    f"{key} is for scenarios: leave it out; a fault of a training acts before the "
                    "rollouts, by its chance"
                )
        if self.lasting and self.change.world is not None:
            raise ValueError("a lasting fault has worlds of its own: leave world out")
        return self

    def moved(self, old: Path, new: Path) -> Fault:
        """The same fault; the file of a rule is relative to `new` instead of `old`."""
        rule = getattr(self.change, "rule", None)
        if not isinstance(rule, str) or rule in shipped_rules():
            return self
        change = replace(self.change, rule=path_from(new, old, rule))  # type: ignore[call-arg]
        return self.model_copy(update={"change": change})


class Wounds(Part):
    """Noise within a disc: share of the worlds and strength; see `state_damage.wounded`."""

    share: Share = 0.25
    strength: Positive = 1.0


class Wound(Part):
    """Erasure within a disc; see `state_damage.damaged`.

    `share` is the share of the batch, of a ranked batch its best worlds; `radius` is the smallest
    and the largest radius, in halves of a picture's width.
    """

    share: Share = 0.375
    radius: tuple[Positive, Positive] = (0.1, 0.4)

    @model_validator(mode="after")
    def _ascending(self) -> Wound:
        if self.radius[0] > self.radius[1]:
            raise ValueError(f"radius must be [smallest, largest], got {list(self.radius)}")
        return self


class Recipe(Part):
    """One training run.

    `regime` defines the batch: `naive` starts all worlds anew without a pool and ignores `pool`,
    `fresh` and `mutated`; `mutating` takes worlds from a pool, starts the share `fresh` anew on
    other pictures and swaps the pictures of the share `mutated`, keeping states; `persistent`
    starts that share anew too. A share may be a pair, for the first and the last iteration: it
    changes linearly, rounded to whole worlds.

    `task` is the task to learn, by its kind; without it a recipe is a classification of the
    pictures in `data`, of which `held_out` are kept for evaluation. `canvas` is the size (rows,
    columns) on which pictures are centred, to leave room for `augment`. A task has its own defaults
    (`Task.defaults`). If a task ranks the batch, its worst worlds start anew and `damage` erases a
    disc in its best, so that the rule learns to regrow. `learner` computes the gradient.

    `optimizer`: see `Optimizers`. `precision` is that of the rollout's matrix products; bfloat16 is
    faster only on processors with bfloat16 units. `device`: a GPU (`cuda`) draws other random
    numbers than a CPU and is faster for larger batches. `steps` is the length of a rollout, or the
    smallest and the largest length, drawn in each iteration. `bound` is the |s| above which the
    loss penalizes a channel. `wounds` adds noise to worlds of the batch, so that the rule learns to
    recover. `faults` are perturbations of the batch for its rollout only, such as lost messages or
    silent cells, each drawn by its chance: the pool keeps the worlds sound, but for those with a
    lasting fault (`parts`). With `average` the final rule has the exponential average of the
    weights, which keeps this share in every iteration.
    """

    name: FolderName
    seed: Annotated[int, Ge(0), Lt(1 << 31)] = 0
    task: dict[str, Any] | None = None
    data: Annotated[tuple[Data, ...], MaxLen(MOST_SOURCES)] = ()
    canvas: tuple[Side, Side] | None = None
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
    faults: Annotated[tuple[Fault, ...], MaxLen(MOST_ENTRIES)] = ()
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
        """Fill missing keys with the task's defaults."""
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
        if self.task is None and not any(source.known for source in self.data):
            raise ValueError("data is empty: give at least one source of pictures with classes")
        if self.loss != "l2" and not all(source.known for source in self.data):
            raise ValueError(
                f"pictures of no class (known: false) need loss: l2, the loss is {self.loss}"
            )
        if self.task is not None:
            self._check_task(self.task)
        if self.regime != "naive":
            self._check_pool()
        elif any(fault.lasting for fault in self.faults):
            raise ValueError("a lasting fault needs a pool: leave lasting out, or regime: naive")
        if not isinstance(self.steps, int) and self.steps[0] > self.steps[1]:
            raise ValueError(f"steps must be [smallest, largest], got {list(self.steps)}")
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
        """The smallest and the largest number of steps of a rollout."""
        return (self.steps, self.steps) if isinstance(self.steps, int) else self.steps

    @property
    def parts(self) -> tuple[int, ...]:
        """The worlds of the pool's sound part, and of each lasting fault's part."""
        lasting = [round(fault.chance * self.pool) for fault in self.faults if fault.lasting]
        return self.pool - sum(lasting), *lasting

    def _check_task(self, task: dict[str, Any]) -> None:
        fields = type(self).model_fields
        for key in ("data", "canvas", "held_out", "loss", "augment", "start"):
            if getattr(self, key) != fields[key].default:
                raise ValueError(
                    f"{key} is for classification only: leave it out of a recipe for the task "
                    f"{task['kind']!r}"
                )
        if any(fault.lasting for fault in self.faults):
            raise ValueError("lasting faults are for classification only: leave lasting out")
        if self.regime == "mutating" and not self.task_kind.mutates:
            raise ValueError(
                f"worlds of the task {task['kind']!r} cannot be mutated: use regime naive or "
                "persistent"
            )

    def _check_memory(self) -> None:
        """Raise a ValueError if the pool or the rollout of a batch needs too much memory.

        Both are lower bounds, for pictures of 28 × 28 pixels of which one in eight is alive.
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
                    f"{what} takes at least {size / (1 << 30):,.0f} GB, the limit is "
                    f"{MOST_BYTES >> 30} GB: lower it, steps, or the sizes of the rule"
                )

    def check_held_out(self, pictures: int) -> None:
        """Raise a ValueError unless some of the pictures are left to learn from."""
        if self.held_out >= pictures:
            raise ValueError(
                f"held_out is {self.held_out}, but there are only {pictures} pictures: lower it"
            )

    def _check_pool(self) -> None:
        if self.pool < self.batch:
            raise ValueError(
                f"the pool ({self.pool}) must hold at least one batch ({self.batch}) of worlds"
            )
        if min(self.parts) < self.batch:
            sizes = ", ".join(map(str, self.parts))
            raise ValueError(
                f"lasting faults divide the pool of {self.pool} worlds by their chances into "
                f"{sizes} (the first without a fault), and each part must hold at least one batch "
                f"({self.batch}): raise pool, or have fewer lasting faults"
            )
        ends = {"fresh": _ends(self.fresh), "mutated": _ends(self.mutated)}
        most = max(sum(course[at] for course in ends.values()) for at in (0, 1))
        if most > 1.0:
            raise ValueError(
                f"the sum of fresh and mutated must be at most 1, got {most:g}: lower one of them"
            )
        for name, course in ends.items():
            largest = max(course)
            if largest and not round(self.batch * largest):
                raise ValueError(
                    f"{name} is {largest:g} of a batch of {self.batch}, less than one world: raise "
                    f"{name} or batch, or set {name}: 0"
                )

    def moved(self, old: Path, new: Path) -> Recipe:
        """The same training; paths relative to `old` become relative to `new`."""
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
        faults = tuple(fault.moved(old, new) for fault in self.faults)
        return self.model_copy(update={"task": task, "data": data, "rule": rule, "faults": faults})

    def deciding(self) -> dict[str, Any]:
        """The settings that affect the weights, as plain data; without name and intervals."""
        return self.model_dump(mode="json", exclude={"name", "log_every", "checkpoint_every"})

    def shares(self, iteration: int = 0) -> tuple[int, int]:
        """The number of worlds of an iteration's batch that start anew, and that are mutated.

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
        # Both halves of an odd batch may round up.
        mutated = min(mutated, self.batch - fresh)
        return (fresh, mutated) if self.regime == "mutating" else (fresh + mutated, 0)


def _ends(course: float | Course) -> Course:
    """A share in the first and in the last iteration."""
    return course if isinstance(course, tuple) else (course, course)


def _moved(value: Any, old: Path, new: Path) -> Any:
    """A task's setting; paths under the key `file` become relative to `new`."""
    if not isinstance(value, dict):
        return value
    return {
        key: path_from(new, old, inner)
        if key == "file" and isinstance(inner, str)
        else _moved(inner, old, new)
        for key, inner in value.items()
    }
