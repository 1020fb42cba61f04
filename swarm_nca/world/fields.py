"""The fields of a world, and how they move when cells or worlds are added, removed or reordered.

`FIELDS` names the fields that every world has. A world can have any number of further fields in
`cell_fields` (one row per cell) and `world_fields` (one entry per world). All code that moves rows
or worlds uses the functions here, so that it cannot omit a field. Newborn cells hold zeros, except
in the fields of `NEWBORN`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

if TYPE_CHECKING:
    from swarm_nca.world.record import World

#: The fields of every world: one row per cell, one entry per world, or shared by the batch.
FIELDS: dict[str, Literal["cell", "world", "batch"]] = {
    "state": "cell",
    "key": "world",
    "step": "world",
    "label": "world",
    "links": "batch",
    "fire_rate": "batch",
    "noise": "batch",
    "readout": "batch",
    "guests": "batch",
}

#: Values other than 0 of newborn cells and of worlds that lack a field, by field name.
NEWBORN: dict[str, float] = {"wire": -1}

#: The further fields that hold messages: [N, D, C] said 1 … D steps ago, and [N, K, C] last heard
#: in each slot.
IN_FLIGHT, LAST_HEARD = "in_flight", "last_heard"

#: The further field int64 [N] of the rule of each cell: 0 for the run's, i for the i-th guest.
RULE = "rule"

#: The fields that worlds of one batch share.
SHARED = tuple(name for name, per in FIELDS.items() if per == "batch")

_OWN = {per: tuple(n for n, p in FIELDS.items() if p == per) for per in ("cell", "world")}


def per_cell(world: World) -> dict[str, Tensor]:
    """Every field with a row [N, …] per cell, by name."""
    return {name: getattr(world, name) for name in _OWN["cell"]} | dict(world.cell_fields)


def per_world(world: World) -> dict[str, Tensor]:
    """Every field with an entry [B, …] per world, by name."""
    return {name: getattr(world, name) for name in _OWN["world"]} | dict(world.world_fields)


def with_fields(
    world: World,
    cells: Mapping[str, Tensor] | None = None,
    worlds: Mapping[str, Tensor] | None = None,
    **others: Any,
) -> World:
    """The world with all its per-cell or per-world fields, or both, replaced.

    Args:
        cells, worlds: as `per_cell` and `per_world` return them; None keeps the present ones.
        others: further attributes to replace.
    """
    changes = dict(others)
    for given, per, place in ((cells, "cell", "cell_fields"), (worlds, "world", "world_fields")):
        if given is not None:
            own = _OWN[per]
            changes |= {name: given[name] for name in own}
            changes[place] = {name: value for name, value in given.items() if name not in own}
    return replace(world, **changes)


def without_messages(fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Further fields of cells without those that hold messages."""
    return {name: values for name, values in fields.items() if name not in (IN_FLIGHT, LAST_HEARD)}


def moved(values: Tensor, old: Tensor, new: Tensor, rows: int, blank: float) -> Tensor:
    """[rows, …]: values [N, …] of rows `old` at rows `new`, and `blank` everywhere else."""
    fresh = values.new_full((rows, *values.shape[1:]), blank)
    return fresh.index_copy_(0, new, values[old])


def joined(parts: list[dict[str, Tensor]], counts: list[int]) -> dict[str, Tensor]:
    """The fields of several worlds, concatenated; missing fields are filled with their blank.

    Raises:
        ValueError: the parts have different shapes per row in a field.
    """
    names = list(dict.fromkeys(name for part in parts for name in part))
    together: dict[str, Tensor] = {}
    for name in names:
        like = next(part[name] for part in parts if name in part)
        blank, shape = NEWBORN.get(name, 0), like.shape[1:]
        values = [
            part.get(name, like.new_full((count, *shape), blank))
            for part, count in zip(parts, counts, strict=True)
        ]
        wrong = [value.shape[1:] for value in values if value.shape[1:] != shape]
        if wrong:
            raise ValueError(
                f"the field {name!r} has the shape {list(shape)} per row in one world and "
                f"{list(wrong[0])} in another; worlds of one batch need the same shape"
            )
        together[name] = torch.cat(values)
    return together


def packed(world: World) -> dict[str, Tensor]:
    """All fields that are not derived or shared, as one flat dictionary of tensors.

    Names are `cell.NAME`, `world.NAME` and `space.NAME`; `unpacked` is the inverse.
    """
    return {
        **{f"cell.{name}": value for name, value in per_cell(world).items()},
        **{f"world.{name}": value for name, value in per_world(world).items()},
        **{f"space.{name}": value for name, value in world.space.packed().items()},
    }


def unpacked(like: World, tensors: Mapping[str, Tensor]) -> World:
    """The world from the tensors of `packed`.

    Args:
        like: gives the kind of space and the shared fields, which the tensors do not hold.

    Raises:
        KeyError: a missing field.
    """
    from swarm_nca.world.rows import settled
    from swarm_nca.world.wires import rewired

    space = like.space.unpacked(_under("space.", tensors))
    cells, worlds = _under("cell.", tensors), _under("world.", tensors)
    return rewired(with_fields(like, cells, worlds, space=space, **settled(space)))


def checked(values: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """Further fields by name, if each has `count` rows and an unused name.

    Raises:
        ValueError: another number of rows, or the name of a field in `FIELDS`.
    """
    for name, value in values.items():
        if len(value) != count or name in FIELDS:
            raise ValueError(
                f"the field {name!r} needs {count} rows and an unused name, got {len(value)} "
                f"rows; {', '.join(FIELDS)} are used"
            )
    return dict(values)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
