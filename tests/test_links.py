"""Perfect and lossy links."""

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


def test_settings_of_links_omit_the_default_kind() -> None:
    assert Links(0.25).settings() == {"drop": 0.25}


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
