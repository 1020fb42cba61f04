"""A page in the browser for a swarm: Mesa's `SolaraViz`, with sliders, picture and charts.

`solara run swarm_nca.swarm.visualization` opens it. In a notebook or in a file for `solara run`,
`page()` is the same page and `page(swarm)` shows another swarm. The parts (`portrayal`, `draw`,
`space_component`, the charts) also serve a `SolaraViz` page of your own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swarm_nca.images import strokes
from swarm_nca.rules import Rule, load_rule
from swarm_nca.rules.loading import shipped_rules
from swarm_nca.swarm.model import Swarm
from swarm_nca.world import World

try:
    import solara
    from mesa.visualization import SolaraViz

    from swarm_nca.swarm.charts import decisions_histogram, metrics_chart, states_histogram
    from swarm_nca.swarm.portrayal import (
        draw,
        drawing_options,
        fill_cells,
        portrayal,
        space_component,
    )
except ImportError as error:
    raise ImportError(
        f"drawing swarms with Mesa needs Solara, and {error.name or 'a part of it'} is missing; "
        "install it with: pip install 'swarm-nca[solara]'"
    ) from error

__all__ = [
    "DigitSwarm",
    "decisions_histogram",
    "default_parameters",
    "draw",
    "drawing_options",
    "fill_cells",
    "metrics_chart",
    "page",
    "portrayal",
    "space_component",
    "states_histogram",
]

_DIGITS = tuple("0123456789")

#: The largest seed of the slider. A larger one has no slider: it would be too fine for a mouse.
_MOST_SEEDS = 99


class DigitSwarm(Swarm):
    """A swarm on one digit, written by the simulated pen of `swarm_nca.images.strokes`.

    Args:
        rule: a rule that tells the ten digits apart, or its name or file.
        digit: from 0 to 9.
        seed: the handwriting and every random draw depend on it.
        fire_rate, noise: the rule's own when None.

    Attributes:
        chosen_rule: the argument `rule`.

    Raises:
        ValueError: an unknown rule, another digit, a seed or a rate out of range.
    """

    def __init__(
        self,
        rule: Rule | str | Path = "digits",
        digit: int = 7,
        seed: int = 0,
        fire_rate: float | None = None,
        noise: float | None = None,
    ) -> None:
        self.chosen_rule = rule
        rule = rule if isinstance(rule, Rule) else load_rule(rule)
        pictures = strokes(1, seed, label=digit)
        world = World.from_images(pictures.grey, rule, labels=pictures.labels)
        super().__init__(world, rule, seed, fire_rate=fire_rate, noise=noise)


@solara.component  # type: ignore[untyped-decorator]
def page(swarm: Swarm | None = None, parameters: Mapping[str, Any] | None = None) -> None:
    """A `SolaraViz` page: the space in the rule's colours, metrics over time, two histograms.

    Args:
        swarm: what to show; a `DigitSwarm`, with a choice of rule and digit, when None.
        parameters: Mesa's `model_params`, added to `default_parameters(swarm)`. Reset makes a swarm
            from them; by default from the given swarm's present world, with its rule, engine and
            model reporters, without perturbations.
    """
    first = solara.use_memo(lambda: DigitSwarm() if swarm is None else swarm, [swarm])
    own = solara.use_memo(lambda: default_parameters(first), [first])
    with solara.Sidebar():
        solara.Info("Reset starts a swarm with the parameters below.", dense=True)
    SolaraViz(
        first,
        components=[
            space_component(first),
            metrics_chart(first),
            decisions_histogram,
            states_histogram,
        ],
        model_params={**own, **(parameters or {})},
        name="swarm_nca",
    )


def default_parameters(swarm: Swarm) -> dict[str, Any]:
    """Mesa's `model_params` for a page of this swarm: sliders, menus and fixed values.

    Empty for subclasses of `Swarm` with their own `__init__`: its parameters are unknown here.
    """
    parameters: dict[str, Any] = {}
    if isinstance(swarm, DigitSwarm):
        chosen, rules = swarm.chosen_rule, _rules_of_digits()
        parameters["rule"] = _select("Rule", chosen, rules) if chosen in rules else chosen
        parameters["digit"] = _select("Digit", int(swarm.world.label), list(range(10)))
    elif swarm.__class__.__init__ is Swarm.__init__:
        parameters = {
            "world": swarm.world,
            "rule": swarm.rule,
            "engine": swarm.engine,
            "model_reporters": swarm.datacollector.model_reporters,
        }
    else:
        return {}
    seed, most, noise = swarm.seed, _MOST_SEEDS, max(0.1, 2 * swarm.noise)
    return {
        **parameters,
        "seed": _slider("SliderInt", "Seed", seed, most, 1) if seed <= most else seed,
        "fire_rate": _slider("SliderFloat", "Fire rate", swarm.fire_rate, 1.0, 0.01),
        "noise": _slider("SliderFloat", "Noise", swarm.noise, noise, 0.001),
    }


def _select(label: str, value: Any, values: list[Any]) -> dict[str, Any]:
    return {"type": "Select", "label": label, "value": value, "values": values}


def _slider(kind: str, label: str, value: float, most: float, step: float) -> dict[str, Any]:
    return {"type": kind, "label": label, "value": value, "min": 0, "max": most, "step": step}


def _rules_of_digits() -> list[str]:
    """The shipped rules that tell the ten digits apart."""
    return [name for name in shipped_rules() if load_rule(name).readout.class_names == _DIGITS]
