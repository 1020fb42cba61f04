"""Shipped scenarios run without downloads and meet their expectations.

One of each folder runs here; `.ci/run` runs all.
"""

import pytest

from swarm_nca.scenario import load, run
from swarm_nca.scenario.finding import (
    find_either,
    find_recipe,
    find_scenario,
    shipped_recipes,
    shipped_scenarios,
)

SHIPPED = shipped_scenarios()

#: The first scenario of each folder.
FIRST = {path.parent: name for name, path in sorted(SHIPPED.items(), reverse=True)}.values()


@pytest.mark.parametrize("name", FIRST)
def test_a_shipped_scenario_meets_its_expectations(name):
    done = run(name)
    failed = [result for result in done.expectations if not result.passed]
    assert done.expectations
    assert not failed


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_has_its_files_name_and_describes_itself(name):
    text = SHIPPED[name].read_text(encoding="utf-8")
    settings = load(SHIPPED[name]).settings
    assert settings.name == name
    assert len(settings.description) >= 80
    assert max(map(len, text.splitlines())) <= 100


def test_the_documented_scenarios_ship():
    documented = {
        "seven-becomes-two",
        "damage-and-recovery",
        "stroke-by-stroke",
        "digit-becomes-letter",
        "chimera",
        "joined-digits",
        "scaled-digit",
        "long-quiet-run",
    }
    assert documented <= SHIPPED.keys()


def test_a_shipped_name_is_found_unless_a_file_has_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_scenario("chimera") == SHIPPED["chimera"]
    (tmp_path / "chimera").mkdir()  # a folder has no priority over a shipped name
    assert find_scenario("chimera") == SHIPPED["chimera"]
    (tmp_path / "chimera").rmdir()
    (tmp_path / "chimera").touch()
    assert find_scenario("chimera").resolve() == tmp_path / "chimera"
    with pytest.raises(ValueError, match="did you mean 'torus'"):
        find_scenario("toris")


def test_a_name_of_the_other_kind_is_refused_with_its_command():
    with pytest.raises(ValueError, match=r"a recipe; use: swarm-nca train mnist-short$"):
        find_scenario("mnist-short")
    with pytest.raises(ValueError, match=r"a scenario; use: swarm-nca run chimera$"):
        find_recipe("chimera")


def test_recipes_are_found_by_name():
    recipes = shipped_recipes()
    assert {"mnist-published", "mnist-short", "digits"} <= recipes.keys()
    assert find_recipe("mnist-short") == find_either("mnist-short") == recipes["mnist-short"]
    assert find_either("chimera") == SHIPPED["chimera"]
    with pytest.raises(ValueError, match=r"no shipped recipe of this name .*'mnist-short'"):
        find_recipe("mnist-shrt")
