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
    """Seven small pictures of the rule's classes, which the data set lists in another order."""
    grey = np.random.default_rng(0).random((7, 5, 6), dtype=np.float32)
    grey[grey < 0.5] = 0.0
    return Pictures(grey, np.array([0, 1, 2, 0, 1, -1, 2]), ("c", "a", "b"))


#: The labels above as the rule (a, b, c) numbers them.
LABELS = torch.tensor([2, 0, 1, 2, 0, -1, 1])


def fresh_world(rule, pictures) -> World:
    return World.from_images(pictures.grey, rule, labels=LABELS)


def test_fresh_is_the_metrics_after_every_step_from_zeros(rule, pictures) -> None:
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


def test_a_mutation_keeps_states_and_a_restart_does_not(rule, pictures) -> None:
    rows = {
        protocol: evaluate(rule, pictures, steps=8, protocol=protocol).curve
        for protocol in ("mutation", "restart")
    }
    assert rows["mutation"][:8] == rows["restart"][:8]
    restarted, first = rows["restart"][8]["state_magnitude"], rows["restart"][0]["state_magnitude"]
    assert restarted == pytest.approx(first, rel=0.5)
    assert rows["mutation"][8]["state_magnitude"] > 1.5 * restarted


@pytest.mark.parametrize(("swaps", "begin"), [(1, 1), (3, 1), (3, 3)])
def test_a_restart_can_leave_out_the_phases_before_and_gives_the_same_rows(
    rule, pictures, swaps, begin
) -> None:
    settings = {"steps": 12, "protocol": "restart", "swaps": swaps, "every": 5, "seed": 3}
    whole = evaluate(rule, pictures, **settings)
    told: list[tuple[int, int]] = []
    part = evaluate(
        rule,
        pictures,
        **settings,
        begin=begin,
        batch=4,
        progress=lambda done, total: told.append((done, total)),
    )
    in_batches = evaluate(rule, pictures, **settings, batch=4)
    assert part.curve == in_batches.curve[begin * len(whole.looks) :]
    assert part.looks == whole.looks
    assert part.phases == in_batches.phases[begin:]
    assert torch.equal(part.settled, whole.settled)
    assert torch.equal(part.last.ballot, whole.last.ballot)
    assert told[-1] == (len(told), 2 * (1 + swaps - begin) * 12)


@pytest.mark.parametrize("protocol", ["fresh", "mutation"])
def test_what_worlds_do_does_not_depend_on_the_batch(rule, pictures, protocol) -> None:
    whole, parts = (
        evaluate(rule, pictures, steps=3, protocol=protocol, batch=batch) for batch in (7, 3)
    )
    assert torch.equal(whole.settled, parts.settled)
    for one, other in zip(whole.curve, parts.curve, strict=True):
        # Shares of pictures do not change; cells are pooled by the batch.
        assert one["total_agreement"] == pytest.approx(other["total_agreement"])
        assert one["state_magnitude"] == pytest.approx(other["state_magnitude"], rel=0.05)


def test_looking_now_and_then_gives_the_same_rows(rule, pictures) -> None:
    all_rows = evaluate(rule, pictures, steps=25, protocol="mutation", seed=5).curve
    some = evaluate(rule, pictures, steps=25, protocol="mutation", every=7, seed=5)
    assert some.looks == [1, 7, 10, 14, 20, 21, 25]
    assert [row["step"] for row in some.curve] == [*some.looks, *(25 + n for n in some.looks)]
    assert some.curve == [row for row in all_rows if row["step"] in {r["step"] for r in some.curve}]
    assert [len(phase) for phase in some.phases] == [7, 7]


def test_settled_is_told_in_steps_whatever_lies_between_the_looks(rule) -> None:
    # Cells that begin to agree and go on to do so; ones with no neighbours always agree.
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


def test_after_every_swap_a_world_shows_a_picture_it_has_not_shown(rule) -> None:
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


def test_the_last_ballots_are_those_of_the_pictures_shown_last(rule, pictures) -> None:
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


def test_pictures_of_strange_classes_have_no_right_answer(rule) -> None:
    strange = Pictures(np.ones((3, 2, 2), np.float32), [0, 1, 1], ("hat", "shoe"))
    result = evaluate(rule, strange, steps=1)
    for name in ("cell_accuracy", "vote_accuracy", "agree_and_correct"):
        assert np.isnan(result.curve[0][name])
    assert not np.isnan(result.curve[0]["total_agreement"])


def test_the_largest_state_of_all_batches_is_the_largest_and_what_is_not_finite_adds_up() -> None:
    # Seeded: some first weights leave every hidden unit silent, and then nothing grows.
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


def test_batches_are_averaged_by_their_size_and_nan_counts_for_nothing(rule) -> None:
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
def test_partners_are_a_permutation_in_which_nobody_stays(count: int, seed: int) -> None:
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


def test_progress_is_told_after_every_step_of_every_batch(rule, pictures) -> None:
    told: list[tuple[int, int]] = []
    evaluate(
        rule,
        pictures,
        steps=2,
        protocol="restart",
        batch=4,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(done, 8) for done in range(1, 9)]


@pytest.mark.parametrize(
    ("asked", "message"),
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
            r"rule decides between 3 \(a, b, c\) and does not know hat",
        ),
    ],
)
def test_what_cannot_be_examined_is_refused(rule, pictures, asked, message) -> None:
    given_pictures = asked.pop("pictures", pictures)
    with pytest.raises(ValueError, match=message):
        evaluate(rule, given_pictures, **asked)
