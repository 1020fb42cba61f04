"""Links that lose, delay and round messages."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

from swarm_nca.config import parse
from swarm_nca.engine import rollout, trajectory
from swarm_nca.links import Links
from swarm_nca.randomness import Draws
from swarm_nca.rules import Field, Rule, load_rule
from swarm_nca.scenario.schema import Settings
from swarm_nca.world import World

N, K = 400, 9


def table() -> torch.Tensor:
    """An index table with random senders, some absent; the own slot is 4."""
    generator = torch.Generator().manual_seed(3)
    neighbors = torch.randint(N + 1, (N, K), generator=generator)
    neighbors[:, 4] = torch.arange(N)
    return neighbors


def draws(step: int = 0) -> Draws:
    zero = torch.zeros(N, dtype=torch.int64)
    return Draws(9, zero, torch.arange(N), zero + step)


def test_perfect_links_lose_nothing() -> None:
    rows = torch.arange(0, N, 3)
    assert torch.equal(Links().arriving(table(), rows, draws(), 0), table()[rows])


def test_at_drop_one_only_a_cells_own_message_arrives() -> None:
    arrived = Links(drop=1.0).arriving(table(), torch.arange(N), draws(), 0)
    # A cell's own message arrives in every slot.
    own = table() == torch.arange(N)[:, None]
    assert torch.equal(arrived == torch.arange(N)[:, None], own)
    assert bool((arrived[~own] == N).all())


def test_messages_are_lost_independently_with_probability_drop() -> None:
    neighbors, drop, steps = table(), 0.3, 60
    lost = torch.zeros(N, K)
    for t in range(steps):
        arrived = Links(drop).arriving(neighbors, torch.arange(N), draws(), t)
        assert bool(((arrived == neighbors) | (arrived == N)).all())
        lost += (arrived != neighbors).float()
    others = (neighbors != N) & (neighbors != torch.arange(N)[:, None])
    share = lost[others] / steps
    assert float(share.mean()) == pytest.approx(drop, abs=0.01)
    # Losses are independent: messages of one row or one slot are not lost together.
    assert float(share.var()) == pytest.approx(drop * (1 - drop) / steps, rel=0.15)
    assert not bool(lost[~others].any())


def test_losses_do_not_depend_on_other_rows() -> None:
    links, chosen = Links(drop=0.5), torch.tensor([3, 77, 200])
    all_rows = links.arriving(table(), torch.arange(N), draws(), 2)
    assert torch.equal(links.arriving(table(), chosen, draws(), 2), all_rows[chosen])


def test_losses_depend_on_the_absolute_step() -> None:
    links, rows = Links(drop=0.5), torch.arange(N)
    later = links.arriving(table(), rows, draws(step=5), 2)
    assert torch.equal(later, links.arriving(table(), rows, draws(), 7))


@pytest.mark.parametrize("drop", [-0.1, 1.01, math.nan])
def test_a_drop_out_of_range_is_refused(drop: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1, got"):
        Links(drop)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"delay": -1}, "delay must be at least 0, got -1"),
        ({"delay": (3, 1)}, r"delay must be \(least, most\), got \(3, 1\)"),
        ({"delay": 65}, "delay must be at most 64, got 65"),
        ({"delay": "2"}, "delay must be a whole number, got '2'"),
        ({"bits": 0}, "bits must be at least 1, got 0"),
        ({"bits": 8, "range": 0.0}, "range must be above 0, got 0"),
        ({"on_loss": "noise"}, "on_loss must be zeros or last, got 'noise'"),
    ],
    ids=str,
)
def test_other_settings_out_of_range_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Links(**given)


def test_bytes_with_a_range_of_1_27_are_hundredths() -> None:
    read = Links(bits=8, range=1.27).rounded(torch.tensor([-9.0, -0.014, 0.0, 0.016, 1.264, 2.0]))
    torch.testing.assert_close(read, torch.tensor([-1.27, -0.01, 0.0, 0.02, 1.26, 1.27]))


@pytest.mark.parametrize("bits", range(1, 9))
def test_b_bits_give_symmetric_equidistant_levels(bits: int) -> None:
    levels = Links(bits=bits, range=3.0).rounded(torch.linspace(-4, 4, 10_001)).unique()
    assert len(levels) == (2 if bits == 1 else 2**bits - 1)
    torch.testing.assert_close(levels, -levels.flip(0))
    torch.testing.assert_close(levels, torch.linspace(-3, 3, len(levels)))


def test_delays_are_drawn_evenly_for_every_message() -> None:
    links, rows = Links(delay=(1, 4)), torch.arange(N)
    drawn = torch.stack([links.delays(rows, K, draws(), t) for t in range(30)])  # type: ignore[arg-type]
    assert torch.equal(drawn.unique(), torch.arange(1, 5))
    shares = drawn.flatten().bincount() / drawn.numel()
    torch.testing.assert_close(shares[1:], torch.full((4,), 0.25), atol=0.01, rtol=0)
    assert Links(delay=3).delays(rows, K, draws(), 0) == 3


class Echo(Rule):
    """Each cell's next state is the sum of what it hears from others, and its own state plus 1."""

    kind = "echo"
    update = "replace"

    def __init__(self) -> None:
        super().__init__(Field(("heard", "age")), channels=2, slots=3, stimulus_size=0, fire_rate=1)

    def change(self, prepared: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        own, others = messages[:, 0], messages[:, 1:]
        return torch.stack([others[..., 1].sum(1), own[:, 1] + 1], dim=1)

    def settings(self) -> dict[str, Any]:
        return {}


def pair(links: Links) -> World:
    """Two cells that hear themselves in slot 0 and each other in slot 1."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for one, other in ("ab", "ba"):
        graph.add_edge(one, one, slot=0)
        graph.add_edge(one, other, slot=1)
    return World.from_graph(graph, Echo(), links=links).with_state(
        torch.tensor([[0, 10.0], [0, 20]])
    )


def test_a_delayed_message_is_what_the_sender_said_that_many_steps_ago() -> None:
    heard = [w.state[0, 0].item() for w in trajectory(pair(Links(delay=2)), Echo(), 5)]
    assert heard == [0.0, 0.0, 20.0, 21.0, 22.0], "silence at first, then the past of the other"


def test_a_lost_message_is_replaced_by_the_last_that_arrived() -> None:
    links = Links(drop=0.5, on_loss="last")
    heard, last, repeated = [w.state[:, 0] for w in trajectory(pair(links), Echo(), 40)], 0.0, 0
    for step, value in enumerate(heard):
        now = 20.0 + step
        assert value[0].item() in (now, last), "what the other says now, or what it said last"
        repeated += value[0].item() != now
        last = value[0].item()
    assert 10 < repeated < 30


def test_what_was_heard_without_losses_is_repeated_after_a_loss() -> None:
    sound = rollout(pair(Links(on_loss="last")), Echo(), 5)
    cut = rollout(replace(sound, links=Links(1.0, on_loss="last")), Echo(), 3)
    assert sound.state[0, 0] == cut.state[0, 0] == 24.0


def test_no_message_outlives_steps_without_delay() -> None:
    late, now = Links(delay=2), Links()
    world = rollout(pair(late), Echo(), 5)
    world = rollout(replace(world, links=now), Echo(), 5)
    heard = [w.state[0, 0].item() for w in trajectory(replace(world, links=late), Echo(), 4)]
    assert heard == [0.0, 0.0, 30.0, 31.0]


def test_a_world_without_cells_has_messages_of_every_kind() -> None:
    rule = load_rule("digits")
    links = Links(0.3, on_loss="last", delay=2)
    empty = World.from_images(np.zeros((2, 5, 5)), rule, links=links)
    assert rollout(empty, rule, 3).cells == 0


def test_what_is_in_flight_is_part_of_the_world() -> None:
    links = Links(0.3, on_loss="last", delay=(0, 3), bits=8, range=100.0)
    through = rollout(pair(links), Echo(), 20)
    kept = rollout(pair(links), Echo(), 9).packed()
    again = rollout(pair(links).unpacked(kept), Echo(), 0).with_state(kept["cell.state"])
    again = replace(again, step=kept["world.step"])
    assert torch.equal(rollout(again, Echo(), 11).state, through.state)


def test_no_steps_leave_the_world_as_it_is() -> None:
    fresh = pair(Links(delay=2, on_loss="last"))
    for world in (fresh, rollout(fresh, Echo(), 3)):
        same = rollout(world, Echo(), 0)
        assert same.cell_fields.keys() == world.cell_fields.keys()
        assert torch.equal(same.state, world.state)


def test_settings_of_links_omit_the_default_kind() -> None:
    assert Links(0.25).settings() == {"drop": 0.25}
    assert Links(delay=(1, 2), bits=8).settings() == {"drop": 0.0, "delay": (1, 2), "bits": 8}


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ("{kind: losy}", "1:15: links.kind: no kind is called 'losy' (did you mean 'lossy'?)"),
        ("{dorp: 0.1}", "1:9: links.dorp: unknown key 'dorp' (did you mean 'drop'?)"),
        ("{kind: lossy, drop: 2}", "1:28: links.drop: must be at most 1, got 2"),
    ],
)
def test_a_scenario_names_links_by_kind(links: str, message: str) -> None:
    text = f"links: {links}\nrule: digits\nimages: {{glyph: 7}}\nsteps: 1\n"
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(text).validate(Settings)
    assert parse(text.replace(links, "{kind: lossy}")).validate(Settings).links == Links()
