"""How a rule is examined: fresh pictures, and pictures that are swapped for others midway.

As published (Randazzo et al., Distill 2020): batches of 1,000 pictures, metrics pooled over each
batch after every step, then averaged over batches. `fresh` starts from zeros. `mutation` goes on
from there: every picture is swapped for another and cells alive in both keep all they hold.
`restart` swaps too, but hands zero states to the second half: that is what the article's own
evaluation code does, under the name of mutation.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from swarm_nca.engine import trajectory
from swarm_nca.images import Pictures
from swarm_nca.images.pictures import Grey
from swarm_nca.measure.census import Census
from swarm_nca.measure.metrics import pooled, steps_to_agreement
from swarm_nca.randomness import Stream, check_seed, words
from swarm_nca.rules import Rule
from swarm_nca.suggestion import did_you_mean
from swarm_nca.world import World

Protocol: TypeAlias = Literal["fresh", "mutation", "restart"]

#: The metrics of a curve, in the order of its columns.
CURVE = (
    "cell_accuracy",
    "total_agreement",
    "vote_accuracy",
    "agree_and_correct",
    "undecided",
    "state_magnitude",
    "residual_magnitude",
)

#: Told the steps done and the steps in all, over all batches.
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluation:
    """What came out of an examination.

    Attributes:
        protocol, seed: as asked for.
        steps: length of each phase; there is a second one after a swap.
        pictures: how many.
        curve: one row per step, `step` from 1 on and every metric of `CURVE`.
        settled: int64 [pictures], the step of the last phase (from 1) from which on a picture's
            cells agree until the end; −1 where they do not.
    """

    protocol: Protocol
    seed: int
    steps: int
    pictures: int
    curve: list[dict[str, float]]
    settled: Tensor


def evaluate(
    rule: Rule,
    pictures: Pictures,
    *,
    steps: int = 200,
    protocol: Protocol = "fresh",
    seed: int = 0,
    batch: int = 1_000,
    progress: Progress | None = None,
) -> Evaluation:
    """Metrics of a rule on labelled pictures, after every step.

    A world's key is its picture's number, so what it does depends on neither batch nor limit.
    Where pictures are swapped and differ in size, all are first centred on one canvas.

    Args:
        pictures: their classes are the rule's, matched by name.
        steps: of each phase; `mutation` and `restart` have two.
        seed: every random draw, and who is swapped for whom.
        batch: pictures pooled, and held in memory, together.
        progress: called after every step.

    Raises:
        ValueError: no pictures, a class the rule does not know, no steps, an unknown protocol, or
            a single picture where it should be swapped for another.
    """
    check_exam(rule, pictures, steps, protocol)
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
    labels = torch.from_numpy(pictures.labels_for(rule.classes.names))
    if protocol != "fresh":
        pictures = _of_one_size(pictures)
    partner = partners(len(pictures), seed)
    batches = torch.split(torch.arange(len(pictures)), batch)
    tables, settled = [], []
    done, total = 0, len(batches) * steps * (1 if protocol == "fresh" else 2)
    for chosen in batches:
        before, after = (
            (pictures[which.numpy()].grey, labels[which]) for which in (chosen, partner[chosen])
        )
        world = World.from_images(before[0], rule, labels=before[1], keys=chosen)
        rows, agrees = [], []
        for seen in _looks(world, rule, steps, protocol, seed, after):
            rows.append(list(pooled(seen, CURVE).values()))
            agrees.append(seen.agrees)
            done += 1
            if progress is not None:
                progress(done, total)
        tables.append(torch.tensor(rows, dtype=torch.float64))
        settled.append(steps_to_agreement(torch.stack(agrees[-steps:])).cpu())
    sizes = torch.tensor([len(chosen) for chosen in batches])
    return Evaluation(
        protocol, seed, steps, len(pictures), _curve(tables, sizes), torch.cat(settled)
    )


def check_exam(rule: Rule, pictures: Pictures, steps: int, protocol: str) -> None:
    """What `evaluate` asks of its arguments; see there.

    Raises:
        ValueError: the first thing that cannot be used.
    """
    known = get_args(Protocol)
    if protocol not in known:
        hint = did_you_mean(protocol, known)
        raise ValueError(f"no protocol '{protocol}'{hint}: there are {', '.join(known)}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    fewest = 1 if protocol == "fresh" else 2
    if len(pictures) < fewest:
        raise ValueError(f"{protocol} needs at least {fewest} pictures, got {len(pictures)}")
    names = rule.classes.names
    foreign = [name for name in pictures.classes if name not in names]
    if foreign:
        raise ValueError(
            f"the pictures have {len(pictures.classes)} classes ({_listed(pictures.classes)}), the "
            f"rule decides between {len(names)} ({_listed(names)}) and does not know "
            f"{_listed(foreign)}; take a rule trained on such pictures, or pictures of its classes"
        )


def _looks(
    world: World,
    rule: Rule,
    steps: int,
    protocol: Protocol,
    seed: int,
    after: tuple[Grey | tuple[Grey, ...], Tensor],
) -> Iterator[Census]:
    """A look at the worlds after every step; `after` holds the pictures and labels swapped in."""
    world = yield from _phase(world, rule, steps, seed)
    if protocol == "fresh":
        return
    grey, labels = after
    world = world.repictured(grey, labels)
    if protocol == "restart":
        world = world.restarted()
    yield from _phase(world, rule, steps, seed)


def _phase(world: World, rule: Rule, steps: int, seed: int) -> Generator[Census, None, World]:
    for now in trajectory(world, rule, steps, seed):
        yield Census(now, rule, world)
        world = now
    return world


def _curve(tables: list[Tensor], sizes: Tensor) -> list[dict[str, float]]:
    """Batch averages [T, metrics] averaged over batches, by their sizes; nan counts for nothing."""
    every = torch.stack(tables)
    weight = sizes[:, None, None] * ~every.isnan()
    mean = (every.nan_to_num() * weight).sum(dim=0) / weight.sum(dim=0)
    return [
        {"step": step, **dict(zip(CURVE, row, strict=True))}
        for step, row in enumerate(mean.tolist(), start=1)
    ]


def partners(pictures: int, seed: int) -> Tensor:
    """int64 [pictures], whom each picture is swapped for: the next one round a drawn circle.

    Nobody is their own partner, and everybody is somebody's.
    """
    zero = torch.zeros(1, dtype=torch.int64)
    drawn = words(check_seed(seed), zero, torch.arange(pictures), zero, Stream.PERTURBATION)[0]
    circle = drawn.argsort(stable=True)
    return torch.empty_like(circle).index_copy_(0, circle, circle.roll(-1))


def _of_one_size(pictures: Pictures) -> Pictures:
    shapes = [picture.shape for picture in pictures]
    return pictures.centred_on((max(h for h, _ in shapes), max(w for _, w in shapes)))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
