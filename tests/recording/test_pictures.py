"""The pictures of a run, checked by their pixels."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from PIL import Image

from swarm_nca.recording import Frame
from swarm_nca.recording.animation import MOST, animation_webp, shots_of
from swarm_nca.recording.channels import channels_png, diverging
from swarm_nca.recording.summary import summary_png
from swarm_nca.render import Rgb, decisions_rgb, grey_rgb
from swarm_nca.rules import Mlp
from swarm_nca.world import World

from .conftest import MakeRun


def pixels(data: bytes) -> Rgb:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def times_found(tile: Rgb, picture: Rgb) -> int:
    """The number of exact copies of a tile in a picture; the search starts with its middle row."""
    middle = tile.shape[0] // 2
    needle, width = tile[middle].tobytes(), tile.shape[1]
    found = 0
    for y in range(middle, picture.shape[0] - tile.shape[0] + middle + 1):
        row, at = picture[y].tobytes(), -1
        while (at := row.find(needle, at + 1)) >= 0:
            x, aligned = divmod(at, 3)
            part = picture[y - middle : y - middle + tile.shape[0], x : x + width]
            found += aligned == 0 and np.array_equal(part, tile)
    return found


@pytest.mark.parametrize("worlds", [1, 3])
def test_the_summary_shows_each_world_before_and_after_at_a_whole_scale(
    make_run: MakeRun, worlds: int
) -> None:
    run = make_run(worlds=worlds)
    picture = pixels(summary_png(run))
    scale = (1584 - 9 * 12) // 10 // 12
    for frame in (run.frames[0], run.frames[-1]):
        tile = decisions_rgb(frame.world, 0, scale=scale)
        assert times_found(tile, picture) >= worlds


@pytest.mark.parametrize(
    ("steps", "swaps", "worlds", "labelled"),
    [
        (0, (), 1, True),
        (1, (0,), 1, False),
        (60, tuple(range(5, 50)), 1, True),
        (9, (3,), 70, True),
    ],
)
def test_pictures_of_all_kinds_of_runs_show_the_end(
    make_run: MakeRun, steps: int, swaps: tuple[int, ...], worlds: int, labelled: bool
) -> None:
    run = make_run(steps, swaps, worlds, labelled)
    moving = Image.open(io.BytesIO(animation_webp(run)))
    moving.seek(moving.n_frames - 1)
    pictures = [
        pixels(summary_png(run)),
        pixels(channels_png(run)),
        np.asarray(moving.convert("RGB")),
    ]
    end = run.frames[-1].world
    for picture in pictures:
        tiles = (decisions_rgb(end, 0, scale=scale) for scale in range(19, 0, -1))
        assert any(times_found(tile, picture) for tile in tiles)


def test_the_animation_shows_grey_beside_decisions_and_the_run_s_end(
    make_run: MakeRun,
) -> None:
    run = make_run()
    moving = Image.open(io.BytesIO(animation_webp(run)))
    assert moving.n_frames == len(run.frames)
    for number in (0, -1):
        moving.seek(range(moving.n_frames)[number])
        shown, world = np.asarray(moving.convert("RGB")), run.frames[number].world
        assert times_found(grey_rgb(world, scale=8), shown) == 1
        assert times_found(decisions_rgb(world, scale=8), shown) == 1


@pytest.mark.parametrize("shape", [(3000, 12), (12, 3000)])
def test_long_canvases_are_scaled_to_fit_screens(make_run: MakeRun, shape: tuple[int, int]) -> None:
    run = make_run(steps=2, swaps=())
    world = World.from_images(np.ones((1, *shape), np.float32), Mlp())
    frames = [Frame(frame.step, world) for frame in run.frames]
    long = dataclasses.replace(run, frames=frames)
    assert max(pixels(animation_webp(long)).shape) < 1100
    assert max(pixels(summary_png(long)).shape) < 3000


def test_the_animation_is_slow_at_the_end_and_around_perturbations(make_run: MakeRun) -> None:
    shots = shots_of(make_run(steps=200, swaps=(100,)))
    stays = [shot.stays for shot in shots]
    swap = next(n for n in range(1, len(shots)) if shots[n].frame.step == shots[n - 1].frame.step)
    assert stays[-1] == max(stays)
    assert min(stays[0], stays[swap], stays[swap - 1]) > 5 * min(stays)
    assert shots[swap].caption == "mutate: 7 → 2"
    assert shots[swap - 1].caption == ""
    assert shots[-1].caption == ""


@pytest.mark.parametrize("swaps", [(), (500,), tuple(range(1, 900, 2))])
def test_a_long_animation_is_thinned_and_keeps_start_and_end(
    make_run: MakeRun, swaps: tuple[int, ...]
) -> None:
    run = make_run(steps=1000, swaps=swaps)
    shots = shots_of(run, MOST if len(swaps) < 100 else 500)
    assert len(shots) <= (MOST if len(swaps) < 100 else 500) + 2
    assert shots[0].frame is run.frames[0]
    assert shots[-1].frame is run.frames[-1]
    assert all(shot.stays > 0 for shot in shots)


def luminance(colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    return colors.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722])


def test_values_darken_away_from_zero_and_the_hue_shows_the_sign() -> None:
    values = np.linspace(0, 50, 200)
    up, down = diverging(values), diverging(-values)
    assert (np.diff(luminance(up)) <= 0.6).all()
    assert (np.diff(luminance(down)) <= 0.6).all()
    assert (up[20:, 0] > up[20:, 2]).all()
    assert (down[20:, 2] > down[20:, 0]).all()
    assert diverging(np.array([0.0])).tolist() == [[247, 247, 247]]


def test_infinite_values_have_a_colour() -> None:
    wild = diverging(np.array([np.inf, -np.inf, np.nan]))
    assert wild.tolist() == diverging(np.array([1e9, -1e9, 0.0])).tolist()


def test_the_channels_picture_shows_class_channels(make_run: MakeRun) -> None:
    run = make_run()
    picture = pixels(channels_png(run))
    assert times_found(decisions_rgb(run.frames[-1].world, scale=14), picture) >= 1


@pytest.mark.parametrize("labelled", [True, False])
def test_the_summary_of_unknown_pictures_draws_the_largest_vote(
    make_run: MakeRun, labelled: bool
) -> None:
    picture = pixels(summary_png(make_run(labelled=labelled)))
    blue = (picture == (0, 114, 178)).all(axis=2)  # of cell accuracy, or else of the largest vote
    assert blue.any(axis=0).sum() > picture.shape[1] / 2


def test_channels_of_a_large_world_look_like_those_of_a_small_one(make_run: MakeRun) -> None:
    figures = []
    for side in (84, 840):
        world = World.from_images([np.ones((side, side), np.float32)], Mlp())
        above = world.site < side * side // 2
        state = torch.where(above[:, None], 1.0, -2.0).expand_as(world.state).contiguous()
        state[:, 3] = torch.where(world.site % side < side // 2, 0.5, -10.0)
        frames = [Frame(0, world), Frame(40, world.with_state(state))]
        figures.append(pixels(channels_png(dataclasses.replace(make_run(), frames=frames))))
    small, large = figures
    assert np.array_equal(small, large)


def test_many_labels_get_their_own_lines(make_run: MakeRun) -> None:
    run = make_run()
    crowd = pd.DataFrame(
        [[t, kind, "w " * 40] for t in range(5) for kind in ("loss", "noise", "rates")],
        columns=["step", "kind", "what"],
    )
    few, many = (
        pixels(summary_png(dataclasses.replace(run, events=events)))
        for events in (run.events, crowd)
    )
    lines = round((many.shape[0] - few.shape[0]) / 20)
    assert lines == 14  # fifteen labels as wide as the axes, one per line


def test_long_captions_of_the_animation_are_cut(make_run: MakeRun) -> None:
    run = make_run(steps=8, swaps=(3,))
    wordy = dataclasses.replace(run, events=run.events.assign(what="word " * 100))
    first, second = (Image.open(io.BytesIO(animation_webp(one))) for one in (run, wordy))
    first.seek(5)
    second.seek(5)
    assert first.size == second.size
    # The step's number, left of the caption, is unchanged.
    step = (slice(0, 36), slice(0, 80))
    shown = [np.asarray(image.convert("RGB"))[step] for image in (first, second)]
    assert (shown[0] == shown[1]).all()
