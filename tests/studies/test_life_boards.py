from __future__ import annotations

import numpy as np
import pytest
import torch

from swarm_nca.studies.life_boards import NEIGHBOURHOODS, Boards, flat, whole

from .oracles import life


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_targets_are_the_boards_after_n_steps_of_life(steps: int) -> None:
    boards = Boards(steps, side=7).draw(np.random.default_rng(2), 20)
    assert torch.equal(Boards(steps, side=7).later(boards), life(boards, steps))


def test_a_batch_for_one_step_has_the_neighbourhoods_of_its_boards_with_their_shares() -> None:
    source = Boards(1, side=5)
    boards = source.draw(np.random.default_rng(4), 3 * 2).view(2, 3, 5, 5)
    batches = list(source.batches(np.random.default_rng(4), size=3, count=2))
    assert len(batches) == 2
    for batch, drawn in zip(batches, boards, strict=True):
        expected: dict[tuple[float, ...], list[float]] = {}
        for patch, target in zip(whole(drawn).t(), flat(life(drawn)), strict=True):
            expected.setdefault(tuple(patch.tolist()), []).append(float(target))
        columns = zip(batch.patches.t().tolist(), batch.target, batch.share, strict=True)
        found = {tuple(patch): (float(target), float(share)) for patch, target, share in columns}
        assert found.keys() == expected.keys()
        for patch, targets in expected.items():
            assert found[patch] == (targets[0], pytest.approx(len(targets) / 75))


def test_a_batch_for_more_steps_has_every_cell_of_its_boards() -> None:
    source = Boards(2, side=5)
    boards = source.draw(np.random.default_rng(4), 6).view(2, 3, 5, 5)
    for batch, drawn in zip(source.batches(np.random.default_rng(4), 3, 2), boards, strict=True):
        assert torch.equal(batch.patches, whole(drawn))
        assert torch.equal(batch.target, flat(life(drawn, 2)))
        assert batch.share == pytest.approx(1 / 75)


def test_the_evaluation_set_for_one_step_is_all_512_neighbourhoods() -> None:
    eval_set = Boards(1).eval_set(np.random.default_rng(0), 1)
    assert len({tuple(column) for column in eval_set.patches.t().tolist()}) == 512
    assert torch.equal(eval_set.patches, NEIGHBOURHOODS)
    for patch, target in zip(eval_set.patches.t(), eval_set.target, strict=True):
        count, own = float(patch.sum() - patch[4]), float(patch[4])
        assert float(target) == float(count == 3 or (count == 2 and own == 1))


def test_densities_are_drawn_per_board_or_given() -> None:
    drawn = Boards(1, side=16).draw(np.random.default_rng(0), 2_000).mean(dim=(1, 2))
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(drawn.std()) == pytest.approx(12**-0.5, abs=0.03)
    fixed = Boards(1, side=16, density=0.38).draw(np.random.default_rng(0), 2_000)
    assert float(fixed.mean()) == pytest.approx(0.38, abs=0.01)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"side": 2}, {"density": 1.5}, {"rule": "life"}])
def test_boards_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="got"):
        Boards(**{"steps": 1, **wrong})  # type: ignore[arg-type]
