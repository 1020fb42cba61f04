"""A run in a notebook: verdict, expectations, film and curves, in one HTML fragment."""

from __future__ import annotations

from html import escape

from swarm_nca.recording.animation import animation_webp
from swarm_nca.recording.report import data_uri
from swarm_nca.recording.run import Expectation, Run
from swarm_nca.recording.summary import summary_png


def run_html(run: Run) -> str:
    """An HTML fragment without scripts; pictures are inside it. Without frames it has none."""
    rows = "".join(map(_row, run.expectations))
    table = (
        f"<table><tr><th>expectation</th><th>at step</th><th>value</th><th></th></tr>{rows}</table>"
        if rows
        else ""
    )
    worlds = f", {run.worlds} worlds" if run.worlds > 1 else ""
    verdict = ("passed" if run.passed else "failed") if run.expectations else "done"
    about = f"<p>{escape(run.description)}</p>" if run.description else ""
    pictures = ""
    if run.frames:
        film, curves = animation_webp(run), summary_png(run)
        pictures = _picture("run.webp", film, "film") + _picture(
            "summary.png", curves, "moments and curves"
        )
    return (
        f"<p><b>{escape(run.name)}</b>: {verdict} ({escape(run.rule_title)}, {run.length}"
        f"{worlds}, seed {run.seed})</p>{about}{table}{pictures}"
    )


def _row(one: Expectation) -> str:
    met = "met" if one.passed else f"missed{f' ({one.unknown})' if one.unknown else ''}"
    cells = (f"{one.metric} {one.limits}", one.when, one.found, met)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _picture(name: str, data: bytes, what: str) -> str:
    return f'<p><img alt="{what}" src="{data_uri(name, data)}" style="max-width: 100%"></p>'
