"""Every scenario that ships runs on what ships, and does what it promises."""

import pytest

from swarm_nca.scenario import run
from swarm_nca.scenario.finding import (
    find_either,
    find_recipe,
    find_scenario,
    shipped_recipes,
    shipped_scenarios,
)

SHIPPED = shipped_scenarios()


@pytest.mark.parametrize("name", SHIPPED)
def test_it_runs_and_meets_its_expectations(name):
    done = run(name)
    failed = [one for one in done.expectations if not one.passed]
    assert done.expectations
    assert not failed


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_named_as_its_file_and_opens_with_what_one_sees(name):
    text = SHIPPED[name].read_text(encoding="utf-8")
    header = [line for line in text.splitlines() if line.startswith("#")]
    assert len(header) >= 2
    assert text.startswith("# ")
    assert f"\nname: {name}\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_there_are_the_scenarios_that_the_readme_promises():
    promised = {
        "seven-becomes-two",
        "damage-and-recovery",
        "stroke-by-stroke",
        "digit-becomes-letter",
        "chimera",
        "joined-digits",
        "scaled-digit",
        "long-quiet-run",
    }
    assert promised <= SHIPPED.keys()


def test_a_name_finds_what_ships_unless_a_file_has_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_scenario("chimera") == SHIPPED["chimera"]
    (tmp_path / "chimera").mkdir()  # such as the folder of its run
    assert find_scenario("chimera") == SHIPPED["chimera"]
    (tmp_path / "chimera").rmdir()
    (tmp_path / "chimera").touch()
    assert find_scenario("chimera").resolve() == tmp_path / "chimera"
    with pytest.raises(ValueError, match="did you mean 'torus'"):
        find_scenario("toris")


def test_a_recipe_asked_for_as_a_scenario_is_told_to_be_trained_and_the_other_way_round():
    with pytest.raises(ValueError, match=r"a recipe: swarm-nca train mnist-short$"):
        find_scenario("mnist-short")
    with pytest.raises(ValueError, match=r"a scenario: swarm-nca run chimera$"):
        find_recipe("chimera")


def test_recipes_are_found_by_name_too():
    recipes = shipped_recipes()
    assert {"mnist-published", "mnist-short", "digits"} <= recipes.keys()
    assert find_recipe("mnist-short") == find_either("mnist-short") == recipes["mnist-short"]
    assert find_either("chimera") == SHIPPED["chimera"]
    with pytest.raises(ValueError, match=r"no recipe of this name ships .*'mnist-short'"):
        find_recipe("mnist-shrt")
