"""Filters in bits: packing loses nothing, codes are the values, and the memory is the post's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.rules import FILTERS, Held, Mlp, Quantized, size_of, written
from swarm_nca.rules.filters import pack, packed_bytes, unpack

each_kind = pytest.mark.parametrize("kind", FILTERS)


@given(st.integers(1, 8), st.data())
def test_packed_codes_are_the_digits_of_one_long_number(bits: int, data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, 2**bits - 1), max_size=40))
    packed = pack(torch.tensor(codes, dtype=torch.int64), bits)
    number = sum(code << (bits * place) for place, code in enumerate(codes))
    assert bytes(packed.tolist()) == number.to_bytes(packed_bytes(len(codes), bits), "little")
    assert unpack(packed, bits, len(codes)).tolist() == codes


def test_packed_filters_of_another_length_are_refused() -> None:
    packed = pack(torch.tensor([1, 0, 1]), 3)
    with pytest.raises(ValueError, match=r"6 weights of 3 bits take 3 bytes, got 2"):
        unpack(packed, 3, 6)
    with pytest.raises(ValueError, match="after the last weight must be zeros"):
        unpack(torch.tensor([0b1000], dtype=torch.uint8), 1, 3)


@each_kind
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_codes_give_back_the_values_that_the_quantizer_gave(kind: str, dtype: torch.dtype) -> None:
    filters = FILTERS[kind]
    latents = torch.rand(300, 5, generator=torch.Generator().manual_seed(2)).to(dtype) * 2 - 1
    latents[0] = 1.0  # DoReFa's values depend on the largest latent
    codes = filters.codes(latents)
    assert codes.min() >= 0
    assert len(codes.unique()) == filters.codes_in_use <= 2**filters.bits
    assert torch.equal(filters.values(codes, dtype), filters.quantize(latents))
    assert torch.equal(filters.codes(filters.latents_of(codes, dtype)), codes)


def test_the_memory_is_the_posts() -> None:
    """McAteer 2020: its table in bytes, of filters in floats and in one bit."""
    perceive, update = (18_000,), (7_920,)
    floats = [Held("kernel", perceive, 32), Held("bias", (80,), 32)]
    assert written(size_of(floats)) == "70.62 KiB"
    assert written(size_of([Held("kernels", update, 32)])) == "30.94 KiB"
    binary = [Held("kernel", perceive, 1), Held("bias", (80,), 32)]
    assert written(size_of(binary)) == "2.51 KiB"
    assert written(size_of([Held("kernels", update, 1)])) == "990 B"


def test_a_rules_memory_is_that_of_its_tensors() -> None:
    perception = [held for held in Mlp(free_channels=14).memory() if "perception" in held.name]
    assert written(size_of(perception)) == "70.62 KiB"
    binary = Quantized(free_channels=14, filters="ste_sign", scales="none", bias=False)
    sizes = {held.name: held.size for held in binary.memory()}
    assert sizes == {"perception": 18_000 // 8, "middle": 800, "output": 240}
    full = Quantized(free_channels=14, hidden=(70,), filters=("int3", "float"), scales="both")
    assert {held.name: (held.shape, held.bits) for held in full.memory()} == {
        "perception": ((225, 70), 3),
        "perception_gain": ((225,), 16),
        "perception_scale": ((70,), 16),
        "perception_bias": ((70,), 16),
        "output": ((70, 24), 32),
        "output_bias": ((24,), 16),
    }
    assert size_of(full.memory()) == sum(tensor.nbytes for tensor in full.stored().values())
