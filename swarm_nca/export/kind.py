"""What a kind of export is: the ending of its file, and the function that makes its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from swarm_nca.rules import Rule

#: The types of floating-point numbers that an export can hold weights in.
Precision = Literal["float32", "float16"]


class Make(Protocol):
    """The bytes of a file that runs a rule.

    Args:
        rule: what the file runs.
        name: the rule's name, for titles.
        precision: the type of the weights in the file.

    Raises:
        ValueError: a rule that this kind of export does not support; the message names the reason.
    """

    def __call__(self, rule: Rule, name: str, *, precision: Precision) -> bytes: ...


@dataclass(frozen=True)
class Export:
    """One kind of export.

    Attributes:
        ending: of its files' names, with the dot.
        make: see `Make`.
        beside: the files that belong beside it, by their endings.
    """

    ending: str
    make: Make
    beside: Mapping[str, Make] = field(default_factory=dict)
