"""Life-like rules equal an oracle on sets, on both backends."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import swarm_nca as sn
from swarm_nca.engine import LatticeStepper, rollout, stepper

Cells = set[tuple[int, int]]

GLIDER = {(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)}
R_PENTOMINO = {(0, 1), (0, 2), (1, 0), (1, 1), (2, 1)}
GUN = """
........................#...........
......................#.#...........
............##......##............##
...........#...#....##............##
##........#.....#...##..............
##........#...#.##....#.#...........
..........#.....#.......#...........
...........#...#....................
............##......................
"""


def oracle(cells: Cells, torus: int | None, born: str = "3", stays: str = "23") -> Cells:
    """One step on sets of (row, column): unbounded, or on a torus of that side."""
    count: dict[tuple[int, int], int] = {}
    for row, column in cells:
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            if down or right:
                place = row + down, column + right
                if torus is not None:
                    place = place[0] % torus, place[1] % torus
                count[place] = count.get(place, 0) + 1
    everywhere = set(count) | cells
    return {
        place
        for place in everywhere
        if str(count.get(place, 0)) in (stays if place in cells else born)
    }


def board(cells: Cells, side: int, shift: int = 0) -> np.ndarray:
    grey = np.zeros((side, side), np.float32)
    for row, column in cells:
        grey[row + shift, column + shift] = 1.0
    return grey


def alive(world: sn.World, index: int = 0, shift: int = 0) -> Cells:
    image = world.readout.image(world, index)
    assert image.dtype == bool
    return {(int(row) - shift, int(column) - shift) for row, column in np.argwhere(image)}


def test_all_512_neighbourhoods_follow_the_rule() -> None:
    life = sn.make_rule(kind="life", rule="B3/S23")
    patches = np.array(list(itertools.product((0.0, 1.0), repeat=9)), np.float32)
    messages = torch.from_numpy(patches)[:, :, None]
    expected = []
    for patch in patches:
        own, others = patch[4], patch.sum() - patch[4]
        expected.append(others == 3 or (own and others == 2))
    answer = life(torch.zeros(512, 0), messages)
    assert answer[:, 0].tolist() == [float(one) for one in expected]
    world = sn.World.from_images(patches.reshape(-1, 3, 3), life)
    assert isinstance(stepper(world, life), LatticeStepper)
    stepped = rollout(world, life, 1)
    assert [bool(stepped.readout.image(stepped, n)[1, 1]) for n in range(512)] == expected


@pytest.mark.parametrize("fire_rate", [None, 0.999999999])
@pytest.mark.parametrize("torus", [False, True])
def test_a_glider_equals_the_oracle(torus: bool, fire_rate: float | None) -> None:
    """A fire rate just below 1 selects the gather backend."""
    life, side = sn.Life(), 9
    start = sn.World.from_images([board(GLIDER, side)], life, grid=sn.Grid(torus=torus))
    cells = set(GLIDER)
    running = stepper(start, life, fire_rate=fire_rate)
    for _ in range(20 if not torus else 50):
        running.step()
        cells = oracle(cells, side if torus else None)
        if not torus and any(max(place) >= side - 2 for place in cells):
            break
        assert alive(running.world()) == cells


def test_a_glider_gun_equals_the_oracle() -> None:
    gun = {
        (row, column)
        for row, line in enumerate(GUN.strip().splitlines())
        for column, letter in enumerate(line)
        if letter == "#"
    }
    life, side, shift = sn.Life(), 100, 20
    world = sn.World.from_images([board(gun, side, shift)], life)
    cells = set(gun)
    for _ in range(90):
        cells = oracle(cells, None)
    assert len(cells) > len(gun) + 10
    assert alive(rollout(world, life, 90), shift=shift) == cells


def test_the_r_pentomino_reaches_its_116_cells_at_step_1103() -> None:
    life, side, shift = sn.Life(), 600, 300  # its gliders stay inside
    world = rollout(sn.World.from_images([board(R_PENTOMINO, side, shift)], life), life, 1_103)
    cells = set(R_PENTOMINO)
    for _ in range(1_103):
        cells = oracle(cells, None)
    assert len(cells) == 116
    assert alive(world, shift=shift) == cells


@pytest.mark.parametrize("rule", ["B36/S23", "B2/S", "B1357/S1357", "B3/S012345678"])
@pytest.mark.parametrize("torus", [False, True])
def test_both_backends_equal_the_oracle_under_any_rule(rule: str, torus: bool) -> None:
    life, side = sn.make_rule(kind="life", rule=rule), 11
    grey = np.random.default_rng(0).random((1, side, side)) < 0.4
    cells = {(int(r), int(c)) for r, c in np.argwhere(grey[0])}
    world = sn.World.from_images(grey.astype(np.float32), life, grid=sn.Grid(torus=torus))
    swept, gathered = rollout(world, life, 6), rollout(world, life, 6, fire_rate=1 - 1e-12)
    born, stays = rule[1:].split("/S")
    for _ in range(6):
        cells = oracle(cells, side if torus else None, born, stays)
        if not torus:
            cells = {(r, c) for r, c in cells if 0 <= r < side and 0 <= c < side}
    assert alive(swept) == cells
    assert torch.equal(swept.state, gathered.state)


@pytest.mark.parametrize("size", [(1, 6), (6, 1), (1, 1), (3, 5)], ids=str)
def test_both_backends_agree_on_the_smallest_tori(size: tuple[int, int]) -> None:
    for rule in (sn.make_rule(kind="life", rule="B12/S1"), sn.Elementary(150)):
        grey = np.random.default_rng(3).random((8, *size)) < 0.5
        world = sn.World.from_images(grey.astype(np.float32), rule, grid=sn.Grid(torus=True))
        swept, gathered = rollout(world, rule, 3), rollout(world, rule, 3, fire_rate=1 - 1e-12)
        assert torch.equal(swept.state, gathered.state), rule


def test_the_text_of_a_rule_is_normalised() -> None:
    assert sn.Life("b63/s32").settings() == {"rule": "B36/S23"}
    assert sn.Life("B3/S23").hash() == sn.Life().hash() != sn.Life("B36/S23").hash()


@pytest.mark.parametrize("wrong", ["B3", "23/3", "B9/S23", "", 3, None])
def test_invalid_rules_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"births and survivals, such as B3/S23; got"):
        sn.make_rule(kind="life", rule=wrong)


def test_drawing_makes_cells_alive_and_erasing_kills_them() -> None:
    life = sn.Life()
    world = sn.World.from_images([np.zeros((3, 3))], life)
    drawn = world.draw(torch.tensor([0, 4]), 1.0)
    assert alive(drawn) == {(0, 0), (1, 1)}
    assert alive(drawn.draw(torch.tensor([8]), 0.3)) == {(0, 0), (1, 1)}
    assert alive(drawn.erase(torch.tensor([0]))) == {(1, 1)}
    assert not alive(world)
