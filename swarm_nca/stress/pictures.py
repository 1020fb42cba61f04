"""Pictures outside a rule's training: each function makes those of one setting.

A function of a transform keeps the labels. Pictures of no class that the rule has get no label, so
that every answer of the swarm counts as wrong.

Letters: P pictures, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations, pairwise

import numpy as np

from swarm_nca.images import Pictures, joined, strokes
from swarm_nca.images.compose import chimera, rotate, row, scale, shift, thickness
from swarm_nca.images.glyphs import LETTERS
from swarm_nca.images.nothing import blot_picture, cloud_picture, dot_picture, scribble_picture
from swarm_nca.images.pictures import Grey
from swarm_nca.measure.eval_set import EXAM_SEEDS
from swarm_nca.stress.subject import KINDS, Subject, present

#: Letters by their settings; the last four are digits to the eye.
ALPHABETS = {"A–M": "ABCDEFGHJKLM", "N–Z": "NPQRTUVWXY", "I O S Z": "IOSZ"}

#: Between the names of a pair of classes with long names.
PAIRED = " / "


def clean(subject: Subject, setting: str) -> Pictures:
    """The subject's own pictures."""
    return subject.pictures


def scaled(subject: Subject, factor: float) -> Pictures:
    """The pictures and their canvases, `factor` times as large."""
    return _each(subject, lambda grey, _: scale(grey, factor))


def translated(subject: Subject, pixels: float) -> Pictures:
    """Moved by `pixels` along both axes, to the four corners in turn; ink outside is lost."""
    corners = ((1, 1), (-1, 1), (1, -1), (-1, -1))

    def moved(grey: Grey, number: int) -> Grey:
        down, right = corners[number % 4]
        return shift(grey, (pixels * down, pixels * right))

    return _each(subject, moved)


def rotated(subject: Subject, degrees: float) -> Pictures:
    """Turned anticlockwise; the canvas grows so that all ink stays."""
    return _each(subject, lambda grey, _: rotate(grey, degrees))


def thickened(subject: Subject, pixels: float) -> Pictures:
    """Strokes wider, below 0 thinner, by about `pixels`."""
    return _each(subject, lambda grey, _: np.clip(thickness(grey, pixels), 0.0, 1.0))


def broken(subject: Subject, pixels: float) -> Pictures:
    """A gap of `pixels` along a line through the middle of the ink, at a drawn angle."""
    angles = subject.numbers(1).uniform(0.0, np.pi, len(subject.pictures))

    def cut(grey: Grey, number: int) -> Grey:
        rows, columns = np.indices(grey.shape)
        weight = grey.sum() or 1.0
        middle = (rows * grey).sum() / weight, (columns * grey).sum() / weight
        cosine, sine = np.cos(angles[number]), np.sin(angles[number])
        away = np.abs((rows - middle[0]) * cosine + (columns - middle[1]) * sine)
        kept = np.clip(away - pixels / 2 + 0.5, 0.0, 1.0) if pixels else 1.0
        return np.asarray(grey * kept, np.float32)

    return _each(subject, cut)


def pairs(subject: Subject) -> list[str]:
    """The names of all pairs of two classes of which there are pictures."""
    classes = subject.rule.classes.names
    between = "-" if all(len(name) == 1 for name in classes) else PAIRED
    return [between.join(pair) for pair in combinations(subject.shown, 2)]


def chimeras(subject: Subject, pair: str) -> Pictures:
    """The left half of one class and the right half of another, in both orders in turn."""
    names = dict(zip(pairs(subject), combinations(subject.shown, 2), strict=True))
    one, other = (subject.of_class(name, subject.count) for name in names[pair])
    halves = enumerate(zip(one, other, strict=True))
    return Pictures(tuple(chimera(*(ab if number % 2 else ab[::-1])) for number, ab in halves))


def joined_digits(subject: Subject, digits: float) -> Pictures:
    """Pictures of different classes side by side, joined by a line."""
    random, count = subject.numbers(2), subject.count
    labels, total = subject.source.labels, len(subject.source)
    order = [np.resize(random.permutation(total), count) for _ in range(int(digits))]
    for before, now in pairwise(order):
        for number in np.flatnonzero(labels[before] == labels[now]):
            others = np.flatnonzero(labels != labels[before[number]])
            now[number] = others[random.integers(len(others))]
    grey = list(subject.source)
    rows = ([grey[each[number]] for each in order] for number in range(count))
    return Pictures(tuple(row(parts, join=True) for parts in rows))


def letters(subject: Subject, setting: str) -> Pictures:
    """Capital letters by the offline pen."""
    names, count = ALPHABETS[setting], subject.count
    each = -(-count // len(names))
    alphabet = tuple(LETTERS)
    drawn = [
        strokes(each, EXAM_SEEDS + subject.seed, classes="letters", label=alphabet.index(name))
        for name in names
    ]
    together = joined(drawn)
    in_turn = np.arange(len(together)).reshape(len(names), -1).T.ravel()
    return Pictures(together.grey)[in_turn[:count]]


def foreign_sets(subject: Subject) -> list[str]:
    """The sets of another task than the rule's that are on this machine."""
    return [
        name
        for kind, sets in KINDS.items()
        if kind != subject.kind
        for name in sets
        if name != "doodles" and present(name)
    ]


def foreign(subject: Subject, name: str) -> Pictures:
    """Pictures of another task: garments for a rule of digits."""
    return Pictures(subject.from_set(name).grey)


def noise_pictures(subject: Subject, setting: str) -> Pictures:
    """Pictures of nothing."""
    random = subject.numbers(3)
    return Pictures(np.stack([NOISES[setting](random) for _ in range(subject.count)]))


def hand_sets(subject: Subject) -> list[str]:
    """The other sets of the rule's task on this machine, and the user's folder."""
    sets = KINDS.get(subject.kind or "", ())
    names = [name for name in sets if name != subject.data and present(name)]
    return names if subject.hands is None else [*names, f"folder {subject.hands[0]}"]


def other_hands(subject: Subject, setting: str) -> Pictures:
    """The rule's classes from another set, or from the user's folder."""
    if subject.hands is not None and setting == f"folder {subject.hands[0]}":
        return subject.hands[1].from_all_classes(subject.count)
    return subject.from_set(setting)


def _each(subject: Subject, change: Callable[[Grey, int], Grey]) -> Pictures:
    changed = tuple(change(grey, number) for number, grey in enumerate(subject.pictures))
    return replace(subject.pictures, grey=changed)


#: The kinds of noise, each a function of random numbers that gives [28, 28].
NOISES: dict[str, Callable[[np.random.Generator], Grey]] = {
    "dots 10 %": partial(dot_picture, share=0.1),
    "dots 30 %": partial(dot_picture, share=0.3),
    "dots 60 %": partial(dot_picture, share=0.6),
    "clouds": cloud_picture,
    "blots": blot_picture,
    "scribbles": scribble_picture,
}
