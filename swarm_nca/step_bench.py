"""What the time of a step is spent on; see `bench`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import torch
from torch import Tensor

from swarm_nca.bench import Row, bench_worlds, products_of
from swarm_nca.engine import Stepper, draws_of
from swarm_nca.engine.gather import CHUNK
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.rules import Rule
from swarm_nca.threads import on_threads, threads


def parts_of_a_step(rule: Rule, worlds: int, seconds: float = 4.0) -> Row:
    """Time a step with products of torch, and each of its parts alone, as a step divides them.

    The parts are the draws of the firing cells, the gathering of messages and stimulus shares, the
    products, the noise, and the writing of the new states. What is left over (activations, calls)
    may be below 0 in a small batch, because a part alone finds its numbers in the cache.
    """
    world = bench_worlds(rule, worlds)
    stepper = Stepper(world, rule, compile_kernel=False)
    draws, deviates, many = draws_of(world, 0), draws_of(world, 1), torch.get_num_threads()
    steps, later = count(), count()
    rows = draws.fires(0, rule.fire_rate)
    bank = torch.cat([world.state, world.state.new_zeros(1, rule.channels)])
    prepared, change = rule.prepare(world.stimulus), torch.zeros(len(rows), rule.channels)
    heard = torch.empty(many, CHUNK * rule.slots, rule.channels)
    sensed = torch.empty(many, CHUNK, *prepared.shape[1:])

    def gather(thread: int, part: slice) -> None:
        chosen = rows[part]
        table = world.neighbors.index_select(0, chosen).view(-1)
        torch.index_select(bank, 0, table, out=heard[thread, : len(table)])
        torch.index_select(prepared, 0, chosen, out=sensed[thread, : len(chosen)])

    def write(thread: int, part: slice) -> None:
        bank.index_add_(0, rows[part], change[part])

    def multiply(thread: int, part: slice) -> None:
        products[len(rows[part])]()

    def choose() -> None:
        with threads(1):
            draws.fires(next(steps), rule.fire_rate)

    def noise() -> None:
        t = next(later)
        deviates.offsets(t, rows[:0])  # drawn once, before several threads read them

        def add(thread: int, part: slice) -> None:
            normals = deviates.normals(t, rows[part], rule.channels, bank.dtype)
            change[part].add_(normals, alpha=rule.noise)

        _by_chunks(add, rows, many)()

    products = {size: products_of(rule, size) for size in {CHUNK, len(rows) % CHUNK}}
    tasks: dict[str, Callable[[], object]] = {
        "step": stepper.step,
        "draws": choose,
        "gather": _by_chunks(gather, rows, many),
        "products": _by_chunks(multiply, rows, many),
        "noise": noise,
        "write": _by_chunks(write, rows, many),
    }
    with torch.inference_mode():
        times = interleaved(tasks, seconds=seconds)
    found = {f"{name}_ms": 1e3 * times.seconds(name) for name in tasks}
    parts = sum(found[f"{name}_ms"] for name in tasks if name != "step")
    return {"worlds": worlds, **found, "rest_ms": found["step_ms"] - parts}


def _by_chunks(work: Callable[[int, slice], None], rows: Tensor, many: int) -> Callable[[], None]:
    """A function that does a part of a step for all chunks, on several threads."""

    @torch.inference_mode()
    def piece(thread: int, number: int) -> None:
        work(thread, slice(CHUNK * number, CHUNK * (number + 1)))

    return lambda: on_threads(piece, -(-len(rows) // CHUNK), many)
