"""The table of read-outs. To add one, write a subclass of `Readout` and a line in `READOUTS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swarm_nca.arguments import shown
from swarm_nca.rules.classes import Classes
from swarm_nca.rules.readout import Bit, Field, Readout, Rgba
from swarm_nca.suggestion import unknown

#: The read-outs, by kind.
READOUTS: Mapping[str, type[Readout]] = {
    "classes": Classes,
    "rgba": Rgba,
    "bit": Bit,
    "field": Field,
}


def readout_of(data: Any) -> Readout:
    """A read-out from plain data; without a kind it is `Classes`.

    Raises:
        ValueError: an unknown read-out, or data that it does not take.
    """
    kind = data.get("kind", Classes.kind) if isinstance(data, Mapping) else Classes.kind
    if not isinstance(kind, str) or kind not in READOUTS:
        raise ValueError(unknown("read-out", shown(kind), READOUTS))
    return READOUTS[kind].from_json(data)
