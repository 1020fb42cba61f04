"""What runs, trainings, scores and swarms come to is what they came to when it was stored.

`python -m tests.goldens` stores it anew, after a change that is meant.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .cases import CASES
from .stored import plain, read

NUMBERS, WORDS = read()

#: By how much a number may differ, and by which part of itself. Other processors round otherwise:
#: without AVX, and with other libraries' products, states differ by 3e-6 at most.
TOLERANCE = 1e-4

#: Trainings take a difference further: Adam divides small gradients by their own size, and Muon
#: rounds to bfloat16. The same changes of processor moved losses and weights by 4e-4, the states
#: of trained cells by 2e-3, and the decision of one cell, which is a tenth of a percent.
TRAINED = {"loss": 4e-3, "accuracy": 1e-2, "weights": 4e-3, "lengths": 4e-3, "states": 2e-2}


def tolerance_of(case: str, what: str) -> float:
    return TRAINED.get(what, TOLERANCE) if case.startswith("training") else TOLERANCE


def test_every_case_is_stored_and_no_other() -> None:
    assert WORDS.keys() == CASES.keys()
    assert NUMBERS.keys() <= CASES.keys()


@pytest.mark.parametrize("case", CASES)
def test_it_comes_to_what_is_stored(case: str, tmp_path: Path) -> None:
    outcome, stored = CASES[case](tmp_path), NUMBERS.get(case, {})
    assert plain(outcome.words) == WORDS[case]
    assert outcome.numbers.keys() == stored.keys()
    for what, numbers in outcome.numbers.items():
        allowed = tolerance_of(case, what)
        np.testing.assert_allclose(numbers, stored[what], allowed, allowed, err_msg=what)
