"""Draws are pure functions of (seed, key, site, step, stream) with the right distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.perturbations import KINDS
from swarm_nca.randomness import (
    LONGEST_ROW,
    TABLE_SIZE,
    Draws,
    Stream,
    check_seed,
    normal_rows,
    philox,
    threshold,
    words,
)

#: Known answers of Random123 for Philox-4x32-10: counter, key, words.
KNOWN = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]

WORD = st.integers(0, 2**32 - 1)
SEED = st.integers(0, 2**64 - 1)


def hexes(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def slow_word(seed: int, key: int, site: int, step: int, stream: int) -> int:
    """An independent Philox with Python integers, for one draw."""
    x, (k0, k1) = [site, key, step // 4, stream], (seed % 2**32, seed >> 32)
    for _ in range(10):
        a, b = x[0] * 0xD2511F53, x[2] * 0xCD9E8D57
        x = [(b >> 32) ^ x[1] ^ k0, b % 2**32, (a >> 32) ^ x[3] ^ k1, a % 2**32]
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return x[step % 4]


def int64(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int64)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_the_published_test_vectors(counter: str, key: str, answer: str) -> None:
    k0, k1 = hexes(key)
    c0, c1, c2, c3 = (np.array([word], dtype=np.uint64) for word in hexes(counter))
    assert [int(w[0]) for w in philox((c0, c1, c2, c3), (k0, k1))] == hexes(answer)
    t0, t1, t2, t3 = (int64(word) for word in hexes(counter))
    assert [int(w[0]) for w in philox((t0, t1, t2, t3), (k0, k1))] == hexes(answer)


@given(st.lists(st.tuples(WORD, WORD, WORD, WORD), min_size=1, max_size=9), SEED)
def test_numpy_and_torch_give_the_same_words(
    counters: list[tuple[int, int, int, int]], seed: int
) -> None:
    key = (seed % 2**32, seed >> 32)
    array, tensor = np.array(counters, dtype=np.uint64), torch.tensor(counters)
    ours = philox((array[:, 0], array[:, 1], array[:, 2], array[:, 3]), key)
    theirs = philox((tensor[:, 0], tensor[:, 1], tensor[:, 2], tensor[:, 3]), key)
    assert np.array(ours).tolist() == torch.stack(theirs).tolist()


@given(SEED, WORD, WORD, st.integers(0, 2**30), st.integers(0, 40))
def test_draws_equal_an_independent_philox(
    seed: int, key: int, site: int, step: int, stream: int
) -> None:
    expected = slow_word(seed, key, site, step, stream)
    draws = Draws(seed, int64(key), int64(site), int64(step))
    assert int(draws.word(0, stream)) == expected
    block = words(seed, int64(key), int64(site), int64(step // 4), stream)
    assert int(block[step % 4, 0]) == expected


def test_chunks_of_rows_give_the_same_words() -> None:
    sites = torch.arange(40_000)
    many = words(3, int64(5), sites, int64(2), 1)
    for site in (0, 16_383, 16_384, 32_767, 32_768, 39_999):
        assert int(many[1, site]) == slow_word(3, 5, site, 9, 1)


@given(
    rows=st.lists(st.tuples(WORD, WORD, st.integers(0, 50)), min_size=1, max_size=12, unique=True),
    seed=SEED,
    moments=st.lists(st.integers(0, 300), min_size=1, max_size=8),
    data=st.data(),
)
def test_draws_do_not_depend_on_other_rows_order_or_time_of_the_call(
    rows: list[tuple[int, int, int]], seed: int, moments: list[int], data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=12))
    all_rows, chosen_rows = torch.tensor(rows), torch.tensor([rows[i] for i in chosen])
    together, separate = Draws(seed, *all_rows.unbind(1)), Draws(seed, *chosen_rows.unbind(1))
    for t in moments:
        whole, part = together.word(t, Stream.FIRE), separate.word(t, Stream.FIRE)
        assert whole[chosen].tolist() == part.tolist()
        for i, (key, site, step) in enumerate(rows):
            assert int(whole[i]) == slow_word(seed, key, site, step + t, Stream.FIRE)


@given(SEED, st.integers(0, 9), st.integers(0, 40))
def test_draws_continue_after_a_pause(seed: int, start: int, pause: int) -> None:
    sites, key = torch.arange(6), torch.zeros(6, dtype=torch.int64)
    through = Draws(seed, key, sites, torch.full((6,), start))
    resumed = Draws(seed, key, sites, torch.full((6,), start + pause))
    for t in range(10):
        assert torch.equal(through.word(pause + t, 1), resumed.word(t, 1))


def test_seed_key_site_step_and_stream_each_give_other_draws() -> None:
    sites = torch.arange(64)

    def drawn(seed: int = 1, key: int = 2, far: int = 0, step: int = 3, stream: int = 0) -> str:
        zero = torch.zeros(64, dtype=torch.int64)
        return str(Draws(seed, zero + key, sites + far, zero + step).word(0, stream).tolist())

    others = [
        drawn(seed=2),
        drawn(seed=1 + 2**32),
        drawn(key=3),
        drawn(far=64),
        drawn(step=4),
        drawn(step=3 + 4 * 2**20),
        drawn(stream=1),
    ]
    assert len({drawn(), *others}) == len(others) + 1


def test_streams_are_distinct_also_where_a_purpose_has_many() -> None:
    choices = [made.CHOICE for made in KINDS.values() if hasattr(made, "CHOICE")]
    used = [stream for stream in Stream if stream not in (Stream.CHOICE, Stream.LOSS, Stream.DELAY)]
    used += [Stream.CHOICE + number for number in choices]
    used += [first + slot for first in (Stream.LOSS, Stream.DELAY) for slot in range(1 << 16)]
    assert len(used) == len(set(used))
    assert max(used) < 1 << 32


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_cells_fire_at_the_fire_rate(rate: float) -> None:
    n, steps = 5_000, 40
    draws = Draws(11, torch.zeros(n, dtype=torch.int64), torch.arange(n), int64(0).expand(n))
    fired = torch.zeros(n)
    for t in range(steps):
        rows = draws.fires(t, rate)
        assert torch.equal(rows, rows.unique())
        fired[rows] += 1
    error = math.sqrt(rate * (1 - rate) / (n * steps))
    assert abs(float(fired.mean()) / steps - rate) <= 4 * error
    # Steps are independent, so the counts of the cells are binomial.
    assert float(fired.var()) == pytest.approx(steps * rate * (1 - rate), rel=0.1, abs=1e-9)


def test_normal_deviates_are_normal() -> None:
    n = 20_000
    draws = Draws(5, torch.zeros(n, dtype=torch.int64), torch.arange(n), int64(7).expand(n))
    deviates = draws.normals(0, torch.arange(n), 19, torch.float64)
    assert deviates.shape == (n, 19)
    assert abs(float(deviates.mean())) < 0.01
    assert float(deviates.var()) == pytest.approx(1.0, abs=0.01)
    assert float((deviates**3).mean()) == pytest.approx(0.0, abs=0.03)
    assert float((deviates**4).mean()) == pytest.approx(3.0, abs=0.08)
    assert float((deviates.abs() < 1).double().mean()) == pytest.approx(0.6827, abs=0.003)
    assert deviates.abs().max() > 4
    correlation = torch.corrcoef(deviates.T) - torch.eye(19)
    assert correlation.abs().max() < 0.04


def test_noise_of_a_cell_does_not_depend_on_other_firing_cells() -> None:
    draws = Draws(5, int64(1, 1, 1, 2), int64(0, 5, 9, 0), int64(3, 3, 3, 3))
    alone = Draws(5, int64(1), int64(9), int64(3))
    together = draws.normals(2, int64(0, 2, 3), 7, torch.float32)
    assert torch.equal(alone.normals(2, int64(0), 7, torch.float32)[0], together[1])


def test_every_dtype_gets_the_same_deviates() -> None:
    offsets = int64(0, 77, TABLE_SIZE - 1)
    single, double = (normal_rows(offsets, 19, t) for t in (torch.float32, torch.float64))
    assert torch.equal(single.double(), double)


def test_the_normal_table_wraps_around_and_limits_the_row_length() -> None:
    beginning, end = normal_rows(int64(0, TABLE_SIZE - 1), LONGEST_ROW, torch.float32)
    assert torch.equal(end[1:], beginning[:-1])
    with pytest.raises(ValueError, match="256 channels, got 257"):
        normal_rows(int64(0), LONGEST_ROW + 1, torch.float32)


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (-1, "0 or more, got -1"),
        (2**64, r"from 0 to 2\^64 - 1, got 18446744073709551616"),
        (1.5, "0 or more, got 1.5"),
        ("3", "0 or more, got '3'"),
        (None, "0 or more, got None"),
    ],
)
def test_values_that_are_no_seed_are_refused(seed: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"seed must be a whole number, {message}"):
        check_seed(seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [0, 2**64 - 1, np.int64(3), np.uint64(2**63), int64(5)[0]])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert type(check_seed(seed)) is int
    assert Draws(seed, int64(0), int64(0), int64(0)).word(0, 0).shape == (1,)


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        threshold(rate)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Draws(0, int64(0), int64(0), int64(0)).fires(0, rate)


def test_at_a_rate_that_rounds_to_one_all_cells_fire() -> None:
    rows = torch.arange(300)
    draws = Draws(1, torch.zeros(300, dtype=torch.int64), rows, int64(0).expand(300))
    assert threshold(1 - 2.0**-40) == 2**32
    assert torch.equal(draws.fires(0, 1 - 2.0**-40), rows)


def test_words_of_some_rows_are_theirs_among_all() -> None:
    rows = torch.tensor([7, 2, 9])
    for step in (int64(0).expand(10), torch.arange(10)):
        draws = Draws(1, torch.zeros(10, dtype=torch.int64), torch.arange(10), step)
        assert torch.equal(draws.word_of(3, 1, rows), draws.word(3, 1)[rows])


def test_thresholds_of_rates() -> None:
    assert (threshold(0.0), threshold(0.5), threshold(1.0)) == (0, 2**31, 2**32)


def test_draws_for_no_rows_are_empty() -> None:
    none = torch.empty(0, dtype=torch.int64)
    draws = Draws(0, none, none, none)
    assert len(draws.word(3, 0)) == len(draws.fires(0, 0.5)) == 0
    assert draws.normals(0, none, 4, torch.float32).shape == (0, 4)
