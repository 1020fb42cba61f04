"""Checkpoints: the state of a trainer between two iterations, in one file, written atomically.

A run resumes with the same recipe, and the same pictures and rules of immigrants, compared by
content. Their paths, the run's name and the intervals of log and checkpoints may change. The
weights that the run started from are not needed again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from swarm_nca.atomic import write_atomically
from swarm_nca.rules import Rule, rule_from_header
from swarm_nca.training.folder import Sums
from swarm_nca.training.pool import Pool
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.trainer import Trainer
from swarm_nca.world import World

_HEADER = "swarm_nca_training"

#: Version of the file's content.
_FORMAT = 2


def save_checkpoint(trainer: Trainer, path: Path, seconds: float, sums: Sums | None = None) -> None:
    """Write a checkpoint atomically.

    Args:
        seconds: time trained so far, for the log.
        sums: sums over the iterations since the log's last row.

    Raises:
        NotWritten: an error of the file system, such as a full disk.
    """
    tensors: dict[str, Tensor] = {}
    for name, weight in trainer.rule.named_parameters():
        tensors[f"rule.{name}"] = weight.detach()
        for key, value in trainer.descent.memory(weight).items():
            tensors[f"optimizer.{name}.{key}"] = value
    if trainer.average is not None:
        for name, value in trainer.average.memory().items():
            tensors[f"average.{name}"] = value
    for place, part in zip(_places(trainer), trainer.parts, strict=True):
        packed = part.pool.world().packed()
        tensors |= {f"{place}{name}": value.contiguous() for name, value in packed.items()}
    header = {
        "format": _FORMAT,
        "iteration": trainer.iteration,
        "seconds": seconds,
        "sums": asdict(sums or Sums()),
        "recipe": _deciding(trainer.recipe),
        "weights": trainer.recipe.rule.weights,
        "rule": trainer.rule.header(),
        "pictures": trainer.task.content,
        "guests": trainer.guests,
        "began_with": trainer.began_with,
    }
    write_atomically(path, save(tensors, {_HEADER: json.dumps(header)}))


def rule_of(path: Path) -> Rule:
    """A rule with the settings of a checkpoint's rule, to load its weights into.

    Raises:
        ValueError: not a checkpoint, or one of another version.
    """
    header, _ = _opened(path, tensors=False)
    try:
        return rule_from_header(header["rule"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: a checkpoint with a part missing ({error})") from error


def weights_of(path: Path) -> dict[str, Tensor]:
    """The parameters of a checkpoint's rule, by name.

    Raises:
        ValueError: not a checkpoint, or one of another version.
    """
    return _under("rule.", _opened(path)[1])


def sums_of(path: Path) -> Sums:
    """A checkpoint's sums since the log's last row; old checkpoints have none.

    Raises:
        ValueError: not a checkpoint, or one of another version.
    """
    header, _ = _opened(path, tensors=False)
    try:
        return Sums.from_json(header.get("sums", {}))
    except TypeError as error:
        raise ValueError(f"{path}: a checkpoint with a part missing ({error})") from error


def load_checkpoint(trainer: Trainer, path: Path) -> float:
    """Restore a trainer from a checkpoint; returns the seconds trained until then.

    Raises:
        ValueError: not a checkpoint, a truncated one, or one of another recipe, other pictures or
            another version; the trainer must not be used afterwards.
    """
    header, tensors = _opened(path)
    try:
        _check(trainer, header, path)
        _restore(trainer, tensors)
        rule = trainer.recipe.rule.model_copy(update={"weights": header["weights"]})
        trainer.recipe = trainer.recipe.model_copy(update={"rule": rule})
        trainer.began_with = str(header["began_with"])
        trainer.iteration = int(header["iteration"])
        return float(header["seconds"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path}: a checkpoint with a part missing ({error})") from error


def _opened(path: Path, tensors: bool = True) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and tensors of a checkpoint file."""
    try:
        with safe_open(str(path), framework="pt") as file:
            header: dict[str, Any] = json.loads((file.metadata() or {})[_HEADER])
            names = file.keys() if tensors else ()
            held = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: not a readable checkpoint of a training run ({error})"
        ) from error
    if header.get("format") != _FORMAT:
        raise ValueError(
            f"{path}: made by another version of swarm_nca; finish the run with that version, or "
            "start a new run with --out"
        )
    return header, held


def _deciding(recipe: Recipe) -> dict[str, Any]:
    """The settings that affect iterations, without pictures and initial weights."""
    settings = recipe.deciding()
    del settings["data"], settings["rule"]["weights"]
    # Pictures and targets are compared by content, which the checkpoint holds.
    if settings["task"] is not None:
        settings["task"] = settings["task"]["kind"]
    return settings


def _without_guests(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings without the files of immigrants' rules, which are compared by content."""
    for fault in settings["faults"]:
        fault["change"].pop("rule", None)
    return settings


def _check(trainer: Trainer, header: dict[str, Any], path: Path) -> None:
    """Raise a ValueError unless a checkpoint is of the same run."""
    recipe = trainer.recipe
    # Validated as a recipe, so that keys newer than the checkpoint get their defaults.
    left_out = recipe.model_dump(mode="json", include={"name", "data", "task"})
    made_with = _without_guests(_deciding(Recipe.model_validate(header["recipe"] | left_out)))
    for key, value in _without_guests(_deciding(recipe)).items():
        if (made := made_with[key]) != value:
            raise ValueError(
                f"{path} was made with {key} = {made}, the recipe now has {value}; "
                "resume with the original recipe"
            )
    if header["pictures"] != trainer.task.content:
        raise ValueError(
            f"{path} was made with other pictures than the recipe's data has now; restore those "
            "pictures, or start a new run with --out"
        )
    if header.get("guests", trainer.guests) != trainer.guests:
        raise ValueError(
            f"{path} was made with other rules of immigrants than the recipe's faults name now; "
            "restore those files, or start a new run with --out"
        )


def _restore(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, weight in trainer.rule.named_parameters():
            weight.copy_(tensors[f"rule.{name}"])
            kept = _under(f"optimizer.{name}.", tensors)
            if not kept:
                raise KeyError(f"no optimizer state of {name}")
            trainer.descent.remember(weight, kept)
    if trainer.average is not None:
        trainer.average.remember(_under("average.", tensors))
    for i, (place, part) in enumerate(zip(_places(trainer), trainer.parts, strict=True)):
        world = _pooled(part.pool.like, trainer.rule, tensors, place)
        trainer.parts[i] = replace(part, pool=Pool.of(world))


def _places(trainer: Trainer) -> list[str]:
    """For each part of the pool, with what the names of its tensors begin."""
    return [f"pool{i or ''}." for i in range(len(trainer.parts))]


def _pooled(like: World, rule: Rule, tensors: dict[str, Tensor], place: str) -> World:
    """The worlds of a part; older checkpoints hold pictures, labels and states instead."""
    if "pool.grey" in tensors:
        world = World.from_images(tensors["pool.grey"], rule, labels=tensors["pool.label"])
        return world.with_state(tensors["pool.states"].to(world.state))
    packed = _under(place, tensors)
    device = like.state.device
    return like.unpacked({name: value.to(device) for name, value in packed.items()})


def _under(place: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `place`, by the rest of their names."""
    return {
        name.removeprefix(place): tensor
        for name, tensor in tensors.items()
        if name.startswith(place)
    }
