"""Matrix products equal those of torch with every library."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.matmul import BLOCK, FEW, by_onednn, filled_up, layer, product

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
