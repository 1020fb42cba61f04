"""A quantized rule in a file: filters in their bits; scales, ranges and biases as float16."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from swarm_nca.rules.filters import FILTERS, pack, unpack
from swarm_nca.rules.memory import Held

if TYPE_CHECKING:
    from swarm_nca.rules.quantized import Quantized


def stored(rule: Quantized) -> dict[str, Tensor]:
    """What a file holds: filters in their bits, scales and biases as float16."""
    held: dict[str, Tensor] = {}
    for name, kind in zip(rule.names, rule.filters, strict=True):
        if kind == "float":
            held[name] = rule.get_parameter(name).detach()
        else:
            held[name] = pack(rule.codes(name), FILTERS[kind].bits)
            gain, scale = rule.factors(name)
            for what, factor in (("gain", gain), ("scale", scale)):
                if factor is not None:
                    held[f"{name}_{what}"] = factor.detach().half()
        if rule.bias:
            held[f"{name}_bias"] = rule.get_parameter(f"{name}_bias").detach().half()
    ranges = ((name, log) for name, log in rule.named_parameters() if name.endswith("_range"))
    return held | {name: log.detach().exp().half() for name, log in ranges}


def memory(rule: Quantized) -> list[Held]:
    """The numbers that a file holds: filters at the bits of their kind."""
    kinds = dict(zip(rule.names, rule.filters, strict=True))
    held = []
    for name, tensor in rule.stored().items():
        kind = kinds.get(name, "float")
        if kind == "float":
            held.append(Held(name, tuple(tensor.shape), 8 * tensor.element_size()))
        else:
            shape = tuple(rule.get_parameter(name).shape)
            held.append(Held(name, shape, FILTERS[kind].bits))
    return held


@torch.no_grad()
def restore(rule: Quantized, stored: dict[str, Tensor]) -> None:
    """Take over what `stored` gave; the rule then computes the same.

    Raises:
        ValueError: bits that no filter has.
    """
    for name, kind in zip(rule.names, rule.filters, strict=True):
        latents = rule.get_parameter(name)
        if f"{name}_range" in stored:
            rule.get_parameter(f"{name}_range").copy_(stored[f"{name}_range"].double().log())
        if rule.bias:
            rule.get_parameter(f"{name}_bias").copy_(stored[f"{name}_bias"])
        if kind == "float":
            latents.copy_(stored[name])
            continue
        kept = FILTERS[kind]
        codes = unpack(stored[name], kept.bits, latents.numel())
        if int(codes.max()) >= kept.codes_in_use:
            raise ValueError(f"'{name}' holds bits that no {kind} filter has")
        values = kept.latents_of(codes, latents.dtype).view_as(latents)
        latents.copy_(values * rule.reach)
        if rule.scales == "mean":
            latents.copy_(values * stored[f"{name}_scale"].to(values))
        for what in ("gain", "scale"):
            if rule.scales != "mean" and f"{name}_{what}" in stored:
                factor = stored[f"{name}_{what}"].double()
                rule.get_parameter(f"{name}_{what}").copy_(factor.log())
