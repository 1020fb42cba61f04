"""The run folder: all results of a run, in common file formats.

`scenario.yaml` and the three tables are byte-equal for the same scenario and seed.
`provenance.json` has versions, rule hash and machine; the pictures and `report.html` show the run.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from swarm_nca.atomic import write_atomically
from swarm_nca.measure.metrics import METRICS, metrics_for
from swarm_nca.recording.provenance import provenance
from swarm_nca.recording.run import EVENT_COLUMNS, Frame, Run
from swarm_nca.world.fields import joined, per_cell

#: Every file that a run folder can hold.
FILES = (
    "scenario.yaml",
    "metrics.csv",
    "pooled.csv",
    "events.csv",
    "provenance.json",
    "report.html",
    "live.html",
    "run.webp",
    "summary.png",
    "channels.png",
    "states.npz",
)

#: Enough digits for any float32, independent of locale and platform.
_FLOAT = "%.9g"


def write_run(
    folder: str | Path,
    run: Run,
    *,
    pictures: bool = True,
    states: bool = False,
    live: tuple[bytes, str] | None = None,
) -> None:
    """Write a run's files into a folder, which is created if missing.

    Args:
        pictures: also `run.webp`, `summary.png` and `channels.png`, if the run has frames.
        states: also `states.npz`, every frame's states (see `states_npz`).
        live: a web page that runs the rule, written as `live.html`, and the fragment of the address
            with which the report opens it.

    Raises:
        ValueError: metrics or events without their columns.
    """
    folder = Path(folder)
    # Without a frame the read-out is unknown: require only metrics for all read-outs.
    common = [name for name, metric in METRICS.items() if not metric.readouts]
    names = list(metrics_for(run.frames[0].world)) if run.frames else common
    for table, columns, name in (
        (next(run.parts("metrics")), ("step", "world", *names), "metrics"),
        (next(run.parts("pooled")), ("step", *names), "pooled metrics"),
        (run.events, EVENT_COLUMNS, "events"),
    ):
        missing = [column for column in columns if column not in table.columns]
        if missing:
            raise ValueError(f"the {name} of a run need the columns {missing}")
    facts = provenance(run)
    files: dict[str, bytes | Iterable[bytes]] = {
        "scenario.yaml": run.scenario.encode(),
        "metrics.csv": _csv(run.parts("metrics")),
        "pooled.csv": _csv(run.parts("pooled")),
        "events.csv": _csv([run.events]),
        "provenance.json": _json(facts),
    }
    if states and run.frames:
        files["states.npz"] = states_npz(run.frames)
    shown = _shown(run, facts, pictures, live)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (files | shown).items():
        write_atomically(folder / name, data)


def write_pictures(
    folder: Path, run: Run, facts: Mapping[str, Any], *, live: tuple[bytes, str] | None = None
) -> None:
    """Write the pictures and the report of a run into its folder; see `write_run`.

    Args:
        facts: the run's provenance.
    """
    for name, data in _shown(run, facts, True, live).items():
        write_atomically(folder / name, data)


def _shown(
    run: Run, facts: Mapping[str, Any], pictures: bool, live: tuple[bytes, str] | None
) -> dict[str, bytes]:
    """The files that show a run: pictures if it has frames, `live.html` and `report.html`."""
    from swarm_nca.recording.report import report_html

    shown: dict[str, bytes] = {}
    if pictures and run.frames:
        from swarm_nca.recording.pictures import pictures_of

        shown = pictures_of(run)
    address, page = None, {}
    if live is not None:
        page["live.html"], fragment = live
        address = f"live.html#{fragment}"
    report = report_html(run, shown, facts, address).encode()
    return {**page, "report.html": report, **shown}


def states_npz(frames: Sequence[Frame]) -> bytes:
    """Every frame's states as a compressed NumPy archive.

    `step` [T] and `rows` [T], the number of alive cells of each of the T frames; then, frame after
    frame, `state` [Σrows, C] and any other per-cell field, and the `world` and `site` of each row.
    A frame without a field holds its blank; a field that changes its shape during the run is one
    array per frame, `NAME.0`, `NAME.1`, …
    """
    worlds = [frame.world for frame in frames]
    file = io.BytesIO()
    held = _held([per_cell(world) for world in worlds], [world.cells for world in worlds])
    np.savez_compressed(
        file,
        step=np.array([frame.step for frame in frames]),
        rows=np.array([world.cells for world in worlds]),
        **held,
        world=torch.cat([world.world_of for world in worlds]).cpu().numpy(),
        site=torch.cat([world.site for world in worlds]).cpu().numpy(),
    )
    return file.getvalue()


def _held(kept: Sequence[dict[str, torch.Tensor]], rows: Sequence[int]) -> dict[str, Any]:
    """The fields of all frames by name; see `states_npz`."""
    shapes: dict[str, set[torch.Size]] = {}
    for fields in kept:
        for name, value in fields.items():
            shapes.setdefault(name, set()).add(value.shape[1:])
    steady = [name for name, found in shapes.items() if len(found) == 1]
    parts = [{name: fields[name] for name in steady if name in fields} for fields in kept]
    held = {name: value.cpu().numpy() for name, value in joined(parts, list(rows)).items()}
    for number, fields in enumerate(kept):
        changing = {name: value for name, value in fields.items() if name not in steady}
        held |= {f"{name}.{number}": value.cpu().numpy() for name, value in changing.items()}
    return held


def _json(facts: dict[str, Any]) -> bytes:
    return (json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _csv(parts: Iterable[pd.DataFrame]) -> Iterator[bytes]:
    for n, part in enumerate(parts):
        text = part.to_csv(index=False, header=not n, float_format=_FLOAT, lineterminator="\n")
        yield text.encode()
