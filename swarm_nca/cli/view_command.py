"""The command `swarm-nca view`: opens a session, and a window or a file for it."""

from __future__ import annotations

from pathlib import Path

import torch

from swarm_nca.viewer.app import App
from swarm_nca.viewer.headless import check_out, film
from swarm_nca.viewer.session_config import from_rule, from_scenario
from swarm_nca.viewer.window import show

#: What a first look opens with, and how many steps a film of it has.
RULE, STEPS = "digits", 200


def view_command(
    scenario: str | None,
    rule: str | None,
    *,
    beside: str | None = None,
    headless: bool = False,
    steps: int | None = None,
    out: Path | None = None,
) -> Path | None:
    """View a scenario, or a rule and a picture to play with.

    Args:
        scenario: its file, or the name of one that ships; None to play freely.
        rule: instead of the scenario's, or of `digits`.
        beside: a second rule on the same drawing.
        headless: write a film instead of showing a window.
        steps: of the film; as many as the scenario has, or 200, when None.
        out: the film's file, `view.webp` when None.

    Returns:
        The film's file, if one was asked for.

    Raises:
        ValueError: bad input, or no display to show a window on.
    """
    if not headless and (steps is not None or out is not None):
        raise ValueError("--steps and --out go with --headless; leave them out for a window")
    # So few cells: products are faster on one core than on several.
    torch.set_num_threads(1)
    out = out or Path("view.webp")
    if headless:
        check_out(out)
    opening = from_rule(rule or RULE) if scenario is None else from_scenario(scenario, rule)
    app = App(opening, beside=beside)
    if headless:
        film(app, opening.steps or STEPS if steps is None else steps, out)
        return out
    if scenario is None:
        app.say("Draw on it, or change it into another")
    show(app)
    return None
