"""What happens to messages on their way: nothing, or the loss of some."""

from __future__ import annotations

import math
import re

import pytest
import torch

from swarm_nca.config import parse
from swarm_nca.links import Links
from swarm_nca.randomness import Draws
from swarm_nca.scenario.schema import Settings

N, K = 400, 9


def table() -> torch.Tensor:
    """Everybody hears random others (some slots nobody), and itself in slot 4."""
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


def test_at_drop_one_a_cell_hears_itself_only() -> None:
    arrived = Links(drop=1.0).arriving(table(), torch.arange(N), draws(), 0)
    # Whatever slot one's own message comes through, it arrives.
    own = table() == torch.arange(N)[:, None]
    assert torch.equal(arrived == torch.arange(N)[:, None], own)
    assert bool((arrived[~own] == N).all())


def test_messages_are_lost_as_often_as_drop_says_and_one_by_one() -> None:
    neighbors, drop, steps = table(), 0.3, 60
    lost = torch.zeros(N, K)
    for t in range(steps):
        arrived = Links(drop).arriving(neighbors, torch.arange(N), draws(), t)
        assert bool(((arrived == neighbors) | (arrived == N)).all())
        lost += (arrived != neighbors).float()
    others = (neighbors != N) & (neighbors != torch.arange(N)[:, None])
    share = lost[others] / steps
    assert float(share.mean()) == pytest.approx(drop, abs=0.01)
    # One by one: neither a listener's, nor a slot's messages are lost together.
    assert float(share.var()) == pytest.approx(drop * (1 - drop) / steps, rel=0.15)
    assert not bool(lost[~others].any())


def test_losses_do_not_depend_on_who_else_listens() -> None:
    links, some = Links(drop=0.5), torch.tensor([3, 77, 200])
    everyone = links.arriving(table(), torch.arange(N), draws(), 2)
    assert torch.equal(links.arriving(table(), some, draws(), 2), everyone[some])


def test_losses_do_not_depend_on_where_the_count_of_steps_began() -> None:
    links, rows = Links(drop=0.5), torch.arange(N)
    later = links.arriving(table(), rows, draws(step=5), 2)
    assert torch.equal(later, links.arriving(table(), rows, draws(), 7))


@pytest.mark.parametrize("drop", [-0.1, 1.01, math.nan])
def test_a_drop_beyond_its_range_is_refused(drop: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1, got"):
        Links(drop)


def test_links_are_spelt_as_a_scenario_spells_them_and_the_usual_kind_is_left_out() -> None:
    assert Links(0.25).settings() == {"drop": 0.25}


@pytest.mark.parametrize(
    ("links", "told"),
    [
        ("{kind: losy}", "1:15: links.kind: no kind is called 'losy' (did you mean 'lossy'?)"),
        ("{dorp: 0.1}", "1:9: links.dorp: unknown key 'dorp' (did you mean 'drop'?)"),
        ("{kind: lossy, drop: 2}", "1:28: links.drop: must be at most 1, got 2"),
    ],
)
def test_a_scenario_names_links_by_kind(links: str, told: str) -> None:
    text = f"links: {links}\nrule: digits\nimages: {{glyph: 7}}\nsteps: 1\n"
    with pytest.raises(ValueError, match=re.escape(told)):
        parse(text).validate(Settings)
    assert parse(text.replace(links, "{kind: lossy}")).validate(Settings).links == Links()
