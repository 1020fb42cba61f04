"""The header of a rule file, read and checked before the weights.

A `.safetensors` file begins with a JSON text that gives the dtype and shape of each tensor. One
entry of it is the rule's text, also JSON: format, settings, card. Both are checked before memory is
allocated for weights. `save_rule` runs the same checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from swarm_nca.arguments import shown
from swarm_nca.rules.families import rule_from_header
from swarm_nca.rules.plain_json import parsed
from swarm_nca.rules.rule import Rule

#: The header entry that holds the rule's text, and the version of that text.
ENTRY = "swarm_nca"
FORMAT = 1

#: The dtypes that every engine supports, by torch's names.
DTYPES = {"float32": torch.float32, "float64": torch.float64}

#: The largest number of characters of the rule's text, and of bytes of the whole header, where
#: quotation marks and backslashes take two bytes.
LONGEST_TEXT = 1 << 20
LONGEST_HEADER = 4 * LONGEST_TEXT


class Numbers(NamedTuple):
    """Dtype and shape of a tensor; the dtype by its name in `DTYPES`."""

    dtype: str
    shape: tuple[int, ...]


def text_of(settings: Mapping[str, Any], card: Mapping[str, Any]) -> str:
    """The rule's text for a file.

    Raises:
        ValueError: a card or settings that JSON cannot hold.
    """
    header = {"format": FORMAT, "settings": settings, "card": card}
    try:
        return json.dumps(header, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"settings and card must be plain data that JSON can hold: {error}"
        ) from error


def read_text(text: str) -> tuple[Rule, dict[str, Any]]:
    """An untrained rule with the settings in the rule's text, and the card.

    Raises:
        ValueError: an invalid text.
    """
    try:
        data = parsed(text, LONGEST_TEXT)
        if not isinstance(data, dict) or not {"format", "settings", "card"} <= data.keys():
            raise ValueError(f"it must be a mapping of format, settings and card: {shown(data)}")
        if data["format"] != FORMAT:
            raise ValueError(
                f"format {shown(data['format'])}, but this version reads format {FORMAT}"
            )
        if not isinstance(data["card"], dict):
            raise ValueError(f"the card must be a mapping, got {shown(data['card'])}")
    except ValueError as error:
        raise ValueError(f"the rule's header cannot be used: {error}") from error
    try:
        return rule_from_header(data["settings"]), data["card"]
    except ValueError as error:
        raise ValueError(f"the rule's settings cannot be used: {error}") from error


def read_header(path: Path) -> tuple[str, dict[str, Numbers]]:
    """The rule's text in a `.safetensors` file, and dtype and shape of each tensor, by name.

    Raises:
        OSError: a file that cannot be read.
        ValueError: not a `.safetensors` file, or not a rule.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > LONGEST_HEADER:
                raise ValueError(f"its header has {length:,} bytes, at most {LONGEST_HEADER:,}")
            text = file.read(length).decode()
        entries = parsed(text, LONGEST_HEADER)
        if not isinstance(entries, dict):
            raise ValueError(f"its header is not a mapping: {shown(entries)}")
        metadata = entries.pop("__metadata__", {})
        held = {name: _numbers(name, entry) for name, entry in entries.items()}
    except ValueError as error:
        raise ValueError(f"not a readable safetensors file ({error})") from error
    if not isinstance(metadata, dict) or not isinstance(metadata.get(ENTRY), str):
        raise ValueError(
            f"a safetensors file, but not a rule: its header has no '{ENTRY}' entry; "
            "write rules with swarm_nca.save_rule"
        )
    return metadata[ENTRY], held


def check_weights(rule: Rule, held: Mapping[str, Numbers]) -> None:
    """Raise a ValueError unless names, shapes and dtypes are those of what the rule stores.

    Weights that the rule stores as float32 may be float64; those of other dtypes have exactly it.
    """
    stored = rule.stored()
    expected = {name: tuple(weight.shape) for name, weight in stored.items()}
    exact = {
        name: str(weight.dtype).removeprefix("torch.")
        for name, weight in stored.items()
        if weight.dtype not in DTYPES.values()
    }
    for name in expected:
        if name not in held:
            raise ValueError(f"the weight '{name}' is missing")
    for name in held:
        if name not in expected:
            raise ValueError(f"{shown(name)} is not a weight of this rule")
    for name, shape in expected.items():
        if held[name].shape != shape:
            raise ValueError(
                f"'{name}' has the shape {shown(list(held[name].shape))}, but its settings "
                f"({rule.channels} channels, {rule.slots} slots) need {list(shape)}"
            )
        if name in exact:
            if held[name].dtype != exact[name]:
                raise ValueError(
                    f"'{name}' holds {shown(held[name].dtype)[1:-1]}, but its settings need "
                    f"{exact[name]}"
                )
        elif held[name].dtype not in DTYPES:
            raise ValueError(
                f"'{name}' holds {shown(held[name].dtype)[1:-1]}, but rules run in "
                f"{' or '.join(DTYPES)}: save it again after rule.float()"
            )
    dtypes = sorted({numbers.dtype for name, numbers in held.items() if name not in exact})
    if len(dtypes) > 1:
        raise ValueError(
            f"its weights have two dtypes, {' and '.join(dtypes)}: save it again after "
            "rule.float() or rule.double()"
        )


def check_finite(weights: Mapping[str, torch.Tensor]) -> None:
    """Raise a ValueError unless all weights are finite numbers."""
    for name, weight in weights.items():
        if not bool(torch.isfinite(weight).all()):
            raise ValueError(
                f"'{name}' holds values that are not finite (NaN or infinity); "
                "the rule is broken, take an earlier checkpoint"
            )


def _numbers(name: str, entry: Any) -> Numbers:
    if isinstance(entry, dict):
        dtype, shape = entry.get("dtype"), entry.get("shape")
        if isinstance(dtype, str) and isinstance(shape, list):
            return Numbers(_torch_name(dtype), tuple(shape))
    raise ValueError(f"the entry {shown(name)} of its header lacks dtype or shape")


def _torch_name(dtype: str) -> str:
    """The torch name of a safetensors dtype, such as bfloat16 for BF16."""
    words = {"BF": "bfloat", "F": "float", "I": "int", "U": "uint", "C": "complex"}
    spelt = re.fullmatch(r"(BF|F|I|U|C)(\d+\w*)", dtype)
    return words[spelt[1]] + spelt[2].lower() if spelt else dtype.lower()
