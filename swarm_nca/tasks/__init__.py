"""Tasks: what cells should agree on.

To add a loss, write a function and a line in `losses.LOSSES`.
"""

from swarm_nca.tasks.classification import Augmentation, Classification
from swarm_nca.tasks.losses import LOSSES, l2, loss_of, overflow

__all__ = ["LOSSES", "Augmentation", "Classification", "l2", "loss_of", "overflow"]
