"""The past of a world of one row: the pictures of its last steps, one below the other."""

from __future__ import annotations

import numpy as np

from swarm_nca.render import Rgb

#: Past steps kept.
MOST_ROWS = 1_000


class PastRows:
    """Pictures of a world of one row by step."""

    def __init__(self) -> None:
        self._kept: dict[int, Rgb] = {}

    def keep(self, step: int, rgb: Rgb) -> None:
        """Store the picture of a step, uint8 [1, W, 3]; drops the one `MOST_ROWS` steps earlier."""
        self._kept[step] = rgb
        self._kept.pop(step - MOST_ROWS, None)

    def before(self, now: int, rows: int) -> Rgb | None:
        """uint8 [n, W, 3], at most `rows` steps before `now`, ascending; None without pictures.

        Steps without a picture, taken between two frames, are left out.
        """
        steps = [step for step in range(max(0, now - rows), now) if step in self._kept]
        return np.concatenate([self._kept[step] for step in steps]) if steps else None
