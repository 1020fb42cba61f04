"""Classification: the cells of a picture should agree on its class."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from swarm_nca.engine import rollout
from swarm_nca.images import Pictures
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.measure.protocols import evaluate
from swarm_nca.render import decisions_rgb, grey_rgb, png, sheet
from swarm_nca.rules import DIGITS, Classes, Readout, Rule
from swarm_nca.tasks.augmentation import PLAIN, Augmentation
from swarm_nca.tasks.losses import loss_of
from swarm_nca.tasks.task import Task
from swarm_nca.world import World

#: Number of pictures on the strip, and the step shown.
STRIP, STRIP_STEP = 12, 50

#: The step of the scores.
SCORED_AT = 200

#: The smallest number of pictures that are scored.
ENOUGH = 10

#: The scores of a trained rule.
SCORED = (
    "cell_accuracy",
    "total_agreement",
    "vote_accuracy",
    "agree_though_wrong",
    "abstains",
)


@dataclass(frozen=True, eq=False)
class Classification(Task):
    """Pictures of one size and their labels.

    Args:
        grey: [P, H, W] in [0, 1].
        label: int64 [P]; −1 for a picture of no class, whose cells should show none.
        augmentation: applied to every drawn picture.
        classes: the classes of the labels.
        loss_name: one of `losses.LOSSES`.
        begin: starting states, `zeros` or `random`.
    """

    kind: ClassVar[str] = "classification"
    mutates: ClassVar[bool] = True
    stimulus_size: ClassVar[int] = 9
    metric_names: ClassVar[tuple[str, ...]] = ("cell_accuracy",)

    grey: Tensor
    label: Tensor
    augmentation: Augmentation = PLAIN
    classes: Classes = DIGITS
    loss_name: str = "l2"
    begin: str = "zeros"

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], base: Path) -> Task:
        """Refused: a recipe describes a classification by `data`, `held_out`, `loss`, `augment`."""
        raise ValueError(
            "a classification is a recipe without task: leave out task, and set data, held_out, "
            "loss and augment"
        )

    @cached_property
    def content(self) -> str:
        """SHA-256 over pictures and labels."""
        digest = hashlib.sha256(str(tuple(self.grey.shape)).encode())
        for tensor in (self.grey, self.label):
            digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()

    @cached_property
    def silent(self) -> bool:
        """Whether some pictures have no class."""
        return bool((self.label < 0).any())

    @property
    def readout(self) -> Readout:
        """The classes."""
        return self.classes

    @property
    def extent(self) -> tuple[int, int]:
        """(rows, columns) of the pictures."""
        return self.grey.shape[1], self.grey.shape[2]

    def sample(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures [count, H, W] and labels [count], drawn with replacement."""
        drawn = torch.randint(len(self.grey), (count,), generator=generator)
        return self.augmentation(self.grey[drawn], generator), self.label[drawn]

    def start(self, count: int, rule: Rule, generator: torch.Generator) -> World:
        """New worlds on drawn pictures."""
        return self._started(*self.sample(count, generator), rule, generator)

    def refresh(
        self, world: World, fresh: int, mutated: int, rule: Rule, generator: torch.Generator
    ) -> World:
        """The batch with new pictures for the first worlds.

        Fresh worlds get starting states. In mutated worlds cells that stay alive keep their states,
        and newborn cells hold zeros.
        """
        new_grey, new_label = self.sample(fresh + mutated, generator)
        grey, label = world.canvas.grey.view(len(world), *self.extent).clone(), world.label.clone()
        grey[: fresh + mutated] = new_grey.to(grey)
        label[: fresh + mutated] = new_label.to(label)
        started = self._started(grey, label, rule, generator)
        pixels = world.state.new_zeros(len(world.canvas.grey), world.state.shape[1])
        state = pixels.index_copy_(0, world.address, world.state)[started.address]
        fresh_rows = int(started.counts[:fresh].sum())
        state[:fresh_rows] = started.state[:fresh_rows]
        return started.with_state(state)

    def losses(self, before: World, after: World) -> Tensor:
        """[B], the named loss of each picture."""
        return loss_of(self.loss_name, after, None, each=True, silent=self.silent)

    def loss(self, before: World, after: World) -> Tensor:
        """A scalar: the named loss, averaged over pictures."""
        return loss_of(self.loss_name, after, None, silent=self.silent)

    def metrics(self, before: World, after: World) -> dict[str, Tensor]:
        """The share of cells whose largest class channel is that of their picture's label.

        Cells below the rule's threshold count too, and pictures without a label do not.
        """
        label = after.label[after.world_of]
        right = (after.logits.detach().argmax(1) == label).to(after.state.dtype)
        return {"cell_accuracy": right.sum() / (label >= 0).sum().clamp(min=1)}

    @torch.no_grad()
    def views(self, rule: Rule) -> bytes:
        """A PNG: pictures in the upper row, decisions of their cells in the lower row."""
        world = self._strip(rule)
        tiles = [grey_rgb(world, i, scale=3) for i in range(len(world))]
        shown = rule.shown_above
        tiles += [decisions_rgb(world, i, scale=3, shown_above=shown) for i in range(len(world))]
        return png(sheet(tiles, len(world), 6))

    @torch.no_grad()
    def captions(self, rule: Rule) -> list[str]:
        """For each picture its class and the largest vote: `left: 98 % say left`."""
        world, names = self._strip(rule), rule.classes.names
        votes = CellStats(world, rule).votes
        shares = votes.double() / world.counts.clamp(min=1)[:, None]
        most, voted = (part.tolist() for part in shares.max(dim=1))
        return [
            f"{names[label] if label >= 0 else 'no class'}: {100 * share:.0f} % say {names[vote]}"
            for label, share, vote in zip(self.label.tolist(), most, voted, strict=False)
        ]

    def scores(self, rule: Rule) -> dict[str, float]:
        """Percentages at step `SCORED_AT`; empty for fewer than `ENOUGH` pictures.

        With `ENOUGH` pictures of no class, `unknown_abstains` is the share of them on which the
        swarm abstains; the other scores leave them out.
        """
        scores: dict[str, float] = {}
        known = self.label >= 0
        if known.sum() >= ENOUGH:
            last = self._last(rule, known)
            scores = {name: round(100 * last[name], 2) for name in SCORED}
        if (~known).sum() >= ENOUGH:
            scores["unknown_abstains"] = round(100 * self._last(rule, ~known)["abstains"], 2)
        return scores

    def _last(self, rule: Rule, which: Tensor) -> Mapping[str, float]:
        """The metrics of some pictures at the step of the scores."""
        grey, label = self.grey[which].numpy(), self.label[which].numpy()
        pictures = Pictures(grey, label, rule.classes.names)
        return evaluate(rule.requires_grad_(False), pictures, steps=SCORED_AT).curve[-1]

    def scored_on(self) -> str:
        """The number of pictures."""
        return f"{len(self.grey)} held-out pictures, step {SCORED_AT}"

    def not_scored(self) -> str:
        """The number of pictures with a class, and the cure."""
        known = int((self.label >= 0).sum())
        return (
            f"no score: {known} pictures with a class were held out, {ENOUGH} are needed; "
            "score it with swarm-nca evaluate … --dataset …"
        )

    def _strip(self, rule: Rule) -> World:
        """The first pictures at the strip's step."""
        return rollout(World.from_images(self.grey[:STRIP], rule), rule, STRIP_STEP)

    def _started(
        self, grey: Tensor, label: Tensor, rule: Rule, generator: torch.Generator
    ) -> World:
        seed = int(torch.randint(1 << 62, (), generator=generator))
        return World.from_images(grey, rule, labels=label, start=self.begin, seed=seed)
