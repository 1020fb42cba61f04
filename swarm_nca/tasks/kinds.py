"""The table of tasks; recipes use its names.

To add a task, write a file with a subclass of `Task` and a line in `TASKS`. Other packages name
their tasks in the entry-point group `swarm_nca.tasks`.
"""

from __future__ import annotations

from collections.abc import Mapping

from swarm_nca.extensions import with_extensions
from swarm_nca.suggestion import unknown
from swarm_nca.tasks.classification import Classification
from swarm_nca.tasks.growing import Growing
from swarm_nca.tasks.task import Task
from swarm_nca.tasks.transition import Transition

#: The tasks of this package, by kind.
TASKS: dict[str, type[Task]] = {
    "classification": Classification,
    "growing": Growing,
    "transition": Transition,
}


def tasks() -> Mapping[str, type[Task]]:
    """All tasks by kind: those of `TASKS`, then those of installed packages."""
    return with_extensions("swarm_nca.tasks", TASKS, Task)  # type: ignore[type-abstract]


def task_kind(kind: str) -> type[Task]:
    """The task of a kind.

    Raises:
        ValueError: an unknown task.
    """
    known = tasks()
    if not isinstance(kind, str) or kind not in known:
        raise ValueError(unknown("task", kind, known))
    return known[kind]
