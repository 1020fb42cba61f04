"""The families of a stress suite: a visible table of functions and their settings.

A `Shift` gives pictures that the rule was not trained on; they are measured at one step. A `Fault`
gives a world whose cells or messages fail; it is measured at two steps, and again after the fault
has ended. Each family is one line in `FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from swarm_nca.images import Pictures
from swarm_nca.perturbations import Freeze, Kill, Liar, Silence, Stuck
from swarm_nca.stress import faults, pictures
from swarm_nca.stress.subject import Subject
from swarm_nca.suggestion import unknown

#: A number, or the name of one of several kinds of pictures.
Setting: TypeAlias = float | str

#: The settings of a family, or a function that gives them for a subject.
Settings: TypeAlias = Sequence[Setting] | Callable[[Subject], Sequence[Setting]]


@dataclass(frozen=True)
class Shift:
    """Pictures that the rule was not trained on.

    Attributes:
        about: what is done, for headings.
        axis: what a setting is, with its unit.
        make: the pictures of a setting; without labels if no class is right.
        settings: see `Settings`; none means that the subject lacks what the family needs.
        neutral: the setting that changes nothing, if there is one.
        needs: the cure when there are no settings.
    """

    about: str
    axis: str
    make: Callable[[Subject, Any], Pictures]
    settings: Settings
    neutral: Setting | None = None
    needs: str = ""

    def settings_for(self, subject: Subject) -> list[Setting]:
        """The settings for a subject."""
        return list(self.settings(subject) if callable(self.settings) else self.settings)

    def neutral_for(self, subject: Subject) -> Setting | None:
        """The setting that changes nothing."""
        return self.neutral


@dataclass(frozen=True)
class Fault:
    """A fault of cells or messages that lasts; see `suite` for how long.

    Attributes:
        about, axis: as in `Shift`.
        make: see `faults.MakesFault`.
        settings: ascending, or a function that gives them for a subject; see `Settings`.
        begin: steps before the fault begins.
        neutral: the setting without fault, if there is one; a function if the rule decides it.
        needs: as in `Shift`.
    """

    about: str
    axis: str
    make: faults.MakesFault
    settings: Sequence[float] | Callable[[Subject], Sequence[float]]
    neutral: float | Callable[[Subject], float] | None = 0.0
    begin: int = 0
    needs: str = ""

    def settings_for(self, subject: Subject) -> list[Setting]:
        """The settings for a subject."""
        return list(self.settings(subject) if callable(self.settings) else self.settings)

    def neutral_for(self, subject: Subject) -> Setting | None:
        """The setting without fault."""
        return self.neutral(subject) if callable(self.neutral) else self.neutral


Family: TypeAlias = Shift | Fault

_UPRIGHT = (-180.0, -135.0, -90.0, -60.0, -45.0, -30.0, -15.0, 0.0)
_SHARES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.3, 0.5)
_OF_CELLS = "share of cells"

#: Every family by name, in the order of tables.
FAMILIES: Mapping[str, Family] = {
    "clean": Shift("the rule's own pictures", "", pictures.clean, ("clean",), "clean"),
    "scale": Shift(
        "larger and smaller",
        "scale",
        pictures.scaled,
        (0.5, 0.6, 0.75, 0.9, 1.0, 1.25, 1.6, 2.0, 2.5, 3.0),
        1.0,
    ),
    "translation": Shift(
        "moved, in part off the canvas",
        "pixels along both axes",
        pictures.translated,
        (0.0, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0),
        0.0,
    ),
    "rotation": Shift(
        "turned",
        "degrees, anticlockwise",
        pictures.rotated,
        (*_UPRIGHT, *(-angle for angle in _UPRIGHT[-2::-1])),
        0.0,
    ),
    "stroke-width": Shift(
        "thinner and wider strokes",
        "change of width, pixels",
        pictures.thickened,
        (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0),
        0.0,
    ),
    "broken": Shift(
        "cut in two",
        "gap, pixels",
        pictures.broken,
        (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0),
        0.0,
    ),
    "hands": Shift(
        "drawn by other people",
        "set",
        pictures.other_hands,
        pictures.hand_sets,
        needs="set SWARM_NCA_DATA, or give a folder with --pictures",
    ),
    "chimeras": Shift(
        "half one class, half another",
        "pair",
        pictures.chimeras,
        pictures.pairs,
        needs="give pictures of two classes or more",
    ),
    "joined": Shift("joined in a row", "classes in a row", pictures.joined_digits, (2.0, 3.0)),
    "letters": Shift("letters", "letters", pictures.letters, tuple(pictures.ALPHABETS)),
    "foreign": Shift(
        "pictures of another task",
        "set",
        pictures.foreign,
        pictures.foreign_sets,
        needs="set SWARM_NCA_DATA",
    ),
    "noise-pictures": Shift(
        "dots, clouds and scribbles", "kind", pictures.noise_pictures, tuple(pictures.NOISES)
    ),
    "loss": Fault(
        "messages are lost",
        "share of lost messages",
        faults.losing,
        (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9),
    ),
    "delay": Fault(
        "messages arrive late", "steps on the way", faults.delayed, (0.0, 1.0, 2.0, 3.0, 4.0, 8.0)
    ),
    "bits": Fault(
        "messages are rounded to ±4",
        "bits per channel",
        faults.rounded,
        (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0),
        None,
    ),
    "fire-rate": Fault(
        "cells fire more or less often",
        "share of cells that fire in a step",
        faults.firing,
        (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0),
        lambda subject: float(subject.rule.fire_rate),
    ),
    "noise": Fault(
        "cells add noise",
        "standard deviation",
        faults.noisy,
        (0.0, 0.02, 0.05, 0.1, 0.2),
        lambda subject: float(subject.rule.noise),
    ),
    "dead": Fault("some cells are removed", _OF_CELLS, faults.of_cells(Kill), _SHARES),
    "silent": Fault("some cells send no messages", _OF_CELLS, faults.of_cells(Silence), _SHARES),
    "frozen": Fault("some cells never fire", _OF_CELLS, faults.of_cells(Freeze), _SHARES),
    "stuck": Fault(
        "some cells repeat their message of step 10",
        _OF_CELLS,
        faults.of_cells(Stuck),
        _SHARES,
        begin=10,
    ),
    "liars": Fault("some cells send random numbers", _OF_CELLS, faults.of_cells(Liar), _SHARES),
    "cut": Fault("links are cut", "share of links", faults.severed, _SHARES),
    "immigrants": Fault(
        "some cells obey another rule",
        _OF_CELLS,
        faults.invaded,
        faults.invasions,
        needs="name a rule with --immigrants",
    ),
}


def chosen(names: Sequence[str] | None, subject: Subject) -> dict[str, Family]:
    """The families to run: those named, or all that have settings for the subject.

    Raises:
        ValueError: an unknown name, or a named family without settings.
    """
    for name in names or ():
        if name not in FAMILIES:
            raise ValueError(unknown("family", name, FAMILIES))
    families = {name: FAMILIES[name] for name in FAMILIES if not names or name in names}
    found = {name: family for name, family in families.items() if family.settings_for(subject)}
    for name in names or ():
        if name not in found:
            raise ValueError(f"the family '{name}' cannot be measured: {FAMILIES[name].needs}")
    return found
