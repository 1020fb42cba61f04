"""Names in a file that also name folders."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from swarm_nca.config.errors import shown

#: Maximum bytes of a name: file systems allow 255, and endings are added.
LONGEST = 100


def _checked(name: str) -> str:
    if (length := len(name.encode(errors="replace"))) > LONGEST:
        raise ValueError(
            f"name also names the run folder: use at most {LONGEST} bytes, got {length}"
        )
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(
            "name also names the run folder: use only letters, digits, '_', '-' and '.', got "
            f"{shown(name)}"
        )
    return name


#: A text that can name a folder on every system and cannot lead to another folder.
FolderName = Annotated[
    str, AfterValidator(_checked), Field(json_schema_extra={"maxLength": LONGEST})
]
