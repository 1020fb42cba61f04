"""Learning Life: how often do networks learn n steps of Life, and how wide must they be?

The study of Springer and Kenyon ("It's Hard for Neural Networks to Learn the Game of Life", 2020):
for each number of steps n and each width m, networks are trained from many initial weights, and
those that end without a mistake are counted. A second experiment flips the signs of a few initial
weights of networks that learned one step, and counts those that still learn.

Each finished cell is a file of its own, so that a study that was stopped goes on with the same
command, and ends with the same bytes.
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

#: Signs flipped in the second experiment; 0 is its control: the same weights, other batches.
FLIPS = range(7)

#: Networks trained for each number of flips.
FLIPPED = 64

#: The second experiment takes this part of the examples: networks that learn mostly learn early.
FLIP_PART = 4

#: The batches of the second experiment are not those of the first.
_FLIP_STREAM = 1

#: Called after each round: what is trained, examples seen, networks that learned, networks left.
Tell: TypeAlias = Callable[[str, int, int, int], None]


@dataclass(frozen=True)
class Result:
    """Outcomes of networks that belong together.

    Attributes:
        steps, width: n and m.
        flips: signs flipped in the initial weights; None in the first experiment.
        protocol: how they were trained.
        outcomes: one for each network.
    """

    steps: int
    width: int
    flips: int | None
    protocol: Protocol
    outcomes: tuple[Outcome, ...]


class Study:
    """A study kept in a folder: one file for each cell of a table.

    Args:
        folder: where the files are, made if it is missing.
        protocol: how networks are trained.
        tell: called after each round of training.
    """

    def __init__(self, folder: Path, protocol: Protocol, tell: Tell | None = None) -> None:
        self._folder, self._protocol, self._tell = folder / "cells", protocol, tell

    def cell(self, steps: int, width: int, seeds: int) -> Result:
        """Train the networks 0 … seeds − 1 for n steps at width m, or read what is kept.

        Raises:
            ValueError: the kept cell has other networks, another protocol, or is damaged.
        """
        architecture, start = Architecture(steps, width), self._protocol.start
        rows = initial_weights(architecture, self._protocol.seed, range(seeds), start)
        name = f"n{steps}-m{width}"
        return self._result(name, architecture, None, rows, self._protocol, stream=0)

    def flips(self, cell: Result, count: int) -> Result | None:
        """Train networks that learned again, from initial weights with `count` signs flipped.

        They see other batches than before, and at most a quarter of the examples.

        Args:
            cell: of the first experiment; the networks of it that learned take turns.
            count: kernel weights of each network whose sign is flipped; biases start at 0.

        Returns:
            None where no network had learned.

        Raises:
            ValueError: as for `cell`.
        """
        learned = [number for number, one in enumerate(cell.outcomes) if one.examples is not None]
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
        """All cells kept in the folder, by n, m and flips; protocols may differ.

        Raises:
            ValueError: a file that is no cell.
        """
        found = [read(file) for file in self._folder.glob("*.json")]
        return sorted(found, key=_place)

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
        # On one thread sums are made in one order: the same bytes each time.
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
        raise ValueError(f"of {len(positions)} kernel weights {count} cannot be flipped")
    for number, row in enumerate(rows):
        draws = np.random.default_rng([seed, architecture.steps, architecture.width, count, number])
        chosen = positions[torch.from_numpy(draws.permutation(len(positions))[:count].copy())]
        row[chosen] = -row[chosen]


def _place(result: Result) -> tuple[int, int, int]:
    """Where a cell stands: by n, by m, then the first experiment before flips."""
    return result.steps, result.width, -1 if result.flips is None else result.flips


def _as_json(result: Result) -> str:
    """A cell as text: `outcomes` are pairs of examples and dead."""
    return json.dumps(asdict(result) | {"outcomes": [astuple(one) for one in result.outcomes]})


def read(file: Path) -> Result:
    """A kept cell.

    Raises:
        ValueError: the file is no cell.
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
        raise ValueError(f"{file}: this is no cell of a study; delete it to train anew") from error


def _check_same(file: Path, kept: Result, protocol: Protocol, count: int) -> None:
    """A ValueError unless the kept cell is what was asked for."""
    was, asked = asdict(kept.protocol), asdict(protocol)
    was["networks"], asked["networks"] = len(kept.outcomes), count
    wrong = [f"{name} {was[name]} (not {asked[name]})" for name in was if was[name] != asked[name]]
    if wrong:
        raise ValueError(
            f"{file}: this cell was trained with {', '.join(wrong)}; ask for the same, choose "
            "another --out, or delete the file"
        )
