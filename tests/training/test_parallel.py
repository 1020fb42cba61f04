"""Several processes train the rule that one would: same losses, same weights, same pool.

Most tests let threads stand for processes, who sum across a room; the last one asks torchrun.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor

from swarm_nca.config import parse
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Mlp, read_rule
from swarm_nca.tasks import Classification
from swarm_nca.training.checkpoint import load_checkpoint, save_checkpoint
from swarm_nca.training.command import train
from swarm_nca.training.draws import GeneratorDraws, generator_of
from swarm_nca.training.parallel import DataParallel, joined
from swarm_nca.training.recipe import Recipe
from swarm_nca.training.setup import set_up
from swarm_nca.training.trainer import Trainer
from swarm_nca.world import World

T = TypeVar("T")

RECIPE = """
name: tiny
data: [{dataset: strokes, count: 40}]
held_out: 10
iterations: 5
batch: 5
pool: 8
steps: 4
rule: {hidden: [12, 10]}
schedule: {rate: 5e-3}
normalize: shares
log_every: 1
"""

#: The command, and a check that no thread of the process group outlives it (on Linux).
COMMAND = """
import contextlib
from pathlib import Path
from swarm_nca.cli import main

try:
    main()
except SystemExit as end:
    assert not end.code
names = []
for task in Path("/proc/self/task").glob("*"):
    with contextlib.suppress(OSError):  # a thread that has just ended
        names.append(task.joinpath("comm").read_text())
assert not [name for name in names if "gloo" in name], names
"""


class Room:
    """Where the threads of a team meet: what each brings is summed, and all take the sum home."""

    def __init__(self, size: int) -> None:
        self._barrier = threading.Barrier(size, timeout=60)
        self._brought: list[Tensor] = [torch.empty(0)] * size

    def adder(self, rank: int) -> Callable[[Tensor], None]:
        def add(tensor: Tensor) -> None:
            self._brought[rank] = tensor.clone()
            self._barrier.wait()
            total = torch.stack(self._brought).sum(0)
            self._barrier.wait()
            tensor.copy_(total)

        return add


def together(size: int, part: Callable[[DataParallel], T]) -> list[T]:
    """What each member of a team of that size comes to."""
    if size == 1:
        return [part(DataParallel())]
    room = Room(size)
    teams = [DataParallel(rank, size, room.adder(rank)) for rank in range(size)]
    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(part, teams))


def trainer_of(team: DataParallel, change: str = "") -> Trainer:
    """In double precision, so that the rounding of sums does not show."""
    document = parse(RECIPE + change)
    recipe = document.validate(Recipe)
    rule, task, _ = set_up(recipe, document)
    exact = Classification(task.grey.double(), task.label)
    return Trainer(recipe, rule.double(), exact, team)


def results(trainer: Trainer, losses: Sequence[float]) -> list[Tensor]:
    weights = [weight.detach().reshape(-1) for weight in trainer.rule.parameters()]
    pool = (
        []
        if trainer.pool is None
        else [
            trainer.pool.worlds["label"],
            trainer.pool.cells["state"],
        ]
    )
    return [torch.tensor(losses), torch.cat(weights), *pool]


def trained(team: DataParallel, change: str = "") -> list[Tensor]:
    trainer = trainer_of(team, change)
    return results(trainer, [trainer.advance().loss for _ in range(5)])


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize(
    "change",
    [
        "",
        "regime: naive\n",
        "start: random\nloss: ce\n",
        "faults: [{chance: 1.0, change: {kind: liar, share: 0.2, world: 0}}]\n",
    ],
    ids=str,
)
def test_any_number_of_processes_gives_the_losses_weights_and_pool_of_one(
    size: int, change: str
) -> None:
    (alone,) = together(1, lambda team: trained(team, change))
    everybody = together(size, lambda team: trained(team, change))
    for member in everybody:
        for mine, same in zip(member, everybody[0], strict=True):
            assert torch.equal(mine, same)
        for mine, expected in zip(member, alone, strict=True):
            torch.testing.assert_close(mine, expected, atol=1e-9, rtol=1e-9)


def test_with_bfloat16_all_processes_keep_equal_weights() -> None:
    change = "precision: bfloat16\n"
    (alone,) = together(1, lambda team: trained(team, change))
    everybody = together(2, lambda team: trained(team, change))
    for mine, same in zip(*everybody, strict=True):
        assert torch.equal(mine, same)
    torch.testing.assert_close(everybody[0][0], alone[0], atol=0, rtol=0.01)


def test_several_processes_resume_the_checkpoint_of_one(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"

    def resumed(team: DataParallel) -> list[Tensor]:
        trainer = trainer_of(team)
        load_checkpoint(trainer, path)
        return results(trainer, [trainer.advance().loss for _ in range(2)])

    first = trainer_of(DataParallel())
    for _ in range(3):
        first.advance()
    save_checkpoint(first, path, 0.0)
    expected = results(first, [first.advance().loss for _ in range(2)])
    for member in together(2, resumed):
        for mine, one in zip(member, expected, strict=True):
            torch.testing.assert_close(mine, one, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("worlds", [5, 7, 8])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_shares_are_even_and_cover_the_batch(size: int, worlds: int) -> None:
    rule = Mlp()
    random = np.random.default_rng(worlds)
    batch = World.from_images(random.random((worlds, 4, 5)), rule, start="random")
    shares = [DataParallel(rank, size).share(batch) for rank in range(size)]
    counts = [len(share.world) for share in shares]
    assert sum(counts) == worlds
    assert max(counts) - min(counts) <= 1
    assert torch.equal(torch.cat([share.world.state for share in shares]), batch.state)
    for share in shares:
        assert torch.equal(batch.state[share.rows], share.world.state)


def test_a_share_has_the_draws_of_its_rows_in_the_whole_batch() -> None:
    batch = World.from_images(np.ones((3, 4, 5)), Mlp())

    def drawn(draws: StepDraws, first: int = 0) -> list[Tensor]:
        found = []
        for t in range(3):
            fired = draws.fires(t, 0.4)
            found += [draws.word(t, 1), fired, draws.normals(t, fired, 6, torch.float64)]
            acting = fired[(fired + first) % 3 > 0]  # the others are frozen, or have died
            found += [acting, draws.offsets(t, acting)]
        return found

    whole = drawn(GeneratorDraws(generator_of(1, 2), batch.cells))
    for rank in range(3):
        share = DataParallel(rank, 3).share(batch)
        first, end = share.rows.start, share.rows.stop
        part = drawn(share.draws(GeneratorDraws(generator_of(1, 2), batch.cells)), first)
        for t in range(0, len(whole), 5):
            word, fired, normals, acting, offsets = whole[t : t + 5]
            ours, able = ((rows >= first) & (rows < end) for rows in (fired, acting))
            wanted = word[first:end], fired[ours] - first, normals[ours]
            wanted += acting[able] - first, offsets[able]
            for found, expected in zip(part[t : t + 5], wanted, strict=True):
                assert torch.equal(found, expected)


def test_all_processes_stop_if_one_is_stopped() -> None:
    assert together(3, lambda team: team.any(team.rank == 1)) == [True] * 3
    assert together(3, lambda team: team.any(False)) == [False] * 3


def test_more_processes_than_worlds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "6")
    message = "6 processes cannot share a batch of 5 worlds; start at most 5"
    with pytest.raises(ValueError, match=message), joined(5):
        pass


def test_two_processes_under_torchrun_give_the_loss_curve_of_one(tmp_path: Path) -> None:
    from torch.distributed.run import main as torchrun

    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(RECIPE)
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    assert train(recipe, tmp_path / "one") == 0
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    command = [str(script), "train", str(recipe), "--out", str(tmp_path / "two")]
    torchrun(["--standalone", "--nproc-per-node", "2", *command])  # raises if a process fails
    for number, handler in before.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
    one, two = (
        np.loadtxt(tmp_path / name / "log.csv", delimiter=",", skiprows=1)[:, :4]
        for name in ("one", "two")
    )
    np.testing.assert_allclose(two, one, rtol=1e-4)
    assert len(two) == 5
    first, second = (read_rule(tmp_path / name / "rule.safetensors")[0] for name in ("one", "two"))
    for mine, expected in zip(second.parameters(), first.parameters(), strict=True):
        torch.testing.assert_close(mine, expected, atol=1e-4, rtol=0)
    names = [sorted(file.name for file in (tmp_path / run).iterdir()) for run in ("one", "two")]
    assert names[1] == sorted([*names[0], "report.html"]), "the command adds a page"
