"""A run's report opens the rule's page on the run's picture, where a page can run it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
import torch

import swarm_nca as sn
from swarm_nca.export.live import live_page
from swarm_nca.export.picture_code import encoded
from swarm_nca.links import Links

SCENARIO = """
name: short
rule: digits
seed: 12
images: {dataset: strokes, label: 7}
canvas: [30, 28]
steps: 3
"""


def test_the_report_of_a_run_opens_its_picture_live(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text(SCENARIO, encoding="utf-8")
    run = sn.run(tmp_path / "short.yaml", tmp_path / "run")
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    found = re.search(r'href="live.html#([^"]*)"', report)
    assert found
    parts = parse_qs(found[1].replace("&amp;", "&"))
    picture = run.frames[-1].world.picture().numpy()
    assert parts == {"picture": [encoded(picture)], "seed": ["12"]}
    assert "<h1>digits</h1>" in (tmp_path / "run" / "live.html").read_text(encoding="utf-8")


def test_rates_and_borders_go_along() -> None:
    rule = sn.load_rule("digits")
    grid = sn.Grid(torus=True)
    world = sn.World.from_images(torch.ones(1, 4, 5), rule, grid=grid, fire_rate=0.25, noise=0.0)
    live = live_page(rule, "digits", world, 3)
    assert live is not None
    parts = parse_qs(live[1])
    assert (parts["fire"], parts["noise"], parts["wrap"]) == (["0.25"], ["0.0"], ["1"])


def test_a_board_of_life_goes_on_from_its_state() -> None:
    life = sn.make_rule(kind="life")
    board = torch.zeros(1, 8, 8)
    board[0, 3, 2:5] = 1
    after = sn.rollout(sn.World.from_images(board, life), life, steps=1)
    live = live_page(life, "life", after, 0)
    assert live is not None
    assert parse_qs(live[1])["picture"] == [encoded(board[0].T.numpy())]


@pytest.mark.parametrize("case", ["loss", "von_neumann", "large", "elementary", "graph"])
def test_other_runs_have_no_page(case: str) -> None:
    rule = sn.make_rule(kind="elementary") if case == "elementary" else sn.load_rule("digits")
    side = 300 if case == "large" else 6
    grid = sn.Grid("von_neumann" if case == "von_neumann" else "moore")
    links = Links(drop=0.1 if case == "loss" else 0.0)
    world = sn.World.from_images(np.ones((1, side, side)), rule, grid=grid, links=links)
    if case == "graph":
        world = sn.World.from_graph(world.topology.to_networkx(), rule)
    assert live_page(rule, "a rule", world, 0) is None
