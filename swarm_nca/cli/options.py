"""What several commands ask alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the file; repeatable."),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Also write all numbers as JSON.")
]
Split = Literal["test", "train"]
Protocol = Literal["fresh", "mutation", "restart", "growing"]
DATASET = (
    "mnist, fashion-mnist, strokes, doodles, letters, garments, chimeras, joined, or a folder of "
    "pictures; several with + between them."
)
RULE = "A rule that ships, a .safetensors file, a training's folder, or the published model's JSON."
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but mistakes.")]
