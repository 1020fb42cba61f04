"""Pictures outside a rule's training: each function makes those of one setting.

A function of a transform keeps the labels. Pictures of no class that the rule has get no label, so
that every answer of the swarm counts as wrong.

Letters: P pictures, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np

from swarm_nca.images import SIZE, Pictures, joined, strokes
from swarm_nca.images.compose import chimera, rotate, row, scale, shift, thickness
from swarm_nca.images.glyphs import LETTERS
from swarm_nca.images.pictures import Grey
from swarm_nca.images.raster import segment_coverage
from swarm_nca.measure.eval_set import EXAM_SEEDS
from swarm_nca.stress.subject import KINDS, Subject, present

#: Letters by their settings; the last four are digits to the eye.
ALPHABETS = {"A–M": "ABCDEFGHJKLM", "N–Z": "NPQRTUVWXY", "I O S Z": "IOSZ"}

#: Between the names of a pair of classes with long names.
PAIRED = " / "

#: Half the width of scribbled lines, in pixels.
_PEN = 1.3


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
    """The names of all pairs of two classes of the rule."""
    classes = subject.rule.classes.names
    between = "-" if all(len(name) == 1 for name in classes) else PAIRED
    return [between.join(pair) for pair in combinations(classes, 2)]


def chimeras(subject: Subject, pair: str) -> Pictures:
    """The left half of one class and the right half of another, in both orders in turn."""
    names = dict(zip(pairs(subject), combinations(subject.rule.classes.names, 2), strict=True))
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


#: The kinds of noise, each a function of random numbers that gives [28, 28].
NOISES: dict[str, Callable[[np.random.Generator], Grey]] = {}


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


def _dots(share: float) -> Callable[[np.random.Generator], Grey]:
    """Single pixels of random grey; `share` of all pixels have ink."""

    def drawn(random: np.random.Generator) -> Grey:
        inked = random.random(SIZE) < share
        return np.where(inked, random.uniform(0.2, 1.0, SIZE), 0.0).astype(np.float32)

    return drawn


def _clouds(random: np.random.Generator) -> Grey:
    """Smooth patches."""
    places = [np.linspace(0.0, 6.0, side) for side in SIZE]
    coarse = random.random((7, 7))
    rows = np.stack([np.interp(places[0], range(7), column) for column in coarse.T], axis=1)
    smooth = np.stack([np.interp(places[1], range(7), row) for row in rows])
    return np.asarray(np.clip(4 * smooth - 2, 0.0, 1.0), np.float32)


def _scribble(random: np.random.Generator) -> Grey:
    """A line of the pen along a smooth random path."""
    knots = np.cumsum(random.normal(0.0, 4.5, (int(random.integers(4, 8)), 2)), axis=0)
    inner = np.linspace(0.0, len(knots) - 1, 60)
    path = np.stack([_smooth(inner, knots[:, axis]) for axis in (0, 1)], axis=1)
    low, high = path.min(0), path.max(0)
    path = (path - (low + high) / 2) * (20.0 / float((high - low).max())) + 13.5
    grey = np.zeros(SIZE, np.float32)
    rows, columns, coverage = segment_coverage(path, _PEN, SIZE)
    grey[rows, columns] = coverage
    return grey


def _smooth(at: np.ndarray, knots: Sequence[float] | np.ndarray) -> np.ndarray:
    """Values of a Catmull–Rom spline through the knots."""
    padded = np.concatenate([knots[:1], knots, knots[-1:]])
    left = np.minimum(at.astype(int), len(knots) - 2)
    t = at - left
    a, b, c, d = (padded[left + offset] for offset in range(4))
    return np.asarray(
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    )


NOISES |= {
    "dots 10 %": _dots(0.1),
    "dots 30 %": _dots(0.3),
    "dots 60 %": _dots(0.6),
    "clouds": _clouds,
    "scribbles": _scribble,
}
