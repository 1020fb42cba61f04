"""Training as it is timed: the published iteration, with pool and mutations, on given pictures."""

from __future__ import annotations

import torch

from swarm_nca.images import Pictures
from swarm_nca.rules import Rule
from swarm_nca.tasks import Classification
from swarm_nca.training.recipe import Data, Recipe
from swarm_nca.training.trainer import Trainer

#: No run that is timed gets so far.
_NEVER = 1_000_000


def published(rule: Rule, pictures: Pictures) -> Trainer:
    """What trains a rule in place, all but the pictures as published (Randazzo et al. 2020)."""
    # The recipe says where pictures come from; these are here already.
    source = Data(dataset="strokes", count=len(pictures))
    recipe = Recipe(name="timed", data=(source,), held_out=1, iterations=_NEVER)
    labels = torch.from_numpy(pictures.labels_for(rule.classes.names))
    return Trainer(recipe, rule, Classification(torch.as_tensor(pictures.grey), labels))
