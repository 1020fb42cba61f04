"""Recording: the results of a run as tables, pictures and a report page."""

from swarm_nca.recording.folder import write_run
from swarm_nca.recording.run import (
    EVENT_COLUMNS,
    METRIC_COLUMNS,
    POOLED_COLUMNS,
    Expectation,
    Frame,
    Run,
    kept_steps,
)
from swarm_nca.recording.table import Table

__all__ = [
    "EVENT_COLUMNS",
    "METRIC_COLUMNS",
    "POOLED_COLUMNS",
    "Expectation",
    "Frame",
    "Run",
    "Table",
    "kept_steps",
    "write_run",
]
