"""Fuzzed scenarios and recipes give located lines, in bounded time and memory.

Shipped files are damaged at random from a seed: keys deleted, doubled and renamed, values retyped
and enlarged, bytes broken, values nested and repeated by aliases. `SWARM_NCA_FUZZ=full` runs 20,000
cases instead of 120.
"""

import contextlib
import copy
import io
import os
import random
import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from swarm_nca.cli.inspecting import check
from swarm_nca.config import dump, parse, read
from swarm_nca.scenario import load, run
from swarm_nca.scenario.finding import shipped_recipes, shipped_scenarios
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer

FULL = os.environ.get("SWARM_NCA_FUZZ") == "full"

#: Cases per kind of file; one of so many valid cases is run for a step or two.
CASES, RUN_ONE_OF = (10_000, 25) if FULL else (60, 25)

#: Maximum seconds per case; maximum bytes by which a case may raise the peak of memory.
LONGEST, MOST_BYTES = 5.0, 1 << 30

FILES = {"scenario": shipped_scenarios(), "recipe": shipped_recipes()}

#: Replacement values.
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 3, 7, 255, 256, 1000, 10**5, 2**31, 2**32, 2**53, 2**63, 2**64,
    10**18, 10**30, -(10**30), 10**100, 10**400, 0.0, -0.0, 0.5, 1.5, 1e-3, 1e-30, 1e-300, 5e-324,
    1e5, 1e6, 1e10, 1e38, 1e39, 1e155, 1e200, 1e308, -1e308, float("inf"), float("-inf"),
    float("nan"), "", "x", "7", "seven", "mnist", "strokes", "digits", "..", "/", "/dev/null",
    "gone.png", "*", "a\0b", "a\nb", "é", "𝒳\u202e", "x" * 300, "x" * 100_000, "%s%n", "{}", "~",
    [], {}, [[]], [1], [1, 2], [1, 2, 3], [0, 0], [-1, -1], [1e9, 1e9], [1, "x"], [None, None],
    [4096, 4096], [1, 4096], list(range(300)), {"a": 1}, {"kind": "noise"}, {"glyph": 3},
]  # fmt: skip

#: Texts that are inserted as lines.
LINES = [
    "\t", "  ", " x: 1", "x:", "- 1", "? [a]\n: 1", "<<: {a: 1}", "!!python/object:os.system x",
    "&a [*a]", "--- ", "...", "%YAML 1.1", "'", '"', "{", "[", "]", "}", "|", ">", "@", "`", "#",
    "\x00", "\x07", "\u2028", "\ufeff", '"\\ud800"', "k: " + "[" * 200, "k: " + "{a: " * 60,
    "k: " + "9" * 5000, "k: 0x" + "f" * 5000, "- " * 80, "x" * 100_000,
    "\n".join(["a: &a [1,1,1,1,1,1,1,1,1]"] + [
        f"{b}: &{b} [{', '.join(['*' + a] * 9)}]" for a, b in zip("abcdefg", "bcdefgh", strict=True)
    ]),
]  # fmt: skip


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values."""
    if not isinstance(data, dict | list):
        return [path]
    below = data.items() if isinstance(data, dict) else enumerate(data)
    inner = [place for key, value in below for place in places(value, (*path, key))]
    return [path, *inner] if path else inner


def damaged(data: Any, draw: random.Random) -> Any:
    """Plain data with one value deleted, doubled, renamed, wrapped, enlarged or replaced."""
    data = copy.deepcopy(data)
    every = places(data)
    if not every:
        return data
    path = draw.choice(every)
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    key, value = path[-1], holder[path[-1]]
    how = draw.randrange(9)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, list):
        holder[key:key] = [
            copy.deepcopy(value) for _ in range(draw.choice([1, 2, 3, 20, 20, 20, 1200]))
        ]
    elif how == 2 and isinstance(holder, dict):
        renamed = draw.choice([f"{key}s", str(key)[:-1], key.upper(), "kind", "x" * 300, 3, ""])
        holder[renamed] = holder.pop(key)
    elif how == 3:
        for _ in range(draw.choice([1, 2, 10, 45, 60])):
            value = [value] if draw.random() < 0.5 else {draw.choice(["row", "a"]): [value]}
        holder[key] = value
    elif how == 4 and isinstance(value, int | float):
        holder[key] = draw.choice([-value, value * 10, value * 10**9, value * 2 + 1, str(value)])
    elif how == 5:
        other = draw.choice(every)
        copied = data
        for step in other:
            copied = copied[step]
        holder[key] = copy.deepcopy(copied)
    else:
        holder[key] = draw.choice(VALUES)
    return data


def blown_up(data: Any, draw: random.Random) -> Any:
    """Plain data with one number replaced by a very large one."""
    data = copy.deepcopy(data)
    holders = [(holder, key) for holder, key, value in leaves(data) if is_number(value)]
    holder, key = draw.choice(holders)
    holder[key] = draw.choice([value for value in VALUES if is_number(value) and abs(value) > 1e5])
    return data


def leaves(data: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Every value that is no mapping or list, as (holder, key, value)."""
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
        if isinstance(value, dict | list):
            yield from leaves(value)
        else:
            yield data, key, value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def broken(text: str, draw: random.Random) -> bytes:
    """A text with lines or bytes inserted, removed or changed."""
    content, how = text.encode(errors="surrogatepass"), draw.randrange(6)
    at = draw.randrange(len(content) + 1)
    if how == 0:
        return content[:at] + bytes(draw.randrange(256) for _ in range(4)) + content[at:]
    if how == 1:
        return content[:at] + content[at + draw.choice([1, 5, 50]) :]
    if how == 2:
        return content[:at]
    lines = text.splitlines()
    number = draw.randrange(len(lines))
    if how == 3:
        lines.insert(number, draw.choice(LINES))
    elif how == 4:
        lines[number] = " " * draw.choice([1, 2, 3]) + lines[number]
    else:
        lines[number] = lines[number].replace(":", draw.choice(["", " :", "::", ":\t"]), 1)
    return "\n".join(lines).encode(errors="surrogatepass")


@cache
def shipped(file: Path) -> tuple[str, Any]:
    """A file's text and data."""
    text = file.read_text(encoding="utf-8")
    return text, parse(text).data


def case(kind: str, draw: random.Random) -> bytes:
    """One damaged file."""
    text, data = shipped(draw.choice(list(FILES[kind].values())))
    how = draw.random()
    if how < 0.3:
        return broken(text, draw)
    if how < 0.45:
        return dump(blown_up(data, draw)).encode()
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        data = damaged(data, draw)
    text = dump(data)
    return broken(text, draw) if how > 0.9 else text.encode(errors="surrogatepass")


class Slow(BaseException):
    """A case that takes too long."""


@pytest.fixture
def within() -> Iterator[Callable[[float], None]]:
    """`within(5)` limits the following code to 5 seconds of processor time, until `within(0)`."""

    def late(*_: object) -> None:
        raise Slow

    before = signal.signal(signal.SIGPROF, late)
    yield lambda seconds: signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def mistakes_of(file: Path) -> list[str]:
    """The lines that `swarm-nca check` writes to stderr; none for a valid file."""
    stderr = io.StringIO()
    with contextlib.redirect_stderr(stderr), contextlib.suppress(typer.Exit):
        check([str(file)], quiet=True)
    return stderr.getvalue().splitlines()


def run_briefly(kind: str, file: Path) -> bool:
    """Run two steps of a valid scenario, or one iteration of a valid recipe, if it is small."""
    if kind == "scenario":
        document = read(file)
        acting = len(document.data.get("perturbations") or ())
        changes = [f"perturbations.{i}.at={i % 2}" for i in range(acting)]
        scenario = load(file, overrides=["steps=2", "expect=[]", *changes])
        if scenario.start.cells > 5_000:
            return False
        assert run(scenario).steps == 2
        return True
    changes = ["data=[{dataset: strokes, count: 20}]", "held_out=1", "iterations=1"]
    document = read(file).with_overrides(changes)
    recipe = document.validate(Recipe)
    if recipe.batch * max(recipe.rule.hidden) > 2000 or recipe.pool > 500:
        return False
    if (recipe.steps if isinstance(recipe.steps, int) else recipe.steps[1]) > 20:
        return False
    if recipe.rule.weights is not None or recipe.rule.free_channels > 50:
        return False
    Trainer(recipe, *set_up(recipe, document)[:2]).advance()
    return True


def tried(kind: str, file: Path, within: Callable[[float], None], brief: bool) -> str:
    """The outcome of a file: passed, refused, run, run and refused; or FAULT with its cause."""
    outcome = "passed"
    try:
        within(LONGEST)
        lines = mistakes_of(file)
        for line in lines:
            if not line.startswith(str(file)) or len(line) > 2500:
                return f"FAULT, no located line: {line[:300]}"
        if lines:
            return "refused"
        if brief:
            within(60)
            outcome = "run" if run_briefly(kind, file) else "passed"
    except (ValueError, ArithmeticError) as error:
        several = len(str(error).splitlines()) > 1
        return f"FAULT, several lines: {error}" if several else "run and refused"
    except Slow:
        return "FAULT, too slow"
    except Exception as error:
        return f"FAULT, {error!r}"
    finally:
        within(0)
    return outcome


@pytest.mark.parametrize("kind", FILES)
def test_damaged_files_give_located_lines_in_bounded_time_and_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, within: Callable[[float], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "signs").symlink_to(shipped_scenarios()["chimera"].parent / "signs")
    (tmp_path / "train").mkdir()
    file = Path("f.yaml") if kind == "scenario" else Path("train/f.yaml")
    outcomes: Counter[str] = Counter()
    faults = []
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(CASES):
        draw = random.Random(f"{kind} {seed}")
        file.write_bytes(case(kind, draw))
        outcome = tried(kind, file, within, draw.randrange(RUN_ONE_OF) == 0)
        before, peak = peak, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if (peak - before) * 1024 > MOST_BYTES:
            outcome = f"FAULT, {(peak - before) / 2**20:.1f} GB more"
        if outcome.startswith("FAULT"):
            faults.append((seed, outcome))
            print(kind, seed, outcome, flush=True)
        outcomes[outcome.split(",")[0]] += 1
        if seed % 1000 == 999:
            print(kind, dict(outcomes), f"{peak / 2**20:.2f} GB at most", flush=True)
    assert faults == []
    assert outcomes["refused"] > CASES / 2
    assert outcomes["passed"] + outcomes["run"] > CASES / 20
