"""Standard features of Mesa models: space, data collector, batch runs, shuffling, ending."""

import copy
import gc
import inspect
import itertools
import warnings
import weakref
from typing import Any

import mesa
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from mesa.batchrunner import batch_run
from mesa.discrete_space import Network, OrthogonalMooreGrid, OrthogonalVonNeumannGrid

from swarm_nca.links import Links
from swarm_nca.measure.metrics import METRICS, measure
from swarm_nca.rules import Rule, load_rule
from swarm_nca.swarm import ENGINES, REPORTERS, CellAgent, Swarm
from swarm_nca.testing import tiny_world
from swarm_nca.topologies import Grid, number_slots
from swarm_nca.world import World


class Reading(Swarm):
    """A user-defined model with text and number parameters."""

    rule_in_use: Rule

    def __init__(self, letter: str = "L", drop: float = 0.0, seed: int | None = 0) -> None:
        drawing = {"L": "#..\n#..\n###", "T": "###\n.#.\n.#."}[letter]
        world = tiny_world(drawing, self.rule_in_use, label=1, links=Links(drop))
        super().__init__(world, self.rule_in_use, seed=seed)


def test_a_swarm_is_a_mesa_model(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    assert isinstance(swarm, mesa.Model)
    assert swarm.agents_by_type[CellAgent] is not None
    assert len(swarm.agents) == world.cells
    assert swarm.running
    assert [agent.unique_id for agent in swarm.agents] == list(range(1, world.cells + 1))


def test_every_place_is_a_mesa_cell_and_dead_ones_are_empty(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    assert isinstance(swarm.space, OrthogonalMooreGrid)
    assert (swarm.space.width, swarm.space.height) == (6, 5)
    for name in itertools.product(range(5), range(6)):
        agent = swarm.living(name)
        cell = swarm.cell_at(name)
        assert cell.agents == ([] if agent is None else [agent])
        assert cell.is_empty == (agent is None)
        if agent is not None:
            assert agent.cell is cell
    assert len(list(swarm.space.all_cells)) == 5 * 6
    neighbors = set(swarm.agent_at((3, 2)).neighbors.values()) - {swarm.agent_at((3, 2))}
    assert set(swarm.cell_at((3, 2)).neighborhood.agents) == neighbors


def test_a_grid_is_in_mesas_coordinates_right_and_up(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    assert swarm.cell_at((0, 0)).coordinate == (0, 4)
    assert swarm.cell_at((4, 5)).coordinate == (5, 0)
    above = swarm.cell_at((3, 2)).connections[0, 1]
    assert above is swarm.cell_at((2, 2))


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("neighborhood", ["moore", "von_neumann"])
@pytest.mark.parametrize("shape", [(3, 4), (1, 5), (5, 1), (1, 1)])
def test_cells_of_a_grid_are_connected_as_the_topology_says(
    rule: Rule, shape: tuple[int, int], neighborhood: str, torus: bool
) -> None:
    world = World.from_images(np.ones((1, *shape)), rule, grid=Grid(neighborhood, torus))
    swarm = Swarm(world, rule)
    kind = OrthogonalMooreGrid if neighborhood == "moore" else OrthogonalVonNeumannGrid
    assert isinstance(swarm.space, kind)
    assert swarm.space.torus == torus
    for agent in swarm.agents:
        heard = [other.cell for other in agent.neighbors.values() if other is not agent]
        connected = list(agent.cell.connections.values())
        assert len(connected) == len(heard)
        assert set(connected) == set(heard)


def test_a_graph_is_a_network_of_its_node_numbers(rule: Rule) -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    swarm = Swarm(World.from_graph(number_slots(graph, own=None), rule), rule)
    assert isinstance(swarm.space, Network)
    assert dict(swarm.space.G.nodes(data="name")) == {0: "a", 1: "b", 2: "c"}
    assert swarm.cell_at("b").coordinate == 1
    assert swarm.agent_at("b").cell is swarm.space[1]
    assert list(swarm.cell_at("a").connections.values()) == [swarm.cell_at("b")]
    assert not swarm.space.G.is_directed()
    assert sorted(swarm.space.G.edges) == [(0, 1), (0, 2), (1, 2)]


def test_places_that_do_not_exist_have_no_cell(world: World, rule: Rule) -> None:
    with pytest.raises(ValueError, match=r"no pixel \(5, 0\)"):
        Swarm(world, rule).cell_at((5, 0))


def test_a_copy_of_a_swarm_makes_its_own_space(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    assert len(swarm.space.agents) == world.cells
    other = copy.deepcopy(swarm)
    other.erase([(3, 1)])
    assert other.cell_at((3, 1)).is_empty
    assert swarm.cell_at((3, 1)).agents == [swarm.agent_at((3, 1))]


@pytest.mark.parametrize("built", ["before", "after"])
def test_agents_enter_and_leave_the_space_with_their_pixels(
    world: World, rule: Rule, built: str
) -> None:
    swarm = Swarm(world, rule)
    if built == "before":
        assert len(swarm.space.agents) == world.cells
    swarm.erase([(3, 1)])
    swarm.draw([(0, 0)])
    assert swarm.cell_at((3, 1)).is_empty
    assert swarm.cell_at((0, 0)).agents == [swarm.agent_at((0, 0))]
    assert set(swarm.space.agents) == set(swarm.agents)


def test_the_graph_of_living_cells_equals_the_topology(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    living = swarm.graph.subgraph([agent.name for agent in swarm.agents])
    expected = world.topology.to_networkx()
    assert nx.utils.graphs_equal(nx.DiGraph(living), expected)


def test_a_given_graph_is_returned_unchanged(rule: Rule) -> None:
    graph = number_slots(nx.gnm_random_graph(12, 20, seed=3))
    swarm = Swarm(World.from_graph(graph, rule), rule)
    assert nx.utils.edges_equal(swarm.graph.edges(data=True), graph.edges(data=True), directed=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_order_of_agents_does_not_change_states(world: World, rule: Rule, engine: str) -> None:
    straight, shuffled = (Swarm(world, rule, engine=engine) for _ in range(2))
    for _ in range(5):
        shuffled.agents.shuffle(inplace=True)
        straight.step()
        shuffled.step()
    assert list(straight.agents) != list(shuffled.agents)
    assert np.array_equal(straight.states, shuffled.states)


def test_row_t_of_the_data_collector_is_after_step_t(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule, model_reporters={**REPORTERS, "agents": lambda m: len(m.agents)})
    rows, before = [{**measure(world, rule), "agents": world.cells}], world
    for _ in range(4):
        swarm.step()
        now = swarm.world
        rows.append({**measure(now, rule, before), "agents": world.cells})
        before = now
    collected = swarm.datacollector.get_model_vars_dataframe()
    pd.testing.assert_frame_equal(collected, pd.DataFrame(rows))
    assert set(METRICS) < set(collected)


def test_a_row_after_an_edit_has_no_earlier_world(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule, model_reporters=REPORTERS)
    swarm.step()
    swarm.draw([(0, 0)])
    swarm.datacollector.collect(swarm)
    residual = swarm.datacollector.model_vars["residual_magnitude"]
    assert np.isfinite(residual[1])
    assert np.isnan(residual[2])


def test_agent_reporters_are_optional(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    assert not swarm.datacollector.agent_reporters
    swarm = Swarm(world, rule, agent_reporters={"label": "label", "where": lambda a: a.name})
    swarm.step()
    table = swarm.datacollector.get_agent_vars_dataframe()
    assert len(table) == 2 * world.cells
    assert table.loc[(1, 1), "where"] == (0, 1)


def run_quietly(
    model: Any, parameters: dict[str, Any], number_processes: int = 1, **options: Any
) -> pd.DataFrame:
    options |= {"number_processes": number_processes, "display_progress": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = batch_run(model, parameters, **options)
    return pd.DataFrame(rows)


def test_batch_runs_accept_worlds_as_parameters(rule: Rule) -> None:
    pictures = [np.eye(4), np.tri(4), np.ones((4, 4))]
    worlds = World.from_images(pictures, rule, labels=[0, 1, 2])
    options = {"world": worlds, "rule": rule, "engine": ["batched", "agents"]}
    table = run_quietly(Swarm, options, max_steps=3, data_collection_period=1)
    assert table["world"].map(lambda world: world.cells).unique().tolist() == [4, 10, 16]
    assert table.groupby("RunId")["Step"].unique().map(list).eq([[0, 1, 2, 3]] * 6).all()
    # At step 0 no cell has decided yet.
    assert table["undecided"].isna().eq(table["Step"] == 0).all()
    assert table["RunId"].nunique() == 6


def test_batch_runs_in_two_processes_equal_those_in_one() -> None:
    pictures = [np.eye(4), np.tri(4), np.ones((4, 4))]
    worlds = World.from_images(pictures, load_rule("digits"), labels=[0, 1, 2])
    options = {"world": worlds.split(), "rule": ["digits"], "engine": ["batched", "agents"]}
    # Mesa 3.5 and later seed each run by `rng`, at random without it.
    rng = {"rng": 0} if "rng" in inspect.signature(batch_run).parameters else {}
    columns = ["engine", "Step", "cell_accuracy", "undecided"]
    one, two = (
        run_quietly(Swarm, options, number, max_steps=5, data_collection_period=1, **rng)
        .sort_values(["RunId", "Step"])[columns]
        .reset_index(drop=True)
        for number in (1, 2)
    )
    assert len(one) == 6 * 6
    pd.testing.assert_frame_equal(one, two)


def test_batch_runs_accept_a_subclass_of_swarm(rule: Rule) -> None:
    Reading.rule_in_use = rule
    table = run_quietly(Reading, {"letter": ["L", "T"], "drop": [0.0, 0.5]}, max_steps=2)
    assert table[["letter", "drop"]].drop_duplicates().shape == (4, 2)
    assert table["cell_accuracy"].between(0, 1).all()


def test_finished_swarms_are_freed(world: World, rule: Rule) -> None:
    swarm = Swarm(world, rule)
    swarm.step()
    assert swarm.space is not None
    watch = weakref.ref(swarm)
    del swarm
    gc.collect()
    assert watch() is None
