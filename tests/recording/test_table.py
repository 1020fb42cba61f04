"""Long tables: rows come back from memory and disk unchanged, and thinning loses no peak."""

import copy
import dataclasses
import errno
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from swarm_nca.recording import Table, table
from swarm_nca.recording.table import DRAWN, thinned

COLUMNS = {"step": "int64", "value": "float64", "other": "float64"}


def rows(count: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, 3))
    values[:, 0] = np.arange(count)
    values[::7, 1] = np.nan
    return values


def filled(values: np.ndarray) -> Table:
    made = Table(COLUMNS)
    for row in values:
        made.append(row[None])
    return made


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 350])
@pytest.mark.parametrize("memory", [10, 1 << 20], ids=["in a file", "in memory"])
def test_rows_come_back_as_they_were_written(count: int, memory: int, monkeypatch) -> None:
    monkeypatch.setattr(table, "IN_MEMORY", memory)
    monkeypatch.setattr(table, "PART", 100)
    values = rows(count)
    parts = list(filled(values).parts())
    assert len(parts) == max(1, -(-count // 100))
    back = pd.concat(parts)
    assert dict(back.dtypes.astype(str)) == COLUMNS
    assert back.index.tolist() == list(range(count))
    np.testing.assert_array_equal(back.to_numpy(), values)


def test_rows_can_be_added_after_reading_some(monkeypatch) -> None:
    monkeypatch.setattr(table, "PART", 10)
    values = rows(40)
    grown = filled(values[:30])
    next(grown.parts())
    grown.append(values[30:])
    np.testing.assert_array_equal(pd.concat(list(grown.parts())).to_numpy(), values)


def test_a_table_takes_no_memory_beyond_its_bound(monkeypatch) -> None:
    monkeypatch.setattr(table, "IN_MEMORY", 1 << 12)
    values = rows(50_000)
    grown = Table(COLUMNS)
    tracemalloc.start()
    for first in range(0, len(values), 100):
        grown.append(values[first : first + 100])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000 < values.nbytes


def test_a_full_disk_gives_an_error_with_folder_and_cure(monkeypatch) -> None:
    def full(data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    made = Table(COLUMNS)
    monkeypatch.setattr(made._file, "write", full, raising=False)
    with pytest.raises(OSError, match="TMPDIR") as error:
        made.append(rows(1))
    assert error.value.errno == errno.ENOSPC
    assert error.value.filename


def test_a_run_reads_its_tables_at_the_first_access_and_keeps_them(make_run) -> None:
    by_hand = make_run(steps=30)
    metrics = Table(
        {"step": "int64", "world": "int64", **dict.fromkeys(by_hand.metrics.columns[2:], "float64")}
    )
    metrics.append(by_hand.metrics.to_numpy(np.float64))
    run = dataclasses.replace(by_hand, metrics=metrics)
    assert (run.steps, run.worlds, repr(run)) == (30, 1, repr(by_hand))
    pd.testing.assert_frame_equal(run.metrics, by_hand.metrics)
    assert run.metrics is run.metrics
    pd.testing.assert_frame_equal(copy.deepcopy(run).metrics, by_hand.metrics)


def test_a_copy_of_a_table_holds_the_same_rows() -> None:
    values = rows(20)
    copied = copy.deepcopy(filled(values))
    np.testing.assert_array_equal(pd.concat(list(copied.parts())).to_numpy(), values)


def test_a_short_table_is_drawn_whole() -> None:
    whole = pd.DataFrame(rows(DRAWN), columns=list(COLUMNS))
    pd.testing.assert_frame_equal(thinned([whole], DRAWN), whole)


def test_thinning_a_long_table_keeps_every_peak_and_the_order() -> None:
    count = 10 * DRAWN
    whole = pd.DataFrame(rows(count), columns=list(COLUMNS)).assign(nothing=np.nan)
    whole.loc[count // 2 + 3, ["value", "other"]] = np.inf, -100.0
    drawn = thinned([whole.iloc[: count // 2], whole.iloc[count // 2 :]], count)
    assert DRAWN <= len(drawn) < count
    assert drawn["step"].is_monotonic_increasing
    assert drawn["nothing"].isna().all()
    # Every stretch of ten steps, grouped by pandas, keeps its extremes.
    stretch = (whole["step"] // 10).astype(int)
    of_drawn = (drawn["step"] // 10).astype(int)
    for column in ("value", "other"):
        for extreme in ("min", "max"):
            expected = whole.groupby(stretch)[column].agg(extreme)
            pd.testing.assert_series_equal(drawn.groupby(of_drawn)[column].agg(extreme), expected)


def test_values_at_some_steps_come_from_any_part(make_run, monkeypatch) -> None:
    monkeypatch.setattr(table, "PART", 7)
    run = make_run(steps=40)
    rows = run.told_at({40, 3, 20})
    assert rows.index.tolist() == [3, 20, 40]
    assert rows["cell_accuracy"].tolist() == run.pooled["cell_accuracy"].iloc[[3, 20, 40]].tolist()
    pooled = run.pooled.assign(nonfinite=0.0)
    assert dataclasses.replace(run, pooled=pooled).nonfinite is None
    pooled.loc[[9, 30], "nonfinite"] = 2.0, 5.0
    assert dataclasses.replace(run, pooled=pooled).nonfinite == (9, 5)
