"""Faults at the press of a button: what can go wrong with a swarm, at a common strength.

To add one, write a line in `FAULTS`: its button, its key and its line in the help follow. Most are
a perturbation made from the strength, and the table says how; one that lasts also says how to read
from a world how strong it is there, so that its button lights up and a second press mends it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from swarm_nca.perturbations import Loss, Mutate, Noise, Perturbation
from swarm_nca.rules import Rule
from swarm_nca.viewer.samples import sample
from swarm_nca.world import World

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


class Fault(NamedTuple):
    """Something that goes wrong.

    Attributes:
        icon: of its button.
        key: what presses the button from the keyboard.
        words: what it does, for the tooltip and the help.
        deed: (app, strength) → what happens; None where nothing can. The strength is above 0 and
            at most 1, or 0 to mend what lasts.
        lasting: how strong it is in a world now, for one that lasts.
    """

    icon: str
    key: str
    words: str
    deed: Callable[[App, float], Perturbation | None]
    lasting: Callable[[World], float] | None = None

    def strike(self, app: App) -> None:
        """Let it happen at the app's strength, or end if it lasts at that very strength."""
        now = 0.0 if self.lasting is None else self.lasting(app.session.world)
        deed = self.deed(app, 0.0 if now == app.strength else app.strength)
        before = app.session.alone
        if deed is not None and app.edit(deed):
            app.say(f"{deed.kind.capitalize()}: {deed.what(before, app.session.alone)}")

    def lasts(self, app: App) -> bool:
        """Whether it is going on."""
        return self.lasting is not None and self.lasting(app.session.world) > 0.0


def _jolt(app: App, strength: float) -> Perturbation:
    return Noise(strength=round(2.0 * strength, 2))


def _lose(app: App, strength: float) -> Perturbation:
    return Loss(drop=strength)


def _chimera(app: App, strength: float) -> Perturbation | None:
    """The right half becomes the class after the picture's own, and after that the next one."""
    names, label = app.session.rule.readout.class_names, int(app.session.alone.label[0])
    last = label if label >= 0 else app.grafted
    for ahead in range(1, len(names) + 1):
        number = (last + ahead) % len(names)
        source = sample(names[number], app.samples.get(names[number], 0))
        if source is not None and number != label:
            app.grafted = number
            return Mutate(images=source, half="right")
    app.say("There is no picture of another class offline" if names else "Cells have no classes")
    return None


def faults_of(rule: Rule) -> tuple[Fault, ...]:
    """The faults that make sense for a rule, in the order of their buttons."""
    return tuple(one for one in FAULTS if rule.readout.class_names or one.deed is not _chimera)


#: The faults, in the order of their buttons.
FAULTS = (
    Fault("jolt", "j", "Jolt: noise on what all cells hold", _jolt),
    Fault("loss", "l", "Loss: messages get lost; again: mend", _lose, lambda w: w.links.drop),
    Fault("chimera", "m", "Chimera: the right half changes class", _chimera),
)
