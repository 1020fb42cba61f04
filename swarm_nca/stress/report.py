"""The files of a finished suite for readers: figures, a table in Markdown, a page."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Sequence
from importlib import metadata

import numpy as np

from swarm_nca.recording.page import Section, page_html
from swarm_nca.render import Rgb, decisions_rgb, enlarged
from swarm_nca.rules import called
from swarm_nca.simulation import Change
from swarm_nca.stress.families import Family, Fault, Shift
from swarm_nca.stress.figures import family_figure, tile_scale, trust_figure
from swarm_nca.stress.measuring import SCORES, Row, Share, looks, world_of
from swarm_nca.stress.suite import STEPS, UNDER_FAULT, Suite, faulty, written
from swarm_nca.stress.trust import Curve, curves

#: The files beside the tables, and the folder of figures.
PAGE, MARKDOWN, FIGURES = "report.html", "table.md", "figures"

#: More settings than this have a matrix of pairs instead of examples.
_MOST_EXAMPLES = 20


def files(suite: Suite) -> Iterator[tuple[str, bytes]]:
    """Names, relative to the suite's folder, and contents of all files."""
    sections, found = [], curves(suite.store.pictures)
    for name, family in suite.families.items():
        rows = _rows(suite, name)
        if not rows:
            continue
        examples = _examples(suite, family, rows)
        png = family_figure(family, rows, examples, _notes(suite, family)).png()
        yield f"{FIGURES}/{name}.png", png
        words = f"{family.about[:1].upper()}{family.about[1:]}."
        sections.append(Section(name, words, png, *table_of(family, rows)))
    if found:
        png = trust_figure(found, _trust_notes(suite)).png()
        yield f"{FIGURES}/trust.png", png
        words = (
            "AUROC of each signal of the swarm: right answers against the wrong ones and against "
            "every kind of picture that has no right answer."
        )
        sections.insert(0, Section("trust", words, png, *trust_table(found)))
    yield MARKDOWN, _markdown(sections).encode()
    yield PAGE, _page(suite, sections).encode()


def table_of(family: Family, rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a family's table; shares in percent with 95 % intervals."""
    heads = [family.axis or "pictures"]
    fault = isinstance(family, Fault)
    names = [name for name in SCORES if any(not math.isnan(r.shares[name].value) for r in rows)]
    if fault:
        heads.append("step")
    table = []
    for row in rows:
        line = [written(row.setting)]
        if fault:
            line.append(f"{row.step:,}{', healed' if row.after else ''}")
        line += [percent(row.shares[name]) for name in names]
        table.append([*line, _number(row.settled), _number(row.largest)])
    return [
        *heads,
        *(SCORES[name] for name in names),
        "steps to agreement",
        "largest |state|",
    ], table


def trust_table(found: Sequence[Curve]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: every signal against every kind."""
    kinds = list(found[0].by_kind)
    rows = [
        [
            curve.signal,
            f"{curve.auroc:.3f}",
            f"{curve.aurc:.3f}",
            *("–" if math.isnan(value) else f"{value:.3f}" for value in curve.by_kind.values()),
        ]
        for curve in found
    ]
    return ["signal", "AUROC", "AURC", *kinds], rows


def percent(share: Share) -> str:
    """A share and its interval."""
    if math.isnan(share.value):
        return "–"
    low, high = (100 * end for end in (share.low, share.high))
    return f"{100 * share.value:.1f} ({low:.1f}–{high:.1f})"


def _rows(suite: Suite, name: str) -> list[Row]:
    """The rows of a family in the order of its settings."""
    settings = suite.families[name].settings_for(suite.subject)
    return [row for setting in settings for row in suite.store.of(name, setting)]


def _examples(suite: Suite, family: Family, rows: Sequence[Row]) -> list[Rgb]:
    """One picture for each finished setting, with the decisions of its cells at the first look."""
    subject = suite.subject.alone
    settings = list(dict.fromkeys(row.setting for row in rows))
    if len(settings) > _MOST_EXAMPLES:
        return []
    found = []
    for setting in settings:
        if isinstance(family, Shift):
            start, step = world_of(family.make(subject, setting), subject.rule), STEPS
            plan: list[tuple[int, Change]] = []
        else:
            sound, step = world_of(subject.pictures, subject.rule), UNDER_FAULT[0]
            start, plan = faulty(suite.subject, family, float(setting), sound)
        (look,) = looks(start, subject.rule, subject.seed, [step], plan)
        shown = subject.rule.shown_above
        found.append(_cropped(decisions_rgb(look.stats.world, shown_above=shown)))
    scale = tile_scale(max(max(rgb.shape[:2]) for rgb in found), len(found))
    return [enlarged(rgb, scale) for rgb in found]


def _cropped(rgb: Rgb) -> Rgb:
    """A picture without its white margins."""
    rows, columns = (np.flatnonzero((rgb < 255).any(axis=(axis, 2))) for axis in (1, 0))
    if not len(rows):
        return rgb[:1, :1]
    return rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _notes(suite: Suite, family: Family) -> list[str]:
    subject = suite.subject
    about = f"{called(subject.given)} on {subject.count} pictures a setting ({_data(suite)})"
    step = UNDER_FAULT[0] if isinstance(family, Fault) else STEPS
    at = "" if isinstance(family, Fault) else f" at step {STEPS}"
    return [
        f"{about}{at}, seed {subject.seed}.",
        f"Bands and bars: 95 % intervals. Above: the cells of one picture at step {step}.",
    ]


def _trust_notes(suite: Suite) -> list[str]:
    return [
        f"{called(suite.subject.given)}: known pictures, and as many of each kind without a right "
        "answer."
    ]


def _data(suite: Suite) -> str:
    return suite.subject.data


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 10 and value < 1e6 else f"{value:.3g}"


def _markdown(sections: Sequence[Section]) -> str:
    parts = []
    for section in sections:
        lines = [section.columns, ["---", *["--:"] * (len(section.columns) - 1)], *section.rows]
        table = "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)
        parts.append(f"## {section.title}\n\n{section.words}\n\n{table}\n")
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _page(suite: Suite, sections: Sequence[Section]) -> str:
    subject = suite.subject
    origin = {
        "rule": subject.given,
        "rule hash": subject.rule.hash(),
        "pictures": f"{_data(suite)}, {subject.count} a setting",
        "seed": str(subject.seed),
        "versions": f"python {platform.python_version()}, {_version()}",
    }
    return page_html(
        f"Stress suite of {called(subject.given)}",
        [f"{len(sections)} parts", f"{subject.count} pictures a setting", f"seed {subject.seed}"],
        "Shares in percent with 95 % intervals. A swarm answers if at least half of its cells "
        "decide, all on one class; otherwise it abstains. Where no class is right, every answer "
        "is wrong.",
        sections,
        origin,
        "The numbers are in stress.csv, the signals of every picture in pictures.csv.",
    )


def _version() -> str:
    try:
        return f"swarm-nca {metadata.version('swarm-nca')}"
    except metadata.PackageNotFoundError:  # run from a checkout, not installed
        return "swarm-nca from a checkout"
