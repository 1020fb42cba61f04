"""A viewer without a screen: SDL's dummy driver, and sessions of an untrained rule.

If Xvfb is installed, one test opens a real window on its own screen.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["SDL_VIDEODRIVER"] = "dummy"

import pygame
import pytest
import torch

from swarm_nca.rules import Rule, save_rule
from swarm_nca.viewer.app import App
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.session_config import SessionConfig, from_rule

collect_ignore = [] if shutil.which("Xvfb") else ["test_real_window.py"]


@pytest.fixture(autouse=True, scope="session")
def display() -> Iterator[None]:
    """An invisible display, and one thread, as set by the command."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    pygame.display.init()
    yield
    torch.set_num_threads(threads)
    pygame.display.quit()


@pytest.fixture
def rule_file(busy_rule: Callable[..., Rule], tmp_path: Path) -> Path:
    """A rule as a file, so that a saved session can name it."""
    path = tmp_path / "busy.safetensors"
    save_rule(busy_rule(), path)
    return path


@pytest.fixture
def opening(rule_file: Path) -> SessionConfig:
    """A digit on a canvas of 28 × 28."""
    return from_rule(str(rule_file))


@pytest.fixture
def session(opening: SessionConfig) -> Session:
    return Session(opening)


@pytest.fixture
def app(opening: SessionConfig, tmp_path: Path) -> App:
    """Paused, so that only the test's actions have an effect."""
    made = App(opening, folder=tmp_path)
    made.playing = False
    return made
