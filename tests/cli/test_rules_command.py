from __future__ import annotations

import pytest
from rich.console import Console

from swarm_nca.cli.rules_command import rules_command
from swarm_nca.rules import Classes, Mlp, save_rule

SCORES = {
    "cells / agreement, percent": "1,000 strokes 99.3 / 98.7, after a mutation 99.6 / 98.6; "
    "10,000 photographs of all kinds of things that are hard to tell apart 94.4 / 83.6",
    "loss": 0.25,
}


@pytest.mark.parametrize("verbose", [False, True])
def test_each_score_is_one_line_below_its_rule_in_80_columns(
    tmp_path, monkeypatch, verbose: bool
) -> None:
    rule = Mlp(Classes.named("a", "b", "c"))
    file = save_rule(rule, tmp_path / "one.safetensors", {"scores": SCORES, "licence": "MIT"})
    monkeypatch.setattr("swarm_nca.rules.shipped_rules", lambda: {"one": file, "two": file})
    console = Console(record=True, width=80)
    rules_command(verbose, console)
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert max(map(len, lines)) <= 80
    first = lines[: lines.index("")]
    assert first[0] == f"one: {', '.join(rule.classes.names)}"
    assert first[1].endswith(f"hash {rule.hash()[:12]}")
    assert first[2:4] == [
        "  cells / agreement, percent:",
        "    1,000 strokes 99.3 / 98.7, after a mutation 99.6 / 98.6",
    ]
    assert all(line.startswith("    ") for line in first[3:6])
    assert first[6] == "  loss 0.25"
    assert ("  licence: MIT" in first) is verbose
