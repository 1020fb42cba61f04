"""How many cores torch may take."""

from __future__ import annotations

import functools
import os

#: The number of cells below which one core does best.
SMALL = 4_096


def share_cores(cells: int) -> None:
    """Small products are slower on several cores than on one, most of all on a busy machine."""
    import torch

    most = cores()  # asked for before it changes
    torch.set_num_threads(1 if cells < SMALL else most)


@functools.cache
def cores() -> int:
    """All of the machine's, unless OMP_NUM_THREADS says otherwise."""
    import torch

    return torch.get_num_threads() if "OMP_NUM_THREADS" in os.environ else os.cpu_count() or 1
