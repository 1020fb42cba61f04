"""Where a scenario's pictures come from, as a record: the `images:` of a scenario file.

A source names one origin (a data set, a file, a folder, a clean glyph, or a composition of other
sources), says which pictures of it, and how they are transformed. It is plain data, nested
frozen dataclasses of plain types, and checks itself when it is made; `load` turns it into
`Pictures`.
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
    "strokes", "doodles", "letters", "garments", "mnist", "fashion-mnist"
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
"""The origins a source can name, each with the keys that go with it."""

TRANSFORMS = ("scale", "rotate", "thickness", "shift")
"""What goes with every origin, in the order in which it is done."""

LARGEST_SCALE, THICKEST = 100.0, 100.0
"""Beyond these (a factor, and pixels) a typing slip is more likely than a wish."""

MOST_PARTS = 100
"""Sources that stand side by side in a row."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Pictures for a scenario: exactly one origin, a choice among its pictures, transforms.

    Raises ValueError, saying the cure, for what cannot be right whatever the data.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "allow_inf_nan": False,
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
    row: Annotated[tuple[Source, ...], MaxLen(MOST_PARTS)] | None = None
    """Sources whose pictures stand side by side."""
    rle: str | None = None
    """A pattern of Life as run-length encoded text (bob$2bo$3o!), or a file of it, *.rle."""
    soup: Annotated[float, Gt(0.0), Le(1.0)] | None = None
    """A random board: each pixel is full ink with this chance."""
    sprout: bool | None = None
    """One pixel of full ink in the middle, the first cell of a pattern that grows."""

    label: int | str | None = None
    """Only pictures of this class, by number or name; for a file, glyph or composition, the
    class that is the right answer."""
    index: Index | None = None
    """The number of the first picture to take, from 0 (after `label`). If not given, the seed
    decides: wherever the same source stands in a scenario, it is the same picture."""
    count: Annotated[int, Ge(1), Le(MOST_PICTURES)] | None = None
    """How many pictures; 1 if not given, all of them for a folder."""
    split: Split | None = None
    """Which part of a published data set: test if not given, or train."""
    seed: Seed | None = None
    """For what is left to chance; the scenario's own if not given."""
    ink: Ink = "auto"
    """What is ink in a file: what differs from the border (auto), dark, or light."""
    size: tuple[Side, Side] | None = None
    """(rows, columns) to which pictures from files are made to fit, keeping their aspect; those of
    a soup or of the field around a sprout, the scenario's canvas if not given."""
    join: bool = False
    """Whether a line joins each picture of a row to the next."""

    scale: Annotated[float, Gt(0.0), Le(LARGEST_SCALE)] = 1.0
    """Factor by which the pictures are enlarged."""
    rotate: Number = 0.0
    """Degrees, anticlockwise."""
    thickness: Annotated[float, Ge(-THICKEST), Le(THICKEST)] = 0.0
    """Pixels by which strokes become wider, or below 0 thinner."""
    shift: tuple[Number, Number] = (0.0, 0.0)
    """Pixels (rows down, columns right) by which the pictures are moved."""

    def __post_init__(self) -> None:
        origin = self.origin
        takes = (*ORIGINS[origin], *TRANSFORMS)
        for field in fields(self):
            if getattr(self, field.name) != field.default and field.name not in (origin, *takes):
                raise ValueError(
                    f"{field.name} does not go with {origin}, which takes {', '.join(takes)}"
                )
        check_bounds(self)
        if self.size is not None:
            check_pixels(self.count or 1, *self.size)
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
        if self.sprout is False:
            raise ValueError("sprout is true, or left out")
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


CLASSES: Mapping[str, tuple[str, ...]] = {
    **{name: known.classes for name, known in DRAWN.items()},
    **{name: known.classes for name, known in DATASETS.items()},
}
"""The data sets a source can name, and their classes."""
