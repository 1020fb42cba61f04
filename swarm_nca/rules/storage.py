"""Rules as files: safetensors for the weights, one JSON text in the header for all the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from swarm_nca.atomic import write_atomically
from swarm_nca.rules import header
from swarm_nca.rules.families import families
from swarm_nca.rules.rule import Rule


def save_rule(rule: Rule, path: str | Path, card: dict[str, Any] | None = None) -> Path:
    """Write a rule, atomically: either the whole new file is there, or what was there before.

    Args:
        rule: weights and settings are both kept.
        path: a `.safetensors` file; its folder must exist.
        card: plain data about the rule (recipe, scores, licence …), kept beside it.

    Raises:
        ValueError: a rule of a class of its own, or one whose file `read_rule` would refuse; the
            file is not touched then.
    """
    if families().get(rule.kind) is not rule.__class__:
        raise ValueError(
            f"{type(rule).__name__} is not the family {rule.kind!r} of the table, and its file "
            f"could not be read back; add it: swarm_nca.rules.RULES[{rule.kind!r}] = "
            f"{type(rule).__name__}, or name it in the entry-point group swarm_nca.rules"
        )
    path = Path(path)
    weights = {name: one.detach().cpu().contiguous() for name, one in rule.state_dict().items()}
    with _telling(path):
        text = header.text_of(rule.header(), card or {})
        again, _ = header.read_text(text)
        held = {
            name: header.Numbers(str(one.dtype).removeprefix("torch."), tuple(one.shape))
            for name, one in weights.items()
        }
        header.check_weights(again, held)
        header.check_finite(weights)
    write_atomically(path, save(weights, {header.ENTRY: text}))
    return path


def read_rule(path: str | Path) -> tuple[Rule, dict[str, Any]]:
    """A rule and its card from a `.safetensors` file, its weights frozen (`requires_grad` off).

    Raises:
        ValueError: not such a file, truncated, settings that no rule has, weights of other shapes
            than the settings say or of other types than float32 and float64, or weights that are
            not finite.
    """
    path = Path(path)
    with _telling(path):
        text, held = header.read_header(path)
        rule, card = header.read_text(text)
        header.check_weights(rule, held)
        with safe_open(str(path), framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in held}
        fill(rule, weights)
    return rule, card


def fill(rule: Rule, weights: dict[str, torch.Tensor]) -> None:
    """Put weights of a rule's shapes and of one type into it and freeze it.

    Raises:
        ValueError: values that are not finite numbers.
    """
    header.check_finite(weights)
    for weight in weights.values():
        rule.to(weight.dtype)
    rule.load_state_dict(weights)
    rule.requires_grad_(False)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Errors inside begin with the file's name and take one line."""
    try:
        yield
    except (SafetensorError, OSError) as error:
        told = " ".join(str(error).split())
        raise ValueError(f"{path}: not a readable safetensors file ({told})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
