"""The body of `swarm-nca view`: opens a session and shows it in a window or writes a film."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from swarm_nca.viewer.app import App
from swarm_nca.viewer.headless import check_out, film
from swarm_nca.viewer.session_config import from_rule, from_scenario
from swarm_nca.viewer.window import show

#: Default rule, and default number of steps of a film.
RULE, STEPS = "digits", 200


def view_command(
    scenario: str | None,
    rule: str | None,
    *,
    beside: str | None = None,
    precision: str | None = None,
    headless: bool = False,
    steps: int | None = None,
    out: Path | None = None,
) -> Path | None:
    """View a scenario, or a rule on a picture that can be edited.

    Args:
        scenario: a file, or the name of a scenario that ships; None for no scenario.
        rule: replaces the scenario's rule; without a scenario `digits` when None.
        beside: a second rule on the same drawing.
        precision: see `engine.rollout`; the scenario's when None.
        headless: write a film instead of showing a window.
        steps: length of the film; the scenario's, or 200, when None.
        out: file of the film; `view.webp` when None.

    Returns:
        The file of the film, or None for a window.

    Raises:
        ValueError: bad input, or no display for a window.
    """
    if not headless and (steps is not None or out is not None):
        raise ValueError("--steps and --out need --headless: add it, or leave them out")
    # With so few cells, products are faster on one thread.
    torch.set_num_threads(1)
    out = out or Path("view.webp")
    if headless:
        check_out(out)
    opening = from_rule(rule or RULE) if scenario is None else from_scenario(scenario, rule)
    if precision is not None:
        opening = replace(opening, settings={**opening.settings, "precision": precision})
    app = App(opening, beside=beside)
    if headless:
        film(app, opening.steps or STEPS if steps is None else steps, out)
        return out
    if scenario is None:
        app.say("Draw on it, or change it into another")
    show(app)
    return None
