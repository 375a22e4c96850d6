"""The ten rules that money hangs on, as far as they concern quantities: each has tests that carry its number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import ShopUnavailable
from agent.events import Rejected
from state import letters, outbox, shadows, targets
from state.errors import StateFullError
from tests.unit.rig import TARGET, Rig, plugged


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with plugged(Rig(tmp_path)) as made:
        yield made


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Rig]:
    """A rig whose guard holds above 20 % of all keys; ten cards of 5 pieces on both sides."""
    with plugged(Rig(tmp_path, share=0.2)) as made:
        made.start_with(**{f"K{number}": 5 for number in range(10)})
        yield made


# 1: dropped only if the shop has it and nothing is open


def test_rule_1_what_the_shop_has_already_is_not_sent(rig: Rig) -> None:
    rig.start_with(A=10)
    rig.source.set("A", 8)
    rig.run()
    rig.source.cards[1] = type(rig.source.cards[1])("A ", 8)  # another fingerprint, the same key and value
    rig.run()
    assert rig.shop.sent == [("a", 8)]


def test_rule_1_there_and_back_while_pending_ends_with_the_present_value(rig: Rig) -> None:
    rig.start_with(A=10)
    for pieces in (8, 10):
        rig.source.set("A", pieces)
        rig.take_in()
    rig.send()
    assert rig.shop.sent == [("a", 10)]


def test_rule_1_there_and_back_while_in_flight_ends_with_the_present_value(rig: Rig) -> None:
    rig.start_with(A=10)
    rig.source.set("A", 8)
    rig.take_in()

    def back() -> None:
        rig.shop.during = lambda: None
        rig.source.set("A", 10)
        rig.take_in()

    rig.shop.during = back
    rig.send()
    assert rig.shop.sent == [("a", 8), ("a", 10)]
    assert rig.shop.held("A") == 10


@pytest.mark.parametrize("really", ["applied", "not applied"])
def test_rule_1_there_and_back_after_an_unclear_answer_ends_with_the_present_value(rig: Rig, really: str) -> None:
    rig.start_with(A=10)
    rig.shop.plans["a"].append("applied" if really == "applied" else "not applied")
    for pieces in (8, 10):
        rig.source.set("A", pieces)
        rig.run()
    rig.settle()
    assert rig.shop.held("A") == 10
    assert rig.shadow("a") == "10"


def test_rule_1_a_dead_letter_is_answered_by_a_delivery_and_not_by_a_belief(rig: Rig) -> None:
    rig.start_with(A=10)
    rig.source.set("A", "?")
    rig.run()
    assert list(rig.values("dead")) == ["a"]
    rig.source.set("A", 10)
    rig.run()
    assert rig.values("dead") == {}
    assert rig.shop.sent == [("a", 10)]


# 2: superseding


def test_rule_2_a_newer_value_takes_the_place_of_the_older_one(rig: Rig) -> None:
    rig.start_with(A=1, B=1, C=1)
    for code, pieces in (("A", 2), ("B", 2), ("C", 2), ("A", 3)):
        rig.source.set(code, pieces)
        rig.take_in()
    rig.send()
    assert rig.shop.sent == [("a", 3), ("b", 2), ("c", 2)]
    assert [row["folded"] for row in rig.rows("delivered", "a")][-1] == 1


def test_rule_2_the_live_lane_wins_when_a_bulk_row_is_superseded(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    entry = outbox.Entry(TARGET, "a", "A", "2", lane=outbox.BULK)
    with rig.state.write() as db:
        outbox.enqueue(db, TARGET, [entry], now=rig.now)
        outbox.enqueue(db, TARGET, [outbox.Entry(TARGET, "b", "B", "2", lane=outbox.BULK)], now=rig.now)
        outbox.enqueue(db, TARGET, [outbox.Entry(TARGET, "b", "B", "3")], now=rig.now)
    assert [(row["key"], row["lane"]) for row in rig.rows("pending")] == [("a", outbox.BULK), ("b", outbox.LIVE)]
    rig.send()
    assert rig.shop.sent == [("b", 3), ("a", 2)]


def test_rule_2_a_live_row_stays_live_when_a_bulk_value_supersedes_it(rig: Rig) -> None:
    rig.start_with(A=1)
    with rig.state.write() as db:
        outbox.enqueue(db, TARGET, [outbox.Entry(TARGET, "a", "A", "2")], now=rig.now)
        outbox.enqueue(db, TARGET, [outbox.Entry(TARGET, "a", "A", "3", lane=outbox.BULK)], now=rig.now)
    assert [row["lane"] for row in rig.rows("pending")] == [outbox.LIVE]


def supersede_in_flight(rig: Rig, pieces: int) -> None:
    def act() -> None:
        rig.shop.during = lambda: None
        rig.source.set("A", pieces)
        rig.take_in()
        rig.stopping = True  # so that only the older one's answer is settled

    rig.shop.during = act
    rig.take_in()
    rig.dispatcher.step(rig.now)
    rig.stopping = False


def test_rule_2_the_older_ones_done_writes_the_shadow_though_it_is_superseded(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", 2)
    supersede_in_flight(rig, 3)
    assert rig.shadow("a") == "2"
    assert rig.values("pending") == {"a": "3"}
    assert [row["status"] for row in rig.rows(key="a") if row["value"] == "2"] == ["superseded"]
    rig.run()
    assert rig.shop.held("A") == 3


def test_rule_2_the_older_ones_rejection_does_not_touch_the_newer_one(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", 2)
    rig.shop.plans["a"].append(Rejected("no", "because"))
    supersede_in_flight(rig, 3)
    assert rig.values("dead") == {}
    assert [(row["value"], row["attempts"]) for row in rig.rows("pending")] == [("3", 0)]
    rig.run()
    assert rig.shop.held("A") == 3


def test_rule_2_the_older_ones_unclear_answer_lets_the_key_rest_also_for_the_newer_one(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", 2)
    rig.shop.plans["a"].append("late")
    supersede_in_flight(rig, 3)
    rig.run()
    assert rig.shop.sent == [("a", 2)]
    rig.now += 2 * rig.timeout + 1
    rig.run()
    assert rig.shop.sent == [("a", 2), ("a", 3)]
    rig.shop.land()
    rig.settle()
    assert rig.shop.held("A") == 3


def test_rule_2_a_rest_survives_superseding_and_restart(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", 2)
    rig.shop.plans["a"].append("not applied")
    rig.run()
    rig.source.set("A", 3)
    rig.run()
    rig.crash()
    rig.now += 2 * rig.timeout - 2
    rig.run()
    assert rig.shop.sent == [("a", 2)]
    rig.now += 3
    rig.run()
    assert rig.shop.sent == [("a", 2), ("a", 3)]


def test_rule_2_what_supersedes_a_held_row_is_judged_together_with_all_that_is_held(guarded: Rig) -> None:
    rig = guarded
    for number in range(3):
        rig.source.set(f"K{number}", 0)
    rig.run()
    assert len(rig.values("held")) == 3
    rig.source.set("K0", 5)
    rig.run()
    assert rig.values("held") == {}, "two of ten are allowed again"
    assert [rig.shop.held(f"K{number}") for number in range(3)] == [5, 0, 0]


# 3: what deletes the shadow


def test_rule_3_an_unclear_answer_deletes_the_shadow(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append("late")
    rig.source.set("A", 2)
    rig.run()
    assert rig.shadow("a") is None


def test_rule_3_a_dead_letter_deletes_the_shadow_so_that_the_old_value_is_sent_again(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append(Rejected("no", "because"))
    for pieces in (2, 1):
        rig.source.set("A", pieces)
        rig.run()
    assert rig.shop.sent == [("a", 2), ("a", 1)]


def test_rule_3_a_value_that_cannot_be_made_deletes_the_shadow(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", "?")
    rig.run()
    assert rig.shadow("a") is None


def test_rule_3_discarding_deletes_the_shadow(guarded: Rig) -> None:
    rig = guarded
    for number in range(3):
        rig.source.set(f"K{number}", 0)
    rig.run()
    with rig.state.write() as db:
        assert letters.discard(db, TARGET, ["k0"], status="held", now=rig.now) == 1
    assert rig.shadow("k0") is None
    assert rig.shadow("k1") == "5"
    rig.source.set("K0", 5)
    rig.run()
    assert rig.shop.sent[:1] == [("k0", 5)], "what the shop holds counts as unknown, so it is sent"


def test_rule_3_a_lost_link_deletes_the_shadow_in_all_targets_and_is_looked_up_anew(rig: Rig) -> None:
    rig.start_with(A=1)
    with rig.state.write() as db:
        shadows.remember(db, "prices", [("a", "99")], now=rig.now)
    old = rig.shop.codes.copy()
    rig.shop.codes.clear()
    rig.shop.stock.clear()
    rig.shop.put("A", 7, "p77")
    assert old != rig.shop.codes
    rig.source.set("A", 2)
    rig.settle()
    assert rig.link("a") == "p77"
    assert rig.shop.held("A") == 2
    with rig.state.read() as db:
        assert shadows.shadow_of(db, "prices", "a") is None
    assert rig.shop.requests.count("find") == 1


def test_rule_3_a_link_that_is_lost_again_at_once_is_a_dead_letter(rig: Rig) -> None:
    rig.start_with(A=1)
    gone = Rejected("gone", "It was deleted.", link_lost=True)
    rig.shop.plans["a"].extend([gone] * 8)
    rig.source.set("A", 2)
    rig.settle()
    assert rig.values("dead") == {"a": "2"}
    assert len(rig.shop.sent) == 2
    assert rig.link("a") is None


def test_rule_3_a_changed_link_deletes_the_shadow_and_the_key_is_read_again(rig: Rig) -> None:
    rig.start_with(A=4)
    rig.shop.codes.clear()
    rig.shop.stock.clear()
    rig.shop.put("A", 9, "p5")
    with rig.state.write() as db:
        targets.baseline(db, TARGET, "none")
    rig.run()
    assert rig.shop.sent == [("a", 4)], "nothing changed in POHODA, yet the new product holds something else"


# 4: the present value


def test_rule_4_a_retry_sends_the_present_value_read_again(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append(Rejected("no", "because"))
    rig.source.set("A", 2)
    rig.run()
    rig.source.between = lambda: rig.source.set("A", 3)
    rig.retry("a")
    rig.run()
    assert rig.shop.sent == [("a", 2), ("a", 3)]
    assert rig.values("dead") == {}


def test_rule_4_a_retry_is_sent_even_if_nothing_changed(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append(Rejected("no", "because"))
    rig.source.set("A", 2)
    rig.run()
    rig.retry("a")
    rig.run()
    assert rig.shop.held("A") == 2


def test_rule_4_what_was_approved_is_read_again_and_sent_although_zero(guarded: Rig) -> None:
    rig = guarded
    for number in range(4):
        rig.source.set(f"K{number}", 0)
    rig.run()
    assert rig.shop.sent == []
    rig.source.between = lambda: rig.source.set("K1", 2)
    rig.approve("k0", "k1")
    rig.run()
    assert sorted(rig.shop.sent)[:2] == [("k0", 0), ("k1", 2)]


# 5: baseline


def test_rule_5_nothing_is_sent_before_the_baseline_is_complete_and_only_differences_after_it(rig: Rig) -> None:
    rig.shop.page_size = 2
    for number in range(5):
        rig.shop.put(f"K{number}", 1)
        rig.source.set(f"K{number}", 2 if number == 3 else 1)
    rig.take_in()
    for _ in range(2):
        rig.dispatcher.step(rig.now)
    assert rig.shop.requests == ["read_page None", "read_page 2"]
    rig.source.set("K4", 7)
    rig.take_in()
    rig.dispatcher.step(rig.now)
    rig.send()
    assert sorted(rig.shop.sent) == [("k3", 2), ("k4", 7)]


def test_rule_5_a_baseline_goes_on_at_its_page_after_a_crash(rig: Rig) -> None:
    rig.shop.page_size = 2
    for number in range(6):
        rig.shop.put(f"K{number}", 1)
    rig.dispatcher.step(rig.now)
    rig.dispatcher.step(rig.now)
    rig.crash()
    rig.send()
    assert rig.shop.requests == ["read_page None", "read_page 2", "read_page 4"]


def test_rule_5_rows_that_were_sent_before_are_not_settled_unsent(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append("late")
    rig.source.set("A", 2)
    rig.run()
    rig.source.set("A", 1)
    with rig.state.write() as db:
        targets.baseline(db, TARGET, "none")
    rig.run()
    assert rig.values("pending") == {"a": "1"}, "the late 2 may still land"
    rig.shop.land()
    rig.settle()
    assert rig.shop.held("A") == 1


def test_rule_5_the_guard_is_applied_at_the_end_of_the_baseline(tmp_path: Path) -> None:
    with plugged(Rig(tmp_path, share=0.2)) as rig:
        for number in range(10):
            rig.shop.put(f"K{number}", 5)
            rig.source.set(f"K{number}", 0 if number < 5 else 4)
        rig.run()
        assert sorted(rig.values("held")) == [f"k{number}" for number in range(5)]
        assert sorted(rig.shop.sent) == [(f"k{number}", 4) for number in range(5, 10)]


def test_rule_5_a_baseline_that_ends_within_a_pass_leaves_the_verdict_to_the_end_of_the_pass(tmp_path: Path) -> None:
    with plugged(Rig(tmp_path, share=0.2)) as rig:
        rig.source.chunk = 2
        for number in range(10):
            rig.shop.put(f"K{number}", 5)
            rig.source.set(f"K{number}", 0)
        rig.ingest.step(rig.now)
        rig.send()
        assert rig.shop.sent == [], "two of ten look harmless, but the pass goes on"
        rig.run()
        assert rig.shop.sent == []
        assert len(rig.values("held")) == 10


def test_rule_5_a_shops_own_things_are_left_alone_when_it_is_read_anew(rig: Rig) -> None:
    rig.shop.put("OTHER", 3)
    rig.start_with(A=1)
    rig.shop.stock["p1"] = 2
    with rig.state.write() as db:
        targets.baseline(db, TARGET, "none")
    rig.run()
    assert rig.shop.sent == []
    assert rig.rows(key="other") == []


def test_rule_5_a_source_that_went_back_is_read_anew_and_nothing_is_sent_before(rig: Rig) -> None:
    rig.start_with(A=1, B=2)
    rig.source.wound_back = "another database behind the name"
    rig.source.set("A", 5)
    rig.take_in()
    rig.shop.down = ShopUnavailable("down")
    rig.send()
    assert rig.shop.sent == []
    with rig.state.read() as db:
        assert targets.target_state(db, TARGET).baseline == "none"
    rig.shop.down = None
    rig.settle()
    assert rig.shop.sent == [("a", 5)]


# 6: settings


def test_rule_6_changed_settings_compute_all_keys_again_in_the_bulk_lane_within_the_guard(guarded: Rig) -> None:
    rig = guarded
    rig.target.settings, rig.target.times = "two", 2
    rig.restart()
    rig.take_in()
    assert {(row["value"], row["lane"]) for row in rig.rows("pending")} == {("10", outbox.BULK)}
    rig.send()
    rig.target.settings, rig.target.times = "three", 0
    rig.restart()
    rig.run()
    assert len(rig.values("held")) == 10
    assert rig.shop.held("K0") == 10


def test_rule_6_a_recomputation_goes_on_after_a_crash_where_it_was(tmp_path: Path) -> None:
    with plugged(Rig(tmp_path, fast=True)) as rig:
        rig.start_with(**{f"K{number:04}": 1 for number in range(1200)})
        rig.target.settings, rig.target.times = "two", 2
        rig.restart()
        rig.ingest.step(rig.now)
        rig.crash()
        rig.source.read_keys.clear()
        rig.run()
        assert len(rig.source.read_keys) == 700
        assert set(rig.shop.stock.values()) == {2}


def test_rule_6_the_same_settings_compute_nothing_again(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.restart()
    rig.source.read_keys.clear()
    rig.run()
    assert rig.source.read_keys == []


# 10: when settling cannot be written, sending stops


def test_rule_10_answers_that_cannot_be_written_are_kept_and_settled_before_anything_else_is_sent(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.target.batch = 1
    for code in ("A", "B"):
        rig.source.set(code, 2)
    rig.take_in()
    rig.shop.during = lambda: fill(rig)
    for _ in range(3):
        with pytest.raises(StateFullError):
            rig.dispatcher.step(rig.now)
    assert rig.shop.sent == [("a", 2)], "no second one is sent, and not the first again"
    make_room(rig)
    rig.send()
    assert rig.shop.sent == [("a", 2), ("b", 2)]
    assert rig.shadow("a") == "2"


def test_rule_10_answers_that_could_never_be_written_are_unclear_after_a_crash(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.source.set("A", 2)
    rig.take_in()
    rig.shop.during = lambda: fill(rig)
    with pytest.raises(StateFullError):
        rig.dispatcher.step(rig.now)
    rig.restart()
    make_room(rig)
    rig.run()
    assert rig.shop.sent == [("a", 2)]
    rig.settle()
    assert rig.shop.sent == [("a", 2)], "it was read back instead"
    assert rig.shadow("a") == "2"


def fill(rig: Rig) -> None:
    """Fill the disk: the file may not grow, and its free pages are used up; a long answer then cannot be written."""
    rig.shop.during = lambda: None
    rig.shop.answer = "x" * 20_000
    with rig.state.write() as db:
        db.execute("CREATE TABLE IF NOT EXISTS ballast (text TEXT)")
    with rig.state.read() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StateFullError):  # noqa: PT012 - which of the writes is the last, nobody knows
        while True:
            with rig.state.write() as db:
                db.execute("INSERT INTO ballast VALUES (?)", ("x" * 3000,))


def make_room(rig: Rig) -> None:
    with rig.state.read() as db:
        db.execute(f"PRAGMA max_page_count={2**30}")
