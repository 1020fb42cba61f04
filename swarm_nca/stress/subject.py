"""The subject of a stress suite: a rule, and the pictures from which all others are made."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from swarm_nca.bounds import MOST_PICTURES
from swarm_nca.engine import check_guest
from swarm_nca.images import DATASETS, DRAWN, SIZE, Pictures, read_folder
from swarm_nca.images.datasets import DATA_FOLDER
from swarm_nca.images.hybrids import HYBRIDS
from swarm_nca.measure.eval_set import EXAM_SEEDS, exam_pictures
from swarm_nca.measure.protocols import check_classes
from swarm_nca.rules import Classes, Rule, load_rule
from swarm_nca.shipped import folder
from swarm_nca.suggestion import unknown
from swarm_nca.world import World

#: The attack on the rule `mnist-97`, in the folder of scenarios; by the recipe `immigrants`.
ATTACK = Path("faults") / "mislead.safetensors"

#: The rules that it works on: `mnist` was trained further from `mnist-97`.
ATTACKED = ("mnist", "mnist-97")

#: The sets of one task, published before drawn; the rule's task is the first whose classes it has.
KINDS = {"digits": ("mnist", "strokes", "doodles"), "garments": ("fashion-mnist", "garments")}


@dataclass(frozen=True, eq=False)
class Subject:
    """A rule and its pictures.

    Attributes:
        given: the user's argument for the rule.
        rule: the rule; its read-out has classes.
        data: the set that the pictures are from, by name or folder.
        source: all pictures of that set, or as many as are needed.
        pictures: `count` of them, balanced over the classes.
        count: pictures of each setting.
        seed: seed of all draws.
        hands: the user's folder of pictures by other hands, and its pictures; None without one.
        immigrants: the rule that immigrants obey; None without one.
    """

    given: str
    rule: Rule
    data: str
    source: Pictures
    pictures: Pictures
    count: int
    seed: int = 0
    hands: tuple[str, Pictures] | None = None
    immigrants: Rule | None = None

    @property
    def alone(self) -> Subject:
        """The same subject with one picture, for examples in figures."""
        place = min(3, len(self.pictures) - 1)
        return replace(self, pictures=self.pictures[[place]], count=1)

    @property
    def kind(self) -> str | None:
        """The key of `KINDS` whose classes the rule has; None for other classes."""
        mine = set(self.rule.classes.names)
        return next(
            (kind for kind, sets in KINDS.items() if mine == set(classes_of(sets[0]))), None
        )

    @cached_property
    def plan(self) -> dict[str, Any]:
        """All that decides the numbers of a suite, as plain data."""
        folder = (
            None if self.hands is None else {"name": self.hands[0], "content": _hash(self.hands[1])}
        )
        return {
            "rule": self.rule.hash(),
            "data": self.data,
            "content": _hash(self.pictures),
            "count": self.count,
            "seed": self.seed,
            "pictures": folder,
            "immigrants": None if self.immigrants is None else self.immigrants.hash(),
        }

    def numbers(self, purpose: int) -> np.random.Generator:
        """Random numbers of one purpose."""
        return np.random.default_rng([self.seed, purpose])

    @cached_property
    def shown(self) -> list[str]:
        """The rule's classes of which there are pictures."""
        held = {self.source.classes[number] for number in set(self.source.labels) if number >= 0}
        return [name for name in self.rule.classes.names if name in held]

    def of_class(self, name: str, count: int) -> Pictures:
        """`count` pictures of one class; those of a small set repeat."""
        number = self.source.classes.index(name)
        members = np.flatnonzero(self.source.labels == number)
        if not len(members):
            raise ValueError(f"{self.data} has no pictures of {name}: choose other pictures")
        return self.source[np.resize(members, count)]

    def from_set(self, name: str, count: int | None = None) -> Pictures:
        """Pictures of another set, balanced over its classes."""
        count = self.count if count is None else count
        return _source(name, count, self.seed).from_all_classes(count)


def subject_of(
    rule: str,
    data: str | None = None,
    *,
    count: int = 200,
    seed: int = 0,
    pictures: Path | None = None,
    immigrants: str | None = None,
) -> Subject:
    """The subject of a suite.

    Args:
        rule: see `load_rule`.
        data: the set of the rule's own pictures; when None, the published set of its classes if
            `SWARM_NCA_DATA` has it, else the one that is drawn.
        count: pictures of each setting.
        seed: seed of all draws.
        pictures: a folder with one subfolder of pictures for each class, drawn by other hands.
        immigrants: the rule that immigrants obey; when None, for the rules `ATTACKED` the attack
            that ships, and none for others.

    Raises:
        ValueError: an unknown rule, set or folder, a rule without classes, pictures of other
            classes than the rule's, immigrants of another shape, or a count out of range.
    """
    if not 1 <= count <= MOST_PICTURES:
        raise ValueError(f"count must be from 1 to {MOST_PICTURES}, got {count}")
    loaded = load_rule(rule)
    if not isinstance(loaded.readout, Classes):
        raise ValueError(f"{rule}: a stress suite needs a rule with classes")
    data = _usual(loaded) if data is None else data
    if data in HYBRIDS:
        raise ValueError(f"{data} have no right class: name the rule's own pictures")
    source = _source(data, count, seed)
    _check_known(loaded, data, source)
    hands = None
    if pictures is not None:
        hands = (pictures.absolute().name, read_folder(pictures, size=SIZE).centred_on(SIZE))
        _check_known(loaded, str(pictures), hands[1])
    subject = Subject(
        rule, loaded, data, source, source.from_all_classes(count), count, seed, hands
    )
    return replace(subject, immigrants=_immigrants(loaded, immigrants))


def present(name: str) -> bool:
    """Whether the pictures of a set can be had without a download."""
    if name not in DATASETS:
        return True
    folder = os.environ.get(DATA_FOLDER)
    return bool(folder) and (Path(os.path.expanduser(str(folder))) / name).is_dir()


def classes_of(name: str) -> tuple[str, ...]:
    """The classes of a published or drawn set."""
    return DATASETS[name].classes if name in DATASETS else DRAWN[name].classes


def _usual(rule: Rule) -> str:
    mine = set(rule.classes.names)
    for sets in KINDS.values():
        if mine == set(classes_of(sets[0])):
            return next(name for name in sets if present(name))
    names = ", ".join(rule.classes.names[:10])
    raise ValueError(f"name pictures of the rule's classes ({names}) with --data")


def _immigrants(rule: Rule, name: str | None) -> Rule | None:
    """The rule of that name; without one the attack, if it works on this rule."""
    if name is None and rule.hash() not in {load_rule(each).hash() for each in ATTACKED}:
        return None
    guest = load_rule(folder("scenarios") / ATTACK if name is None else name)
    check_guest(World.from_images(torch.zeros(1, 1, 1), rule), guest)
    return guest


def _source(name: str, count: int, seed: int) -> Pictures:
    """The test pictures of a published set or folder, and enough drawn ones for every class."""
    if name in DRAWN:
        # A share of 1.5 leaves enough of each class after balancing.
        enough = max(1_000, count * 3 // 2)
        return DRAWN[name].draw(enough, EXAM_SEEDS + seed)
    if name in DATASETS or Path(name).is_dir():
        return exam_pictures(name)
    raise ValueError(f"{unknown('data set', name, [*DATASETS, *DRAWN])}, or give a folder")


def _check_known(rule: Rule, name: str, pictures: Pictures) -> None:
    check_classes(rule, pictures)
    if not set(pictures.classes) & set(rule.classes.names):
        classes = ", ".join(rule.classes.names[:10])
        raise ValueError(f"{name} has none of the rule's classes ({classes}): choose others")


def _hash(pictures: Pictures) -> str:
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(str(picture.shape).encode() + np.ascontiguousarray(picture).tobytes())
    digest.update(pictures.labels.tobytes())
    return digest.hexdigest()[:16]
