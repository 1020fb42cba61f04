"""Reading, writing and comparing the stored outcomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .cases import HERE, Numbers, Outcome

NUMBERS, WORDS = HERE / "numbers.npz", HERE / "words.json"


def read() -> tuple[dict[str, dict[str, Numbers]], dict[str, dict[str, Any]]]:
    """Numbers and words of every case, by name."""
    numbers: dict[str, dict[str, Numbers]] = {}
    with np.load(NUMBERS, allow_pickle=False) as file:
        for name in file.files:
            case, _, what = name.partition("/")
            numbers.setdefault(case, {})[what] = file[name]
    return numbers, json.loads(WORDS.read_text(encoding="utf-8"))


def write(outcomes: Mapping[str, Outcome]) -> None:
    """Store the outcomes of some cases; keep the stored outcomes of the others."""
    numbers, words = read() if NUMBERS.is_file() else ({}, {})
    for case, outcome in outcomes.items():
        numbers[case], words[case] = outcome.numbers, plain(outcome.words)
    flat = {f"{case}/{what}": one for case, all_ in numbers.items() for what, one in all_.items()}
    np.savez_compressed(NUMBERS, **{name: one.astype(np.float32) for name, one in flat.items()})
    lines = (f"{json.dumps(case)}: {json.dumps(words[case])}" for case in sorted(words))
    WORDS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def plain(words: Mapping[str, Any]) -> dict[str, Any]:
    """The words after a round trip through JSON."""
    read_back: dict[str, Any] = json.loads(json.dumps(words))
    return read_back


def distance(now: Numbers, then: Numbers) -> float:
    """The largest difference, relative for numbers above 1; infinite for different shapes."""
    if now.shape != then.shape or not np.array_equal(np.isnan(now), np.isnan(then)):
        return float("inf")
    difference = np.abs(now.astype(np.float32) - then) / np.maximum(1.0, np.abs(then))
    return float(np.nanmax(difference, initial=0.0))
