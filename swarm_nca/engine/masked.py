"""The backend for GPUs: every cell is computed in every step, and those that fire are changed.

Choosing the firing rows would make the processor wait for the GPU in every step. With a mask the
steps of a run follow one another without a wait, as long as nothing reads the states.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.engine.gather import Stepper, living
from swarm_nca.kernels.compiled import Kernel
from swarm_nca.rules import Rule, through
from swarm_nca.world import World

#: Rows computed at once: with 9 slots of 24 channels their messages take 226 MB.
PIECE = 1 << 18


class MaskedStepper(Stepper):
    """Steps all cells of a world in place; same arguments and results as `Stepper`.

    Noise is drawn for all cells, so that `draws` must give deviates for cells that do not fire.
    """

    @classmethod
    def refuses(cls, world: World, rule: Rule, fire_rate: float, noise: float) -> str | None:
        """Why this backend does not support a world on its device; None if it does."""
        if world.state.is_cpu:
            return "a CPU computes the firing cells only"
        if world.guests:
            return "masked steps need one rule for all cells"
        if world.links.on_loss == "last":
            return "masked steps do not keep what was last heard"
        return None

    @property
    def fired(self) -> Tensor:
        """int64 [M], the rows that fired in the last step; waits for the step."""
        return self._acts.nonzero().view(-1)

    def step(self) -> None:
        """Take one step, without waiting for its result."""
        with torch.inference_mode():
            largest, before = self._world.largest, None
            acts = self._draws.firing(self.steps, self._fire_rate)
            if self._mail.frozen is not None:
                acts = acts & ~self._mail.frozen
            if self._mortal:
                before = living(self._rule, self.state, largest)
                acts = acts & before
            bank = self._mail.collect(self._padded, self.steps).to(self._products)
            new = torch.cat([self._answer(bank, rows) for rows in self._pieces])
            if self._rule.update != "replace":
                new += self.state
            # Chosen, not multiplied: what a cell would become need not be finite.
            torch.where(acts[:, None], new, self.state, out=self.state)
            if before is not None:
                self._clear(~(before & living(self._rule, self.state, largest)))
            self._acts = acts
            self.steps += 1

    def _answer(self, bank: Tensor, rows: Tensor) -> Tensor:
        """[M, C], the rule's answer with noise for `rows` [M], which read rows of a bank."""
        member = self._members[0]
        table = self._mail.arriving(rows, self.steps)
        messages = bank.index_select(0, table.reshape(-1)).view(*table.shape, bank.shape[1])
        prepared = member.prepared.index_select(0, rows)
        if member.layers:
            found = through(member.layers, prepared, messages)
        else:
            found = member.change(prepared, messages)
        found = found.to(self.state.dtype)
        return found + self._noise * self._normals(rows) if self._noise else found

    def _compiled(self, slots: Tensor | None) -> list[Kernel]:
        return []

    def _allot(self) -> None:
        cells = torch.arange(self._world.cells, device=self.state.device)
        self._pieces = torch.split(cells, PIECE)
        self._acts = torch.zeros_like(cells, dtype=torch.bool)
