"""What a run has come to: its card, its scores, and a strip of pictures to look at."""

from __future__ import annotations

import os
import platform
from datetime import date
from typing import Any

import torch

from swarm_nca.engine import rollout
from swarm_nca.images import Pictures
from swarm_nca.measure.protocols import evaluate
from swarm_nca.portrait import decisions_rgb, grey_rgb, png, sheet
from swarm_nca.rules import Rule
from swarm_nca.tasks import Classification
from swarm_nca.training.trainer import Trainer
from swarm_nca.world import World

#: Pictures on the strip, and the step at which they are shown.
STRIP, STRIP_STEP = 12, 50

#: Held-out pictures from which on a score means something.
ENOUGH = 100


def card_of(trainer: Trainer, seconds: float, scores: dict[str, float]) -> dict[str, Any]:
    """What a rule tells about where it comes from."""
    return {
        "recipe": trainer.recipe.model_dump(mode="json"),
        "began_with": trainer.began_with,
        "iterations": trainer.iteration,
        "seconds": round(seconds),
        "scores": scores,
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "machine": _machine_of(trainer.recipe.device),
        "licence": "MIT",
    }


def _machine_of(device: str) -> str:
    cores = f"{platform.machine()}, {os.cpu_count()} cores"
    return cores if device == "cpu" else f"{torch.cuda.get_device_name()}; {cores}"


@torch.no_grad()
def strip_of(rule: Rule, held_out: Classification) -> bytes:
    """A PNG: held-out pictures above, what their cells decided below."""
    world = World.from_images(held_out.grey[:STRIP], rule)
    world = rollout(world, rule, STRIP_STEP)
    tiles = [grey_rgb(world, i, scale=3) for i in range(len(world))]
    shown = rule.shown_above
    tiles += [decisions_rgb(world, i, scale=3, shown_above=shown) for i in range(len(world))]
    return png(sheet(tiles, len(world), 6))


def scores_of(rule: Rule, held_out: Classification) -> dict[str, float]:
    """Percentages at step 200 on the pictures held out; none where there are not `ENOUGH`."""
    if len(held_out.grey) < ENOUGH:
        return {}
    pictures = Pictures(held_out.grey.numpy(), held_out.label.numpy(), rule.classes.names)
    last = evaluate(rule.requires_grad_(False), pictures, steps=200).curve[-1]
    names = ("cell_accuracy", "total_agreement", "vote_accuracy")
    return {name: round(100 * last[name], 2) for name in names}
