"""Neural cellular automata as swarms: every pixel an agent, one learned rule shared by all.

    import swarm_nca as sn
    rule = sn.load_rule("digits")
    world = sn.World.from_images(pictures, rule)
    world = sn.rollout(world, rule, steps=200, seed=0)
    sn.metrics.total_agreement(world, rule)

The names in `__all__` are the public interface; all others may change. Each name is imported when
it is first used, so `import swarm_nca` is fast and loads Mesa or pandas only when they are needed.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarm_nca import images, perturbations
    from swarm_nca.engine import rollout, step, trajectory
    from swarm_nca.links import Links
    from swarm_nca.measure import metrics
    from swarm_nca.measure.protocols import evaluate
    from swarm_nca.rules import (
        RULES,
        Bit,
        Classes,
        Elementary,
        Field,
        Life,
        Mlp,
        Readout,
        Rgba,
        Rule,
        load_rule,
        make_rule,
        quantizers,
        save_rule,
    )
    from swarm_nca.scenario import run
    from swarm_nca.swarm import CellAgent, Swarm
    from swarm_nca.topologies import Grid, Topology
    from swarm_nca.world import World

    __version__: str

# torch reads this when it is imported. Its threads then wait for each other in a loop for some
# tenths of a millisecond, and sleep after that. Without a limit they take, on a busy machine, the
# time of the threads that they wait for; without any loop they are slow on a free one.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

__all__ = [
    "RULES",
    "Bit",
    "CellAgent",
    "Classes",
    "Elementary",
    "Field",
    "Grid",
    "Life",
    "Links",
    "Mlp",
    "Readout",
    "Rgba",
    "Rule",
    "Swarm",
    "Topology",
    "World",
    "evaluate",
    "images",
    "load_rule",
    "make_rule",
    "metrics",
    "perturbations",
    "quantizers",
    "rollout",
    "run",
    "save_rule",
    "step",
    "trajectory",
]

#: The module of each public name.
_HOMES = {
    "Bit": "swarm_nca.rules",
    "CellAgent": "swarm_nca.swarm",
    "Classes": "swarm_nca.rules",
    "Elementary": "swarm_nca.rules",
    "Field": "swarm_nca.rules",
    "Grid": "swarm_nca.topologies",
    "Life": "swarm_nca.rules",
    "Links": "swarm_nca.links",
    "Mlp": "swarm_nca.rules",
    "RULES": "swarm_nca.rules",
    "Readout": "swarm_nca.rules",
    "Rgba": "swarm_nca.rules",
    "Rule": "swarm_nca.rules",
    "Swarm": "swarm_nca.swarm",
    "Topology": "swarm_nca.topologies",
    "World": "swarm_nca.world",
    "evaluate": "swarm_nca.measure.protocols",
    "load_rule": "swarm_nca.rules",
    "make_rule": "swarm_nca.rules",
    "rollout": "swarm_nca.engine",
    "run": "swarm_nca.scenario",
    "save_rule": "swarm_nca.rules",
    "step": "swarm_nca.engine",
    "trajectory": "swarm_nca.engine",
}
_MODULES = {
    "images": "swarm_nca.images",
    "metrics": "swarm_nca.measure.metrics",
    "perturbations": "swarm_nca.perturbations",
    "quantizers": "swarm_nca.rules.quantizers",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = import_module(_MODULES[name])
    elif name == "__version__":
        from importlib.metadata import version

        value = version("swarm-nca")
    else:
        raise AttributeError(f"module 'swarm_nca' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
