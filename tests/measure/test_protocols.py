from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm_nca.engine import rollout, step
from swarm_nca.images import Pictures
from swarm_nca.measure import METRICS, evaluate, measure
from swarm_nca.measure.protocol_run import partners
from swarm_nca.rules import Classes, Mlp
from swarm_nca.world import World


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Seven small pictures of the rule's classes, listed in another order than the rule's."""
    grey = np.random.default_rng(0).random((7, 5, 6), dtype=np.float32)
    grey[grey < 0.5] = 0.0
    return Pictures(grey, np.array([0, 1, 2, 0, 1, -1, 2]), ("c", "a", "b"))


#: The labels above as the rule (a, b, c) numbers them.
LABELS = torch.tensor([2, 0, 1, 2, 0, -1, 1])


def fresh_world(rule, pictures) -> World:
    return World.from_images(pictures.grey, rule, labels=LABELS)


def test_fresh_gives_the_metrics_after_every_step_from_zeros(rule, pictures) -> None:
    result = evaluate(rule, pictures, steps=4, seed=5)
    world = fresh_world(rule, pictures)
    assert [row["step"] for row in result.curve] == [1, 2, 3, 4]
    for row in result.curve:
        after = step(world, rule, seed=5)
        expected = measure(after, rule, world, names=METRICS)
        assert {name: row[name] for name in METRICS} == pytest.approx(expected)
        world = after


@pytest.mark.parametrize("protocol", ["mutation", "restart"])
def test_the_second_phase_starts_on_swapped_pictures(rule, pictures, protocol) -> None:
    result = evaluate(rule, pictures, steps=3, protocol=protocol, seed=5)
    assert len(result.curve) == 6
    partner = partners(7, 5)
    before = rollout(fresh_world(rule, pictures), rule, 3, seed=5)
    swapped = before.repictured(pictures.grey[partner.numpy()], LABELS[partner])
    if protocol == "restart":
        swapped = swapped.with_state(torch.zeros_like(swapped.state))
    after = step(swapped, rule, seed=5)
    expected = measure(after, rule, swapped, names=METRICS)
    assert {name: result.curve[3][name] for name in METRICS} == pytest.approx(expected)


def test_a_mutation_keeps_states_and_a_restart_resets_them(rule, pictures) -> None:
    rows = {
        protocol: evaluate(rule, pictures, steps=8, protocol=protocol).curve
        for protocol in ("mutation", "restart")
    }
    assert rows["mutation"][:8] == rows["restart"][:8]
    restarted, first = rows["restart"][8]["state_magnitude"], rows["restart"][0]["state_magnitude"]
    assert restarted == pytest.approx(first, rel=0.5)
    assert rows["mutation"][8]["state_magnitude"] > 1.5 * restarted


@pytest.mark.parametrize(("swaps", "begin"), [(1, 1), (3, 1), (3, 3)])
def test_a_restart_without_the_earlier_phases_gives_the_same_rows(
    rule, pictures, swaps, begin
) -> None:
    settings = {"steps": 12, "protocol": "restart", "swaps": swaps, "every": 5, "seed": 3}
    whole = evaluate(rule, pictures, **settings)
    calls: list[tuple[int, int]] = []
    part = evaluate(
        rule,
        pictures,
        **settings,
        begin=begin,
        batch=4,
        progress=lambda done, total: calls.append((done, total)),
    )
    in_batches = evaluate(rule, pictures, **settings, batch=4)
    assert part.curve == in_batches.curve[begin * len(whole.looks) :]
    assert part.looks == whole.looks
    assert part.phases == in_batches.phases[begin:]
    assert torch.equal(part.settled, whole.settled)
    assert torch.equal(part.last.ballot, whole.last.ballot)
    assert calls[-1] == (len(calls), 2 * (1 + swaps - begin) * 12)


@pytest.mark.parametrize("protocol", ["fresh", "mutation"])
def test_results_do_not_depend_on_the_batch_size(rule, pictures, protocol) -> None:
    whole, parts = (
        evaluate(rule, pictures, steps=3, protocol=protocol, batch=batch) for batch in (7, 3)
    )
    assert torch.equal(whole.settled, parts.settled)
    for row, split in zip(whole.curve, parts.curve, strict=True):
        # Shares of pictures do not change; cells are pooled by the batch.
        assert row["total_agreement"] == pytest.approx(split["total_agreement"])
        assert row["state_magnitude"] == pytest.approx(split["state_magnitude"], rel=0.05)


def test_measuring_less_often_gives_the_same_rows(rule, pictures) -> None:
    all_rows = evaluate(rule, pictures, steps=25, protocol="mutation", seed=5).curve
    some = evaluate(rule, pictures, steps=25, protocol="mutation", every=7, seed=5)
    assert some.looks == [1, 7, 10, 14, 20, 21, 25]
    assert [row["step"] for row in some.curve] == [*some.looks, *(25 + n for n in some.looks)]
    assert some.curve == [row for row in all_rows if row["step"] in {r["step"] for r in some.curve}]
    assert [len(phase) for phase in some.phases] == [7, 7]


def test_settled_counts_steps_also_when_measuring_less_often(rule) -> None:
    # A single cell always agrees; two cells without neighbours may disagree.
    grey = np.zeros((2, 3, 3), np.float32)
    grey[0, 1, 1] = 1.0
    grey[1, 0, 0] = grey[1, 2, 2] = 1.0
    apart = Pictures(grey)
    every = evaluate(rule, apart, steps=40, seed=1)
    some = evaluate(rule, apart, steps=40, seed=1, every=8)
    assert int(every.settled[0]) == int(some.settled[0]) == 1
    assert int(some.settled[1]) == -1 or int(some.settled[1]) in some.looks
    agrees = int(every.settled[1]) > 0
    assert agrees == (int(some.settled[1]) > 0) == bool(every.last.agrees[1])


def test_after_every_swap_a_world_shows_a_new_picture(rule) -> None:
    shown: list[torch.Tensor] = []
    grey = (np.arange(1, 6, dtype=np.float32) / 5)[:, None, None] * np.ones((5, 2, 2), np.float32)
    evaluate(
        rule,
        Pictures(grey),
        steps=1,
        protocol="mutation",
        swaps=4,
        batch=2,
        watch=lambda step, seen: shown.append(seen.world.canvas.grey.view(-1, 4)[:, 0] * 5),
    )
    # 5 phases of 3 batches each, batch by batch.
    assert len(shown) == 15
    by_world = torch.cat([torch.stack(shown[n : n + 5]) for n in (0, 5, 10)], dim=1).round()
    assert by_world.shape == (5, 5)
    for world in by_world.T.tolist():
        assert sorted(world) == [1, 2, 3, 4, 5]
    for phase in by_world.tolist():
        assert sorted(phase) == [1, 2, 3, 4, 5]


def test_the_last_vote_counts_are_in_the_order_of_the_pictures(rule, pictures) -> None:
    seen: list = []
    result = evaluate(
        rule,
        pictures,
        steps=2,
        protocol="mutation",
        swaps=3,
        seed=2,
        watch=lambda step, stats: seen.append(stats),
    )
    assert torch.equal(result.last.label, LABELS)
    sizes = torch.tensor([int((picture > rule.alive_above).sum()) for picture in pictures])
    assert torch.equal(result.last.cells, sizes)
    assert int(result.last.correct.sum()) == int(seen[-1].correct.sum())
    assert result.last.flips is not None


def test_accuracy_is_nan_for_classes_that_the_rule_lacks(rule) -> None:
    strange = Pictures(np.ones((3, 2, 2), np.float32), [0, 1, 1], ("hat", "shoe"))
    result = evaluate(rule, strange, steps=1)
    for name in ("cell_accuracy", "vote_accuracy", "agree_and_correct"):
        assert np.isnan(result.curve[0][name])
    assert not np.isnan(result.curve[0]["total_agreement"])


def test_over_batches_the_largest_state_is_a_maximum_and_nonfinite_cells_add_up() -> None:
    # Seeded, because with some initial weights all hidden units are 0 and states stay small.
    generator = torch.Generator().manual_seed(0)
    wild = Mlp(Classes.named("a", "b"), free_channels=1, hidden=(4, 4), generator=generator)
    with torch.no_grad():
        wild.output.fill_(1e30)
        wild.middle.abs_()
    wild.requires_grad_(False)
    grey = np.ones((4, 3, 3), np.float32)
    grey[0, 0] = 0.0
    counts = []
    result = evaluate(
        wild,
        Pictures(grey),
        steps=12,
        batch=3,
        watch=lambda step, seen: counts.append((step, int(seen.peak.isinf().sum()))),
    )
    last = result.curve[-1]
    assert last["nonfinite"] == sum(count for step, count in counts if step == 12) > 0
    assert last["state_largest"] == last["state_magnitude"] == np.inf
    first = result.first_nonfinite
    assert first is not None
    assert first["step"] == min(step for step, count in counts if count)


def test_batches_are_averaged_by_size_without_nan(rule) -> None:
    # The first batch of two has no label at all, the last is half as large.
    grey = np.ones((5, 2, 2), np.float32)
    pictures = Pictures(grey, np.array([-1, -1, 0, 0, 1]), ("a", "b"))
    row = evaluate(rule, pictures, steps=1, batch=2).curve[0]
    world = World.from_images(grey, rule, labels=[-1, -1, 0, 0, 1])
    after = step(world, rule)
    middle, last = (measure(after.select(some), rule) for some in ([2, 3], [4]))
    for name in ("cell_accuracy", "vote_accuracy"):
        assert row[name] == pytest.approx((2 * middle[name] + last[name]) / 3)


@settings(deadline=None, max_examples=30)
@given(count=st.integers(2, 50), seed=st.integers(0, 2**64 - 1))
def test_partners_are_a_permutation_without_fixed_points(count: int, seed: int) -> None:
    partner = partners(count, seed)
    assert sorted(partner.tolist()) == list(range(count))
    assert not (partner == torch.arange(count)).any()


def test_partners_depend_on_the_seed() -> None:
    assert not torch.equal(partners(20, 0), partners(20, 1))
    assert torch.equal(partners(20, 1), partners(20, 1))


def test_pictures_of_several_sizes_can_be_swapped(rule) -> None:
    grey = (np.ones((2, 3), np.float32), np.ones((5, 2), np.float32))
    result = evaluate(rule, Pictures(grey), steps=2, protocol="mutation")
    assert len(result.curve) == 4
    assert np.isnan(result.curve[0]["cell_accuracy"])


def test_progress_is_called_after_every_step_of_every_batch(rule, pictures) -> None:
    calls: list[tuple[int, int]] = []
    evaluate(
        rule,
        pictures,
        steps=2,
        protocol="restart",
        batch=4,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(done, 8) for done in range(1, 9)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"protocol": "mutaton"}, "did you mean 'mutation'"),
        ({"every": 0}, "every must be at least 1, got 0"),
        ({"swaps": 0, "protocol": "restart"}, "swaps must be at least 1, got 0"),
        ({"swaps": 2}, "2 swaps need the protocol mutation or restart; fresh has none"),
        ({"swaps": 7, "protocol": "mutation"}, "mutation needs at least 8 pictures, got 7"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"begin": 1}, "begin must lie between 0 and 0 for fresh, got 1"),
        ({"begin": 1, "protocol": "mutation"}, "begin must lie between 0 and 0 for mutation"),
        ({"begin": 2, "protocol": "restart"}, "begin must lie between 0 and 1 for restart"),
        ({"pictures": Pictures(np.zeros((0, 2, 2), np.float32))}, "at least 1 pictures, got 0"),
        (
            {"pictures": Pictures(np.ones((1, 2, 2), np.float32)), "protocol": "restart"},
            "restart needs at least 2 pictures, got 1",
        ),
        (
            {"pictures": Pictures(np.ones((1, 2, 2), np.float32), [0], ("a", "hat"))},
            r"rule has 3 \(a, b, c\) and lacks hat",
        ),
    ],
)
def test_bad_arguments_are_refused(rule, pictures, arguments, message) -> None:
    arguments = {"pictures": pictures, **arguments}
    with pytest.raises(ValueError, match=message):
        evaluate(rule, **arguments)


def test_a_batch_with_few_labels_counts_by_its_labels(rule) -> None:
    # Of the first batch all five pictures have a label, of the second only one.
    grey, labels = np.ones((10, 2, 2), np.float32), np.array([0, 1, 0, 1, 0, 1, -1, -1, -1, -1])
    halves = evaluate(rule, Pictures(grey, labels, ("a", "b")), steps=1, batch=5).curve[0]
    known = evaluate(rule, Pictures(grey[:6], labels[:6], ("a", "b")), steps=1).curve[0]
    for name in ("cell_accuracy", "vote_accuracy"):
        assert halves[name] == pytest.approx(known[name])
