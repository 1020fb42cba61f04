"""Collects independent mistakes of one document."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from swarm_nca.config.errors import LocatedError

if TYPE_CHECKING:
    from swarm_nca.config.document import Document


class Mistakes:
    """The mistakes found so far in a document; `tell` raises all of them as one error."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[LocatedError] = []

    @contextlib.contextmanager
    def at(self, *path: Any) -> Iterator[None]:
        """Keep a mistake of this block, located as by `Document.at`, and continue after it."""
        try:
            with self.document.at(*path):
                yield
        except LocatedError as error:
            self.found.append(error)

    def tell(self) -> None:
        """Raise the first mistake, with the lines of the others, if there is one."""
        if self.found:
            first, *others = self.found
            raise first.beside(others)
