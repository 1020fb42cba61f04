"""Store the present outcomes of cases: `python -m tests.goldens [CASE …]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

from .cases import CASES
from .stored import NUMBERS, distance, plain, read, write


def main(names: list[str]) -> None:
    """Run the cases, print changed numbers, store the outcomes."""
    unknown = set(names) - CASES.keys()
    if unknown:
        raise SystemExit(f"no such case: {', '.join(sorted(unknown))}; known: {', '.join(CASES)}")
    torch.set_num_threads(1)
    numbers, words = read() if NUMBERS.is_file() else ({}, {})
    outcomes = {}
    for case in names or CASES:
        with tempfile.TemporaryDirectory() as folder:
            outcome = outcomes[case] = CASES[case](Path(folder))
        if case not in numbers and case not in words:
            print(f"{case}: new")
            continue
        before = numbers.get(case, {})
        for what in sorted(outcome.numbers.keys() | before.keys()):
            if what not in before or what not in outcome.numbers:
                print(f"{case}/{what}: {'new' if what in outcome.numbers else 'gone'}")
            elif moved := distance(outcome.numbers[what], before[what]):
                print(f"{case}/{what}: {moved:.1e}")
        if plain(outcome.words) != words[case]:
            print(f"{case}: other words")
    write(outcomes)


if __name__ == "__main__":
    main(sys.argv[1:])
