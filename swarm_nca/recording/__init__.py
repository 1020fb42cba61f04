"""Recording: what a run leaves behind, as numbers, pictures and a page to read."""

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

__all__ = [
    "EVENT_COLUMNS",
    "METRIC_COLUMNS",
    "POOLED_COLUMNS",
    "Expectation",
    "Frame",
    "Run",
    "kept_steps",
    "write_run",
]
