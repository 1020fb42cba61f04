"""A small untrained rule of digits with few pictures, and suites of few steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from swarm_nca.rules import Rule, save_rule
from swarm_nca.stress import suite
from swarm_nca.stress.families import chosen
from swarm_nca.stress.subject import Subject, subject_of
from swarm_nca.stress.suite import Suite
from swarm_nca.stress.table import Store

MakeSuite = Callable[..., Suite]


@pytest.fixture(scope="session")
def rule_file(busy_rule: Callable[..., Rule], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of an untrained rule of ten digits."""
    rule = busy_rule(hidden=(8, 8), strength=0.3)
    return str(save_rule(rule, tmp_path_factory.mktemp("rules") / "small.safetensors"))


@pytest.fixture(scope="session")
def subject(rule_file: str) -> Subject:
    """Ten drawn digits."""
    return subject_of(rule_file, "strokes", count=10)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suites of few steps."""
    monkeypatch.setattr(suite, "STEPS", 4)
    monkeypatch.setattr(suite, "UNDER_FAULT", (3, 5))
    monkeypatch.setattr(suite, "RECOVERY", 3)


@pytest.fixture
def make_suite(rule_file: str, short: None) -> MakeSuite:
    """make_suite(folder, names, count=2, seed=0): a suite of some families, in that folder."""

    def made(folder: Path, names: list[str], count: int = 2, seed: int = 0) -> Suite:
        small = subject_of(rule_file, "strokes", count=count, seed=seed)
        own = ("report.html", "table.md", "figures")
        return Suite(small, chosen(names, small), Store.opened(folder, small.plan, own))

    return made
