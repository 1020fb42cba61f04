"""Batches from the pool, and writing them back."""

from __future__ import annotations

from dataclasses import replace

import torch

from swarm_nca.images import strokes
from swarm_nca.rules import Mlp
from swarm_nca.tasks import Augmentation, Classification
from swarm_nca.training.pool import Pool


def task_of(count: int = 40) -> Classification:
    pictures = strokes(count, 3)
    return Classification(torch.tensor(pictures.grey), torch.tensor(pictures.labels))


def filled(task: Classification, rule: Mlp, size: int, seed: int) -> Pool:
    return Pool.of(task.start(size, rule, torch.Generator().manual_seed(seed)))


def filled_with_ones(pool: Pool) -> Pool:
    lives = (pool.space["grey"] > 0.1)[..., None]
    state = pool.cells["state"]
    pool.cells["state"] = torch.where(lives, torch.ones_like(state), 0.0)
    return pool


def test_a_quarter_starts_anew_a_quarter_mutates_and_the_rest_is_unchanged() -> None:
    rule, task = Mlp(), task_of()
    generator = torch.Generator().manual_seed(0)
    pool = filled_with_ones(filled(task, rule, 12, 0))
    before = pool.space["grey"].clone()
    which = torch.randperm(12, generator=generator)[:8]
    world = task.refresh(pool.take(which), 2, 2, rule, generator)
    fresh, mutated, going_on = (
        world.select([0, 1]),
        world.select([2, 3]),
        world.select([4, 5, 6, 7]),
    )
    assert bool((fresh.state == 0).all())
    assert bool((going_on.state == 1).all())
    for i in range(4):
        assert torch.equal(going_on.picture(i).reshape(-1), before[which[4 + i]])
    for i in range(2):
        old, new = before[which[2 + i]], mutated.picture(i).reshape(-1)
        assert not torch.equal(old, new)
        one = mutated.select(i)
        lived = old[one.site] > 0.1
        assert bool((one.state[lived] == 1).all())
        assert bool((one.state[~lived] == 0).all())


def test_a_batch_written_back_keeps_every_field() -> None:
    rule, task = Mlp(), task_of()
    generator = torch.Generator().manual_seed(1)
    start = task.start(6, rule, generator)
    named = start.with_cells(number=torch.zeros(start.cells)).with_worlds(name=torch.arange(6))
    pool = Pool.of(named)
    which = torch.randperm(6, generator=generator)
    world = pool.take(which)
    assert torch.equal(world.world_fields["name"], which)
    marked = world.with_state(world.world_of[:, None].expand(-1, rule.channels).float())
    pool.put_back(which, marked.with_cells(number=world.world_of + 0.5))
    for i, place in enumerate(which.tolist()):
        lives = pool.space["grey"][place] > 0.1
        assert bool((pool.cells["state"][place][lives] == i).all())
        assert bool((pool.cells["state"][place][~lives] == 0).all())
        assert bool((pool.cells["number"][place][lives] == i + 0.5).all())
        assert torch.equal(pool.space["grey"][place], world.picture(i).reshape(-1))
        assert int(pool.worlds["label"][place]) == int(world.label[i])
    back = pool.take(which)
    assert torch.equal(back.state, marked.state)
    assert torch.equal(back.neighbors, world.neighbors)


def test_a_random_start_fills_the_pool_with_normal_states() -> None:
    pool = filled(replace(task_of(), begin="random"), Mlp(), 10, 2)
    values = pool.cells["state"][pool.space["grey"] > 0.1]
    assert abs(float(values.mean())) < 0.05
    assert abs(float(values.std()) - 1.0) < 0.05


def test_no_augmentation_leaves_pictures_untouched_and_scaling_changes_their_ink() -> None:
    grey, generator = task_of().grey, torch.Generator().manual_seed(3)
    assert Augmentation()(grey, generator) is grey
    larger = Augmentation(scale=(1.3, 1.3))(grey, generator)
    ratio = float(larger.sum() / grey.sum())
    assert 1.5 < ratio < 1.85  # 1.3² = 1.69, less what leaves the picture


def test_a_turn_and_a_shift_by_0_are_the_identity() -> None:
    grey, generator = task_of().grey, torch.Generator().manual_seed(4)
    same = Augmentation(scale=(1.0, 1.0), rotate=1e-9)(grey, generator)
    assert torch.allclose(same, grey, atol=1e-4)
