"""The body of `swarm-nca study silence`: a table and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.measure.eval_set import exam_parts
from swarm_nca.rules import Rule, load_rule
from swarm_nca.stress.silence import Point, as_csv, check, front, unknown_pictures
from swarm_nca.stress.silence_figure import silence_figure


def silence_command(
    rules: Sequence[str],
    *,
    known: str = "strokes+doodles",
    unknown: str = "letters+chimeras+scribbles+garments",
    limit: int = 500,
    seed: int = 0,
    out: Path = Path("runs/silence"),
    console: Console | None = None,
) -> list[Point]:
    """Measure the front of each rule; write `silence.csv` and `silence.png` into `out`.

    Args:
        rules: learned rules with classes.
        known: data sets whose classes the rules have, joined by +.
        unknown: data sets of no class of theirs, joined by +; of letters those that
            `stress.silence.LETTERS` names.
        limit: number of pictures of each data set.
        seed: of all draws.
        out: the folder, made if it is missing.
        console: standard output when None.

    Raises:
        ValueError: an unusable argument.
    """
    console = console or Console()
    loaded: dict[str, Rule] = {}
    for given in rules:
        if (name := _name(given)) in loaded:
            raise ValueError(f"two rules are called {name}: name each once, and rename one of them")
        loaded[name] = load_rule(given).requires_grad_(False)
    pictures = exam_parts(known, limit=limit, seed=seed), unknown_pictures(unknown, limit, seed)
    for name, rule in loaded.items():
        check(name, rule, *pictures)
    check_folder(out)
    points: list[Point] = []
    with console.status("measuring") as status:
        for name, rule in loaded.items():

            def tell(dataset: str, name: str = name) -> None:
                status.update(f"{name}: {dataset}")

            points += front(name, rule, *pictures, seed, tell)
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "silence.csv", as_csv(points).encode())
    write_atomically(out / "silence.png", silence_figure(points).png())
    console.print(_table(points))
    console.print(f"Table and figure: {escape(str(out))}", soft_wrap=True)
    return points


def _name(rule: str) -> str:
    """What the figure calls a rule: the file or folder, without the ending of a file."""
    path = Path(rule)
    return path.name if path.is_dir() else path.stem


def _table(points: Sequence[Point]) -> Table:
    """Every rule with its own threshold."""
    table = Table("rule", "pictures", "right %", "wrong %", "abstains %", box=None)
    for point in points:
        if point.own:
            shares = (point.right, point.wrong, point.abstains)
            table.add_row(point.rule, point.dataset, *(f"{100 * share:.1f}" for share in shares))
    return table
