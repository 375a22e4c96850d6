"""The contract of the target ``order_states``: never backwards, never twice, nothing that the customer did not need.

Every claim looks at the history of the order without the adapter: each state in it may have been a mail.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Rejected, Unclear, Untried, Value, key_of
from tests.contract.desk import LOST, ORDERS, TARGETS, desk, done, goods, patience, refusal
from tests.contract.named_suite import pass_on
from tests.contract.world import OrderWorld, everything_spoiled, spoil, writes
from tests.fault_server import (
    Fault,
    answer,
    drop_after_apply,
    hang_after_apply,
    instead,
    late_apply,
    never_apply,
)

TRACKING = "DR123456789CZ"


def way(world: OrderWorld) -> list[str]:
    """The mapped states in order of progress."""
    return [world.begun, world.partly, world.sent, world.delivered]


def wish(world: OrderWorld, state: str, *, mapped: Sequence[str] | None = None, **more: Value) -> dict[str, Value]:
    """The value of an order that is to come into a state; by default all states are mapped."""
    ranks = way(world) if mapped is None else list(mapped)
    at = ranks.index(state) if state in ranks else len(ranks)
    reached: list[Value] = [*ranks[at:]] or [state]
    return {"state": state, "reached": reached, "before": [*ranks[:at]], **more}


def bought(world: OrderWorld, pieces: int = 2) -> tuple[str, str]:
    """An order of one code: its number, and the code."""
    (spelt,) = goods(world)
    return world.buy({spelt: pieces}), spelt


def confirmed(outcome: Outcome) -> dict[str, Value]:
    (one,) = done([outcome])
    assert isinstance(one.confirmed, dict)
    return one.confirmed


# ------------------------------------------------------------------------------------------------ forwards


def claim_an_order_goes_its_way_once_whatever_is_repeated(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        number, spelt = bought(ordering)
        gone = [ordering.begun]
        for state in (ordering.partly, ordering.sent, ordering.delivered):
            gone.append(state)
            value = wish(ordering, state) | ({"lines": {spelt: 1}} if state == ordering.partly else {})
            shop.make(ORDERS, {number: value})
            before = writes(ordering)
            for spelling in (number, number.lower()):
                (outcome,) = shop.make(ORDERS, {spelling: value})
                assert confirmed(outcome)["state"] == state
            assert writes(ordering) == before
            assert shop.holds(ORDERS, {number: value})
            been = ordering.states_of(number)
            assert [each for each in been if each in way(ordering)] == gone
            assert len({*been}) == len(been)  # a shop may have stages of its own in between


def claim_several_orders_in_one_call_come_each_where_it_belongs(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        numbers = [bought(ordering)[0] for _ in range(3)]
        states = [ordering.sent, ordering.begun, ordering.cancelled]
        values = {number: wish(ordering, state) for number, state in zip(numbers, states, strict=True)}
        for _ in range(2):
            shop.make(ORDERS, values)
            assert [ordering.states_of(number) for number in numbers] == [
                [ordering.begun, ordering.sent],
                [ordering.begun],
                [ordering.begun, ordering.cancelled],
            ]


def claim_orders_are_found_by_their_number_without_case_and_only_those(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, ordering.sent)
        found = shop.found(ORDERS, {f" {number.lower()} ": value, number[:-1]: value, f"{number}0": value, "%": value})
        (held,) = found.values()
        assert isinstance(held, Held)
        assert (held.key, held.code) == (key_of(number), number)
        assert not TARGETS[ORDERS].same(value, held.value)
        assert TARGETS[ORDERS].same(wish(ordering, ordering.begun), held.value)


def claim_an_unknown_order_is_not_found_and_its_link_is_lost(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, ordering.sent)
        assert shop.found(ORDERS, {"NENI-TAKOVA": value}) == {}
        shop.look(ORDERS, {number: value})
        for link in ("99999999", "nonsense"):
            shop.links["order"]["neni-takova"] = link
            assert shop.read(ORDERS, {"NENI-TAKOVA": value}) == {}
            outcomes = shop.send(ORDERS, {"NENI-TAKOVA": value, number: value})
            assert refusal(outcomes[0]).link_lost
            assert isinstance(outcomes[1], Done)
        assert ordering.states_of(number) == [ordering.begun, ordering.sent]


def claim_an_unknown_state_is_refused_and_nothing_is_sent(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        (first, _), (second, _) = bought(ordering), bought(ordering)
        shop.look(ORDERS, {first: wish(ordering, ordering.sent), second: wish(ordering, ordering.sent)})
        before = writes(ordering)
        for state in ("9999", "Vyřízeno", "x' OR 1"):
            unheard: Value = {"state": state, "reached": [state], "before": [ordering.begun]}
            (outcome,) = shop.send(ORDERS, {first: unheard})
            assert ordering.sent in refusal(outcome).hint  # it says which there are
        bads: tuple[Value, ...] = (None, 5, {}, {"state": ordering.sent}, {"state": ""}, ["x"])
        for bad in bads:
            (outcome,) = shop.send(ORDERS, {first: bad})
            assert refusal(outcome)
        assert writes(ordering) == before
        unknown: Value = {"state": "9999", "reached": ["9999"], "before": []}
        outcomes = shop.send(ORDERS, {first: unknown, second: wish(ordering, ordering.sent)})
        assert [type(outcome) for outcome in outcomes] == [Rejected, Done]
        assert ordering.states_of(first) == [ordering.begun]


def claim_a_tracking_number_comes_along(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, ordering.sent, tracking=TRACKING, carrier="PPL")
        for _ in range(2):
            (outcome,) = shop.make(ORDERS, {number: value})
            assert confirmed(outcome)["tracking"] == TRACKING
        assert ordering.tracking_of(number) == TRACKING
        assert ordering.states_of(number) == [ordering.begun, ordering.sent]
        assert not TARGETS[ORDERS].same({**value, "tracking": "OTHER"}, outcome.confirmed)


# ------------------------------------------------------------------------------------------------ never backwards


def claim_an_order_never_goes_backwards(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        number, spelt = bought(ordering)
        shop.make(ORDERS, {number: wish(ordering, ordering.delivered)})
        before = writes(ordering), ordering.states_of(number)
        for state in way(ordering)[:-1]:
            shop.make(ORDERS, {number: wish(ordering, state, lines={spelt: 1})})
        assert (writes(ordering), ordering.states_of(number)) == before


def claim_what_a_person_brought_further_is_left_alone(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        number, spelt = bought(ordering)
        ordering.bring(number, ordering.sent)
        before = writes(ordering), ordering.states_of(number)
        (outcome,) = shop.make(ORDERS, {number: wish(ordering, ordering.partly, lines={spelt: 1})})
        assert ordering.sent in _been(outcome)
        shop.make(ORDERS, {number: wish(ordering, ordering.sent)})
        assert (writes(ordering), ordering.states_of(number)) == before
        shop.make(ORDERS, {number: wish(ordering, ordering.delivered)})  # it still goes on
        assert ordering.states_of(number) == [*before[1], ordering.delivered]


def _been(outcome: Outcome) -> list[Value]:
    been = confirmed(outcome)["been"]
    assert isinstance(been, list)
    return been


@pytest.mark.parametrize("end", ["cancelled", "delivered"])
def claim_an_order_at_an_end_that_is_no_stage_is_left_alone(ordering: OrderWorld, end: str) -> None:
    """Only *sent* is mapped: the shop's own ends come after it."""
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        last = ordering.cancelled if end == "cancelled" else ordering.delivered
        ordering.bring(number, last)
        before = writes(ordering), ordering.states_of(number)
        value = wish(ordering, ordering.sent, mapped=[ordering.begun, ordering.sent])
        for _ in range(2):
            (outcome,) = shop.make(ORDERS, {number: value})
            assert confirmed(outcome)["state"] == last
            assert confirmed(outcome).get("left") or ordering.sent in _been(outcome)
        assert shop.holds(ORDERS, {number: value})
        assert (writes(ordering), ordering.states_of(number)) == before


def claim_a_delivered_order_is_not_cancelled(ordering: OrderWorld) -> None:
    """Unless *delivered* is a stage that we set ourselves."""
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        ordering.bring(number, ordering.delivered)
        before = writes(ordering), ordering.states_of(number)
        value = wish(ordering, ordering.cancelled, mapped=[ordering.begun, ordering.sent])
        (outcome,) = shop.make(ORDERS, {number: value})
        assert confirmed(outcome)["left"]
        assert (writes(ordering), ordering.states_of(number)) == before


# ------------------------------------------------------------------------------------------------ stock


def claim_a_cancelled_order_gives_its_stock_back_once_and_says_so(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        one, two = goods(ordering, 2)
        before = [ordering.saleable(each) for each in (one, two)]
        number = ordering.buy({one: 2, two: 3})
        assert [ordering.saleable(each) for each in (one, two)] == [before[0] - 2, before[1] - 3]
        for _ in range(2):
            (outcome,) = shop.make(ORDERS, {number: wish(ordering, ordering.cancelled)})
            assert {key_of(each) for each in outcome.moved} == {key_of(one), key_of(two)}
            assert [ordering.saleable(each) for each in (one, two)] == before
        assert ordering.states_of(number) == [ordering.begun, ordering.cancelled]


def claim_a_sent_order_that_is_cancelled_gives_its_stock_back(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        (spelt,) = goods(ordering)
        before = ordering.saleable(spelt)
        number = ordering.buy({spelt: 2})
        shop.make(ORDERS, {number: wish(ordering, ordering.sent)})
        assert ordering.saleable(spelt) == before - 2
        (outcome,) = shop.make(ORDERS, {number: wish(ordering, ordering.cancelled)})
        assert [key_of(each) for each in outcome.moved] == [key_of(spelt)]
        assert ordering.saleable(spelt) == before
        assert ordering.states_of(number) == [ordering.begun, ordering.sent, ordering.cancelled]


def claim_a_lost_cancellation_still_says_whose_stock_moved(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        number, spelt = bought(ordering)
        value = wish(ordering, ordering.cancelled)
        shop.look(ORDERS, {number: value})
        spoil(ordering, drop_after_apply)
        (outcome,) = shop.send(ORDERS, {number: value})
        ordering.proxy.clear()
        assert isinstance(outcome, Unclear)
        there = shop.read(ORDERS, {number: value})[number]
        assert isinstance(there, dict)
        moved = there["moved"]
        assert isinstance(moved, list)
        assert [key_of(str(each)) for each in moved] == [key_of(spelt)]
        (again,) = shop.make(ORDERS, {number: value})
        assert [key_of(each) for each in again.moved] == [key_of(spelt)]
        assert ordering.states_of(number) == [ordering.begun, ordering.cancelled]


# ------------------------------------------------------------------------------------------------ bad days


@LOST
@pytest.mark.parametrize("state", ["sent", "cancelled"])
def claim_a_state_without_an_answer_is_reached_exactly_once(
    ordering: OrderWorld, state: str, _name: str, fault: Fault
) -> None:
    """The answer is lost at every step of it."""
    with desk(ordering) as shop:
        number, spelt = bought(ordering)
        before = ordering.saleable(spelt)
        goal = getattr(ordering, state)
        value = wish(ordering, goal) | ({"tracking": TRACKING} if state == "sent" else {})
        with desk(ordering, timeout=patience(fault)) as hasty:
            hasty.shop.probe()
            hasty.look(ORDERS, {number: value})
            for step in range(6):
                if not step or fault is not hang_after_apply:  # that one takes its time
                    spoil(ordering, fault)
                (outcome,) = hasty.send(ORDERS, {number: value})
                ordering.proxy.clear()
                if isinstance(outcome, Done):
                    break
                assert isinstance(outcome, Unclear)
                assert ordering.secret not in repr(outcome)
        assert isinstance(outcome, Done)
        shop.look(ORDERS, {number: value})
        assert shop.holds(ORDERS, {number: value})
        assert ordering.states_of(number) == [ordering.begun, goal]
        assert ordering.saleable(spelt) == before + (2 if state == "cancelled" else 0)
        assert ordering.tracking_of(number) == (TRACKING if state == "sent" else "")


@pytest.mark.parametrize("state", ["sent", "cancelled"])
def claim_a_state_that_never_arrived_is_sent_again(ordering: OrderWorld, state: str) -> None:
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, getattr(ordering, state))
        shop.look(ORDERS, {number: value})
        before = writes(ordering)
        spoil(ordering, never_apply)
        (outcome,) = shop.send(ORDERS, {number: value})
        assert isinstance(outcome, Unclear)
        assert writes(ordering) == before + 1  # an adapter never tries a write again
        assert not shop.holds(ORDERS, {number: value})
        assert ordering.states_of(number) == [ordering.begun]
        shop.make(ORDERS, {number: value})
        assert ordering.states_of(number) == [ordering.begun, getattr(ordering, state)]


@pytest.mark.parametrize("state", ["sent", "cancelled"])
def claim_a_state_that_lands_late_after_a_second_delivery_is_there_once(ordering: OrderWorld, state: str) -> None:
    with desk(ordering) as shop:
        number, spelt = bought(ordering)
        before = ordering.saleable(spelt)
        value = wish(ordering, getattr(ordering, state))
        shop.look(ORDERS, {number: value})
        spoil(ordering, late_apply(0.4))
        (outcome,) = shop.send(ORDERS, {number: value})
        assert isinstance(outcome, Unclear)
        shop.make(ORDERS, {number: value})
        while ordering.proxy.late:
            ordering.proxy.late.pop().join()
        assert shop.holds(ORDERS, {number: value})
        assert ordering.states_of(number) == [ordering.begun, getattr(ordering, state)]
        assert ordering.saleable(spelt) == before + (2 if state == "cancelled" else 0)


def claim_an_old_state_that_lands_late_does_not_undo_a_newer_one(ordering: OrderWorld) -> None:
    """What a shop cannot prevent is at least seen by a reading: the newer state comes on top, and is in the history."""
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, ordering.sent)
        shop.look(ORDERS, {number: value})
        spoil(ordering, late_apply(0.3))
        (outcome,) = shop.send(ORDERS, {number: value})
        assert isinstance(outcome, Unclear)
        while ordering.proxy.late:
            ordering.proxy.late.pop().join()
        shop.settle(ORDERS, {number: wish(ordering, ordering.delivered)})
        assert ordering.state_of(number) == ordering.delivered
        assert len(set(ordering.states_of(number))) == len(ordering.states_of(number))


def claim_one_lost_order_of_a_batch_costs_no_other(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        numbers = [bought(ordering)[0] for _ in range(3)]
        values = {number: wish(ordering, ordering.cancelled) for number in numbers}
        shop.look(ORDERS, values)
        spoil(ordering, pass_on, instead(answer(503)))
        outcomes = shop.send(ORDERS, values)
        ordering.proxy.clear()
        assert [type(outcome) for outcome in outcomes] == [Done, Unclear, Untried]
        there = [[ordering.begun, ordering.cancelled], [ordering.begun], [ordering.begun]]
        assert [ordering.states_of(number) for number in numbers] == there
        shop.settle(ORDERS, values)
        assert [ordering.states_of(number) for number in numbers] == [there[0]] * 3


def claim_a_429_changes_no_order(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, ordering.sent)
        shop.look(ORDERS, {number: value})
        spoil(ordering, instead(answer(429, b"slow down", "retry-after: 7")))
        with pytest.raises(ShopUnavailable) as caught:
            shop.send(ORDERS, {number: value})
        assert caught.value.retry_after == 7
        assert ordering.states_of(number) == [ordering.begun]
        shop.make(ORDERS, {number: value})
        assert ordering.states_of(number) == [ordering.begun, ordering.sent]


def claim_a_429_in_the_middle_says_what_was_done(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        numbers = [bought(ordering)[0] for _ in range(2)]
        values = {number: wish(ordering, ordering.cancelled) for number in numbers}
        shop.look(ORDERS, values)
        spoil(ordering, pass_on, instead(answer(429, b"", "retry-after: 7")))
        outcomes = shop.send(ORDERS, values)
        ordering.proxy.clear()
        assert [type(outcome) for outcome in outcomes] == [Done, Untried]
        shop.settle(ORDERS, values)
        assert [ordering.states_of(number) for number in numbers] == [[ordering.begun, ordering.cancelled]] * 2


@pytest.mark.parametrize("status", [401, 403])
def claim_a_denied_state_was_not_applied(ordering: OrderWorld, status: int) -> None:
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, ordering.sent)
        shop.look(ORDERS, {number: value})
        spoil(ordering, *[instead(answer(status, b"no"))] * 4)
        with pytest.raises(ShopUnavailable) as caught:
            shop.send(ORDERS, {number: value})
        ordering.proxy.clear()
        assert caught.value.denied
        assert caught.value.hint
        assert ordering.states_of(number) == [ordering.begun]


@pytest.mark.parametrize("said", [answer(200, b"<h1>Brzy</h1>"), answer(503)], ids=["page", "503"])
def claim_no_state_is_sent_when_the_present_one_cannot_be_read(ordering: OrderWorld, said: bytes) -> None:
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, ordering.sent)
        shop.look(ORDERS, {number: value})
        with everything_spoiled(ordering, instead(said)):
            for call in (shop.found, shop.read, shop.send):
                with pytest.raises(ShopUnavailable):
                    call(ORDERS, {number: value})
        assert ordering.states_of(number) == [ordering.begun]


@pytest.mark.parametrize("said", [answer(500), answer(200, b"<h1>Brzy</h1>")], ids=["500", "page"])
def claim_an_answer_that_is_none_proves_no_state(ordering: OrderWorld, said: bytes) -> None:
    with desk(ordering) as shop:
        number, _ = bought(ordering)
        value = wish(ordering, ordering.cancelled)
        shop.look(ORDERS, {number: value})
        spoil(ordering, instead(said))
        (outcome,) = shop.send(ORDERS, {number: value})
        assert isinstance(outcome, Unclear)
        assert ordering.states_of(number) == [ordering.begun]


def claim_no_orders_no_answers(ordering: OrderWorld) -> None:
    with desk(ordering) as shop:
        before = writes(ordering)
        assert (shop.shop.deliver(ORDERS, []), shop.shop.read(ORDERS, []), shop.shop.find(ORDERS, [])) == ([], {}, {})
        assert writes(ordering) == before
