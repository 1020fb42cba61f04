"""The view of messages shows the messages that cells receive at the next step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from swarm_nca.engine import draws_of
from swarm_nca.perturbations import Loss
from swarm_nca.randomness import Stream, threshold
from swarm_nca.render import Rgb
from swarm_nca.topologies import Grid
from swarm_nca.viewer.messages import loudness, messages, ramp, share_of
from swarm_nca.viewer.overlays import VIEWS, Look
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.theme import DARK, LIGHT, Theme
from swarm_nca.world import World

NOBODY = np.zeros(0, np.int64)


@pytest.fixture
def busy(session: Session) -> Session:
    for _ in range(12):
        session.advance()
    return session


def look_at(session: Session, theme: Theme = LIGHT, detail: int = 9) -> Look:
    return Look(session.alone, session.rule, NOBODY, theme, seed=session.seed, detail=detail)


def test_a_message_has_the_norm_of_its_sender_s_state(busy: Session) -> None:
    world = busy.world
    loud = loudness(look_at(busy))
    place = {tuple(p): row for row, p in enumerate(world.position.tolist())}
    for (row, column), number in place.items():
        for slot, (down, right) in enumerate((d, r) for d in (-1, 0, 1) for r in (-1, 0, 1)):
            sender = place.get((row + down, column + right))
            if sender is None or slot == 4:
                assert np.isnan(loud[number, slot])
            else:
                norm = float(torch.linalg.vector_norm(world.state[sender].double()))
                assert loud[number, slot] == pytest.approx(norm, rel=1e-5)


def test_exactly_the_messages_that_will_be_dropped_are_not_drawn(busy: Session) -> None:
    whole = loudness(look_at(busy))
    busy.edit(Loss(drop=0.4))
    left = loudness(look_at(busy))
    world = busy.world
    draws = draws_of(world, busy.seed)
    for slot in range(9):
        lost = (draws.word(0, Stream.LOSS + slot) < threshold(0.4)).numpy()
        assert np.isnan(left[lost, slot]).all()
        assert np.array_equal(left[~lost, slot], whole[~lost, slot], equal_nan=True)
    busy.advance()  # the next step drops other messages
    assert not np.array_equal(np.isnan(loudness(look_at(busy))), np.isnan(left))


def inked(rgb: Rgb, theme: Theme) -> np.ndarray:  # type: ignore[type-arg]
    return (rgb != np.array(theme.paper, np.uint8)).any(axis=2)


@pytest.mark.parametrize("detail", [1, 3, 8, 17])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_are_drawn_only_between_neighbours(busy: Session, detail: int, theme: Theme) -> None:
    grey = torch.zeros(1, 7, 9)
    grey[0, 3, 3:5] = 1.0
    world = World.from_images(grey, busy.rule)
    world = world.with_state(torch.full_like(world.state, 2.0))
    rgb = messages(Look(world, busy.rule, NOBODY, theme, detail=detail))
    side = max(3, detail)
    assert rgb.shape == (7 * side, 9 * side, 3)
    ink = inked(rgb, theme)
    middle = round(3.5 * side - 0.5)
    assert ink[middle, 4 * side - side // 2 : 4 * side + side // 2].all()
    ink[3 * side : 4 * side, 3 * side : 5 * side] = False
    assert not ink.any()


def test_a_larger_message_is_drawn_wider_and_with_more_contrast(busy: Session) -> None:
    grey = torch.zeros(1, 5, 5)
    grey[0, 2, 1:4] = 1.0
    world = World.from_images(grey, busy.rule)
    inks = []
    for strength in (0.0, 0.3, 1.0, 5.0):
        state = torch.zeros_like(world.state)
        state[0] = strength
        rgb = messages(Look(world.with_state(state), busy.rule, NOBODY, LIGHT, detail=21))
        # The left half of the middle cell shows the first cell's message.
        half = rgb[2 * 21 : 3 * 21, 2 * 21 : 2 * 21 + 6]
        inks.append(int((255 - half.astype(int)).sum()))
    assert inks == sorted(inks)
    assert len(set(inks)) == 4


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_lightness_of_the_scale_is_monotonic(theme: Theme) -> None:
    rgb = ramp(theme, np.linspace(0, 1, 60)).astype(float)
    light = rgb @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(light)
    assert (steps < 0).all() or (steps > 0).all()
    assert abs(light[-1] - light[0]) > 150
    paper = np.array(theme.paper) @ [0.2126, 0.7152, 0.0722]
    assert abs(light[0] - paper) < abs(light[-1] - paper)


def test_the_scale_maps_every_magnitude_into_the_unit_interval() -> None:
    share = share_of(np.array([0.0, 3.0, 1e9, np.inf]))
    assert share.tolist() == pytest.approx([0.0, 0.5, 1.0, 1.0])


def test_on_a_torus_lines_continue_on_the_opposite_side(busy: Session) -> None:
    grey = torch.zeros(1, 5, 5)
    grey[0, 2, 0] = grey[0, 2, 4] = 1.0
    for torus in (False, True):
        world = World.from_images(grey, busy.rule, grid=Grid(torus=torus))
        world = world.with_state(torch.ones_like(world.state))
        ink = inked(messages(Look(world, busy.rule, NOBODY, LIGHT, detail=9)), LIGHT)
        assert bool(ink[2 * 9 + 4, 0]) is torus
        assert bool(ink[2 * 9 + 4, -1]) is torus


def test_a_huge_world_is_drawn_with_a_bounded_number_of_pixels(busy: Session) -> None:
    world = World.from_images(torch.ones(1, 140, 140), busy.rule)
    rgb = messages(Look(world, busy.rule, NOBODY, LIGHT, detail=40))
    assert rgb.shape[0] * rgb.shape[1] <= 1_100_000


def test_messages_is_one_of_the_views(busy: Session) -> None:
    (view,) = [view for view in VIEWS if view.name == "Messages"]
    assert (view.draw(look_at(busy)) == messages(look_at(busy))).all()
