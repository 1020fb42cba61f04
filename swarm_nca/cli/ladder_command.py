"""The body of `swarm-nca study bits`: a table and a figure, rewritten after each rung."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.markup import escape

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.cli.study_command import numbers
from swarm_nca.images import DATASETS, load_dataset
from swarm_nca.rules import Mlp, Rule, called, load_rule
from swarm_nca.rules.bits import most_planes
from swarm_nca.studies.bits_ladder import PLANES, Ladder, Rung, as_csv, rounded
from swarm_nca.studies.ladder_figure import ladder_figure
from swarm_nca.tasks import Classification

#: Training pictures that the rounding uses.
_FITTED = 3000


def bits_command(
    rule: str = "mnist",
    bits: str = "3-5,8",
    *,
    signs: str | None = None,
    ternary: str | None = None,
    given: Sequence[str] = (),
    dataset: str = "mnist",
    limit: int = 1000,
    seed: int = 0,
    out: Path = Path("runs/bits"),
    console: Console | None = None,
) -> list[Rung]:
    """Score a rule in floats and in bits; write `bits.csv` and `bits.png` into `out`.

    Args:
        rule: a learned rule in floats.
        bits: bits of a weight, such as "4,8" or "3-8"; each is rounded without training.
        signs, ternary: planes of such filters, such as "2-4", rounded without training; none when
            None.
        given: other rules, such as rules that were trained in bits, or smaller ones in floats.
        dataset: the published data set that the rule has learned.
        limit: number of test pictures.
        seed: of all draws.
        out: the folder, made if it is missing.
        console: standard output when None.

    Raises:
        ValueError: an unusable argument, or a stored rung of another rule.
    """
    console = console or Console()
    if dataset not in DATASETS:
        raise ValueError(f"--dataset is one of {', '.join(DATASETS)}, got {dataset!r}")
    if limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    chosen = numbers("--bits", bits)
    if chosen[-1] > 8:
        raise ValueError(f"--bits takes 1 to 8, got {chosen[-1]}")
    planes = {
        family: [] if text is None else numbers(f"--{family}", text)
        for family, text in (("signs", signs), ("ternary", ternary))
    }
    for family, kind in PLANES.items():
        if planes[family] and planes[family][-1] > (most := most_planes(kind)):
            raise ValueError(f"--{family} takes 1 to {most}, got {planes[family][-1]}")
    floats = load_rule(rule).requires_grad_(False)
    if not isinstance(floats, Mlp):
        raise ValueError(f"{rule} is of kind {floats.kind}: give a rule of kind mlp")
    others = _called(given)
    if len(others) < len(given):
        raise ValueError(
            f"--rule names the rules {', '.join(others)}: two are called alike, rename one of them"
        )
    check_folder(out)
    known = load_dataset(dataset, "train")[:_FITTED]
    labels = torch.from_numpy(known.labels_for(floats.classes.names))
    task = Classification(torch.as_tensor(known.grey), labels)
    ladder = Ladder(out, load_dataset(dataset, "test")[:limit], seed)
    with console.status("scoring") as status:
        _told(console, out, ladder, ladder.rung("float32", floats))
        for family, counts in (("even", chosen), *planes.items()):
            for count in sorted(counts, reverse=True):
                name = _name(family, count)
                status.update(name)
                _told(
                    console,
                    out,
                    ladder,
                    ladder.rung(name, rounded(floats, family, count, task), family),
                )
        for name, other in others.items():
            status.update(name)
            family = "floats" if isinstance(other, Mlp) else "given"
            _told(console, out, ladder, ladder.rung(name, other, family))
    console.print(f"Table and figure: {escape(str(out))}", soft_wrap=True)
    return ladder.kept()


def _called(given: Sequence[str]) -> dict[str, Rule]:
    """Rules by the names of their files; a training's rule has the name of its folder."""
    named = {}
    for file in given:
        path = Path(file)
        name = called(str(path.parent) if path.name == "rule.safetensors" else file)
        named[name] = load_rule(file).requires_grad_(False)
    return named


def _name(family: str, count: int) -> str:
    if family == "even":
        return f"{count} bit{'s' * (count > 1)}"
    return f"{count} {family} plane{'s' * (count > 1)}".replace("signs", "sign")


def _told(console: Console, out: Path, ladder: Ladder, rung: Rung) -> None:
    """Print a rung, and write all that are stored."""
    shares = " / ".join(f"{100 * one:.1f}" for one in (rung.cells, rung.agreement, rung.vote))
    console.print(
        f"{rung.name}: {rung.size:,} bytes, cells / agree / vote {shares} %", highlight=False
    )
    kept = ladder.kept()
    write_atomically(out / "bits.csv", as_csv(kept).encode())
    write_atomically(out / "bits.png", ladder_figure(kept).png())
