"""Which signal of a swarm tells right answers from wrong ones, over the pictures of a suite.

The right pictures are those of the family `clean` whose vote is right. Against them stand its wrong
ones, and the pictures of each kind of which no class is right; letters that are digits to the eye
are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from swarm_nca.measure.signals import SIGNALS
from swarm_nca.measure.trust import aurc, auroc, risks
from swarm_nca.stress.table import PictureRow, signals_of

#: The family of known pictures, and the settings of unknown ones that are left out.
KNOWN, AMBIGUOUS = "clean", ("I O S Z",)


@dataclass(frozen=True)
class Curve:
    """One signal over the known and as many unknown pictures of each kind.

    Attributes:
        signal: its name in `SIGNALS`.
        auroc: right pictures against all others.
        aurc: area under `risk`.
        risk: at the coverages 1/P, 2/P, … 1.
        by_kind: AUROC of the right pictures against the wrong ones of one family.
    """

    signal: str
    auroc: float
    aurc: float
    risk: Sequence[float]
    by_kind: Mapping[str, float]


def curves(rows: Sequence[PictureRow]) -> list[Curve]:
    """Every signal, the highest AUROC first; none without known pictures."""
    clean = [row for row in rows if row.family == KNOWN]
    if not clean:
        return []
    kinds = {KNOWN: clean} | _unknown(rows, len(clean))
    pool = [row for kind in kinds.values() for row in kind]
    wrong = torch.tensor([row.wrong for row in pool])
    right = [row for row in clean if not row.wrong]
    found = []
    for name in SIGNALS:
        trust = signals_of(pool, name)
        by_kind = {}
        for kind, members in kinds.items():
            others = [row for row in members if row.wrong]
            both = signals_of([*right, *others], name)
            by_kind[kind] = auroc(both, torch.arange(len(both)) >= len(right))
        found.append(
            Curve(
                name,
                auroc(trust, wrong),
                aurc(trust, wrong),
                risks(trust, wrong).tolist(),
                by_kind,
            )
        )
    return sorted(found, key=lambda curve: (-curve.auroc, curve.aurc))


def _unknown(rows: Sequence[PictureRow], count: int) -> dict[str, list[PictureRow]]:
    """`count` evenly chosen pictures of each kind without a right class."""
    kinds: dict[str, list[PictureRow]] = {}
    for row in rows:
        if not row.known and row.setting not in AMBIGUOUS:
            kinds.setdefault(row.family, []).append(row)
    return {kind: _spread(members, count) for kind, members in kinds.items()}


def _spread(members: list[PictureRow], count: int) -> list[PictureRow]:
    if len(members) <= count:
        return members
    return [members[number * len(members) // count] for number in range(count)]
