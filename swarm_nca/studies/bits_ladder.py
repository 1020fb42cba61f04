"""The ladder of bits: one learned rule with fewer and fewer bits, and its scores on pictures.

A rung is a rule: the given one in floats, the same rounded to some bits without training
(`training.calibration`), or another rule, such as one that was trained in bits. Each
finished rung is stored in its own file, so that a stopped study resumes with the same command.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from swarm_nca.atomic import write_atomically
from swarm_nca.images import Pictures
from swarm_nca.measure import evaluate
from swarm_nca.rules import Mlp, Quantized, Rule
from swarm_nca.rules.memory import size_of
from swarm_nca.tasks import Classification
from swarm_nca.training.calibration import begin_from

#: The step at which rungs are scored.
STEPS = 200

#: Families of rungs, and how figures name them. Rules of `even` have evenly spaced values, those of
#: `signs` and `ternary` sums of planes of such filters; those of `given` and `floats` stay as they
#: are.
FAMILIES = {
    "even": "evenly spaced values",
    "signs": "planes of signs",
    "ternary": "ternary planes",
    "given": "trained",
    "floats": "float32, fewer weights",
}

#: Families of rules that were given; figures name their rungs by letters.
GIVEN = ("given", "floats")

#: The filters of rungs with planes, by family.
PLANES = {"signs": "ste_sign", "ternary": "ternary"}


@dataclass(frozen=True)
class Rung:
    """One rule of the ladder.

    Attributes:
        name: what the rule is called.
        family: a key of `FAMILIES`; floats belong to `even`.
        rule: hash of the rule.
        size: bytes of its weights, scales and biases.
        pictures, steps, seed: how it was scored.
        cells, agreement, vote: shares at the last step.
    """

    name: str
    family: str
    rule: str
    size: int
    pictures: int
    steps: int
    seed: int
    cells: float
    agreement: float
    vote: float


def rounded(rule: Mlp, family: str, count: int, task: Classification) -> Quantized:
    """The rule rounded with errors passed on, without training.

    Args:
        family: `even`, `signs` or `ternary`.
        count: bits of `even`, planes of the others.
    """
    even = f"int{count}" if count > 1 else "ste_sign"
    quantized = Quantized(
        rule.readout,
        free_channels=rule.free_channels,
        hidden=rule.hidden,
        slots=rule.slots,
        stimulus_size=rule.stimulus_size,
        filters=even if family == "even" else PLANES[family],
        planes=1 if family == "even" else count,
        scales="both",
        neighborhood=rule.neighborhood,
        fire_rate=rule.fire_rate,
        noise=rule.noise,
        alive_above=rule.alive_above,
        undecided_below=rule.undecided_below,
        shown_above=rule.shown_above,
        generator=torch.Generator().manual_seed(0),
    )
    begin_from(quantized, rule, task, torch.Generator().manual_seed(0))
    return quantized.requires_grad_(False)


class Ladder:
    """A study stored in a folder.

    Args:
        folder: made if it is missing.
        pictures: what rungs are scored on.
        seed: of all draws.
    """

    def __init__(self, folder: Path, pictures: Pictures, seed: int = 0) -> None:
        self._folder, self._pictures, self._seed = folder / "rungs", pictures, seed

    def rung(self, name: str, rule: Rule, family: str = "even") -> Rung:
        """Score a rule, or read its stored scores.

        Raises:
            ValueError: a stored rung of another rule, or scored in another way.
        """
        asked = (rule.hash(), len(self._pictures), STEPS, self._seed)
        path = self._folder / f"{name}.json"
        if path.is_file():
            kept = _read(path)
            if (kept.rule, kept.pictures, kept.steps, kept.seed) != asked:
                raise ValueError(
                    f"{path} holds scores of another rule, or on other pictures: delete it, or "
                    "give another --out"
                )
            return kept
        last = evaluate(rule, self._pictures, steps=STEPS, every=STEPS, seed=self._seed).curve[-1]
        scores = last["cell_accuracy"], last["total_agreement"], last["vote_accuracy"]
        rung = Rung(name, family, asked[0], size_of(rule.memory()), *asked[1:], *scores)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (json.dumps(asdict(rung), indent=1) + "\n").encode())
        return rung

    def kept(self) -> list[Rung]:
        """All stored rungs, the largest first."""
        files = sorted(self._folder.glob("*.json"))
        rungs = [_read(path) for path in files]
        return sorted(rungs, key=lambda rung: (-rung.size, rung.name))


def _read(path: Path) -> Rung:
    try:
        return Rung(**json.loads(path.read_text()))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no rung of this version: delete it, or give another --out"
        ) from error


def as_csv(rungs: Sequence[Rung]) -> str:
    """One line a rung; shares with four digits."""
    lines = ["rule,family,bytes,pictures,step,cells,agreement,vote"]
    for rung in rungs:
        shares = ",".join(f"{share:.4f}" for share in (rung.cells, rung.agreement, rung.vote))
        lines.append(f"{rung.name},{rung.family},{rung.size},{rung.pictures},{rung.steps},{shares}")
    return "\n".join([*lines, ""])
