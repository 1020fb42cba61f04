"""A self-contained HTML page of figures and tables, in the style of a run's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swarm_nca.recording.report import data_uri, template


@dataclass(frozen=True)
class Section:
    """One part of a page.

    Attributes:
        title, words: heading and a sentence below it.
        figure: a PNG file, shown in full width.
        columns, rows: a table; the first column is text, the others are numbers.
    """

    title: str
    words: str = ""
    figure: bytes | None = None
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def page_html(
    title: str,
    facts: Sequence[str],
    description: str,
    sections: Sequence[Section],
    origin: Mapping[str, str],
    footer: str,
) -> str:
    """The page as HTML, without scripts; all texts are escaped.

    Args:
        facts: short words below the title.
        origin: terms and values of the last card.
        footer: the last line.
    """
    shown = [
        {
            "title": section.title,
            "words": section.words,
            "figure": section.figure and data_uri("figure.png", section.figure),
            "columns": section.columns,
            "rows": section.rows,
        }
        for section in sections
    ]
    return template("page.html.jinja").render(
        title=title,
        facts=facts,
        description=description,
        sections=shown,
        origin=list(origin.items()),
        footer=footer,
    )
