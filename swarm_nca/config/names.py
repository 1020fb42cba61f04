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


def folder_name(text: str, ending: str = "") -> str:
    """A text such as a file's stem as a name of the type below.

    Other characters become `-`; a long text is cut, so that the ending has room.
    """
    plain = re.sub(r"[^\w.-]", "-", text).lstrip("-.") or "unnamed"
    return plain.encode()[: LONGEST - len(ending)].decode(errors="ignore") + ending


#: A text that can name a folder on every system and cannot lead to another folder.
FolderName = Annotated[
    str, AfterValidator(_checked), Field(json_schema_extra={"maxLength": LONGEST})
]
