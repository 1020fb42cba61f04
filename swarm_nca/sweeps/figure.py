"""The curves of a sweep's figure, from the rows of its table."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from swarm_nca.measure.intervals import mean_interval
from swarm_nca.measure.metrics import METRICS
from swarm_nca.recording.paper import Paper
from swarm_nca.recording.sweep_curves import Curve, Point, sweep_figure
from swarm_nca.sweeps.reading import Opening
from swarm_nca.sweeps.table import DONE, FIRST, LAST, Row, number

#: Measures that are shown if the sweep names none, the first of them that vary.
USUAL = (
    "cell_accuracy",
    "total_agreement",
    "error",
    "error_at_96",
    "alive",
    "train_loss",
    "state_magnitude",
)

#: Maximum numbers of measures and of keys in the figure.
_MEASURES, _KEYS = 2, 6

#: More random numbers than this are shown as so many groups of equal size.
_GROUPS = 8


def figure(opening: Opening, rows: Sequence[Row]) -> Paper | None:
    """Each measure over each key, mean over the other keys and the seeds; None without results."""
    done = [row for row in rows if row["status"] == DONE]
    measures = list(opening.sweep.show) or _usual(done, opening.keys)
    known = [
        name for name in measures if any(number(row, name) == number(row, name) for row in done)
    ]
    keys = opening.keys[:_KEYS]
    if not known or not keys:
        return None
    drawn = [key not in opening.grid for key in keys]
    panels = [
        [_curve(key, name, done, some) for key, some in zip(keys, drawn, strict=True)]
        for name in known
    ]
    note = (
        f"{len(done):,} runs; mean over the other keys and the seeds, with its 95 % interval "
        "(Student's)."
    )
    return sweep_figure(opening.name, panels, note)


def _usual(rows: Sequence[Row], keys: Sequence[str]) -> list[str]:
    """The first usual measures that vary; any others if none of them does."""
    names = dict.fromkeys(name for row in rows for name in row)
    others = [name for name in names if name not in (*FIRST, *LAST, *keys, "expectations", "met")]
    found = [
        name
        for name in dict.fromkeys([*USUAL, *others])
        if len({number(row, name) for row in rows if _known(row, name)}) > 1
    ]
    return found[:_MEASURES] or [name for name in USUAL if name in names][:_MEASURES]


def _known(row: Row, name: str) -> bool:
    return not math.isnan(number(row, name))


def _curve(key: str, measure: str, rows: Sequence[Row], drawn: bool) -> Curve:
    """A measure over a key, whose values may be `drawn` at random."""
    seen = [(row.get(key, ""), number(row, measure)) for row in rows]
    seen = [(text, value) for text, value in seen if math.isfinite(value)]
    numeric = bool(seen) and all(_is_number(text) for text, _ in seen)
    if numeric:
        groups = _numeric_groups([(float(text), value) for text, value in seen], drawn)
        at = [place for place, _, _ in groups]
        logarithmic = len(at) > 2 and min(at) > 0 and max(at) >= 30 * min(at)
    else:
        names = list(dict.fromkeys(text for text, _ in seen))
        groups = [
            (float(n), _plain(name), [value for text, value in seen if text == name])
            for n, name in enumerate(names)
        ]
        logarithmic = False
    share = measure in METRICS and METRICS[measure].share
    return Curve(key, measure, [_point(*group, share) for group in groups], numeric, logarithmic)


def _numeric_groups(
    seen: Sequence[tuple[float, float]], drawn: bool
) -> list[tuple[float, str, list[float]]]:
    """Place, label and values of each number; of many drawn ones, of groups of equal size."""
    places = sorted({place for place, _ in seen})
    if not drawn or len(places) <= _GROUPS:
        return [(at, f"{at:g}", [value for place, value in seen if place == at]) for at in places]
    ordered, groups = sorted(seen), []
    for n in range(_GROUPS):
        part = ordered[n * len(ordered) // _GROUPS : (n + 1) * len(ordered) // _GROUPS]
        at = part[len(part) // 2][0]
        groups.append((at, f"{at:.3g}", [value for _, value in part]))
    return groups


def _point(at: float, label: str, values: list[float], share: bool) -> Point:
    mean, low, high = mean_interval(values)
    if share and not math.isnan(low):
        low, high = max(0.0, low), min(1.0, high)
    return Point(at, label, mean, low, high, len(values))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _plain(text: str) -> str:
    """A cell as a label: lists and mappings without quotes."""
    try:
        data = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(data, str | int | float | bool) else text.replace('"', "")
