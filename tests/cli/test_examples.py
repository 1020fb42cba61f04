"""Every command's help ends with examples, and its parser takes every one of them."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from swarm_nca.cli import app
from swarm_nca.cli.examples import EXAMPLES
from swarm_nca.rules import shipped_rules
from swarm_nca.scenario import load
from swarm_nca.scenario.finding import find_scenario, shipped_recipes, shipped_scenarios


def commands(group: Any, before: str = "") -> dict[str, Any]:
    """Every command by its whole name."""
    found = {}
    for name, command in group.commands.items():
        inside = getattr(command, "commands", None)
        found |= commands(command, f"{name} ") if inside else {before + name: command}
    return found


COMMANDS = commands(typer.main.get_command(app))


def parsed(example: str) -> tuple[str, dict[str, Any]]:
    """The command of an example, and its parameters; a usage error is raised."""
    program, *words = shlex.split(example)
    assert program == "swarm-nca"
    name = words[0] if words[0] in COMMANDS else " ".join(words[:2])
    command = COMMANDS[name]
    context = command.make_context(name, words[len(name.split()) :])
    return name, context.params


def test_every_command_has_two_or_more_examples_and_shows_them() -> None:
    assert EXAMPLES.keys() == {"", *COMMANDS}
    for name, lines in EXAMPLES.items():
        assert len(lines) >= 2
        page = CliRunner().invoke(app, [*name.split(), "--help"]).stdout
        examples = page.partition("\n  Examples:\n")[2].splitlines()
        assert examples == [f"    {line}" for line in lines]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_parser_takes_every_example_and_names_in_them_exist(name: str) -> None:
    for example in EXAMPLES[name]:
        command, given = parsed(example)
        assert command == name or not name
        scenarios = given.get("scenarios") or [given.get("scenario")]
        for one in filter(None, scenarios):
            if one.endswith("/"):  # a folder of the reader's own
                continue
            load(find_scenario(one), overrides=given.get("changes") or ())
        for key in ("rule", "runs"):
            rules = given.get(key) or []
            for rule in [rules] if isinstance(rules, str) else rules:
                assert rule in {*shipped_rules(), "life"} or rule.startswith("runs/")
        assert given.get("recipe") in {None, *shipped_recipes()}


def test_an_example_of_a_wrong_option_would_be_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        parsed("swarm-nca run chimera --sed 7")
    assert "chimera" in shipped_scenarios()
