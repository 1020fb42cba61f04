"""Both engines of the page take the same steps as the Python engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

import swarm_nca as sn
from swarm_nca.engine.gather import Stepper
from swarm_nca.export.picture_code import encoded
from swarm_nca.rules import Mlp, Quantized, Rule

ENGINES = {"javascript": "JavaScript", "webgl": "WebGL2"}
#: A seed in the middle grows to every border in these steps.
STEPS, ROWS, COLUMNS = 10, 12, 15


def busy(**settings: Any) -> Rule:
    """An untrained rule whose output layer has weights, so that cells act."""
    generator = torch.Generator().manual_seed(7)
    make = Mlp.growing if settings.pop("growing", False) else Mlp
    rule = make(generator=generator, **settings)
    with torch.no_grad():
        for name, weight in rule.named_parameters():
            if name.startswith("output") or name.endswith("bias"):
                weight.normal_(std=0.05, generator=generator)
    return rule.requires_grad_(False)


def halved(rule: Rule) -> Rule:
    """The rule with its weights rounded to float16."""
    for weight in rule.parameters():
        weight.data = weight.data.half().float()
    return rule


#: Few hidden units: the time goes into the compilation of shaders, which have a statement for every
#: four rows of weights. Numbers of outputs above 16 need more than one draw.
RULES: dict[str, Callable[[], Rule]] = {
    "digits": lambda: sn.load_rule("digits"),
    "ring": lambda: busy(hearing="ring", hidden=(18, 9, 6), free_channels=7),
    "sobel": lambda: busy(hearing="sobel", hidden=(14,), free_channels=2, angle=30.0),
    "bits": lambda: Quantized(
        hidden=(9, 6),
        hearing="dyadic",
        filters=("ste_sign", "ternary", "int4"),
        generator=torch.Generator().manual_seed(5),
    ).requires_grad_(False),
    "blind": lambda: busy(stimulus_size=0, hidden=(6,), free_channels=2),
    "growing": lambda: busy(growing=True, hidden=(18,)),
    "life": lambda: sn.make_rule(kind="life", rule="B36/S23"),
    "four": lambda: busy(neighborhood="von_neumann", hidden=(9,), free_channels=2),
    "six": lambda: busy(neighborhood="hexagonal", hidden=(9,), free_channels=2),
    "three": lambda: busy(growing=True, neighborhood="triangular", hidden=(9,)),
}


def picture_for(rule: Rule) -> np.ndarray[Any, Any]:
    """A picture [ROWS, COLUMNS] in steps of 1/255, as the page holds it."""
    grey = np.zeros((ROWS, COLUMNS), np.float32)
    random = np.random.default_rng(0)
    if rule.update == "replace":
        grey[:] = random.random(grey.shape) < 0.4
    elif rule.habitat.sprout is not None:
        grey[5:7, 7] = 1.0
    else:
        grey[:, 2:14] = sn.images.strokes(1, seed=1, size=12).grey[0]
        grey[0, :6] = random.random(6)
    return (np.rint(grey * 255) / 255).astype(np.float32)


#: The page's states.
STATE = "Array.from(swarm.state())"


def numbers(page: Page, script: str) -> Any:
    """What a script gives, as JSON: Playwright's own way takes a second for 60,000 numbers."""
    return json.loads(page.evaluate(f"JSON.stringify({script})"))


class Masked:
    """Stands for the draws of a `Stepper`: the cells that fire are given, step by step."""

    def __init__(self, masks: np.ndarray[Any, Any]) -> None:
        self._masks = masks

    def fires(self, step: int, rate: float) -> torch.Tensor:
        return torch.from_numpy(self._masks[step]).nonzero().view(-1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "torus"),
    [*((name, False) for name in RULES), *((name, True) for name in ("growing", "life", "six"))],
)
def test_ten_steps_are_those_of_the_engine(
    opened: Callable[..., Page], name: str, engine: str, torus: bool
) -> None:
    rule = RULES[name]()
    grey = picture_for(rule)
    page = opened(
        rule, f"picture={encoded(grey)}&noise=0&paused=1&engine={engine}&wrap={int(torus)}"
    )
    grid = sn.Grid(rule.neighborhood, torus)
    world = sn.World.from_images(grey[None], rule, grid=grid)
    site = world.site.numpy()
    masks = np.random.default_rng(1).random((STEPS, ROWS * COLUMNS)) < 0.5
    if name == "life":
        masks[:] = True
    stepper = Stepper(world, rule, fire_rate=0.5, noise=0.0)
    stepper._draws = Masked(masks[:, site])  # type: ignore[assignment]
    states = numbers(
        page,
        f"{masks.astype(int).tolist()}.map((mask) => {{ swarm.step(mask); return {STATE}; }})",
    )
    assert page.evaluate("[swarm.engine(), swarm.trouble()]") == [ENGINES[engine], ""]
    for found in states:
        stepper.step()
        rows = np.array(found, np.float32).reshape(ROWS * COLUMNS, rule.channels)[site]
        np.testing.assert_allclose(rows, stepper.state.numpy(), rtol=0, atol=1e-5)
    assert float(stepper.state.abs().max()) > 0.1


@pytest.mark.parametrize("engine", ENGINES)
def test_float16_weights_are_the_rounded_weights(opened: Callable[..., Page], engine: str) -> None:
    rule = busy(hidden=(9, 6), free_channels=2)
    grey = picture_for(rule)
    page = opened(
        rule,
        f"picture={encoded(grey)}&noise=0&fire=1&paused=1&engine={engine}",
        precision="float16",
    )
    world = sn.World.from_images(grey[None], rule)
    page.evaluate("for (let i = 0; i < 5; i++) swarm.step()")
    found = numbers(page, STATE)
    rows = np.array(found, np.float32).reshape(ROWS * COLUMNS, -1)[world.site.numpy()]
    after = sn.rollout(world, halved(rule), steps=5, fire_rate=1.0, noise=0.0)
    np.testing.assert_allclose(rows, after.state.numpy(), rtol=0, atol=1e-5)


def test_one_seed_makes_the_same_cells_fire_as_in_python(opened: Callable[..., Page]) -> None:
    rule = sn.load_rule("mnist")
    grey = picture_for(rule)
    seed = (1 << 63) + 12345
    page = opened(rule, f"picture={encoded(grey)}&noise=0&fire=0.3&seed={seed}&paused=1")
    page.evaluate("for (let i = 0; i < 30; i++) swarm.step()")
    found = numbers(page, STATE)
    world = sn.World.from_images(grey[None], rule)
    rows = np.array(found, np.float32).reshape(ROWS * COLUMNS, -1)[world.site.numpy()]
    after = sn.rollout(world, rule, steps=30, seed=seed, fire_rate=0.3, noise=0.0)
    np.testing.assert_allclose(rows, after.state.numpy(), rtol=0, atol=1e-5)


def test_both_engines_draw_the_same_noise(opened: Callable[..., Page]) -> None:
    rule = busy(hearing="sobel", hidden=(4,))
    code = encoded(np.ones((40, 40), np.float32))
    held = {}
    for engine in ENGINES:
        page = opened(rule, f"picture={code}&noise=5&fire=1&seed=9&paused=1&engine={engine}")
        page.evaluate("swarm.step()")
        held[engine] = np.array(numbers(page, STATE))
    # Logarithms and cosines of graphics processors have fewer digits.
    np.testing.assert_allclose(held["webgl"], held["javascript"], rtol=0, atol=0.02)
    noise = held["javascript"] / 5
    assert abs(noise.mean()) < 0.03
    assert noise.std() == pytest.approx(1.0, abs=0.03)
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.03


def test_philox_has_its_published_words(opened: Callable[..., Page]) -> None:
    page = opened(sn.make_rule(kind="life"))
    ones = [0xFFFFFFFF] * 4
    assert page.evaluate("swarm.philox([0, 0, 0, 0], [0, 0])") == [
        0x6627E8D5,
        0xE169C58D,
        0xBC57AC4C,
        0x9B00DBD8,
    ]
    assert page.evaluate(f"swarm.philox({ones}, {ones[:2]})") == [
        0x408F276D,
        0x41C83B0E,
        0xA20BC7C6,
        0x6D5451FD,
    ]
