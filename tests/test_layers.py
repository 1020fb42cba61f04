"""Structure of the package: layered imports, lazy heavy imports, and small modules.

`pyproject.toml` lists the allowed imports as contracts of import-linter; ruff checks docstrings,
asserts, prints and banned imports.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import swarm_nca

PACKAGE = Path(swarm_nca.__file__).parent
SETTINGS = Path(__file__).parents[1] / "pyproject.toml"


def test_imports_satisfy_all_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(config_filename=str(SETTINGS), no_cache=True, no_logo=True)
    assert code == 0, capsys.readouterr().out


#: In the order of execution: code, and packages that are not loaded after it.
UNLOADED = (
    (
        "import swarm_nca as sn",
        "torch numpy mesa pygame pydantic matplotlib networkx pandas PIL typer",
    ),
    (
        "sn.World; sn.rollout; sn.load_rule; sn.Topology",
        "mesa pygame pydantic matplotlib networkx pandas typer pooch",
    ),
    ("import swarm_nca.recording, swarm_nca.render", "matplotlib PIL"),
    ("sn.Swarm", "solara"),
)


def test_unused_packages_are_not_imported() -> None:
    ask = "import sys\n" + "".join(
        f"{code}\nprint(*(m for m in {unloaded.split()!r} if m in sys.modules))\n"
        for code, unloaded in UNLOADED
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == "\n" * len(UNLOADED)


def test_every_public_name_exists_and_is_listed_once() -> None:
    assert sorted(set(swarm_nca.__all__)) == sorted(swarm_nca.__all__)
    for name in swarm_nca.__all__:
        assert getattr(swarm_nca, name) is not None
    with pytest.raises(AttributeError, match="roolout"):
        swarm_nca.roolout  # noqa: B018


def test_no_module_is_longer_than_400_lines() -> None:
    lines = {file: len(file.read_text("utf-8").splitlines()) for file in PACKAGE.rglob("*.py")}
    assert lines
    assert {file.name: count for file, count in lines.items() if count > 400} == {}


def test_no_function_is_longer_than_70_lines_without_its_docstring() -> None:
    too_long = []
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                documented = ast.get_docstring(node) is not None
                first = node.body[min(documented, len(node.body) - 1)]
                if (node.end_lineno or 0) - first.lineno >= 70:
                    too_long.append(f"{file.name}: {node.name}")
    assert too_long == []
