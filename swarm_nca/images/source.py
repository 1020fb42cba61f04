"""Where a scenario's pictures come from, as a record: the `images:` of a scenario file.

A source names one origin (a data set, a file, a folder, a clean glyph, or a composition of other
sources), says which pictures of it, and how they are transformed. It is plain data, nested
frozen dataclasses of plain types, and checks itself when it is made; `load` turns it into
`Pictures`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias

from swarm_nca.images.datasets import DATASETS, Split
from swarm_nca.images.drawn import DRAWN
from swarm_nca.images.files import Ink
from swarm_nca.images.glyphs import GLYPHS, LETTERS
from swarm_nca.images.pictures import check_pixels, class_number
from swarm_nca.suggestion import unknown

DatasetName: TypeAlias = Literal[
    "strokes", "doodles", "letters", "garments", "mnist", "fashion-mnist"
]

ORIGINS: Mapping[str, tuple[str, ...]] = {
    "dataset": ("split", "label", "index", "count", "seed"),
    "file": ("ink", "size", "label", "count"),
    "folder": ("ink", "size", "label", "index", "count", "seed"),
    "glyph": ("label", "count"),
    "chimera": ("label", "count", "seed"),
    "row": ("join", "label", "count", "seed"),
}
"""The origins a source can name, each with the keys that go with it."""

TRANSFORMS = ("scale", "rotate", "thickness", "shift")
"""What goes with every origin, in the order in which it is done."""

LARGEST_SCALE, THICKEST = 100, 100
"""Beyond these (a factor, and pixels) a typing slip is more likely than a wish."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Pictures for a scenario: exactly one origin, a choice among its pictures, transforms.

    Raises ValueError, saying the cure, for what cannot be right whatever the data.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }

    dataset: DatasetName | None = None
    """A data set: drawn offline are strokes (digits; capitals too, by label), doodles (digits of
    any size, place and pen), letters and garments (of Fashion-MNIST's classes); published are
    mnist and fashion-mnist."""
    file: str | None = None
    """A picture file; a path relative to the scenario's folder."""
    folder: str | None = None
    """A folder with one subfolder of picture files per class."""
    glyph: int | str | None = None
    """One digit or capital, clean: without the variation of handwriting."""
    chimera: tuple[Source, Source] | None = None
    """Two sources: the left half of the one and the right half of the other."""
    row: tuple[Source, ...] | None = None
    """Sources whose pictures stand side by side."""

    label: int | str | None = None
    """Only pictures of this class, by number or name; for a file, glyph or composition, the
    class that is the right answer."""
    index: int | None = None
    """The number of the first picture to take, from 0 (after `label`). If not given, the seed
    decides: wherever the same source stands in a scenario, it is the same picture."""
    count: int | None = None
    """How many pictures; 1 if not given, all of them for a folder."""
    split: Split | None = None
    """Which part of a published data set: test if not given, or train."""
    seed: int | None = None
    """For what is left to chance; the scenario's own if not given."""
    ink: Ink = "auto"
    """What is ink in a file: what differs from the border (auto), dark, or light."""
    size: tuple[int, int] | None = None
    """(rows, columns) to which pictures from files are made to fit, keeping their aspect."""
    join: bool = False
    """Whether a line joins each picture of a row to the next."""

    scale: float = 1.0
    """Factor by which the pictures are enlarged."""
    rotate: float = 0.0
    """Degrees, anticlockwise."""
    thickness: float = 0.0
    """Pixels by which strokes become wider, or below 0 thinner."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Pixels (rows down, columns right) by which the pictures are moved."""

    def __post_init__(self) -> None:
        origin = self.origin
        takes = (*ORIGINS[origin], *TRANSFORMS)
        for field in fields(self):
            if getattr(self, field.name) != field.default and field.name not in (origin, *takes):
                raise ValueError(
                    f"{field.name} does not go with {origin}, which takes {', '.join(takes)}"
                )
        self._check_numbers()
        if self.dataset is not None:
            if self.dataset not in CLASSES:
                raise ValueError(unknown("dataset", self.dataset, CLASSES))
            if self.dataset not in DATASETS and self.split is not None:
                raise ValueError(f"{self.dataset} are drawn and have no split: leave it out")
            if self.label is not None:
                class_number(self.label, self.classes)
        if self.glyph is not None and str(self.glyph) not in GLYPHS:
            raise ValueError(f"glyph is a digit 0–9 or a capital A–Z, got {self.glyph!r}")
        if self.chimera is not None and len(self.chimera) != 2:
            raise ValueError(f"a chimera is made of 2 sources, got {len(self.chimera)}")
        if self.row is not None and not self.row:
            raise ValueError("a row is made of at least one source, got none")

    @property
    def origin(self) -> str:
        """The one key that says where the pictures come from."""
        given = [origin for origin in ORIGINS if getattr(self, origin) is not None]
        if len(given) != 1:
            got = " and ".join(given) or "none of them"
            raise ValueError(f"images need exactly one of {', '.join(ORIGINS)}; got {got}")
        return given[0]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that a label of this source counts: a data set's, or nothing's."""
        if self.dataset is None:
            return ()
        if self.dataset == "strokes" and self.label in LETTERS:
            return tuple(LETTERS)
        return CLASSES[self.dataset]

    def _check_numbers(self) -> None:
        for name, least in (("index", 0), ("count", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} is at least {least}, got {value}")
        for name, value in (
            ("scale", self.scale),
            ("rotate", self.rotate),
            ("thickness", self.thickness),
            *(("shift", distance) for distance in self.shift),
        ):
            if not math.isfinite(value):
                raise ValueError(f"{name} is a finite number, got {value}")
        if not 0 < self.scale <= LARGEST_SCALE:
            raise ValueError(f"scale is above 0 and at most {LARGEST_SCALE}, got {self.scale}")
        if abs(self.thickness) > THICKEST:
            raise ValueError(f"thickness is from −{THICKEST} to {THICKEST}, got {self.thickness}")
        if self.size is not None:
            if min(self.size) < 1:
                raise ValueError(f"size is (rows, columns), each at least 1, got {self.size}")
            check_pixels(self.count or 1, *self.size)


CLASSES: Mapping[str, tuple[str, ...]] = {
    **{name: known.classes for name, known in DRAWN.items()},
    **{name: known.classes for name, known in DATASETS.items()},
}
"""The data sets a source can name, and their classes."""
