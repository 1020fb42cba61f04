"""The span of steps to film: the marked one, or the latest steps without marks."""

from __future__ import annotations

from dataclasses import dataclass

from swarm_nca.viewer.session import Session

#: Length in steps of a span without a marked start.
LATELY = 120


@dataclass
class Span:
    """Two optional marks on the time bar.

    Attributes:
        first, last: the marked steps.
    """

    first: int | None = None
    last: int | None = None

    def begin(self, step: int) -> None:
        """Set the start, or clear it if it is set to this step; clears an earlier end."""
        self.first = None if self.first == step else step
        if self.last is not None and self.last < step:
            self.last = None

    def end(self, step: int) -> None:
        """Set the end, or clear it if it is set to this step; clears a later start."""
        self.last = None if self.last == step else step
        if self.first is not None and self.first > step:
            self.first = None

    @property
    def marked(self) -> bool:
        """Whether there is a mark."""
        return self.first is not None or self.last is not None

    def bounds(self, session: Session) -> tuple[int, int]:
        """The first and the last step of the span, at most the session's latest step.

        A missing end is the latest step; a missing start lies `LATELY` steps before the end.
        """
        last = session.reached if self.last is None else min(self.last, session.reached)
        first = max(0, last - LATELY) if self.first is None else min(self.first, last)
        return first, last
