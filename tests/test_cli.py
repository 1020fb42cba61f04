"""The command line: exit codes, output, files, and imports."""

import io
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import torch
from typer.testing import CliRunner

from swarm_nca.cli import app, main
from swarm_nca.rules import Mlp, save_rule

HEAVY = ("torch", "numpy", "pandas", "mesa", "pygame", "pydantic", "matplotlib", "networkx")

SCENARIO = """\
name: {name}
rule: busy.safetensors
images: {{dataset: strokes, label: 7}}
steps: 5
perturbations:
  - {{at: 3, kind: damage, shape: half, side: left}}
record: {{picture: false}}
expect:
  - {{metric: undecided, at: 5, max: {bound}}}
  - {{metric: undecided, at: 3, max: 1}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rule = Mlp(hidden=(8, 8), generator=torch.Generator().manual_seed(1))
    torch.nn.init.normal_(rule.output, std=0.05, generator=torch.Generator().manual_seed(2))
    save_rule(rule, tmp_path / "busy.safetensors")
    (tmp_path / "good.yaml").write_text(SCENARIO.format(name="good", bound=1))
    (tmp_path / "bad.yaml").write_text(SCENARIO.format(name="bad", bound=-1))
    return tmp_path


def swarm_nca(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['swarm-nca', '--help']\n"
        "from swarm_nca.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "evaluate" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_public_name_exists():
    import swarm_nca

    assert set(swarm_nca.__all__) <= set(dir(swarm_nca))
    for name in swarm_nca.__all__:
        assert getattr(swarm_nca, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'quantisers'"):
        swarm_nca.quantisers  # noqa: B018


def test_a_run_that_meets_its_expectations_exits_with_0_and_prints_its_report(folder):
    done = swarm_nca("run", "good.yaml")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "good: passed, 2 of 2 expectations met" in done.stdout
    assert "left half" in done.stdout
    assert str(Path("runs/good/report.html")) in done.stdout
    assert (folder / "runs/good/metrics.csv").is_file()


def test_a_run_that_fails_an_expectation_exits_with_1_and_is_kept(folder):
    done = swarm_nca("run", "bad.yaml", "--out", "here")
    assert done.exit_code == 1
    assert "bad: failed, 1 of 2 expectations met" in done.stdout
    assert (folder / "here/metrics.csv").is_file()


def test_quiet_prints_nothing(folder):
    assert swarm_nca("run", "good.yaml", "--quiet").output == ""
    assert swarm_nca("check", "good.yaml", "--quiet").output == ""


def test_quiet_prints_failed_expectations(folder):
    done = swarm_nca("run", "good.yaml", "bad.yaml", "--quiet")
    assert done.exit_code == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("bad: expected undecided at 5 ≤ -100 %, got ")


def test_an_unmeasurable_expectation_fails_with_its_reason(folder):
    command = ("run", "good.yaml", "--set", "expect=[{metric: cell_accuracy, at: 5, min: 0.5}]")
    command = (*command, "--set", "images={dataset: letters, label: Q}")
    reason = "the rule has no class for these pictures"
    assert f"failed: {reason}" in swarm_nca(*command).stdout
    line = f"good: expected cell_accuracy at 5 ≥ 50 %, not measured: {reason}\n"
    assert swarm_nca(*command, "--quiet", "--junit", "junit.xml").stderr == line
    (failure,) = Xml.parse(folder / "junit.xml").iter("failure")
    assert f"good: {failure.get('message')}\n" == line


def test_several_scenarios_get_a_folder_each_and_one_failure_gives_exit_code_1(folder):
    done = swarm_nca("run", "good.yaml", "bad.yaml", "--out", "all", "--quiet")
    assert done.exit_code == 1
    assert sorted(one.name for one in (folder / "all").iterdir()) == ["bad", "good"]


def test_two_scenarios_of_one_name_are_refused(folder):
    done = swarm_nca("run", "good.yaml", "good.yaml")
    assert done.exit_code == 2
    assert "a second scenario named 'good'" in done.stderr
    assert not (folder / "runs").exists()


def test_an_output_folder_with_other_files_is_refused(folder):
    done = swarm_nca("run", "good.yaml", "--out", ".")
    assert done.exit_code == 2
    assert "was not changed" in done.stderr


def test_seed_and_set_change_the_scenario(folder):
    assert swarm_nca("run", "good.yaml", "--seed", "9", "--set", "steps=6", "-q").exit_code == 0
    text = (folder / "runs/good/scenario.yaml").read_text()
    assert "\nseed: 9\n" in text
    assert "\nsteps: 6\n" in text


def test_junit_has_a_test_case_for_every_expectation(folder):
    swarm_nca("run", "good.yaml", "bad.yaml", "--junit", "junit.xml", "--quiet")
    suites = Xml.parse(folder / "junit.xml").getroot().findall("testsuite")
    assert [(one.get("name"), one.get("tests"), one.get("failures")) for one in suites] == [
        ("good", "2", "0"),
        ("bad", "2", "1"),
    ]
    (failure,) = Xml.parse(folder / "junit.xml").iter("failure")
    assert failure.get("message").startswith("expected undecided at 5 ≤ -100 %, got ")


#: Children and attributes that the JUnit schema of Jenkins allows; those with ! are required.
JUNIT = {
    "testsuites": ("testsuite", "name time tests failures disabled errors"),
    "testsuite": (
        "testcase properties system-out system-err",
        "name! tests! failures errors time disabled skipped timestamp hostname id package",
    ),
    "testcase": ("failure error skipped system-out", "name! classname! time assertions status"),
    "failure": ("", "message type"),
}


def check_junit(element):
    """Compare an element and all below it with `JUNIT`."""
    children, attributes = (part.split() for part in JUNIT[element.tag])
    required = {name[:-1] for name in attributes if name.endswith("!")}
    assert required <= set(element.keys()) <= {name.rstrip("!") for name in attributes}
    for name in ("tests", "failures", "errors", "skipped"):
        assert element.get(name, "0").isdecimal()
    float(element.get("time", "0"))
    for child in element:
        assert child.tag in children
        check_junit(child)


def test_a_folder_runs_as_a_suite_with_one_summary_and_a_valid_junit_file(folder):
    (folder / "suite/deep").mkdir(parents=True)
    for name, bound, place in (("one", 1, "suite"), ("two", -1, "suite/deep"), ("x", 1, "suite")):
        text = SCENARIO.format(name=name, bound=bound).replace("busy", f"{folder.as_posix()}/busy")
        (folder / place / f"{name}.yaml").write_text(text)
    (folder / "suite/own.yaml").write_text("name: own\ndata: [{dataset: mnist}]\niterations: 3\n")
    (folder / "suite/many.yaml").write_text("base: one.yaml\nseeds: 0-3\n")
    done = swarm_nca("run", "suite", "--out", "all", "--junit", "junit.xml")
    assert done.exit_code == 1
    assert "2 of 3 scenarios passed, 5 of 6 expectations met" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("two: expected undecided at 5 ≤ -100 %, got ")
    assert sorted(one.name for one in (folder / "all").iterdir()) == ["one", "two", "x"]
    root = Xml.parse(folder / "junit.xml").getroot()
    check_junit(root)
    assert (root.get("tests"), root.get("failures")) == ("6", "1")
    cases = [(case.get("classname"), len(case)) for case in root.iter("testcase")]
    assert cases == [("two", 1), ("two", 0), *[("one", 0)] * 2, *[("x", 0)] * 2]


def test_every_unusable_scenario_of_a_suite_has_its_line_and_nothing_runs(folder):
    (folder / "suite").mkdir()
    for name in "ab":
        text = SCENARIO.format(name=name, bound=1).replace("steps:", "stepps:")
        (folder / "suite" / f"{name}.yaml").write_text(text)
    done = swarm_nca("run", "suite")
    assert (done.exit_code, done.stdout) == (2, "")
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        str(Path("suite/a.yaml")),
        str(Path("suite/b.yaml")),
    ]
    assert not (folder / "runs").exists()
    (folder / "empty").mkdir()
    assert "there is no scenario in this folder" in swarm_nca("run", "empty").stderr


def test_check_prints_every_mistake_of_scenarios_and_recipes(folder):
    (folder / "broken.yaml").write_text("name: x\nrule: 3\n")
    (folder / "recipe.yaml").write_text("name: x\niterations: 5\ndata: []\n")
    done = swarm_nca("check", "good.yaml", "broken.yaml", "recipe.yaml", "gone.yaml")
    assert done.exit_code == 2
    assert done.stdout == "good.yaml: OK (scenario)\n"
    lines = done.stderr.splitlines()
    files = ["broken.yaml"] * 3 + ["recipe.yaml", "gone.yaml"]
    assert [line.split(":")[0] for line in lines] == files
    assert "rule: must be text or a mapping, got 3" in lines[0]
    assert "missing key 'images'" in lines[1]
    assert "missing key 'steps'" in lines[2]
    assert "data" in lines[3]


def test_schema_prints_json_with_all_keys():
    properties = json.loads(swarm_nca("schema").stdout)["properties"]
    assert {"rule", "images", "steps", "perturbations", "expect"} <= properties.keys()
    assert "iterations" in json.loads(swarm_nca("schema", "recipe").stdout)["properties"]
    assert "grid" in json.loads(swarm_nca("schema", "sweep").stdout)["properties"]
    done = swarm_nca("schema", "recipee")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "no kind of file 'recipee' (did you mean 'recipe'?): there are scenario, recipe, sweep\n"
    )


def test_rules_lists_what_ships(folder, monkeypatch):
    file = folder / "busy.safetensors"
    monkeypatch.setattr("swarm_nca.rules.shipped_rules", lambda: {"busy": file})
    assert "busy" in swarm_nca("rules").stdout
    assert "perception_bias" not in swarm_nca("rules").stdout
    line = next(
        line
        for line in swarm_nca("rules", "--verbose").stdout.splitlines()
        if "middle_bias" in line
    )
    assert line.split()[1:] == ["8", "8", "32", "32"]


def test_evaluate_writes_the_curve(folder):
    done = swarm_nca(
        "evaluate", "busy.safetensors", "--dataset", "strokes", "--limit", "3", "--steps", "4",
        "--protocol", "mutation", "--json", "curve.json",
    )  # fmt: skip
    assert done.exit_code == 0
    curve = json.loads((folder / "curve.json").read_text())["curve"]
    assert [row["step"] for row in curve] == list(range(1, 9))


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "gone", "--dataset", "strokes"),
        ("evaluate", "busy.safetensors", "--dataset", "stroks"),
        ("compare", "busy.safetensors", "gone", "--dataset", "strokes"),
        ("compare", ".", "--dataset", "strokes"),
        ("compare", "busy.safetensors", "--dataset", "stroks"),
        ("run", "gone.yaml"),
        ("run", "no-such-scenario"),
        ("run", "good.yaml", "--junit", "gone/junit.xml"),
        ("run", "good.yaml", "--junit", "."),
        ("run", "good.yaml", "--out", "good.yaml/x"),
        ("compare", "busy.safetensors", "--dataset", "strokes", "--out", "good.yaml/x"),
        ("evaluate", "busy.safetensors", "--dataset", "strokes", "--json", "."),
        ("evaluate", "busy.safetensors", "--dataset", "strokes", "--figure", "gone/x.png"),
        ("run", "good.yaml", "--set", "steps"),
        ("run", "good.yaml", "--set", f"steps={'a' * 100_000}"),
        ("evaluate", "busy.safetensors", "--dataset", "strokes", "--steps", "1000000000"),
        ("evaluate", "busy.safetensors", "--dataset", "strokes", "--turn", "1e-300"),
        ("evaluate", "busy.safetensors", "--dataset", "strokes", "--limit", "1000000000"),
        ("evaluate", "busy.safetensors", "--dataset", "joined", "--limit", "1000000000"),
        ("evaluate", "busy.safetensors", "--dataset", "x" * 100_000),
    ],
)
def test_bad_input_gives_one_line_exit_code_2_and_no_files(folder, arguments):
    before = sorted(folder.rglob("*"))
    done = swarm_nca(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stderr) < 2500
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "option",
    [
        ("--confusion",), ("--fill-holes",), ("--by", "holes"), ("--figure", "a.png"),
        ("--every", "2"), ("--swaps", "2"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_combined_with_turn_is_refused(folder, option):
    done = swarm_nca(
        "evaluate", "busy.safetensors", "--dataset", "strokes", "--limit", "2", "--steps", "1",
        "--turn", "180", *option,
    )  # fmt: skip
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"--turn cannot be combined with {option[0]}: leave one of them out\n"


def test_a_file_of_the_other_kind_is_refused_with_its_command(folder):
    done = swarm_nca("train", "good.yaml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "good.yaml: this is a scenario; use: swarm-nca run good.yaml\n"
    (folder / "own.yaml").write_text("name: own\ndata: [{dataset: mnist}]\niterations: 3\n")
    done = swarm_nca("run", "own.yaml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "own.yaml: this is a recipe; use: swarm-nca train own.yaml\n"


def test_a_mistake_in_a_file_of_the_right_kind_keeps_its_message(folder):
    done = swarm_nca("run", "chimera", "--set", "stepps=1")
    assert "unknown key 'stepps' (did you mean 'steps'?)" in done.stderr
    (folder / "own.yaml").write_text("name: own\nsteps: 3\ndatas: [{dataset: mnist}]\n")
    for command in ("train", "run"):  # the file has as many keys of one kind as of the other
        done = swarm_nca(command, "own.yaml")
        assert done.exit_code == 2
        assert "own.yaml:3:1: datas: unknown key 'datas'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "good.yaml", "--sed", "3"), "No such option: --sed (Possible options: --seed"),
        (("run", "good.yaml", "--out"), "'--out' requires an argument"),
        (("run",), "give either scenarios, or --from RUN@STEP"),
        (("runn",), "No such command 'runn'"),
        (("evaluate", "mnist", "--dataset", "strokes", "--steps", "1" + "0" * 30), "--steps"),
        (("evaluate", "mnist", "--dataset", "strokes", "--limit", "ten"), "--limit"),
        (("evaluate", "mnist", "--dataset", "strokes", "--split", "tst"), "--split"),
        (("compare", "mnist", "--seed", "1" + "0" * 30), "--seed"),
        (("x" * 100_000,), "No such command 'xxx"),
    ],
)
def test_a_usage_error_takes_one_short_line(arguments, words):
    done = swarm_nca(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert words in line
    assert "--help" in line
    assert len(line) < 1000


def test_without_a_command_the_help_is_printed():
    done = swarm_nca()
    assert done.exit_code == 2
    assert "Usage: " in done.output
    assert "evaluate" in done.output


def test_exhausted_memory_gives_one_line(folder, monkeypatch):
    def exhausted(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")

    monkeypatch.setattr("swarm_nca.cli.run_command.load", exhausted)
    done = swarm_nca("run", "good.yaml")
    assert done.exit_code == 2
    assert done.stderr.startswith("not enough memory")
    assert len(done.stderr.splitlines()) == 1


def test_a_terminal_without_a_character_gets_a_substitute(folder, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr("sys.stderr", terminal)
    change = "images.label=11"  # its message holds a dash that is not in Latin-1
    monkeypatch.setattr("sys.argv", ["swarm-nca", "run", "good.yaml", "--set", change])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    terminal.flush()
    (line,) = terminal.buffer.getvalue().splitlines()
    assert b"label 11 is no class: give 0?9" in line


def test_compare_writes_table_and_figures(folder):
    done = swarm_nca(
        "compare", "busy.safetensors", "--dataset", "strokes", "--limit", "3", "--steps", "2",
        "--out", "set",
    )  # fmt: skip
    assert (done.exit_code, done.stderr) == (0, "")
    assert "agree" in done.stdout
    assert {"table.md", "ordering.pdf"} <= {one.name for one in (folder / "set").iterdir()}
