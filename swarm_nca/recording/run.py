"""What a run leaves: numbers for every step, moments kept, what happened, and how it was judged.

What happens (the scenario), what is kept (the frames) and what comes back (this record) are three
things; nothing here steps a world or writes a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from swarm_nca.atomic import check_folder
from swarm_nca.measure.metrics import CURVE, METRICS, OTHERS
from swarm_nca.recording.table import ReadWhenAsked, thinned
from swarm_nca.world import World

#: The metrics' first columns for rules with classes, in the order of the file; more may follow.
#: Other rules have those of `metrics_for`. Shares lie in [0, 1].
METRIC_COLUMNS = ("step", "world", *CURVE)

#: The same over all worlds.
POOLED_COLUMNS = ("step", *CURVE)

#: The events' first columns; more may follow.
EVENT_COLUMNS = ("step", "kind", "what")

#: Moments that every run keeps, where it has them: opinions spread fastest at the start.
FIRST_STEPS = (0, 1, 2, 3, 5, 7, 10, 15, 20)

#: Bytes that a run's frames may take, and how many are kept even where they take more.
FRAMES_MEMORY, FEWEST_FRAMES = 1 << 30, 5


@dataclass(frozen=True)
class Frame:
    """The worlds at one moment of a run.

    Where perturbations act after step t there are two frames of step t: before them, and after.
    """

    step: int
    world: World


#: Why a metric has no value, where it is not for want of cells.
_UNKNOWN = {
    **dict.fromkeys(
        ("cell_accuracy", "vote_accuracy", "agree_and_correct"),
        "the rule has no class for these pictures",
    ),
    **dict.fromkeys(("residual_magnitude", "label_flips"), "there is no step before this one"),
}


@dataclass(frozen=True)
class Expectation:
    """What a scenario expected of a metric at a step, and the value it met.

    `min` and `max` are None where that side was left open.
    """

    metric: str
    at: int
    min: float | None
    max: float | None
    value: float

    @property
    def passed(self) -> bool:
        """Whether the value lies within the bounds; a value that is not a number does not."""
        low = self.min is None or self.value >= self.min
        high = self.max is None or self.value <= self.max
        return low and high and self.value == self.value

    @property
    def unknown(self) -> str:
        """Why it cannot be judged, where the value is not a number; else empty."""
        if self.value == self.value:
            return ""
        return _UNKNOWN.get(self.metric, "there is nothing to measure")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Run:
    """All that is known of a run once it is over.

    `metrics` and `pooled` may be given as a `Table`, which stays on disk while it is long: each is
    read whole, and kept in memory, when somebody first asks for it. `parts`, `told` and `told_at`
    read no more than they need.

    Attributes:
        name: the scenario's.
        scenario: the resolved scenario, as YAML text.
        seed: of every random draw.
        rule: the name or file the rule was asked for by, or its kind and settings; `rule_hash` says
            which one it was.
        metrics: one row per step and world; columns `METRIC_COLUMNS` and any others (of a rule
            without classes `step`, `world` and what `metrics_for` names). Row t is the
            world after step t and before the perturbations at t. Unknown values (no label) are NaN.
        pooled: the same over all worlds, one row per step, as expectations are judged: shares of
            cells count every cell alike, in a large world or a small one. Columns `POOLED_COLUMNS`
            and any others.
        events: one row per thing that happened, in order; columns `EVENT_COLUMNS` and any others.
            `what` is a few words for a caption (`7 → 2`, `disc of radius 4`).
        frames: the moments kept, in order of time; see `kept_steps`. Empty for a run read back.
        expectations: how the run was judged.
        shown_above: a cell is drawn as silent unless a class channel exceeds this.
        seconds: how long the run took; None if nobody measured.
    """

    name: str
    scenario: str
    seed: int
    rule: str | Mapping[str, Any]
    rule_hash: str
    metrics: ReadWhenAsked = ReadWhenAsked()  # noqa: RUF009 (a descriptor)
    pooled: ReadWhenAsked = ReadWhenAsked()  # noqa: RUF009 (a descriptor)
    events: pd.DataFrame
    frames: Sequence[Frame] = ()
    expectations: Sequence[Expectation] = ()
    shown_above: float = 0.01
    seconds: float | None = None

    def __repr__(self) -> str:
        """One line: tables and frames are there to be asked for."""
        told = f"{self.name!r}, steps={self.steps}, worlds={self.worlds}, passed={self.passed}"
        return f"{type(self).__name__}({told})"

    def _repr_html_(self) -> str:
        from swarm_nca.recording.notebook import run_html

        return run_html(self)

    @property
    def report(self) -> str:
        """The page `report.html`, with its pictures inside."""
        from swarm_nca.recording.pictures import pictures_of
        from swarm_nca.recording.provenance import provenance
        from swarm_nca.recording.report import report_html

        return report_html(self, pictures_of(self) if self.frames else {}, provenance(self))

    def save(self, folder: str | Path, *, states: bool = False) -> None:
        """Write what `swarm-nca run` writes into a folder that is new or empty.

        Args:
            folder: where the files go; it is made if it is missing.
            states: also `states.npz`, the states of every frame.

        Raises:
            ValueError: a folder that holds something, or that cannot be written.
        """
        from swarm_nca.recording.folder import write_run

        place = Path(folder)
        check_folder(place)
        if place.exists() and any(place.iterdir()):
            raise ValueError(f"{place} holds files already; choose a new or empty folder")
        write_run(place, self, states=states)

    @property
    def passed(self) -> bool:
        """Whether every expectation was met; true where nothing was expected."""
        return all(expectation.passed for expectation in self.expectations)

    @property
    def rule_title(self) -> str:
        """What to call the rule: `digits`, or `life B3/S23`."""
        return title_of(self.rule)

    @cached_property
    def measured(self) -> tuple[str, ...]:
        """The metrics that the tables hold, in their order."""
        columns = next(self.parts("pooled")).columns
        return tuple(name for name in columns if name in METRICS or name in OTHERS)

    @cached_property
    def steps(self) -> int:
        """The number of the last step."""
        last = [part["step"].max() for part in self.parts("metrics") if len(part)]
        return int(max(last, default=0))

    @cached_property
    def worlds(self) -> int:
        """How many worlds there are."""
        return len(set[int]().union(*(part["world"].unique() for part in self.parts("metrics"))))

    @cached_property
    def nonfinite(self) -> tuple[int, int] | None:
        """The first step after which cells held no finite numbers, and the most such cells.

        None where that never happened.
        """
        wrong = [part[part["nonfinite"] > 0] for part in self.parts("pooled")]
        wrong = [part for part in wrong if len(part)]
        if not wrong:
            return None
        return int(wrong[0]["step"].iloc[0]), int(max(part["nonfinite"].max() for part in wrong))

    def parts(self, table: Literal["metrics", "pooled"]) -> Iterator[pd.DataFrame]:
        """The rows of a table in order, some at a time, so that a long one needs no memory."""
        field: ReadWhenAsked = vars(type(self))[table]
        return field.parts(self)

    @property
    def told(self) -> pd.DataFrame:
        """`pooled` as figures draw it; a long run is thinned, see `thinned`.

        It has no share of a moment when no cell holds anything. There ties alone decide: all zeros
        are a vote for class 0, on which all cells would agree.
        """
        return thinned(map(_told, self.parts("pooled")), self.steps + 1)

    def told_at(self, steps: Collection[int]) -> pd.DataFrame:
        """`pooled` as pages tell it at some steps, indexed by them; see `told`."""
        wanted = list(steps)
        rows = [_told(part[part["step"].isin(wanted)]) for part in self.parts("pooled")]
        return pd.concat(rows).set_index("step")


def title_of(rule: str | Mapping[str, Any]) -> str:
    """What to call a rule that was asked for by a name or file, or by its kind and settings."""
    if isinstance(rule, str):
        return Path(rule).name
    return " ".join(str(value) for value in rule.values())


def _told(pooled: pd.DataFrame) -> pd.DataFrame:
    table = pooled.copy()
    shares = [name for name in CURVE if METRICS[name].share and name in table]
    table.loc[table["state_magnitude"] == 0, shares] = np.nan
    return table


def kept_steps(
    steps: int, every: int, perturbed: Collection[int], cells: int, cell_bytes: int = 80
) -> set[int]:
    """The steps whose worlds a run should keep as frames, so that its pictures can be made.

    Every `every`-th step, the first few, the end, and each step with a perturbation (of which both
    sides are kept). Thinned where that would be past 400 moments or some 150 MB, and of these only
    the most telling where frames would take more than `FRAMES_MEMORY`: the start, the end, the
    perturbations, the steps soon after the start, then the others; no fewer than `FEWEST_FRAMES`.

    Args:
        steps: how long the run is.
        every: 1 or more.
        perturbed: the steps at which perturbations act.
        cells: living cells, of all worlds.
        cell_bytes: what the state of one cell takes.
    """
    affordable = max(24, min(400, 2_000_000 // max(1, cells)))
    stride = max(every, -(-steps // affordable))
    first = {t for t in FIRST_STEPS if t <= steps}
    kept = first | {steps} | set(perturbed) | set(range(0, steps + 1, stride))
    room = max(FEWEST_FRAMES, FRAMES_MEMORY // max(1, cells * cell_bytes))
    telling = (0, steps, *_coarse_to_fine(perturbed), *sorted(first)[::-1], *_coarse_to_fine(kept))
    chosen = set()
    for step in dict.fromkeys(telling):
        # Two frames where a perturbation acts, and about another one for who hears whom then.
        room -= 3 if step in perturbed else 1
        if room < 0:
            break
        chosen.add(step)
    return chosen


def _coarse_to_fine(steps: Collection[int]) -> list[int]:
    """Steps in such an order that the first few of them, however many, are spread over all."""
    ordered = sorted(steps)
    strides = (1 << n for n in reversed(range(len(ordered).bit_length())))
    return list(dict.fromkeys(step for stride in strides for step in ordered[::stride]))
