"""A run that goes on in a browser: the rule's page, and the scenario that its address carries."""

from __future__ import annotations

from urllib.parse import urlencode

from swarm_nca.engine import ordinary, rates_of
from swarm_nca.export.html import page
from swarm_nca.export.picture_code import encoded
from swarm_nca.rules import Bit, Rule
from swarm_nca.world import World

#: The largest canvas of a page: pixels in all, and on one side. `scenario.js` has the same limits.
_PIXELS, _SIDE = 256 * 256, 1024


def live_page(rule: Rule, name: str, world: World, seed: int) -> tuple[bytes, str] | None:
    """The page of a rule, and the fragment of an address that starts it on a world's picture.

    Args:
        name: the title of the page.
        world: one world or more; the page takes the first one's picture. Cells start without
            memory there; a board of bits goes on from its present state.
        seed: of every random draw.

    Returns:
        The page in float16 and the text after #; None where a page cannot run the rule or the
        world: a graph, a grid other than the rule's, faulty links or cells, or too large a picture.
    """
    if not world.space.pictured or not ordinary(world):
        return None
    canvas = world.canvas
    rows, columns = canvas.extent(0)
    own = canvas.grid.neighborhood == rule.neighborhood
    if not own or rows * columns > _PIXELS or max(rows, columns) > _SIDE:
        return None
    try:
        made = page(rule, name, precision="float16")
    except ValueError:  # no export of such a rule
        return None
    fire_rate, noise = rates_of(world, rule)
    grey = canvas.picture(0).cpu().numpy()
    if isinstance(rule.readout, Bit) and canvas.habitat.sprout is not None:
        # Bits are all that such a cell holds: the run goes on from where it is.
        grey = rule.readout.image(world).astype("float32")
    parts = {"picture": encoded(grey), "seed": seed}
    parts |= {"fire": fire_rate} if fire_rate != rule.fire_rate else {}
    parts |= {"noise": noise} if noise != rule.noise else {}
    parts |= {"wrap": 1} if canvas.grid.torus else {}
    return made, urlencode(parts)
