"""The Python of `swarm_nca/swarm/README.md` runs unchanged, block after block."""

import re
import warnings
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import swarm_nca

README = Path(swarm_nca.__file__).parent / "swarm" / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)


def test_the_python_of_the_readme_runs() -> None:
    assert len(BLOCKS) == 5
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in BLOCKS:
            exec(compile(block, str(README), "exec"), names)
    row, column = names["agent"].name
    assert names["agent"].cell.coordinate == (column, 27 - row)
    assert names["swarm"].cell_at((0, 0)).is_empty
    assert len(names["rows"]) == 6
