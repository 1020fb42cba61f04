"""Perturbations: what is done to a world between two steps.

To add one, write a file and two lines here: an import, and its entry in the table.

    world = Damage(shape="disc", center=(14, 14), radius=4)(world)
"""

from swarm_nca.perturbations.damage import Damage
from swarm_nca.perturbations.draw import Draw
from swarm_nca.perturbations.erase import Erase
from swarm_nca.perturbations.loss import Loss
from swarm_nca.perturbations.mutate import Mutate
from swarm_nca.perturbations.noise import Noise
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.perturbations.rates import Rates
from swarm_nca.perturbations.restart import Restart

#: Every kind that a scenario can name; the schema reads this table.
KINDS: dict[str, type[Perturbation]] = {
    "mutate": Mutate,
    "restart": Restart,
    "damage": Damage,
    "draw": Draw,
    "erase": Erase,
    "noise": Noise,
    "loss": Loss,
    "rates": Rates,
}

__all__ = [
    "KINDS",
    "Damage",
    "Draw",
    "Erase",
    "Loss",
    "Mutate",
    "Noise",
    "Perturbation",
    "Rates",
    "Restart",
]
