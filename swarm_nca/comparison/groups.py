"""Groups runs that differ only in their seed, and labels each group."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swarm_nca.comparison.entries import Entry


@dataclass(frozen=True)
class Group:
    """Runs that differ only in their seed.

    Attributes:
        label: unique among the groups.
        entries: one or more runs.
    """

    label: str
    entries: tuple[Entry, ...]


def grouped(entries: Sequence[Entry]) -> list[Group]:
    """Entries grouped by all training settings except the seed, in order of first appearance.

    A rule without a training run is a group of its own. A group's label is the beginning that the
    names of its runs share; if several groups have the same, the settings in which they differ.
    """
    by_settings: dict[object, list[Entry]] = {}
    for entry in entries:
        # Settings hold lists, which cannot be dictionary keys; their text can.
        key = repr(entry.settings) if entry.folder is not None else entry.hash
        by_settings.setdefault(key, []).append(entry)
    kinds = list(by_settings.values())
    names = [_common_name([entry.name for entry in kind]) for kind in kinds]
    labels = list(names)
    for name, count in Counter(names).items():
        if count > 1:
            same = [n for n, other in enumerate(names) if other == name]
            differences = _differences([kinds[n][0] for n in same])
            for n, words in zip(same, differences, strict=True):
                labels[n] = words if count == len(names) else f"{name}: {words}"
    return [Group(label, tuple(kind)) for label, kind in zip(labels, kinds, strict=True)]


def _common_name(names: Sequence[str]) -> str:
    words = [re.split(r"[-_. ]", name) for name in names]
    shared = 0
    for heads in zip(*words, strict=False):
        if len(set(heads)) > 1:
            break
        shared += len(heads[0]) + 1
    return names[0][: shared - 1] if shared else names[0]


def _differences(entries: Sequence[Entry]) -> list[str]:
    """For each entry, the settings in which the entries differ; the path of a rule without run."""
    if any(entry.folder is None for entry in entries):
        return [entry.given for entry in entries]
    all_settings = [dict(entry.settings) for entry in entries]
    keys = dict.fromkeys(key for settings in all_settings for key in settings)
    differing = [
        key for key in keys if len({repr(settings.get(key)) for settings in all_settings}) > 1
    ]
    # Words first: `ce, noise 0.02`.
    differing.sort(key=lambda key: not isinstance(all_settings[0].get(key), str))
    return [
        ", ".join(dict.fromkeys(_described(key, settings) for key in differing))
        for settings in all_settings
    ]


def _described(key: str, settings: Mapping[str, Any]) -> str:
    """A setting in words: `ce`, `noise 0.02`, `hidden 70/70`; numbers get the name of the setting.

    A setting that only other runs have is described as missing (`no bound`, `no wounds`), by the
    number of sources of pictures (`1 source`), or as `complete` for a run that did not stop early.
    """
    whole, _, last = key.rpartition(".")
    if key not in settings:
        if whole.startswith("data."):
            sources = len({name.split(".")[1] for name in settings if name.startswith("data.")})
            return f"{sources} source{'s' if sources > 1 else ''}"
        return f"no {whole}" if whole else "complete"
    value = settings[key]
    if isinstance(value, str) and value != "none":
        return value
    if value is None or value in ([], "none"):
        return f"no {last}"
    numbers = value if isinstance(value, list) else [value]
    texts = (f"{number:g}" if isinstance(number, float) else str(number) for number in numbers)
    return f"{last} {'/'.join(texts)}"
