"""The ladder of bits: rungs are scored once, and table and figure show all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from rich.console import Console

import swarm_nca as sn
from swarm_nca.cli import ladder_command
from swarm_nca.cli.ladder_command import bits_command
from swarm_nca.images import Pictures
from swarm_nca.rules import Mlp, Quantized, load_rule, save_rule
from swarm_nca.studies import bits_ladder
from swarm_nca.studies.bits_ladder import Ladder, as_csv
from swarm_nca.training import calibration


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "WORLDS", 6)
    monkeypatch.setattr(calibration, "STEPS", 4)
    monkeypatch.setattr(calibration, "FITS", 2)
    monkeypatch.setattr(bits_ladder, "STEPS", 30)


GIVEN = ("own", "small")


def drawn(_: str, split: str) -> Pictures:
    return sn.images.strokes(12, seed=1 if split == "train" else 2)


def run(out: Path, monkeypatch: pytest.MonkeyPatch, bits: str, given: tuple[str, ...]) -> None:
    monkeypatch.setattr(ladder_command, "load_dataset", drawn)
    bits_command(
        "digits",
        bits,
        signs="2",
        given=given,
        limit=4,
        out=out,
        console=Console(file=None, quiet=True),
    )


def test_the_command_keeps_rungs_and_draws_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Quantized(filters="ste_sign", generator=torch.Generator().manual_seed(1))
    save_rule(own, tmp_path / "own.safetensors")
    save_rule(Mlp(hidden=(6, 6)), tmp_path / "small.safetensors")
    out = tmp_path / "out"
    run(out, monkeypatch, "8", tuple(str(tmp_path / f"{name}.safetensors") for name in GIVEN))
    first = (out / "rungs" / "8 bits.json").stat().st_mtime_ns
    run(out, monkeypatch, "4,8", ())
    assert (out / "rungs" / "8 bits.json").stat().st_mtime_ns == first
    lines = (out / "bits.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [
        "float32",
        "8 bits",
        "4 bits",
        "2 sign planes",
        "small",
        "own",
    ]
    families = [line.split(",")[1] for line in lines[1:]]
    assert families == ["even", "even", "even", "signs", "floats", "given"]
    sizes = [int(line.split(",")[2]) for line in lines[1:]]
    floats = sum(weight.numel() for weight in load_rule("digits").parameters())
    assert sizes[0] == 4 * floats
    assert sizes == sorted(sizes, reverse=True)
    assert (out / "bits.png").read_bytes().startswith(b"\x89PNG")


def test_a_rung_of_another_rule_is_refused(tmp_path: Path) -> None:
    ladder = Ladder(tmp_path, drawn("", "test")[:2])
    digits = load_rule("digits").requires_grad_(False)
    rung = ladder.rung("one", digits)
    assert ladder.rung("one", digits) == rung
    other = Quantized(generator=torch.Generator().manual_seed(2)).requires_grad_(False)
    with pytest.raises(ValueError, match="holds scores of another rule"):
        ladder.rung("one", other)
    assert as_csv([rung]).count("\n") == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bits": "9"}, "--bits takes 1 to 8, got 9"),
        ({"dataset": "kmnist"}, "--dataset is one of"),
        ({"rule": "life"}, "of kind life: give a rule of kind mlp"),
    ],
)
def test_unusable_arguments_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    from swarm_nca.rules import Life

    save_rule(Life(), tmp_path / "life.safetensors")
    monkeypatch.setattr(ladder_command, "load_dataset", drawn)
    if "rule" in given:
        given = given | {"rule": str(tmp_path / "life.safetensors")}
    with pytest.raises(ValueError, match=said):
        bits_command(**given, out=tmp_path / "out")  # type: ignore[arg-type]
