"""Where pictures come from: data sets, files, pen strokes drawn offline, and compositions."""

from swarm_nca.images.datasets import DATASETS, load_dataset
from swarm_nca.images.pictures import UNKNOWN, Pictures, joined

__all__ = ["DATASETS", "UNKNOWN", "Pictures", "joined", "load_dataset"]
