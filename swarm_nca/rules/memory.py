"""Memory arithmetic: how many bits the numbers of a rule take, tensor by tensor.

As in the post on clothing automata (McAteer 2020): bits = Σ width × count, where the width of a
weight is that of its quantizer. A file holds the same bytes, and its header.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

_KIB = 1024


class Held(NamedTuple):
    """One tensor of a rule.

    Fields:
        name: of the tensor.
        shape: of the numbers, as used.
        bits: of one number.
    """

    name: str
    shape: tuple[int, ...]
    bits: int

    @property
    def numbers(self) -> int:
        """How many there are."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Bytes, rounded up to whole ones."""
        return (self.numbers * self.bits + 7) // 8


def size_of(tensors: Iterable[Held]) -> int:
    """The bytes of some tensors."""
    return sum(one.size for one in tensors)


def written(size: int) -> str:
    """A size as the post writes it: bytes below 1 KiB, else KiB with two digits."""
    return f"{size} B" if size < _KIB else f"{size / _KIB:.2f} KiB"
