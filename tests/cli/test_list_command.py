"""`swarm-nca list` shows what the tables of the package hold."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from swarm_nca.cli import app
from swarm_nca.cli.list_command import LISTS
from swarm_nca.measure.metrics import METRICS, OTHERS
from swarm_nca.perturbations import kinds
from swarm_nca.rules import shipped_rules
from swarm_nca.rules.families import families
from swarm_nca.rules.quantizers import QUANTIZERS
from swarm_nca.scenario.finding import shipped_recipes, shipped_scenarios
from swarm_nca.tasks.kinds import tasks


def listed(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["list", *arguments])
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_every_kind_lists_the_names_of_its_table_with_descriptions() -> None:
    found = json.loads(listed("--json"))
    assert found.keys() == LISTS.keys()
    names = {kind: [row["name"] for row in rows] for kind, rows in found.items()}
    assert all(names.values())
    assert names["rules"] == list(shipped_rules())
    assert names["scenarios"] == list(shipped_scenarios())
    assert names["recipes"] == list(shipped_recipes())
    assert names["metrics"] == [*METRICS, *OTHERS]
    assert names["perturbations"] == list(kinds())
    assert names["tasks"] == list(tasks())
    assert names["families"] == list(families())
    assert names["quantizers"] == list(QUANTIZERS)
    assert {"mnist", "strokes", "chimeras"} <= set(names["data-sets"])
    for kind in ("rules", "scenarios", "recipes", "metrics", "perturbations", "tasks", "losses"):
        assert all(len(row["about"]) > 10 for row in found[kind])
    about = {row["name"]: row["about"] for row in found["perturbations"]}
    assert about["mutate"] == "Replaces the pictures of the worlds; cells keep their states."


def test_the_tables_fit_100_columns_and_hold_every_name() -> None:
    text = listed()
    assert max(map(len, text.splitlines())) <= 100
    words = set(text.replace(",", " ").split())
    assert {"growing-regenerate", "damage-and-recovery", "total_agreement", "lizard"} <= words


def test_one_kind_is_listed_alone_and_an_unknown_one_is_refused() -> None:
    text = listed("metrics")
    assert "cell_accuracy" in text
    assert "mutate" not in text
    assert list(json.loads(listed("tasks", "--json"))) == ["tasks"]
    done = CliRunner().invoke(app, ["list", "metric"])
    assert done.exit_code == 2
    assert "did you mean 'metrics'" in done.stderr
