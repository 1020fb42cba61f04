"""Grey pictures with labels: the result of every source of images.

A set of pictures holds its grey values either as one block (all pictures of one size, so that
60,000 of them index at numpy's speed) or as a tuple of pictures of different sizes. The form
depends only on the sizes, and `grey[i]` is one picture in both forms.

Shapes: B pictures, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from swarm_nca.arguments import dense, is_tensor, shown, whole
from swarm_nca.suggestion import did_you_mean

Grey: TypeAlias = npt.NDArray[np.float32]
"""Grey values in [0, 1], 0 the background and 1 full ink: [H, W], or [B, H, W]."""

Labels: TypeAlias = npt.NDArray[np.int64]

SIZE = (28, 28)
"""(rows, columns) of the published pictures and of strokes."""

MOST_PIXELS = 1 << 29
"""Maximum pixels of one set of pictures, 2 GiB: larger values are probably typing errors."""

UNKNOWN = -1
"""The label of a picture without a known class."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """An ordered set of B grey pictures; indexing returns another set.

    `grey`: float32 in [0, 1], [B, H, W] if all sizes are equal, else a tuple of B arrays [H, W].
    `labels` [B]: int64, an index into `classes`, or −1 for an unknown class.
    `classes`: the names of the classes; empty if there are none.

    Any sequence or array of pictures and of labels is accepted and converted to this form.
    Raises ValueError for grey outside [0, 1], a picture that is not two-dimensional or has no
    pixels, a label without a class, or a number of labels that differs from that of pictures.
    """

    grey: Grey | tuple[Grey, ...]
    labels: Labels = field(default_factory=lambda: np.empty(0, np.int64))
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        grey = _block_or_tuple(self.grey)
        given = dense("labels", self.labels).reshape(-1)
        with np.errstate(invalid="ignore"):  # nan is refused below
            labels = given.astype(np.int64)
        if not np.array_equal(labels, given):
            raise ValueError(f"labels must be whole numbers, got {shown(given.tolist())}")
        if labels.size == 0:
            labels = np.full(len(grey), UNKNOWN, np.int64)
        classes = tuple(str(name) for name in self.classes)
        if len(labels) != len(grey):
            raise ValueError(f"{len(grey)} pictures need as many labels, got {len(labels)}")
        if labels.size and not (labels.min() >= UNKNOWN and labels.max() < len(classes)):
            wrong = labels[(labels < UNKNOWN) | (labels >= len(classes))][0]
            raise ValueError(
                f"label {wrong} has no class: give 0 to {len(classes) - 1}, or −1 for unknown"
                if classes
                else f"label {wrong} has no class: name the classes, or use −1 for unknown"
            )
        object.__setattr__(self, "grey", grey)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "classes", classes)

    def _repr_png_(self) -> bytes:
        """At most 64 pictures, black ink on white, each enlarged to some 80 pixels."""
        from swarm_nca.render import enlarged, png, sheet

        tiles = []
        for grey in self.grey[:64]:
            ink = np.round(255 * (1 - grey)).astype(np.uint8)
            rgb = np.repeat(ink[:, :, None], 3, axis=2)
            tiles.append(enlarged(rgb, max(1, 80 // max(grey.shape))))
        return png(sheet(tiles, 12, 4) if tiles else np.full((1, 1, 3), 255, np.uint8))

    def __len__(self) -> int:
        return len(self.grey)

    def __getitem__(self, which: int | slice | Sequence[int] | npt.NDArray[Any]) -> Pictures:
        """The pictures at an index, a slice, a list of indices or a boolean mask, in that order.

        A single index gives a set of one picture; use `grey[i]` for the picture itself.
        """
        if isinstance(which, slice):
            rows = np.arange(len(self))[which]
        else:
            chosen = np.atleast_1d(dense("which", which))
            rows = np.arange(len(self))[chosen if chosen.size else chosen.astype(np.int64)]
        if isinstance(self.grey, tuple):
            grey: Grey | tuple[Grey, ...] = tuple(self.grey[row] for row in rows)
        else:
            grey = self.grey[which if isinstance(which, slice) else rows]
        return self._checked(grey, self.labels[rows])

    def __iter__(self) -> Iterator[Grey]:
        """The pictures one by one, each [H, W]."""
        return iter(self.grey)

    def from_all_classes(self, count: int) -> Pictures:
        """The first `count` pictures (or all), balanced over the classes, in their order.

        Classes take turns, each with its next picture; a class without more pictures is skipped.
        """
        count = whole("count", count)
        by_class = np.argsort(self.labels, kind="stable")
        first = np.searchsorted(self.labels[by_class], self.labels)
        turn = np.empty(len(self), np.int64)
        turn[by_class] = np.arange(len(self))
        return self[np.sort(np.lexsort((self.labels, turn - first))[:count])]

    def with_label(self, label: int | str) -> Pictures:
        """The same pictures, all with one label, given by number (−1: unknown) or name."""
        number = class_number(label, self.classes, or_unknown=True)
        return replace(self, labels=np.full(len(self), number, np.int64))

    def labels_for(self, classes: Sequence[str]) -> Labels:
        """The labels [B] renumbered for another list of classes, matched by name.

        A class that is not in the list becomes −1: a letter has no right class for a rule of ten
        digits.
        """
        number = {name: index for index, name in enumerate(classes)}
        lookup = [number.get(name, UNKNOWN) for name in self.classes]
        return np.array([*lookup, UNKNOWN], np.int64)[self.labels]

    def centred_on(self, canvas: tuple[int, int]) -> Pictures:
        """Every picture in the middle of an empty canvas of (rows, columns).

        Raises ValueError if a picture is larger than the canvas, or all canvases together are too
        large.
        """
        size = dense("canvas", canvas)
        if size.shape != (2,):
            raise ValueError(f"canvas must be (rows, columns), got {shown(canvas)}")
        rows, columns = (whole("canvas", side, 1) for side in size)
        check_pixels(len(self), rows, columns)
        arrays = self.grey if isinstance(self.grey, tuple) else (self.grey,)
        for height, width in {array.shape[-2:] for array in arrays}:
            if height > rows or width > columns:
                raise ValueError(
                    f"a picture of {height}×{width} pixels does not fit on a canvas of "
                    f"{rows}×{columns}: enlarge the canvas or scale the picture down"
                )
        placed = tuple(on_canvas(array, rows, columns) for array in arrays)
        return replace(self, grey=placed if isinstance(self.grey, tuple) else placed[0])

    def _checked(self, grey: Grey | tuple[Grey, ...], labels: Labels) -> Pictures:
        """A part of this set, without repeating the checks."""
        part = object.__new__(Pictures)
        if isinstance(grey, tuple) and len({picture.shape for picture in grey}) == 1:
            grey = np.stack(grey)
        object.__setattr__(part, "grey", grey)
        object.__setattr__(part, "labels", labels)
        object.__setattr__(part, "classes", self.classes)
        return part


def class_number(label: int | str, classes: Sequence[str], *, or_unknown: bool = False) -> int:
    """The number of a class, given by number or name.

    `or_unknown`: whether −1, for an unknown class, is allowed.
    Raises ValueError for all other values.
    """
    numbers = range(UNKNOWN if or_unknown else 0, len(classes))
    if isinstance(label, str) and label in classes:
        return classes.index(label)
    if isinstance(label, int | np.integer) and not isinstance(label, bool) and label in numbers:
        return int(label)
    if not classes:
        raise ValueError(f"label {label!r} is no class: there are no classes, leave label out")
    hint = did_you_mean(label, classes) if isinstance(label, str) else ""
    unknown_label = ", −1 for unknown" if or_unknown else ""
    raise ValueError(
        f"label {label!r} is no class{hint}: give 0–{numbers[-1]}{unknown_label}, or a name "
        f"({classes[0]}, …, {classes[-1]})"
    )


def check_pixels(count: int, rows: float, columns: float) -> None:
    """Refuse a set of pictures that is too large for memory, before it is made.

    Raises:
        ValueError: more than `MOST_PIXELS` pixels in all.
    """
    if count * rows * columns > MOST_PIXELS:
        raise ValueError(
            f"{count:,} pictures of {rows:.0f}×{columns:.0f} pixels are too many for memory: "
            f"use fewer or smaller pictures, at most {MOST_PIXELS:,} pixels in all"
        )


def joined(parts: Sequence[Pictures]) -> Pictures:
    """All pictures of several sets, in order.

    Classes are matched by name: those of the first set keep their numbers, new ones follow.
    """
    if not parts:
        raise ValueError("joining needs at least one set of pictures, got none")
    classes = tuple(dict.fromkeys(name for part in parts for name in part.classes))
    labels = np.concatenate([part.labels_for(classes) for part in parts])
    blocks = [part.grey for part in parts]
    if len({block.shape[1:] for block in blocks if not isinstance(block, tuple)}) == 1 and not any(
        isinstance(block, tuple) for block in blocks
    ):
        return Pictures(np.concatenate(blocks), labels, classes)
    return Pictures(tuple(picture for part in parts for picture in part), labels, classes)


def _block_or_tuple(given: Any) -> Grey | tuple[Grey, ...]:
    if is_tensor(given) or (isinstance(given, np.ndarray) and given.dtype != object):
        block = _float32(given)
        if block.ndim != 3:
            raise ValueError(f"pictures are [B, H, W] or a list of [H, W], got shape {block.shape}")
        _check(block)
        return block
    if not isinstance(given, Iterable):
        raise ValueError(f"pictures are [B, H, W] or a list of [H, W], got {shown(given)}")
    pictures = tuple(map(_float32, given))
    for number, picture in enumerate(pictures):
        if picture.ndim != 2:
            raise ValueError(f"picture {number} is not [H, W] but has shape {picture.shape}")
        _check(picture)
    sizes = {picture.shape for picture in pictures}
    return np.stack(pictures) if len(sizes) == 1 else pictures


def _float32(values: Any) -> Grey:
    return dense("grey", values).astype(np.float32, copy=False)


def _check(grey: Grey) -> None:
    if 0 in grey.shape[-2:]:
        raise ValueError(f"a picture needs at least one pixel, got shape {grey.shape}")
    if grey.size and not (grey.min() >= 0.0 and grey.max() <= 1.0):  # NaN fails both
        low, high = grey.min(), grey.max()
        raise ValueError(
            f"grey values lie in [0, 1], got {low:g} to {high:g}; divide 8-bit pictures by 255"
        )


def on_canvas(grey: Grey, rows: int, columns: int) -> Grey:
    """Pictures [..., H, W] in the middle of an empty canvas, which must be large enough."""
    height, width = grey.shape[-2:]
    top, left = (rows - height) // 2, (columns - width) // 2
    canvas = np.zeros((*grey.shape[:-2], rows, columns), np.float32)
    canvas[..., top : top + height, left : left + width] = grey
    return canvas
