"""The outcomes of runs, trainings, scores and swarms equal the stored ones.

After an intended change, `python -m tests.goldens` stores new outcomes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .cases import CASES
from .stored import plain, read

NUMBERS, WORDS = read()

#: Absolute and relative tolerance. Rounding depends on the processor: without AVX, and with
#: products of other libraries, states differ by 3e-6 at most.
TOLERANCE = 1e-4

#: Trainings amplify differences: Adam divides small gradients by their magnitude, and Muon rounds
#: to bfloat16. The same changes of processor changed losses and weights by 4e-4, the states of
#: trained cells by 2e-3, and the decision of one cell, which is a tenth of a percent.
TRAINED = {"loss": 4e-3, "accuracy": 1e-2, "weights": 4e-3, "lengths": 4e-3, "states": 2e-2}


def tolerance_of(case: str, what: str) -> float:
    return TRAINED.get(what, TOLERANCE) if case.startswith("training") else TOLERANCE


def test_the_stored_cases_are_the_defined_ones() -> None:
    assert WORDS.keys() == CASES.keys()
    assert NUMBERS.keys() <= CASES.keys()


@pytest.mark.parametrize("case", CASES)
def test_a_case_equals_its_stored_outcome(case: str, tmp_path: Path) -> None:
    outcome, stored = CASES[case](tmp_path), NUMBERS.get(case, {})
    assert plain(outcome.words) == WORDS[case]
    assert outcome.numbers.keys() == stored.keys()
    for what, numbers in outcome.numbers.items():
        allowed = tolerance_of(case, what)
        np.testing.assert_allclose(numbers, stored[what], allowed, allowed, err_msg=what)
