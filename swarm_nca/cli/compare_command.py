"""The body of `swarm-nca compare`: evaluates rules, then writes tables and figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.comparison.entries import Entry, entries
from swarm_nca.comparison.eval_sets import PROTOCOLS, Curves, SharedExam, curves_of
from swarm_nca.comparison.fitting import check_fit, known_classes
from swarm_nca.comparison.groups import Group, grouped
from swarm_nca.comparison.scores import PHASES, Standing, standing
from swarm_nca.comparison.table import (
    as_csv,
    as_markdown,
    compact,
    compact_note,
    note,
    several,
    sheets,
)
from swarm_nca.images.datasets import Split
from swarm_nca.measure import Protocol
from swarm_nca.measure.eval_set import exam_pictures
from swarm_nca.measure.protocols import check_exam
from swarm_nca.recording.comparison import Dot, Line, curves_figure, ordering_figure

#: The metric that sorts the rules, and the metrics that the ordering figure shows.
_ORDER = "total_agreement"
_ORDERED = ("cell_accuracy", "total_agreement")

#: The files written, the first of them first; the folder of stored curves.
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
    """Evaluate rules on the same pictures; print one table, write all tables and the figures.

    Curves are stored in the folder of a rule's training run, or in `out` for a rule without one.
    Stored curves are reused. The folder gets `table.md`, `table.csv`, and as PNG and PDF
    `mutation`, `restart` (curves) and `ordering` (scores with intervals).

    Args:
        given: folders of training runs, or rules by name or file.
        dataset, split, limit: see `exam_pictures`.
        steps: length of each phase; the swap comes after the first phase.
        seed: seed of all draws.
        out: the folder, made if it is missing; must not hold other files.
        console: standard output when None.

    Returns:
        The standings, highest agreement first.

    Raises:
        ValueError: an unusable argument; raised before the first step.
    """
    console = console or Console()
    _check_place(out)
    rules = entries(given)
    groups = grouped(rules)
    check_fit(rules, dataset, known_classes(dataset))
    pictures = exam_pictures(dataset, split=split, limit=limit, seed=seed)
    check_fit(rules, dataset, pictures.classes)
    eval_set = SharedExam(dataset, pictures, steps, seed)
    for group in groups:
        for entry in group.entries:
            check_folder(_kept_in(entry, out))
            try:
                check_exam(entry.rule, eval_set.pictures, steps, "mutation")
            except ValueError as error:
                raise ValueError(f"{entry.given}: {error}") from error
    examined = _examined(groups, eval_set, out, console)
    standings = [
        standing(group, curves, steps, len(pictures))
        for group, curves in zip(groups, examined, strict=True)
    ]
    standings.sort(key=lambda row: -row.value(_ORDER, "fresh", steps).mean)
    number = f"{len(standings)} rule{'s' if len(standings) > 1 else ''}"
    about = (
        f"{number} on {len(pictures):,} pictures of {dataset}, every picture swapped for another "
        f"after step {steps} (seed {seed}); sorted by total agreement at step {steps}."
    )
    out.mkdir(parents=True, exist_ok=True)
    for name, data in _files(standings, steps, about):
        write_atomically(out / name, data)
    console.print(compact(standings, steps, f"{len(pictures):,} pictures of {dataset}"))
    console.print(compact_note(standings, steps), style="dim", markup=False, highlight=False)
    console.print(f"{out}", soft_wrap=True, markup=False, highlight=False)
    return standings


def _examined(
    groups: Sequence[Group], eval_set: SharedExam, out: Path, console: Console
) -> list[dict[Protocol, list[Curves]]]:
    """For each group, by protocol, the curves of its runs."""
    total = len(PROTOCOLS) * sum(len(group.entries) for group in groups)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found: list[dict[Protocol, list[Curves]]] = []
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        overall = progress.add_task("evaluations", total=total)
        current = progress.add_task("steps", total=None)
        for group in groups:
            curves: dict[Protocol, list[Curves]] = {protocol: [] for protocol in PROTOCOLS}
            for entry in group.entries:
                folder = _kept_in(entry, out)
                for protocol in PROTOCOLS:
                    progress.reset(current, description=f"{group.label}, {protocol}")

                    def update(done: int, steps: int) -> None:
                        progress.update(current, completed=done, total=steps)

                    curves[protocol].append(curves_of(entry, eval_set, protocol, folder, update))
                    progress.advance(overall)
            found.append(curves)
    return found


def _check_place(out: Path) -> None:
    """Raise a ValueError unless the folder is empty, missing, or holds only a comparison."""
    check_folder(out)
    files = out.iterdir() if out.exists() else ()
    held = {file.name for file in files if not file.name.startswith(".")}
    own = {*_FILES, _EVALUATIONS}
    if not held <= own or (held & set(_FILES) and _FILES[0] not in held):
        raise ValueError(
            f"{out}: the folder holds files that are not a comparison's, so it was not changed; "
            "choose another --out, or empty the folder"
        )


def _kept_in(entry: Entry, out: Path) -> Path:
    """The folder that stores a rule's curves."""
    return entry.folder.evaluations if entry.folder else out / _EVALUATIONS


def _files(standings: Sequence[Standing], steps: int, about: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files to write."""
    yield "table.md", as_markdown(sheets(standings, steps), about, note(standings)).encode()
    yield "table.csv", as_csv(standings, steps).encode()
    seeds = several(standings)
    bands = "Bands: 95 % interval over pictures"
    bands += "; for several runs, lowest to highest run." if seeds else "."
    for protocol in PROTOCOLS:
        lines = [_line(row, protocol) for row in standings]
        paper = curves_figure(lines, steps, (f"{protocol}: {about}", bands))
        yield f"{protocol}.png", paper.png()
        yield f"{protocol}.pdf", paper.pdf()
    rows = {
        row.group.label: {
            f"{phase}, step {steps}" if phase == "fresh" else f"{phase}, +{steps}": {
                metric: Dot(*row.value(metric, phase, steps)) for metric in _ORDERED
            }
            for phase in PHASES
        }
        for row in standings
    }
    bars = "Bars: 95 % interval over pictures"
    bars += "; ticks: lowest and highest of several runs." if seeds else "."
    paper = ordering_figure(rows, _ORDERED, (about, bars))
    yield "ordering.png", paper.png()
    yield "ordering.pdf", paper.pdf()


def _line(row: Standing, protocol: Protocol) -> Line:
    """A curve; its band is the spread over seeds, or with one seed the pictures' interval."""
    scores = row.scores[protocol]
    several = len(row.group.entries) > 1
    return Line(
        row.group.label,
        row.step,
        {metric: score.mean for metric, score in scores.items()},
        {metric: score.least if several else score.low for metric, score in scores.items()},
        {metric: score.most if several else score.high for metric, score in scores.items()},
    )
