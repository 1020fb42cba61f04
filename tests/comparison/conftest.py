"""A fixture: folders of training runs, with small untrained rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from swarm_nca.config import dump
from swarm_nca.rules import Mlp, save_rule
from swarm_nca.training.folder import Folder
from swarm_nca.training.recipe import Recipe


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Path]:
    """trained("a", seed=1, loss="ce", trained=3): a run's folder, stopped after 3 iterations."""

    def make(folder: str, trained: int | None = None, **settings: Any) -> Path:
        data = [{"dataset": "strokes", "count": 9}]
        given = {"name": "run", "iterations": 5, "held_out": 1, "data": data} | settings
        recipe = Recipe.model_validate(given)
        place = Folder(tmp_path / folder)
        place.path.mkdir()
        place.recipe.write_text(dump(recipe.model_dump(mode="json")))
        generator = torch.Generator().manual_seed(sum(map(ord, folder)))
        rule = Mlp(hidden=(6, 6), generator=generator)
        torch.nn.init.normal_(rule.output, std=0.1, generator=generator)
        save_rule(rule, place.rule, {"iterations": trained or recipe.iterations})
        return place.path

    return make
