"""The plan of perturbations and their steps: the scenario's, and edits by hand."""

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
        perturbation: the one applied, with its step.
        spelled: the same as written in a file: pictures by their source.
        foreseen: whether it is from the scenario; otherwise it is an edit by hand.
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
    """All edits in the order in which they act: by step, then in order of addition.

    Attributes:
        foreseen: the scenario's edits, which are never dropped.
        touched: the steps with edits by hand.
    """

    def __init__(self, foreseen: Iterable[tuple[Perturbation, Perturbation]] = ()) -> None:
        edits = (Edit(acts, spelled, True) for acts, spelled in foreseen)
        self.foreseen = tuple(sorted(edits, key=_when))
        self.touched: set[int] = set()
        self._edits = list(self.foreseen)

    def __iter__(self) -> Iterator[Edit]:
        return iter(self._edits)

    def __len__(self) -> int:
        return len(self._edits)

    def add(self, perturbation: Perturbation) -> None:
        """Add an edit by hand as the last one of its step.

        It replaces the previous edit if it sets all values of that one again: dragging a slider
        is one edit.
        """
        edit = Edit(perturbation, perturbation)
        end = bisect_right(self._edits, perturbation.at, key=_when)
        if end and _overruled(self._edits[end - 1], perturbation):
            self._edits[end - 1] = edit
        else:
            self._edits.insert(end, edit)
        self.touched.add(perturbation.at)

    def at(self, step: int) -> list[Edit]:
        """The edits at a step, in order."""
        first = bisect_left(self._edits, step, key=_when)
        return self._edits[first : bisect_right(self._edits, step, key=_when)]

    def copy(self) -> Plan:
        """An independent copy."""
        other = copy.copy(self)
        other._edits, other.touched = list(self._edits), set(self.touched)
        return other

    def become(self, other: Plan) -> None:
        """Take over the edits of another plan."""
        self._edits, self.touched = list(other._edits), set(other.touched)

    def branch(self, step: int) -> None:
        """Drop edits by hand after a step; keep the scenario's."""
        self._edits = [edit for edit in self._edits if edit.foreseen or edit.at <= step]
        self.touched = {edit.at for edit in self._edits if not edit.foreseen}


def _overruled(edit: Edit, later: Perturbation) -> bool:
    """Whether `later` sets again all values of an edit by hand at the same step."""
    earlier = edit.perturbation
    return (
        type(earlier) is type(later)
        and later.SHARED
        and not edit.foreseen
        and edit.at == later.at
        and all(
            getattr(later, field.name) is not None or getattr(earlier, field.name) is None
            for field in fields(later)
        )
    )


def _when(edit: Edit) -> int:
    return edit.at
