"""A session's memory does not grow with its length, counted in objects and bytes."""

from __future__ import annotations

import gc
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pygame
import pytest
import torch

from swarm_nca.perturbations import Restart
from swarm_nca.viewer import film as film_module
from swarm_nca.viewer import icons, keyframes, lettering, paint
from swarm_nca.viewer.app import App
from swarm_nca.viewer.film import Film
from swarm_nca.viewer.keyframes import BUDGET, MOST, Keyframe, Keyframes
from swarm_nca.viewer.layout import layout_of
from swarm_nca.viewer.overlays import VIEWS
from swarm_nca.viewer.session_config import SessionConfig
from swarm_nca.world import World


def held() -> dict[str, int]:
    """Counts in this process: tensors and their bytes, arrays, all objects."""
    gc.collect()
    objects = gc.get_objects()
    storages = {
        entry.untyped_storage().data_ptr(): entry.untyped_storage().nbytes()
        for entry in objects
        # Other tests may leave tensors without storage: sparse ones, or without values.
        if type(entry) is torch.Tensor and entry.layout == torch.strided and not entry.is_meta
    }
    return {
        "tensors": sum(type(entry) is torch.Tensor for entry in objects),
        "bytes": sum(storages.values()),
        "arrays": sum(type(entry) is np.ndarray for entry in objects),
        "objects": len(objects),
    }


def watch(app: App, surface: pygame.Surface, ticks: int) -> None:
    for number in range(ticks):
        app.view = VIEWS[number % len(VIEWS)]
        app.tick(1 / 60)
        app.draw(surface)


def test_a_session_four_times_as_long_uses_no_more_memory(
    app: App, rule_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "MOST", 6)
    monkeypatch.setattr("swarm_nca.viewer.history.MOST", 64)
    app.stand_beside(str(rule_file))
    app.question((14.0, 14.0))
    app.playing, app.speed = True, app.SPEEDS.index(240.0)
    app.arrange(layout_of((640, 360)))
    surface = pygame.Surface(app.layout.window.size)
    watch(app, surface, 40)
    seen = [held()]
    for _ in range(3):
        watch(app, surface, 80)
        seen.append(held())
    assert app.session.step > 160
    # What grows with time grows in every part; modules and caches load once, in one of them.
    grown = {
        name: min(then[name] - first[name] for first, then in pairwise(seen)) for name in seen[0]
    }
    # The number of keyframes varies between two prunings: at most six for two sessions.
    frame = Keyframe.of(app.session.world, 0).bytes
    assert grown["tensors"] <= 2 * 6 * 5
    assert grown["bytes"] <= 2 * 6 * 2 * frame
    assert grown["arrays"] <= 40
    assert grown["objects"] <= 400


def test_the_number_of_keyframes_of_a_small_world_is_bounded(opening: SessionConfig) -> None:
    first = Keyframe.of(opening.start, 0)
    kept = Keyframes(first)
    for step in range(16, 100_000, 16):
        if kept.wants(step):
            kept.keep(Keyframe(step, first.tensors, first.shared))
    assert len(kept) <= MOST
    assert kept.bytes < BUDGET / 4


def test_two_rules_on_a_full_canvas_go_back_2000_steps_in_200_megabytes(
    opening: SessionConfig,
) -> None:
    start = World.from_images(torch.ones(1, 140, 140), opening.rule)
    both = 0
    for budget in (BUDGET, BUDGET // 2):
        kept = Keyframes(Keyframe.of(start, 0), budget)
        for step in range(16, 2_001, 16):
            if kept.wants(step):
                kept.keep(Keyframe.of(start, step))
        assert kept.before(2_000).step > 2_000 - 2 * kept.stride
        both += kept.bytes
    assert both <= 200e6


def test_cached_pictures_do_not_grow_with_time(app: App) -> None:
    """A past error: a box was cached for each of its lengths, 30 kB per step."""
    surface = pygame.Surface(app.layout.window.size)
    app.playing, app.speed = True, app.SPEEDS.index(60.0)
    watch(app, surface, 2 * len(VIEWS))
    before = paint._rounded.cache_info().currsize
    for _ in range(40):
        app.tick(1 / 60)
        app.draw(surface)
    # A class with its first vote adds its colour to the cache.
    assert paint._rounded.cache_info().currsize <= before + 10
    for cache in (paint._rounded, lettering.written, lettering.font, icons.icon):
        assert cache.cache_info().maxsize is not None


def test_inspector_history_and_plan_stay_bounded_without_edits(app: App) -> None:
    app.question((14.0, 14.0))
    app.session.edit(Restart())
    for _ in range(400):
        app.session.advance()
        app.settle()
    assert app.witness is not None
    assert len(app.witness.said) <= 142
    assert len(app.session.plan) == 1
    assert len(app.session.said) <= 32


def test_a_film_of_any_span_is_made_in_200_megabytes(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, kept = film_module.MOST, 10
    monkeypatch.setattr(film_module, "MOST", kept)
    for _ in range(30 * kept):
        app.session.advance()
    held_by = []
    for last in (kept - 1, 30 * kept - 1):
        tracemalloc.start()
        film = Film(app, 0, last, ".webp")
        film.work()
        held_by.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert film.done
    short, long = held_by
    assert long < 1.5 * short
    assert short / kept * most < 200 * 2**20
