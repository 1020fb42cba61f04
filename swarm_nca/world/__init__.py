"""World: the record of all cells at one moment."""

from swarm_nca.world.making import STARTS, PictureBatch, check_start
from swarm_nca.world.record import World

__all__ = ["STARTS", "PictureBatch", "World", "check_start"]
