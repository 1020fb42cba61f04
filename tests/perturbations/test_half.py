"""Mutations of one half of a picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from swarm_nca.images import Pictures, Source
from swarm_nca.images.compose import chimera
from swarm_nca.perturbations import Mutate
from swarm_nca.rules import Rule
from swarm_nca.world import World

INSIDE = {
    "left": np.s_[:, :8],
    "right": np.s_[:, 8:],
    "top": np.s_[:6],
    "bottom": np.s_[6:],
}


@pytest.mark.parametrize("side", INSIDE)
def test_one_half_changes_and_surviving_cells_keep_their_states(
    world: World, pictures: np.ndarray, side: str
) -> None:
    new = pictures[[1, 2, 0]]
    after = Mutate(images=new, half=side)(world)  # type: ignore[arg-type]
    for number in range(3):
        expected = pictures[number].copy()
        expected[INSIDE[side]] = new[number][INSIDE[side]]
        assert (after.picture(number).numpy() == expected).all()
        held = dict(zip(world[number].site.tolist(), world[number].state, strict=True))
        for site, state in zip(after[number].site.tolist(), after[number].state, strict=True):
            assert torch.equal(state, held.get(site, torch.zeros_like(state)))


def test_on_a_canvas_of_odd_size_the_middle_does_not_change(rule: Rule) -> None:
    world = World.from_images(np.full((1, 3, 5), 0.5), rule)
    assert Mutate(images=np.ones((3, 5)), half="left")(world).picture()[0].tolist() == [
        *(1.0, 1.0),
        *(0.5, 0.5, 0.5),
    ]
    assert Mutate(images=np.ones((3, 5)), half="bottom")(world).picture()[:, 0].tolist() == [
        *(0.5, 0.5),
        1.0,
    ]


def test_a_right_half_gives_the_chimera_of_a_source(rule: Rule) -> None:
    three, five = (
        Pictures(np.random.default_rng(seed).random((1, 28, 28))).grey[0] for seed in (3, 5)
    )
    world = World.from_images([three], rule)
    after = Mutate(images=five, half="right")(world)
    assert (after.picture().numpy() == chimera(three, five)).all()


def test_the_label_is_unknown_unless_both_pictures_share_it(rule: Rule) -> None:
    world = World.from_images(np.zeros((3, 28, 28)), rule, labels=[3, 5, -1])
    three = Mutate(images=Source(dataset="strokes", label=3), half="top")
    assert three(world).label.tolist() == [3, -1, -1]
    assert three.what(world, three(world)) == "3, 5, ? → 3, ?, top half"
    unknown = Mutate(images=np.zeros((28, 28)), half="top")
    assert unknown(world).label.tolist() == [-1, -1, -1]
    labelled = Mutate(images=Source(dataset="strokes", label=3), half="top", label="8")
    assert labelled(world).label.tolist() == [8, 8, 8]
