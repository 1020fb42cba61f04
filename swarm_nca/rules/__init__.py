"""Rules: how one cell changes its state from its stimulus and messages.

Each rule family is a subclass of `Rule` in one file, with a line in `families.RULES`.
"""

from swarm_nca.rules.classes import DIGITS, Classes
from swarm_nca.rules.elementary import Elementary
from swarm_nca.rules.families import (
    RULES,
    families,
    family,
    make_rule,
    rule_from_header,
    rule_to_train,
)
from swarm_nca.rules.filters import FILTERS, Filters
from swarm_nca.rules.life import Life
from swarm_nca.rules.loading import called, find_rule, load_rule, shipped_rules
from swarm_nca.rules.memory import Held, size_of, written
from swarm_nca.rules.mlp import Mlp
from swarm_nca.rules.published import read_published_rule
from swarm_nca.rules.quantized import Quantized
from swarm_nca.rules.readout import Bit, Field, Readout, Rgba
from swarm_nca.rules.readouts import READOUTS, readout_of
from swarm_nca.rules.rule import Filtered, Habitat, Largest, Layer, Rule, through
from swarm_nca.rules.settings import check_rates
from swarm_nca.rules.storage import read_rule, save_rule
from swarm_nca.rules.weight_sharing import Hearing

__all__ = [
    "DIGITS",
    "FILTERS",
    "READOUTS",
    "RULES",
    "Bit",
    "Classes",
    "Elementary",
    "Field",
    "Filtered",
    "Filters",
    "Habitat",
    "Hearing",
    "Held",
    "Largest",
    "Layer",
    "Life",
    "Mlp",
    "Quantized",
    "Readout",
    "Rgba",
    "Rule",
    "called",
    "check_rates",
    "families",
    "family",
    "find_rule",
    "load_rule",
    "make_rule",
    "read_published_rule",
    "read_rule",
    "readout_of",
    "rule_from_header",
    "rule_to_train",
    "save_rule",
    "shipped_rules",
    "size_of",
    "through",
    "written",
]
