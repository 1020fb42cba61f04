"""Learning Life: how often do networks learn n steps of Life, and how wide must they be?

The study of Springer and Kenyon ("It's Hard for Neural Networks to Learn the Game of Life", 2020):
for each number of steps n and each width m, networks are trained from many initial weights, and
those that end without a mistake are counted. A second experiment flips the signs of a few initial
weights of networks that learned one step, and counts those that still learn.

Networks are trained in blocks. Each finished block is a file of its own, so that a study that was
stopped goes on with the same command, and ends with the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from swarm_nca.atomic import write_atomically
from swarm_nca.cores import threads
from swarm_nca.studies.life_networks import Architecture, initial_weights
from swarm_nca.studies.life_training import Outcome, Protocol, train

#: Networks trained side by side.
BLOCK = 64

#: Signs flipped in the second experiment; 0 is its control: the same weights, other batches.
FLIPS = range(7)

#: Networks trained for each number of flips.
FLIPPED = 64

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
    """A study kept in a folder.

    Args:
        folder: where blocks are kept, made if it is missing.
        protocol: how networks are trained.
        tell: called after each round of training.
    """

    def __init__(self, folder: Path, protocol: Protocol, tell: Tell | None = None) -> None:
        self._folder, self._protocol, self._tell = folder / "blocks", protocol, tell

    def cell(self, steps: int, width: int, seeds: int) -> Result:
        """Train the networks 0 … seeds − 1 for n steps at width m, or read what is kept.

        Raises:
            ValueError: a kept block was trained by another protocol, or is damaged.
        """
        architecture, seed = Architecture(steps, width), self._protocol.seed
        outcomes: list[Outcome] = []
        for begin in range(0, seeds, BLOCK):
            block = range(begin, min(begin + BLOCK, seeds))
            name = f"n{steps}-m{width}-{block[0]:04}-{block[-1]:04}"
            rows = initial_weights(architecture, seed, block, self._protocol.start)
            outcomes += self._block(name, architecture, rows, stream=0)
        return Result(steps, width, None, self._protocol, tuple(outcomes))

    def flips(self, cell: Result, count: int) -> Result | None:
        """Train networks that learned again, from initial weights with `count` signs flipped.

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
        name = f"n{cell.steps}-m{cell.width}-of-{len(cell.outcomes):04}-flips-{count}"
        outcomes = self._block(name, architecture, rows, _FLIP_STREAM)
        return Result(cell.steps, cell.width, count, self._protocol, tuple(outcomes))

    def _block(
        self, name: str, architecture: Architecture, rows: Tensor, stream: int
    ) -> list[Outcome]:
        file, settings = self._folder / f"{name}.json", self._protocol.settings()
        if file.exists():
            return _read(file, settings, len(rows))

        def tell(examples: int, learned: int, left: int) -> None:
            if self._tell is not None:
                self._tell(name, examples, learned, left)

        # One thread gives the same bytes on every machine with the same instructions.
        with threads(1):
            outcomes = train(architecture, rows, self._protocol, stream, tell)
        document = {"protocol": settings, "outcomes": [[o.examples, o.dead] for o in outcomes]}
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, (json.dumps(document) + "\n").encode())
        return outcomes


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


def _read(file: Path, settings: dict[str, Any], count: int) -> list[Outcome]:
    """A kept block."""
    try:
        document = json.loads(file.read_text("utf-8"))
        kept = document["protocol"]
        outcomes = [Outcome(examples, dead) for examples, dead in document["outcomes"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file}: this is no block of a study; delete it to train anew") from error
    if kept != settings or len(outcomes) != count:
        other = ", ".join(_differences(kept, settings)) or f"{len(outcomes)} networks"
        raise ValueError(
            f"{file}: this was trained with {other}; ask for the same, choose another --out, or "
            "delete the file"
        )
    return outcomes


def _differences(kept: dict[str, Any], asked: dict[str, Any]) -> Iterator[str]:
    for name in asked:
        if kept.get(name) != asked[name]:
            yield f"{name} {kept.get(name)} (asked for: {asked[name]})"
