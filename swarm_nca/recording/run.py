"""The record of a run: metrics of every step, frames, events, and results of expectations.

This module does not step a world or write a file.
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
from swarm_nca.measure.wording import bounds, printed
from swarm_nca.recording.table import ReadWhenAsked, thinned
from swarm_nca.world import World

#: The first columns of the metrics for rules with classes, in the order of the file; more may
#: follow. Other rules have the columns of `metrics_for`. Shares lie in [0, 1].
METRIC_COLUMNS = ("step", "world", *CURVE)

#: The same, pooled over all worlds.
POOLED_COLUMNS = ("step", *CURVE)

#: The first columns of the events; more may follow.
EVENT_COLUMNS = ("step", "kind", "what")

#: Steps that every run keeps, if it has them: states change fastest at the start.
FIRST_STEPS = (0, 1, 2, 3, 5, 7, 10, 15, 20)

#: Maximum bytes of a run's frames, and the number of frames kept even if they take more.
FRAMES_MEMORY, FEWEST_FRAMES = 1 << 30, 5


@dataclass(frozen=True)
class Frame:
    """The worlds at one moment of a run.

    A step with perturbations has two frames: before and after them.
    """

    step: int
    world: World


#: Reasons for a metric without a value, other than missing cells.
_UNKNOWN = {
    **dict.fromkeys(
        ("cell_accuracy", "vote_accuracy", "agree_and_correct", "agree_though_wrong"),
        "the rule has no class for these pictures",
    ),
    **dict.fromkeys(("residual_magnitude", "label_flips"), "there is no step before this one"),
}


@dataclass(frozen=True)
class Expectation:
    """A scenario's bounds for a metric at a step or over steps, and the measured value.

    Attributes:
        metric: the metric's name.
        at: the step, or the first step.
        min, max: the bounds; None for an open one.
        value: the value at the step. Over steps, the worst one; with `within`, the best one. With
            `share`, the share of worlds that met the bounds.
        begun: false for a metric of decisions at step 0, when no cell has decided yet.
        to: the last step at which the bounds must hold; None for one step.
        within: the bounds must hold at least once, from `at` to this number of steps later.
        share: the least share of worlds that must meet the bounds; None for the pooled value.
        reached: with `within`, the first step at which the bounds held.
    """

    metric: str
    at: int
    min: float | None
    max: float | None
    value: float
    begun: bool = True
    to: int | None = None
    within: int | None = None
    share: float | None = None
    reached: int | None = None

    @property
    def when(self) -> str:
        """The steps as text: `200`, `100–200` or `100 + 20`."""
        if self.within is not None:
            return f"{self.at:,} + {self.within:,}"
        return f"{self.at:,}" if self.to is None else f"{self.at:,}–{self.to:,}"

    @property
    def limits(self) -> str:
        """The bounds as text, with the share of worlds: `≥ 95 % in 90 % of worlds`."""
        share = "" if self.share is None else f" in {100 * self.share:g} % of worlds"
        return bounds(self.metric, self.min, self.max) + share

    @property
    def found(self) -> str:
        """The value as text; with `within`, also the step that met the bounds."""
        if self.share is not None and self.value == self.value:
            return f"{100 * self.value:.3g} % of worlds"
        reached = "" if self.reached is None else f" at {self.reached:,}"
        return printed(self.metric, self.value) + reached

    @property
    def passed(self) -> bool:
        """Whether the value lies within the bounds; nan does not."""
        if self.share is not None:
            return self.value >= self.share
        low = self.min is None or self.value >= self.min
        high = self.max is None or self.value <= self.max
        return low and high and self.value == self.value

    @property
    def unknown(self) -> str:
        """The reason for a value of nan; empty for a number."""
        if self.value == self.value:
            return ""
        if not self.begun:
            return "no cell has decided at step 0: expect it at step 1 or later"
        return _UNKNOWN.get(self.metric, "there is nothing to measure")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Run:
    """The result of a finished run.

    `metrics` and `pooled` may be given as a `Table`, which is on disk if it is long: the first
    access reads the whole table into memory. `parts`, `told` and `told_at` read only the rows they
    need.

    Attributes:
        name: the scenario's name.
        scenario: the resolved scenario, as YAML text.
        seed: of every random draw.
        rule: the rule's name or file, or its kind and settings; `rule_hash` identifies the rule.
        metrics: one row per step and world; columns `METRIC_COLUMNS` and any others (for a rule
            without classes `step`, `world` and those of `metrics_for`). Row t is the
            world after step t and before the perturbations at t. Unknown values (no label, or no
            decision yet at step 0) are NaN.
        pooled: the same pooled over all worlds, one row per step, used for expectations: shares of
            cells weigh every cell equally, in large and small worlds. Columns `POOLED_COLUMNS`
            and any others.
        events: one row per event, in order; columns `EVENT_COLUMNS` and any others.
            `what` is a few words for a caption (`7 → 2`, `disc of radius 4`).
        frames: the frames kept, in order of time; see `kept_steps`. Empty for a run read back.
        expectations: the results of the scenario's expectations.
        shown_above: a cell is drawn as silent unless a class channel exceeds this.
        seconds: duration of the run; None if not measured.
        description: what the scenario says about itself, one line.
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
    description: str = ""

    def __repr__(self) -> str:
        """One line, without tables and frames."""
        facts = f"{self.name!r}, steps={self.steps}, worlds={self.worlds}, passed={self.passed}"
        return f"{type(self).__name__}({facts})"

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
        """Whether every expectation was met; true without expectations."""
        return all(expectation.passed for expectation in self.expectations)

    @property
    def rule_title(self) -> str:
        """The rule's title: `digits`, or `life B3/S23`."""
        return title_of(self.rule)

    @cached_property
    def measured(self) -> tuple[str, ...]:
        """The metrics in the tables, in their order."""
        columns = next(self.parts("pooled")).columns
        return tuple(name for name in columns if name in METRICS or name in OTHERS)

    @cached_property
    def steps(self) -> int:
        """The number of the last step."""
        last = [part["step"].max() for part in self.parts("metrics") if len(part)]
        return int(max(last, default=0))

    @cached_property
    def first(self) -> int:
        """The number of the first step: 0, or the step of another run from which this one goes on.

        0 for a run without rows.
        """
        return int(
            min((part["step"].min() for part in self.parts("pooled") if len(part)), default=0)
        )

    @property
    def length(self) -> str:
        """The steps as text: `400 steps`, or `steps 300 to 400`."""
        return f"steps {self.first:,} to {self.steps:,}" if self.first else f"{self.steps:,} steps"

    @cached_property
    def worlds(self) -> int:
        """The number of worlds."""
        return len(set[int]().union(*(part["world"].unique() for part in self.parts("metrics"))))

    @cached_property
    def nonfinite(self) -> tuple[int, int] | None:
        """The first step with non-finite states, and the largest number of such cells.

        None if all states are finite.
        """
        wrong = [part[part["nonfinite"] > 0] for part in self.parts("pooled")]
        wrong = [part for part in wrong if len(part)]
        if not wrong:
            return None
        return int(wrong[0]["step"].iloc[0]), int(max(part["nonfinite"].max() for part in wrong))

    def parts(self, table: Literal["metrics", "pooled"]) -> Iterator[pd.DataFrame]:
        """The rows of a table in order, in parts, so that a long table needs little memory."""
        field: ReadWhenAsked = vars(type(self))[table]
        return field.parts(self)

    @property
    def told(self) -> pd.DataFrame:
        """`pooled` for figures; a long run is thinned, see `thinned`.

        Shares are nan where all states are zero. There ties alone decide: all zeros are a vote for
        class 0, so all cells would agree.
        """
        return thinned(map(_without_ties, self.parts("pooled")), self.steps + 1)

    def told_at(self, steps: Collection[int]) -> pd.DataFrame:
        """`pooled` at some steps, indexed by them, with nan as in `told`."""
        wanted = list(steps)
        rows = [_without_ties(part[part["step"].isin(wanted)]) for part in self.parts("pooled")]
        return pd.concat(rows).set_index("step")


def title_of(rule: str | Mapping[str, Any]) -> str:
    """The title of a rule given by a name or file, or by its kind and settings."""
    if isinstance(rule, str):
        return Path(rule).name
    return " ".join(str(value) for value in rule.values())


def _without_ties(pooled: pd.DataFrame) -> pd.DataFrame:
    table = pooled.copy()
    shares = [name for name in CURVE if METRICS[name].share and name in table]
    table.loc[table["state_magnitude"] == 0, shares] = np.nan
    return table


def kept_steps(
    steps: int,
    every: int,
    perturbed: Collection[int],
    cells: int,
    cell_bytes: int = 80,
    first: int = 0,
) -> set[int]:
    """The steps whose worlds a run should keep as frames, for its pictures.

    Every `every`-th step, the first few, the end, and each step with a perturbation (both sides are
    kept). Thinned beyond 400 frames or about 150 MB. If the frames would take more than
    `FRAMES_MEMORY`, only the first of this order are kept: the start, the end, the perturbations,
    the steps soon after the start, the others; at least `FEWEST_FRAMES`.

    Args:
        steps: number of the last step.
        every: 1 or more.
        perturbed: the steps at which perturbations act.
        cells: alive cells of all worlds.
        cell_bytes: size of the state of one cell.
        first: number of the first step.
    """
    affordable = max(24, min(400, 2_000_000 // max(1, cells)))
    stride = max(every, -(-(steps - first) // affordable))
    early = {first + t for t in FIRST_STEPS if first + t <= steps}
    kept = early | {steps} | set(perturbed) | set(range(first, steps + 1, stride))
    room = max(FEWEST_FRAMES, FRAMES_MEMORY // max(1, cells * cell_bytes))
    by_priority = (
        *(first, steps, *_coarse_to_fine(perturbed)),
        *(*sorted(early)[::-1], *_coarse_to_fine(kept)),
    )
    chosen = set()
    for step in dict.fromkeys(by_priority):
        # A perturbation needs two frames, and about one more for the changed topology.
        room -= 3 if step in perturbed else 1
        if room < 0:
            break
        chosen.add(step)
    return chosen


def _coarse_to_fine(steps: Collection[int]) -> list[int]:
    """Steps in an order in which every first part is spread over all of them."""
    ordered = sorted(steps)
    strides = (1 << n for n in reversed(range(len(ordered).bit_length())))
    return list(dict.fromkeys(step for stride in strides for step in ordered[::stride]))
