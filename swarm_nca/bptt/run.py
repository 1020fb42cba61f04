"""A rollout of a batch and its gradient, in parts that run on several threads; see `bptt`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.engine.gather import living
from swarm_nca.engine.mail import Mail
from swarm_nca.kernels.compiled import BackwardKernel, Kernel
from swarm_nca.kernels.products import FILLED, TorchBackwardKernel, TorchKernel
from swarm_nca.kernels.steps import Backward, Forward, Steps, Weights
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.threads import on_threads
from swarm_nca.world import World

#: Rows that go back together, at least: what they keep is still in the cache.
TOGETHER = 1_536

#: A batch has up to two parts, or more if each has this many cells.
PART = 16_384

#: The fewest cells of a part: some calls of torch take as long as the products of few cells.
LEAST, LEAST_COMPILED = 8_192, 64


class Scratch:
    """Arrays that successive rollouts reuse; each rollout must back-propagate before the next.

    New memory pages cost as much time as the arithmetic that fills them.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def empty(self, name: str, rows: int, columns: int, like: Tensor, keep: int = 0) -> Tensor:
        """An uninitialised [rows, columns] array, valid until the next call with the same name.

        Args:
            keep: number of first rows that keep their values from the previous call.
        """
        kept = self._kept.get(name)
        if kept is None or kept.numel() < rows * columns or kept.dtype != like.dtype:
            fresh = like.new_empty(rows * columns * 5 // 4)
            if kept is not None and keep:
                fresh[: keep * columns] = kept[: keep * columns]
            kept = self._kept[name] = fresh
        return kept[: rows * columns].view(rows, columns)


class Run:
    """One rollout of a batch and its gradient.

    Attributes:
        at_once: whether steps need nothing between them: cells hear states, and do not die.
        offsets, tables: of each step, for its firing rows, where they are drawn before all steps.
        padded: [N + 1, C], the present states, and a row of zeros.
        bank_grad: [N + 1, C], the gradients of the states, and a row for absent neighbours that
            nothing reads; N rows more for what cells say, if that differs from their states.
    """

    def __init__(
        self,
        world: World,
        rule: Rule,
        draws: StepDraws,
        fired: Sequence[Tensor],
        noise: float,
        scratch: Scratch,
        products: torch.dtype,
        filters: Tensor | None,
        compile_kernel: bool,
    ) -> None:
        self.world, self.rule, self.draws, self.noise = world, rule, draws, noise
        self.scratch, self.products, self.filters = scratch, products, filters
        self._compiles = compile_kernel
        self.mail = Mail(world, draws)
        self.fired = [self.mail.able(rows) for rows in fired]
        self.mortal = rule.lives(world.state, world.largest) is not None
        self.at_once = self.mail.plain and not self.mortal
        self.offsets: list[Tensor] = []
        self.tables: list[Tensor] = []
        edges = [0, len(world)]
        if self.mail.direct or self.at_once:
            # Before all steps, in their order: parts do not draw.
            for t, rows in enumerate(self.fired):
                if noise:
                    self.offsets.append(draws.offsets(t, rows))
                if not self.mail.direct:
                    self.tables.append(self.mail.arriving(rows, t))
            edges = _edges(world, LEAST_COMPILED if compile_kernel else LEAST)
        self._parts = [Part(self, number, edges) for number in range(len(edges) - 1)]

    def forward(self, weights: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The last states [N, C], and the arrays that the gradient reads again."""
        used = [weight.detach().to(self.products) for weight in weights]
        self.layers: list[Weights] = list(zip(used[::2], used[1::2], strict=True))
        state, slots = self.world.state.detach(), self.world.neighbors.shape[1]
        self.short_stimulus = self.world.stimulus.to(self.products)
        channels, sensed = state.shape[1], self.world.stimulus.shape[1]
        shape = self.layers, slots, channels
        self.kernel: Forward
        self.backward_kernel: Backward[Any]
        if self._compiles:
            self.kernel = Kernel(*shape, self.short_stimulus, self.filters)
            self.backward_kernel = BackwardKernel(*shape, self.filters)
        else:
            # In float32: oneDNN would compile a product in bfloat16 for every number of cells.
            perception, bias = (weight.detach() for weight in weights[:2])
            prepared = bias[None]
            if sensed:
                prepared = torch.addmm(bias, self.world.stimulus, perception[:sensed])
            self.kernel = TorchKernel(*shape, prepared.to(self.products), self.filters)
            self.backward_kernel = TorchBackwardKernel(*shape, self.filters)
        self.padded = torch.cat([state, state.new_zeros(1, channels)])
        self.short = self.padded.to(self.products)
        self._on_threads(lambda part: part.forward(self))
        kept = [each for part in self._parts for each in (part.messages, *part.units)]
        return self.padded[:-1].clone(), kept

    def backward(self, grad_state: Tensor, to_first: bool) -> tuple[Tensor, list[Tensor]]:
        """Gradients of the first states [N, C], unless only those of the weights are wanted.

        Returns:
            These, or what they are before the first step; the gradients of each weight.
        """
        self.to_first = to_first
        absent, channels = grad_state.shape
        said = absent if self.mail.passes(grad_state) is not None else 0
        self.bank_grad = torch.cat([grad_state, grad_state.new_zeros(1 + said, channels)])
        self._on_threads(lambda part: part.backward(self))
        totals = [part.totals for part in self._parts]
        return self.bank_grad[:absent], [
            torch.stack(each).sum(0) for each in zip(*totals, strict=True)
        ]

    def filled(self, rows: int) -> int:
        """The number of rows that are kept of so many cells."""
        return rows + -rows % self.kernel.block

    def _on_threads(self, job: Callable[[Part], None]) -> None:
        def work(thread: int, piece: int) -> None:
            with torch.no_grad():
                job(self._parts[piece])

        on_threads(work, len(self._parts), torch.get_num_threads())


class Part:
    """Some worlds of a batch, whose cells are successive rows.

    Args:
        run: the rollout of the whole batch.
        number: of this part.
        edges: the first worlds of all parts, and the number of worlds.
    """

    def __init__(self, run: Run, number: int, edges: Sequence[int]) -> None:
        self._name = f"{number} of {len(edges) - 1}"
        first, stop = edges[number : number + 2]
        begins = functional.pad(run.world.counts.cumsum(0), (1, 0))
        self._rows = slice(int(begins[first]), int(begins[stop]))
        whole = len(edges) == 2
        self._largest = run.world.largest
        if run.mortal and not whole:
            self._largest = run.world.select(list(range(first, stop))).largest
        self._own = [slice(0, len(rows)) for rows in run.fired]
        if not whole:
            bounds = torch.tensor([self._rows.start, self._rows.stop])
            places = [torch.searchsorted(rows, bounds).tolist() for rows in run.fired]
            self._own = [slice(*place) for place in places]

    def forward(self, run: Run) -> None:
        """Take all steps; what the gradient needs is kept."""
        padded, slots = run.padded, run.world.neighbors.shape[1]
        mail, kernel, channels = run.mail, run.kernel, padded.shape[1]
        sums = slots if run.filters is None else run.filters.shape[1]
        widths = [sums * channels, *(kernel.padded(len(bias)) for _, bias in run.layers[:-1])]
        # Rows that are free, before the first step.
        self._begins = [FILLED if run.products == torch.bfloat16 else 0]
        expected = 0
        if not run.mortal:
            expected = sum(run.filled(own.stop - own.start) for own in self._own)
        self._keep(run, widths, self._begins[0] + expected, 0)
        for each in (self.messages, *self.units):
            each[: self._begins[0]].zero_()  # raises the version counter too: kernels write unseen
        self._rows_of: list[Tensor] = []
        self._tables: list[Tensor] = []
        self._offsets: list[Tensor] = []
        self._passing: list[Tensor | None] = []
        self._dead: list[Tensor] = []
        most = max(own.stop - own.start for own in self._own)
        change = run.scratch.empty(f"change {self._name}", most, channels, padded)
        own_state, short = padded[self._rows], run.products != padded.dtype
        for t, own in enumerate(self._own):
            rows, before = run.fired[t][own], self._living(run, own_state)
            offsets = run.offsets[t][own] if run.offsets else None
            if before is not None:
                acting = before[rows - self._rows.start]
                rows, offsets = rows[acting], None if offsets is None else offsets[acting]
            if run.noise and offsets is None:
                offsets = run.draws.offsets(t, rows)
            table = run.tables[t][own] if run.tables else mail.table
            if not (mail.direct or run.tables):
                table = mail.arriving(rows, t)
            self._rows_of.append(rows)
            self._tables.append(table)
            self._offsets += [] if offsets is None else [offsets]
            self._begins.append(self._begins[-1] + run.filled(len(rows)))
            if run.at_once:
                continue
            if self._begins[-1] > len(self.messages):
                self._keep(run, widths, self._begins[-1], self._begins[-2])
            self._passing.append(mail.passes(padded[:-1]))
            bank = mail.collect(padded, t)
            bank = self._in_short(run, bank) if short else bank
            step = self._steps(run).between(t, t + 1)
            kernel.roll_out(padded, bank, step, change, noise=run.noise, follows=False)
            if before is not None:
                self._bury(run, own_state, before)
        if run.at_once:
            bank = run.short if short else padded
            kernel.roll_out(padded, bank, self._steps(run), change, noise=run.noise, follows=short)

    def backward(self, run: Run) -> None:
        """Add the gradients of messages to those of states, and sum those of weights."""
        channels, kernel = run.bank_grad.shape[1], run.backward_kernel
        totals = kernel.totals(run.short_stimulus, run.bank_grad)
        filled = [end - begin for begin, end in pairwise(self._begins)]
        groups = list(_grouped(filled))
        space = FILLED + max(sum(filled[first:stop]) for first, stop in groups)
        layer_grads = [
            run.scratch.empty(f"gradient {n} {self._name}", space, each.shape[1], each)
            for n, each in enumerate(self.units)
        ]
        like = self.messages
        top = run.scratch.empty(f"answer gradient {self._name}", space, channels, like)
        layer_grads.append(top)
        steps, absent = self._steps(run), run.world.cells
        state_grad, said_grad = run.bank_grad[:absent], run.bank_grad[absent + 1 :]
        for first, stop in groups:
            # The steps of a group fill the arrays to their end.
            shift = space - self._begins[stop]
            spans = [(first, stop)] if run.at_once else [(t, t + 1) for t in range(first, stop)]
            for begin, end in reversed(spans):
                if self._dead:
                    state_grad.index_fill_(0, self._dead[begin], 0.0)
                kernel.roll_back(
                    run.bank_grad,
                    steps.between(begin, end),
                    layer_grads,
                    shift,
                    totals,
                    absent,
                    to_first=begin > 0 or run.to_first,
                )
                if self._passing and (passes := self._passing[begin]) is not None:
                    state_grad += said_grad * passes
                    said_grad.zero_()
            kernel.sum_weights(steps.between(first, stop), layer_grads, shift, totals)
        self.totals = kernel.gradients(totals)

    def _steps(self, run: Run) -> Steps:
        """The steps taken until now."""
        drawn, kept = (self._rows_of, self._tables, self._offsets), (self.messages, self.units)
        return Steps(*drawn, run.mail.direct, self._begins, *kept)

    def _keep(self, run: Run, columns: Sequence[int], rows: int, kept: int) -> None:
        """Make arrays of `rows` rows for what cells hear and for each hidden layer."""
        heard, *hidden = columns
        like = run.layers[0][0]
        name = f"messages {self._name}"
        self.messages = run.scratch.empty(name, rows, heard, like, kept)
        self.units = [
            run.scratch.empty(f"hidden {n} {self._name}", rows, width, like, kept)
            for n, width in enumerate(hidden)
        ]

    def _in_short(self, run: Run, bank: Tensor) -> Tensor:
        """The bank of a step in the precision of the products."""
        if not run.mail.plain:
            return bank.to(run.products)
        run.short[self._rows] = bank[self._rows]
        return run.short

    def _living(self, run: Run, state: Tensor) -> Tensor | None:
        """Which of these worlds' cells live; None if cells do not die."""
        return living(run.rule, state, self._largest) if run.mortal else None

    def _bury(self, run: Run, state: Tensor, before: Tensor) -> None:
        """Set the states of cells to zero that do not live before and after a step."""
        after = living(run.rule, state, self._largest)
        # Cells that died in an earlier step are zero already, except at the first step.
        gone = (before & ~after if self._dead else ~(before & after)).nonzero().view(-1)
        state.index_fill_(0, gone, 0.0)
        self._dead.append(gone + self._rows.start)


def _grouped(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first steps of groups that go back together, and the steps after them, the last first.

    Args:
        rows: of each step.
    """
    stop = len(rows)
    for first in reversed(range(len(rows))):
        if first == 0 or sum(rows[first:stop]) >= TOGETHER:
            yield first, stop
            stop = first


def _edges(world: World, least: int) -> list[int]:
    """The first worlds of parts with about as many cells each, and the number of worlds.

    Args:
        least: the fewest cells of a part.
    """
    ends = world.counts.cumsum(0)
    count = max(1, min(len(world), world.cells // least, max(2, world.cells // PART)))
    aims = torch.arange(1, count) * world.cells // count
    inner = {int(end) for end in torch.searchsorted(ends, aims) + 1}
    return [0, *sorted(inner - {len(world)}), len(world)]
