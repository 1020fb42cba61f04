"""Names in a file that are names of folders too."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from swarm_nca.config.errors import shown

#: Bytes that a name takes at most: file systems allow 255, and there are endings to come.
LONGEST = 100


def _checked(name: str) -> str:
    if (length := len(name.encode(errors="replace"))) > LONGEST:
        raise ValueError(f"name is also the run folder's: at most {LONGEST} bytes, got {length}")
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(
            "name is also the run folder's: letters, digits, '_', '-' and '.' only, got "
            f"{shown(name)}"
        )
    return name


#: A text that can name a folder on every system, and cannot lead out of the one it is made in.
FolderName = Annotated[
    str, AfterValidator(_checked), Field(json_schema_extra={"maxLength": LONGEST})
]
