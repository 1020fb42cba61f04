"""Loads the pictures that a source describes.

One function per origin; all random choices (which digits of a data set, which handwriting) follow
from one seed. Each part of a composition has its own seed, so that two pictures of one class side
by side differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np

from swarm_nca.images import compose
from swarm_nca.images.datasets import DATASETS, Split, load_dataset
from swarm_nca.images.drawn import DRAWN
from swarm_nca.images.files import read_folder, read_picture
from swarm_nca.images.glyphs import DIGITS, LETTERS
from swarm_nca.images.pictures import UNKNOWN, Grey, Pictures, check_pixels, class_number, joined
from swarm_nca.images.rle import read_pattern
from swarm_nca.images.source import Source
from swarm_nca.images.strokes import draw_glyph

#: The rule's classes, or None if not given.
Names: TypeAlias = tuple[str, ...] | None


def load(
    source: Source, *, seed: int = 0, base: str | Path = ".", classes: Names = None
) -> Pictures:
    """The pictures that a source describes.

    `seed`: for random choices, unless the source has its own. `base`: the folder to which the
    source's paths are relative. `classes`: of the rule, by default ten digits; a label of a source
    without classes (a file, a glyph, a composition) is one of them.
    Raises ValueError for missing or unreadable files, and for a label, index or count that the
    pictures do not have.
    """
    own = seed if source.seed is None else source.seed
    pictures = _LOADERS[source.origin](source, own, Path(base), classes)
    if source.label is not None and source.origin in _UNCLASSED:
        names = tuple(DIGITS) if classes is None else tuple(classes)
        if not names:
            raise ValueError("label is the right class, but this rule has no classes: remove label")
        number = class_number(source.label, names)
        pictures = Pictures(pictures.grey, np.full(len(pictures), number), names)
    return _transformed(pictures, source)


def _dataset(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    if source.dataset in DATASETS:
        return _chosen(_published(source.dataset, source.split or "test"), source, seed)
    name = "letters" if source.classes == tuple(LETTERS) else str(source.dataset)
    start, count = source.index or 0, source.count or 1
    return DRAWN[name].draw(count, seed, start=start, label=source.label)


def _file(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    grey = read_picture(base / str(source.file), size=source.size, ink=source.ink)
    return Pictures(_repeated(grey, source.count or 1))


def _folder(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    pictures = read_folder(base / str(source.folder), size=source.size, ink=source.ink)
    return _chosen(pictures, source, seed)


def _glyph(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    name = str(source.glyph)
    grey = _repeated(draw_glyph(name), source.count or 1)
    names = tuple(DIGITS if name in DIGITS else LETTERS)
    return Pictures(grey, np.full(len(grey), names.index(name)), names)


def _chimera(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    left, right = _parts(source, source.chimera or (), seed, base, classes)
    pairs = zip(left, right, strict=True)
    return _composed([compose.chimera(a, b) for a, b in pairs], [left, right])


def _row(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    parts = _parts(source, source.row or (), seed, base, classes)
    rows = [compose.row(each, source.join) for each in zip(*parts, strict=True)]
    return _composed(rows, parts)


def _rle(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    return Pictures(_repeated(read_pattern(str(source.rle), base).grey, source.count or 1))


def _soup(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    shape = source.count or 1, *_field(source)
    random = np.random.default_rng(seed)
    return Pictures((random.random(shape) < (source.soup or 0.0)).astype(np.float32))


def _sprout(source: Source, seed: int, base: Path, classes: Names) -> Pictures:
    rows, columns = _field(source)
    grey = np.zeros((rows, columns), np.float32)
    grey[rows // 2, columns // 2] = 1.0
    return Pictures(_repeated(grey, source.count or 1))


def _field(source: Source) -> tuple[int, int]:
    if source.size is None:
        raise ValueError(f"{source.origin} needs a size: give [rows, columns], or a canvas")
    return source.size


_LOADERS: Mapping[str, Callable[[Source, int, Path, Names], Pictures]] = {
    "dataset": _dataset,
    "file": _file,
    "folder": _folder,
    "glyph": _glyph,
    "chimera": _chimera,
    "row": _row,
    "rle": _rle,
    "soup": _soup,
    "sprout": _sprout,
}

_MOST_COMPARISONS = 1 << 31
"""Maximum comparisons of pixels with their neighbours for thickness: a few seconds."""

_UNCLASSED = ("file", "glyph", "chimera", "row")  # a label is the right class, not a selection


@lru_cache(maxsize=2)
def _published(name: str, split: Split) -> Pictures:
    return load_dataset(name, split)


def _chosen(pictures: Pictures, source: Source, seed: int) -> Pictures:
    """The pictures of a set selected by label, index and count; random without an index."""
    title = f"{source.dataset or source.folder}"
    if source.label is not None:
        number = class_number(source.label, pictures.classes)
        pictures = pictures[pictures.labels == number]
        title += f", label {source.label}"
    if source.index is None and source.count is None and source.folder is not None:
        return pictures
    first, count = source.index or 0, source.count or 1
    if first + count > len(pictures):
        raise ValueError(
            f"{title} has {len(pictures)} pictures, numbered from 0: index {first} and count "
            f"{count} are beyond the end"
        )
    if source.index is not None:
        return pictures[
            np.arange(first, first + count)
        ]  # a copy: the cached data set is not changed
    return pictures[np.random.default_rng(seed).permutation(len(pictures))[:count]]


def _repeated(grey: Grey, count: int) -> Grey:
    check_pixels(count, *grey.shape)
    return np.repeat(grey[None], count, axis=0)


def _parts(
    source: Source, children: tuple[Source, ...], seed: int, base: Path, classes: Names
) -> list[Pictures]:
    """The pictures of each child source, equally many of each."""
    parts = []
    count = source.count or max(child.count or 1 for child in children)
    for number, child in enumerate(children):
        own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
        each = child if child.count else replace(child, count=count)
        parts.append(load(each, seed=own, base=base, classes=classes))
        if len(parts[-1]) != count:
            raise ValueError(
                f"part {number} has {len(parts[-1])} pictures where others have {count}: give "
                "all parts one count, or none"
            )
    return parts


def _composed(grey: list[Grey], parts: list[Pictures]) -> Pictures:
    """Compositions have a class only if all their parts have that class."""
    together = joined(parts)
    labels = together.labels.reshape(len(parts), -1)
    same = (labels == labels[0]).all(0)
    return Pictures(tuple(grey), np.where(same, labels[0], UNKNOWN), together.classes)


def _transformed(pictures: Pictures, source: Source) -> Pictures:
    """The pictures scaled, rotated, thickened and shifted, in this order."""
    steps: list[Callable[[Grey], Grey]] = []
    if source.scale != 1:
        for rows, columns in {picture.shape for picture in pictures}:
            check_pixels(len(pictures), rows * source.scale, columns * source.scale)
        steps.append(lambda grey: compose.scale(grey, source.scale))
    if source.rotate:
        steps.append(lambda grey: compose.rotate(grey, source.rotate))
    if source.thickness:
        for rows, columns in {picture.shape for picture in pictures}:
            _check_thickness(source, len(pictures) * rows * columns * source.scale**2)
        steps.append(lambda grey: compose.thickness(grey, source.thickness))
    if any(source.shift):
        steps.append(lambda grey: compose.shift(grey, source.shift))
    grey = list(pictures)
    for step in steps:
        grey = [step(picture) for picture in grey]
    return replace(pictures, grey=tuple(grey)) if steps else pictures


def _check_thickness(source: Source, pixels: float) -> None:
    """Refuse a change of thickness that takes more than a few seconds.

    Raises:
        ValueError: too many pixels for this thickness.
    """
    if pixels * source.thickness**2 > _MOST_COMPARISONS:
        raise ValueError(
            f"thickness {source.thickness:g} on {pixels:,.0f} pixels takes minutes: lower "
            "thickness, scale or count"
        )
