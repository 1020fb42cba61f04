"""Stress suite: pictures that a rule was not trained on, and faults of cells and messages.

To add a family, write a function and a line in `FAMILIES` (see `families`).
"""

from swarm_nca.stress.families import FAMILIES, Fault, Shift
from swarm_nca.stress.subject import Subject, subject_of
from swarm_nca.stress.suite import Suite

__all__ = ["FAMILIES", "Fault", "Shift", "Subject", "Suite", "subject_of"]
