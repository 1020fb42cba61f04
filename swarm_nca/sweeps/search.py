"""A search: Optuna proposes the values of the next trial from the results so far.

Trials are kept in Optuna's journal file. A trial that was broken off is tried again with its values
when the sweep goes on. Values are proposed by the tree-structured Parzen estimator (Bergstra et
al., *Algorithms for Hyper-Parameter Optimization*, 2011).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import warnings
from collections import deque
from pathlib import Path
from typing import Any

from swarm_nca.sweeps.plans import Plan, seeded
from swarm_nca.sweeps.reading import Opening
from swarm_nca.sweeps.schema import Distribution, Search
from swarm_nca.sweeps.table import DONE, Row, number


def check_installed() -> None:
    """Raise a ValueError with the cure unless Optuna is installed."""
    if importlib.util.find_spec("optuna") is None:
        raise ValueError('a search needs Optuna: pip install "swarm-nca[search]"')


class Searched:
    """A source of plans that asks Optuna.

    Args:
        opening: a sweep with a search.
        journal: Optuna's journal file; made if it is missing.

    Raises:
        ValueError: the journal is of another search.
    """

    def __init__(self, opening: Opening, journal: Path) -> None:
        if opening.sweep.search is None:
            raise ValueError("this sweep has no search")
        check_installed()
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna: Any = optuna
        self._opening, self._search = opening, opening.sweep.search
        self._study = self._study_of(self._search, journal)
        self._check(journal)
        self._enqueue_broken_off()
        self._trials = 0
        self._left: deque[Plan] = deque()
        #: By trial: plans whose rows are missing, and the measures so far.
        self._open: dict[int, tuple[set[str], list[float]]] = {}
        self._trial_of: dict[str, list[int]] = {}
        self._known = deque(self._finished())

    def __len__(self) -> int:
        return self._search.trials * max(1, len(self._opening.seeds))

    @property
    def best(self) -> str:
        """The best trial's values and measure, as JSON; empty without a finished trial."""
        done = self._study.get_trials(
            deepcopy=False, states=[self._optuna.trial.TrialState.COMPLETE]
        )
        if not done:
            return ""
        trial = self._study.best_trial
        return json.dumps(self._values(trial.params) | {self._search.measure: trial.value})

    def take(self) -> Plan | None:
        """The next plan: of the trial that is begun, of a finished trial, or of a new one."""
        if not self._left and self._trials < self._search.trials:
            self._trials += 1
            if self._known:
                self._left.extend(self._plans(self._known.popleft()))
            else:
                trial = self._study.ask(self._spaces)
                plans = self._plans(trial.params)
                self._open[trial.number] = ({plan.name for plan in plans}, [])
                for plan in plans:
                    self._trial_of.setdefault(plan.name, []).append(trial.number)
                self._left.extend(plans)
        return self._left.popleft() if self._left else None

    def tell(self, plan: Plan, row: Row) -> None:
        """Report the mean of a trial's measure when all of its runs have ended."""
        for trial in self._trial_of.pop(plan.name, []):
            missing, measures = self._open[trial]
            missing.discard(plan.name)
            measures.append(
                number(row, self._search.measure) if row["status"] == DONE else math.nan
            )
            if missing:
                continue
            del self._open[trial]
            mean = math.fsum(measures) / len(measures)
            if math.isfinite(mean):
                self._study.tell(trial, mean)
            else:
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)

    def _study_of(self, search: Search, journal: Path) -> Any:
        optuna = self._optuna
        backend = optuna.storages.journal.JournalFileBackend(str(journal))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study = optuna.create_study(
                storage=optuna.storages.JournalStorage(backend),
                study_name="search",
                direction="maximize" if search.maximize else "minimize",
                load_if_exists=True,
            )
        # A search that goes on must not propose its first values again.
        seed = search.seed + len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(seed=seed % (1 << 32))
        return study

    def _check(self, journal: Path) -> None:
        """Raise a ValueError if the journal is of a search with another aim or other keys."""
        about = {
            "aim": "maximize" if self._search.maximize else "minimize",
            "measure": self._search.measure,
            "keys": {key: repr(space) for key, space in self._spaces.items()},
            "base": _hash_of(self._opening.base.data),
            "seeds": list(self._opening.seeds),
        }
        held = self._study.user_attrs.get("about")
        if held is not None and about != about | held:  # older journals have no base and no seeds
            raise ValueError(
                f"{journal}: this journal is of a search with another measure, base or seeds, or "
                "other keys; choose another folder with --out"
            )
        self._study.set_user_attr("about", about)

    def _enqueue_broken_off(self) -> None:
        state = self._optuna.trial.TrialState
        for trial in self._study.get_trials(deepcopy=False, states=[state.RUNNING]):
            self._study.tell(trial.number, state=state.FAIL)
            self._study.enqueue_trial(trial.params, skip_if_exists=False)

    def _finished(self) -> list[dict[str, Any]]:
        """The values of finished trials, whose runs are in the table."""
        state = self._optuna.trial.TrialState
        done = self._study.get_trials(deepcopy=False, states=[state.COMPLETE])
        return [trial.params for trial in done]

    @property
    def _spaces(self) -> dict[str, Any]:
        kinds = self._optuna.distributions
        return {key: _space(part, kinds) for key, part in self._search.keys.items()}

    def _values(self, params: dict[str, Any]) -> dict[str, Any]:
        """Optuna's parameters as values of the base; choices are stored as their numbers."""
        return {
            key: part.choice[params[key]] if part.choice is not None else params[key]
            for key, part in self._search.keys.items()
        }

    def _plans(self, params: dict[str, Any]) -> list[Plan]:
        values = self._values(params).items()
        given = {key: self._opening.given(value, "search", key) for key, value in values}
        return list(seeded(self._opening, given))


def _hash_of(data: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def _space(part: Distribution, kinds: Any) -> Any:
    """A distribution in Optuna's terms."""
    if part.choice is not None:
        return kinds.CategoricalDistribution(range(len(part.choice)))
    low, high = getattr(part, part.kind)
    if part.integers is not None:
        return kinds.IntDistribution(low, high)
    return kinds.FloatDistribution(low, high, log=part.log_uniform is not None)
