"""Claims about the target of order states: which state follows from what, and that it never goes backwards."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from typing import Any

import pytest

from agent.entries import to_json
from agent.errors import Unusable
from agent.events import Value
from agent.sources.rows_catalogue import OrderLine, OrderRow
from agent.targets import GuardCount
from agent.targets.order_states import OrderStates, OrderStateSettings

MAP = {"partly": "4", "transferred": "5", "executed": "7", "cancelled": "6"}
DAY = dt.datetime(2026, 11, 20)  # noqa: DTZ001 - POHODA's times have no zone


def row(number: int = 1, *lines: tuple[object, object, object], **given: Any) -> OrderRow:  # noqa: ANN401 - any field
    plain: dict[str, Any] = {"code": "ABC", "date": DAY, "lines": tuple(OrderLine(*each) for each in lines)}
    return OrderRow(number, **plain | given)


def target(**given: Any) -> OrderStates:  # noqa: ANN401 - any setting
    return OrderStates(OrderStateSettings(**{"map": MAP} | given))


def value(*rows: OrderRow, **given: Any) -> dict[str, Value]:  # noqa: ANN401 - any setting
    made = target(**given).value("abc", rows)
    assert isinstance(made, dict)
    return made


def state(*rows: OrderRow, **given: Any) -> Value:  # noqa: ANN401 - any setting
    made = target(**given).value("abc", rows)
    return made["state"] if isinstance(made, dict) else None


# ------------------------------------------------------------------------------------------------- which state


def test_an_order_of_which_nothing_follows_says_nothing() -> None:
    assert target().value("abc", []) is None
    assert target().value("abc", [row()]) is None
    assert target().value("abc", [row(1, ("A", 5, 0), ("B", 1, None))]) is None
    assert target().absent() is None


def test_each_fact_gives_its_state_with_those_after_and_before_it() -> None:
    assert value(row(transferred=True)) == {"state": "5", "reached": ["5", "7"], "before": ["4"]}
    assert value(row(executed=1)) == {"state": "7", "reached": ["7"], "before": ["4", "5"]}
    assert value(row(1, ("A", 2, 1))) == {"state": "4", "reached": ["4", "5", "7"], "before": [], "lines": {"A": 1}}


def test_a_cancellation_is_no_rank_and_comes_after_all() -> None:
    assert value(row(cancelled=DAY)) == {"state": "6", "reached": ["6"], "before": ["4", "5", "7"]}
    assert "6" not in [*value(row(executed=True))["before"], *value(row(executed=True))["reached"]]  # type: ignore[misc] # lists


def test_the_furthest_of_what_holds_is_told_in_the_order_of_the_map() -> None:
    both = row(executed=True, transferred=True)
    assert state(both) == "7"
    assert state(both, map={"executed": "7", "transferred": "5"}) == "5"
    assert state(row(1, ("A", 2, 1), executed=True)) == "7"


def test_a_fact_that_is_not_mapped_says_nothing() -> None:
    assert state(row(executed=True), map={"transferred": "5"}) is None
    assert state(row(executed=True, transferred=True), map={"transferred": "5"}) == "5"
    assert state(row(1, ("A", 2, 1)), map={"executed": "7"}) is None
    assert state(row(cancelled=DAY), map={"executed": "7"}) is None
    assert state(row(executed=True), map={}) is None


def test_a_cancelled_order_is_never_executed() -> None:
    done = row(cancelled=DAY, executed=True, transferred=True)
    assert state(done) == "6"
    assert state(done, map={"executed": "7", "transferred": "5", "partly": "4"}) is None


@pytest.mark.parametrize("not_cancelled", [None, "", False])
def test_a_cancellation_is_a_date(not_cancelled: object) -> None:
    assert state(row(cancelled=not_cancelled, executed=True)) == "7"


# -------------------------------------------------------------------------------------- several rows of one order


def test_an_order_of_several_rows_is_cancelled_only_if_all_are() -> None:
    assert state(row(1, cancelled=DAY), row(2, cancelled=DAY)) == "6"
    assert state(row(1, cancelled=DAY), row(2)) is None
    assert state(row(1, cancelled=DAY), row(2, executed=True)) == "7"


def test_it_is_executed_only_if_all_live_rows_are() -> None:
    assert state(row(1, executed=True), row(2, executed=True)) == "7"
    assert state(row(1, executed=True), row(2)) == "4"
    assert state(row(1, executed=True), row(2), map={"executed": "7"}) is None
    assert state(row(1, executed=True), row(2, transferred=True)) == "4"


def test_it_is_no_part_when_all_was_transferred() -> None:
    whole = row(1, ("A", 2, 2), transferred=True)
    assert state(whole, map={"transferred": "5", "partly": "4"}) == "5"
    assert state(whole, map={"partly": "4"}) is None


def test_what_a_cancelled_row_delivered_does_not_count() -> None:
    assert state(row(1, ("A", 2, 1), cancelled=DAY), row(2, ("A", 2, 0))) is None


def test_the_order_of_the_rows_makes_no_other_value() -> None:
    rows = [
        row(1, ("a", 2, 1), tracking="T1", listed="x"),
        row(2, ("A", 2, 1), ("B", 1, 1), tracking="T2"),
        row(3, executed=True, carrier="PPL"),
        row(4, ("C", 1, 1), cancelled=DAY),
    ]
    settings: dict[str, Any] = {"tracking_column": "VPrT", "carrier_column": "VPrC", "list_map": {"x": "9"}}
    made = {to_json(target(**settings).value("abc", each)) for each in permutations(rows)}
    assert made == {
        '{"before":["9"],"carrier":"PPL","lines":{"B":1,"a":2},"reached":["4","5","7"],"state":"4","tracking":"T2"}'
    }


# ------------------------------------------------------------------------------------------------------- the list

LIST: dict[str, Any] = {"list_column": "RefVPrStav", "list_map": {"Zabaleno": "20", "Na  cestě": "5", "Vráceno": "21"}}


def test_of_the_list_and_the_ticks_the_furthest_counts() -> None:
    assert state(row(listed=" ZABALENO "), **LIST) == "20"
    assert state(row(executed=True, listed=" ZABALENO "), **LIST) == "7"  # packed before, executed now
    assert state(row(executed=True, listed="Vráceno"), **LIST, progress=("20", "4", "5", "7", "21")) == "21"
    assert state(row(listed="na cestě"), **LIST) == "5"
    assert state(row(executed=True, listed="Jiný"), **LIST) == "7"
    assert state(row(executed=True, listed=None), **LIST) == "7"
    assert state(row(listed="Zabaleno", cancelled=DAY), **LIST) == "6"


def test_states_of_the_list_come_before_those_of_the_map_unless_their_order_is_said() -> None:
    assert value(row(listed="Zabaleno"), **LIST)["reached"] == ["20", "21", "4", "5", "7"]
    assert value(row(listed="Na cestě"), **LIST) == {"state": "5", "reached": ["5", "7"], "before": ["20", "21", "4"]}
    said = value(row(listed="Zabaleno"), **LIST, progress=("4", "20", "5", "7", "21"))
    assert (said["before"], said["reached"]) == (["4"], ["20", "5", "7", "21"])


def test_the_list_of_the_live_row_that_was_saved_last_counts() -> None:
    assert state(row(2, listed="Vráceno"), row(1, listed="Zabaleno"), **LIST) == "21"
    assert state(row(1, listed="Zabaleno"), row(2, listed="Vráceno", cancelled=DAY), **LIST) == "20"
    assert state(row(1, listed="Zabaleno"), row(2), **LIST) is None


def test_the_list_may_cancel_and_may_tell_of_a_cancellation_that_is_not_mapped() -> None:
    listed = {"list_map": {"Storno": "6"}}
    assert value(row(listed="storno"), **listed) == {"state": "6", "reached": ["6"], "before": ["4", "5", "7"]}
    assert state(row(listed="storno", cancelled=DAY), map={"executed": "7"}, **listed) == "6"


def test_a_state_of_the_list_has_no_lines() -> None:
    assert "lines" not in value(row(1, ("A", 2, 1), listed="Na cestě"), **LIST)


# -------------------------------------------------------------------------------------------- tracking and lines


def test_tracking_and_carrier_are_of_the_row_with_the_highest_id_that_has_one() -> None:
    columns = {"tracking_column": "VPrZasilka", "carrier_column": "VPrDopravce"}
    rows = [
        row(3, executed=True),
        row(2, executed=True, tracking=" T 2 "),
        row(1, executed=True, tracking="T1", carrier="PPL"),
    ]
    shipped = {"tracking": "T 2", "carrier": "PPL"}
    assert value(*rows, **columns) == {"state": "7", "reached": ["7"], "before": ["4", "5"]} | shipped
    assert "tracking" not in value(*rows), "only where a column is configured"
    assert "tracking" not in value(row(executed=True, tracking="  "), **columns)
    assert value(row(executed=True, tracking=1234567890.0), **columns)["tracking"] == "1234567890"


def test_a_tracking_number_alone_says_nothing() -> None:
    assert target(tracking_column="VPrZ").value("abc", [row(tracking="T1")]) is None


def test_a_cancelled_order_is_not_tracked() -> None:
    assert "tracking" not in value(row(cancelled=DAY, tracking="T1"), tracking_column="VPrZ")


def test_a_tracking_number_that_no_shop_keeps_is_unusable_and_names_its_column() -> None:
    with pytest.raises(Unusable) as caught:
        value(row(executed=True, tracking="x" * 65), tracking_column="VPrZ")
    assert caught.value.field == "OBJ.VPrZ"
    assert caught.value.hint
    assert value(row(executed=True, tracking="x" * 64), tracking_column="VPrZ")["tracking"] == "x" * 64


def test_lines_are_whole_pieces_delivered_by_code() -> None:
    lines = [
        ("B", 9, 1.6),
        ("b ", 9, 1.5),
        ("A", 1, 0),
        ("", 1, 1),
        (None, 1, 1),
        ("C", 1, 0.9),
        ("D", 3, 2.9999999999),
    ]
    assert value(row(1, *lines))["lines"] == {"B": 3, "D": 3}
    assert value(row(1, executed=True), row(2))["lines"] == {}


def test_delivered_pieces_that_are_no_number_are_unusable() -> None:
    with pytest.raises(Unusable) as caught:
        value(row(1, ("A", 1, "many")))
    assert caught.value.field == "OBJpol.Dodano"


# ---------------------------------------------------------------------------------------------------------- since


def test_an_order_older_than_since_says_nothing() -> None:
    since = dt.date(2026, 11, 20)
    assert state(row(executed=True), since=since) == "7"
    assert state(row(executed=True, date="2026-11-19 23:59:59"), since=since) is None
    assert state(row(1, executed=True, date=dt.date(2026, 11, 19)), row(2, executed=True), since=since) is None


def test_an_order_without_a_date_is_unusable_where_the_date_decides() -> None:
    with pytest.raises(Unusable) as caught:
        state(row(executed=True, date=None), since=dt.date(2026, 11, 20))
    assert caught.value.field == "OBJ.Datum"
    assert state(row(executed=True, date=None)) == "7"


# ----------------------------------------------------------------------------------------------- same and guard


def test_an_order_that_was_ever_that_far_is_as_it_should_be() -> None:
    sent, same = value(row(transferred=True)), target().same
    assert same(sent, {"state": "5", "been": ["1", "5"]})
    assert same(sent, {"state": "7", "been": ["1", "7"]})
    assert same(sent, {"state": "8", "been": ["1", "5", "8"]})
    assert not same(sent, {"state": "4", "been": ["1", "4"]})
    assert not same(sent, {"state": "1", "been": ["1"]})
    assert not same(sent, {"state": "1", "been": []})
    assert not same(sent, None)


def test_an_order_that_was_left_alone_is_settled() -> None:
    sent = value(row(transferred=True, tracking="T"), tracking_column="VPrZ")
    assert target().same(sent, {"state": "6", "been": ["1", "6"], "left": True})
    assert not target().same(sent, {"state": "6", "been": ["1", "6"], "left": False})


def test_an_end_that_is_a_stage_on_the_way_settles_nothing() -> None:
    assert not target().same(value(row(cancelled=DAY)), {"state": "7", "been": ["1", "7"], "left": True})
    assert target().same(value(row(cancelled=DAY)), {"state": "8", "been": ["1", "8"], "left": True})


def test_the_tracking_number_counts_where_it_was_sent_and_has_a_place() -> None:
    sent, same = value(row(executed=True, tracking="T1"), tracking_column="VPrZ"), target().same
    assert same(sent, {"state": "7", "been": ["7"], "tracking": " T1 "})
    assert not same(sent, {"state": "7", "been": ["7"], "tracking": ""})
    assert not same(sent, {"state": "7", "been": ["7"], "tracking": None})
    assert same(sent, {"state": "7", "been": ["7"]})
    assert same(value(row(executed=True)), {"state": "7", "been": ["7"], "tracking": "T1"})


def test_of_a_part_as_much_must_be_delivered_where_the_shop_tells() -> None:
    sent, same = value(row(1, ("A", 5, 3))), target().same
    assert same(sent, {"state": "4", "been": ["4"]})
    assert same(sent, {"state": "4", "been": ["4"], "lines": {"a": 3}})
    assert same(sent, {"state": "4", "been": ["4"], "lines": {"A": 4, "B": 1}})
    assert not same(sent, {"state": "4", "been": ["4"], "lines": {"A": 2}})
    assert not same(sent, {"state": "4", "been": ["4"], "lines": {}})


def test_two_values_of_ours_are_the_same_only_if_they_are_equal() -> None:
    one, two = value(row(1, ("A", 5, 1))), value(row(1, ("A", 5, 2)))
    assert target().same(one, one)
    assert not target().same(two, one), "more was delivered since"
    assert not target().same(value(row(executed=True)), value(row(transferred=True)))


def test_the_guard_counts_orders_that_get_cancelled() -> None:
    guard, cancelled, done = target(), value(row(cancelled=DAY)), value(row(executed=True))
    assert guard.counts(done, cancelled)
    assert guard.counts(None, cancelled)
    assert guard.counts({"state": "2", "been": ["1", "2"]}, cancelled)
    assert not guard.counts(cancelled, cancelled)
    assert not guard.counts({"state": "6", "been": ["1", "6"]}, cancelled)
    assert not guard.counts({"state": "8", "been": ["6", "8"]}, cancelled)
    assert not guard.counts(cancelled, done)
    assert not target(map={"executed": "7"}).counts(None, done)


def test_the_guard_holds_many_cancellations_and_nothing_else() -> None:
    assert not target().guard(GuardCount(9, 9))
    assert not target().guard(GuardCount(20, 100))
    assert "21 of 100 orders would be cancelled, more than 20%" in target().guard(GuardCount(21, 100))


def test_the_order_of_the_map_forms_the_values() -> None:
    digests = {
        target(**given).fingerprint()
        for given in (
            *({}, {"map": dict(reversed(MAP.items()))}, {"map": MAP | {"executed": "8"}}, {"list_map": {"a": "1"}}),
            *({"list_map": {"a": "1", "b": "2"}}, {"list_map": {"b": "2", "a": "1"}}, {"tracking_column": "VPrZ"}),
            *({"carrier_column": "VPrZ"}, {"since": dt.date(2026, 1, 1)}, {"order_number": "id"}, LIST),
        )
    }
    assert len(digests) == 11
    assert (target().batch_size("vendure"), target().batch_size("prestashop")) == (1, 10)
    assert (target().thing, target().creates, target().creator) == ("order", False, "")
