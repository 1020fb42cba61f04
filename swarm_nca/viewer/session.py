"""A session: a world that can be stepped, edited, taken back in time and branched.

Step t of a session is step t of a scenario: edits at t act after step t, the scenario's
perturbations first, then edits by hand. While no cell is alive, no step is taken. Going back shows
the past; playing on from there repeats it, and an edit there starts a new branch. A second rule is
another session with the same plan, which follows this one.
"""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swarm_nca.engine import products_in, stepper
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.measure.metrics import find_metric
from swarm_nca.perturbations import Perturbation
from swarm_nca.recording import Expectation
from swarm_nca.simulation import Event, Moment, Simulation
from swarm_nca.viewer import keyframes
from swarm_nca.viewer.history import History, Values, measured
from swarm_nca.viewer.keyframes import Keyframe, Keyframes
from swarm_nca.viewer.plan import Edit, Plan
from swarm_nca.viewer.session_config import SessionConfig
from swarm_nca.world import World

#: Maximum number of (step, words) kept about past perturbations.
_SAID = 32

#: Past steps that a second rule measures for the curves while it catches up.
_RECENT = 400


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A session at one moment of its use, to be put back by `Session.restore`.

    Attributes:
        words: the change that followed.
        now: the worlds shown, after the edits of their step.
        beside: of the second rule's session, if any.
    """

    session: Session
    words: str
    now: Keyframe
    shown: int
    reached: int
    plan: Plan
    keyframes: Keyframes
    history: History
    met: Mapping[int, Expectation]
    fired: Tensor
    beside: Snapshot | None

    def frames(self) -> Iterator[Keyframe]:
        """All keyframes it holds."""
        yield self.now
        yield from self.keyframes
        if self.beside is not None:
            yield from self.beside.frames()


class Session:
    """A batch of worlds with its past and its plan.

    Args:
        opening: the start of the session.
        leader: the first rule's session, if this is the second one's; they share the plan.

    Attributes:
        step: the step shown.
        reached: the latest step of this branch; greater than `step` while in the past.
        plan: past and future perturbations.
        fired: rows that fired in the last step.
        said: the latest perturbations of the scenario, (step, words).
        shown: the index of the world that is shown and edited.
        beside: the second rule's session on the same drawing, if any.
    """

    def __init__(self, opening: SessionConfig, leader: Session | None = None) -> None:
        self.opening = opening
        self.rule, self.seed = opening.rule, opening.seed
        self.plan: Plan = Plan(opening.foreseen) if leader is None else leader.plan
        self.history = self._new_history()
        self.reached = -1
        self.shown: int = 0 if leader is None else leader.shown
        self.said: deque[tuple[int, str]] = deque(maxlen=_SAID)
        self.beside: Session | None = None
        self._met: dict[int, Expectation] = {}
        # Two sessions side by side take 1.5 times the budget.
        budget = keyframes.BUDGET if leader is None else keyframes.BUDGET // 2
        self._keyframes = Keyframes(Keyframe.of(opening.start, 0), budget)
        self._alone: World | None = None
        self._measures: Values | None = None
        self.fired = torch.zeros(0, dtype=torch.int64)
        precision = (opening if leader is None else leader.opening).settings.get("precision")
        products_in(precision, opening.start, self.rule)
        backend = partial(stepper, precision=precision)
        self._run = Simulation(opening.start, self.rule, self.seed, self.plan, backend)
        self._look_anew()
        start = self._run.begin()
        self._arrive(start, start.events)

    # ------------------------------------------------------------------ now

    @property
    def world(self) -> World:
        """All worlds at the step shown."""
        return self._run.world

    @property
    def step(self) -> int:
        """The step shown."""
        return self._run.step

    @property
    def alone(self) -> World:
        """The world that is shown."""
        if self._alone is None:
            several = len(self.world) > 1
            self._alone = self.world.select(self.shown) if several else self.world
        return self._alone

    @property
    def fired_rows(self) -> npt.NDArray[np.int64]:
        """int64 [n], the rows of `alone` that fired in the last step."""
        first = int(self.world.counts[: self.shown].sum())
        rows: npt.NDArray[np.int64] = self.fired.numpy() - first
        return rows[(rows >= 0) & (rows < self.alone.cells)]

    @property
    def measures(self) -> Values:
        """float64 [worlds, values], the measured values of the step shown."""
        if self._measures is None:
            self._measures = measured(CellStats(self.world, self.rule))
        return self._measures

    @property
    def values(self) -> dict[str, float]:
        """The measured values of the world shown, by name; nan if not measured."""
        measures = self.measures[self.shown, : len(History.NAMES)]
        return dict(zip(History.NAMES, measures.tolist(), strict=True))

    @property
    def waiting(self) -> bool:
        """Whether no cell is alive, so that no step is taken."""
        return self._run.cells == 0

    @property
    def expectations(self) -> list[Expectation | None]:
        """The result of each of the scenario's expectations; None while pending."""
        return [self._met.get(number) for number in range(len(self.opening.expect))]

    @property
    def kept_bytes(self) -> int:
        """Size of the keyframes in bytes."""
        return self._keyframes.bytes

    def show(self, index: int) -> None:
        """Show another world of the batch."""
        self.shown, self._alone = index % len(self.world), None
        if self.beside is not None:
            self.beside.show(index)

    # ------------------------------------------------------ a second rule

    def accompany(self, opening: SessionConfig | None) -> None:
        """Start a second rule on the same drawing at step 0, or remove it (None).

        Call `catch_up` to bring it to the step shown.
        """
        self.beside = None if opening is None else Session(opening, self)

    @property
    def side_by_side(self) -> tuple[Session, ...]:
        """This session and, if any, the second rule's."""
        return (self,) if self.beside is None else (self, self.beside)

    @property
    def lag(self) -> int:
        """Number of steps by which the second rule is behind."""
        return 0 if self.beside is None else self.step - self.beside.step

    def catch_up(self, seconds: float = inf) -> None:
        """Step the second rule until it has caught up, for about so many seconds."""
        until = time.perf_counter() + seconds
        while self.beside is not None and self.lag and time.perf_counter() < until:
            self.beside._advance()
            if self.lag < _RECENT:
                self.beside.measure()

    def copy(self, plan: Plan | None = None) -> Session:
        """An independent copy of this session at the same step.

        Args:
            plan: of the first rule's copy, for the second rule; a copy of its own plan when None.
        """
        other = copy.copy(self)
        other.plan = self.plan.copy() if plan is None else plan
        other._run = self._run.copy(other.plan)
        other._keyframes = self._keyframes.copy()
        other.history = self._new_history()
        other.said, other._met = deque(maxlen=_SAID), dict(self._met)
        other._look_anew()
        if self.beside is not None:
            other.beside = self.beside.copy(other.plan)
        return other

    def snapshot(self, words: str = "") -> Snapshot:
        """Everything that an edit may change; see `restore`.

        Args:
            words: the change that follows.
        """
        return Snapshot(
            session=self,
            words=words,
            now=Keyframe.of(self.world, self.step),
            shown=self.shown,
            reached=self.reached,
            plan=self.plan.copy(),
            keyframes=self._keyframes.copy(),
            history=self.history.copy(),
            met=dict(self._met),
            fired=self.fired,
            beside=None if self.beside is None else self.beside.snapshot(),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Put back one of this session's snapshots, once.

        A second rule that was added later starts again and catches up.
        """
        self.plan.become(snapshot.plan)
        self._keyframes, self.history = snapshot.keyframes, snapshot.history
        self.reached, self._met = snapshot.reached, dict(snapshot.met)
        self._stand_on(snapshot.now.world(self.opening.start), snapshot.now.step)
        self.fired, self.shown = snapshot.fired, snapshot.shown
        if self.beside is None:
            return
        if snapshot.beside is not None and snapshot.beside.session is self.beside:
            self.beside.restore(snapshot.beside)
        else:
            self.accompany(self.beside.opening)

    # ----------------------------------------------------------- going on

    def advance(self) -> bool:
        """Take one step and apply its planned edits; False if no cell is alive."""
        self.catch_up()
        if not self._advance():
            return False
        if self.beside is not None:
            self.beside._advance()
        return True

    def _advance(self) -> bool:
        if self.waiting:
            return False
        coming, moment = self.step + 1, None
        if self._keyframes.wants(coming) or self._judges(coming):
            moment = self._run.advance()
            events = moment.events
        else:
            events = self._run.skip()
        self._look_anew()
        if not events:
            self.fired = self._run.fired
        self._arrive(moment, events)
        return True

    def edit(self, perturbation: Perturbation) -> None:
        """Apply a perturbation to the world shown, at the step shown; in the past, start a branch.

        Raises:
            ValueError: a perturbation that does not fit this world; the session is unchanged.
        """
        several = len(self.world) > 1 and not perturbation.SHARED
        target = self.shown if several else None
        done = replace(perturbation, at=self.step, world=target)
        changed = done(self.world, self.seed)
        if self.step < self.reached:
            self.plan.branch(self.step)
        self.plan.add(done)
        for session in self.side_by_side:
            session._forget(self.step)
        self._stand_on(changed)
        if self.beside is not None and not self.lag:
            self.beside._stand_on(done(self.beside.world, self.seed))

    def seek(self, step: int) -> None:
        """Show another step of this branch, from 0 to `reached`."""
        self._seek(step)
        if self.beside is not None:
            self.beside._seek(self.step)

    def _seek(self, step: int) -> None:
        step = min(max(step, 0), self.reached)
        keyframe = self._keyframes.before(step)
        if not self.step <= step or keyframe.step > self.step:
            self._stand_on(keyframe.world(self.opening.start), keyframe.step)
            if self._run.happen():
                self._look_anew()
        while self.step < step and self._advance():
            pass

    def _forget(self, step: int) -> None:
        """Drop all that is stored of later steps, and the measurements of this step."""
        self.history.branch(step)
        if step < self.reached:
            self._keyframes.branch(step)
            self._met = {n: result for n, result in self._met.items() if result.at <= step}
            self.reached = step

    def _arrive(self, moment: Moment | None, events: tuple[Event, ...]) -> None:
        """Finish a step: keep a keyframe, check expectations, note the scenario's events.

        Args:
            moment: the step's record, if one was made.
            events: the perturbations that acted.
        """
        fresh = self.step > self.reached
        self.reached = max(self.reached, self.step)
        if moment is not None:
            if self._keyframes.wants(self.step):
                self._keyframes.keep(Keyframe.of(moment.world, self.step))
            if self._judges(self.step):
                self._judge(CellStats(moment.world, self.rule, moment.before))
        for event in events:
            edit: Edit = event.change
            if fresh and edit.foreseen:
                words = edit.perturbation.what(event.before, event.after)
                kind = edit.perturbation.kind
                self.said.append((self.step, kind if words == kind else f"{kind}: {words}"))

    def measure(self) -> None:
        """Store the measured values of the step shown; call once per picture."""
        if self.history.wants(self.step):
            self.history.note(self.step, self.measures)
        if self.beside is not None and not self.lag:
            self.beside.measure()

    def _judges(self, step: int) -> bool:
        return any(
            expect.at == step and number not in self._met
            for number, expect in enumerate(self.opening.expect)
        )

    def _judge(self, stats: CellStats) -> None:
        for number, expect in enumerate(self.opening.expect):
            if expect.at == self.step:
                value = find_metric(expect.metric).reading(stats).pooled()
                self._met[number] = Expectation(
                    expect.metric, expect.at, expect.min, expect.max, value
                )

    def _new_history(self) -> History:
        classes = len(self.rule.readout.class_names)
        return History(len(self.opening.start), classes + 1 if classes else 0)

    def _stand_on(self, world: World, step: int | None = None) -> None:
        self._run.stand_on(world, step)
        self._look_anew()

    def _look_anew(self) -> None:
        """Clear the values cached for the world shown."""
        self._alone = self._measures = None
        self.fired = torch.zeros(0, dtype=torch.int64)
