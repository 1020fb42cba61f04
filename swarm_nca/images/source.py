"""The record of a scenario's pictures: the `images:` of a scenario file.

A source has one origin (a data set, a file, a folder, a clean glyph, or a composition of other
sources), a selection of its pictures, and transforms. It is plain data (nested frozen dataclasses),
checked when it is made; `load` returns its `Pictures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, MaxLen

from swarm_nca.bounds import MOST_PICTURES, Index, Number, Seed, Side, check_bounds
from swarm_nca.images.datasets import DATASETS, Split
from swarm_nca.images.drawn import DRAWN
from swarm_nca.images.files import Ink
from swarm_nca.images.glyphs import GLYPHS, LETTERS
from swarm_nca.images.pictures import check_pixels, class_number
from swarm_nca.suggestion import unknown

DatasetName: TypeAlias = Literal[
    "strokes",
    "doodles",
    "letters",
    "garments",
    "mirrored",
    "overlays",
    "halves",
    "invented",
    "scribbles",
    "blots",
    "clouds",
    "dots",
    "mnist",
    "fashion-mnist",
]

ORIGINS: Mapping[str, tuple[str, ...]] = {
    "dataset": ("split", "label", "index", "count", "seed"),
    "file": ("ink", "size", "label", "count"),
    "folder": ("ink", "size", "label", "index", "count", "seed"),
    "glyph": ("label", "count"),
    "chimera": ("label", "count", "seed"),
    "row": ("join", "label", "count", "seed"),
    "rle": ("count",),
    "soup": ("size", "count", "seed"),
    "sprout": ("size", "count"),
}
"""The origins of a source, each with its keys."""

TRANSFORMS = ("scale", "rotate", "thickness", "shift")
"""The transforms, for every origin, in the order of application."""

LARGEST_SCALE, THICKEST = 100.0, 100.0
"""Maximum factor, and maximum pixels: larger values are probably typing errors."""

MOST_PARTS = 100
"""Maximum number of sources in a row."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Pictures for a scenario: exactly one origin, a selection of its pictures, transforms.

    Raises ValueError with the cure for values that are wrong for any data.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "allow_inf_nan": False,
        "use_attribute_docstrings": True,
    }

    dataset: DatasetName | None = None
    """A data set. Drawn offline: strokes (digits; capitals by label), doodles (digits of any
    size, place and pen), letters, and garments (Fashion-MNIST's classes); of no class: mirrored
    (digits in the mirror), overlays (two characters over each other), scribbles, blots, clouds and
    dots. Published: mnist and fashion-mnist."""
    file: str | None = None
    """A picture file; a path relative to the scenario's folder."""
    folder: str | None = None
    """A folder with one subfolder of picture files per class."""
    glyph: int | str | None = None
    """One digit or capital letter, without the variation of handwriting."""
    chimera: tuple[Source, Source] | None = None
    """Two sources: the left half of the first and the right half of the second."""
    row: Annotated[tuple[Source, ...], MaxLen(MOST_PARTS)] | None = None
    """Sources whose pictures are placed side by side."""
    rle: str | None = None
    """A pattern of Life as run-length encoded text (bob$2bo$3o!), or a file of it, *.rle."""
    soup: Annotated[float, Gt(0.0), Le(1.0)] | None = None
    """A random board: each pixel is full ink with this probability."""
    sprout: bool | None = None
    """One pixel of full ink in the middle, the first cell of a growing pattern."""

    label: int | str | None = None
    """Only pictures of this class, by number or name; for a file, glyph or composition, the
    right class."""
    index: Index | None = None
    """The number of the first picture, from 0 (after `label`). If not given, the seed chooses:
    equal sources in a scenario give the same picture."""
    count: Annotated[int, Ge(1), Le(MOST_PICTURES)] | None = None
    """Number of pictures; if not given 1, or all pictures of a folder."""
    split: Split | None = None
    """Which split (MNIST and Fashion-MNIST only): test if not given, or train."""
    seed: Seed | None = None
    """Seed of random choices; the scenario's seed if not given."""
    ink: Ink = "auto"
    """Which pixels of a file are ink: those that differ from the border (auto), dark, or light."""
    size: tuple[Side, Side] | None = None
    """(rows, columns) to which pictures from files are scaled, keeping their aspect; for a soup
    or a sprout the size of the board, the scenario's canvas if not given."""
    join: bool = False
    """Whether a line joins each picture of a row to the next."""

    scale: Annotated[float, Gt(0.0), Le(LARGEST_SCALE)] = 1.0
    """Factor of enlargement."""
    rotate: Number = 0.0
    """Rotation in degrees, anticlockwise."""
    thickness: Annotated[float, Ge(-THICKEST), Le(THICKEST)] = 0.0
    """Pixels by which strokes become wider; thinner below 0."""
    shift: tuple[Number, Number] = (0.0, 0.0)
    """Pixels (rows down, columns right) by which the pictures are moved."""

    def __post_init__(self) -> None:
        origin = self.origin
        takes = (*ORIGINS[origin], *TRANSFORMS)
        for field in fields(self):
            if getattr(self, field.name) != field.default and field.name not in (origin, *takes):
                raise ValueError(f"{field.name} does not go with {origin}: use {', '.join(takes)}")
        check_bounds(self)
        if self.size is not None:
            check_pixels(self.count or 1, *self.size)
        if self.dataset is not None:
            if self.dataset not in CLASSES:
                raise ValueError(unknown("dataset", self.dataset, CLASSES))
            if self.dataset not in DATASETS and self.split is not None:
                raise ValueError(f"{self.dataset} is drawn and has no split: leave split out")
            if self.label is not None:
                class_number(self.label, self.classes)
        if self.glyph is not None and str(self.glyph) not in GLYPHS:
            raise ValueError(f"glyph is a digit 0–9 or a capital A–Z, got {self.glyph!r}")
        if self.chimera is not None and len(self.chimera) != 2:
            raise ValueError(f"a chimera is made of 2 sources, got {len(self.chimera)}")
        if self.sprout is False:
            raise ValueError("sprout is true, or left out")
        if self.row is not None and not self.row:
            raise ValueError("a row is made of at least one source, got none")

    @property
    def origin(self) -> str:
        """The key of the source's origin."""
        given = [origin for origin in ORIGINS if getattr(self, origin) is not None]
        if len(given) != 1:
            got = " and ".join(given) or "none of them"
            raise ValueError(f"images need exactly one of {', '.join(ORIGINS)}; got {got}")
        return given[0]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the source's data set; empty for other origins."""
        if self.dataset is None:
            return ()
        if self.dataset == "strokes" and self.label in LETTERS:
            return tuple(LETTERS)
        return CLASSES[self.dataset]


CLASSES: Mapping[str, tuple[str, ...]] = {
    **{name: known.classes for name, known in DRAWN.items()},
    **{name: known.classes for name, known in DATASETS.items()},
}
"""The data sets of sources, and their classes."""
