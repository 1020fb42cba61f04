"""Rules as files: safetensors for the weights, one JSON text in the header for all the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from swarm_nca.atomic import write_atomically
from swarm_nca.rules.families import families, rule_from_header
from swarm_nca.rules.rule import Rule

_HEADER = "swarm_nca"
_FORMAT = 1


def save_rule(rule: Rule, path: str | Path, card: dict[str, Any] | None = None) -> Path:
    """Write a rule, atomically: either the whole new file is there, or what was there before.

    Args:
        rule: weights and settings are both kept.
        path: a `.safetensors` file; its folder must exist.
        card: plain data about the rule (recipe, scores, licence …), kept beside it.

    Raises:
        ValueError: a rule whose family is not in the table, so that it could not be read back.
    """
    if families().get(rule.kind) is not rule.__class__:
        raise ValueError(
            f"{type(rule).__name__} is not the family {rule.kind!r} of the table, and its file "
            f"could not be read back; add it: swarm_nca.rules.RULES[{rule.kind!r}] = "
            f"{type(rule).__name__}, or name it in the entry-point group swarm_nca.rules"
        )
    path = Path(path)
    header = {"format": _FORMAT, "settings": rule.header(), "card": card or {}}
    weights = {name: weight.detach().cpu().contiguous() for name, weight in _weights(rule)}
    write_atomically(path, save(weights, {_HEADER: json.dumps(header, sort_keys=True)}))
    return path


def read_rule(path: str | Path) -> tuple[Rule, dict[str, Any]]:
    """A rule and its card from a `.safetensors` file, its weights frozen (`requires_grad` off).

    Raises:
        ValueError: not such a file, truncated, weights of other shapes than its settings say, or
            weights that are not finite.
    """
    path = Path(path)
    try:
        with safe_open(str(path), framework="pt") as file:
            header = (file.metadata() or {}).get(_HEADER)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from error
    if header is None:
        raise ValueError(
            f"{path}: a safetensors file, but not a rule: its header has no '{_HEADER}' entry; "
            "write rules with swarm_nca.save_rule"
        )
    try:
        data = json.loads(header)
        if data["format"] != _FORMAT:
            raise ValueError(f"format {data['format']}, but this version reads format {_FORMAT}")
        rule, card = rule_from_header(data["settings"]), data["card"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: the rule's settings cannot be used: {error}") from error
    fill(rule, weights, source=str(path))
    return rule, card


def fill(rule: Rule, weights: dict[str, torch.Tensor], source: str) -> None:
    """Put weights into a rule and freeze it.

    Raises:
        ValueError: names or shapes other than the rule's, or values that are not finite numbers.
    """
    expected = {name: tuple(weight.shape) for name, weight in _weights(rule)}
    given = {name: tuple(weight.shape) for name, weight in weights.items()}
    for name in expected.keys() - given.keys():
        raise ValueError(f"{source}: the weight '{name}' is missing")
    for name in given.keys() - expected.keys():
        raise ValueError(f"{source}: '{name}' is no weight of such a rule")
    for name, shape in expected.items():
        if given[name] != shape:
            raise ValueError(
                f"{source}: '{name}' has the shape {list(given[name])}, but its settings "
                f"({rule.channels} channels, {rule.slots} slots) need {list(shape)}"
            )
        if not weights[name].is_floating_point():
            raise ValueError(f"{source}: '{name}' holds {weights[name].dtype}, no real numbers")
        if not bool(torch.isfinite(weights[name]).all()):
            raise ValueError(
                f"{source}: '{name}' holds values that are not finite (NaN or infinity); "
                "the rule is broken, take an earlier checkpoint"
            )
    dtypes = {weight.dtype for weight in weights.values()}
    if len(dtypes) == 1:
        rule.to(dtypes.pop())
    rule.load_state_dict(weights)
    rule.requires_grad_(False)


def _weights(rule: Rule) -> list[tuple[str, torch.Tensor]]:
    return list(rule.state_dict().items())
