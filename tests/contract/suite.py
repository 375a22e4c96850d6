"""The contract of `agent.shops.Shop` as claims that hold for every kind; a kind joins by a `World` in test_contract.

A claim sees the adapter from one side and the shop from the other, through readings that do not use the adapter.
Between them is a proxy that can spoil answers, so that the same bad days happen to every kind. Claims share a shop:
each makes products of its own, with codes that no other claim uses.
"""

from __future__ import annotations

from contextlib import closing

import pytest

from agent.events import Done, Event, Held, Owed, Rejected, Unclear, Untried, Value, Wanted, key_of
from tests.contract.world import (
    Q,
    World,
    code,
    held_of,
    holds,
    owe,
    settle,
    shop_said,
    things,
    values,
    want,
    writes,
)


def claim_delivering_twice_is_like_delivering_once(world: World) -> None:
    with closing(world.shop()) as shop:
        one, two = things(world, shop, 5, 6)
        for _ in range(2):
            assert values(shop.deliver(Q, [owe(one, 7), owe(two, 0)])) == [7, 0]
            assert [holds(world, one), holds(world, two)] == [7, 0]


def claim_outcomes_come_in_the_order_given(world: World) -> None:
    with closing(world.shop()) as shop:
        some = things(world, shop, 0, 0, 0, 0)
        turned = [some[2], some[0], some[3], some[1]]
        outcomes = shop.deliver(Q, [owe(held, 10 + place) for place, held in enumerate(turned)])
        assert values(outcomes) == [10, 11, 12, 13]
        assert [outcome.link for outcome in outcomes if isinstance(outcome, Done)] == [held.link for held in turned]
        assert [holds(world, held) for held in some] == [11, 13, 10, 12]


def claim_a_hundred_items_are_one_write(world: World) -> None:
    with closing(world.shop()) as shop:
        some = things(world, shop, *range(100))
        before = writes(world)
        assert values(shop.deliver(Q, [owe(held, 1000 + n) for n, held in enumerate(some)])) == list(range(1000, 1100))
        assert writes(world) == before + 1
        assert [holds(world, held) for held in some] == list(range(1000, 1100))


def claim_nothing_asked_nothing_answered(world: World) -> None:
    with closing(world.shop()) as shop:
        before = writes(world)
        assert (shop.deliver(Q, []), shop.read(Q, []), shop.find(Q, [])) == ([], {}, {})
        assert writes(world) == before


def claim_an_unknown_link_is_lost(world: World) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 1)
        for link in (world.unknown_link, None):
            (outcome,) = shop.deliver(Q, [Owed(owe(held, 3).event, link)])
            assert isinstance(outcome, Rejected)
            assert outcome.link_lost
            assert outcome.hint
        assert holds(world, held) == 1


def claim_a_deleted_thing_is_gone_for_every_call(world: World) -> None:
    with closing(world.shop()) as shop:
        gone, there = things(world, shop, 1, 2)
        world.remove(gone.code)
        (outcome,) = shop.deliver(Q, [owe(gone, 3)])
        assert isinstance(outcome, Rejected)
        assert outcome.link_lost
        assert set(shop.read(Q, [want(gone), want(there)])) == {there.key}
        assert set(shop.find(Q, [want(gone), want(there)])) == {there.key}


@pytest.mark.parametrize("place", [0, 2, 4])
def claim_one_bad_item_does_not_keep_the_others(world: World, place: int) -> None:
    with closing(world.shop()) as shop:
        some = things(world, shop, 0, 0, 0, 0)
        owed = [owe(held, 20 + n) for n, held in enumerate(some)]
        bad = Owed(Event(Q, "bad", 1, "bad"), world.unknown_link)
        owed.insert(place, bad)
        first = shop_said(shop, owed)
        assert not any(isinstance(outcome, Unclear) for outcome in first)
        for item, outcome in zip(owed, first, strict=True):  # done means done, untried means not applied
            if item is not bad:
                now = holds(world, some[owed.index(item) - (owed.index(item) > place)])
                assert (now == item.event.value) if isinstance(outcome, Done) else isinstance(outcome, Untried)
        final = settle(shop, owed)
        assert [type(outcome) for outcome in final] == [Rejected if item is bad else Done for item in owed]
        assert [holds(world, held) for held in some] == [20, 21, 22, 23]


def claim_find_knows_the_unknown_the_doubled_and_the_rest(world: World) -> None:
    with closing(world.shop()) as shop:
        known, twice, unknown = code(), code(), code()
        world.add((known, 4), (twice, 1), (twice.lower(), 2))
        found = shop.find(Q, [Wanted(key_of(each), each) for each in (unknown, twice, known)])
        assert set(found) == {key_of(known), key_of(twice)}
        doubled, held = found[key_of(twice)], found[key_of(known)]
        assert isinstance(doubled, Rejected)
        assert doubled.hint
        assert isinstance(held, Held)
        assert (held.code, held.value, held.key) == (known, 4, key_of(known))


def claim_codes_are_compared_without_case_but_with_accents(world: World) -> None:
    with closing(world.shop()) as shop:
        base = code()
        spelt, plain = f"{base}-ŽluŤ", f"{base}-ZluT"
        world.add((spelt, 4))
        wanted = [Wanted(key_of(each), each) for each in (f"{base.lower()}-žluť", f" {plain} ")]
        found = shop.find(Q, wanted)
        assert set(found) == {key_of(spelt)}
        assert held_of(found[key_of(spelt)]).value == 4


def claim_codes_with_strange_characters_are_found_or_refused_never_mistaken(world: World) -> None:
    with closing(world.shop()) as shop:
        base = code()
        ends = [
            "A|B",
            "A,B",
            "5,7",
            "50%",
            "X[1]",
            "[Y",
            "Y]",
            "a&b",
            "O'N",
            'q"q',
            "a+b",
            "#5",
            "b\\s",
            "%41",
            "_",
            "?x",
            "a b",
        ]
        strange = [f"{base}{end}" for end in ends] + [f"|{base}", f"%{base}%", f"!{base}", f">{base}"]
        hopeless = f"[{base}]"
        world.add((base, 1), *((each, 100 + n) for n, each in enumerate(strange)), (hopeless, 9))
        found = shop.find(Q, [Wanted(key_of(each), each) for each in (*strange, base, hopeless)])
        assert held_of(found[key_of(base)]).value == 1
        got = {each: held_of(found[key_of(each)]).value for each in strange}
        assert got == {each: 100 + n for n, each in enumerate(strange)}
        last = found[key_of(hopeless)]
        assert last.value == 9 if isinstance(last, Held) else last.hint


def claim_the_edges_of_a_quantity_are_delivered_or_refused_before_sending(world: World) -> None:
    with closing(world.shop()) as shop:
        held, other = things(world, shop, 5, 0)
        for good in (0, 1, 2**31 - 1, world.smallest):
            assert values(shop.deliver(Q, [owe(held, good)])) == [good]
            assert holds(world, held) == good
        too_small = world.smallest - 1
        bad: list[Value] = [2**31, too_small, 1.5, 2.0, True, "5", None, [5], {"quantity": 5}, 10**30, float("nan")]
        for n, value in enumerate(bad):
            before = writes(world)
            refused, neighbour = shop.deliver(Q, [owe(held, value), owe(other, n)])
            assert isinstance(refused, Rejected)
            assert refused.reason
            assert refused.hint
            assert not refused.link_lost
            assert values([neighbour]) == [n]
            assert writes(world) == before + 1
            assert (holds(world, held), holds(world, other)) == (world.smallest, n)


def claim_an_absolute_value_wins_over_a_sale_in_between(world: World) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 10)
        world.sell(held.code, 3)
        assert shop.read(Q, [want(held)])[held.key].value == 7
        world.sell(held.code, 1)
        assert values(shop.deliver(Q, [owe(held, 9)])) == [9]
        world.sell(held.code, 2)
        assert shop.read(Q, [want(held)])[held.key].value == 7  # what the shop holds, not what was sent


def claim_reading_everything_equals_an_independent_reading(world: World) -> None:
    """Each page by an adapter of its own: a token outlives a restart."""
    with closing(world.shop()) as shop:
        things(world, shop, *range(30))
    items: dict[str, Value] = {}
    problems: set[str] = set()
    token: str | None = None
    for _ in range(1000):
        with closing(world.shop()) as shop:
            page = shop.read_page(Q, token)
        assert not items.keys() & {held.key for held in page.items}
        items |= {held.key: held.value for held in page.items}
        problems |= {key for key, _ in page.problems}
        if (token := page.next) is None:
            break
    assert token is None
    real = [(key_of(spelt), quantity) for spelt, quantity in world.everything()]
    keys = [key for key, _ in real]
    assert items == {key: quantity for key, quantity in real if keys.count(key) == 1}
    assert problems >= {key for key in keys if keys.count(key) > 1}
    assert not problems & items.keys()


def claim_a_link_of_a_page_is_the_link_of_a_lookup(world: World) -> None:
    with closing(world.shop()) as shop:
        (held,) = things(world, shop, 3)
        token, links = None, []
        while True:
            page = shop.read_page(Q, token)
            links += [other.link for other in page.items if other.key == held.key]
            if (token := page.next) is None:
                break
        assert links == [held.link]


def claim_a_healthy_shop_passes_probe_and_check(world: World) -> None:
    with closing(world.shop()) as shop:
        before = world.everything()
        shop.probe()
        findings = shop.check()
        assert findings
        assert [finding for finding in findings if finding.verdict == "error"] == []
        assert world.secret not in repr(findings)
        assert world.everything() == before


def claim_the_kind_declares_itself(world: World) -> None:
    with closing(world.shop()) as shop:
        assert shop.kind
        assert shop.quantity in {"saleable", "physical"}
