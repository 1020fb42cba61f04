"""The pictures of an evaluation: one data set, or several one after another.

A rule may be evaluated on classes that it does not have: letters for a rule of digits, chimeras,
joined digits. Such pictures have no right class, so accuracy is not measured; agreement is.

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

#: Number of drawn pictures without a limit.
DRAWN_COUNT = 1_000

#: Offset of the seeds of drawn evaluation pictures, so that they differ from a recipe's.
EXAM_SEEDS = 1 << 32

#: Separator of the names of data sets.
PLUS = "+"


@dataclass(frozen=True, eq=False)
class EvalSet:
    """The pictures of an evaluation, with their data sets.

    Attributes:
        pictures: P pictures; those of a data set without any class of the rule have neither labels
            nor classes.
        own: the same pictures with their original labels and classes.
        datasets: names of the data sets.
        dataset_of: int64 [P], the number of each picture's data set.
    """

    pictures: Pictures
    own: Pictures
    datasets: tuple[str, ...]
    dataset_of: Labels

    @property
    def strange(self) -> list[str]:
        """The data sets without any labelled picture."""
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
    """The evaluation set of a rule.

    Args:
        dataset, split, limit, seed: see `exam_pictures`.
        fill_holes: fill the holes of every silhouette; see `without_holes`.

    Raises:
        ValueError: as `exam_pictures` does; and a data set of which the rule has some classes but
            not all.
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
    """The pictures of an evaluation.

    Args:
        dataset: `mnist`, `fashion-mnist`; `strokes`, `doodles`, `letters`, `garments`, `chimeras`
            or `joined` digits, drawn from the seed; a folder with one subfolder of pictures per
            class; or several of these, joined by +.
        split: split of a published data set; the others have only `test`.
        limit: maximum number of pictures of each data set, of a folder in turn from every class;
            None: all, and 1,000 drawn ones.

    Raises:
        ValueError: an unknown data set or folder, a limit below 1, an unknown split.
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
        raise ValueError(f"{dataset} names {twice[0]} twice: name it once")
    return {name: _pictures(name, split, limit, seed) for name in names}


def _pictures(name: str, split: Split, limit: int | None, seed: int) -> Pictures:
    if name in DATASETS:
        return load_dataset(name, split)[:limit]
    if split != "test":
        raise ValueError(f"{name} has no split '{split}': leave split out")
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
