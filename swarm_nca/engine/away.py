"""Steps on another device than that of the world, such as a GPU."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from swarm_nca.arguments import shown
from swarm_nca.engine.backend import Backend
from swarm_nca.rules import Rule
from swarm_nca.world import World
from swarm_nca.world.fields import IN_FLIGHT, LAST_HEARD


def check_device(device: str) -> None:
    """Raise a ValueError unless it is `cpu`, `cuda` or `cuda:N`, and torch finds it."""
    name, _, number = str(device).partition(":")
    if name not in ("cpu", "cuda") or (number and not number.isdecimal()):
        raise ValueError(f"device must be cpu, cuda or cuda:N, got {shown(device)}")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("torch finds no GPU: choose device cpu")
    if name == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"there is no {device}: torch finds {torch.cuda.device_count()} GPUs, from cuda:0 on"
        )


class Away:
    """A backend on another device: states come back when they are read.

    Args:
        world, rule: copies are moved to the device.
        device: such as `cuda`.
        make: makes the backend there.

    Raises:
        ValueError: a device that `check_device` refuses.
    """

    def __init__(
        self, world: World, rule: Rule, device: str, make: Callable[[World, Rule], Backend]
    ) -> None:
        check_device(device)
        guests = tuple(copy.deepcopy(guest).to(device) for guest in world.guests)
        self._start, self._steps = world, 0
        self._backend = make(
            replace(world.to(device), guests=guests), copy.deepcopy(rule).to(device)
        )

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer, on the device."""
        return self._backend.state

    @property
    def fired(self) -> Tensor:
        """int64 [M], the rows that fired in the last step, on the world's device."""
        return self._backend.fired.to(self._start.state.device)

    def step(self) -> None:
        """Take one step."""
        self._backend.step()
        self._steps += 1

    def world(self) -> World:
        """The present world, on the device of the first one; later steps do not change it."""
        there, here = self._backend.world(), self._start.state.device
        held = {
            name: there.cell_fields[name]
            for name in (IN_FLIGHT, LAST_HEARD)
            if name in there.cell_fields
        }
        world = self._start.with_state(there.state.to(here), self._steps)
        return world.with_cells(**{name: value.to(here) for name, value in held.items()})
