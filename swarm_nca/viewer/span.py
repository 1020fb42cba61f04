"""A stretch of the session's time, marked to be filmed: what has just happened, if nothing is."""

from __future__ import annotations

from dataclasses import dataclass

from swarm_nca.viewer.session import Session

#: Steps that a span has whose beginning nobody marked.
LATELY = 120


@dataclass
class Span:
    """Two marks on the time bar, either of which may be missing.

    Attributes:
        first, last: the marked steps.
    """

    first: int | None = None
    last: int | None = None

    def begin(self, step: int) -> None:
        """Mark the beginning, or no longer; an end that lies before it goes."""
        self.first = None if self.first == step else step
        if self.last is not None and self.last < step:
            self.last = None

    def end(self, step: int) -> None:
        """Mark the end, or no longer; a beginning that lies after it goes."""
        self.last = None if self.last == step else step
        if self.first is not None and self.first > step:
            self.first = None

    @property
    def marked(self) -> bool:
        """Whether there is a mark."""
        return self.first is not None or self.last is not None

    def bounds(self, session: Session) -> tuple[int, int]:
        """The first and the last step of it, within what this session has reached.

        An end that is missing is the latest step, a beginning that is missing some steps earlier.
        """
        last = session.reached if self.last is None else min(self.last, session.reached)
        first = max(0, last - LATELY) if self.first is None else min(self.first, last)
        return first, last
