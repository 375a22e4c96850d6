"""What dispatch makes of every answer: done, dead, unclear, to blame, to wait; beside a shop that keeps real values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from agent.answers import MOST_ATTEMPTS
from agent.errors import BatchRefused, ShopUnavailable
from agent.events import Rejected
from agent.shops import in_flight
from state import outbox, targets
from state.errors import StateError
from tests.unit.memory_shop import Plan
from tests.unit.rig import TARGET, PowerCut, Rig, plugged


@pytest.fixture(params=["waiting", "working"])
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Every claim holds as well when the agent does its own work while the shop does its."""
    with plugged(Rig(tmp_path, fast=True)) as made:
        made.shop.during = in_flight.waiting if request.param == "working" else lambda: None
        yield made


def change(rig: Rig, *codes: str, to: int = 7) -> None:
    for code in codes:
        rig.source.set(code, to)
    rig.take_in()


# the good day


def test_a_value_is_delivered_and_what_the_shop_confirmed_is_remembered(rig: Rig) -> None:
    rig.start_with(A=1)
    change(rig, "A")
    rig.send()
    row = rig.rows("delivered", "a")[-1]
    assert (row["request"], row["answer"], row["value"]) == ("PUT p1 7", "200", "7")
    assert rig.shadow("a") == "7"


def test_a_shop_that_stores_something_else_has_not_confirmed_it(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.stores = lambda value: min(int(str(value)), 5)
    change(rig, "A", to=7)
    rig.settle()
    (dead,) = rig.rows("dead", "a")
    assert "holds 5 and was sent 7" in dead["reason"]
    assert dead["attempts"] == MOST_ATTEMPTS
    assert rig.shadow("a") is None


def test_the_next_batch_is_marked_in_the_commit_that_settles_the_one_before(rig: Rig) -> None:
    rig.shop.during = lambda: None
    rig.start_with(A=1, B=1)
    rig.target.batch = 1
    change(rig, "A", "B")
    rig.dispatcher.step(rig.now)
    assert [(row["key"], row["sent_at"] is not None) for row in rig.rows("pending")] == [("b", True)]
    assert rig.shop.sent == [("a", 7)]


def test_while_the_shop_works_the_batch_before_is_settled_and_the_one_after_is_marked(rig: Rig) -> None:
    rig.start_with(A=1, B=1, C=1)
    rig.target.batch = 1
    change(rig, "A", "B", "C")
    seen: list[list[tuple[str, str, bool]]] = []

    def work() -> None:
        in_flight.waiting()
        rows = [row for row in [*rig.rows("delivered"), *rig.rows("pending")] if row["value"] == "7"]
        seen.append([(row["key"], row["status"], row["sent_at"] is not None) for row in rows])

    rig.shop.during = work
    rig.send()
    assert seen == [
        [("a", "pending", True), ("b", "pending", True), ("c", "pending", False)],
        [("a", "delivered", False), ("b", "pending", True), ("c", "pending", True)],
        [("a", "delivered", False), ("b", "delivered", False), ("c", "pending", True)],
    ]
    assert not rig.rows("pending")


@pytest.mark.parametrize("plan", ["late", "untried", Rejected("no", "because"), RuntimeError("a bug")])
def test_whatever_is_not_simply_done_is_written_down_before_anything_more_is_sent(rig: Rig, plan: Plan) -> None:
    rig.start_with(A=1, B=1)
    rig.target.batch = 1
    change(rig, "A", "B")
    rig.shop.plans["a"].append(plan)
    sent: list[list[str]] = []

    def work() -> None:
        sent.append([row["key"] for row in rig.rows() if row["sent_at"] is not None])
        in_flight.waiting()

    rig.shop.during = work
    rig.dispatcher.step(rig.now)
    rig.dispatcher.step(rig.now)
    assert all(len(keys) == 1 for keys in sent), "the row of the first call is not under way any more"


def test_when_settling_fails_on_the_way_nothing_more_is_sent(rig: Rig) -> None:
    rig.start_with(A=1, B=1, C=1)
    rig.target.batch = 1
    change(rig, "A", "B", "C")
    rig.shop.during = in_flight.waiting
    rig.dispatcher.step(rig.now)
    with rig.state.read() as db:
        db.execute("PRAGMA query_only=1")
    for _ in range(3):
        with pytest.raises(StateError):
            rig.dispatcher.step(rig.now)
    assert rig.shop.sent == [("a", 7), ("b", 7)]
    with rig.state.read() as db:
        db.execute("PRAGMA query_only=0")
    rig.send()
    assert rig.shop.sent == [("a", 7), ("b", 7), ("c", 7)]
    assert not rig.rows("pending")


def test_what_was_answered_and_what_was_on_its_way_when_the_power_went_are_both_unclear(rig: Rig) -> None:
    rig.start_with(A=1, B=1, C=1)
    rig.target.batch = 1
    change(rig, "A", "B", "C")
    rig.shop.during = in_flight.waiting
    rig.dispatcher.step(rig.now)
    rig.dies_at = "before-send"
    with pytest.raises(PowerCut):
        rig.dispatcher.step(rig.now)
    rig.crash()
    rig.send()
    assert rig.shop.sent == [("a", 7), ("c", 7)], "a and b rest"
    rig.settle()
    assert rig.shop.sent == [("a", 7), ("c", 7), ("b", 7)]
    assert {row["key"] for row in rig.rows("delivered") if row["value"] == "7"} == {"a", "b", "c"}


def test_a_newer_value_taken_while_the_older_is_under_way_waits_with_it(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.target.batch = 1
    change(rig, "A", to=7)
    rig.shop.plans["a"].append("late")

    def work() -> None:
        if len(rig.shop.batches) == 1:
            change(rig, "A", to=8)
        in_flight.waiting()

    rig.shop.during = work
    rig.send()
    assert rig.shop.sent == [("a", 7)]
    rig.now += 2 * rig.timeout + 1
    rig.send()
    assert rig.shop.sent == [("a", 7), ("a", 8)]
    rig.shop.land()
    rig.settle()
    assert rig.shop.held("A") == 8


def test_a_write_that_lands_late_is_found_though_the_shop_was_read_anew_and_the_card_is_gone(rig: Rig) -> None:
    rig.start_with(A=0, B=1)
    rig.shop.plans["a"].append("late")
    change(rig, "A", to=1)
    rig.send()
    change(rig, "A", to=0)
    rig.now += 2 * rig.timeout + 1
    rig.send()
    assert rig.values("delivered")["a"] == "0", "read back: the shop still holds it"
    rig.source.remove("A")
    rig.shop.land()
    with rig.state.write() as db:
        targets.baseline(db, TARGET, "none")
    rig.settle()
    assert rig.shop.held("A") == 0


def test_what_is_marked_and_not_sent_loses_its_mark_when_the_target_is_paused(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.target.batch = 1
    change(rig, "A", "B")
    rig.dispatcher.step(rig.now)
    with rig.state.write() as db:
        targets.pause(db, TARGET, paused=True)
    rig.send()
    assert [(row["key"], row["sent_at"]) for row in rig.rows("pending")] == [("b", None)]
    rig.crash()
    with rig.state.write() as db:
        targets.pause(db, TARGET, paused=False)
    rig.send()
    assert rig.shop.sent == [("a", 7), ("b", 7)], "it was no unclear answer, so it needs no rest"


def test_an_orderly_stop_leaves_no_marks_and_the_next_start_sends_at_once(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.target.batch = 1
    change(rig, "A", "B")
    rig.dispatcher.step(rig.now)
    rig.restart()
    rig.send()
    assert rig.shop.sent == [("a", 7), ("b", 7)]


def test_a_paused_target_asks_for_nothing_and_is_not_due(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append("late")
    change(rig, "A")
    rig.send()
    with rig.state.write() as db:
        targets.pause(db, TARGET, paused=True)
    rig.now += 1000
    rig.shop.requests.clear()
    assert not rig.dispatcher.step(rig.now)
    assert rig.dispatcher.next_due(rig.now) is None, "a loop would spin otherwise"
    assert rig.shop.requests == []


def test_an_open_breaker_takes_the_marks_off(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.target.batch = 1
    change(rig, "A", "B")
    rig.dispatcher.step(rig.now)
    rig.breaker.failed(ShopUnavailable("down"), rig.now)
    rig.send()
    assert [row["sent_at"] for row in rig.rows("pending")] == [None]


def test_a_baseline_that_starts_again_takes_the_marks_off(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.target.batch = 1
    change(rig, "A", "B")
    rig.dispatcher.step(rig.now)
    with rig.state.write() as db:
        targets.baseline(db, TARGET, "none")
    rig.dispatcher.step(rig.now)
    assert [row["sent_at"] for row in rig.rows("pending")] == [None]
    rig.send()
    assert rig.shop.held("B") == 7


# unclear


def test_a_lost_answer_rests_two_timeouts_is_read_back_and_not_sent_again_if_applied(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append("applied")
    change(rig, "A")
    rig.send()
    rig.shop.requests.clear()
    rig.now += 2 * rig.timeout - 1
    rig.send()
    assert rig.shop.requests == []
    rig.now += 2
    rig.send()
    assert rig.shop.requests == ["read"]
    assert rig.values("delivered")["a"] == "7"
    assert rig.shop.sent == [("a", 7)]


def test_a_rest_counts_from_the_answer_and_not_from_the_start_of_a_slow_call(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append("late")
    change(rig, "A")
    began = rig.now

    def slow() -> None:
        rig.now += 100

    rig.shop.during = slow
    rig.dispatcher.step(began)
    rig.shop.requests.clear()
    rig.now += 2 * rig.timeout - 1
    rig.send()
    assert rig.shop.requests == []
    rig.now += 1
    rig.dispatcher.step(rig.now)
    assert rig.shop.requests == ["read"]


def test_a_write_that_lands_after_the_read_back_is_found_and_repaired_by_the_verification(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append("late")
    change(rig, "A", to=2)
    rig.send()
    change(rig, "A", to=3)
    rig.now += 2 * rig.timeout + 1
    rig.send()
    assert rig.shop.held("A") == 3
    rig.shop.land()
    assert rig.shop.held("A") == 2
    rig.settle()
    assert rig.shop.held("A") == 3


def test_other_keys_go_on_while_one_rests(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.shop.plans["a"].append("late")
    change(rig, "A", "B")
    rig.send()
    change(rig, "B", to=8)
    rig.send()
    assert rig.shop.held("B") == 8


def test_what_was_in_flight_when_the_power_went_is_unclear(rig: Rig) -> None:
    rig.start_with(A=1)
    change(rig, "A")
    rig.dies_at = "after-send"
    with pytest.raises(PowerCut):
        rig.dispatcher.step(rig.now)
    rig.crash()
    rig.send()
    assert rig.shop.sent == [("a", 7)]
    assert rig.rows("pending")[0]["reason"] == "the agent stopped before the answer came"
    rig.settle()
    assert rig.shop.sent == [("a", 7)]
    assert rig.rows("delivered", "a")[-1]["answer"] == "read back: the shop holds 7"


def test_a_held_row_that_the_shop_turns_out_to_have_already_is_settled(tmp_path: Path) -> None:
    with plugged(Rig(tmp_path, share=0.0)) as rig:
        rig.start_with(A=5)
        rig.shop.plans["a"].append("not applied")
        change(rig, "A", to=3)
        rig.send()
        change(rig, "A", to=0)
        assert rig.values("held") == {"a": "0"}
        rig.shop.stock["p1"] = 0
        rig.settle()
        assert rig.values("held") == {}
        assert rig.shadow("a") == "0"


def test_unclear_with_a_bad_probe_counts_no_attempt(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append("not applied")
    rig.shop.probe_down = ShopUnavailable("down")
    change(rig, "A")
    rig.send()
    assert [row["attempts"] for row in rig.rows("pending")] == [0]
    assert rig.breaker.state.failures == 1


def test_an_item_that_stays_unclear_beside_good_probes_is_dead_after_its_attempts(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.shop.plans["a"].extend(["not applied"] * 20)
    change(rig, "A", "B")
    rig.settle()
    assert rig.values("dead") == {"a": "7"}
    assert rig.shop.held("B") == 7
    assert rig.shop.sent.count(("a", 7)) == MOST_ATTEMPTS


def test_a_key_that_cannot_be_read_back_does_not_hold_up_the_others(rig: Rig) -> None:
    codes = [f"K{number}" for number in range(40)]
    rig.target.batch = 100
    rig.start_with(**dict.fromkeys(codes, 1))
    for code in codes:
        rig.shop.plans[code.lower()].append("applied")
    change(rig, *codes)
    rig.shop.unreadable = {"k17"}
    rig.send()
    rig.shop.requests.clear()
    rig.now += 2 * rig.timeout + 1
    rig.send()
    assert len(rig.values("delivered")) == 40
    assert rig.shop.sent.count(("k17", 7)) == 2, "what cannot be looked at is sent again"
    assert rig.shop.requests.count("read") <= 13
    assert rig.values("pending") == {}


# certainly not processed


def test_no_request_leaves_before_the_shops_retry_after(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.calls.append(ShopUnavailable("slow down", retry_after=120.0))
    change(rig, "A")
    rig.send()
    rig.shop.requests.clear()
    answered = rig.now
    while rig.now < answered + 119:
        rig.send()
        rig.now += 7
    assert rig.shop.requests == []
    assert rig.dispatcher.next_due(rig.now) == answered + 120
    rig.now = answered + 120
    rig.send()
    assert rig.shop.held("A") == 7
    assert [row["attempts"] for row in rig.rows("delivered", "a")][-1] == 0


def test_a_retry_after_counts_from_the_answer(rig: Rig) -> None:
    rig.start_with(A=1)
    change(rig, "A")

    def slow_refusal() -> None:
        rig.now += 20
        rig.shop.during = lambda: None
        raise ShopUnavailable("slow down", retry_after=30.0)

    rig.shop.during = slow_refusal
    rig.dispatcher.step(rig.now)
    assert rig.breaker.waits_until(rig.now) == rig.now + 30


def test_a_shop_that_is_down_is_told_by_its_probe_and_catches_up_with_the_last_values_only(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.shop.down = ShopUnavailable("refused")
    for pieces in (2, 3, 4):
        change(rig, "A", "B", to=pieces)
        rig.send()
        rig.now += 3600
    assert {row["attempts"] for row in rig.rows("pending")} == {0}
    rig.shop.down = None
    rig.settle()
    assert rig.shop.sent == [("a", 4), ("b", 4)]


def test_a_refusal_beside_a_good_probe_waits_longer_each_time_and_counts_no_attempt(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.calls.extend([ShopUnavailable("locked")] * 3)
    change(rig, "A")
    waits = []
    for _ in range(3):
        rig.send()
        due = rig.dispatcher.next_due(rig.now)
        assert due is not None
        waits.append(due - rig.now)
        rig.now = due
    rig.send()
    assert waits == [1.0, 2.0, 4.0]
    assert rig.shop.held("A") == 7
    assert rig.breaker.state.failures == 0


def test_a_denied_item_beside_a_good_probe_is_to_blame_and_the_others_are_not(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.shop.plans["a"].extend([ShopUnavailable("forbidden", denied=True)] * 20)
    change(rig, "A", "B")
    rig.settle()
    assert rig.values("dead") == {"a": "7"}
    assert rig.shop.held("B") == 7


def test_a_denied_key_whose_probe_is_denied_too_waits_and_burns_nothing(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.down = ShopUnavailable("the key was revoked", denied=True)
    change(rig, "A")
    for _ in range(20):
        rig.send()
        rig.now += 60
    assert [row["attempts"] for row in rig.rows("pending")] == [0]
    rig.shop.down = None
    rig.settle()
    assert rig.shop.held("A") == 7


def test_a_code_at_which_the_search_breaks_is_singled_out_in_the_end(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.put("B", 1)
    rig.shop.put("C", 1)
    rig.shop.unfindable = {"b"}
    change(rig, "A", "B", "C")
    rig.settle()
    assert rig.values("dead") == {"b": "7"}
    assert (rig.shop.held("A"), rig.shop.held("C")) == (7, 7)


# to blame


@pytest.mark.parametrize(("batch", "bad"), [(100, 0), (100, 57), (100, 99), (300, 123)])
def test_a_refused_batch_is_bisected_and_only_the_poison_dies(rig: Rig, batch: int, bad: int) -> None:
    codes = [f"K{number:03}" for number in range(batch)]
    rig.target.batch = batch
    rig.start_with(**dict.fromkeys(codes, 1))
    rig.shop.plans[codes[bad].lower()].extend([BatchRefused("invalid", request="PUT", answer="400")] * 50)
    change(rig, *codes)
    rig.settle()
    assert list(rig.values("dead")) == [codes[bad].lower()]
    assert sum(1 for keys in rig.shop.batches if codes[bad].lower() in keys) == MOST_ATTEMPTS
    assert [code for code in codes if rig.shop.held(code) != 7] == [codes[bad]]
    assert rig.rows("dead")[0]["answer"] == "400"


def test_a_bug_in_the_adapter_is_dead_after_its_attempts_with_its_traceback(rig: Rig) -> None:
    rig.start_with(A=1, B=1)
    rig.shop.plans["a"].extend([ZeroDivisionError("what a bug")] * 20)
    change(rig, "A", "B")
    rig.settle()
    row = rig.rows("dead")[0]
    assert row["key"] == "a"
    assert row["attempts"] == MOST_ATTEMPTS
    assert "ZeroDivisionError" in row["reason"]
    assert "in _one" in row["answer"]
    assert rig.shop.held("B") == 7


def test_an_adapter_that_answers_for_too_few_items_is_a_bug_and_not_sent_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.start_with(A=1)
    change(rig, "A")
    monkeypatch.setattr(type(rig.shop), "deliver", lambda *_: [])
    rig.settle()
    assert rig.values("dead") == {"a": "7"}
    assert "0 outcomes for 1 items" in rig.rows("dead")[0]["answer"]


def test_a_traceback_is_kept_without_the_secrets(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.dispatcher.redact = lambda text: text.replace("hunter2", "***")
    rig.shop.plans["a"].append(ZeroDivisionError("key hunter2"))
    change(rig, "A")
    rig.send()
    row = rig.rows("pending")[0]
    assert "key ***" in row["answer"]
    assert "hunter2" not in str(row)


def test_growing_delays_separate_the_attempts_of_a_row_that_fails_alone(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.calls.extend([BatchRefused("invalid")] * 20)
    change(rig, "A")
    times = []
    for _ in range(MOST_ATTEMPTS - 1):
        rig.send()
        times.append(rig.now)
        due = rig.dispatcher.next_due(rig.now)
        assert due is not None
        rig.now = due
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def test_an_answer_that_is_nonsense_does_not_stop_the_target(rig: Rig) -> None:
    rig.shop.put("HUGE", 10**30)
    rig.start_with(A=1)
    change(rig, "A")
    rig.send()
    assert rig.shop.held("A") == 7


# codes


def test_an_unknown_code_is_dead_with_a_hint_and_the_next_event_tries_again(rig: Rig) -> None:
    rig.start_with(A=1)
    change(rig, "X", to=1)
    rig.send()
    assert "'X'" in rig.rows("dead")[0]["reason"]
    assert "Create the product" in rig.rows("dead")[0]["hint"]
    rig.shop.put("x ", 0)
    change(rig, "X", to=2)
    rig.send()
    assert rig.shop.held("X") == 2
    assert rig.values("dead") == {}


def test_a_code_that_the_shop_knows_twice_is_dead_until_it_is_corrected_and_retried(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.put("X", 1)
    second = rig.shop.put("x", 2)
    change(rig, "X")
    rig.send()
    assert "twice" in rig.rows("dead")[0]["reason"]
    rig.shop.codes[second] = "other"
    rig.retry("x")
    rig.run()
    assert rig.shop.held("X") == 7


def test_a_code_that_is_doubled_over_two_pages_of_the_baseline_is_dead_and_neither_is_written(rig: Rig) -> None:
    rig.shop.page_size = 1
    rig.shop.put("A", 1)
    rig.shop.put("a", 1)
    rig.source.set("A", 1)
    rig.run()
    assert list(rig.values("dead")) == ["a"], "although the first of the two held the very value"
    assert rig.link("a") is None
    change(rig, "A", to=5)
    rig.send()
    assert set(rig.shop.stock.values()) == {1}


def test_a_code_that_is_doubled_within_one_page_is_dead_too(rig: Rig) -> None:
    rig.shop.put("A", 1)
    rig.shop.put("a", 3)
    rig.source.set("A", 5)
    rig.run()
    assert list(rig.values("dead")) == ["a"]
    assert sorted(map(str, rig.shop.stock.values())) == ["1", "3"]


# time


@pytest.mark.parametrize("jump", [-30 * 86400.0, 30 * 86400.0])
def test_a_clock_that_jumps_between_two_runs_strands_nothing(rig: Rig, jump: float) -> None:
    rig.start_with(A=1, B=1)
    rig.shop.plans["a"].append("not applied")
    rig.shop.plans["b"].extend([BatchRefused("invalid")] * 2)
    change(rig, "A", "B")
    rig.settle(most=4)
    rig.breaker.failed(ShopUnavailable("down"), rig.now)
    rig.now += jump
    rig.restart()
    for _ in range(20):
        rig.run()
        rig.now += 61
    assert (rig.shop.held("A"), rig.shop.held("B")) == (7, 7)


def test_live_changes_go_before_bulk_ones(rig: Rig) -> None:
    rig.start_with(A=1, B=1, C=1)
    with rig.state.write() as db:
        bulk = [outbox.Entry(TARGET, key, key.upper(), "5", lane=outbox.BULK) for key in ("a", "b")]
        outbox.enqueue(db, TARGET, bulk, now=rig.now)
        outbox.enqueue(db, TARGET, [outbox.Entry(TARGET, "c", "C", "5")], now=rig.now)
    rig.send()
    assert [key for key, _ in rig.shop.sent] == ["c", "a", "b"]


def test_a_rejection_is_a_dead_letter_with_reason_hint_and_exchange(rig: Rig) -> None:
    rig.start_with(A=1)
    rig.shop.plans["a"].append(Rejected("too many", "Lower it."))
    change(rig, "A")
    rig.send()
    row = rig.rows("dead")[0]
    assert (row["reason"], row["hint"]) == ("too many", "Lower it.")
    change(rig, "A", to=8)
    rig.send()
    assert rig.values("dead") == {}, "a dead letter is superseded by the next value"
    assert rig.shop.held("A") == 8
