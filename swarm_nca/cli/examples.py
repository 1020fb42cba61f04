"""Examples that the help of each command ends with. A new command gets a line here."""

from __future__ import annotations

from collections.abc import Mapping

#: By command, with its group's name before it; the empty name is `swarm-nca --help` itself.
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "": (
        "swarm-nca view",
        "swarm-nca run seven-becomes-two",
        "swarm-nca list scenarios",
    ),
    "run": (
        "swarm-nca run seven-becomes-two",
        "swarm-nca run chimera torus --out runs/two --seed 7",
        "swarm-nca run damage-and-recovery --set rule=mnist --set steps=600",
        "swarm-nca run my-scenarios/ --junit junit.xml",
        "swarm-nca run --from runs/chimera@100 --set steps=400",
    ),
    "render": (
        "swarm-nca render runs/long-run",
        "swarm-nca render runs/one runs/two",
    ),
    "sweep": (
        "swarm-nca sweep lost-messages",
        "swarm-nca sweep lost-messages --set links.drop=0,0.05,0.1 --seeds 0-9 --workers 2",
    ),
    "check": (
        "swarm-nca check scenario.yaml recipe.yaml",
        "swarm-nca check chimera --set rule=mnist",
    ),
    "schema": (
        "swarm-nca schema",
        "swarm-nca schema recipe",
    ),
    "evaluate": (
        "swarm-nca evaluate digits --dataset strokes --limit 200",
        "swarm-nca evaluate mnist --dataset mnist --protocol mutation --json curve.json",
        'swarm-nca evaluate mnist --dataset strokes --links "{drop: 0.3}"',
        "swarm-nca evaluate runs/train-signs --dataset my_signs --by class --confusion",
    ),
    "train": (
        "swarm-nca train signs",
        "swarm-nca train mnist-short --out runs/short --set iterations=500",
        "swarm-nca train --resume runs/short",
    ),
    "compare": (
        "swarm-nca compare digits mnist --dataset strokes --limit 200",
        "swarm-nca compare runs/train-a runs/train-b --steps 400 --out runs/compare",
    ),
    "stress": (
        "swarm-nca stress mnist",
        "swarm-nca stress digits --only rotation,letters,loss --count 50",
        "swarm-nca stress digits --pictures my_digits --out runs/hands",
    ),
    "view": (
        "swarm-nca view",
        "swarm-nca view chimera --rule mnist",
        "swarm-nca view --rule digits --beside mnist",
        "swarm-nca view stroke-by-stroke --headless --steps 120 --out film.webp",
    ),
    "export": (
        "swarm-nca export digits",
        "swarm-nca export runs/train-signs --to html --precision float16 --out signs.html",
        "swarm-nca export life --set rule=B36/S23",
    ),
    "bench": (
        "swarm-nca bench",
        "swarm-nca bench --json speed.json",
        "swarm-nca bench --against speed.json",
        "swarm-nca bench --figure roofline.png",
        "swarm-nca bench --bits",
    ),
    "list": (
        "swarm-nca list",
        "swarm-nca list perturbations",
        "swarm-nca list metrics --json",
    ),
    "rules": (
        "swarm-nca rules",
        "swarm-nca rules --verbose",
    ),
    "study learning-life": (
        "swarm-nca study learning-life",
        "swarm-nca study learning-life --steps 1 --widths 1-3 --seeds 8 --out runs/life",
    ),
    "study bits": (
        "swarm-nca study bits",
        "swarm-nca study bits mnist-97 --bits 4,8 --signs 3,4 --rule mnist-mixed --limit 500",
    ),
    "study silence": (
        "swarm-nca study silence digits digits-robust",
        "swarm-nca study silence digits-robust --known mnist --limit 200",
    ),
}


def epilog(command: str) -> str | None:
    """The end of a command's help; None for a command without examples."""
    lines = EXAMPLES.get(command)
    # \b keeps the lines of a paragraph.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)]) if lines else None
