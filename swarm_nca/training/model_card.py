"""The card of a trained rule: recipe, scores, time and machine."""

from __future__ import annotations

import os
import platform
from datetime import date
from typing import Any

import torch

from swarm_nca.training.trainer import Trainer


def card_of(trainer: Trainer, seconds: float, scores: dict[str, float]) -> dict[str, Any]:
    """The card of the trainer's rule, as plain data."""
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
