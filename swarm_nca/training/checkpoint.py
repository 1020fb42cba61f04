"""Checkpoints: all that an iteration leaves to the next, in one file, written atomically."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from swarm_nca.atomic import write_atomically
from swarm_nca.training.pool import Pool
from swarm_nca.training.trainer import Trainer

_HEADER = "swarm_nca_training"


def save_checkpoint(trainer: Trainer, path: Path, seconds: float) -> None:
    """Write all that is to be kept; the file is the old one or the new one, never half.

    Args:
        seconds: time trained so far, kept for the log.
    """
    tensors: dict[str, Tensor] = {}
    for name, weight in trainer.rule.named_parameters():
        tensors[f"rule.{name}"] = weight.detach()
        for key, value in trainer.descent.memory(weight).items():
            tensors[f"optimizer.{name}.{key}"] = value
    if trainer.average is not None:
        for name, value in trainer.average.memory().items():
            tensors[f"average.{name}"] = value
    if trainer.pool is not None:
        pool = trainer.pool
        tensors |= {"pool.grey": pool.grey, "pool.label": pool.label}
        tensors["pool.states"] = torch.cat(pool.states)
        tensors["pool.cells"] = torch.tensor([len(state) for state in pool.states])
    header = {
        "iteration": trainer.iteration,
        "seconds": seconds,
        "recipe": trainer.recipe.model_dump(mode="json"),
    }
    write_atomically(path, save(tensors, {_HEADER: json.dumps(header)}))


def load_checkpoint(trainer: Trainer, path: Path) -> float:
    """Put a trainer where a checkpoint was made; returns the seconds trained until then.

    Raises:
        ValueError: not a checkpoint, truncated, or one of another recipe; the trainer is unusable
            then.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            header: dict[str, Any] = json.loads((file.metadata() or {})[_HEADER])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: not a readable checkpoint of a training run ({error})"
        ) from error
    recipe = trainer.recipe.model_dump(mode="json")
    made = header.get("recipe", {})
    for key, value in recipe.items():
        if made.get(key) != value:
            raise ValueError(
                f"{path} was made with {key} = {made.get(key)}, the recipe now says {value}; "
                "resume with the recipe the run began with"
            )
    try:
        _restore(trainer, tensors, int(header["iteration"]))
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: a checkpoint with a part missing ({error})") from error
    trainer.iteration = int(header["iteration"])
    return float(header["seconds"])


def _restore(trainer: Trainer, tensors: dict[str, Tensor], iteration: int) -> None:
    with torch.no_grad():
        for name, weight in trainer.rule.named_parameters():
            weight.copy_(tensors[f"rule.{name}"])
            if not iteration:
                continue
            kept = _under(f"optimizer.{name}.", tensors)
            if not kept:
                raise KeyError(f"nothing remembered of {name}")
            trainer.descent.remember(weight, kept)
    if trainer.average is not None:
        trainer.average.remember(_under("average.", tensors))
    if trainer.pool is not None:
        states = torch.split(tensors["pool.states"], tensors["pool.cells"].tolist())
        trainer.pool = Pool(
            tensors["pool.grey"],
            tensors["pool.label"],
            [state.clone() for state in states],
        )


def _under(place: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(place): tensor
        for name, tensor in tensors.items()
        if name.startswith(place)
    }
