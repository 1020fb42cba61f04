"""The provenance of a run: enough to repeat it, without personal data about the machine."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

from swarm_nca.measure.writing import to_json
from swarm_nca.recording.run import Run

_PACKAGES = ("swarm-nca", "torch", "numpy", "mesa", "networkx", "pandas", "Pillow", "matplotlib")


def provenance(run: Run) -> dict[str, Any]:
    """A run's provenance and outcome as plain data for JSON."""
    import torch

    return {
        "name": run.name,
        "seed": run.seed,
        "steps": run.steps,
        "worlds": run.worlds,
        "rule": run.rule,
        "rule_hash": run.rule_hash,
        "passed": run.passed,
        "expectations": [
            {
                "metric": expectation.metric,
                "at": expectation.at,
                "min": to_json(expectation.min),
                "max": to_json(expectation.max),
                "value": to_json(expectation.value),
                "begun": expectation.begun,
                "to": expectation.to,
                "within": expectation.within,
                "share": expectation.share,
                "reached": expectation.reached,
                "passed": expectation.passed,
            }
            for expectation in run.expectations
        ],
        "seconds": None if run.seconds is None else round(run.seconds, 3),
        "versions": {"python": platform.python_version()} | _versions(),
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # run from a checkout, not installed
            continue
    return found
