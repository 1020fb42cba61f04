"""The header of a rule file: what stands there besides the weights' bytes, read before them.

A `.safetensors` file begins with one JSON text that names each tensor with its type and shape; the
rule's own JSON text (format, settings, card) is an entry of it. Both are checked before memory is
taken for weights. `save_rule` passes through the same checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from swarm_nca.rules.bounds import shown
from swarm_nca.rules.families import rule_from_header
from swarm_nca.rules.plain_json import parsed
from swarm_nca.rules.rule import Rule

#: The entry of the file's header that holds the rule's own text, and the version of that text.
ENTRY = "swarm_nca"
FORMAT = 1

#: Types of numbers in which rules run everywhere, agents included; names are torch's.
DTYPES = {"float32": torch.float32, "float64": torch.float64}

#: Characters of the rule's own text at most, and bytes of the whole header: quotation marks and
#: backslashes take two bytes there.
LONGEST_TEXT = 1 << 20
LONGEST_HEADER = 4 * LONGEST_TEXT


class Numbers(NamedTuple):
    """What a tensor holds: the type's name, as `DTYPES` has it, and the shape."""

    dtype: str
    shape: tuple[int, ...]


def text_of(settings: Mapping[str, Any], card: Mapping[str, Any]) -> str:
    """The rule's own text for a file.

    Raises:
        ValueError: a card or settings that are no plain data.
    """
    header = {"format": FORMAT, "settings": settings, "card": card}
    try:
        return json.dumps(header, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"settings and card must be plain data, as JSON holds it: {error}"
        ) from error


def read_text(text: str) -> tuple[Rule, dict[str, Any]]:
    """An untrained rule with the settings, and the card, of the rule's own text.

    Raises:
        ValueError: what cannot be used of it.
    """
    try:
        data = parsed(text, LONGEST_TEXT)
        if not isinstance(data, dict) or not {"format", "settings", "card"} <= data.keys():
            raise ValueError(f"it is no mapping of format, settings and card: {shown(data)}")
        if data["format"] != FORMAT:
            raise ValueError(
                f"format {shown(data['format'])}, but this version reads format {FORMAT}"
            )
        if not isinstance(data["card"], dict):
            raise ValueError(f"the card is a mapping, got {shown(data['card'])}")
    except ValueError as error:
        raise ValueError(f"the rule's header cannot be used: {error}") from error
    try:
        return rule_from_header(data["settings"]), data["card"]
    except ValueError as error:
        raise ValueError(f"the rule's settings cannot be used: {error}") from error


def read_header(path: Path) -> tuple[str, dict[str, Numbers]]:
    """The rule's own text in a `.safetensors` file, and what each tensor holds, by name.

    Raises:
        OSError: a file that cannot be read.
        ValueError: not such a file, or not a rule's.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > LONGEST_HEADER:
                raise ValueError(f"its header has {length:,} bytes, at most {LONGEST_HEADER:,}")
            text = file.read(length).decode()
        entries = parsed(text, LONGEST_HEADER)
        if not isinstance(entries, dict):
            raise ValueError(f"its header is no mapping: {shown(entries)}")
        own = entries.pop("__metadata__", {})
        held = {name: _numbers(name, entry) for name, entry in entries.items()}
    except ValueError as error:
        raise ValueError(f"not a readable safetensors file ({error})") from error
    if not isinstance(own, dict) or not isinstance(own.get(ENTRY), str):
        raise ValueError(
            f"a safetensors file, but not a rule: its header has no '{ENTRY}' entry; "
            "write rules with swarm_nca.save_rule"
        )
    return own[ENTRY], held


def check_weights(rule: Rule, held: Mapping[str, Numbers]) -> None:
    """A ValueError, unless these tensors are weights that the rule can use."""
    expected = {name: tuple(weight.shape) for name, weight in rule.state_dict().items()}
    for name in expected:
        if name not in held:
            raise ValueError(f"the weight '{name}' is missing")
    for name in held:
        if name not in expected:
            raise ValueError(f"{shown(name)} is no weight of such a rule")
    for name, shape in expected.items():
        if held[name].shape != shape:
            raise ValueError(
                f"'{name}' has the shape {shown(list(held[name].shape))}, but its settings "
                f"({rule.channels} channels, {rule.slots} slots) need {list(shape)}"
            )
        if held[name].dtype not in DTYPES:
            raise ValueError(
                f"'{name}' holds {shown(held[name].dtype)[1:-1]}, but rules run in "
                f"{' or '.join(DTYPES)}: save it again after rule.float()"
            )
    dtypes = sorted({one.dtype for one in held.values()})
    if len(dtypes) > 1:
        raise ValueError(
            f"its weights are of two types, {' and '.join(dtypes)}: save it again after "
            "rule.float() or rule.double()"
        )


def check_finite(weights: Mapping[str, torch.Tensor]) -> None:
    """A ValueError, unless all weights are finite numbers."""
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
            return Numbers(_as_torch_says(dtype), tuple(shape))
    raise ValueError(f"the entry {shown(name)} of its header says neither dtype nor shape")


def _as_torch_says(dtype: str) -> str:
    """safetensors' name of a type, such as BF16, as torch spells it."""
    words = {"BF": "bfloat", "F": "float", "I": "int", "U": "uint", "C": "complex"}
    spelt = re.fullmatch(r"(BF|F|I|U|C)(\d+\w*)", dtype)
    return words[spelt[1]] + spelt[2].lower() if spelt else dtype.lower()
