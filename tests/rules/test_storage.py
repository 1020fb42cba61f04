"""Rule files: saving and loading keeps a rule, and other files are refused with a cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from swarm_nca.rules import Classes, Mlp, Rule, load_rule, read_rule, save_rule

BusyRule = Callable[..., Rule]

SETTINGS = Mlp().settings()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_saving_and_loading_keeps_rule_and_card(
    tmp_path: Path, busy_rule: BusyRule, dtype: torch.dtype
) -> None:
    classes = Classes.named("disc", "ring", "łuk")
    rule = busy_rule(dtype, classes=classes, fire_rate=0.3, noise=0.0, slots=4, hidden=(5, 6))
    card = {"recipe": {"steps": 20}, "scores": [0.5, 1], "licence": "MIT"}
    path = save_rule(rule, tmp_path / "rule.safetensors", card)
    back, message = read_rule(path)
    assert message == card
    assert back.settings() == rule.settings()
    for (name, given), (_, found) in zip(
        rule.named_parameters(), back.named_parameters(), strict=True
    ):
        assert torch.equal(given, found), name
        assert found.dtype == dtype
    assert back.hash() == rule.hash()
    assert not any(weight.requires_grad for weight in back.parameters())


def test_saving_twice_gives_the_same_bytes(tmp_path: Path, busy_rule: BusyRule) -> None:
    first, second = (save_rule(busy_rule(), tmp_path / f"{i}.safetensors") for i in (1, 2))
    assert first.read_bytes() == second.read_bytes()


def test_a_rule_in_training_can_be_saved(tmp_path: Path) -> None:
    rule = Mlp()
    path = save_rule(rule, tmp_path / "rule.safetensors")
    assert read_rule(path)[0].hash() == rule.hash()
    assert all(weight.requires_grad for weight in rule.parameters())


def test_a_card_that_is_not_plain_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"rule\.safetensors: .*must be plain data"):
        save_rule(Mlp(), tmp_path / "rule.safetensors", {"weights": torch.zeros(1)})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def tensors(busy_rule: BusyRule) -> dict[str, torch.Tensor]:
    return dict(busy_rule().state_dict())


def written(
    path: Path, tensors: dict[str, torch.Tensor], settings: Any = None, form: int = 1
) -> Path:
    """A file in the format of rules with the given content."""
    header = {"format": form, "card": {}, "settings": settings or Mlp().settings()}
    save_file(tensors, path, {"swarm_nca": json.dumps(header)})
    return path


def refused(path: Path, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load_rule(path)
    assert str(path) in str(caught.value)


def message_of(refusing: Callable[[], object]) -> str:
    """The message of the ValueError that a call raises."""
    with pytest.raises(ValueError, match=r"\S") as caught:
        refusing()
    return str(caught.value)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor], bad: float
) -> None:
    tensors["middle"][3, 5] = bad
    message = r"'middle' holds values that are not finite.*take an earlier checkpoint"
    refused(written(tmp_path / "r.safetensors", tensors), message)


@pytest.mark.parametrize("keep", [0, 5, 100, 3_000, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = save_rule(Mlp(), tmp_path / "r.safetensors")
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, "not a readable safetensors file")


def test_weights_of_another_shape_are_refused_with_both_shapes(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    settings = Mlp(free_channels=4).settings()
    message = r"'output' has the shape \[80, 19\].*14 channels, 9 slots.*\[80, 14\]"
    tensors["perception"] = tensors["perception"][: 9 + 9 * 14].clone()
    refused(written(tmp_path / "r.safetensors", tensors, settings), message)


def test_missing_and_extra_weights_are_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    more = tensors | {"attention": torch.zeros(3)}
    refused(written(tmp_path / "m.safetensors", more), "'attention' is not a weight of this rule")
    del tensors["output_bias"]
    refused(written(tmp_path / "l.safetensors", tensors), "weight 'output_bias' is missing")


def test_integer_weights_are_refused(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    whole = {name: weight.to(torch.int64) for name, weight in tensors.items()}
    refused(
        written(tmp_path / "r.safetensors", whole), "int64, but rules run in float32 or float64"
    )


def test_a_safetensors_file_without_a_rule_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    save_file(tensors, tmp_path / "r.safetensors")
    refused(tmp_path / "r.safetensors", "not a rule.*save_rule")


@pytest.mark.parametrize(
    "change",
    [
        {"fire_rate": 3},
        {"colour": "red"},
        {"classes": {"names": ["a"], "colors": [[0, 0, 0]]}},
        {"classes": ["a", "b"]},
        {"hidden": 80},
        {"slots": "nine"},
        {"free_channels": 10**14},
    ],
)
def test_invalid_settings_are_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor], change: dict[str, Any]
) -> None:
    path = written(tmp_path / "r.safetensors", tensors, Mlp().settings() | change)
    refused(path, "settings cannot be used")


def test_a_file_of_a_later_version_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    path = written(tmp_path / "r.safetensors", tensors, form=2)
    refused(path, "format 2, but this version reads format 1")


def test_a_text_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.safetensors"
    path.write_text("weights: see the other machine\n" * 9)
    refused(path, "not a readable safetensors file")
    with pytest.raises(ValueError, match="no rule"):
        load_rule(tmp_path)


@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.complex64], ids=str
)
def test_unsupported_dtypes_are_refused_on_reading_and_saving(
    tmp_path: Path, tensors: dict[str, torch.Tensor], dtype: torch.dtype
) -> None:
    short = {name: weight.to(dtype) for name, weight in tensors.items()}
    name = str(dtype).removeprefix("torch.").removesuffix("fn")
    message = f"'perception' holds {name}.*, but rules run in float32 or float64"
    refused(written(tmp_path / "r.safetensors", short), message)
    if dtype.is_floating_point:
        with pytest.raises(ValueError, match=message):
            save_rule(Mlp().to(dtype), tmp_path / "saved.safetensors")


def test_weights_of_mixed_dtypes_are_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    tensors["middle"] = tensors["middle"].double()
    refused(written(tmp_path / "r.safetensors", tensors), "two dtypes, float32 and float64")


def test_sizes_are_checked_before_memory_is_allocated(
    tmp_path: Path, tensors: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "r.safetensors", tensors, SETTINGS | {"hidden": [4000, 80]})
    refused(path, r"'perception' has the shape \[180, 80\], but its settings .* need \[180, 4000\]")
    monkeypatch.setattr(torch, "empty", lambda *_: pytest.fail("memory was taken"))
    path = written(tmp_path / "r.safetensors", tensors, SETTINGS | {"hidden": [16_384, 16_384]})
    refused(path, "weights would be .* numbers, at most 16,777,216")
    path = written(tmp_path / "r.safetensors", tensors, SETTINGS | {"slots": 10**9})
    refused(path, "slots must be at most 1024, got 1000000000")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("slots", 10**19),
        ("undecided_below", 10**39),
        ("noise", 1e39),
        ("fire_rate", -1),
        ("alive_above", 1),
    ],
)
def test_python_reading_and_saving_give_the_same_message(
    tmp_path: Path, tensors: dict[str, torch.Tensor], setting: str, value: float
) -> None:
    path = tmp_path / "r.safetensors"
    written(path, tensors, SETTINGS | {setting: value})
    rule = Mlp()
    setattr(rule, setting, value)
    in_python = message_of(lambda: Mlp(**{setting: value}))
    assert message_of(lambda: read_rule(path)) == (
        f"{path}: the rule's settings cannot be used: {in_python}"
    )
    assert message_of(lambda: save_rule(rule, path)) == message_of(lambda: read_rule(path))


@pytest.mark.parametrize("bad", [float("nan"), float("-inf")])
def test_saving_and_reading_refuse_weights_that_are_not_finite(
    tmp_path: Path, tensors: dict[str, torch.Tensor], bad: float
) -> None:
    path = tmp_path / "r.safetensors"
    rule = Mlp()
    before = save_rule(rule, path).read_bytes()
    with torch.no_grad():
        rule.middle[3, 5] = bad
    saving = message_of(lambda: save_rule(rule, path))
    assert path.read_bytes() == before
    written(path, {name: weight.detach() for name, weight in rule.state_dict().items()})
    assert saving == message_of(lambda: read_rule(path))


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"loss": float("nan")}, "NaN is not a finite number"),
        ({"seed": 10**60}, "a whole number of 61 digits"),
        ({1: "a", "1": "b"}, "(the key '1' is given twice|plain data)"),
        ({"by": "\ud800"}, "holds an unpaired surrogate"),
        ({"log": "x" * (1 << 20)}, "characters of JSON, at most 1,048,576"),
    ],
    ids=["nan", "digits", "twice", "surrogate", "long"],
)
def test_a_card_that_cannot_be_read_back_is_not_saved(
    tmp_path: Path, card: dict[Any, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        save_rule(Mlp(), tmp_path / "r.safetensors", card)
    assert list(tmp_path.iterdir()) == []


def raw(path: Path, text: str, tensors: dict[str, torch.Tensor], outer: str = "") -> Path:
    """A rule file with the given JSON text, and `outer` at the end of its header."""
    save_file(tensors, path, {"swarm_nca": text})
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    head = data[8 : 8 + length].decode().rstrip().removesuffix("}") + outer + "}"
    path.write_bytes(len(head.encode()).to_bytes(8, "little") + head.encode() + data[8 + length :])
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "nested more than 64 deep"),
        ('{"card": ' + "[" * 65 + "]" * 65 + "}", "nested more than 64 deep"),
        ('{"format": 1, "format": 1}', "the key 'format' is given twice"),
        ('{"card": {"a": NaN}}', "NaN is not a finite number"),
        ('{"card": {"a": -Infinity}}', "-Infinity is not a finite number"),
        ('{"card": {"a": 1e999}}', "'1e999' is beyond the range of floats"),
        ('{"card": ' + "9" * 10_000 + "}", "a whole number of 10,000 digits"),
        ('{"card": "\\ud800"}', "holds an unpaired surrogate"),
        ("[]", r"must be a mapping of format, settings and card: \[\]"),
        ('{"format": 1}', "must be a mapping of format, settings and card"),
        ('{"format": [], "settings": {}, "card": {}}', r"format \[\], but this version reads"),
        ('{"format": 1, "settings": {}, "card": 5}', "the card must be a mapping, got 5"),
        ('{"format": 1, "settings": 5, "card": {}}', "settings must be a mapping, got 5"),
        ('{"format": 1, "settings": {}, "card": {}}', "the setting 'classes' is missing"),
        (
            '{"format": 1, "settings": {"fire\\nrate": 1}, "card": {}}',
            r"unknown setting 'fire\\nrate' \(did you mean 'fire_rate'\?\)",
        ),
    ],
    ids=lambda value: value[:40],
)
def test_an_invalid_header_is_refused_in_one_line(
    tmp_path: Path, tensors: dict[str, torch.Tensor], text: str, message: str
) -> None:
    path = raw(tmp_path / "r.safetensors", text, tensors)
    with pytest.raises(ValueError, match=message) as caught:
        read_rule(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < len(str(path)) + 300


@pytest.mark.parametrize(
    ("outer", "message"),
    [
        (
            ',"middle":{"dtype":"F32","shape":[80,80],"data_offsets":[0,25600]}',
            "'middle' is given twice",
        ),
        (
            ',"\\u0000\\n":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}',
            r"'\\x00\\n' is not a ",
        ),
        (',"more":5', "'more' of its header lacks dtype or shape"),
        (',"more":' + "[" * 3_000 + "]" * 3_000, "more than 64 deep"),
    ],
    ids=["twice", "name", "number", "deep"],
)
def test_a_damaged_table_of_tensors_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor], outer: str, message: str
) -> None:
    text = json.dumps({"format": 1, "card": {}, "settings": SETTINGS})
    refused(raw(tmp_path / "r.safetensors", text, tensors, outer), message)


def test_a_long_header_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "r.safetensors"
    path.write_bytes((1 << 40).to_bytes(8, "little") + b"{}")
    refused(path, "its header has 1,099,511,627,776 bytes, at most 4,194,304")
