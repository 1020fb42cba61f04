"""Links: loss, delay and rounding of messages between cells.

To add a kind, write a file with a frozen dataclass that extends `Links`, and a line in `LINKS`. Its
fields are the keys of `links` in a scenario. Other packages name their kinds in the entry-point
group `swarm_nca.links`.
"""

from collections.abc import Mapping

from swarm_nca.extensions import with_extensions
from swarm_nca.links.links import Links

#: The kinds of this package.
LINKS: dict[str, type[Links]] = {"lossy": Links}


def kinds_of_links() -> Mapping[str, type[Links]]:
    """All kinds that a scenario can name: those of `LINKS`, then those of installed packages."""
    return with_extensions("swarm_nca.links", LINKS, Links)


__all__ = ["LINKS", "Links", "kinds_of_links"]
