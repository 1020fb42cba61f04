"""Matrix products equal those of torch with every library."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca import matmul
from swarm_nca.matmul import BLOCK, FEW, by_onednn, filled_up, layer, product
from swarm_nca.processor import by_intel, processor

CPU = torch.device("cpu")
sizes = st.integers(0, 300)


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@given(rows=sizes, inner=sizes, columns=sizes, flips=st.tuples(st.booleans(), st.booleans()))
def test_products_equal_float64_products_in_any_memory_layout(
    rows: int, inner: int, columns: int, flips: tuple[bool, bool]
) -> None:
    left = drawn(inner, rows).t() if flips[0] else drawn(rows, inner)
    right = drawn(columns, inner, seed=1).t() if flips[1] else drawn(inner, columns, seed=1)
    expected = left.double() @ right.double()
    for plus in (None, drawn(columns, seed=2), drawn(rows, columns, seed=3)):
        whole = expected if plus is None else expected + plus
        torch.testing.assert_close(product(left, right, plus).double(), whole, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_other_precisions_equal_torch(dtype: torch.dtype) -> None:
    left, right, plus = (
        drawn(200, 30, dtype=dtype),
        drawn(30, 9, dtype=dtype),
        drawn(9, dtype=dtype),
    )
    assert torch.equal(product(left, right), torch.mm(left, right))
    assert torch.equal(product(left, right, plus), torch.addmm(plus, left, right))


def test_wrong_shapes_are_refused() -> None:
    left, right = drawn(4 * FEW, 30), drawn(30, 9)
    for factors in ((left[:, :29], right), (left, right, drawn(8)), (left, right, left)):
        with pytest.raises(RuntimeError):
            product(*factors)


def test_products_do_not_change_their_arguments() -> None:
    given = drawn(200, 30), drawn(30, 9), drawn(200, 9)
    before = [tensor.clone() for tensor in given]
    product(*given)
    assert all(map(torch.equal, given, before))


@pytest.mark.parametrize("rows", [FEW - 1, 3 * FEW])
def test_a_layer_records_gradients_in_grad_mode(rows: int) -> None:
    inputs, weights = drawn(rows, 5), drawn(5, 4, seed=1).requires_grad_(True)
    found = layer(inputs, weights, torch.zeros(4))
    found.sum().backward()
    assert weights.grad is not None
    torch.testing.assert_close(weights.grad, inputs.sum(0)[:, None].expand(-1, 4))
    with torch.no_grad():
        torch.testing.assert_close(layer(inputs, weights, torch.zeros(4)), found.detach())


@given(rows=st.integers(0, 5000))
def test_many_rows_are_rounded_up_to_whole_blocks(rows: int) -> None:
    filled = filled_up(rows, torch.zeros(0))
    assert rows <= filled < rows + BLOCK
    if rows < FEW or not by_onednn(torch.float32, CPU):
        assert filled == rows
    else:
        assert filled % BLOCK == 0
    assert filled_up(rows, torch.zeros(0, dtype=torch.float64)) == rows


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    left, right = drawn(4 * FEW, 216), drawn(216, 80, seed=1)
    whole = product(left, right)
    parts = [product(left[a:b], right) for a, b in pairwise(range(0, 4 * FEW + 1, FEW))]
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("into", [True, False])
def test_a_result_may_take_given_memory(into: bool) -> None:
    for rows in (FEW - 1, 3 * FEW):
        left, right, plus = drawn(rows, 30), drawn(30, 9, seed=1), drawn(rows, 9, seed=2)
        expected = product(left, right, plus)
        assert torch.equal(product(left, right, plus, into=plus if into else None), expected)


def forget(monkeypatch: pytest.MonkeyPatch, library: str = "auto") -> None:
    """Make the next product choose its library again."""
    monkeypatch.setattr(matmul, "_library", library)
    for cache in ("_by_onednn", "_faster"):
        monkeypatch.setattr(matmul, cache, {})


@pytest.mark.parametrize("rows", [FEW, 480, 2048, 4096])
@pytest.mark.parametrize("gradient", [False, True], ids=["layer", "gradient"])
def test_a_timing_does_not_change_bytes(
    rows: int, gradient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, right, plus = drawn(rows, 171), drawn(171, 80, seed=1), drawn(80, seed=2)
    if gradient:
        left, right, plus = drawn(rows, 80).t(), drawn(rows, 171, seed=1), drawn(171, seed=2)
    found = []
    for worth in (0.0, 1e9):  # oneDNN never wins a timing; oneDNN always wins
        forget(monkeypatch)
        monkeypatch.setattr(matmul, "_WORTH", worth)
        found.append(product(left, right, plus))
    assert torch.equal(*found)


@pytest.mark.skipif(matmul._linear is None, reason="torch has no products by oneDNN")
def test_the_faster_library_computes_products_of_equal_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left, right = drawn(FEW, 16), drawn(16, 8, seed=1)
    for worth, chosen in ((0.0, False), (1e9, True)):
        forget(monkeypatch)
        monkeypatch.setattr(matmul, "_WORTH", worth)
        monkeypatch.setattr(matmul, "_of_onednn", lambda left, right, plus: torch.mm(left, right))
        product(left, right)
        assert list(matmul._by_onednn.values()) == [chosen]


@pytest.mark.skipif(matmul._linear is None, reason="torch has no products by oneDNN")
def test_products_of_other_bytes_depend_on_the_processor_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matmul, "_of_onednn", lambda left, right, plus: 1.5 * left @ right)
    for intel in (True, False):
        forget(monkeypatch)
        monkeypatch.setattr(matmul, "by_intel", lambda intel=intel: intel)
        product(drawn(FEW, 16), drawn(16, 8))
        assert list(matmul._by_onednn.values()) == [not intel]


def test_the_environment_names_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = drawn(FEW, 16), drawn(16, 8, seed=1)
    forget(monkeypatch, "torch")
    assert torch.equal(product(left, right), torch.mm(left, right))
    assert filled_up(FEW + 1, left) == FEW + 1
    monkeypatch.setenv(matmul.VARIABLE, "mkl")
    with pytest.raises(ValueError, match="must be auto, torch, onednn, compiled, got 'mkl'"):
        matmul._wanted()


def test_the_processor_has_a_name() -> None:
    assert processor()
    assert not by_intel() or "AMD" not in processor()
