"""Perturbations: changes of a world between two steps.

To add one, write a file and a line in `KINDS`. Other packages name their kinds in the entry-point
group `swarm_nca.perturbations`.

    world = Damage(shape="disc", center=(14, 14), radius=4)(world)
"""

from collections.abc import Mapping

from swarm_nca.extensions import with_extensions
from swarm_nca.perturbations.area import Area
from swarm_nca.perturbations.damage import Damage
from swarm_nca.perturbations.draw import Draw
from swarm_nca.perturbations.erase import Erase
from swarm_nca.perturbations.faults import Freeze, Heal, Kill, Liar, Silence, Stuck
from swarm_nca.perturbations.immigrants import Immigrants, Natives
from swarm_nca.perturbations.loss import Loss
from swarm_nca.perturbations.mutate import Mutate
from swarm_nca.perturbations.noise import Noise
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.perturbations.rates import Rates, Set
from swarm_nca.perturbations.restart import Restart
from swarm_nca.perturbations.transforms import (
    Invert,
    Rotate,
    Scale,
    Stretch,
    Thicken,
    Thin,
    Translate,
)
from swarm_nca.perturbations.wires import Cut, Rewire

#: The kinds of this package.
KINDS: dict[str, type[Perturbation]] = {
    "mutate": Mutate,
    "restart": Restart,
    "damage": Damage,
    "draw": Draw,
    "erase": Erase,
    "noise": Noise,
    "loss": Loss,
    "rates": Rates,
    "translate": Translate,
    "rotate": Rotate,
    "scale": Scale,
    "stretch": Stretch,
    "thicken": Thicken,
    "thin": Thin,
    "invert": Invert,
    "silence": Silence,
    "freeze": Freeze,
    "stuck": Stuck,
    "liar": Liar,
    "kill": Kill,
    "heal": Heal,
    "immigrants": Immigrants,
    "natives": Natives,
    "cut": Cut,
    "rewire": Rewire,
    "set": Set,
}


def kinds() -> Mapping[str, type[Perturbation]]:
    """All kinds that a scenario can name: those of `KINDS`, then those of installed packages."""
    return with_extensions("swarm_nca.perturbations", KINDS, Perturbation)  # type: ignore[type-abstract]


__all__ = [
    "KINDS",
    "Area",
    "Cut",
    "Damage",
    "Draw",
    "Erase",
    "Freeze",
    "Heal",
    "Immigrants",
    "Invert",
    "Kill",
    "Liar",
    "Loss",
    "Mutate",
    "Natives",
    "Noise",
    "Perturbation",
    "Rates",
    "Restart",
    "Rewire",
    "Rotate",
    "Scale",
    "Set",
    "Silence",
    "Stretch",
    "Stuck",
    "Thicken",
    "Thin",
    "Translate",
    "kinds",
]
