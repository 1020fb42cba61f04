"""A recipe: everything a training run depends on, as one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from swarm_nca.images import DRAWN, SIZE, DatasetName, Pictures, load_dataset, read_folder
from swarm_nca.located import Document
from swarm_nca.located.names import FolderName
from swarm_nca.rules import Classes, Hearing, Rule, load_rule
from swarm_nca.tasks import LOSSES, Augmentation, Classification
from swarm_nca.training.descent import Method
from swarm_nca.training.draws import SPLIT, generator_of

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(ge=1)]
Span = tuple[Positive, Positive]
Course = tuple[Fraction, Fraction]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Data(_Part):
    """One source of training pictures, with the classes it brings.

    `count` takes the first so many, of a folder in turn from every class; of what is drawn and has
    no end it says how many.
    """

    dataset: DatasetName | None = None
    folder: Path | None = None
    count: Positive | None = None
    seed: int = 0

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        if (self.dataset is None) == (self.folder is None):
            raise ValueError("give exactly one of dataset and folder")
        if self.dataset in DRAWN and self.count is None:
            raise ValueError(f"{self.dataset} are endless: say how many with count")
        return self

    def load(self, base: Path) -> Pictures:
        """The pictures; a folder's path starts from `base`."""
        if self.folder is not None:
            pictures = read_folder(base / self.folder, size=SIZE).centred_on(SIZE)
            return pictures.from_all_classes(self.count or len(pictures))
        if self.dataset is not None and self.dataset in DRAWN:
            return DRAWN[self.dataset].draw(self.count or 1, self.seed)
        return load_dataset(str(self.dataset), "train")[: self.count]


class RuleSettings(_Part):
    """The rule to train; its classes come from the data.

    `weights` names a rule to begin with, as `load_rule` takes it: of the same sizes and classes.
    """

    weights: str | None = None
    free_channels: Positive = 9
    hidden: tuple[Positive, Positive] = (80, 80)
    hearing: Hearing = "slots"
    fire_rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    noise: Annotated[float, Field(ge=0.0)] = 0.02


class Wounds(_Part):
    """How often a world of the batch is jolted within a disc, and how hard; see `wounds`."""

    share: Fraction = 0.25
    strength: Annotated[float, Field(gt=0.0)] = 1.0


class Schedule(_Part):
    """The learning rate over the iterations: a warm-up from 0, then one of three shapes.

    `constant` keeps it; `steps` multiplies it by `factor` after each iteration in `drops`; `cosine`
    holds it for the share `hold` of the run and lets it fall to `floor` times itself along half a
    cosine.
    """

    rate: Annotated[float, Field(gt=0.0)] = 1e-3
    warmup: Annotated[int, Field(ge=0)] = 0
    shape: Literal["constant", "steps", "cosine"] = "constant"
    drops: tuple[Positive, ...] = ()
    factor: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    hold: Fraction = 0.4
    floor: Fraction = 0.01

    def at(self, iteration: int, iterations: int) -> float:
        """The learning rate of an iteration, counted from 0."""
        rate = self.rate * min(1.0, (iteration + 1) / self.warmup if self.warmup else 1.0)
        if self.shape == "steps":
            return float(rate * self.factor ** sum(iteration >= drop for drop in self.drops))
        held = self.hold * iterations
        if self.shape == "constant" or iteration <= held:
            return rate
        along = (iteration - held) / max(1.0, iterations - held)
        return float(rate * (self.floor + (1 - self.floor) * 0.5 * (1 + np.cos(np.pi * along))))


class Recipe(_Part):
    """One training run, to the letter.

    The regime says how a batch is made up: `naive` starts all of it anew and keeps no pool;
    `mutating` takes it from a pool, starts the share `fresh` of it anew on other pictures and swaps
    those of the share `mutated` under the living cells; `persistent` starts that share anew as
    well, instead of mutating it. A share may be two, of the first and of the last iteration: it
    goes evenly from one to the other, rounded to whole worlds in every iteration.

    `optimizer` goes down the gradient (see `Descent`), `precision` is that of the rollout's matrix
    products: bfloat16 is faster on processors that have such arithmetic, and slower elsewhere.
    `steps` is the length of a rollout, or the least and the most of one drawn anew each iteration.
    `bound` is what a channel may hold before the loss pulls it back; `wounds` jolt worlds of the
    batch, so that a rule learns to heal. With `average` the run ends with the exponential average
    of its weights that keeps this share of itself in every iteration.
    """

    name: FolderName
    seed: Annotated[int, Field(ge=0, lt=1 << 31)] = 0
    data: tuple[Data, ...]
    held_out: Annotated[int, Field(ge=1)] = 1000
    rule: RuleSettings = RuleSettings()
    regime: Literal["naive", "persistent", "mutating"] = "mutating"
    start: Literal["zeros", "random"] = "zeros"
    iterations: Positive
    batch: Positive = 16
    pool: Positive = 160
    fresh: Fraction | Course = 0.25
    mutated: Fraction | Course = 0.25
    steps: Positive | Span = 20
    loss: Literal[tuple(LOSSES)] = "l2"  # type: ignore[valid-type]
    bound: Annotated[float, Field(gt=0.0)] | None = None
    wounds: Wounds | None = None
    average: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    schedule: Schedule = Schedule()
    optimizer: Method = "adam"
    normalize: Literal["none", "tensors", "shares"] = "tensors"
    precision: Literal["float32", "bfloat16"] = "float32"
    augment: Augmentation = Augmentation()
    log_every: Positive = 50
    checkpoint_every: Positive = 1000

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        if not self.data:
            raise ValueError("data names no source of pictures; give at least one")
        if self.regime != "naive" and self.pool < self.batch:
            raise ValueError(
                f"the pool ({self.pool}) must hold at least one batch ({self.batch}) of worlds"
            )
        most = max(self._share(self.fresh, at) + self._share(self.mutated, at) for at in (0, 1))
        if most > 1.0:
            raise ValueError(f"fresh and mutated are shares of one batch, they sum up to {most}")
        if not isinstance(self.steps, int) and self.steps[0] > self.steps[1]:
            raise ValueError(f"steps is [least, most], got {list(self.steps)}")
        return self

    def shares(self, iteration: int = 0) -> tuple[int, int]:
        """How many worlds of an iteration's batch start anew, and how many are mutated.

        Args:
            iteration: counted from 0.
        """
        if self.regime == "naive":
            return self.batch, 0
        along = iteration / max(1, self.iterations - 1)
        fresh = round(self.batch * self._share(self.fresh, along))
        # Two halves of an odd batch both round up.
        mutated = min(round(self.batch * self._share(self.mutated, along)), self.batch - fresh)
        return (fresh, mutated) if self.regime == "mutating" else (fresh + mutated, 0)

    @staticmethod
    def _share(course: float | tuple[float, float], along: float) -> float:
        first, last = course if isinstance(course, tuple) else (course, course)
        return first + (last - first) * along

    def materials(self, document: Document) -> tuple[Rule, Classification, Classification]:
        """An untrained rule, the pictures to train on, and those held out to watch it by.

        Raises:
            LocatedError: data that is missing or damaged, or sources whose pictures differ in size.
        """
        base = Path(document.file).parent
        loaded = []
        for i, source in enumerate(self.data):
            with document.at("data", i):
                loaded.append(source.load(base))
        names = tuple(dict.fromkeys(name for pictures in loaded for name in pictures.classes))
        with document.at("data"):
            grey = torch.from_numpy(np.concatenate([np.asarray(one.grey) for one in loaded]))
            classes = Classes.named(*names)
            if self.held_out >= len(grey):
                raise ValueError(
                    f"held_out is {self.held_out}, but there are only {len(grey)} pictures"
                )
        label = torch.from_numpy(np.concatenate([one.labels_for(names) for one in loaded]))
        generator = torch.Generator().manual_seed(self.seed)
        rule = Rule(
            classes,
            free_channels=self.rule.free_channels,
            hidden=self.rule.hidden,
            hearing=self.rule.hearing,
            fire_rate=self.rule.fire_rate,
            noise=self.rule.noise,
            generator=generator,
        )
        if self.rule.weights is not None:
            with document.at("rule", "weights"):
                rule.load_state_dict(self._begun(rule, base).state_dict())
        # Not the generator of the weights: rules of every shape are watched by the same pictures.
        order = torch.randperm(len(grey), generator=generator_of(self.seed, SPLIT))
        kept, held = order[self.held_out :], order[: self.held_out]
        train = Classification(grey[kept], label[kept], self.augment)
        return rule, train, Classification(grey[held], label[held])

    def _begun(self, rule: Rule, base: Path) -> Rule:
        """The rule whose weights an untrained one is to begin with."""
        begun = load_rule(str(self.rule.weights), base)
        for what, has, needs in (
            ("free_channels", begun.free_channels, rule.free_channels),
            ("hidden", list(begun.hidden), list(rule.hidden)),
            ("hearing", begun.hearing, rule.hearing),
        ):
            if has != needs:
                raise ValueError(f"its {what} is {has}: set rule.{what} so, instead of {needs}")
        if begun.classes.names != rule.classes.names:
            raise ValueError(
                f"it tells apart {', '.join(begun.classes.names)}; the data brings "
                f"{', '.join(rule.classes.names)}, so begin without its weights"
            )
        return begun
