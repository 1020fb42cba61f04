"""The SolaraViz page without a browser: parameters, reset, charts of agents, a missing extra."""

from __future__ import annotations

import importlib
import math
import sys
from typing import Any

import networkx as nx
import numpy as np
import pytest
import solara
import torch
from matplotlib.figure import Figure
from mesa.visualization.solara_viz import _check_model_params, split_model_params

from swarm_nca.rules import Life, Rule, load_rule
from swarm_nca.swarm import Swarm, charts
from swarm_nca.swarm.charts import channel_names, counts_of_agents
from swarm_nca.swarm.visualization import (
    DigitSwarm,
    decisions_histogram,
    default_parameters,
    metrics_chart,
    page,
    states_histogram,
)
from swarm_nca.topologies import number_slots
from swarm_nca.world import World


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that the charts show from now on."""
    shown: list[Figure] = []

    def keep(figure: Figure, **options: Any) -> None:
        shown.append(figure)

    monkeypatch.setattr(solara, "FigureMatplotlib", keep)
    return shown


def rendered(element: Any) -> Any:
    _, context = solara.render(element, handle_error=False)
    return context


def test_a_digit_swarm_reads_its_digit() -> None:
    swarm = DigitSwarm(digit=4, seed=3)
    for _ in range(120):
        swarm.step()
    assert int(swarm.world.label) == 4
    assert swarm.datacollector.model_vars["cell_accuracy"][-1] > 0.9


def test_a_digit_swarm_refuses_what_is_no_digit() -> None:
    with pytest.raises(ValueError, match="11"):
        DigitSwarm(digit=11)
    with pytest.raises(ValueError, match="classes"):
        DigitSwarm(rule=Life())


@pytest.mark.parametrize("kind", ["digit", "other digit", "picture", "graph"])
def test_reset_makes_a_swarm_with_the_pages_parameters(kind: str, world: World, rule: Rule) -> None:
    graph = World.from_graph(number_slots(nx.cycle_graph(6)), rule)
    swarm = {
        "digit": DigitSwarm(),
        "other digit": DigitSwarm("mnist", 3, seed=12_345),
        "picture": Swarm(world, rule, seed=4, engine="agents", fire_rate=0.25),
        "graph": Swarm(graph, rule),
    }[kind]
    parameters = default_parameters(swarm)
    _check_model_params(type(swarm).__init__, parameters)
    adjustable, fixed = split_model_params(parameters)
    assert {"fire_rate", "noise"} <= set(adjustable)
    assert ("seed" in adjustable) == (swarm.seed < 100)
    assert ({"rule", "digit"} <= set(adjustable)) == ("digit" in kind)
    again = type(swarm)(**fixed, **{name: given["value"] for name, given in adjustable.items()})
    assert np.array_equal(again.states, swarm.states)
    assert torch.equal(again.world.stimulus, swarm.world.stimulus)
    assert again.rule.hash() == swarm.rule.hash()
    assert (again.seed, again.engine, again.fire_rate, again.noise) == (
        swarm.seed,
        swarm.engine,
        swarm.fire_rate,
        swarm.noise,
    )


def test_the_page_offers_the_shipped_rules_of_digits() -> None:
    names = default_parameters(DigitSwarm())["rule"]["values"]
    assert {"digits", "mnist"} <= set(names)
    assert "fashion-mnist" not in names


def test_the_page_shows_swarms_of_any_rule(world: World, rule: Rule) -> None:
    life = Life()
    graph = World.from_graph(number_slots(nx.cycle_graph(6)), rule)
    for swarm in (
        None,
        Swarm(world, rule),
        Swarm(graph, rule),
        Swarm(World.from_images(np.eye(4)[None], life), life),
    ):
        rendered(page(swarm)).close()


def test_a_model_of_ones_own_is_shown_with_its_parameters(rule: Rule, world: World) -> None:
    class Mine(Swarm):
        def __init__(self, seed: int = 0) -> None:
            super().__init__(world, rule, seed)

    class Plain(Swarm):
        """Takes what a `Swarm` takes."""

    assert default_parameters(Mine()) == {}
    assert default_parameters(Plain(world, rule)).keys() == {
        *default_parameters(Swarm(world, rule))
    }
    rendered(page(Mine(), {"seed": {"type": "SliderInt", "value": 0, "min": 0, "max": 9}})).close()


def test_decisions_are_counted_agent_by_agent(
    world: World, rule: Rule, figures: list[Figure]
) -> None:
    swarm = Swarm(world, rule)
    swarm.step()
    expected = dict.fromkeys((*rule.readout.names, "silent"), 0)
    for agent in swarm.agents:
        number = int(rule.readout.shown(agent.state[None], rule.shown_above)[0])
        expected["silent" if number < 0 else rule.readout.names[number]] += 1
    assert counts_of_agents(swarm) == expected
    rendered(decisions_histogram(swarm)).close()
    bars = figures[-1].axes[0].patches
    assert [bar.get_height() for bar in bars] == list(expected.values())
    colors = [tuple(round(255 * part) for part in bar.get_facecolor()[:3]) for bar in bars]
    assert colors[:-1] == list(rule.readout.colors)


def test_states_are_counted_agent_by_agent(world: World, rule: Rule, figures: list[Figure]) -> None:
    swarm = Swarm(world, rule)
    rendered(states_histogram(swarm)).close()
    (stairs,) = figures[-1].axes[0].patches
    counts, edges, _ = stairs.get_data()
    channel = rule.classes.channels(rule.channels).start + 2  # the picture's label
    held = [agent.state[channel] for agent in swarm.agents]
    assert counts.sum() == len(swarm.agents)
    assert np.array_equal(counts, np.histogram(held, bins=edges)[0])
    assert channel_names(swarm)[channel] in figures[-1].axes[0].get_xlabel()


def test_charts_survive_states_that_are_no_numbers(
    world: World, rule: Rule, figures: list[Figure]
) -> None:
    swarm = Swarm(world, rule)
    swarm.states[0] = math.nan
    swarm.states[1] = math.inf
    for chart in (decisions_histogram, states_histogram):
        rendered(chart(swarm)).close()
    assert figures[-1].axes[0].patches[0].get_data().values.sum() == world.cells - 2


def test_long_names_of_classes_fit_below_their_bars(figures: list[Figure]) -> None:
    rule = load_rule("fashion-mnist")
    swarm = Swarm(World.from_images(np.ones((1, 4, 4)), rule), rule)
    rendered(decisions_histogram(swarm)).close()
    figure = figures[-1]
    figure.canvas.draw()
    lowest = min(text.get_window_extent().y0 for text in figure.axes[0].get_xticklabels())
    assert lowest > 0


def test_the_curves_are_what_the_data_collector_records(
    world: World, rule: Rule, figures: list[Figure]
) -> None:
    reporters = {"alive": lambda swarm: len(swarm.agents)}
    for swarm in (Swarm(world, rule), Swarm(world, rule, model_reporters=reporters)):
        swarm.step()
        chart, _ = metrics_chart(swarm)
        rendered(chart(swarm)).close()
        recorded = swarm.datacollector.get_model_vars_dataframe()
        for line, name in zip(figures[-1].axes[0].lines, recorded, strict=True):
            assert line.get_label() == name.replace("_", " ")
            assert np.array_equal(line.get_ydata(), recorded[name], equal_nan=True)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "solara", None)
    monkeypatch.delitem(sys.modules, "swarm_nca.swarm.visualization")
    message = r"solara is missing.*pip install 'swarm-nca\[solara\]'"
    with pytest.raises(ImportError, match=message):
        importlib.import_module("swarm_nca.swarm.visualization")


def test_charts_have_no_pyplot_figures() -> None:
    """Pyplot keeps every figure that it makes; a page makes four in each step."""
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    rendered(page(DigitSwarm())).close()
    assert plt.get_fignums() == before
    assert charts.Figure is Figure
