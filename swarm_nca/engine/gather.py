"""The general backend: gather the messages of the firing cells, apply the rule, scatter the result.

Only firing cells are computed; all read the states before the step. The step changes a private
buffer in place, without gradients. One row of zeros after the last cell stands for absent
neighbours.
"""

from __future__ import annotations

import contextlib
from typing import ClassVar, NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.engine.fit import check_fit, draws_of, members, products_in, rates_of
from swarm_nca.engine.mail import Mail, readable
from swarm_nca.kernels.compiled import Kernel
from swarm_nca.kernels.library import fits
from swarm_nca.matmul import BLOCK, compiled, filled_up
from swarm_nca.randomness import Draws, StepDraws, table_for
from swarm_nca.rules import Largest, Layer, Rule, through
from swarm_nca.threads import on_threads, threads
from swarm_nca.world import World

#: Firing rows computed at once, a whole number of blocks; their messages and layers fit into the
#: cache. With products in bfloat16 these are half as long, and twice as many rows fit. Compiled
#: steps take twice as many too: they keep no messages, and fewer calls cost less.
CHUNK = 64 * BLOCK


class Stepper:
    """Steps a world in place.

    Args:
        world: the first world; never changed.
        rule: the rule of all cells.
        seed: seed of every random draw.
        fire_rate, noise: override those of the world and the rule when given.
        draws: random draws instead of those of the seed.
        precision: of the factors of matrix products, a name in `PRECISIONS`; the states' when None.
            Products still sum in float32; states and noise keep their own precision.
        compile_kernel: whether to compile a function for the rule, where it fits
            (`kernels.compiled`); as the environment says (`SWARM_NCA_PRODUCTS`) when None.

    Raises:
        ValueError: the rule's channels, slots, stimulus size or dtype differ from the world's; a
            seed, rate or noise is out of range; a precision that `products_in` refuses.
        OSError: no C compiler is found, or it fails; with `compile_kernel` only.
    """

    #: Whether autograd records the steps.
    RECORDS: ClassVar[bool] = False

    def __init__(
        self,
        world: World,
        rule: Rule,
        seed: int = 0,
        *,
        fire_rate: float | None = None,
        noise: float | None = None,
        draws: StepDraws | None = None,
        precision: str | None = None,
        compile_kernel: bool | None = None,
    ) -> None:
        check_fit(world, rule)
        self._world, self._rule = world, rule
        self._fire_rate, self._noise = rates_of(world, rule, fire_rate, noise)
        self._draws = draws_of(world, seed) if draws is None else draws
        self._products = products_in(precision, world, rule)
        self._chunk = CHUNK if self._products.itemsize > 2 else 2 * CHUNK
        slots = None
        padded = torch.cat([world.state, world.state.new_zeros(1, rule.channels)])
        # Not an inference tensor: others may write to the live buffer.
        self._padded = padded if self.RECORDS else padded.detach()
        with torch.inference_mode(not self.RECORDS):
            # Built once per run: shared and fixed weights are expanded for the products.
            self._mortal = rule.lives(self.state, world.largest) is not None
            self._members = [Member(each, self._products) for each in (rule, *world.guests)]
            if not self.RECORDS and all(member.layers for member in self._members):
                slots = readable(world)
                for member in self._members:
                    member.read_only(slots)
            self._mail = Mail(world, self._draws, records=self.RECORDS, slots=slots)
            self._kernels: list[Kernel] = []
            if compiled() if compile_kernel is None else compile_kernel:
                self._kernels = self._compiled(slots)
            if self._kernels:
                self._chunk = 2 * CHUNK
            else:
                for member in self._members:
                    member.prepare(world.stimulus)
            self._allot()
        self.steps = 0
        self._fired = torch.zeros(0, dtype=torch.int64, device=world.state.device)

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer of present states. Writing to it changes the cells."""
        return self._padded[:-1]

    @property
    def fired(self) -> Tensor:
        """int64 [M], the rows that fired in the last step; none before the first."""
        return self._fired

    def step(self) -> None:
        """Take one step."""
        one_thread = threads(1) if self._threads > 1 else contextlib.nullcontext()
        with torch.inference_mode(not self.RECORDS), one_thread:
            before = living(self._rule, self.state, self._world.largest) if self._mortal else None
            self._choose(before)
            self._change_chosen(self._mail.collect(self._padded, self.steps).to(self._products))
            if before is not None:
                after = living(self._rule, self.state, self._world.largest)
                self._clear(~(before & after))
            self.steps += 1

    def _choose(self, alive: Tensor | None) -> None:
        """Choose the cells that fire; `alive` is bool [N], None where all cells live."""
        fired = self._mail.able(self._draws.fires(self.steps, self._fire_rate))
        self._fired = fired if alive is None else fired[alive[fired]]

    def _change_chosen(self, bank: Tensor) -> None:
        """Change the states of the chosen cells, which read rows of a bank (`Mail.collect`)."""
        # Rows of one rule follow one another.
        groups = members(self._world, self._fired)
        rows = torch.cat(groups) if len(groups) > 1 else self._fired
        # Where it needs no draws, each chunk looks up its own messages, on its own thread.
        apart = self._mail.direct and self._padded.is_cpu
        table = None if apart else self._mail.arriving(rows, self.steps)
        self._write(rows, self._changes(bank, groups, table))

    def _compiled(self, slots: Tensor | None) -> list[Kernel]:
        """A compiled function for each rule, where they fit this run; else none.

        Args:
            slots: see `Member.read_only`.
        """
        rules = all(member.layers for member in self._members) and not self.RECORDS
        here = self._padded.is_cpu and self._padded.dtype == torch.float32
        drawn = isinstance(self._draws, Draws) or not self._noise
        if not (rules and here and drawn and fits(self._products)) or self._mail.keeps:
            return []
        if self._noise:  # raises the error for more channels than the table of deviates serves
            table_for(self._rule.channels, self._padded.dtype, self._padded.device)
        stimulus = self._world.stimulus.to(self._products)
        return [member.kernel(stimulus, slots) for member in self._members]

    def _allot(self) -> None:
        """Make the buffers that all steps use; compiled functions need none for messages."""
        self._change = torch.empty_like(self._padded)
        # One thread on a GPU, and for rules without layers, whose code may not be made for several.
        pure = self._padded.is_cpu and all(member.layers for member in self._members)
        self._threads = torch.get_num_threads() if pure else 1
        own = 0 if self._kernels else self._threads
        self._buffers = [self._buffers_of_a_thread() for _ in range(own)]

    def _buffers_of_a_thread(self) -> Buffers:
        """The buffers of one thread."""
        rows = self._chunk
        shape = rows * self._rule.slots, self._rule.channels
        prepared = [
            member.prepared.new_zeros(rows, *member.prepared.shape[1:]) for member in self._members
        ]
        return Buffers(self._padded.new_zeros(*shape, dtype=self._products), prepared)

    def _changes(self, bank: Tensor, groups: list[Tensor], table: Tensor | None) -> Tensor:
        """[M, C], the answers of the rules with noise; chunks are shared by several threads.

        Args:
            bank: see `Mail.collect`.
            groups: the firing rows of each rule, M together.
            table: int64 [M, K], the rows of the bank that they read; None: each chunk looks it up.
        """
        chunks, begun = [], 0
        for number, group in enumerate(groups):
            for start in range(0, len(group), self._chunk):
                rows = group[start : start + self._chunk]
                chunks.append((number, rows, begun + start))
            begun += len(group)
        if self._noise and len(chunks) > 1:
            self._normals(groups[0][:0])  # made once, before several threads read them

        @torch.inference_mode()
        def answer(thread: int, piece: int) -> None:
            number, rows, first = chunks[piece]
            part = slice(first, first + len(rows))
            if self._kernels:
                self._compute(number, bank, rows, None if table is None else table[part], part)
                return
            reads = self._mail.arriving(rows, self.steps) if table is None else table[part]
            found = self._answers(self._buffers[thread], number, bank, rows, reads)
            # Written to own memory, because a rule may return a tensor that it keeps.
            change = self._change[part].copy_(found)
            if self._noise:
                change.add_(self._normals(rows), alpha=self._noise)

        on_threads(answer, len(chunks), self._threads)
        return self._change[:begun]

    def _answers(
        self, buffers: Buffers, number: int, bank: Tensor, rows: Tensor, table: Tensor
    ) -> Tensor:
        """[M, C], a rule's answer for `rows` [M], which read rows `table` [M, K] of a bank."""
        member = self._members[number]
        layers = member.layers
        # Padding rows hold old values: harmless for layers, but not for every other rule.
        filled = filled_up(len(rows), buffers.messages) if layers else len(rows)
        messages = buffers.messages[: filled * table.shape[1]]
        prepared = buffers.prepared[number][:filled]
        torch.index_select(bank, 0, table.reshape(-1), out=messages[: table.numel()])
        torch.index_select(member.prepared, 0, rows, out=prepared[: len(rows)])
        heard = messages.view(filled, table.shape[1], -1)
        self._mail.keep(rows, heard[: len(rows)])
        if layers:
            return through(layers, prepared, heard, into=prepared)[: len(rows)]
        return member.change(prepared, heard)

    def _compute(
        self, number: int, bank: Tensor, rows: Tensor, table: Tensor | None, part: slice
    ) -> None:
        """Write the answers of a compiled function, with noise, to a part of the changes."""
        offsets = None
        if self._noise:
            offsets = cast(Draws, self._draws).offsets(self.steps, rows)
        self._kernels[number].answers(
            bank,
            self._mail.table if table is None else table,
            rows,
            self._change[part],
            of_all=table is None,
            noise=self._noise,
            offsets=offsets,
        )

    def _normals(self, rows: Tensor) -> Tensor:
        """[M, C], the normal deviates of rows [M] in this step."""
        return self._draws.normals(self.steps, rows, self._rule.channels, self._padded.dtype)

    def _write(self, rows: Tensor, change: Tensor) -> None:
        replaces = self._rule.update == "replace"
        write = self._padded.index_copy_ if replaces else self._padded.index_add_

        @torch.inference_mode()
        def put(thread: int, piece: int) -> None:
            part = slice(self._chunk * piece, self._chunk * (piece + 1))
            if self._kernels:
                self._kernels[0].write(self._padded, rows[part], change[part], replaces)
            else:
                write(0, rows[part], change[part])

        on_threads(put, -(-len(rows) // self._chunk), self._threads)

    def _clear(self, dead: Tensor) -> None:
        self.state.masked_fill_(dead[:, None], 0.0)

    @classmethod
    def refuses(cls, world: World, rule: Rule, fire_rate: float, noise: float) -> str | None:
        """None: this backend supports every rule that fits the world."""
        return None

    def world(self) -> World:
        """The present world; later steps do not change it."""
        world = self._world.with_state(self.state.clone(), self.steps)
        return world.with_cells(**self._mail.fields())


class RecordedStepper(Stepper):
    """Steps out of place, so that autograd records them; the rule answers by `change`."""

    RECORDS: ClassVar[bool] = True

    def _allot(self) -> None:
        self._threads = 1

    def _changes(self, bank: Tensor, groups: list[Tensor], table: Tensor | None) -> Tensor:
        changes, begun = [], 0
        table = self._mail.arriving(torch.cat(groups), self.steps) if table is None else table
        for member, rows in zip(self._members, groups, strict=True):
            heard, begun = table[begun : begun + len(rows)], begun + len(rows)
            messages = bank.index_select(0, heard.reshape(-1)).view(*heard.shape, bank.shape[1])
            self._mail.keep(rows, messages)
            changes.append(member.change(member.prepared.index_select(0, rows), messages))
        change = torch.cat(changes)
        if not self._noise:
            return change
        return change + self._noise * self._normals(torch.cat(groups))

    def _write(self, rows: Tensor, change: Tensor) -> None:
        replaces = self._rule.update == "replace"
        self._padded = (self._padded.index_copy if replaces else self._padded.index_add)(
            0, rows, change
        )

    def _clear(self, dead: Tensor) -> None:
        self._padded = self._padded.masked_fill(functional.pad(dead, (0, 1))[:, None], 0.0)


class Buffers(NamedTuple):
    """The buffers of one thread, for M rows of a chunk: messages [M · K, C], and prepared stimulus
    of each rule.
    """

    messages: Tensor
    prepared: list[Tensor]


class Member:
    """A rule with what is computed once per run: weights, `change` and prepared stimulus.

    Attributes:
        prepared: [N, …], after `prepare`.
    """

    prepared: Tensor

    def __init__(self, rule: Rule, products: torch.dtype) -> None:
        self.rule, self.layers, self.change = rule, rule.layers(), rule.for_a_run()
        self._products = products
        if self.layers:
            self.layers = _in_precision(self.layers, products)

    def read_only(self, slots: Tensor | None) -> None:
        """Leave the weights of other slots out of the first layer; all slots stay when None."""
        if slots is None or not self.layers:
            return
        (weight, bias), *others = self.layers
        sensed, heard = weight.tensor_split([self.rule.stimulus_size])
        heard = heard.reshape(self.rule.slots, -1, weight.shape[1]).index_select(0, slots)
        self.layers = [Layer(torch.cat([sensed, heard.flatten(0, 1)]), bias), *others]

    def prepare(self, stimulus: Tensor) -> None:
        """Prepare the stimulus of all cells; a compiled function does so in each step."""
        self.prepared = self.rule.prepare(stimulus)
        if self.layers:
            self.prepared = self.prepared.to(self._products)

    def kernel(self, stimulus: Tensor, slots: Tensor | None) -> Kernel:
        """The layers as a compiled function.

        Args:
            stimulus: of all cells, of the products' precision.
            slots: see `read_only`.
        """
        rule, layers, filters = self.rule, self.layers or [], None
        count = rule.slots if slots is None else len(slots)
        if (filtered := rule.filtered()) is not None:
            filters = filtered.filters if slots is None else filtered.filters[slots]
            layers = _in_precision(filtered.layers, self._products)
        return Kernel(layers, count, rule.channels, stimulus, filters)


def _in_precision(layers: list[Layer], products: torch.dtype) -> list[Layer]:
    """The weights as factors of products of this precision."""
    return [Layer(*(part.to(products) for part in each)) for each in layers]


def living(rule: Rule, state: Tensor, largest: Largest) -> Tensor:
    """bool [N], the living rows, for a rule whose cells are born and die."""
    alive = rule.lives(state, largest)
    if alive is None:
        raise ValueError(
            f"{type(rule).__name__}.lives returned a tensor first and None later; "
            "return a tensor for every state, or None for every state"
        )
    return alive
