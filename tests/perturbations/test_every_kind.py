"""Properties of every perturbation in the table."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

from swarm_nca.engine import rollout
from swarm_nca.images import Source
from swarm_nca.links import Links
from swarm_nca.perturbations import (
    KINDS,
    Area,
    Damage,
    Draw,
    Erase,
    Immigrants,
    Loss,
    Mutate,
    Noise,
    Rates,
    Restart,
    Stuck,
)
from swarm_nca.rules import Mlp
from swarm_nca.swarm import Swarm
from swarm_nca.swarm.engines import ENGINES
from swarm_nca.world import World
from swarm_nca.world.fields import NEWBORN


def other_rule():
    generator = torch.Generator().manual_seed(5)
    rule = Mlp(hidden=(6, 5), generator=generator)
    torch.nn.init.normal_(rule.output, std=0.1, generator=generator)
    return rule.requires_grad_(False)


EXAMPLES = {
    "mutate": {"images": Source(dataset="strokes", label=3, scale=0.4), "label": 3},
    "restart": {"start": "random"},
    "damage": {"shape": "rectangle", "corner": (3, 3), "size": (4, 5)},
    "draw": {"points": ((1, 1), (10, 14)), "label": 7},
    "erase": {"points": ((5, 0), (5, 15)), "radius": 1.5},
    "noise": {"strength": 0.3},
    "loss": {"drop": 0.4},
    "rates": {"fire_rate": 0.25, "noise": 0.1},
    "translate": {"by": (2, -1.5)},
    "rotate": {"degrees": 30},
    "scale": {"factor": 0.7},
    "stretch": {"by": (0.6, 1.3)},
    "thicken": {"width": 1.5},
    "thin": {"width": 1.5},
    "invert": {},
    "silence": {"share": 0.2},
    "freeze": {"cells": Area(shape="half", side="left")},
    "stuck": {"share": 0.2},
    "liar": {"share": 0.2, "label": 3},
    "kill": {"share": 0.3},
    "heal": {},
    "immigrants": {"share": 0.5, "rule": other_rule()},
    "natives": {},
    "cut": {"share": 0.4},
    "rewire": {"share": 0.4},
    "set": {"links": Links(0.3, delay=2, bits=8), "fire_rate": 0.9},
}

#: Kinds that change fields shared by all worlds of a batch.
SHARED = {"loss", "rates", "set"}


def same(a, b) -> bool:
    return (
        torch.equal(a.state, b.state)
        and torch.equal(a.site, b.site)
        and torch.equal(a.stimulus, b.stimulus)
        and torch.equal(a.label, b.label)
        and all(getattr(a, name) == getattr(b, name) for name in a.SHARED)
        and torch.equal(a.neighbors, b.neighbors)
        and all(torch.equal(*held) for held in fields_of(a, b))
    )


def fields_of(a, b):
    """The further fields of both, with blanks where one lacks them."""
    held = a.cell_fields, b.cell_fields
    for name in held[0].keys() | held[1].keys():
        like = held[0].get(name, held[1].get(name))
        blank = torch.full_like(like, NEWBORN.get(name, 0))
        yield held[0].get(name, blank), held[1].get(name, blank)


def assert_near(a, b) -> None:
    """Sums of rows in another order differ in their last bits."""
    torch.testing.assert_close(a.state, b.state, rtol=0, atol=1e-5)
    for one, other in fields_of(a, b):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
    bare = {"cell_fields": {}, "state": torch.zeros_like(b.state)}
    assert same(replace(a, **bare), replace(b, **bare))


def prepared(kind, world):
    """The world, with faults if the kind ends them."""
    return ENDS[kind](world) if kind in ENDS else world


#: Kinds that end what another kind begins.
ENDS = {"heal": Stuck(share=0.5), "natives": Immigrants(share=0.5, rule=other_rule())}


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return request.param


def test_every_kind_has_an_example_and_a_unique_name():
    assert EXAMPLES.keys() == KINDS.keys()
    for name, made in KINDS.items():
        assert made(**EXAMPLES[name]).kind == name


def test_a_perturbation_returns_a_changed_world_and_keeps_the_given_one(kind, world):
    world = prepared(kind, world)
    before = world.state.clone(), world.canvas.grey.clone()
    fields = {name: values.clone() for name, values in world.cell_fields.items()}
    after = KINDS[kind](**EXAMPLES[kind])(world, seed=5)
    assert not same(after, world)
    assert torch.equal(world.state, before[0])
    assert torch.equal(world.canvas.grey, before[1])
    assert fields.keys() == world.cell_fields.keys()
    assert all(torch.equal(world.cell_fields[name], fields[name]) for name in fields)


def test_the_effect_is_the_same_in_a_batch_and_alone(kind, world):
    perturbation = KINDS[kind](**EXAMPLES[kind])
    together = perturbation(world, seed=5).split()
    for number, one in enumerate(world.split()):
        assert same(perturbation(one, seed=5), together[number])


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - SHARED))
def test_a_perturbation_changes_only_the_named_world(kind, world):
    everywhere = KINDS[kind](**EXAMPLES[kind])(world, seed=5).split()
    after = KINDS[kind](**EXAMPLES[kind], world=1)(world, seed=5).split()
    assert same(after[1], everywhere[1])
    world = replace(world, guests=after[1].guests)  # worlds of a batch share them
    assert same(after[0], world[0])
    assert same(after[2], world[2])


def test_keys_and_steps_do_not_change(kind, world):
    world = world.with_state(world.state, steps=9)
    after = KINDS[kind](**EXAMPLES[kind])(world, seed=5)
    assert torch.equal(after.key, world.key)
    assert torch.equal(after.step, world.step)


def test_perturbations_are_frozen_and_have_short_captions(kind, world):
    perturbation = KINDS[kind](**EXAMPLES[kind])
    with pytest.raises(FrozenInstanceError):
        perturbation.at = 3
    said = perturbation.what(world, perturbation(world))
    assert said
    assert "\n" not in said
    assert len(said) < 60


@pytest.mark.parametrize("kind", sorted(SHARED))
def test_shared_fields_cannot_be_changed_for_one_world(kind):
    assert KINDS[kind].SHARED
    with pytest.raises(ValueError, match=f"share what '{kind}' changes; leave out world"):
        KINDS[kind](**EXAMPLES[kind], world=0)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - SHARED))
def test_an_unknown_world_number_is_refused(kind, world):
    with pytest.raises(ValueError, match=r"from 0 to 2.*got 3"):
        KINDS[kind](**EXAMPLES[kind], world=3)(world)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_fractional_steps_and_worlds_are_refused(kind, world):
    for at in (1.5, 2.0, True, "3", None, [1], 1 << 34):
        with pytest.raises(ValueError, match="at must be "):
            KINDS[kind](**EXAMPLES[kind], at=at)
    assert KINDS[kind](**EXAMPLES[kind], at=np.int64(3)).at == 3
    for number in (0.5, 1.0, True, "0"):
        with pytest.raises(ValueError, match="world"):
            KINDS[kind](**EXAMPLES[kind], world=number)


def test_numbers_of_any_library_are_accepted(world):
    plain = Damage(shape="disc", center=(2, 3), radius=2.0)
    for center in ([2, 3], np.array([2, 3]), torch.tensor([2, 3], dtype=torch.int8)):
        for radius in (np.float16(2), torch.tensor(2.0)):
            same = Damage(shape="disc", center=center, radius=radius)
            assert torch.equal(same(world).state, plain(world).state)
            assert same.what(world, world) == plain.what(world, world)
    line = ((2.0, 2.0), (5.0, 3.5))
    drawn = Draw(points=line)(world)
    for points in (np.array(line), torch.tensor(line), [list(point) for point in line]):
        same = Draw(points=points)
        assert same.points == line
        assert torch.equal(same(world).canvas.grey, drawn.canvas.grey)


def test_complex_pictures_are_refused(world):
    picture = np.full(tuple(world.picture().shape), 0.5) + 0.25j
    for images in (picture, picture[None], [picture], torch.from_numpy(picture)):
        for kind in (Mutate, Restart):
            with pytest.raises(ValueError, match="must be real, got complex"):
                kind(images=images)(world)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Noise(strength=1j), "strength must be real, got complex"),
        (lambda: Noise(strength="1"), "strength must be a number, got '1'"),
        (lambda: Draw(glyph=7, stroke=0.5), "stroke must be a whole number"),
        (lambda: Draw(points=[[1, 2j]]), r"points\[0\]\[1\] must be real, got complex"),
        (lambda: Restart(at=-1), "at must be at least 0, got -1"),
        (lambda: Restart(world=-2), "world must be at least 0, got -2"),
        (lambda: Restart(start="zeroes", at=1000), r"start.*zeroes.*did you mean 'zeros'"),
        (lambda: Damage(shape="disk"), "shape must be one of disc, half, rectangle"),
        (lambda: Damage(shape="disc", center=(1, 1)), "'disc' needs center and radius"),
        (lambda: Damage(shape="disc", center=(1, 1), radius=-4), "radius must be above 0"),
        (
            lambda: Damage(shape="disc", center=(1, np.nan), radius=4),
            r"center\[1\] must be a finite",
        ),
        (lambda: Damage(shape="disc", center=(14,), radius=4), r"center must be a pair.*\(14,\)"),
        (lambda: Damage(shape="disc", center=14, radius=4), "center must be a pair.*got 14"),
        (lambda: Damage(shape="rectangle", corner=(1, 2, 3), size=(1, 1)), "corner must be a pair"),
        (lambda: Damage(shape="rectangle", corner=(1, 2), size=(1,)), "size must be a pair"),
        (lambda: Damage(shape="half", side="left", radius=2), "radius does not go with shape"),
        (lambda: Damage(shape="half", side="left", target="cells"), "states or pixels"),
        (
            lambda: Damage(shape="rectangle", corner=(0, 0), size=(0, 3)),
            r"size\[0\].* above 0",
        ),
        (lambda: Draw(), "either points"),
        (lambda: Draw(points=((1, 1),), glyph="4"), "either points"),
        (lambda: Draw(points=()), "at least one"),
        (lambda: Draw(points=((1, 2), (3,))), r"points\[1\] must be a pair.*\(3,\)"),
        (lambda: Draw(points=((1, 1),), stroke=0), "stroke counts the strokes of a glyph"),
        (lambda: Draw(points=((1, 1),), radius=0), "radius must be above 0"),
        (lambda: Erase(points=((1, 1),), strength=1.5), "strength must be at most 1, got 1.5"),
        (lambda: Noise(strength=0), "strength must be above 0"),
        (lambda: Noise(strength=1, target="links"), "states or pixels"),
        (lambda: Loss(drop=1.1), "drop must be at most 1, got 1.1"),
        (lambda: Rates(), "rates need fire_rate, noise or both"),
        (lambda: Rates(fire_rate=1.5), "fire_rate must be at most 1, got 1.5"),
        (lambda: Rates(fire_rate=np.nan), "fire_rate must be a finite number, got nan"),
        (lambda: Rates(noise=-0.1), "noise must be at least 0, got -0.1"),
        (lambda: Mutate(images=np.zeros((2, 2)), half="upper"), "half must be one of left, right"),
    ],
)
def test_invalid_arguments_are_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("perturbation", "message"),
    [
        (
            Damage(shape="disc", center=(40, 40), radius=2),
            "nothing of the canvas of 12 × 16",
        ),
        (Draw(points=((-9, -9),)), "misses the canvas of 12 × 16"),
        (Draw(glyph="4", stroke=2), "stroke must be 0 to 1 for '4', got 2"),
        (Draw(glyph="ä"), "there is no glyph for 'ä'"),
        (Draw(points=((1, 1),), label="ten"), "label 'ten' is no class: give 0–9, −1 for unknown"),
        (Draw(points=((1, 1),), label=11), "label 11 is no class"),
        (Mutate(images=Source(dataset="strokes", label=3)), "28×28 pixels does not fit"),
        (Mutate(images=np.zeros((2, 12, 16))), "for each of 3 worlds; got 2"),
    ],
)
def test_unfit_worlds_are_refused_with_the_cure(world, perturbation, message):
    with pytest.raises(ValueError, match=message):
        perturbation(world)


@pytest.mark.parametrize("kind", [Mutate, Restart])
def test_perturbations_with_pictures_compare_by_identity(kind):
    one, two = (kind(images=np.ones((2, 3, 3))) for _ in range(2))
    assert one != two
    assert {one, two, one} == {one, two}
    assert kind(images=Source(glyph=1)) != kind(images=Source(glyph=2))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_agents_equal_the_batch_through_every_kind(kind):
    generator = torch.Generator().manual_seed(2)
    rule = Mlp(hidden=(8,), generator=generator)
    torch.nn.init.normal_(rule.output, std=0.05, generator=generator)
    rule = rule.double().requires_grad_(False)
    grey = np.zeros((12, 16))
    grey[3, 3:12] = grey[4:9, 5] = 0.7
    start = World.from_images([grey], rule, labels=[7], links=Links(0.1)).restarted("random", 3)
    changes = [KINDS[kind](**EXAMPLES[kind], at=6)]
    if kind in ENDS:
        changes = [replace(ENDS[kind], at=3), *changes]
    both = [Swarm(start, rule, 8, engine, changes, model_reporters={}) for engine in ENGINES]
    for _ in range(10):
        for swarm in both:
            swarm.step()
        np.testing.assert_allclose(both[0].states, both[1].states, rtol=0, atol=1e-9)
    assert not torch.equal(both[0].world.state, rollout(start, rule, 10, seed=8).state)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_selected_and_joined_worlds_go_on_as_in_the_batch(kind, world):
    rule = Mlp(generator=torch.Generator().manual_seed(2))
    torch.nn.init.normal_(rule.output, std=0.05, generator=torch.Generator().manual_seed(3))
    rule.requires_grad_(False)
    perturbed = KINDS[kind](**EXAMPLES[kind])(prepared(kind, world), seed=5)
    later = rollout(perturbed, rule, 3, seed=1)
    order = [2, 0, 1]
    moved = World.join([later[number] for number in order])
    through = rollout(later, rule, 4, seed=1)
    assert_near(rollout(moved, rule, 4, seed=1), through.select(order))
    assert_near(rollout(World.join(later.split()), rule, 4, seed=1), through)
    assert_near(rollout(later.unpacked(later.packed()), rule, 4, seed=1), through)


def test_immigrants_of_another_shape_are_refused_at_once(world):
    with pytest.raises(
        ValueError, match=r"this world has .* = \(19, 9, 9\), .* needs \(16, 9, 0\)"
    ):
        Immigrants(share=0.1, rule="growing-grow")(world)
