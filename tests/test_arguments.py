"""Checks of whole numbers, real numbers and arrays from callers."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import torch

from swarm_nca.arguments import dense, real, whole


class Unreadable:
    """An array-like that cannot be read."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("no array\nfor you")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (3, "int64"),
        ([True, False], "bool"),
        ([1, 2], "int64"),
        ([0.5, 2], "float64"),
        (np.zeros((2, 3), np.float16), "float32"),
        (np.zeros((2, 3), np.longdouble), "float64"),
        (np.arange(3, dtype=">i4"), "int32"),
        (np.arange(3, dtype=">f8"), "float64"),
        (np.arange(3, dtype=np.uint16), "int64"),
        (np.arange(3, dtype=np.uint8), "uint8"),
        (torch.arange(3, dtype=torch.int16), "int16"),
        (torch.ones(3, dtype=torch.bfloat16), "float32"),
        (torch.ones(3, requires_grad=True), "float32"),
        ([torch.tensor(1), torch.tensor(2)], "int64"),
        (np.ma.masked_array([1.0, 2.0], mask=[False, False]), "float64"),
    ],
)
def test_dense_converts_arrays_to_a_common_dtype(given, kind):
    taken = dense("values", given)
    assert str(taken.dtype) == kind
    assert taken.dtype.isnative
    expected = given.detach().float().numpy() if isinstance(given, torch.Tensor) else given
    np.testing.assert_array_equal(taken, np.asarray(expected).astype(taken.dtype))


def test_dense_puts_mirrored_arrays_in_order() -> None:
    taken = dense("values", np.arange(6.0).reshape(2, 3)[:, ::-1])
    assert taken.tolist() == [[2, 1, 0], [5, 4, 3]]
    assert torch.from_numpy(taken).stride() == (3, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.eye(2).to_sparse(), r"dense, got a sparse_coo tensor; use \.to_dense\(\)"),
        (torch.empty(2, device="meta"), "hold values, got a tensor on the device 'meta'"),
        (torch.zeros(2, dtype=torch.complex64), r"real, got complex .*\.real or \.abs\(\)"),
        (np.zeros(2, complex), r"real, got complex numbers; take their \.real or abs\(\)"),
        ([1j, 2], "real, got complex"),
        (np.ma.masked_array([1.0, 2.0], mask=[True, False]), r"masked; .*\.filled\(value\)"),
        (scipy.sparse.csr_matrix(np.eye(2)), r"array of real numbers, got .*\.toarray\(\)"),
        (np.array([None, 1]), r"array of real numbers, got array\(\[None, 1\]"),
        ("12", "array of real numbers, got '12'"),
        (["1"], r"array of real numbers, got \['1'\]"),
        ([[1, 2], [3]], r"array of real numbers, got \[\[1, 2\], \[3\]\]"),
        ([torch.eye(2).to_sparse()], "array of real numbers, got "),
        (Unreadable(), "array of real numbers, got <"),
        (np.array([2**63], np.uint64), r"below 2\^63, got 9223372036854775808"),
        ([10**30], "array of real numbers"),
        (np.zeros(2, "M8[s]"), "array of real numbers"),
    ],
)
def test_dense_refuses_other_arrays_with_a_one_line_cure(given, message):
    with pytest.raises(
        ValueError, match=f"^values must (be|hold|not be) {message}|{message}"
    ) as refused:
        dense("values", given)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


def test_whole_accepts_whole_numbers_of_any_library():
    for given in (0, 7, np.int64(7), np.uint8(7), torch.tensor(7), np.array(7)):
        assert whole("n", given) == int(given)
        assert type(whole("n", given)) is int


@pytest.mark.parametrize("given", [1.0, 1.5, True, "1", None, [1], -1, 11, math.nan, 10**400])
def test_whole_refuses_other_values(given):
    with pytest.raises(
        ValueError, match=r"^n must be a whole number, from 0 to 10, got "
    ) as refused:
        whole("n", given, 0, 10)
    assert len(str(refused.value)) < 150


def test_messages_show_large_bounds_as_powers_of_two():
    with pytest.raises(ValueError, match=r"from 0 to 2\^64 - 1, got 18446744073709551616"):
        whole("seed", 1 << 64, 0, (1 << 64) - 1)
    with pytest.raises(ValueError, match="at must be a step, 0 or more, got -1"):
        whole("at", -1, 0, (1 << 34) - 1, "a step")


def test_real_accepts_real_numbers_of_any_library():
    given = [1, 0.5, np.float32(0.5), np.int8(1), torch.tensor(0.5), np.array(0.5), Fraction(1, 2)]
    for number in given:
        assert real("x", number) == float(number)
        assert type(real("x", number)) is float


@pytest.mark.parametrize(
    "given", ["0.5", None, 1j, np.complex64(1), [0.5], torch.ones(1), Decimal("0.5"), 10**400]
)
def test_real_refuses_other_values(given):
    with pytest.raises(ValueError, match=r"^x (must be|is too large)"):
        real("x", given)
