"""Learning Life: how many networks learn n steps of Life, by width m.

The study of Springer and Kenyon ("It's Hard for Neural Networks to Learn the Game of Life", 2020):
for each number of steps n and each width m, networks are trained from many initial weights, and
those without mistakes are counted. A second experiment flips the signs of a few initial weights of
networks that learned one step, and counts those that still learn.

Each finished cell is stored in its own file, so that a stopped study resumes with the same command
and gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from swarm_nca.atomic import write_atomically
from swarm_nca.studies.life_networks import Architecture, initial_weights
from swarm_nca.studies.life_training import Outcome, Protocol, train
from swarm_nca.threads import threads

#: Networks trained side by side.
BLOCK = 64

#: Flipped signs in the second experiment; 0 is the control: the same weights, other batches.
FLIPS = range(7)

#: Networks trained for each number of flips.
FLIPPED = 64

#: Divisor of the examples in the second experiment; networks that learn mostly learn early.
FLIP_PART = 4

#: Stream of the batches of the second experiment, different from the first.
_FLIP_STREAM = 1

#: Called after each round with cell name, examples seen, networks that learned, networks left.
Tell: TypeAlias = Callable[[str, int, int, int], None]


@dataclass(frozen=True)
class Result:
    """The outcomes of the networks of a cell.

    Attributes:
        steps, width: n and m.
        flips: flipped signs of the initial weights; None in the first experiment.
        protocol: settings of the training.
        outcomes: one for each network.
    """

    steps: int
    width: int
    flips: int | None
    protocol: Protocol
    outcomes: tuple[Outcome, ...]


class Study:
    """A study stored in a folder, one file for each cell of the table.

    Args:
        folder: folder of the study, made if it is missing.
        protocol: settings of the training.
        tell: called after each round of training.
    """

    def __init__(self, folder: Path, protocol: Protocol, tell: Tell | None = None) -> None:
        self._folder, self._protocol, self._tell = folder / "cells", protocol, tell

    def cell(self, steps: int, width: int, seeds: int) -> Result:
        """Train the networks 0 … seeds − 1 for n steps at width m, or read the stored cell.

        Raises:
            ValueError: the stored cell has other networks, another protocol, or is damaged.
        """
        architecture, start = Architecture(steps, width), self._protocol.start
        rows = initial_weights(architecture, self._protocol.seed, range(seeds), start)
        name = f"n{steps}-m{width}"
        return self._result(name, architecture, None, rows, self._protocol, stream=0)

    def flips(self, cell: Result, count: int) -> Result | None:
        """Train networks that learned again, from initial weights with `count` signs flipped.

        They get other batches than before, and at most a quarter of the examples.

        Args:
            cell: a cell of the first experiment; its networks that learned are used in turn.
            count: number of kernel weights per network with flipped signs; biases start at 0.

        Returns:
            None if no network has learned.

        Raises:
            ValueError: as for `cell`.
        """
        learned = [n for n, outcome in enumerate(cell.outcomes) if outcome.examples is not None]
        if not learned:
            return None
        architecture = Architecture(cell.steps, cell.width)
        turns = [learned[turn % len(learned)] for turn in range(FLIPPED)]
        seed = self._protocol.seed
        rows = initial_weights(architecture, seed, turns, self._protocol.start)
        flip_signs(architecture, rows, count, seed)
        name = f"n{cell.steps}-m{cell.width}-of{len(cell.outcomes)}-flips{count}"
        protocol = replace(self._protocol, examples=-(-self._protocol.examples // FLIP_PART))
        return self._result(name, architecture, count, rows, protocol, _FLIP_STREAM)

    def kept(self) -> list[Result]:
        """All cells stored in the folder, sorted by n, m and flips; protocols may differ.

        Raises:
            ValueError: a file that is not a cell.
        """
        found = [read(file) for file in self._folder.glob("*.json")]
        return sorted(found, key=_sort_key)

    def _result(
        self,
        name: str,
        architecture: Architecture,
        flips: int | None,
        rows: Tensor,
        protocol: Protocol,
        stream: int,
    ) -> Result:
        file = self._folder / f"{name}.json"
        if file.exists():
            kept = read(file)
            _check_same(file, kept, protocol, len(rows))
            return kept

        def tell(examples: int, learned: int, left: int) -> None:
            if self._tell is not None:
                self._tell(name, examples, learned, left)

        outcomes: list[Outcome] = []
        # One thread, so that sums have a fixed order and results are byte-equal.
        with threads(1):
            for begin in range(0, len(rows), BLOCK):
                block = rows[begin : begin + BLOCK]
                outcomes += train(architecture, block, protocol, stream, tell)
        result = Result(architecture.steps, architecture.width, flips, protocol, tuple(outcomes))
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, _as_json(result).encode())
        return result


def flip_signs(architecture: Architecture, rows: Tensor, count: int, seed: int) -> None:
    """Flip the signs of `count` kernel weights of each row [N, K], in place.

    Raises:
        ValueError: more flips than kernel weights.
    """
    positions = architecture.kernel_positions()
    if not 0 <= count <= len(positions):
        raise ValueError(f"flips must be 0 to {len(positions)}, the kernel weights, got {count}")
    for number, row in enumerate(rows):
        draws = np.random.default_rng([seed, architecture.steps, architecture.width, count, number])
        chosen = positions[torch.from_numpy(draws.permutation(len(positions))[:count].copy())]
        row[chosen] = -row[chosen]


def _sort_key(result: Result) -> tuple[int, int, int]:
    """Sorts cells by n, m and flips; the first experiment comes before flips."""
    return result.steps, result.width, -1 if result.flips is None else result.flips


def _as_json(result: Result) -> str:
    """A cell as text: `outcomes` are pairs of examples and dead."""
    outcomes = [astuple(outcome) for outcome in result.outcomes]
    return json.dumps(asdict(result) | {"outcomes": outcomes})


def read(file: Path) -> Result:
    """Read a stored cell.

    Raises:
        ValueError: the file is not a cell.
    """
    try:
        document = json.loads(file.read_text("utf-8"))
        return Result(
            document["steps"],
            document["width"],
            document["flips"],
            Protocol(**document["protocol"]),
            tuple(Outcome(examples, dead) for examples, dead in document["outcomes"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file}: not a readable cell of a study; delete the file to train the cell again"
        ) from error


def _check_same(file: Path, kept: Result, protocol: Protocol, count: int) -> None:
    """Raise a ValueError unless the stored cell has the given protocol and size."""
    stored, wanted = asdict(kept.protocol), asdict(protocol)
    stored["networks"], wanted["networks"] = len(kept.outcomes), count
    wrong = [
        f"{name} {value} (not {wanted[name]})"
        for name, value in stored.items()
        if value != wanted[name]
    ]
    if wrong:
        raise ValueError(
            f"{file}: this cell was trained with {', '.join(wrong)}; give the same options, choose "
            "another --out, or delete the file"
        )
