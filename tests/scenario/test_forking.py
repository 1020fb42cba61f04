"""Runs that go on from a step of an earlier run."""

import pandas as pd
import pytest
import torch

from swarm_nca.config import LocatedError
from swarm_nca.rules import load_rule, save_rule
from swarm_nca.scenario import load, run
from swarm_nca.scenario.forking import forked

#: Pictures change, cells fall silent, edges are cut, immigrants come, and messages are under way.
BUSY = """\
name: busy
rule: busy.safetensors
images: {dataset: strokes, count: 2, scale: 0.5}
steps: 14
links: {delay: 3, drop: 0.1}
perturbations:
  - {at: 3, kind: silence, share: 0.2}
  - {at: 5, kind: cut, share: 0.1}
  - {at: 6, kind: mutate, images: {dataset: strokes, label: 2, scale: 0.5}}
  - {at: 7, kind: immigrants, rule: digits, share: 0.1}
  - {at: 4, kind: noise, strength: 0.5, every: 4}
  - {at: 10, kind: damage, shape: half, side: left}
record: {picture: false, states: true, every: 5}
expect:
  - {metric: undecided, at: 2, max: 1}
  - {metric: undecided, at: 14, max: 1}
"""


@pytest.fixture
def earlier(write, tmp_path):
    """Run the busy scenario, which may keep its states. Returns the run and its folder."""

    def made(keep=True, text=BUSY):
        path = write(text.replace("states: true", f"states: {str(keep).lower()}"))
        return run(path, tmp_path / "runs" / "busy"), tmp_path / "runs" / "busy"

    return made


@pytest.mark.parametrize(
    ("step", "keep"),
    [(0, True), (4, True), (8, True), (10, True), (13, True), (0, False), (8, False)],
)
def test_a_fork_without_changes_is_the_rest_of_the_run(earlier, keep, step):
    whole, folder = earlier(keep)
    rest = run(load(forked(f"{folder}@{step}")))
    assert torch.equal(rest.frames[-1].world.state, whole.frames[-1].world.state)
    for name in whole.frames[-1].world.cell_fields:
        fields = (one.frames[-1].world.cell_fields[name] for one in (rest, whole))
        assert torch.equal(*fields), name
    later = whole.metrics[whole.metrics["step"] > step].reset_index(drop=True)
    same = rest.metrics[rest.metrics["step"] > step].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, later, check_exact=True)
    assert rest.first == step
    assert rest.events["step"].tolist() == [
        at for at in whole.events["step"].tolist() if at >= step
    ]
    assert len(rest.expectations) == (1 if step > 2 else 2)


def test_a_fork_of_a_fork_and_its_resolved_scenario_give_the_same_end(earlier, tmp_path):
    whole, folder = earlier()
    run(load(forked(f"{folder}@4")), tmp_path / "runs" / "second")
    third = run(load(forked(f"{tmp_path / 'runs' / 'second'}@9")), tmp_path / "deep" / "third")
    again = run(tmp_path / "deep" / "third" / "scenario.yaml")
    for one in (third, again):
        assert torch.equal(one.frames[-1].world.state, whole.frames[-1].world.state)
    assert third.name == "busy-from-4-from-9"


def test_a_fork_does_not_replace_the_run_that_it_goes_on_from(earlier, tmp_path):
    _, folder = earlier()
    before = {file: file.read_bytes() for file in folder.iterdir()}
    second = tmp_path / "runs" / "second"
    run(load(forked(f"{folder}@4")), second)
    for fork in (f"{folder}@5", f"{second}@6"):
        with pytest.raises(ValueError, match="goes on from the run in this folder"):
            run(load(forked(fork)), folder)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_a_run_that_goes_on_from_itself_is_refused(earlier):
    _, folder = earlier()
    file = folder / "scenario.yaml"
    file.write_text(file.read_text() + "from: {folder: ., step: 1}\n")
    with pytest.raises(ValueError, match="goes on from itself"):
        load(file)


def test_a_fork_of_a_run_that_was_replaced_by_another_is_refused(earlier, tmp_path):
    _, folder = earlier()
    second = tmp_path / "runs" / "second"
    run(load(forked(f"{folder}@4")), second)
    file = folder / "scenario.yaml"
    run(load(file, overrides=["steps=20", "expect=[]"]), folder)
    load(second / "scenario.yaml")  # a longer run has the same past
    run(load(file, seed=99), folder)
    with pytest.raises(ValueError, match="another run has replaced the one"):
        load(forked(f"{second}@9"))


def test_another_future_leaves_the_past_as_it_was(earlier):
    whole, folder = earlier()
    changes = ["steps=20", "perturbations=[{at: 12, kind: restart}]", "expect=[]"]
    other = run(load(forked(f"{folder}@10", changes)))
    assert (other.steps, other.events["kind"].tolist()) == (20, ["restart"])
    before = whole.metrics[whole.metrics["step"] == 10]
    columns = [name for name in before if name not in ("residual_magnitude", "label_flips")]
    first = other.metrics[other.metrics["step"] == 10]
    assert first[columns].to_numpy().tolist() == before[columns].to_numpy().tolist()
    assert not torch.equal(other.frames[-1].world.state, whole.frames[-1].world.state)


def test_links_rule_and_seed_may_change_at_the_step(earlier):
    whole, folder = earlier()
    for changes, seed in ((["links={drop: 0.9}"], None), ([], 7), (["rule=digits"], None)):
        other = run(load(forked(f"{folder}@11", changes, seed)))
        assert not torch.equal(other.frames[-1].world.state, whole.frames[-1].world.state)
    lossless = load(forked(f"{folder}@11", ["links={}"]))
    assert (lossless.start.links.drop, lossless.start.links.delay) == (0.0, 0)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("@99", [], "the run has the steps 0 to 14; give one of them"),
        ("@14", [], r"steps: must be above 14, .* raise steps, as --set steps=214"),
        ("@x", [], "--from takes RUN@STEP"),
        ("gone@3", [], "there is no run in this folder"),
        ("@8", ["images.count=3"], "--set images.count=3: images: images cannot change at step 8"),
        ("@8", ["perturbations.0.share=0.5"], r"acts at step 3, before step 8"),
        ("@8", ["rule={kind: life, rule: B3/S23}"], "has other channels or classes than"),
        ("@8", ["expect=[{metric: undecided, at: 3, max: 1}]"], None),
    ],
)
def test_what_cannot_be_forked_is_refused_with_the_cure(earlier, name, changes, message):
    _, folder = earlier()
    name = name if name.startswith("gone") else f"{folder}{name}"
    if message is None:
        assert load(forked(name, changes)).settings.expect == ()
        return
    with pytest.raises(ValueError, match=message):
        load(forked(name, changes))


def test_a_run_of_another_rule_is_refused(earlier, rule, tmp_path):
    from swarm_nca.rules import save_rule

    _, folder = earlier()
    rule.output[0, 0] += 1
    save_rule(rule, tmp_path / "busy.safetensors")
    with pytest.raises(LocatedError, match=r"busy.safetensors has changed since this run"):
        load(forked(f"{folder}@4"))


def test_growing_patterns_go_on_too(tmp_path):
    text = (
        "rule: {kind: life, rule: B3/S23}\nimages: {soup: 0.4, size: [9, 9]}\nsteps: 6\n"
        "record: {picture: false, states: true}\n"
    )
    (tmp_path / "board.yaml").write_text(text)
    whole = run(tmp_path / "board.yaml", tmp_path / "out")
    rest = run(load(forked(f"{tmp_path / 'out'}@3")))
    assert torch.equal(rest.frames[-1].world.state, whole.frames[-1].world.state)


def test_a_run_with_a_rule_file_of_immigrants_is_repeated_and_forked(write, tmp_path):
    write("")  # the file of the rule
    path = tmp_path / "my first (2).yaml"
    text = (
        "rule: digits\nimages: {dataset: strokes}\nsteps: 6\nrecord: {states: true}\n"
        "perturbations:\n  - {at: 2, kind: immigrants, rule: guest.safetensors, share: 0.5}\n"
    )
    path.write_text(text)
    save_rule(load_rule("digits-hex"), tmp_path / "guest.safetensors")
    folder = tmp_path / "runs" / "guests"
    whole = run(path, folder)
    assert whole.name == "my-first--2-"
    for again in (run(folder / "scenario.yaml"), run(load(forked(f"{folder}@1")))):
        assert torch.equal(again.frames[-1].world.state, whole.frames[-1].world.state)
