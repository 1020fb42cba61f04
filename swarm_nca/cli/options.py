"""Options and help texts that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the file; repeatable."),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Also write all numbers as JSON.")
]
Split = Literal["test", "train"]
Precision = Literal["float32", "bfloat16"]
Device = Literal["cpu", "cuda"]
Protocol = Literal["fresh", "mutation", "restart", "growing"]
DATASET = (
    "mnist, fashion-mnist, strokes, doodles, letters, garments, chimeras, joined, or a folder of "
    "pictures; join several with +."
)
PRECISION = (
    "Precision of the factors of matrix products; bfloat16 is faster on processors with bfloat16 "
    "units, slower on others."
)
DEVICE = "Where the cells are stepped; cuda is a GPU."
SPLIT = "Which split (MNIST and Fashion-MNIST only)."
LIMIT = "Use only the first N pictures."
STEPS = "Steps of each phase."
SEED = "Seed of all random draws."
RULE = (
    "A rule that ships, a .safetensors file, the folder of a training, or the published model's "
    "JSON."
)
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
