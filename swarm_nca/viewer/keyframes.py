"""Moments to come back to: pictures and states, kept ever more sparsely as time goes on.

A moment is kept every so many steps. When all of them together outgrow the budget, or are too
many, every second one goes and the stride doubles; so memory is bounded however long a session
lasts, and the way from a kept moment to any other stays as short as the budget allows. What lies
between two kept moments is stepped again: draws are counter-based, so it comes out the same.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from swarm_nca.world import World

#: Bytes that all kept moments together may take; a second rule beside the first takes half as many.
BUDGET = 120 * 2**20

#: Moments kept at most: small worlds would take hours to spend the budget, and never lie flat.
MOST = 1_024

#: Steps between two kept moments at first.
STRIDE = 16


@dataclass(frozen=True, eq=False)
class Keyframe:
    """The worlds after a step, before what was done to them then."""

    step: int
    tensors: Mapping[str, Tensor]
    shared: Mapping[str, Any]

    @classmethod
    def of(cls, world: World, step: int) -> Keyframe:
        """All that has to be kept of a world; the rest follows from it."""
        shared = {name: getattr(world, name) for name in World.SHARED}
        return cls(step, world.packed(), shared)

    @property
    def bytes(self) -> int:
        """What it takes."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def world(self, start: World) -> World:
        """The worlds as they were; the kind of ground is the start's."""
        return replace(start, **self.shared).unpacked(self.tensors)


class Keyframes:
    """The moments kept of a session, ascending; the first one always is."""

    def __init__(self, first: Keyframe, budget: int | None = None) -> None:
        self._kept, self._bytes = [first], first.bytes
        self._budget = BUDGET if budget is None else budget
        self.stride = STRIDE

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """What all of them take."""
        return self._bytes

    def wants(self, step: int) -> bool:
        """Whether this step is one to keep."""
        return step % self.stride == 0 and step > self._kept[-1].step

    def keep(self, keyframe: Keyframe) -> None:
        """One more; others make room for it."""
        self._kept.append(keyframe)
        self._bytes += keyframe.bytes
        while len(self._kept) > 2 and (self._bytes > self._budget or len(self._kept) > MOST):
            self.stride *= 2
            self._leave([one for one in self._kept if one.step % self.stride == 0])

    def before(self, step: int) -> Keyframe:
        """The last one that is not after a step."""
        return self._kept[bisect_right(self._kept, step, key=lambda one: one.step) - 1]

    def copy(self) -> Keyframes:
        """The same moments; what one keeps or forgets does not touch the other."""
        other = copy.copy(self)
        other._kept = list(self._kept)
        return other

    def branch(self, step: int) -> None:
        """Forget what came after a step."""
        self._leave([one for one in self._kept if one.step <= step])

    def _leave(self, kept: list[Keyframe]) -> None:
        self._kept, self._bytes = kept, sum(one.bytes for one in kept)
