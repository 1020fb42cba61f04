"""Shared fixtures: untrained rules that change cells, and the report on data tests.

Tests in `tests/data` need MNIST and Fashion-MNIST (`SWARM_NCA_DATA`, the folder with `mnist/` and
`fashion-mnist/`) and the published rule (`SWARM_NCA_REFERENCE`, its JSON file). If one of them is
missing, these tests are not collected, and the summary reports it.
The same holds for the tests in `tests/export/browser` and `tests/swarm/browser`. They need the
package `playwright` and Chromium, on the path or named by `SWARM_NCA_CHROMIUM`. Those in
`tests/sweeps/ray` and `tests/sweeps/search` need the packages `ray` and `optuna`.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# One thread, here and in every command that a test starts: on a busy machine several threads spend
# most of their time waiting. torch reads the variable on import.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from .export.flags import FLAGS

# torch is imported where it is used: the process that only hands out tests does without.
if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from swarm_nca.rules import Rule

#: Files that take longest, longest first (seconds of processor time: 30 to 4). Workers begin with
#: them, so that none is left alone with a long file at the end.
_LONGEST = (
    "scenario/test_shipped.py",
    "export/browser/test_page.py",
    "test_agents_equal_batch.py",
    "export/browser/test_steps.py",
    "swarm/browser/test_page.py",
    "test_shipped_rules.py",
    "viewer/test_room.py",
    "training/test_parallel.py",
    "test_kills.py",
    "training/test_resuming.py",
    "stress/test_suite.py",
    "data/test_kept_comparison.py",
    "recording/test_pictures.py",
    "comparison/test_comparing.py",
    "examples/test_adding.py",
    "goldens/test_goldens.py",
    "test_cli.py",
    "sweeps/ray/test_ray.py",
    "sweeps/test_local.py",
    "swarm/test_mesa.py",
    "swarm/test_readme.py",
    "viewer/test_memory.py",
    "viewer/test_replay.py",
)
_TESTS = Path(__file__).parent

# An unset variable must not mean the working folder.
_DATA = Path(os.environ.get("SWARM_NCA_DATA") or os.devnull)
_REFERENCE = Path(os.environ.get("SWARM_NCA_REFERENCE") or os.devnull)

_missing = [
    f"{what} ({variable}: {os.environ.get(variable, 'not set')})"
    for what, variable, exists in (
        ("MNIST", "SWARM_NCA_DATA", (_DATA / "mnist").is_dir()),
        ("Fashion-MNIST", "SWARM_NCA_DATA", (_DATA / "fashion-mnist").is_dir()),
        ("the published rule", "SWARM_NCA_REFERENCE", _REFERENCE.is_file()),
    )
    if not exists
]

#: The browser that opens pages; None where there is none.
_CHROMIUM = next(
    filter(
        None,
        (
            os.environ.get("SWARM_NCA_CHROMIUM"),
            *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
        ),
    ),
    None,
)
_missing_browser = [
    what
    for what, there in (
        ("Chromium (SWARM_NCA_CHROMIUM, or chromium on the path)", _CHROMIUM),
        ("the package playwright", importlib.util.find_spec("playwright")),
    )
    if not there
]

_missing_sweeping = {
    folder: [f"the package {package}"] * (importlib.util.find_spec(package) is None)
    for folder, package in (("ray", "ray"), ("search", "optuna"))
}

collect_ignore = [
    folder
    for folder, missing in (
        ("data", _missing),
        ("export/browser", _missing_browser),
        ("swarm/browser", _missing_browser),
        *((f"sweeps/{folder}", missing) for folder, missing in _missing_sweeping.items()),
    )
    if missing
]

# No deadline: on a busy machine the time of one example varies.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one worker: it makes fixtures such as the browser once."""
    from xdist.scheduler import LoadFileScheduling

    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False  # files are in the order of `_LONGEST`
    return LoadFileScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first in a worker."""
    if not hasattr(config, "workerinput"):
        return
    ranks = {_TESTS / name: rank for rank, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


def pytest_collection_finish() -> None:
    """Take what was imported out of garbage collections, which would look through it every time."""
    gc.freeze()


def pytest_runtest_setup() -> None:
    """Set one thread again after the previous test."""
    import torch

    torch.set_num_threads(1)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Report in one line each whether the tests with needs of their own were collected."""
    kinds = {"data": _missing, "browser": _missing_browser} | _missing_sweeping
    for what, missing in kinds.items():
        state = f"NOT collected, missing: {' and '.join(missing)}" if missing else "collected"
        terminalreporter.write_line(f"{what} tests: {state}")


@pytest.fixture(scope="session")
def published_rule_path() -> Path:
    """JSON file of the published rule, for tests in `tests/data` only."""
    return _REFERENCE


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium with a new profile, for tests in folders `browser` only."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Frames of pages are put together several times as fast by the processor's own code.
        flags = [*FLAGS, "--disable-gpu-compositing"]
        started = playwright.chromium.launch(executable_path=_CHROMIUM, args=flags)
        yield started
        started.close()


@pytest.fixture(scope="session")
def busy_rule() -> Callable[..., Rule]:
    """Makes untrained, frozen rules with random output weights, so that cells change.

    busy_rule(torch.float64, slots=5, …): a dtype, then parameters of `Mlp`.
    """
    import torch

    from swarm_nca.rules import Mlp

    def made(dtype: torch.dtype = torch.float32, *, strength: float = 0.05, **others: Any) -> Rule:
        generator = torch.Generator().manual_seed(7)
        rule = Mlp(generator=generator, **others)
        with torch.no_grad():
            for weight in (rule.perception_bias, rule.middle_bias, rule.output, rule.output_bias):
                weight.normal_(std=strength, generator=generator)
        return rule.to(dtype).requires_grad_(False)

    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `device` each training device; torch is imported here, in the processes that collect."""
    if "device" in metafunc.fixturenames:
        import torch

        devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
        metafunc.parametrize("device", devices)
