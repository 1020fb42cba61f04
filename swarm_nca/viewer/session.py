"""A session: a world that is stepped, edited, taken back in time and branched off.

Step t of a session is step t of a scenario: what is done at t acts after step t was taken, the
scenario's perturbations first, then one's own. An empty canvas waits: time passes only where
somebody lives. Going back shows the past; playing on from there repeats it, touching it branches
off. A second rule may live beside the first: another session with the same plan, which is taken
along wherever this one goes.
"""

from __future__ import annotations

import copy
import time
from collections import deque
from dataclasses import replace
from math import inf

import numpy as np
import numpy.typing as npt
import torch

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

#: What happened lately, as (step, words).
_SAID = 32

#: Steps of its past that a rule which joins late measures, for the curves.
_RECENT = 400


class Session:
    """Worlds in time.

    Args:
        opening: what the session begins with.
        leader: the session that this one stands beside, whose plan it shares.

    Attributes:
        step: steps taken at the moment shown.
        reached: the latest step of this branch; later than `step` while in the past.
        plan: what was and will be done.
        fired: rows that acted in the last step.
        said: what happened lately, (step, words).
        shown: the world of the batch that is looked at and edited.
        beside: a second rule's session on the same drawing, if any.
    """

    def __init__(self, opening: SessionConfig, leader: Session | None = None) -> None:
        self.opening = opening
        self.rule, self.seed = opening.rule, opening.seed
        self.plan: Plan = Plan(opening.foreseen) if leader is None else leader.plan
        self.history = History(len(opening.start))
        self.reached = -1
        self.shown: int = 0 if leader is None else leader.shown
        self.said: deque[tuple[int, str]] = deque(maxlen=_SAID)
        self.beside: Session | None = None
        self._met: dict[int, Expectation] = {}
        # Two side by side take three halves of the budget.
        budget = keyframes.BUDGET if leader is None else keyframes.BUDGET // 2
        self._keyframes = Keyframes(Keyframe.of(opening.start, 0), budget)
        self._alone: World | None = None
        self._measures: Values | None = None
        self.fired = torch.zeros(0, dtype=torch.int64)
        self._run = Simulation(opening.start, self.rule, self.seed, self.plan)
        self._look_anew()
        start = self._run.begin()
        self._arrive(start, start.events)

    # ------------------------------------------------------------------ now

    @property
    def world(self) -> World:
        """All worlds at the moment shown."""
        return self._run.world

    @property
    def step(self) -> int:
        """Steps taken at the moment shown."""
        return self._run.step

    @property
    def alone(self) -> World:
        """The one world that is looked at."""
        if self._alone is None:
            several = len(self.world) > 1
            self._alone = self.world.select(self.shown) if several else self.world
        return self._alone

    @property
    def fired_rows(self) -> npt.NDArray[np.int64]:
        """int64 [n], the rows of `alone` that acted in the last step."""
        first = int(self.world.counts[: self.shown].sum())
        rows: npt.NDArray[np.int64] = self.fired.numpy() - first
        return rows[(rows >= 0) & (rows < self.alone.cells)]

    @property
    def measures(self) -> Values:
        """float64 [worlds, values], what the curves tell of the moment shown."""
        if self._measures is None:
            self._measures = measured(CellStats(self.world, self.rule))
        return self._measures

    @property
    def values(self) -> dict[str, float]:
        """What the curves tell of the world that is looked at; nan where nothing is measured."""
        return dict(zip(History.NAMES, self.measures[self.shown].tolist(), strict=True))

    @property
    def waiting(self) -> bool:
        """Whether nobody lives, so that no time passes."""
        return self._run.cells == 0

    @property
    def expectations(self) -> list[Expectation | None]:
        """How each of the scenario's expectations was met; None while it is pending."""
        return [self._met.get(number) for number in range(len(self.opening.expect))]

    @property
    def kept_bytes(self) -> int:
        """What going back in time takes."""
        return self._keyframes.bytes

    def show(self, index: int) -> None:
        """Look at another world of the batch."""
        self.shown, self._alone = index % len(self.world), None
        if self.beside is not None:
            self.beside.show(index)

    # ------------------------------------------------------ a second rule

    def accompany(self, opening: SessionConfig | None) -> None:
        """Let a second rule live on the same drawing from its beginning, or none any more.

        It has to `catch_up` with what happened so far.
        """
        self.beside = None if opening is None else Session(opening, self)

    @property
    def side_by_side(self) -> tuple[Session, ...]:
        """This session, and the one of the rule beside it."""
        return (self,) if self.beside is None else (self, self.beside)

    @property
    def lag(self) -> int:
        """How many steps the second rule is behind."""
        return 0 if self.beside is None else self.step - self.beside.step

    def catch_up(self, seconds: float = inf) -> None:
        """Let the second rule take the steps it is behind, for about so long."""
        until = time.perf_counter() + seconds
        while self.beside is not None and self.lag and time.perf_counter() < until:
            self.beside._advance()
            if self.lag < _RECENT:
                self.beside.measure()

    def copy(self, plan: Plan | None = None) -> Session:
        """The same session at the same moment; what is done to one does not touch the other.

        Args:
            plan: of the session that the copy stands beside; a copy of its own plan when None.
        """
        other = copy.copy(self)
        other.plan = self.plan.copy() if plan is None else plan
        other._run = self._run.copy(other.plan)
        other._keyframes = self._keyframes.copy()
        other.history = History(len(self.world))
        other.said, other._met = deque(maxlen=_SAID), dict(self._met)
        other._look_anew()
        if self.beside is not None:
            other.beside = self.beside.copy(other.plan)
        return other

    # ----------------------------------------------------------- going on

    def advance(self) -> bool:
        """Take one step and let happen what is planned for it; False where nobody lives."""
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
            fired, events = moment.fired, moment.events
        else:
            fired, events = self._run.skip()
        self._look_anew()
        if not events:
            self.fired = fired
        self._arrive(moment, events)
        return True

    def edit(self, perturbation: Perturbation) -> None:
        """Do something to the world shown, now; in the past this branches off.

        Raises:
            ValueError: a perturbation that does not fit this world; nothing has changed then.
        """
        several = len(self.world) > 1 and not perturbation.SHARED
        target = self.shown if several else None
        done = replace(perturbation, at=self.step, world=target)
        changed = done(self.world, self.seed)
        if self.step < self.reached:
            self.plan.branch(self.step)
        self.plan.add(done)
        for one in self.side_by_side:
            one._forget(self.step)
        self._stand_on(changed)
        if self.beside is not None and not self.lag:
            self.beside._stand_on(done(self.beside.world, self.seed))

    def seek(self, step: int) -> None:
        """Show another moment of this branch, from 0 to the latest reached."""
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
        """What came after a step did not happen, and that step itself looks otherwise now."""
        self.history.branch(step)
        if step < self.reached:
            self._keyframes.branch(step)
            self._met = {n: one for n, one in self._met.items() if one.at <= step}
            self.reached = step

    def _arrive(self, moment: Moment | None, events: tuple[Event, ...]) -> None:
        """What belongs to a step that was just taken: keeping, judging, and saying what happened.

        Args:
            moment: the look at the step, where one was taken.
            events: what acted then.
        """
        fresh = self.step > self.reached
        self.reached = max(self.reached, self.step)
        if moment is not None:
            if self._keyframes.wants(self.step):
                self._keyframes.keep(Keyframe.of(moment.world, self.step))
            if self._judges(self.step):
                self._judge(CellStats(moment.world, self.rule, moment.before))
        for event in events:
            deed: Edit = event.change
            if fresh and deed.foreseen:
                words = deed.perturbation.what(event.before, event.after)
                kind = deed.perturbation.kind
                self.said.append((self.step, kind if words == kind else f"{kind}: {words}"))

    def measure(self) -> None:
        """Note for the curves what is so at the moment shown; once per picture is enough."""
        if self.history.wants(self.step):
            self.history.note(self.step, self.measures)
        if self.beside is not None and not self.lag:
            self.beside.measure()

    def _judges(self, step: int) -> bool:
        return any(
            one.at == step and number not in self._met
            for number, one in enumerate(self.opening.expect)
        )

    def _judge(self, stats: CellStats) -> None:
        for number, one in enumerate(self.opening.expect):
            if one.at == self.step:
                value = find_metric(one.metric).reading(stats).pooled()
                self._met[number] = Expectation(one.metric, one.at, one.min, one.max, value)

    def _stand_on(self, world: World, step: int | None = None) -> None:
        self._run.stand_on(world, step)
        self._look_anew()

    def _look_anew(self) -> None:
        """What is shown has changed."""
        self._alone = self._measures = None
        self.fired = torch.zeros(0, dtype=torch.int64)
