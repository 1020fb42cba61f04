"""Reads what a run folder keeps: the states of its frames, as worlds.

`states.npz` holds the fields of the cells. The pictures, the labels and all else of the worlds
follow from the scenario, because perturbations change pictures without looking at the states.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from swarm_nca.recording import Frame
from swarm_nca.world import World

if TYPE_CHECKING:
    from swarm_nca.scenario.scenario import Scenario

#: Entries of `states.npz` that are no fields of cells.
_PLACES = ("step", "rows", "world", "site")

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class KeptStates:
    """The frames in `states.npz`.

    Attributes:
        step: int [T], the step of each frame; twice at a step with perturbations.
        held: the arrays of the file by name.
    """

    step: list[int]
    held: dict[str, Array]

    @classmethod
    def read(cls, folder: Path) -> KeptStates | None:
        """The frames that a run folder keeps; None if it has no `states.npz`.

        Raises:
            ValueError: a damaged file.
        """
        file = folder / "states.npz"
        if not file.is_file():
            return None
        held = {}
        try:
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    with archive.open(name) as stream:
                        array = np.lib.format.read_array(stream, allow_pickle=False)
                    held[name.removesuffix(".npy")] = array
            steps = [int(step) for step in held["step"]]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(f"{file}: these states cannot be read ({error})") from error
        return cls(steps, held)

    def world(self, number: int, structure: World) -> World:
        """The world of frame `number`; all but the fields of its cells is that of `structure`.

        Raises:
            ValueError: other cells than those of `structure`.
        """
        ends = np.cumsum(self.held["rows"])
        part = slice(int(ends[number] - self.held["rows"][number]), int(ends[number]))
        site, world = (self.held[name][part] for name in ("site", "world"))
        if not (
            np.array_equal(site, structure.site.numpy())
            and np.array_equal(world, structure.world_of.numpy())
        ):
            raise ValueError(
                f"the states of step {self.step[number]} are of other cells than the scenario's "
                "pictures: the folder's states.npz and scenario.yaml are of different runs"
            )
        fields = {
            name: values[part]
            for name, values in self.held.items()
            if name not in _PLACES and "." not in name
        }
        for name, values in self.held.items():
            field, dot, which = name.rpartition(".")
            if dot and which == str(number):
                fields[field] = values
        tensors = dict(structure.packed())
        for name in [name for name in tensors if name.startswith("cell.")]:
            del tensors[name]
        tensors |= {f"cell.{name}": torch.from_numpy(values) for name, values in fields.items()}
        return structure.unpacked(tensors)


def structures(scenario: Scenario, steps: list[int]) -> Iterator[World]:
    """The worlds of a scenario at ascending steps, as far as they do not depend on the states.

    A step given twice is meant before, then after its perturbations.
    """
    world, now, acted = scenario.start, scenario.settings.first, 0
    ordered = sorted(scenario.perturbations, key=lambda perturbation: perturbation.at)
    for number, step in enumerate(steps):
        last = step if number and steps[number - 1] == step else step - 1
        while acted < len(ordered) and ordered[acted].at <= last:
            change = ordered[acted]
            world, now = world.with_state(world.state, change.at - now), change.at
            world, acted = change(world, scenario.settings.seed), acted + 1
        world, now = world.with_state(world.state, step - now), step
        yield world


def frames_of(scenario: Scenario, kept: KeptStates) -> tuple[Frame, ...]:
    """The frames of a run, from its states.

    Raises:
        ValueError: states that are not of this scenario.
    """
    worlds = structures(scenario, kept.step)
    return tuple(
        Frame(step, kept.world(number, structure))
        for number, (step, structure) in enumerate(zip(kept.step, worlds, strict=True))
    )


def check_same_rule(folder: Path, scenario: Scenario) -> dict[str, Any]:
    """The provenance of a run folder.

    Raises:
        ValueError: the scenario's rule is not the one that the run had, or a damaged file.
    """
    file = folder / "provenance.json"
    try:
        facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        had = facts["rule_hash"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: this is no run folder ({file.name}: {error})") from error
    if had != scenario.rule.hash():
        raise ValueError(
            f"{folder}: the rule {scenario.settings.rule} has changed since this run; run "
            f"{folder / 'scenario.yaml'} again"
        )
    return facts
