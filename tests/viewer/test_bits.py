"""Bits in the viewer: the weights of rules in bits, and messages of one bit for each channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pygame import Rect

from swarm_nca.rules import Quantized, Rule, save_rule
from swarm_nca.rules.filters import unpack
from swarm_nca.viewer.app import App
from swarm_nca.viewer.bits import squares
from swarm_nca.viewer.floating import explanation
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.inspector import rooms
from swarm_nca.viewer.session_config import from_rule, from_scenario
from tests.viewer.reading import window


def app_of(rule: Rule, folder: Path) -> App:
    save_rule(rule, folder / "rule.safetensors")
    return App(from_rule(str(folder / "rule.safetensors")), folder=folder)


@pytest.fixture
def signs() -> Quantized:
    """Two planes of signs, small enough that the panel shows all of them."""
    generator = torch.Generator().manual_seed(4)
    return Quantized(
        hidden=(12,), filters="ste_sign", planes=2, scales="output", generator=generator
    )


def test_the_panel_shows_the_bits_that_the_file_holds(signs: Quantized, tmp_path: Path) -> None:
    app = app_of(signs, tmp_path)
    picture, theme = frame(app), app.theme
    lines = [line.text for line in window(app)]
    assert "The rule in bits" in lines
    dark = (picture == theme.ink).all(-1)
    light = (picture == theme.track).all(-1)
    panel = app.rail[2]
    assert explanation_at(app, panel.center).startswith("The quantized weights of the rule")
    stored = signs.stored()
    for plane in range(2):
        top, left = panel.top + 44 + plane * (19 + 4), panel.left
        for name, inputs, units in (("perception", 180, 12), ("output", 12, 19)):
            bits = unpack(stored[name], 1, 2 * inputs * units).view(2, inputs, units)
            expected = bits[plane].T.bool().numpy()
            place = np.s_[top : top + units, left : left + inputs]
            assert np.array_equal(dark[place], expected)
            assert np.array_equal(light[place], ~expected)
            left += inputs + 4


def explanation_at(app: App, point: tuple[int, int]) -> str:
    app.pointer = point
    explained = explanation(app)
    return "" if explained is None else explained[0]


def test_rules_of_floats_have_no_such_panel(app: App) -> None:
    assert "The rule in bits" not in [line.text for line in window(app)]
    assert not explanation_at(app, app.rail[2].center)


def test_messages_of_one_bit_are_squares_with_the_senders_signs(
    rule_file: Path, tmp_path: Path
) -> None:
    scenario = f"""
name: bits
rule: {rule_file}
images: {{dataset: strokes, count: 1}}
steps: 10
links: {{bits: 1, range: 1}}
"""
    (tmp_path / "bits.yaml").write_text(scenario)
    app = App(from_scenario(str(tmp_path / "bits.yaml")), folder=tmp_path)
    for _ in range(6):
        app.session.advance()
    world = app.session.world
    number = int((world.neighbors < world.cells).sum(1).argmax())
    app.question(tuple(world.position[number].tolist()))
    hears = rooms(app.rail[2], 1.0).hears
    picture = frame(app)
    senders = world.neighbors[number].tolist()
    for slot in (0, 1, 2, 3, 5, 6, 7, 8):
        if senders[slot] == world.cells:
            continue
        tile = Rect(hears.left + slot % 3 * 29, hears.top + slot // 3 * 29, 26, 26)
        places = squares(tile.inflate(-6, -6), world.state.shape[1])
        for channel, place in enumerate(places):
            sent = float(world.state[senders[slot], channel])
            color = app.theme.ink if sent > 0 else app.theme.track
            assert tuple(picture[place.centery, place.centerx]) == color
            said = explanation_at(app, place.center)
            assert said.endswith(f": {1.0 if sent > 0 else -1.0:+.2f}")
            assert f"channel {channel}," in said
