"""Tasks: what rules learn.

To add a task, write a subclass of `Task` and a line in `kinds.TASKS`; to add a loss of
classification, a function and a line in `losses.LOSSES`.
"""

from swarm_nca.tasks.augmentation import Augmentation
from swarm_nca.tasks.classification import Classification
from swarm_nca.tasks.growing import Growing
from swarm_nca.tasks.kinds import TASKS, task_kind, tasks
from swarm_nca.tasks.losses import LOSSES, l2, loss_of, overflow
from swarm_nca.tasks.task import Task
from swarm_nca.tasks.transition import Transition

__all__ = [
    "LOSSES",
    "TASKS",
    "Augmentation",
    "Classification",
    "Growing",
    "Task",
    "Transition",
    "l2",
    "loss_of",
    "overflow",
    "task_kind",
    "tasks",
]
