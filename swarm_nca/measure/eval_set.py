"""The pictures of an examination: a data set, or several one after the other.

A rule may be shown what it has no word for: letters to a rule of digits, chimeras, two digits
holding hands. Such pictures have no right answer, so nothing is said of accuracy; whether the
cells still agree says whether a swarm knows that it does not know.

Letters: P pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swarm_nca.images import DATASETS, DRAWN, SIZE, Pictures, joined, load_dataset
from swarm_nca.images.datasets import Split
from swarm_nca.images.files import read_folder
from swarm_nca.images.hybrids import HYBRIDS
from swarm_nca.images.pictures import Labels
from swarm_nca.images.silhouettes import without_holes
from swarm_nca.measure.protocols import check_classes
from swarm_nca.rules import Rule
from swarm_nca.suggestion import unknown

#: Drawn pictures have no end: this many where no limit is given.
DRAWN_COUNT = 1_000

#: Exams are drawn from seeds that start here, so that no recipe's own seed repeats them.
EXAM_SEEDS = 1 << 32

#: What stands between the names of data sets that are examined together.
PLUS = "+"


@dataclass(frozen=True, eq=False)
class EvalSet:
    """What a rule is shown, and what else is known of it.

    Attributes:
        pictures: P of them; those of a data set whose classes are all strange to the rule have
            neither labels nor classes.
        own: the same with the labels and classes they came with.
        datasets: the names of the data sets.
        dataset_of: int64 [P], which of them each picture is from.
    """

    pictures: Pictures
    own: Pictures
    datasets: tuple[str, ...]
    dataset_of: Labels

    @property
    def strange(self) -> list[str]:
        """The data sets in which no picture has a right answer."""
        known = self.pictures.labels >= 0
        return [
            name
            for number, name in enumerate(self.datasets)
            if not known[self.dataset_of == number].any()
        ]


def eval_set_for(
    rule: Rule,
    dataset: str,
    *,
    split: Split = "test",
    limit: int | None = None,
    seed: int = 0,
    fill_holes: bool = False,
) -> EvalSet:
    """What a rule is to be examined on.

    Args:
        dataset, split, limit, seed: see `exam_pictures`.
        fill_holes: fill the holes of every silhouette; see `without_holes`.

    Raises:
        ValueError: as `exam_pictures` does; and a data set of which the rule knows some classes
            but not others.
    """
    own = exam_parts(dataset, split=split, limit=limit, seed=seed)
    if fill_holes:
        own = {name: without_holes(part, rule.alive_above) for name, part in own.items()}
    shown = []
    for part in own.values():
        check_classes(rule, part)
        known = set(part.classes) & set(rule.classes.names)
        shown.append(part if known else Pictures(part.grey))
    numbers = np.arange(len(own)).repeat([len(part) for part in own.values()])
    return EvalSet(joined(shown), joined(list(own.values())), tuple(own), numbers)


def exam_pictures(
    dataset: str, *, split: Split = "test", limit: int | None = None, seed: int = 0
) -> Pictures:
    """The pictures a rule is examined on.

    Args:
        dataset: `mnist`, `fashion-mnist`; `strokes`, `doodles`, `letters`, `garments`, `chimeras`
            or `joined` digits, drawn from the seed; a folder with one subfolder of pictures per
            class; or several of these, with a + between them.
        split: of a published data set; the others have only `test`.
        limit: the first so many of each, of a folder in turn from every class; all (of drawn ones
            1,000) when None.

    Raises:
        ValueError: no such data set or folder, a limit below 1, a split it does not have.
    """
    return joined(list(exam_parts(dataset, split=split, limit=limit, seed=seed).values()))


def exam_parts(
    dataset: str, *, split: Split = "test", limit: int | None = None, seed: int = 0
) -> Mapping[str, Pictures]:
    """The pictures of `exam_pictures`, data set by data set."""
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    names = [dataset] if Path(dataset).is_dir() else dataset.split(PLUS)
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise ValueError(f"{dataset} names {twice[0]} twice: leave one out")
    return {name: _pictures(name, split, limit, seed) for name in names}


def _pictures(name: str, split: Split, limit: int | None, seed: int) -> Pictures:
    if name in DATASETS:
        return load_dataset(name, split)[:limit]
    if split != "test":
        raise ValueError(f"{name} has no split '{split}': leave it out")
    count = limit or DRAWN_COUNT
    if name in DRAWN:
        return DRAWN[name].draw(count, EXAM_SEEDS + seed)
    if name in HYBRIDS:
        return HYBRIDS[name](count, EXAM_SEEDS + seed)
    if name and Path(name).is_dir():
        pictures = read_folder(name, size=SIZE).centred_on(SIZE)
        return pictures.from_all_classes(limit or len(pictures))
    if any(sign in name for sign in "./\\"):
        raise ValueError(f"{name}: there is no such folder")
    known = [*DATASETS, *DRAWN, *HYBRIDS]
    raise ValueError(
        f"{unknown('data set', name, known)}, or give a folder with one subfolder of pictures per "
        "class"
    )
