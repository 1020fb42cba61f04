"""Rule files: weights as safetensors, settings and card as JSON text in the header."""

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
    """Write a rule file atomically: a failure leaves an existing file unchanged.

    Args:
        rule: the rule, whose weights and settings are both saved.
        path: a `.safetensors` file; its folder must exist.
        card: plain data about the rule (recipe, scores, licence …), saved in the same file.

    Raises:
        ValueError: a rule whose class is not in the table of families, or a rule whose file
            `read_rule` would refuse; the file is not touched.
    """
    if families().get(rule.kind) is not rule.__class__:
        raise ValueError(
            f"{type(rule).__name__} is not the family {rule.kind!r} of the table, and its file "
            f"could not be read back; add it: swarm_nca.rules.RULES[{rule.kind!r}] = "
            f"{type(rule).__name__}, or name it in the entry-point group swarm_nca.rules"
        )
    path = Path(path)
    weights = {name: weight.detach().cpu().contiguous() for name, weight in rule.stored().items()}
    with _named_errors(path):
        text = header.text_of(rule.header(), card or {})
        read_back, _ = header.read_text(text)
        held = {
            name: header.Numbers(str(weight.dtype).removeprefix("torch."), tuple(weight.shape))
            for name, weight in weights.items()
        }
        header.check_weights(read_back, held)
        header.check_finite(weights)
    write_atomically(path, save(weights, {header.ENTRY: text}))
    return path


def read_rule(path: str | Path) -> tuple[Rule, dict[str, Any]]:
    """A rule and its card from a `.safetensors` file; weights are frozen (`requires_grad` off).

    Raises:
        ValueError: not a rule file, a truncated file, invalid settings, weights whose shapes do not
            match the settings, weights of other dtypes than float32 and float64, or weights that
            are not finite.
    """
    path = Path(path)
    with _named_errors(path):
        text, held = header.read_header(path)
        rule, card = header.read_text(text)
        header.check_weights(rule, held)
        with safe_open(str(path), framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in held}
        fill(rule, weights)
    return rule, card


def fill(rule: Rule, weights: dict[str, torch.Tensor]) -> None:
    """Load what `Rule.stored` gave into a rule, in its dtype, and freeze it.

    Raises:
        ValueError: weights that are not finite.
    """
    header.check_finite(weights)
    for weight in weights.values():
        if weight.dtype in header.DTYPES.values():
            rule.to(weight.dtype)
    rule.restore(weights)
    rule.requires_grad_(False)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Context manager: errors become one line that begins with the path."""
    try:
        yield
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not a readable safetensors file ({reason})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
