"""The body of `swarm-nca compare`: examine what has not been examined, then table and figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.comparison.entries import Entry, entries
from swarm_nca.comparison.eval_sets import PROTOCOLS, Curves, SharedExam, curves_of
from swarm_nca.comparison.groups import Group, grouped
from swarm_nca.comparison.scores import PHASES, Standing, standing
from swarm_nca.comparison.table import as_csv, as_markdown, as_rich, note, several, sheets
from swarm_nca.images.datasets import Split
from swarm_nca.measure import Protocol
from swarm_nca.measure.eval_set import exam_pictures
from swarm_nca.measure.protocols import check_exam
from swarm_nca.recording.comparison import Dot, Line, curves_figure, ordering_figure

#: What the rules are put in order by, and what the ordering's figure shows.
_ORDER = "total_agreement"
_ORDERED = ("cell_accuracy", "total_agreement")

#: What is written, the first of them first of all; and where curves are kept.
_FIGURES = [f"{name}.{kind}" for name in (*PROTOCOLS, "ordering") for kind in ("png", "pdf")]
_FILES = ("table.md", "table.csv", *_FIGURES)
_EVALUATIONS = "evaluations"


def compare_command(
    given: Sequence[str],
    dataset: str = "mnist",
    *,
    split: Split = "test",
    limit: int | None = None,
    steps: int = 200,
    seed: int = 0,
    out: Path = Path("runs/compare"),
    console: Console | None = None,
) -> list[Standing]:
    """Examine rules by the same pictures, print tables, write them and figures into a folder.

    Each rule's curves are kept: in its training run's folder, or for a rule alone in `out`. What
    has been examined before is not examined again. The folder gets `table.md`, `table.csv`, and as
    PNG and PDF `mutation`, `restart` (curves) and `ordering` (scores with intervals).

    Args:
        given: training runs' folders, or rules by name or file.
        dataset, split, limit: see `exam_pictures`.
        steps: of each phase; the swap comes after the first.
        seed: of all draws.
        out: the folder, made if it is missing; one that holds something else is refused.
        console: where to print; standard output when None.

    Returns:
        The standings, most agreement first.

    Raises:
        ValueError: whatever was given that cannot be used, before any step is taken.
    """
    console = console or Console()
    _check_place(out)
    groups = grouped(entries(given))
    pictures = exam_pictures(dataset, split=split, limit=limit, seed=seed)
    eval_set = SharedExam(dataset, pictures, steps, seed)
    for group in groups:
        for entry in group.entries:
            check_folder(_kept_in(entry, out))
            try:
                check_exam(entry.rule, eval_set.pictures, steps, "mutation")
            except ValueError as error:
                raise ValueError(f"{entry.given}: {error}") from error
    found = _examined(groups, eval_set, out, console)
    standings = [
        standing(group, curves, steps, len(pictures))
        for group, curves in zip(groups, found, strict=True)
    ]
    standings.sort(key=lambda one: -one.value(_ORDER, "fresh", steps).mean)
    rules = f"{len(standings)} rule{'s' if len(standings) > 1 else ''}"
    about = (
        f"{rules} on {len(pictures):,} pictures of {dataset}, every picture swapped "
        f"for another after step {steps} (seed {seed}); most agreement at step {steps} first."
    )
    out.mkdir(parents=True, exist_ok=True)
    for name, data in _files(standings, steps, about):
        write_atomically(out / name, data)
    for sheet in sheets(standings, steps):
        console.print(as_rich(sheet))
        console.print()
    console.print(note(standings), style="dim", markup=False, highlight=False)
    console.print(f"{about[:-1]}: {out}", soft_wrap=True, markup=False, highlight=False)
    return standings


def _examined(
    groups: Sequence[Group], eval_set: SharedExam, out: Path, console: Console
) -> list[dict[Protocol, list[Curves]]]:
    """The curves of every group's runs, by protocol."""
    total = len(PROTOCOLS) * sum(len(group.entries) for group in groups)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found: list[dict[Protocol, list[Curves]]] = []
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        whole, one = progress.add_task("exams", total=total), progress.add_task("steps", total=None)
        for group in groups:
            curves: dict[Protocol, list[Curves]] = {protocol: [] for protocol in PROTOCOLS}
            for entry in group.entries:
                folder = _kept_in(entry, out)
                for protocol in PROTOCOLS:
                    progress.reset(one, description=f"{group.label}, {protocol}")

                    def tell(done: int, steps: int) -> None:
                        progress.update(one, completed=done, total=steps)

                    curves[protocol].append(curves_of(entry, eval_set, protocol, folder, tell))
                    progress.advance(whole)
            found.append(curves)
    return found


def _check_place(out: Path) -> None:
    """A ValueError unless the folder is free, or a comparison's own, which will be replaced."""
    check_folder(out)
    files = out.iterdir() if out.exists() else ()
    held = {file.name for file in files if not file.name.startswith(".")}
    own = {*_FILES, _EVALUATIONS}
    if not held <= own or (held & set(_FILES) and _FILES[0] not in held):
        raise ValueError(
            f"{out}: this folder holds something else than a comparison and is left alone; choose "
            "another --out, or empty it"
        )


def _kept_in(entry: Entry, out: Path) -> Path:
    """The folder of a rule's curves."""
    return entry.folder.evaluations if entry.folder else out / _EVALUATIONS


def _files(standings: Sequence[Standing], steps: int, about: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of what is written."""
    yield "table.md", as_markdown(sheets(standings, steps), about, note(standings)).encode()
    yield "table.csv", as_csv(standings, steps).encode()
    seeds = several(standings)
    bands = "Bands: 95 % interval over pictures"
    bands += "; of several runs, the least to the most of them." if seeds else "."
    for protocol in PROTOCOLS:
        lines = [_line(one, protocol) for one in standings]
        paper = curves_figure(lines, steps, (f"{protocol}: {about}", bands))
        yield f"{protocol}.png", paper.png()
        yield f"{protocol}.pdf", paper.pdf()
    rows = {
        one.group.label: {
            f"{phase}, step {steps}" if phase == "fresh" else f"{phase}, +{steps}": {
                metric: Dot(*one.value(metric, phase, steps)) for metric in _ORDERED
            }
            for phase in PHASES
        }
        for one in standings
    }
    bars = "Bars: 95 % interval over pictures"
    bars += "; ticks: the least and the most of several runs." if seeds else "."
    paper = ordering_figure(rows, _ORDERED, (about, bars))
    yield "ordering.png", paper.png()
    yield "ordering.pdf", paper.pdf()


def _line(one: Standing, protocol: Protocol) -> Line:
    """Its band is the spread over seeds where there are several, else the pictures' interval."""
    scores = one.scores[protocol]
    several = len(one.group.entries) > 1
    return Line(
        one.group.label,
        one.step,
        {metric: score.mean for metric, score in scores.items()},
        {metric: score.least if several else score.low for metric, score in scores.items()},
        {metric: score.most if several else score.high for metric, score in scores.items()},
    )
