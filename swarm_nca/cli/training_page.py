"""Makes the page of a training from the files in its folder."""

from __future__ import annotations

from typing import Any

from swarm_nca.recording.training_page import Training, read_log, training_html
from swarm_nca.rules import read_rule
from swarm_nca.training.folder import AFTER, BEFORE, Folder, Result


def training_page(folder: Folder, result: Result) -> bytes:
    """The page `report.html` of a training's folder, UTF-8.

    Raises:
        ValueError: a rule that cannot be read.
    """
    rule, card = read_rule(folder.rule)
    log = read_log(folder.log)
    recipe: dict[str, Any] = card["recipe"]
    iterations, planned = card["iterations"], recipe["iterations"]
    done = f"{iterations:,}" if iterations == planned else f"{iterations:,} of {planned:,}"
    numbers = sum(held.numbers for held in rule.memory())
    training = Training(
        name=recipe["name"],
        recipe=folder.recipe.read_text(encoding="utf-8"),
        log=log,
        metrics=[name for name in log.columns if name not in (*BEFORE, *AFTER)],
        strip=folder.strip.read_bytes(),
        captions=result.captions,
        scores=result.scores,
        scored_on=result.scored_on,
        facts=[f"{done} iterations", f"{numbers:,} parameters", _duration(card["seconds"])],
        origin={
            "rule hash": rule.hash(),
            "began with": str(card.get("began_with") or "random weights"),
            "seed": str(recipe["seed"]),
            "date": card["date"],
            "torch": card["torch"],
            "machine": card["machine"],
        },
    )
    return training_html(training).encode()


def _duration(seconds: float) -> str:
    """A time in words: `8 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {name}" for number, name in parts if number) or "0 s"
