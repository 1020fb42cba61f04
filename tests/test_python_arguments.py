"""Public functions accept unusual numbers and arrays, or refuse them with a clear error.

Each argument gets each unusual value once. The function may accept the value, or raise a one-line
`ValueError` (`IndexError` or `KeyError` if documented).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

import swarm_nca as sn
from swarm_nca.topologies import number_slots

P = sn.perturbations


class Unreadable:
    """An object whose conversions to an array and to an index fail."""

    def __array__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("no array\nfor you")

    def __index__(self) -> int:
        raise KeyError("no index")


def rule_of(*names: str) -> sn.Rule:
    generator = torch.Generator().manual_seed(1)
    rule = sn.Mlp(sn.Classes.named(*names), hidden=(8, 8), generator=generator)
    torch.nn.init.normal_(rule.output, std=0.05, generator=generator)
    return rule.requires_grad_(False)


RULE = rule_of("a", "b", "c")
PICTURE = np.zeros((6, 6), np.float32)
PICTURE[1:5, 2:4] = 0.8
WORLD = sn.World.from_images([PICTURE] * 2, RULE, labels=[1, 2])
ALONE = sn.World.from_images([PICTURE], RULE)
NODES = number_slots(nx.cycle_graph(4))
GRAPH = sn.World.from_graph(NODES, RULE)
SWARM = sn.Swarm(ALONE, RULE)
AGENT = SWARM.agent_at((1, 2))
CELLS, CHANNELS = WORLD.state.shape


def unusual_values(shape: tuple[int, ...]) -> Iterator[Any]:
    """Arrays of a shape and other values for which some library raises an unexpected error."""
    zeros, array = torch.zeros(shape), np.zeros(shape)
    yield from (zeros.to_sparse(), torch.empty(shape, device="meta"), zeros + 1j, zeros.bfloat16())
    yield from (zeros.clone().requires_grad_(True), zeros.to(torch.float8_e4m3fn), zeros > 1)
    yield from (array + 1j, array.astype(np.float16), array.astype(">f4"), array.astype(">i4"))
    yield from (array.astype(np.longdouble), array.astype("M8[s]"), array > 1, array + 0.5)
    yield from (np.full(shape, None), np.full(shape, 10**30, object), np.full(shape, "a"))
    yield from (np.full(shape, 2**64 - 1, np.uint64), np.full(shape, 3, np.uint16))
    yield from (array * math.nan, np.ma.masked_array(array, np.ones(shape, bool)), np.zeros(0))
    yield from (np.zeros((1, 2, 3)), np.complex64(1j), np.True_, torch.tensor(1.0), Fraction(1, 2))
    yield from (1.5, -1, True, 2**63, 10**400, math.nan, math.inf, None, object(), Unreadable())
    yield from (
        "abc",
        b"abc",
        {"a": 1},
        {1, "a"},
        [],
        [[1, 2], [3]],
        [None],
        [1j],
        (i for i in "a"),
    )
    yield from ([torch.zeros(2).to_sparse()], [[1, 2]], int, len)


def with_images(**others: Any) -> sn.World:
    return sn.World.from_images([PICTURE] * 2, RULE, **others)


def assign(holder: object, name: str, value: Any) -> None:
    setattr(holder, name, value)


def limited_steps(steps: Any) -> Any:
    """The number of steps, or 1.5 instead of a number that would take too long."""
    return steps if not isinstance(steps, int) or steps < 10 else 1.5


#: By name: a function of the value, and the shape of a possibly valid array.
TAKERS: dict[str, tuple[Callable[[Any], object], tuple[int, ...]]] = {
    "from_images images": (lambda v: sn.World.from_images(v, RULE), (2, 6, 6)),
    "from_images picture": (lambda v: sn.World.from_images([v], RULE), (6, 6)),
    "from_images labels": (lambda v: with_images(labels=v), (2,)),
    "from_images keys": (lambda v: with_images(keys=v), (2,)),
    "from_images fire_rate": (lambda v: with_images(fire_rate=v), ()),
    "from_images noise": (lambda v: with_images(noise=v), ()),
    "from_images seed": (lambda v: with_images(seed=v, start="random"), ()),
    "from_graph stimulus": (lambda v: sn.World.from_graph(NODES, RULE, stimulus=v), (4, 9)),
    "from_graph label": (lambda v: sn.World.from_graph(NODES, RULE, label=v), ()),
    "from_graph key": (lambda v: sn.World.from_graph(NODES, RULE, key=v), ()),
    "with_state": (lambda v: WORLD.with_state(v), (CELLS, CHANNELS)),
    "with_state steps": (lambda v: WORLD.with_state(WORLD.state, v), ()),
    "relabeled": (lambda v: WORLD.relabeled(v), (2,)),
    "repictured": (lambda v: WORLD.repictured(v), (2, 6, 6)),
    "draw site": (lambda v: WORLD.draw(v, 0.5), (2,)),
    "draw sites as a picture": (lambda v: WORLD.draw(v, 0.5), (6, 6)),
    "draw grey": (lambda v: WORLD.draw([1, 2], v), (2,)),
    "draw world": (lambda v: WORLD.draw([1], 0.5, v), ()),
    "erase site": (lambda v: WORLD.erase(v), (2,)),
    "erase share": (lambda v: WORLD.erase([1, 2], v), (2,)),
    "erase nodes": (lambda v: GRAPH.erase(v), (4,)),
    "select": (lambda v: WORLD.select(v), (2,)),
    "by_key": (lambda v: WORLD.by_key(v), (2,)),
    "picture": (lambda v: WORLD.picture(v), ()),
    "rollout steps": (lambda v: sn.rollout(WORLD, RULE, limited_steps(v)), ()),
    "rollout seed": (lambda v: sn.rollout(WORLD, RULE, 1, v), ()),
    "rollout fire_rate": (lambda v: sn.rollout(WORLD, RULE, 1, fire_rate=v), ()),
    "rollout noise": (lambda v: sn.rollout(WORLD, RULE, 1, noise=v), ()),
    "trajectory steps": (lambda v: sn.trajectory(WORLD, RULE, v), ()),
    "Links drop": (lambda v: sn.Links(v), ()),
    "Grid neighborhood": (lambda v: sn.Grid(v), ()),
    "Swarm seed": (lambda v: sn.Swarm(ALONE, RULE, v), ()),
    "Swarm engine": (lambda v: sn.Swarm(ALONE, RULE, engine=v), ()),
    "Swarm at": (lambda v: sn.Swarm(ALONE, RULE, perturbations=[(v, lambda w, seed: w)]), ()),
    "Swarm draw": (lambda v: sn.Swarm(ALONE, RULE).draw(v), (1, 2)),
    "agent_at": (lambda v: SWARM.agent_at(v), (2,)),
    "agent state": (lambda v: assign(AGENT, "state", v), (CHANNELS,)),
    "agent inbox": (lambda v: assign(AGENT, "inbox", v), ()),
    "agent message": (lambda v: assign(AGENT, "inbox", {1: v}), (CHANNELS,)),
    "Noise at": (lambda v: P.Noise(strength=0.1, at=v)(WORLD), ()),
    "Noise world": (lambda v: P.Noise(strength=0.1, world=v)(WORLD), ()),
    "Noise strength": (lambda v: P.Noise(strength=v)(WORLD), ()),
    "Noise seed": (lambda v: P.Noise(strength=0.1)(WORLD, v), ()),
    "Damage center": (lambda v: P.Damage(shape="disc", center=v, radius=2)(WORLD), (2,)),
    "Damage radius": (lambda v: P.Damage(shape="disc", center=(2, 2), radius=v)(WORLD), ()),
    "Damage size": (lambda v: P.Damage(shape="rectangle", corner=(2, 2), size=v)(WORLD), (2,)),
    "Draw points": (lambda v: P.Draw(points=v)(WORLD), (3, 2)),
    "Draw stroke": (lambda v: P.Draw(glyph=7, stroke=v)(WORLD), ()),
    "Draw radius": (lambda v: P.Draw(points=((2, 2),), radius=v)(WORLD), ()),
    "Erase points": (lambda v: P.Erase(points=v)(WORLD), (3, 2)),
    "Erase strength": (lambda v: P.Erase(points=((2, 2),), strength=v)(WORLD), ()),
    "Loss drop": (lambda v: P.Loss(drop=v)(WORLD), ()),
    "Rates fire_rate": (lambda v: P.Rates(fire_rate=v)(WORLD), ()),
    "Rates noise": (lambda v: P.Rates(noise=v)(WORLD), ()),
    "Mutate images": (lambda v: P.Mutate(images=v)(WORLD), (2, 6, 6)),
    "Mutate image": (lambda v: P.Mutate(images=v)(WORLD), (6, 6)),
    "Restart images": (lambda v: P.Restart(images=v)(WORLD), (6, 6)),
    "Pictures": (lambda v: sn.images.Pictures(v), (2, 6, 6)),
    "Pictures labels": (lambda v: sn.images.Pictures([PICTURE] * 2, v, ("a", "b")), (2,)),
    "Pictures canvas": (lambda v: sn.images.Pictures([PICTURE]).centred_on(v), (2,)),
    "Pictures index": (lambda v: sn.images.Pictures([PICTURE] * 2)[v], (2,)),
    "find_metric": (lambda v: sn.metrics.find_metric(v), ()),
    "steps_to_agreement": (lambda v: sn.metrics.steps_to_agreement(v), (3, 2)),
    "number_slots": (lambda v: number_slots(nx.cycle_graph(4), v), ()),
}

#: Look-ups, which raise IndexError or KeyError like Python's containers.
LOOKUPS = {"select", "by_key", "picture", "Pictures index"}


@pytest.mark.parametrize("name", TAKERS)
def test_unusual_arguments_are_accepted_or_refused_in_one_line(name: str) -> None:
    take, shape = TAKERS[name]
    allowed = (ValueError, IndexError, KeyError) if name in LOOKUPS else (ValueError,)
    for value in unusual_values(shape):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch warns about beta features
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            message = ""
            try:
                take(value)
            except allowed as refused:
                message = str(refused)
            assert "\n" not in message, value


def test_complex_numbers_are_always_refused() -> None:
    for name, (take, shape) in TAKERS.items():
        for value in (np.zeros(shape) + 1j, torch.zeros(shape) + 1j):
            refused = False
            try:
                take(value)
            except ValueError:
                refused = True
            assert refused, f"{name} takes complex numbers"


def test_masked_arrays_are_refused() -> None:
    gaps = np.ma.masked_array(np.zeros((2, 6, 6)), np.ones((2, 6, 6), bool))
    for take in (TAKERS["from_images images"][0], TAKERS["Pictures"][0], TAKERS["repictured"][0]):
        with pytest.raises(ValueError, match="masked"):
            take(gaps)
