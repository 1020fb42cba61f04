"""Package `config`: YAML 1.2 scalars, mistakes with their places, and an exact writer."""

import math
import pickle
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from swarm_nca.config import Document, LocatedError, Place, dump, parse, read

no_deadline = settings(deadline=None)  # a busy machine may pause at any point

# ---------------------------------------------------------------- a model like a scenario


@dataclass(frozen=True)
class Damage:
    at: Annotated[int, Field(ge=0)]
    radius: float
    center: tuple[int, int] = (14, 14)
    shape: Literal["disc", "half", "rectangle"] = "disc"
    kind: Literal["damage"] = "damage"

    def __post_init__(self) -> None:
        if self.radius < 0:
            raise ValueError(f"radius must be at least 0, got {self.radius}")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Dataset(Strict):
    dataset: str
    label: int | str | None = None


class PictureFile(Strict):
    file: str  # a key with the name of a union branch


class Row(Strict):
    row: "list[Dataset | PictureFile | Row | str]"
    join: bool = False


Images = Dataset | PictureFile | Row | str


@dataclass(frozen=True)
class Mutate:
    at: int
    images: Images
    kind: Literal["mutate"] = "mutate"


class Links(Strict):
    drop: float = Field(0.0, ge=0, le=1)


class Scenario(Strict):
    name: str
    steps: int = 10
    frame_rate: float = Field(2.0, alias="frame-rate")
    start: Literal["zeros", "random"] | int | list[int] = "zeros"
    links: Links = Links()
    names: dict[int, str] = {}
    perturbations: list[Annotated[Damage | Mutate, Field(discriminator="kind")]] = []


SCENARIO = """\
name: seven
steps: 400
perturbations:
  - {at: 200, kind: mutate, images: {dataset: strokes, label: 2}}
  - at: 300
    kind: damage
    shape: disc
    center: [14, 14]
    radius: 4
"""


def mistake_in(text: str, *overrides: str) -> str:
    """The error message of a scenario's text."""
    with pytest.raises(LocatedError) as caught:
        parse(text, "s.yaml").with_overrides(overrides).validate(Scenario)
    return str(caught.value)


def attempt(action: Callable[[], Any]) -> tuple[Any, LocatedError | None]:
    """The action's result, or the located error it raises; other errors propagate."""
    try:
        return action(), None
    except LocatedError as error:
        return None, error


# ---------------------------------------------------------------- scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.5E+3", 1500.0),
        ("12:30", "12:30"),
        ("010", 10),
        ("-7", -7),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ('"1"', "1"),
        (".5", 0.5),
        ("5.", 5.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("2026-11-01", "2026-11-01"),
        ("=", "="),
        ("é", "é"),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    data = parse(text).data
    assert (type(data), data) == (type(value), value)


def test_nan_is_a_number() -> None:
    assert math.isnan(parse(".nan").data)


# ---------------------------------------------------------------- plain YAML only


def test_aliases_repeat_a_value_without_sharing_it() -> None:
    data = parse("a: &x [1]\nb: *x\n").data
    data["a"].append(2)
    assert data["b"] == [1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "s.yaml:1:1: the file is empty"),
        ("# only a comment\n", "s.yaml:1:1: the file is empty"),
        ("a: 1\nb: 2\na: 3", "s.yaml:3:1: a: the key 'a' is given twice, first in line 1"),
        ("a: {b: 1, b: 2}", "s.yaml:1:11: a.b: the key 'b' is given twice, first in line 1"),
        ("a: 1\n---\nb: 2", "s.yaml:2:1: a second document starts here; keep one per file"),
        ("a: !!python/name:os.system 1", "s.yaml:1:4: a: the tag tag:yaml.org,2002:python/name:"),
        ("<<: {a: 1}", "s.yaml:1:1: merge keys (<<) are not allowed"),
        ("? [a]\n: 1", "s.yaml:1:3: a key must be text or a number"),
        ("a: *b", "s.yaml:1:4: a: the alias *b has no complete value &b above it"),
        ("a: &a [*a]", "s.yaml:1:8: a[0]: the alias *a has no complete value &a above it"),
        ("[" * 60, "s.yaml:1:52: nested more than 50 levels deep"),
        ("a: 1\n\tb: 2", "s.yaml:2:1: this is a tab; use spaces"),
        ("a: b: c", "s.yaml:1:5: unexpected ': '; text that holds one needs quotes"),
        ("a: 1\nb:2\nc: 3", "s.yaml:2:1: 'key: value' is expected (a space after the colon)"),
        ("a: 'b\nc: d\n", "s.yaml:1:4: the quote that opens here is never closed"),
        ("a: @b", "s.yaml:1:4: text that begins with this character needs quotes"),
        ("a: [1, 2\nb: 3", "s.yaml:2:2: a ',' is missing here, or the ']' that closes the list"),
        ("a: b\x07", "s.yaml:1:5: the character '\\x07' is not allowed in YAML"),
        ('a: "\\UFFFFFFFF"', "s.yaml:1:7: this escape names no character"),
        ('a: "\\uD800"', "s.yaml:1:4: a: half of a surrogate pair is no character"),
        ("a: " + "9" * 5000, "s.yaml:1:4: a: this number has 5000 digits"),
    ],
)
def test_yaml_that_is_not_plain_is_refused_with_its_place(text: str, line: str) -> None:
    with pytest.raises(LocatedError) as caught:
        parse(text, "s.yaml")
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("steps: 400\n seed: 0\n", "s.yaml:2:2: this key is indented by 1 spaces and the key"),
        ("a:\n  b: 1\n   c: 2\n", "s.yaml:3:4: this key is indented by 3 spaces and the key"),
        ("a:\n  - b: 1\n     c: 2\n", "s.yaml:3:6: this key is indented by 5 spaces and the key"),
        ("a: [1]\n\n  b: 2\n", "s.yaml:3:3: "),
        ("a:\n  b: one: two\n", "s.yaml:2:9: unexpected ': '; text that holds one needs quotes"),
        ("a: one\n  two: three\n", "s.yaml:2:3: this key is indented by 2 spaces and the key"),
    ],
)
def test_a_key_indented_too_far_is_reported_as_such(text: str, line: str) -> None:
    with pytest.raises(LocatedError) as caught:
        parse(text, "s.yaml")
    assert str(caught.value).startswith(line)


def test_the_error_has_the_lines_of_all_mistakes() -> None:
    with pytest.raises(LocatedError) as caught:
        parse("stpes: 4\nlinks: {drop: 2}\nnames: {x: y}\n", "s.yaml").validate(Scenario)
    lines = caught.value.lines
    assert str(caught.value) == f"{lines[0]} (and 3 more)"
    assert [line.split(" ", 1)[0] for line in lines] == [
        "s.yaml:1:1:", "s.yaml:2:15:", "s.yaml:3:9:", "s.yaml:1:1:",
    ]  # fmt: skip
    assert pickle.loads(pickle.dumps(caught.value)).lines == lines


def test_a_hundred_of_thousands_of_mistakes_are_printed_and_all_are_counted() -> None:
    text = "name: x\n" + "".join(f"k{i}: 1\n" for i in range(5000))
    with pytest.raises(LocatedError) as caught:
        parse(text, "s.yaml").validate(Scenario)
    assert len(caught.value.lines) == 101
    assert caught.value.lines[-1] == "s.yaml: 4900 more mistakes"


@pytest.mark.parametrize("letters", ["x" * 100_000, "é " * 50_000])
@pytest.mark.parametrize(
    "text",
    [
        "name: x\nsteps: {letters}",
        "name: x\n'{letters}': 3",
        "name: x\nperturbations: [{{kind: '{letters}'}}]",
        "name: x\nstart: '{letters}'",
        "name: &'{letters}' x",
    ],
)
def test_long_values_are_cut_in_messages(text: str, letters: str) -> None:
    line = mistake_in(text.format(letters=letters))
    assert len(line) < 1000
    assert line.startswith("s.yaml:")


def test_a_number_beyond_float_is_refused_by_its_digits() -> None:
    line = mistake_in(f"name: x\nlinks: {{drop: 1{'0' * 400}}}")
    assert "drop: must be a number of at most 308 digits, got 1000" in line
    assert "a whole number of at most 18 digits, got 1e+39" in mistake_in("name: x\nsteps: 1e39")


def test_a_mistake_deep_in_a_recursive_model_is_found_quickly() -> None:
    """Every level names both a union branch and a key, so the readings of the path double."""
    inner = "{dataset: a, bogus: 1}"
    for _ in range(20):
        inner = f"{{row: [{inner}]}}"
    document = parse(
        f"name: x\nperturbations: [{{at: 1, kind: mutate, images: {inner}}}]", "s.yaml"
    )
    began = time.perf_counter()
    with pytest.raises(LocatedError) as caught:
        document.validate(Scenario)
    assert time.perf_counter() - began < 5
    assert "bogus" in str(caught.value)


def test_a_file_of_many_megabytes_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("# " + "x" * 3_000_000)
    with pytest.raises(LocatedError, match=r"s\.yaml: has more than 1,000,000 bytes"):
        read(tmp_path / "s.yaml")


def test_aliases_that_repeat_too_many_values_are_refused() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for name, previous in zip("bcdefghijk", "abcdefghij", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{previous}'] * 9)}]")
    with pytest.raises(LocatedError, match=r"more than 20,000 values, counting those that aliases"):
        parse("\n".join(lines))


@no_deadline
@given(st.text() | st.text(alphabet="ab1.:-?[]{},&*!|>'\"%@`#<~ \n\t\\x0", max_size=40))
def test_any_text_gives_data_or_a_located_error(text: str) -> None:
    document, mistake = attempt(lambda: parse(text))
    if document is not None:
        assert repr(parse(dump(document.data)).data) == repr(document.data)
    else:
        assert len(str(mistake).splitlines()) == 1


# ---------------------------------------------------------------- files


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        file = tmp_path / "a.yaml"
        file.write_bytes(mark + "a: é\r\nb: 2\r\n".encode())
        assert read(file).data == {"a": "é", "b": 2}
        assert read(str(file)).file == str(file)


def test_the_error_of_a_missing_file_suggests_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "mutation.yaml").write_text("a: 1")
    (tmp_path / "x.yaml").write_text("a: 1")
    with pytest.raises(LocatedError) as caught:
        read(tmp_path / "mutations.yaml")
    expected = f"{tmp_path}/mutations.yaml: no such file (did you mean 'mutation.yaml'?)"
    assert str(caught.value) == expected
    with pytest.raises(LocatedError, match=r"nowhere\.yaml: no such file$") as missing:
        read(tmp_path / "gone" / "nowhere.yaml")
    assert missing.value.__suppress_context__  # one mistake, one traceback


def test_a_folder_and_a_file_that_is_not_utf8_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LocatedError, match=r": this is a folder, a YAML file is expected$"):
        read(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"name: ok\nplace: caf\xe9\n")
    with pytest.raises(LocatedError) as caught:
        read(tmp_path / "latin.yaml")
    assert (caught.value.line, caught.value.column) == (2, 11)
    assert "not UTF-8 text: byte 0xe9" in str(caught.value)
    with pytest.raises(LocatedError, match="cannot be read"):
        read("a\0b")


# ---------------------------------------------------------------- validation


def test_a_valid_document_becomes_the_model() -> None:
    scenario = parse(SCENARIO).validate(Scenario)
    assert scenario.steps == 400
    assert scenario.perturbations == [
        Mutate(at=200, images=Dataset(dataset="strokes", label=2)),
        Damage(at=300, radius=4.0),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "radius: 4",
            "radus: 4",
            "s.yaml:9:5: perturbations[1].radus: unknown key 'radus' (did you mean 'radius'?)",
        ),
        (
            "radius: 4",
            "radius: -4",
            "s.yaml:9:13: perturbations[1].radius: radius must be at least 0, got -4.0",
        ),
        (
            "radius: 4",
            "radius: four",
            "s.yaml:9:13: perturbations[1].radius: must be a number, got 'four'",
        ),
        ("    radius: 4\n", "", "s.yaml:5:5: perturbations[1]: missing key 'radius'"),
        (
            "at: 300",
            "at: -1",
            "s.yaml:5:9: perturbations[1].at: must be at least 0, got -1",
        ),
        (
            "shape: disc",
            "shape: disk",
            "s.yaml:7:12: perturbations[1].shape: must be 'disc', 'half' or 'rectangle', "
            "got 'disk' (did you mean 'disc'?)",
        ),
        (
            "kind: damage",
            "kind: damge",
            "s.yaml:6:11: perturbations[1].kind: no kind is called 'damge' "
            "(did you mean 'damage'?)",
        ),
        (
            "kind: damage",
            "kind: quux",
            "s.yaml:6:11: perturbations[1].kind: no kind is called 'quux' (known: damage, mutate)",
        ),
        (
            "kind: damage",
            "knd: damage",
            "s.yaml:6:5: perturbations[1].knd: unknown key 'knd' (did you mean 'kind'?)",
        ),
        (
            "    kind: damage\n",
            "",
            "s.yaml:5:5: perturbations[1]: missing key 'kind' (known: damage, mutate)",
        ),
        (
            "[14, 14]",
            "[14]",
            "s.yaml:8:13: perturbations[1].center: must have at least 2 entries, got [14]",
        ),
        (
            "{dataset: strokes, label: 2}",
            "{datset: strokes, label: 2}",
            "s.yaml:4:38: perturbations[0].images.datset: unknown key 'datset' "
            "(did you mean 'dataset'?)",
        ),
        (
            "{dataset: strokes, label: 2}",
            "{row: [a, {file: 3}]}",
            "s.yaml:4:54: perturbations[0].images.row[1].file: must be text, got 3",
        ),
        (
            "{dataset: strokes, label: 2}",
            "{file: a.png, join: true}",
            "s.yaml:4:51: perturbations[0].images.join: the key 'join' cannot be combined with "
            "'file'",
        ),
        (
            "{dataset: strokes, label: 2}",
            "{}",
            "s.yaml:4:37: perturbations[0].images: missing key 'dataset', 'file' or 'row'",
        ),
        (
            "{dataset: strokes, label: 2}",
            "3",
            "s.yaml:4:37: perturbations[0].images: must be a mapping or text, got 3",
        ),
        (
            "steps: 400",
            "start: rndom",
            "s.yaml:2:8: start: must be 'zeros', 'random', a whole number or a list, "
            "got 'rndom' (did you mean 'random'?)",
        ),
        ("steps: 400", "steps:", "s.yaml:2:7: steps: must be a whole number, got nothing"),
        (
            "steps: 400",
            "frame_rate: 3",
            "s.yaml:2:1: frame_rate: unknown key 'frame_rate' (did you mean 'frame-rate'?)",
        ),
        (
            "steps: 400",
            "names: {x: y}",
            "s.yaml:2:9: names.x: the key must be a whole number, got 'x'",
        ),
        (
            "steps: 400",
            "links: {drop: 1.5}",
            "s.yaml:2:15: links.drop: must be at most 1, got 1.5",
        ),
        (
            "steps: 400",
            "steps: 4.5\nlinks: [a]\nsetps: 3",
            "s.yaml:4:1: setps: unknown key 'setps' (did you mean 'steps'?) (and 2 more)",
        ),
        ("name: seven\n", "", "s.yaml:1:1: missing key 'name'"),
    ],
)
def test_a_mistake_is_reported_in_one_line_with_its_cure(old: str, new: str, line: str) -> None:
    assert old in SCENARIO
    assert mistake_in(SCENARIO.replace(old, new, 1)) == line


@pytest.mark.parametrize(
    ("model", "text", "message"),
    [
        (int, "true", "must be a whole number, got true"),
        (list[float], "[1, true, 2.5]", "[1]: must be a number, got true"),
        (int | str, "false", "must be a whole number or text, got false"),
        (Literal[1, 2], "true", "must be a whole number, got true"),
        (tuple[int, Links], "[true, {drop: true}]", "[0]: must be a whole number, got true"),
    ],
)
def test_true_and_false_are_refused_as_numbers(model: Any, text: str, message: str) -> None:
    with pytest.raises(LocatedError) as caught:
        parse(text, "s.yaml").validate(model)
    assert message in str(caught.value)


def test_true_and_false_are_kept_where_the_model_allows_them() -> None:
    for model in (bool, Any, int | bool, list[bool], Literal[True, 3]):
        text = "[true, false]" if model == list[bool] else "true"
        document = parse(text)
        assert document.validate(model) == document.data
    row = parse("{row: [a], join: true}").validate(Row)
    assert row.join is True


def test_a_list_in_place_of_a_mapping_is_refused() -> None:
    assert mistake_in("- 1\n- 2") == "s.yaml:1:1: must be a mapping, got [1, 2]"


def test_any_type_can_be_validated() -> None:
    assert parse("[1, 2]").validate(tuple[int, int]) == (1, 2)
    assert parse("{at: 3, radius: 1}").validate(Damage) == Damage(at=3, radius=1.0)
    with pytest.raises(LocatedError, match=r"^<text>:1:5: \[1\]: must be a whole number"):
        parse("[1, x]").validate(tuple[int, int])


def test_long_values_and_control_characters_stay_on_one_short_line() -> None:
    line = mistake_in('name: x\nsteps: "a\\nb\\e[31m' + "c" * 500 + '"')
    assert line.startswith("s.yaml:2:8: steps: must be a whole number, got 'a\\nb\\x1b[31m")
    assert line.endswith("…")
    assert len(line) < 120
    assert str(LocatedError("one\n  two \x1b", Place("s"))) == "s: one two \\x1b"


@no_deadline
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*Scenario.model_fields, *Damage.__dataclass_fields__, "images"])
                | st.text(max_size=3),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_data_is_validated_or_refused_with_a_place(data: object) -> None:
    for name in ("perturbations", "images", None):
        whole = {"name": "x", name: [data]} if name else data
        document = parse(dump(whole), "s.yaml")
        scenario, mistake = attempt(lambda document=document: document.validate(Scenario))
        assert isinstance(scenario, Scenario) or mistake is not None
        if mistake is not None:
            assert str(mistake).startswith(f"s.yaml:{mistake.line}:{mistake.column}: ")
            assert 1 <= mistake.line <= dump(whole).count("\n") + 1


# ---------------------------------------------------------------- mistakes found by other code


def test_document_error_has_the_nearest_place_in_the_file() -> None:
    document = parse(SCENARIO, "s.yaml")
    error = document.error(("perturbations", 1, "at"), "comes after the last step")
    assert str(error) == "s.yaml:5:9: perturbations[1].at: comes after the last step"
    assert (error.file, error.line, error.column) == ("s.yaml", 5, 9)
    assert error.given == 300
    assert str(document.error(("steps",), "no", key=True)) == "s.yaml:2:1: steps: no"
    default = document.error(("perturbations", 1, "target"), "no")
    assert str(default) == "s.yaml:5:5: perturbations[1].target: no"
    assert default.given is None


def test_errors_within_document_at_get_a_place() -> None:
    document = parse(SCENARIO, "s.yaml")
    with pytest.raises(LocatedError) as caught, document.at("steps"):
        raise ValueError("must be even,\n got 3")
    assert str(caught.value) == "s.yaml:2:8: steps: must be even, got 3"
    with pytest.raises(LocatedError) as caught, document.at("name"):
        Path("/no/such/file").read_text()
    assert str(caught.value) == "s.yaml:1:7: name: no such file or directory: /no/such/file"
    with pytest.raises(LocatedError, match=r"^s\.yaml:1:7: name: inner$"), document.at("steps"):
        raise document.error(("name",), "inner")


def test_an_error_can_be_pickled() -> None:
    error = parse(SCENARIO, "s.yaml").error(("perturbations", 1, "at"), "no")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.given) == (str(error), 300)


# ---------------------------------------------------------------- --set


def test_overrides_change_add_and_replace() -> None:
    document = parse(SCENARIO)
    changed = document.with_overrides(
        ["steps=10", "links.drop=1e-1", "perturbations.0.at=5", "perturbations[1].center=[1, 2]"]
    )
    scenario = changed.validate(Scenario)
    assert (scenario.steps, scenario.links.drop) == (10, 0.1)
    assert scenario.perturbations[0].at == 5
    assert scenario.perturbations[1].center == (1, 2)
    assert document.data == parse(SCENARIO).data


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("steps=abc", "steps: must be a whole number, got 'abc'"),
        ("stpes=1", "stpes: unknown key 'stpes' (did you mean 'steps'?)"),
        ("links.drp=1", "links.drp: unknown key 'drp' (did you mean 'drop'?)"),
        ("links={drpo: 1}", "links.drpo: unknown key 'drpo' (did you mean 'drop'?)"),
        ("perturbations.7.at=1", "perturbations: has entries 0 to 1, got '7'"),
        ("perturbations.-1.at=1", "perturbations: has entries 0 to 1, got '-1'"),
        ("perturbations.last.at=1", "perturbations: has entries 0 to 1, got 'last'"),
        ("steps.x=1", "steps: is 400, so there is no 'x' in it"),
        ("steps", "key=value is expected, such as links.drop=0.1"),
        ("steps=", "key=value is expected, such as links.drop=0.1"),
        ("a." * 60 + "b=3", "key=value is expected, such as links.drop=0.1"),
        ("=3", "key=value is expected, such as links.drop=0.1"),
        ("links={", "a value is expected here"),
    ],
)
def test_a_mistake_in_an_override_names_the_override(override: str, line: str) -> None:
    assert mistake_in(SCENARIO, override) == f"--set {override}: {line}"


def test_a_mistake_of_a_mapping_names_the_overrides_in_it() -> None:
    document = parse(SCENARIO, "s.yaml").with_overrides(["perturbations.1.at=4", "steps=3"])
    changed = "--set perturbations.1.at=4"
    place = "s.yaml:5:5: perturbations[1]"
    assert str(document.error(("perturbations", 1), "no")) == f"{place}: no (with {changed})"
    assert str(document.error((), "no")).endswith(f": no (with --set steps=3 {changed})")
    assert str(document.error(("perturbations", 0), "no")).endswith("perturbations[0]: no")
    assert str(document.error(("nowhere",), "no")).endswith("nowhere: no")


def test_a_mistake_beside_an_override_keeps_its_place_in_the_file() -> None:
    text = SCENARIO.replace("radius", "radus")
    line = "s.yaml:9:5: perturbations[1].radus: unknown key 'radus' (did you mean 'radius'?)"
    assert mistake_in(text, "perturbations.1.at=4") == line


@no_deadline
@given(st.text(), st.text())
def test_any_override_gives_a_document_or_an_error_that_names_it(key: str, value: str) -> None:
    document = parse(SCENARIO)
    for override in (key, f"{key}={value}", f"steps={value}", f"perturbations.{key}={value}"):
        changed, mistake = attempt(lambda given=override: document.with_overrides([given]))
        assert isinstance(changed, Document) or str(mistake).startswith("--set ")


# ---------------------------------------------------------------- writing

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(alphabet=string.digits + "+-.:eExo_ ~<>|#'\"\n\t")
    | st.sampled_from(["yes", "null", "1e-3", "0x1", ".inf", ".nan", "<<", "~", "", "- a", "a: b"])
)
plain_data = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(scalars.filter(lambda key: key == key), inner, max_size=5)  # no nan
    ),
    max_leaves=25,
)


@example("\x85 one of YAML 1.1's line breaks \u2028")
@example({"a\n" * 100: [0.1 + 0.2, -0.0, 5e-324, "1_0", 2**70]})
@no_deadline
@given(plain_data)
def test_written_data_is_read_back_exactly(data: object) -> None:
    # repr differs for 1, 1.0 and True, and is equal for nan
    assert repr(parse(dump(data)).data) == repr(data)


def test_yaml_is_written_in_a_readable_style() -> None:
    data = {
        "name": "seven",
        "canvas": (28, 28),
        "images": {"dataset": "strokes", "label": 7, "rate": 1e-3},
        "links": {},
        "perturbations": [
            {"at": 200, "kind": "mutate", "images": {"file": "12"}},
            {"at": 300, "text": "a long one that does not fit in a single line with the others"},
        ],
        "yes": None,
    }
    assert dump(data) == (
        "name: seven\n"
        "canvas: [28, 28]\n"
        "images: {dataset: strokes, label: 7, rate: 0.001}\n"
        "links: {}\n"
        "perturbations:\n"
        "  - {at: 200, kind: mutate, images: {file: '12'}}\n"
        "  - at: 300\n"
        "    text: a long one that does not fit in a single line with the others\n"
        "yes: null\n"
    )


def test_only_plain_data_is_written() -> None:
    with pytest.raises(TypeError, match="only plain data can be written as YAML"):
        dump({"a": [Path("x")]})
