"""Mesa's drawings of a swarm: the picture is the right way up, in the colours of the rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib

matplotlib.use("agg")

import networkx as nx
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from mesa.visualization import SpaceRenderer, draw_space
from mesa.visualization.components import AgentPortrayalStyle, PropertyLayerStyle

from swarm_nca.rules import Life, Mlp, Rule
from swarm_nca.swarm import CellAgent, Swarm
from swarm_nca.swarm.visualization import draw, drawing_options, portrayal
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import number_slots
from swarm_nca.world import World


@pytest.fixture(autouse=True)
def no_figures_stay_open() -> Any:
    yield
    plt.close("all")


def plain(agent: CellAgent) -> AgentPortrayalStyle:
    """A portrayal that a Mesa user writes without this package."""
    return AgentPortrayalStyle(color="black", marker="s", size=20)


def assert_right_way_up(ax: Axes, world: World) -> None:
    height, width = world.picture(0).shape
    expected = {
        (round((column + 0.5) / width, 6), round((row + 0.5) / height, 6))
        for row, column in (divmod(site, width) for site in world.site.tolist())
    }
    (dots,) = (dots for dots in ax.collections if isinstance(dots, PathCollection))
    ax.figure.canvas.draw()
    to_shares = ax.transData + ax.transAxes.inverted()  # (right, up), from 0 to 1
    drawn = to_shares.transform(np.asarray(dots.get_offsets()))
    assert {(round(x, 6), round(1 - y, 6)) for x, y in drawn.tolist()} == expected


@pytest.mark.parametrize("style", [plain, portrayal])
def test_draw_space_shows_a_picture_the_right_way_up(
    world: World, rule: Rule, style: Callable[[CellAgent], AgentPortrayalStyle]
) -> None:
    assert_right_way_up(draw_space(Swarm(world, rule).space, style), world)


def test_draw_shows_squares_in_the_rules_colours(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    swarm.step()
    ax = draw(swarm)
    assert_right_way_up(ax, world)
    assert not ax.lines
    (squares,) = (dots for dots in ax.collections if isinstance(dots, PathCollection))
    for (x, y), color in zip(squares.get_offsets(), squares.get_facecolors(), strict=True):
        (agent,) = swarm.space[int(x), int(y)].agents
        rgb = rule.readout.rgb(agent.state[None], rule.shown_above)[0]
        assert np.allclose(color[:3], rgb / 255)
    side = np.sqrt(squares.get_sizes()[0]) * ax.get_figure().dpi / 72  # in pixels
    cell = ax.transData.transform((1, 0))[0] - ax.transData.transform((0, 0))[0]
    assert 0.9 * cell < side <= cell


def test_an_agent_that_is_drawn_or_erased_appears_and_disappears(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    draw(swarm)
    swarm.erase([(3, 1)])
    swarm.draw([(0, 0)])
    assert_right_way_up(draw(swarm), swarm.world)


def numbered(agent: CellAgent) -> AgentPortrayalStyle:
    """Colours as numbers: Mesa 3.3 with pandas 3 fails on Altair drawings with names of colours."""
    return AgentPortrayalStyle(color=1.0, marker="o", size=20)


@pytest.mark.parametrize("backend", ["matplotlib", "altair"])
def test_space_renderers_draw_a_picture_and_a_graph(world: World, rule: Rule, backend: str) -> None:
    graph = number_slots(nx.relabel_nodes(nx.cycle_graph(5), dict(enumerate("abcde"))))
    for alone in (world, World.from_graph(graph, rule)):
        swarm = Swarm(alone, rule)
        renderer = SpaceRenderer(swarm, backend=backend)
        renderer.draw_structure()
        renderer.draw_agents(numbered if backend == "altair" else portrayal)
        if backend == "altair":
            places = renderer.agent_mesh.data[["x", "y"]].to_numpy()
        else:
            (*_, dots) = (dots for dots in renderer.canvas.collections if len(dots.get_offsets()))
            places = np.asarray(dots.get_offsets())
        assert len(places) == len(swarm.agents)
        if alone.space.pictured:
            names = {(4 - int(up), int(right)) for right, up in places}
            assert names == {agent.name for agent in swarm.agents}


def test_a_property_layer_lies_under_its_agents(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    swarm.space.create_property_layer("ink", default_value=0.0, dtype=float)
    for agent in swarm.agents:
        agent.cell.ink = 1.0
    style = PropertyLayerStyle(colormap="gray_r", vmin=0, vmax=1, colorbar=False, alpha=1)
    ax = draw_space(swarm.space, plain, propertylayer_portrayal=lambda layer: style)
    (image,) = ax.images
    shown = np.asarray(image.get_array())  # drawn from below
    assert np.array_equal(shown[::-1] > 0, world.picture(0).numpy() > 0.1)


def test_draw_space_shows_a_graph_of_named_nodes(rule: Rule) -> None:
    graph = number_slots(nx.relabel_nodes(nx.path_graph(4), dict(enumerate("abcd"))))
    swarm = Swarm(World.from_graph(graph, rule), rule)
    for style in (plain, portrayal):
        ax = draw_space(swarm.space, style)
        assert max(len(dots.get_offsets()) for dots in ax.collections) >= 4
        lines = [dots for dots in ax.collections if not isinstance(dots, PathCollection)]
        assert sum(len(edges.get_segments()) for edges in lines) == 3  # no loops


def test_nodes_with_coordinates_are_drawn_there(rule: Rule) -> None:
    graph = nx.cycle_graph(4)
    corners = {0: (0.0, 0.0), 1: (2.0, 0.0), 2: (2.0, 1.0), 3: (0.0, 1.0)}
    nx.set_node_attributes(graph, corners, "pos")
    swarm = Swarm(World.from_graph(number_slots(graph), rule), rule)
    swarm.erase([2])
    (dots,) = (dots for dots in draw(swarm).collections if isinstance(dots, PathCollection))
    places = [tuple(map(float, place)) for place in dots.get_offsets()]
    assert sorted(places) == sorted(corners[node] for node in (0, 1, 3))
    assert set(drawing_options(swarm)) == {"layout_alg"}


def test_read_outs_without_classes_have_their_colours_too() -> None:
    life = Life()
    swarm = Swarm(tiny_world("#.\n..", life), life)
    assert to_rgb(portrayal(swarm.agent_at((0, 0))).color) == pytest.approx(
        [value / 255 for value in life.readout.colors[0]]
    )
    assert to_rgb(portrayal(swarm.agent_at((1, 1))).color) == (1, 1, 1)
    growing = Mlp.growing(hidden=(4,)).requires_grad_(False)
    sprout = Swarm(World.from_images(np.eye(3)[None], growing), growing)
    assert to_rgb(portrayal(sprout.agent_at((0, 1))).color) == (1, 1, 1)


def test_cells_too_small_for_gaps_are_drawn_without(rule: Rule) -> None:
    swarm = Swarm(World.from_images(np.ones((1, 90, 90)), rule), rule)
    ax = draw(swarm)
    (squares,) = (dots for dots in ax.collections if isinstance(dots, PathCollection))
    cell = (ax.transData.transform((1, 0)) - ax.transData.transform((0, 0)))[0]
    assert np.sqrt(squares.get_sizes()[0]) * ax.get_figure().dpi / 72 > cell
