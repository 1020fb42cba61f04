"""Rules: what one agent does with what it senses and hears.

To add one, write a file and a line here.
"""

from swarm_nca.rules.classes import DIGITS, Classes
from swarm_nca.rules.hearing import Hearing
from swarm_nca.rules.loading import called, find_rule, load_rule, shipped_rules
from swarm_nca.rules.published import read_published_rule
from swarm_nca.rules.rule import Filters, Rule
from swarm_nca.rules.settings import check_rates
from swarm_nca.rules.storage import read_rule, save_rule

__all__ = [
    "DIGITS",
    "Classes",
    "Filters",
    "Hearing",
    "Rule",
    "called",
    "check_rates",
    "find_rule",
    "load_rule",
    "read_published_rule",
    "read_rule",
    "save_rule",
    "shipped_rules",
]
