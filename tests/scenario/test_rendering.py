"""A run that kept only states gets the pictures that the run itself would have made."""

import pytest
import torch

from swarm_nca.scenario import run
from swarm_nca.scenario.rendering import read_run, render
from tests.scenario.test_forking import BUSY

TEXT = BUSY.replace("every: 5", "every: 2")

BOARD = """\
name: board
rule: {kind: life, rule: B3/S23}
images: {soup: 0.4, size: [9, 9]}
steps: 3
perturbations:
  - {at: 1, kind: damage, shape: half, side: left}
record: {picture: false, states: true}
"""


def test_the_frames_of_a_run_are_read_back_with_faults_messages_and_pictures(write, tmp_path):
    done = run(write(TEXT), tmp_path / "out")
    read = read_run(tmp_path / "out")
    assert [frame.step for frame in read.frames] == [frame.step for frame in done.frames]
    for one, other in zip(read.frames, done.frames, strict=True):
        assert torch.equal(one.world.state, other.world.state)
        assert torch.equal(one.world.neighbors, other.world.neighbors)
        assert torch.equal(one.world.stimulus, other.world.stimulus)
        assert one.world.label.tolist() == other.world.label.tolist()
        assert one.world.step.tolist() == other.world.step.tolist()
        for name, value in other.world.cell_fields.items():
            assert torch.equal(one.world.cell_fields[name], value), name
    assert list(read.expectations) == list(done.expectations)
    assert read.events.equals(done.events)


def test_rendering_makes_the_files_that_a_run_with_pictures_makes(write, tmp_path):
    run(write(BOARD.replace("picture: false, ", "")), tmp_path / "with")
    run(write(BOARD), tmp_path / "without")
    kept = {
        file.name: file.read_bytes()
        for file in (tmp_path / "without").iterdir()
        if file.name != "report.html"
    }
    assert render(tmp_path / "without") == tmp_path / "without" / "report.html"
    for name in ("run.webp", "summary.png", "channels.png"):
        whole, rendered = ((tmp_path / one / name).read_bytes() for one in ("with", "without"))
        assert whole == rendered, name
    assert "data:image/webp" in (tmp_path / "without" / "report.html").read_text(encoding="utf-8")
    for name, data in kept.items():
        assert (tmp_path / "without" / name).read_bytes() == data
    names = [sorted(file.name for file in folder.iterdir()) for folder in tmp_path.glob("with*")]
    assert names[0] == names[1]


def test_a_run_without_states_is_refused_with_the_command_that_makes_pictures(write, tmp_path):
    run(write(TEXT.replace("states: true", "states: false")), tmp_path / "out")
    with pytest.raises(ValueError, match=r"kept no states.*--set record.picture=true"):
        render(tmp_path / "out")
    with pytest.raises(ValueError, match="there is no run in this folder"):
        render(tmp_path)


def test_states_of_another_run_are_refused(write, tmp_path):
    run(write(TEXT), tmp_path / "one")
    run(write(TEXT.replace("count: 2", "count: 1")), tmp_path / "two")
    (tmp_path / "two" / "states.npz").replace(tmp_path / "one" / "states.npz")
    with pytest.raises(ValueError, match="of different runs"):
        read_run(tmp_path / "one")
