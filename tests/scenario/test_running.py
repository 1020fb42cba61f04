"""What a run measures, keeps and writes."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from rich.console import Console

from swarm_nca.cli.closing import say
from swarm_nca.config import LocatedError, parse
from swarm_nca.engine import rollout
from swarm_nca.images import Source
from swarm_nca.images import load as load_pictures
from swarm_nca.measure import METRICS
from swarm_nca.perturbations import Damage, Mutate, Noise
from swarm_nca.recording import run as recorded
from swarm_nca.scenario import load, run
from swarm_nca.world import World


def test_metrics_describe_the_worlds_before_the_perturbations_of_their_step(write, rule):
    done = run(write())
    first = load_pictures(Source(dataset="strokes", label=7))
    world = World.from_images(first.grey, rule, labels=first.labels)
    mutate, previous = Mutate(images=Source(dataset="strokes", label=2)), None
    for step in range(9):
        row = done.metrics[done.metrics["step"] == step].iloc[0]
        for name, metric in METRICS.items():
            assert row[name] == pytest.approx(metric(world, rule, previous), nan_ok=True), name
        if step == 5:
            world = mutate(world)
        previous, world = world, rollout(world, rule, 1)


def test_at_step_0_no_cell_has_decided_and_an_expectation_says_so(write):
    expect = [f"{{metric: total_agreement, at: {at}, min: 0}}" for at in (0, 1)]
    text = write(steps="2", perturbations="[]").read_text().split("expect:")[0].split("  - {at")[0]
    done = run(write(f"{text}expect: [{', '.join(expect)}]\n"))
    shares = [name for name, metric in METRICS.items() if metric.share]
    first, second = done.metrics.iloc[0], done.metrics.iloc[1]
    assert first[shares].isna().all()
    assert second[shares].notna().all()
    assert first["state_magnitude"] == 0.0
    early, later = done.expectations
    assert (early.passed, later.passed) == (False, True)
    assert early.unknown == "no cell has decided at step 0: expect it at step 1 or later"
    random = run(write(f"start: random\n{text}expect: [{expect[0]}]\n"))
    assert random.metrics["total_agreement"].iloc[0] == 0.0
    assert random.passed


def test_perturbations_of_one_step_act_in_file_order(write, rule):
    draw = "{at: 3, kind: draw, glyph: 0}"
    wipe = "{at: 3, kind: damage, shape: rectangle, corner: [0, 0], size: [28, 20], target: pixels}"
    text = write().read_text().split("perturbations:")[0]
    drawn_last = run(write(f"{text}perturbations:\n  - {wipe}\n  - {draw}\n"))
    wiped_last = run(write(f"{text}perturbations:\n  - {draw}\n  - {wipe}\n"))
    assert drawn_last.events["kind"].tolist() == ["damage", "draw"]
    assert drawn_last.events["cells_after"].iloc[-1] > wiped_last.events["cells_after"].iloc[-1]


def test_events_have_step_kind_description_and_cell_counts(write):
    (event,) = run(write()).events.to_dict("records")
    assert (event["step"], event["kind"], event["what"]) == (5, "mutate", "7 → 2")
    assert event["cells_before"] > 0
    assert event["cells_after"] != event["cells_before"]


def test_frames_are_kept_before_and_after_a_perturbation_and_at_the_end(write):
    frames = run(write()).frames
    at_five = [frame.world.label.tolist() for frame in frames if frame.step == 5]
    assert at_five == [[7], [2]]
    assert frames[-1].step == 8


def test_the_memory_limit_drops_frames_and_changes_no_table(write, monkeypatch, tmp_path):
    text = write().read_text().split("perturbations:")[0] + "perturbations:\n"
    text += "".join(f"  - {{at: {at}, kind: noise, strength: 0.1}}\n" for at in range(1, 7))
    scenario, runs = write(text), {}
    for memory in (1 << 30, 1):
        monkeypatch.setattr(recorded, "FRAMES_MEMORY", memory)
        runs[memory] = run(scenario, out=tmp_path / f"out-{memory}")
    assert [frame.step for frame in runs[1].frames] == [0, 1, 1, 8]
    assert len(runs[1 << 30].frames) == 9 + 6
    for table in ("metrics.csv", "pooled.csv", "events.csv"):
        small, large = (tmp_path / f"out-{memory}" / table for memory in runs)
        assert small.read_bytes() == large.read_bytes()


def test_both_engines_give_the_same_run(write):
    text = write().read_text().replace("label: ", "scale: 0.5, label: ") + "links: {drop: 0.1}\n"
    batched = run(write(text))
    agents = run(write(text, engine="agents"))
    pd.testing.assert_frame_equal(batched.metrics, agents.metrics, rtol=1e-4, atol=1e-5)
    assert batched.events.equals(agents.events)


def test_agents_run_every_world_of_a_batch(write):
    text = write().read_text().replace("label: ", "scale: 0.5, label: ")
    text = text.replace("label: 7}", "count: 3}")
    batched, agents = run(write(text)), run(write(text, engine="agents"))
    assert agents.metrics["world"].tolist() == [0, 1, 2] * 9
    pd.testing.assert_frame_equal(batched.metrics, agents.metrics, rtol=1e-4, atol=1e-5)


def test_tables_are_byte_equal_for_one_seed_and_differ_by_seed(write, tmp_path):
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        run(write(), tmp_path / name, seed=seed, overrides=["record.picture=false"])
    a, b, c = ((tmp_path / name / "metrics.csv").read_bytes() for name in "abc")
    assert a == b
    assert a != c
    assert (tmp_path / "a/events.csv").read_bytes() == (tmp_path / "b/events.csv").read_bytes()


def test_tables_are_byte_equal_on_any_number_of_threads(write, tmp_path):
    tables, before = [], torch.get_num_threads()
    try:
        for threads in (1, 4):
            torch.set_num_threads(threads)
            out = tmp_path / str(threads)
            run("seven-becomes-two", out, overrides=["steps=60", "perturbations=[]", "expect=[]"])
            tables.append((out / "metrics.csv").read_bytes())
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert tables[0] == tables[1]


def test_the_resolved_scenario_gives_the_same_run(write, tmp_path):
    run(write(), tmp_path / "deep" / "run", overrides=["record.picture=false", "links.drop=0.2"])
    written = (tmp_path / "deep/run/scenario.yaml").read_text(encoding="utf-8")
    assert parse(written).data["links"] == {"drop": 0.2}
    assert parse(written).data["start"] == "zeros"
    run(tmp_path / "deep/run/scenario.yaml", tmp_path / "again")
    again = tmp_path / "again"
    for name in ("metrics.csv", "events.csv"):
        assert (again / name).read_bytes() == (tmp_path / "deep/run" / name).read_bytes()


def test_the_run_folder_has_the_files_that_record_names(write, tmp_path):
    run(write(), tmp_path / "plain", overrides=["record.picture=false"])
    run(write(), tmp_path / "full", overrides=["record.states=true"])
    plain = {file.name for file in (tmp_path / "plain").iterdir()}
    full = {file.name for file in (tmp_path / "full").iterdir()}
    tables = {"scenario.yaml", "metrics.csv", "pooled.csv", "events.csv"}
    tables |= {"provenance.json", "report.html"}
    assert plain == tables
    pictures = {"run.webp", "summary.png", "channels.png"}
    assert full == tables | pictures | {"states.npz", "live.html"}


def test_expectations_are_pooled_over_worlds_and_unmeasured_ones_fail(write):
    text = write().read_text().replace("label: 7}", "count: 5}")
    text += "  - {metric: cell_accuracy, at: 4, min: 0}\n  - {metric: undecided, at: 4, min: 1.0}\n"
    done = run(write(text))
    world = next(frame.world for frame in done.frames if frame.step == 4)
    scenario = load(write(text))
    assert done.expectations[1].value == METRICS["cell_accuracy"](world, scenario.rule)
    assert [result.passed for result in done.expectations] == [True, True, False]
    assert not done.passed
    unlabelled = run(
        write(text), overrides=["images={chimera: [{glyph: 3}, {glyph: 5}]}", "perturbations=[]"]
    )
    assert np.isnan(unlabelled.expectations[1].value)
    assert not unlabelled.expectations[1].passed


def test_the_summary_of_several_worlds_shows_the_values_of_the_expectations(write):
    text = write().read_text().replace("label: 7}", "count: 5}")
    done = run(write(text + "  - {metric: cell_accuracy, at: 5, min: 0}\n"))
    value = done.expectations[-1].value
    last = done.pooled.iloc[5]
    assert (last["step"], last["cell_accuracy"]) == (5, value)
    per_world = done.metrics[done.metrics["step"] == 5]
    assert abs(per_world["cell_accuracy"].mean() - value) > 1e-3
    assert last["state_largest"] == per_world["state_largest"].max()
    console = Console(record=True, width=100)
    say(console, done, None)
    rows = [line.split() for line in console.export_text().splitlines()]
    assert ["5", f"{100 * value:.1f}", "%"] in [row[:3] for row in rows]
    # The step after the perturbation at 5 has a row of its own.
    assert [row[0] for row in rows if row[0].isdecimal()] == ["1", "5", "6", "8"]


def test_the_summary_reports_nonfinite_states(write):
    text = write().read_text()
    done = run(write(text))
    assert not done.pooled["nonfinite"].any()
    wrong = done.pooled.assign(nonfinite=[0.0] * 5 + [3.0] * 4)
    console = Console(record=True, width=100)
    say(console, dataclasses.replace(done, pooled=wrong), None)
    assert "not finite: the states of 3 cells, from step 5 on" in console.export_text()


def test_canvas_topology_start_and_links_are_applied_to_the_world(write):
    path = write(
        canvas="[40, 50]",
        topology="{neighborhood: von_neumann, torus: true}",
        start="random",
        links="{drop: 0.25}",
    )
    start = load(path).start
    assert start.picture().shape == (40, 50)
    assert (start.canvas.grid.neighborhood, start.canvas.grid.torus) == ("von_neumann", True)
    assert start.links.drop == 0.25
    assert 0.8 < float(start.state.std()) < 1.2


def test_progress_is_called_after_each_step(write):
    calls = []
    run(write(), progress=lambda done, steps: calls.append((done, steps)))
    assert calls == [(step, 8) for step in range(1, 9)]


def test_perturbations_draw_from_the_scenarios_seed(write):
    text = write().read_text().split("perturbations:")[0]
    text += "perturbations:\n  - {at: 0, kind: noise, strength: 0.5}\n"
    first, second = (run(write(text, seed=seed)).frames[1].world for seed in ("1", "2"))
    assert not torch.equal(first.state, second.state)


def test_a_loaded_scenario_refuses_seed_and_overrides(write):
    scenario = load(write())
    assert run(scenario).metrics.equals(run(scenario).metrics)
    with pytest.raises(ValueError, match=r"give seed and overrides to load\(\)"):
        run(scenario, seed=3)


def test_the_event_of_a_perturbation_of_one_world_names_the_world(write, tmp_path):
    text = write().read_text().split("perturbations:")[0].replace("label: 7}", "count: 2}")
    text += "perturbations:\n  - {at: 2, kind: damage, shape: half, side: left, world: 1}\n"
    done = run(write(text), tmp_path / "out", overrides=["record.picture=false"])
    assert done.events["world"].tolist() == [1]
    assert Damage(shape="half", side="left", world=1, at=2) == load(write(text)).perturbations[0]
    assert ",1," in (tmp_path / "out/events.csv").read_text(encoding="utf-8")


def test_loading_tries_pixel_noise_with_the_draws_of_the_run(write, rule, tmp_path):
    dot = np.full((3, 3), 255, np.uint8)
    dot[1, 1] = 221
    Image.fromarray(dot).save(tmp_path / "dot.png")
    world = World.from_images([(255 - dot) / 255], rule)
    head = "rule: busy.safetensors\nimages: {file: dot.png, ink: dark}\nsteps: 20\n"
    lost = 0
    for at in range(20):
        noise = Noise(at=at, strength=0.04, target="pixels")
        path = write(
            f"{head}perturbations:\n  - {{at: {at}, kind: noise, strength: 0.04, target: pixels}}\n"
        )
        if noise(world.with_state(world.state, at), seed=0).cells:
            load(path)
            continue
        lost += 1
        with pytest.raises(LocatedError, match="it leaves no living cell"):
            load(path)
    assert 0 < lost < 20
