"""A rollout of a batch and its gradient, in parts that run on several threads; see `bptt`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.engine.gather import living
from swarm_nca.engine.mail import Mail
from swarm_nca.kernel import BackwardKernel, Kernel, Weights
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.threads import on_threads
from swarm_nca.torch_kernel import TorchBackwardKernel, TorchKernel
from swarm_nca.world import World

#: Rows of a product that gives gradients of weights, at least: its factors are still in the cache.
TOGETHER = 1_536

#: In bfloat16 their number is a multiple of this, because oneDNN compiles a kernel for each number.
FILLED = 256

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
        self.offsets: list[Tensor] | None = None
        edges = [0, len(world)]
        if self.mail.direct:
            # Before all steps, in their order: parts do not draw.
            if noise:
                self.offsets = [draws.offsets(t, rows) for t, rows in enumerate(self.fired)]
            edges = _edges(world, LEAST_COMPILED if compile_kernel else LEAST)
        self._parts = [Part(self, number, edges) for number in range(len(edges) - 1)]

    def forward(self, weights: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The last states [N, C], and the arrays that the gradient reads again."""
        used = [weight.detach().to(self.products) for weight in weights]
        self.layers: list[Weights] = list(zip(used[::2], used[1::2], strict=True))
        state, slots = self.world.state.detach(), self.world.neighbors.shape[1]
        self.stimulus = self.world.stimulus
        channels, sensed = state.shape[1], self.stimulus.shape[1]
        # In float32: oneDNN would compile a product in bfloat16 for every number of cells.
        perception, bias = (weight.detach() for weight in weights[:2])
        prepared = bias[None]
        if sensed:
            prepared = torch.addmm(bias, self.stimulus, perception[:sensed])
        shape = self.layers, slots, channels
        self.kernel: Kernel | TorchKernel
        self.backward_kernel: BackwardKernel | TorchBackwardKernel
        if self._compiles:
            self.kernel = Kernel(*shape, prepared, self.filters)
            self.backward_kernel = BackwardKernel(*shape, self.filters)
        else:
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
        self._widths = [sums * channels, *(len(bias) for _, bias in run.layers[:-1])]
        columns = [self._widths[0], *(kernel.padded(width) for width in self._widths[1:])]
        end = self._before = FILLED if run.products == torch.bfloat16 else 0
        expected = 0
        if not run.mortal:
            expected = sum(run.filled(own.stop - own.start) for own in self._own)
        self._keep(run, columns, end + expected, 0)
        for each in (self.messages, *self.units):
            each[:end].zero_()  # raises the version counter too: kernels write unseen
        self._steps: list[tuple[Tensor, Tensor, int]] = []
        self._passing: list[Tensor | None] = []
        self._dead: list[Tensor] = []
        own_state = padded[self._rows]
        for t, own in enumerate(self._own):
            rows, before = run.fired[t][own], self._living(run, own_state)
            offsets = run.offsets[t][own] if run.offsets else None
            if before is not None:
                acting = before[rows - self._rows.start]
                rows, offsets = rows[acting], None if offsets is None else offsets[acting]
            if run.noise and offsets is None:
                offsets = run.draws.offsets(t, rows)
            part = slice(end, end := end + run.filled(len(rows)))
            if end > len(self.messages):
                self._keep(run, columns, end, part.start)
            bank = mail.collect(padded, t)
            table = mail.table if mail.direct else mail.arriving(rows, t)
            self._passing.append(mail.passes(padded[:-1]))
            if run.products != padded.dtype:
                bank = self._in_short(run, bank)
            change = run.scratch.empty(f"change {self._name}", len(rows), channels, padded)
            kernel.answers(
                bank,
                table,
                rows,
                change,
                of_all=mail.direct,
                noise=run.noise,
                offsets=offsets,
                heard=self.messages[part],
                units=[each[part] for each in self.units],
            )
            kernel.write(padded, rows, change, replaces=False)
            if before is not None:
                self._bury(run, own_state, before)
            self._steps.append((rows, table, part.stop - part.start))

    def backward(self, run: Run) -> None:
        """Add the gradients of the messages to those of the states, and sum those of weights."""
        absent = run.world.cells
        state_grad, channels = run.bank_grad[:absent], run.bank_grad.shape[1]
        # Of each layer: the weights' gradients, then the bias's; last of all the stimulus's.
        outputs = [*self._widths[1:], channels]
        self._sums = [
            state_grad.new_zeros(size, inputs)
            for size, inputs in zip(outputs, self._widths, strict=True)
        ]
        self._bias_sums = [state_grad.new_zeros(size) for size in outputs]
        self._sensed = state_grad.new_zeros(outputs[0], run.stimulus.shape[1])
        space = TOGETHER + FILLED + max(filled for *_, filled in self._steps)
        grads = [
            run.scratch.empty(f"gradient {n} {self._name}", space, each.shape[1], each)
            for n, each in enumerate(self.units)
        ]
        like = self.messages
        grads.append(run.scratch.empty(f"answer gradient {self._name}", space, channels, like))
        # The steps of one product fill the arrays from their end.
        end = high = sum(filled for *_, filled in self._steps) + self._before
        at, acted = space, []
        for t in reversed(range(len(self._steps))):
            rows, table, filled = self._steps[t]
            if self._dead:
                state_grad.index_fill_(0, self._dead[t], 0.0)
            part, at = slice(at - filled, at), at - filled
            kept, end = slice(end - filled, end), end - filled
            acted.append(functional.pad(rows, (0, filled - len(rows))))
            top = grads[-1][part]
            top[: len(rows)] = state_grad.index_select(0, rows)
            top[len(rows) :] = 0.0
            run.backward_kernel.send_back(
                top,
                rows,
                table,
                run.bank_grad if t or run.to_first else None,
                absent,
                of_all=run.mail.direct,
                units=[each[kept] for each in self.units],
                unit_grads=[each[part] for each in grads[:-1]],
            )
            if (passes := self._passing[t]) is not None:
                said_grad = run.bank_grad[absent + 1 :]
                state_grad += said_grad * passes
                said_grad.zero_()
            if space - at >= TOGETHER or t == 0:
                self._sum(run, grads, slice(at, space), slice(end, high), torch.cat(acted[::-1]))
                high, at = end, space
                acted.clear()
        first, *others = (total.t() for total in self._sums)
        first = torch.cat([self._sensed.t(), first])
        pairs = zip((first, *others), self._bias_sums, strict=True)
        self.totals = [each for pair in pairs for each in pair]

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

    def _sum(
        self, run: Run, grads: Sequence[Tensor], part: slice, kept: slice, rows: Tensor
    ) -> None:
        """Add the gradients of weights for some steps.

        Args:
            grads, part: gradients of the sums of each layer, and their rows of these steps.
            kept: the rows of these steps in the arrays of the forward pass.
            rows: the cells of these rows.
        """
        fill = -len(rows) % FILLED if self._before else 0
        if fill:
            for each in grads:
                each[part.start - fill : part.start] = 0.0
            kept, part = slice(kept.start - fill, kept.stop), slice(part.start - fill, part.stop)
        given = zip((self.messages, *self.units), self._widths, strict=True)
        for n, (inputs, width) in enumerate(given):
            outputs = grads[n][part, : len(self._sums[n])]
            _add_product(self._sums[n], outputs, inputs[kept, :width])
            self._bias_sums[n] += outputs.sum(0)
        if self._sensed.numel():
            outputs = grads[0][part, : len(self._sensed)]
            sensed = functional.pad(run.stimulus[rows], (0, 0, fill, 0))
            _add_product(self._sensed, outputs, sensed.to(outputs.dtype))


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


def _add_product(total: Tensor, outputs: Tensor, inputs: Tensor) -> None:
    """Add outputsᵀ · inputs to a total, which may have a longer precision than the factors."""
    if total.dtype == outputs.dtype:
        total.addmm_(outputs.t(), inputs)
    else:
        total += outputs.t() @ inputs
