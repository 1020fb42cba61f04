"""The published data sets, read from this machine or downloaded once.

If the environment variable `SWARM_NCA_DATA` names a folder, only that folder is used: one subfolder
per data set with its four IDX files, compressed or not. Otherwise the files are in the user's cache
or are downloaded; downloads are checked against the published SHA-256.

MNIST: LeCun, Cortes, Burges 1998. Fashion-MNIST: Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from swarm_nca.images.idx import read_idx
from swarm_nca.images.pictures import Pictures
from swarm_nca.suggestion import unknown

Split: TypeAlias = Literal["test", "train"]

DATA_FOLDER = "SWARM_NCA_DATA"
"""The environment variable naming the folder that holds `mnist/` and `fashion-mnist/`."""


@dataclass(frozen=True)
class DataSet:
    """A published set of labelled pictures.

    `classes`: names of the classes, in the order of the labels. `mirrors`: addresses of folders
    with the four files. `sha256`: of each published compressed file, by file name.
    """

    classes: tuple[str, ...]
    mirrors: tuple[str, ...]
    sha256: Mapping[str, str]


FASHION = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
"""The classes of Fashion-MNIST and of `garments`, in the published order."""

DATASETS: Mapping[str, DataSet] = {
    "mnist": DataSet(
        classes=tuple("0123456789"),
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
            ),
            "train-labels-idx1-ubyte.gz": (
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
            ),
        },
    ),
    "fashion-mnist": DataSet(
        classes=FASHION,
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        sha256={
            "train-images-idx3-ubyte.gz": (
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
            ),
            "train-labels-idx1-ubyte.gz": (
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
            ),
        },
    ),
}

_PREFIX: Mapping[str, str] = {"test": "t10k", "train": "train"}


def load_dataset(name: str, split: Split = "test") -> Pictures:
    """All pictures of a split of a data set, in the published order: 10,000 test or 60,000 train.

    `name`: one of `DATASETS`. Grey is byte / 255, each picture [28, 28].
    Raises ValueError for an unknown name or split, for damaged files, and for files that are not
    on this machine and cannot be downloaded; the message gives the cure.
    """
    if name not in DATASETS:
        raise ValueError(unknown("data set", name, DATASETS))
    if split not in _PREFIX:
        raise ValueError(unknown("split", split, _PREFIX))
    images_path = _find(name, f"{_PREFIX[split]}-images-idx3-ubyte.gz")
    labels_path = _find(name, f"{_PREFIX[split]}-labels-idx1-ubyte.gz")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path} has {len(images)} pictures but {labels_path} has {len(labels)} labels: "
            "replace both by new copies"
        )
    grey = images.astype(np.float32)
    grey /= np.float32(255)
    try:
        return Pictures(grey, labels.astype(np.int64), DATASETS[name].classes)
    except ValueError as error:
        raise ValueError(f"{images_path} and {labels_path.name}: {error}") from error


def _find(name: str, file: str) -> Path:
    """The path of one compressed or plain file, downloaded if necessary."""
    given = os.environ.get(DATA_FOLDER)
    if not given:
        return _download(name, file)
    folder = Path(os.path.expanduser(given)) / name  # an unknown user is not expanded
    for path in (folder / file, folder / file.removesuffix(".gz")):
        if path.is_file():
            return path
    raise ValueError(
        f"{DATA_FOLDER} is {given!r}, but {folder / file} does not exist: put the four files of "
        f"{name} there, or unset {DATA_FOLDER} and go online once to download them"
    )


def _download(name: str, file: str) -> Path:
    import pooch  # slow to import

    known, folder = DATASETS[name], Path(pooch.os_cache("swarm-nca")) / name
    reasons = []
    for mirror in known.mirrors:
        try:
            return Path(
                pooch.retrieve(
                    url=mirror + file,
                    known_hash=f"sha256:{known.sha256[file]}",
                    fname=file,
                    path=folder,
                    progressbar=True,
                )
            )
        except (OSError, ValueError) as error:  # no connection, no such file, wrong hash
            reasons.append(f"{mirror}: {type(error).__name__}")
    raise ValueError(
        f"the data set {name!r} is not on this machine and could not be downloaded "
        f"({'; '.join(reasons)}): go online once, or set {DATA_FOLDER} to a folder that holds "
        f"{name}/ with its four IDX files ({name}/{file}, …)"
    )
