"""The files of a suite: scores of all finished settings, and signals of every picture.

`stress.csv` has one row for each setting and step, `pictures.csv` one for each picture of the
families of pictures. Both are rewritten whole after each setting, so a stopped suite continues
where it was. `plan.json` holds what decides the numbers.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from swarm_nca.atomic import check_folder, write_atomically
from swarm_nca.measure.signals import SIGNALS, Conduct, errors
from swarm_nca.stress.families import Setting
from swarm_nca.stress.measuring import SCORES, Row, Share

PLAN, TABLE, PICTURES = "plan.json", "stress.csv", "pictures.csv"

#: The names of signals as columns.
_SIGNALS = {name.replace(" ", "_"): name for name in SIGNALS}

_HEAD = ("family", "setting", "step", "after", "pictures", "known")
_TAIL = ("steps_to_agreement", "state_largest")
_COLUMNS = (
    *_HEAD,
    *(f"{name}{end}" for name in SCORES for end in ("", "_low", "_high")),
    *_TAIL,
)
_PICTURE_COLUMNS = ("family", "setting", "picture", "known", "wrong", "answers", *_SIGNALS)


@dataclass(frozen=True)
class PictureRow:
    """The answer of one swarm.

    Attributes:
        family, setting: see `families`; `picture`: its number in the setting.
        known: whether a class is right; `wrong`: whether the vote is not that class.
        answers: see `VoteCounts.answers`.
        signals: by the names of `SIGNALS`.
    """

    family: str
    setting: Setting
    picture: int
    known: bool
    wrong: bool
    answers: bool
    signals: Mapping[str, float]


@dataclass
class Store:
    """The folder of a suite.

    Attributes:
        folder: made with the first finished setting.
        plan: what decides the numbers; see `Subject.plan`.
        rows, pictures: of all finished settings, in the order in which they finished.
    """

    folder: Path
    plan: Mapping[str, Any]
    rows: list[Row] = field(default_factory=list)
    pictures: list[PictureRow] = field(default_factory=list)

    @classmethod
    def opened(cls, folder: Path, plan: Mapping[str, Any], own: Iterable[str]) -> Store:
        """A new store, or the one in the folder.

        Args:
            own: names of further files and folders that a suite writes.

        Raises:
            ValueError: a folder with other files, another plan, or a damaged table.
        """
        check_folder(folder)
        found = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
        found = {name for name in found if not name.startswith(".")}
        if found - {PLAN, TABLE, PICTURES, *own} or (found and PLAN not in found):
            raise ValueError(
                f"{folder}: the folder holds files that are not a stress suite's, so it was not "
                "changed; choose another --out, or empty the folder"
            )
        store = cls(folder, dict(plan))
        if PLAN in found:
            _check_plan(folder, _read_plan(folder / PLAN), plan)
        if TABLE in found:
            store.rows = list(_rows(folder / TABLE))
            done = {(row.family, str(row.setting)) for row in store.rows}
            pictures = _picture_rows(folder / PICTURES) if PICTURES in found else ()
            store.pictures = [one for one in pictures if (one.family, str(one.setting)) in done]
        return store

    def of(self, family: str, setting: Setting) -> list[Row]:
        """The rows of a setting; none if it is not finished."""
        return [row for row in self.rows if (row.family, row.setting) == (family, setting)]

    def add(self, rows: Sequence[Row], pictures: Sequence[PictureRow] = ()) -> None:
        """Keep a finished setting."""
        self.rows += rows
        self.pictures += pictures
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / PLAN).exists():
            text = json.dumps(self.plan, indent=1) + "\n"
            write_atomically(self.folder / PLAN, text.encode())
        if pictures:
            write_atomically(self.folder / PICTURES, _pictures_csv(self.pictures))
        write_atomically(self.folder / TABLE, _csv(self.rows))


def picture_rows(family: str, setting: Setting, seen: Conduct) -> list[PictureRow]:
    """One row for each picture of a setting."""
    columns = {name: signal(seen).tolist() for name, signal in SIGNALS.items()}
    known, wrong = seen.last.labelled.tolist(), errors(seen.last).tolist()
    answers = seen.last.answers.tolist()
    return [
        PictureRow(
            family,
            setting,
            number,
            known[number],
            wrong[number],
            answers[number],
            {name: values[number] for name, values in columns.items()},
        )
        for number in range(len(known))
    ]


def signals_of(rows: Sequence[PictureRow], name: str) -> torch.Tensor:
    """float64 [P], one signal of every row."""
    return torch.tensor([row.signals[name] for row in rows], dtype=torch.float64)


def _csv(rows: Iterable[Row]) -> bytes:
    return _written(_COLUMNS, map(_fields, rows))


def _fields(row: Row) -> list[Any]:
    shares = [number for name in SCORES for share in [row.shares[name]] for number in _ends(share)]
    head = [row.family, row.setting, row.step, int(row.after), row.pictures, row.known]
    return [*head, *shares, row.settled, row.largest]


def _pictures_csv(rows: Iterable[PictureRow]) -> bytes:
    return _written(
        _PICTURE_COLUMNS,
        (
            [
                *(row.family, row.setting, row.picture),
                *(int(row.known), int(row.wrong), int(row.answers)),
                *(row.signals[name] for name in _SIGNALS.values()),
            ]
            for row in rows
        ),
    )


def _written(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n")
    write.writerow(columns)
    write.writerows([_text(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _text(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.9g}"


def _ends(share: Share) -> tuple[float, float, float]:
    return share.value, share.low, share.high


def _rows(file: Path) -> Iterable[Row]:
    for line in _read(file, _COLUMNS):
        numbers = {name: _number(line[name]) for name in _COLUMNS[len(_HEAD) :]}
        yield Row(
            line["family"],
            _setting(line["setting"]),
            int(line["step"]),
            line["after"] == "1",
            int(line["pictures"]),
            int(line["known"]),
            {
                name: Share(*(numbers[f"{name}{end}"] for end in ("", "_low", "_high")))
                for name in SCORES
            },
            numbers["steps_to_agreement"],
            numbers["state_largest"],
        )


def _picture_rows(file: Path) -> Iterable[PictureRow]:
    for line in _read(file, _PICTURE_COLUMNS):
        yield PictureRow(
            line["family"],
            _setting(line["setting"]),
            int(line["picture"]),
            line["known"] == "1",
            line["wrong"] == "1",
            line["answers"] == "1",
            {name: _number(line[column]) for column, name in _SIGNALS.items()},
        )


def _read(file: Path, columns: Sequence[str]) -> Iterable[dict[str, str]]:
    """The lines of a table.

    Raises:
        ValueError: other columns.
    """
    with open(file, encoding="utf-8", newline="") as text:
        lines = csv.DictReader(text)
        if tuple(lines.fieldnames or ()) != tuple(columns):
            raise ValueError(
                f"{file}: the table is damaged or of another version; choose another --out, or "
                "remove the folder"
            )
        try:
            yield from lines
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{file}: {error}; remove the folder to start anew") from error


def _setting(text: str) -> Setting:
    try:
        return float(text)
    except ValueError:
        return text


def _number(text: str) -> float:
    return float(text) if text else math.nan


def _read_plan(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file}: {error}; remove the folder to start anew") from error


def _check_plan(folder: Path, kept: Any, wanted: Mapping[str, Any]) -> None:
    kept = kept if isinstance(kept, dict) else {}
    other = [name for name in wanted if kept.get(name) != wanted[name]]
    if other:
        names = {
            "content": "pictures of the data set",
            "pictures": "folder of pictures",
            "immigrants": "rule of immigrants",
        }
        said = ", ".join(names.get(name, name) for name in other)
        raise ValueError(
            f"{folder}: holds a suite with another {said}; give the same options again, choose "
            "another --out, or remove the folder to start anew"
        )
