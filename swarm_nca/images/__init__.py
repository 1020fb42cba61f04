"""Sources of pictures: data sets, files, pictures drawn offline, and compositions."""

from swarm_nca.images.datasets import DATASETS, load_dataset
from swarm_nca.images.drawn import DRAWN
from swarm_nca.images.files import read_folder, read_picture
from swarm_nca.images.garments import garments
from swarm_nca.images.handwriting import Hand
from swarm_nca.images.loading import load
from swarm_nca.images.pictures import SIZE, UNKNOWN, Pictures, joined
from swarm_nca.images.source import DatasetName, Source
from swarm_nca.images.strokes import ALPHABETS, draw_glyph, glyph_strokes, strokes

__all__ = [
    "ALPHABETS",
    "DATASETS",
    "DRAWN",
    "SIZE",
    "UNKNOWN",
    "DatasetName",
    "Hand",
    "Pictures",
    "Source",
    "draw_glyph",
    "garments",
    "glyph_strokes",
    "joined",
    "load",
    "load_dataset",
    "read_folder",
    "read_picture",
    "strokes",
]
