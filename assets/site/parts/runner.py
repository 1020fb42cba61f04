"""Executes the blocks of one page in the present folder: JSON on standard input, see `executed`.

Writes `results.json` and the pictures into the folder that is its only argument. Ends with 1 and
the reason on standard output at the first block that fails.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import linecache
import os
import shlex
import subprocess
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

_PROGRAMS = {"swarm-nca": "swarm_nca", "pytest": "pytest"}


class Failure(Exception):
    """A block that does not do what its page says."""


def python(block: dict[str, Any], module: ModuleType, pictures: Path) -> tuple[str, str]:
    """Executes Python.

    Returns:
        What it printed, followed by its last value; the file of that value's picture, or "".
    """
    name = f"<block of line {block['line']}>"
    code = block["code"]
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    tree = ast.parse(code, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), vars(module))
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, "eval"), vars(module))
    if value is None:
        return printed.getvalue(), ""
    if not block["alt"]:
        return f"{printed.getvalue()}{value!r}\n", ""
    if not hasattr(value, "_repr_png_"):
        raise Failure(f":alt: describes a picture, and the last value is {value!r}")
    file = pictures / f"{block['line']}.png"
    file.write_bytes(value._repr_png_())
    return printed.getvalue(), str(file)


def command(block: dict[str, Any]) -> str:
    """Executes lines of `swarm-nca` and `pytest`; returns what they print."""
    text, status = "", 0
    for line in block["code"].replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if status:
            raise Failure(f"exit code {status} before the line {line!r}\n{text}")
        if words[0] not in _PROGRAMS:
            raise Failure(f"{words[0]!r} is none of {', '.join(_PROGRAMS)}")
        done = subprocess.run(
            [sys.executable, "-m", _PROGRAMS[words[0]], *words[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        text, status = text + done.stdout, done.returncode
    if status != block["status"]:
        raise Failure(f"exit code {status}, not {block['status']}\n{text}")
    return text


def write(block: dict[str, Any]) -> None:
    """Writes a file, and the folders that it lies in."""
    file = Path(block["name"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block["code"], encoding="utf-8")


def _processor_time() -> float:
    """Seconds of processor time that this process and its ended children have used."""
    return sum(os.times()[:4])


def main() -> int:
    """Executes all blocks; the exit code."""
    pictures = Path(sys.argv[1])
    module = ModuleType("page")
    sys.modules["page"] = module  # dataclasses look up annotations there
    sys.path[0] = ""  # modules that the page writes, and not those beside this file
    results = []
    for block in json.loads(sys.stdin.read()):
        began = _processor_time()
        text = picture = ""
        try:
            if block["kind"] == "python":
                text, picture = python(block, module, pictures)
            elif block["kind"] == "command":
                text = command(block)
            else:
                write(block)
        except BaseException as problem:
            said = str(problem) if isinstance(problem, Failure) else traceback.format_exc()
            sys.stdout.write(f"line {block['line']}:\n{block['code']}\n{said}\n")
            return 1
        seconds = _processor_time() - began
        results.append({"text": text, "picture": picture, "seconds": seconds})
    (pictures / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
