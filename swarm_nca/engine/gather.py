"""The general backend: gather the messages of the firing cells, apply the rule, scatter the result.

Only firing cells are computed; all read the states before the step. The step changes a private
buffer in place, without gradients. One row of zeros after the last cell stands for absent
neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor

from swarm_nca.engine.fit import check_fit, draws_of, members, rates_of
from swarm_nca.engine.mail import Mail
from swarm_nca.matmul import BLOCK, filled_up
from swarm_nca.rules import Largest, Rule, through
from swarm_nca.world import World

#: Firing rows computed at once, a whole number of blocks; their messages and layers fit into the
#: cache.
CHUNK = 64 * BLOCK


class Stepper:
    """Steps a world in place.

    Args:
        world: the first world; never changed.
        rule: the rule of all cells.
        seed: seed of every random draw.
        fire_rate, noise: override those of the world and the rule when given.

    Raises:
        ValueError: the rule's channels, slots, stimulus size or dtype differ from the world's; a
            seed, rate or noise is out of range.
    """

    def __init__(
        self,
        world: World,
        rule: Rule,
        seed: int = 0,
        *,
        fire_rate: float | None = None,
        noise: float | None = None,
    ) -> None:
        check_fit(world, rule)
        self._world, self._rule = world, rule
        self._fire_rate, self._noise = rates_of(world, rule, fire_rate, noise)
        self._draws = draws_of(world, seed)
        self._mail = Mail(world, self._draws)
        self._padded = torch.cat([world.state, world.state.new_zeros(1, rule.channels)]).detach()
        self._change = torch.empty_like(self._padded)
        self._messages = self._padded.new_zeros(CHUNK * rule.slots, rule.channels)
        with torch.inference_mode():
            self._mortal = rule.lives(self.state, world.largest) is not None
            self._replaces = rule.update == "replace"
            self._members = [_Member(each, world) for each in (rule, *world.guests)]
        self.steps = 0

    @property
    def state(self) -> Tensor:
        """[N, C], the live buffer of present states. Writing to it changes the cells."""
        return self._padded[:-1]

    def step(self) -> Tensor:
        """Take one step; returns the rows that fired, int64 [M]."""
        with torch.inference_mode():
            rule, largest, before = self._rule, self._world.largest, None
            fired = self._mail.able(self._draws.fires(self.steps, self._fire_rate))
            if self._mortal:
                before = living(rule, self.state, largest)
                fired = fired[before[fired]]
            bank = self._mail.collect(self._padded, self.steps)
            # Rows of one rule follow one another.
            groups = members(self._world, fired) if self._world.guests else [fired]
            together = torch.cat(groups) if self._world.guests else fired
            heard, begun = self._mail.arriving(together, self.steps), 0
            for member, group in zip(self._members, groups, strict=True):
                for start in range(0, len(group), CHUNK):
                    rows = group[start : start + CHUNK]
                    part = slice(begun + start, begun + start + len(rows))
                    change = self._change[part]
                    # Copied, because a rule may return a tensor that it keeps.
                    change.copy_(self._answers(member, bank, rows, heard[part]))
                    if self._noise:
                        normals = self._draws.normals(self.steps, rows, rule.channels, change.dtype)
                        change.add_(normals, alpha=self._noise)
                begun += len(group)
            write = self._padded.index_copy_ if self._replaces else self._padded.index_add_
            write(0, together, self._change[: len(fired)])
            if before is not None:
                dead = ~(before & living(rule, self.state, largest))
                self.state.masked_fill_(dead[:, None], 0.0)
            self.steps += 1
            return fired

    def _answers(self, member: _Member, bank: Tensor, rows: Tensor, table: Tensor) -> Tensor:
        """[M, C], a rule's answer for `rows` [M], which read rows `table` [M, K] of a bank."""
        layers = member.layers
        # Padding rows hold old values: harmless for layers, but not for every other rule.
        filled = filled_up(len(rows), self._padded) if layers else len(rows)
        messages, prepared = self._messages[: filled * table.shape[1]], member.chunk[:filled]
        torch.index_select(bank, 0, table.reshape(-1), out=messages[: table.numel()])
        torch.index_select(member.prepared, 0, rows, out=prepared[: len(rows)])
        heard = messages.view(filled, table.shape[1], -1)
        self._mail.keep(rows, heard[: len(rows)])
        if layers:
            return through(layers, prepared, heard)[: len(rows)]
        return member.rule.change(prepared, heard)

    @classmethod
    def refuses(cls, world: World, rule: Rule, fire_rate: float, noise: float) -> str | None:
        """None: this backend supports every rule that fits the world."""
        return None

    def world(self) -> World:
        """The present world; later steps do not change it."""
        world = self._world.with_state(self.state.clone(), self.steps)
        return world.with_cells(**self._mail.fields())


class _Member:
    """A rule with what is computed once per run: expanded weights and prepared stimulus."""

    def __init__(self, rule: Rule, world: World) -> None:
        self.rule, self.layers = rule, rule.layers()
        self.prepared = rule.prepare(world.stimulus)
        self.chunk = self.prepared.new_zeros(CHUNK, *self.prepared.shape[1:])


def living(rule: Rule, state: Tensor, largest: Largest) -> Tensor:
    """bool [N], the living rows, for a rule whose cells are born and die."""
    alive = rule.lives(state, largest)
    if alive is None:
        raise ValueError(
            f"{type(rule).__name__}.lives returned a tensor first and None later; "
            "return a tensor for every state, or None for every state"
        )
    return alive
