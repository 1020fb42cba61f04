"""The strip and the scores of a finished run."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from swarm_nca.rules import Mlp, Rule
from swarm_nca.tasks import Classification
from swarm_nca.tasks.classification import ENOUGH


def held_out(count: int) -> Classification:
    return Classification(torch.ones(count, 4, 4), torch.zeros(count, dtype=torch.int64))


def test_cells_below_the_rules_threshold_have_no_colour_on_the_strip() -> None:
    rule = Mlp(hidden=(2, 2), noise=0.0, fire_rate=1.0)
    with torch.no_grad():
        rule.output_bias[rule.free_channels + 1] = 0.01  # class 1 holds 0.5 at the strip's step
    rule.requires_grad_(False)
    strips = []
    for shown_above in (0.1, 0.6):
        rule.shown_above = shown_above
        strips.append(np.asarray(Image.open(io.BytesIO(held_out(2).views(rule)))))
    colours = [len(np.unique(strip.reshape(-1, strip.shape[-1]), axis=0)) for strip in strips]
    assert colours[0] == colours[1] + 1  # the colour of class 1


def test_too_few_pictures_are_not_scored(busy_rule: Callable[..., Rule]) -> None:
    rule = busy_rule(hidden=(2, 2))
    assert held_out(ENOUGH - 1).scores(rule) == {}
    few = Classification(torch.ones(16, 4, 4), torch.tensor([0] * (ENOUGH - 3) + [-1] * 9))
    assert few.scores(rule) == {}
    assert f"no score: {ENOUGH - 3} pictures with a class were held out" in few.not_scored()
    assert held_out(ENOUGH).scores(rule).keys() == {
        "cell_accuracy",
        "total_agreement",
        "vote_accuracy",
        "agree_though_wrong",
        "abstains",
    }
