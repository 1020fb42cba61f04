"""Keyframes: stored pictures and states, from which the session can go back in time.

A keyframe is kept every `stride` steps. When the keyframes exceed the budget or the maximum number,
every second one is dropped and the stride doubles. So memory is bounded for any length of session,
and keyframes are as dense as the budget allows. Steps between two keyframes are taken again: draws
are counter-based, so the result is the same.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from swarm_nca.world import World

#: Maximum bytes of all keyframes of a session; a second rule may take half as many more.
BUDGET = 120 * 2**20

#: Maximum number of keyframes: small worlds would keep growing for hours before the budget is used.
MOST = 1_024

#: Steps between two keyframes at first.
STRIDE = 16


@dataclass(frozen=True, eq=False)
class Keyframe:
    """The worlds after a step, before the perturbations at that step."""

    step: int
    tensors: Mapping[str, Tensor]
    shared: Mapping[str, Any]

    @classmethod
    def of(cls, world: World, step: int) -> Keyframe:
        """Store the fields of a world from which all others follow."""
        shared = {name: getattr(world, name) for name in World.SHARED}
        return cls(step, world.packed(), shared)

    @property
    def bytes(self) -> int:
        """Size in bytes."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def world(self, start: World) -> World:
        """Restore the worlds; the kind of space is taken from `start`."""
        return replace(start, **self.shared).unpacked(self.tensors)


class Keyframes:
    """The keyframes of a session, ascending; the first one is never dropped."""

    def __init__(self, first: Keyframe, budget: int | None = None) -> None:
        self._kept, self._bytes = [first], first.bytes
        self._budget = BUDGET if budget is None else budget
        self.stride = STRIDE

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """Size of all keyframes in bytes."""
        return self._bytes

    def wants(self, step: int) -> bool:
        """Whether a keyframe of this step should be kept."""
        return step % self.stride == 0 and step > self._kept[-1].step

    def keep(self, keyframe: Keyframe) -> None:
        """Add a keyframe; drops others where the bounds are exceeded."""
        self._kept.append(keyframe)
        self._bytes += keyframe.bytes
        while len(self._kept) > 2 and (self._bytes > self._budget or len(self._kept) > MOST):
            self.stride *= 2
            self._leave([frame for frame in self._kept if frame.step % self.stride == 0])

    def __iter__(self) -> Iterator[Keyframe]:
        return iter(self._kept)

    def before(self, step: int) -> Keyframe:
        """The last keyframe at or before a step."""
        return self._kept[bisect_right(self._kept, step, key=lambda frame: frame.step) - 1]

    def copy(self) -> Keyframes:
        """An independent copy."""
        other = copy.copy(self)
        other._kept = list(self._kept)
        return other

    def branch(self, step: int) -> None:
        """Drop the keyframes after a step."""
        self._leave([frame for frame in self._kept if frame.step <= step])

    def _leave(self, kept: list[Keyframe]) -> None:
        self._kept, self._bytes = kept, sum(frame.bytes for frame in kept)
