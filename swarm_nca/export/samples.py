"""Pictures that an exported page offers: one for each class, or patterns of the rule's family.

Digits and clothes are drawn offline. Rules with other classes come without pictures: the page's
reader draws.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from swarm_nca.images.drawn import DRAWN
from swarm_nca.images.rle import parse_pattern
from swarm_nca.rules import Classes, Life, Rule

#: Drawn sets that hold one picture for each class of a rule with the same classes.
_SETS = ("strokes", "garments", "letters")

#: The seed of the drawn pictures.
_SEED = 3

#: Well-known patterns of Life, in run-length encoded text.
_PATTERNS = {
    "acorn": "bo$3bo$2o2b3o!",
    "glider": "bo$2bo$3o!",
    "R-pentomino": "b2o$2o$bo!",
    "pulsar": "2b3o3b3o2$o4bobo4bo$o4bobo4bo$o4bobo4bo$2b3o3b3o2$2b3o3b3o$o4bobo4bo$o4bobo4bo$"
    "o4bobo4bo2$2b3o3b3o!",
    "spaceship": "bo2bo$o$o3bo$4o!",
}

Grey = npt.NDArray[np.float32]


def samples_of(rule: Rule) -> list[tuple[str, Grey]]:
    """Names and pictures [H, W] in [0, 1]; empty where none fit the rule."""
    if isinstance(rule, Life):
        return [(name, parse_pattern(text).grey) for name, text in _PATTERNS.items()]
    if rule.habitat.sprout is not None:
        return [("one cell", np.ones((1, 1), np.float32))]
    if not isinstance(rule.readout, Classes):
        return []
    for name in _SETS:
        drawn = DRAWN[name]
        if drawn.classes == rule.readout.names:
            pictures = [drawn.draw(1, _SEED, label=label) for label in range(len(drawn.classes))]
            return [
                (name, np.asarray(one.grey[0], np.float32))
                for name, one in zip(drawn.classes, pictures, strict=True)
            ]
    return []
