"""The package's shape: imports run one way, heavy ones have one home, modules stay small."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import swarm_nca

PACKAGE = Path(swarm_nca.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
each_file = pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))

#: From top to bottom; a line may import only lines below it, and nobody of its own line.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("viewer",),
    ("scenario", "testing", "comparison"),
    ("recording", "swarm", "training"),
    ("measure", "located", "portrait"),
    ("perturbations", "tasks"),
    ("masked",),
    ("unrolled",),
    ("engine",),
    ("world",),
    ("grounds", "links"),
    ("randomness", "rules", "topologies", "images"),
    ("atomic", "cores", "products", "shipped", "suggestion"),
    ("arguments",),
)

#: Upward imports that are meant: made inside one function, when it is called.
MEANT = {("world", "portrait")}  # a notebook asks a world for its picture

#: Where a heavy library may be imported; type checkers may see it everywhere.
HOMES = {
    "mesa": {"swarm"},
    "pygame": {"viewer"},
    "pydantic": {"located", "scenario/schema.py", "training/recipe.py"},
    "matplotlib": {"recording"},
    "networkx": {"topologies"},
    "typer": {"cli"},
    "yaml": {"located"},
    "pooch": {"images"},
    "safetensors": {"rules", "training"},
    "pandas": {"recording", "scenario"},
    "PIL": {"images", "portrait.py", "recording", "viewer"},
}


class Import(NamedTuple):
    """One imported module, with where and how it is imported."""

    module: str
    typing_only: bool
    in_function: bool


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def module_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


@cache
def imports_of(file: Path) -> tuple[Import, ...]:
    parts = file.relative_to(PACKAGE.parent).parent.parts
    return tuple(_imports(tree_of(file), parts, typing_only=False, in_function=False))


def _imports(
    node: ast.AST, folder: tuple[str, ...], typing_only: bool, in_function: bool
) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, typing_only, in_function)
    elif isinstance(node, ast.ImportFrom):
        above = folder[: len(folder) + 1 - node.level] if node.level else ()
        source = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            full = f"{source}.{alias.name}"
            yield Import(full if full in MODULES else source, typing_only, in_function)
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        for child in node.body:
            yield from _imports(child, folder, True, in_function)
        for child in node.orelse:
            yield from _imports(child, folder, typing_only, in_function)
    else:
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, folder, typing_only, inside)


def part_of(module: str) -> str:
    """The layer's name: `swarm_nca.world.rows` → `world`; the public page is ``."""
    return [*module.split("."), ""][1]


def height(part: str) -> int:
    return next(i for i, line in enumerate(reversed(LAYERS)) if part in line)


def test_every_module_stands_in_one_layer() -> None:
    parts = {part_of(module) for module in MODULES} - {""}
    listed = [part for line in LAYERS for part in line]
    assert sorted(listed) == sorted(parts)


@each_file
def test_imports_run_one_way(file: Path) -> None:
    me = part_of(module_of(file))
    for one in imports_of(file):
        other = part_of(one.module)
        if not one.module.startswith("swarm_nca") or other == me:
            continue
        if me == "":
            assert one.typing_only, f"the public page loads {one.module} at once"
            continue
        assert other, f"{file.name} imports the public page"
        if (me, other) in MEANT:
            assert one.in_function
            continue
        assert height(other) < height(me), f"{me} may not import {one.module}"


def test_every_upward_import_that_is_meant_is_there() -> None:
    there = {(part_of(m), part_of(i.module)) for m, f in MODULES.items() for i in imports_of(f)}
    assert there >= MEANT


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module: {
            one.module
            for one in imports_of(file)
            if one.module in MODULES and not one.typing_only and not one.in_function
        }
        for module, file in MODULES.items()
    }
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(MODULES)


@each_file
def test_heavy_imports_have_one_home(file: Path) -> None:
    where = file.relative_to(PACKAGE).as_posix()
    for one in imports_of(file):
        library = one.module.split(".")[0]
        if library in HOMES and not one.typing_only:
            assert {where, where.split("/")[0]} & HOMES[library], f"{where} imports {library}"


@pytest.mark.parametrize(
    ("code", "unloaded"),
    [
        ("import swarm_nca", "torch numpy mesa pydantic matplotlib networkx pandas PIL typer"),
        (
            "import swarm_nca as sn; sn.World; sn.rollout; sn.load_rule; sn.Topology",
            "mesa pygame pydantic matplotlib networkx pandas typer pooch",
        ),
    ],
)
def test_what_is_not_used_is_not_loaded(code: str, unloaded: str) -> None:
    ask = f"{code}; import sys; print(*(m for m in {unloaded.split()!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_public_name_is_found_and_listed_once() -> None:
    assert sorted(set(swarm_nca.__all__)) == sorted(swarm_nca.__all__)
    for name in swarm_nca.__all__:
        assert getattr(swarm_nca, name) is not None
    with pytest.raises(AttributeError, match="roolout"):
        swarm_nca.roolout  # noqa: B018


@each_file
def test_modules_are_small_and_say_what_they_are(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400
    assert ast.get_docstring(tree_of(file)), "a module opens with a paragraph: its idea"


@each_file
def test_functions_are_short(file: Path) -> None:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[min(documented, len(node.body) - 1)]
            assert (node.end_lineno or 0) - first.lineno < 70, node.name


@each_file
def test_no_module_unpickles_or_asserts(file: Path) -> None:
    for one in imports_of(file):
        assert one.module.split(".")[0] not in {"pickle", "cloudpickle", "dill", "shelve"}
    for node in ast.walk(tree_of(file)):
        assert not isinstance(node, ast.Assert), "an assert says nothing to a user"
        loads = isinstance(node, ast.Attribute) and ast.unparse(node) in {"torch.load", "np.load"}
        assert not loads
