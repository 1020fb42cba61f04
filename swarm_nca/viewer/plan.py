"""What is done to the world and when: the scenario's perturbations, and one's own hand's."""

from __future__ import annotations

import copy
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from swarm_nca.perturbations import Perturbation
from swarm_nca.world import World


@dataclass(frozen=True)
class Edit:
    """One perturbation in the plan.

    Attributes:
        perturbation: acts, and says its step.
        spelled: the same as a file spells it: pictures by where they come from.
        foreseen: whether the scenario had it; otherwise it was done by hand.
    """

    perturbation: Perturbation
    spelled: Perturbation
    foreseen: bool = False

    def __call__(self, world: World, seed: int = 0) -> World:
        """The world after it."""
        return self.perturbation(world, seed)

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
        deeds = (Edit(acts, spelled, True) for acts, spelled in foreseen)
        self.foreseen = tuple(sorted(deeds, key=_when))
        self.touched: set[int] = set()
        self._deeds = list(self.foreseen)

    def __iter__(self) -> Iterator[Edit]:
        return iter(self._deeds)

    def __len__(self) -> int:
        return len(self._deeds)

    def add(self, perturbation: Perturbation) -> None:
        """Something done by hand; of its step it is the last.

        It takes the place of the one before where nothing of that one is left: a slider being
        dragged is one deed.
        """
        deed, end = (
            Edit(perturbation, perturbation),
            bisect_right(self._deeds, perturbation.at, key=_when),
        )
        if end and _overruled(self._deeds[end - 1], perturbation):
            self._deeds[end - 1] = deed
        else:
            self._deeds.insert(end, deed)
        self.touched.add(perturbation.at)

    def at(self, step: int) -> list[Edit]:
        """What acts at a step, in order."""
        first = bisect_left(self._deeds, step, key=_when)
        return self._deeds[first : bisect_right(self._deeds, step, key=_when)]

    def copy(self) -> Plan:
        """The same deeds; what is added to one plan is not added to the other."""
        other = copy.copy(self)
        other._deeds, other.touched = list(self._deeds), set(self.touched)
        return other

    def branch(self, step: int) -> None:
        """Forget what was done by hand after a step; the scenario goes on as foreseen."""
        self._deeds = [deed for deed in self._deeds if deed.foreseen or deed.at <= step]
        self.touched = {deed.at for deed in self._deeds if not deed.foreseen}


def _overruled(deed: Edit, later: Perturbation) -> bool:
    """Whether what was set by hand a moment before is all set anew."""
    earlier = deed.perturbation
    return (
        type(earlier) is type(later)
        and later.SHARED
        and not deed.foreseen
        and deed.at == later.at
        and all(
            getattr(later, one.name) is not None or getattr(earlier, one.name) is None
            for one in fields(later)
        )
    )


def _when(deed: Edit) -> int:
    return deed.at
