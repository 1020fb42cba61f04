"""What is done to the world and when: the scenario's perturbations, and one's own hand's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from swarm_nca.perturbations import Perturbation


@dataclass(frozen=True)
class Deed:
    """One perturbation in the plan.

    Attributes:
        perturbation: acts, and says its step.
        spelled: the same as a file spells it: pictures by where they come from.
        foreseen: whether the scenario had it; otherwise it was done by hand.
    """

    perturbation: Perturbation
    spelled: Perturbation
    foreseen: bool = False

    @property
    def at(self) -> int:
        """The step after which it acts."""
        return self.perturbation.at


class Plan:
    """All deeds in the order in which they act: by step, and within a step as they were added.

    Attributes:
        foreseen: the scenario's, which stay.
        touched: the steps at which something was done by hand.
    """

    def __init__(self, foreseen: Iterable[tuple[Perturbation, Perturbation]] = ()) -> None:
        deeds = (Deed(acts, spelled, True) for acts, spelled in foreseen)
        self.foreseen = tuple(sorted(deeds, key=_when))
        self.touched: set[int] = set()
        self._deeds = list(self.foreseen)

    def __iter__(self) -> Iterator[Deed]:
        return iter(self._deeds)

    def __len__(self) -> int:
        return len(self._deeds)

    def add(self, perturbation: Perturbation) -> None:
        """Something done by hand; of its step it is the last."""
        insort(self._deeds, Deed(perturbation, perturbation), key=_when)
        self.touched.add(perturbation.at)

    def at(self, step: int) -> list[Deed]:
        """What acts at a step, in order."""
        first = bisect_left(self._deeds, step, key=_when)
        return self._deeds[first : bisect_right(self._deeds, step, key=_when)]

    def branch(self, step: int) -> None:
        """Forget what was done by hand after a step; the scenario goes on as foreseen."""
        self._deeds = [deed for deed in self._deeds if deed.foreseen or deed.at <= step]
        self.touched = {deed.at for deed in self._deeds if not deed.foreseen}


def _when(deed: Deed) -> int:
    return deed.at
