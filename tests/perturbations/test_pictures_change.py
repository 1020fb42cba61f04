"""Effects of mutate, restart, draw, erase and noise on pictures, cells and states."""

import copy
import itertools

import numpy as np
import pytest
import torch

from swarm_nca.engine import rollout
from swarm_nca.images import Pictures, Source, draw_glyph, glyph_strokes
from swarm_nca.perturbations import Draw, Erase, Mutate, Noise, Restart
from swarm_nca.world import World


def blank(rule, height=28, width=28) -> World:
    return World.from_images(np.zeros((1, height, width), np.float32), rule)


def test_a_mutation_keeps_cells_alive_in_both_pictures_and_zeroes_newborn_ones(world, pictures):
    after = Mutate(images=pictures[[1, 2, 0]], label=5)(world)
    assert after.label.tolist() == [5, 5, 5]
    for number in range(3):
        old, new = world[number], after[number]
        assert torch.equal(new.picture(), torch.from_numpy(pictures[[1, 2, 0]][number]))
        held = dict(zip(old.site.tolist(), old.state, strict=True))
        for site, state in zip(new.site.tolist(), new.state, strict=True):
            assert torch.equal(state, held.get(site, torch.zeros_like(state)))


def test_one_picture_is_used_for_all_worlds_and_centred(world):
    grey = np.ones((4, 4), np.float32)
    after = Mutate(images=grey)(world)
    expected = torch.zeros(12, 16)
    expected[4:8, 6:10] = 1
    assert all(torch.equal(after.picture(number), expected) for number in range(3))
    assert after.label.tolist() == [-1, -1, -1]


def test_labels_of_new_pictures_are_matched_by_class_name(world):
    grey = np.full((3, 5, 5), 0.5)
    after = Mutate(images=Pictures(grey, [0, 1, 2], ("8", "Q", "3")))(world)
    assert after.label.tolist() == [8, -1, 3]


def test_a_source_depends_on_the_seed(rule):
    world = blank(rule)
    mutate = Mutate(images=Source(dataset="strokes", label=2))
    assert torch.equal(mutate(world, seed=1).picture(), mutate(world, seed=1).picture())
    assert not torch.equal(mutate(world, seed=1).picture(), mutate(world, seed=2).picture())
    assert mutate(world).label.tolist() == [2]


def test_a_restart_zeroes_states_and_keeps_the_step(world):
    later = world.with_state(world.state, steps=7)
    after = Restart()(later)
    assert not after.state.any()
    assert after.step.tolist() == [7, 7, 7]
    assert torch.equal(after.site, world.site)


def test_a_random_restart_depends_on_the_seed_and_accepts_pictures(world, pictures):
    restart = Restart(start="random", images=pictures[[2, 0, 1]], label="6")
    after = restart(world, seed=1)
    assert torch.equal(after.state, restart(world, seed=1).state)
    assert not torch.equal(after.state, restart(world, seed=2).state)
    assert 0.8 < after.state.std() < 1.2
    assert after.label.tolist() == [6, 6, 6]
    assert torch.equal(after.picture(0), torch.from_numpy(pictures[2]))


def test_drawing_a_glyph_gives_its_picture(rule):
    for name in "058QT":
        drawn = Draw(glyph=name)(blank(rule)).picture().numpy()
        assert np.abs(drawn - draw_glyph(name)).max() < 0.02


def test_a_glyph_is_drawn_in_the_middle_of_a_larger_canvas(rule):
    drawn = Draw(glyph=4)(blank(rule, 28, 60)).picture().numpy()
    assert np.abs(drawn[:, 16:44] - draw_glyph("4")).max() < 0.02
    assert not drawn[:, :16].any()


def test_single_strokes_add_up_to_the_glyph(rule):
    world = blank(rule)
    for stroke in range(len(glyph_strokes("4"))):
        world = Draw(glyph="4", stroke=stroke)(world)
    whole = Draw(glyph="4")(blank(rule))
    assert (world.picture() - whole.picture()).abs().max() <= 1
    assert torch.equal(world.picture() > 0, whole.picture() > 0)


def test_grey_accumulates_and_living_cells_keep_their_states(world):
    faint = Draw(points=((10, 1), (10, 14)), strength=0.06)
    once = faint(world)
    twice = faint(once)
    assert torch.equal(once.site, world.site)
    assert twice.cells > world.cells
    old = torch.isin(twice[0].site, world[0].site)
    assert torch.equal(twice[0].state[old], world[0].state)
    assert not twice[0].state[~old].any()


def test_erase_removes_a_share_of_the_grey(world):
    after = Erase(points=((5, 5),), radius=3, strength=0.5)(world[0])
    assert after.picture()[5, 5] == pytest.approx(0.4)
    assert after.cells == world[0].cells
    assert Erase(points=((5, 5),), radius=3)(world[0]).cells < world[0].cells


def test_noise_is_normal_with_the_given_strength(rule):
    world = World.from_images(np.ones((1, 60, 60)), rule)
    after = Noise(strength=0.25)(world, seed=4)
    assert float(after.state.std()) == pytest.approx(0.25, rel=0.02)
    assert abs(float(after.state.mean())) < 0.005
    assert torch.allclose(Noise(strength=0.5)(world, seed=4).state, 2 * after.state)
    assert not torch.equal(Noise(strength=0.25)(world, seed=5).state, after.state)


def test_noise_differs_between_steps_and_worlds(world):
    world = world.with_state(torch.zeros_like(world.state))
    noise = Noise(strength=1.0)
    first, later = noise(world), noise(world.with_state(world.state, steps=1))
    assert not torch.equal(first.state, later.state)
    common = torch.isin(first[0].site, first[2].site)
    also = torch.isin(first[2].site, first[0].site)
    assert not torch.equal(first[0].state[common], first[2].state[also])


def test_noise_on_pixels_stays_in_range_and_makes_pixels_alive(world):
    for strength in (0.3, 5.0):
        after = Noise(strength=strength, target="pixels")(world)
        grey = after.canvas.grey
        assert 0 <= float(grey.min()) <= float(grey.max()) <= 1
        assert after.cells > world.cells


def test_different_uses_of_noise_have_independent_draws(rule):
    """With equal seed, key, sites and step: a start, the noise of a step, and both targets."""
    grey = np.full((1, 40, 40), 0.5, np.float32)
    world, quiet = World.from_images(grey, rule), copy.deepcopy(rule)
    for weight in quiet.parameters():
        weight.zero_()
    states = {
        "start": World.from_images(grey, rule, start="random", seed=7).state,
        "step": rollout(world, quiet, 1, seed=7, fire_rate=1.0, noise=1.0).state,
        "states": Noise(strength=1.0)(world, seed=7).state,
        "pixels": Noise(strength=0.1, target="pixels")(world, seed=7).canvas.grey[:, None] - 0.5,
    }
    for (one, a), (other, b) in itertools.combinations(states.items(), 2):
        between = torch.corrcoef(torch.cat([a, b], 1).T)[: a.shape[1], a.shape[1] :]
        assert float(between.abs().max()) < 0.2, f"{one} and {other} share draws"


def test_pictures_and_pens_are_refused_on_graphs(rule):
    import networkx as nx

    from swarm_nca.topologies import number_slots

    world = World.from_graph(number_slots(nx.cycle_graph(5)), rule)
    for perturbation in (Draw(points=((1, 1),)), Noise(strength=1, target="pixels")):
        with pytest.raises(ValueError, match="is on a graph"):
            perturbation(world)


def test_the_caption_names_a_mutation_into_the_same_picture(rule):
    first, again = (Source(dataset="strokes", label=7, index=index) for index in (None, 1))
    world = Mutate(images=first)(blank(rule), seed=3)
    for images, words in ((first, "7 → 7, same picture"), (again, "7 → 7")):
        mutate = Mutate(images=images)
        assert mutate.what(world, mutate(world, seed=3)) == words
