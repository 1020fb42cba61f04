"""The body of `swarm-nca study learning-life`: tables and a figure, rewritten after each cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.bounds import MOST
from swarm_nca.studies.learning_life import FLIPS, Result, Study
from swarm_nca.studies.life_figure import learning_figure
from swarm_nca.studies.life_networks import Start
from swarm_nca.studies.life_table import Row, as_csv, row
from swarm_nca.studies.life_training import Protocol

#: Default widths of the flip experiment, as far as they are trained.
_FLIPPED_WIDTHS = (1, 2, 3)


def learning_life_command(
    steps: str = "1,2,3",
    widths: str = "1-8",
    seeds: int = 32,
    *,
    flips: str | None = None,
    examples: int = 1_000_000,
    board: int = 8,
    density: float | None = None,
    start: Start = "normal",
    seed: int = 0,
    out: Path = Path("runs/learning-life"),
    console: Console | None = None,
) -> list[Row]:
    """Train every cell of the table that is not stored yet; write tables and figure into `out`.

    The folder gets `learning-life.csv`, `learning-life-flips.csv`, `learning-life.png`, and in
    `cells` the results of each network. Tables and figure show all cells in the folder.

    Args:
        steps, widths: numbers such as "1,2" or "1-8"; every combination is one cell.
        seeds: networks per cell.
        flips: widths whose networks that learned one step are trained again with flipped signs;
            "none" for no width; when None, those of the widths 1 to 3 that are trained.
        examples, board, density, start, seed: see `Protocol`.
        out: the folder, made if it is missing.
        console: standard output when None.

    Returns:
        The rows of the first table.

    Raises:
        ValueError: an unusable argument, or a stored cell of another protocol.
    """
    console = console or Console()
    protocol = Protocol(examples, side=board, density=density, start=start, seed=seed)
    chosen_steps, chosen_widths = numbers("--steps", steps), numbers("--widths", widths)
    flipped = _flipped(flips, chosen_steps, chosen_widths)
    if seeds < 1:
        raise ValueError(f"at least 1 network is needed for each cell, got {seeds}")
    check_folder(out)
    with console.status("Learning Life") as status:

        def update(name: str, seen: int, learned: int, left: int) -> None:
            status.update(f"{name}: {seen:,} examples, {learned} learned, {left} left")

        study = Study(out, protocol, update)
        for result in _results(study, chosen_steps, chosen_widths, seeds, flipped):
            _report(console, result)
            _write(out, study.kept())
    console.print(f"Tables and figure: {escape(str(out))}", soft_wrap=True)
    return [row(result) for result in study.kept() if result.flips is None]


def _results(
    study: Study, steps: Sequence[int], widths: Sequence[int], seeds: int, flipped: Sequence[int]
) -> Iterator[Result]:
    """Yield each requested cell as soon as it is finished."""
    for n in steps:
        for m in widths:
            yield study.cell(n, m, seeds)
        for m in flipped if n == 1 else ():
            cell = study.cell(n, m, seeds)
            flips = (study.flips(cell, count) for count in FLIPS)
            yield from (result for result in flips if result is not None)


def numbers(name: str, text: str) -> list[int]:
    """The positive whole numbers of a text such as "1,2" or "1-8", ascending.

    Raises:
        ValueError: any other text.
    """
    chosen: set[int] = set()
    for part in text.split(","):
        form = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", part)
        first, last = (0, 0) if form is None else (int(form[1]), int(form[2] or form[1]))
        if not 1 <= first <= last <= min(MOST, first + 999):
            raise ValueError(f"{name} takes numbers such as 1,2 or 1-8; got {text!r}")
        chosen.update(range(first, last + 1))
    return sorted(chosen)


def _flipped(flips: str | None, steps: Sequence[int], widths: Sequence[int]) -> list[int]:
    """The widths of the flip experiment."""
    if flips is None:
        return [m for m in _FLIPPED_WIDTHS if m in widths] if 1 in steps else []
    if flips == "none":
        return []
    chosen = numbers("--flips", flips)
    if 1 not in steps or not set(chosen) <= set(widths):
        raise ValueError(
            f"--flips {flips} needs networks trained for 1 step at these widths: add them to "
            "--steps and --widths, or give --flips none"
        )
    return chosen


def _report(console: Console, result: Result) -> None:
    """Print one line for the networks of a cell."""
    line = row(result)
    flips = "" if result.flips is None else f", {result.flips} flips"
    console.print(
        f"n = {line['n']}, m = {line['m']}{flips}: {line['learned']} of {line['seeds']} learned "
        f"({100 * (line['share'] or 0):.1f} %)",
        highlight=False,
    )


def _write(out: Path, kept: Sequence[Result]) -> None:
    """Write the tables and the figure."""
    cells = [result for result in kept if result.flips is None]
    flips = [result for result in kept if result.flips is not None]
    for name, results in (("learning-life", cells), ("learning-life-flips", flips)):
        if results:
            table = as_csv([row(result) for result in results])
            write_atomically(out / f"{name}.csv", table.encode())
    write_atomically(out / "learning-life.png", learning_figure(cells, flips).png())
