"""Runs of one kind differ in nothing but their seed, and are called by what is theirs alone."""

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
        label: tells this group from the others.
        entries: one or more.
    """

    label: str
    entries: tuple[Entry, ...]


def grouped(entries: Sequence[Entry]) -> list[Group]:
    """Entries by all that decided their training but the seed, in the order of first appearance.

    A rule alone is a group of its own. Groups are called as their runs are (by the words that the
    names of all begin with); where several would be called alike, by the settings they differ in.
    """
    by_settings: dict[object, list[Entry]] = {}
    for entry in entries:
        # Settings hold lists, so their text is what can be looked up.
        key = repr(entry.settings) if entry.folder is not None else entry.hash
        by_settings.setdefault(key, []).append(entry)
    kinds = list(by_settings.values())
    names = [_common_name([entry.name for entry in kind]) for kind in kinds]
    labels = list(names)
    for name, many in Counter(names).items():
        if many > 1:
            alike = [n for n, one in enumerate(names) if one == name]
            told = _differences([kinds[n][0] for n in alike])
            for n, words in zip(alike, told, strict=True):
                labels[n] = words if many == len(names) else f"{name}: {words}"
    return [Group(label, tuple(kind)) for label, kind in zip(labels, kinds, strict=True)]


def _common_name(names: Sequence[str]) -> str:
    words = [re.split(r"[-_. ]", name) for name in names]
    together = 0
    for heads in zip(*words, strict=False):
        if len(set(heads)) > 1:
            break
        together += len(heads[0]) + 1
    return names[0][: together - 1] if together else names[0]


def _differences(entries: Sequence[Entry]) -> list[str]:
    """Of each entry the settings that are not the same in all; its path where that is no help."""
    if any(entry.folder is None for entry in entries):
        return [entry.given for entry in entries]
    all_settings = [dict(entry.settings) for entry in entries]
    keys = dict.fromkeys(key for settings in all_settings for key in settings)
    telling = [key for key in keys if len({repr(one.get(key)) for one in all_settings}) > 1]
    # Words first: `ce, noise 0.02`.
    telling.sort(key=lambda key: not isinstance(all_settings[0].get(key), str))
    return [
        ", ".join(dict.fromkeys(_told(key, settings) for key in telling))
        for settings in all_settings
    ]


def _told(key: str, settings: Mapping[str, Any]) -> str:
    """`ce`, `noise 0.02`, `hidden 70/70`: a word tells by itself what it is of, numbers do not.

    What others have and this run lacks is a setting or a part of the recipe (`no bound`, `no
    wounds`), a further source of pictures (`1 source`), or that it stopped.
    """
    whole, _, last = key.rpartition(".")
    if key not in settings:
        if whole.startswith("data."):
            sources = len({one.split(".")[1] for one in settings if one.startswith("data.")})
            return f"{sources} source{'s' if sources > 1 else ''}"
        return f"no {whole}" if whole else "complete"
    value = settings[key]
    if isinstance(value, str) and value != "none":
        return value
    if value is None or value in ([], "none"):
        return f"no {last}"
    numbers = value if isinstance(value, list) else [value]
    told = (str(one) if isinstance(one, int) else f"{one:g}" for one in numbers)
    return f"{last} {'/'.join(told)}"
