"""Faults: perturbations by button, all at one common strength.

To add a fault, write a line in `FAULTS`; its button, key and help line follow. Each line makes a
perturbation from the strength. A lasting fault also reads its present strength from a world, so
that its button lights up and a second press ends it. The faults of cells have the strength as their
share of the cells, and last until *Heal*; their buttons have the icons of the marks on the cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from swarm_nca.perturbations import (
    Freeze,
    Heal,
    Kill,
    Liar,
    Loss,
    Mutate,
    Noise,
    Perturbation,
    Restart,
    Silence,
    Stuck,
)
from swarm_nca.rules import Rule
from swarm_nca.viewer.samples import sample
from swarm_nca.world import World
from swarm_nca.world.faults import ANY, flagged
from swarm_nca.world.faults import Fault as CellFault

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


class Fault(NamedTuple):
    """A fault: one button and one key.

    Attributes:
        icon: of its button.
        key: its key.
        words: its effect, for the tooltip and the help.
        deed: (app, strength) → the perturbation, or None where there is none. The strength is in
            (0, 1], or 0 to end a lasting fault.
        lasting: reads the present strength of a lasting fault from a world.
        flag: what is wrong with the cells that it strikes, until they are healed.
    """

    icon: str
    key: str
    words: str
    deed: Callable[[App, float], Perturbation | None]
    lasting: Callable[[World], float] | None = None
    flag: CellFault | None = None

    def strike(self, app: App) -> None:
        """Apply the fault at the app's strength; end it if it lasts at exactly that strength."""
        now = 0.0 if self.lasting is None else self.lasting(app.session.world)
        perturbation = self.deed(app, 0.0 if now == app.strength else app.strength)
        before = app.session.alone
        if perturbation is not None and app.edit(perturbation):
            kind, effect = perturbation.kind, perturbation.what(before, app.session.alone)
            app.say(kind.capitalize() if effect == kind else f"{kind.capitalize()}: {effect}")

    def lasts(self, app: App) -> bool:
        """Whether a lasting fault is on, or a cell of the world shown has this fault."""
        if self.flag is not None:
            return flagged(app.session.alone, self.flag) is not None
        return self.lasting is not None and self.lasting(app.session.world) > 0.0


def _jolt(app: App, strength: float) -> Perturbation:
    return Noise(strength=round(2.0 * strength, 2))


def _lose(app: App, strength: float) -> Perturbation:
    return Loss(drop=strength)


def _chimera(app: App, strength: float) -> Perturbation | None:
    """Change the right half to the next class after the picture's label or the last graft."""
    names, label = app.session.rule.readout.class_names, int(app.session.alone.label[0])
    last = label if label >= 0 else app.grafted
    for ahead in range(1, len(names) + 1):
        number = (last + ahead) % len(names)
        source = sample(names[number], app.samples.get(names[number], 0))
        if source is not None and number != label:
            app.grafted = number
            return Mutate(images=source, half="right")
    app.say("No built-in picture of another class" if names else "This rule has no classes")
    return None


def _of_cells(
    kind: type[Freeze | Kill | Liar | Silence | Stuck],
) -> Callable[[App, float], Perturbation]:
    """A fault of the share of cells that the strength gives."""
    return lambda app, strength: kind(share=strength)


def _heal(app: App, strength: float) -> Perturbation | None:
    if flagged(app.session.alone, ANY) is not None:
        return Heal()
    app.say("No cell has a fault")
    return None


def faults_of(rule: Rule) -> tuple[Fault, ...]:
    """The faults that fit a rule, in the order of their buttons."""
    return tuple(
        fault for fault in FAULTS if rule.readout.class_names or fault.deed is not _chimera
    )


#: The faults, in the order of their buttons: first those of all cells, then those of single cells.
FAULTS = (
    Fault("jolt", "j", "Jolt: add noise to all states", _jolt),
    Fault("loss", "l", "Loss: drop messages; again: stop", _lose, lambda w: w.links.drop),
    Fault("chimera", "m", "Chimera: change the right half", _chimera),
    Fault("forget", "r", "Restart: set all states to zero", lambda app, strength: Restart()),
    Fault("kill", "K", "Kill: a share of the cells dies", _of_cells(Kill)),
    Fault(
        "silent",
        "q",
        "Silence: cells send no messages",
        _of_cells(Silence),
        flag=CellFault.SILENT,
    ),
    Fault(
        "frozen",
        "z",
        "Freeze: cells never fire",
        _of_cells(Freeze),
        flag=CellFault.FROZEN,
    ),
    Fault(
        "stuck",
        "S",
        "Stuck: cells repeat one message",
        _of_cells(Stuck),
        flag=CellFault.STUCK,
    ),
    Fault(
        "lying",
        "L",
        "Liar: cells send random messages",
        _of_cells(Liar),
        flag=CellFault.LYING,
    ),
    Fault("heal", "Q", "Heal: end all faults of cells", _heal),
)
