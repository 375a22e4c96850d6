"""The contract of things that exist once and are named by many: categories, parameters and values, firms.

Every claim holds for each `Sort` of them, on every kind: found by name, never doubled, never created twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from socket import socket

import pytest

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Rejected, Unclear, Untried, Value, key_of
from agent.targets.names import firm_key, term_key, tidy
from tests.contract.desk import TARGETS, C, Desk, F, T, desk, done, fresh, keys, lost_of, patience, refusal
from tests.contract.world import NamedWorld, everything_spoiled, spoil, writes
from tests.fault_server import Fault, FaultProxy, answer, hang_after_apply, instead, late_apply, never_apply

MOST_STEPS = 8
"""Requests that a creation may take."""


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of things: how to say one of a name, and how to see and handle it in the shop."""

    target: str
    said: Callable[[str, str], dict[str, Value]]
    """From the name of what it hangs on, and its own: one value by its key."""
    above: Callable[[str], dict[str, Value]]
    """From its name: what it hangs on; {} for nothing."""
    spelt: Callable[[NamedWorld, Desk, str], list[str]]
    """The names of all such things, below what it hangs on."""
    add: Callable[[NamedWorld, Desk, str, str], object]
    rename: Callable[[NamedWorld, Desk, str, str, str], object]
    remove: Callable[[NamedWorld, Desk, str, str], object]


def _category(above: str, name: str) -> dict[str, Value]:
    (key,) = keys(1)
    return {key: {"name": name, "parent": above or None, "visible": True}}


def _only(world: NamedWorld, shop: Desk, above: str, name: str) -> str:
    place = _parent(world, shop, above), name
    (one,) = (one for one, seen in world.categories().items() if (seen.parent, seen.name) == place)
    return one


def _parent(world: NamedWorld, shop: Desk, above: str) -> str:
    return world.category_in(shop.link(C, above)) if above else world.home()


CATEGORY = Sort(
    C,
    said=_category,
    above=lambda name: _category("", name),
    spelt=lambda world, shop, above: [
        seen.name for seen in world.categories().values() if seen.parent == _parent(world, shop, above)
    ],
    add=lambda world, shop, above, name: world.add_category(name, _parent(world, shop, above)),
    rename=lambda world, shop, above, name, new: world.rename_category(_only(world, shop, above, name), new),
    remove=lambda world, shop, above, name: world.remove_category(_only(world, shop, above, name)),
)
PARAMETER = Sort(
    T,
    said=lambda _, name: {term_key(name): {"name": name}},
    above=lambda _: {},
    spelt=lambda world, _, __: [name for name, value in world.terms() if not value],
    add=lambda world, _, __, name: world.add_term(name),
    rename=lambda world, _, __, name, new: world.rename_term(name, "", new),
    remove=lambda world, _, __, name: world.remove_term(name),
)
VALUE = Sort(
    T,
    said=lambda above, name: {term_key(above, name): {"name": name, "of": above}},
    above=lambda name: {term_key(name): {"name": name}},
    spelt=lambda world, _, above: [value for name, value in world.terms() if value and name == above],
    add=lambda world, _, above, name: world.add_term(above, name),
    rename=lambda world, _, above, name, new: world.rename_term(above, name, new),
    remove=lambda world, _, above, name: world.remove_term(above, name),
)


def _firm(kind: str) -> Sort:
    return Sort(
        F,
        said=lambda _, name: {firm_key(kind, name): {"kind": kind, "name": name}},
        above=lambda _: {},
        spelt=lambda world, _, __: [name for one, name in world.firms() if one == kind],
        add=lambda world, _, __, name: world.add_firm(kind, name),
        rename=lambda world, _, __, name, new: world.rename_firm(kind, name, new),
        remove=lambda world, _, __, name: world.remove_firm(kind, name),
    )


SORTS = {
    "category": CATEGORY,
    "parameter": PARAMETER,
    "value": VALUE,
    "manufacturer": _firm("manufacturer"),
    "supplier": _firm("supplier"),
}
EACH = pytest.mark.parametrize("sort", [*SORTS.values()], ids=[*SORTS])
ROUGHLY = ("category", "parameter", "value", "supplier")
"""Without manufacturers, which go the way of suppliers: for bad days, to be quick."""
MOST = pytest.mark.parametrize("sort", [SORTS[name] for name in ROUGHLY], ids=ROUGHLY)


def begun(sort: Sort, shop: Desk) -> str:
    """Bring about what things of a sort hang on; its key or name, empty for nothing."""
    name = fresh("Nad")
    above = sort.above(name)
    if not above:
        return ""
    shop.make(sort.target, above)
    return next(iter(above)) if sort.target == C else name


def many(sort: Sort, above: str, *names: str) -> dict[str, Value]:
    return {key: value for name in names for key, value in sort.said(above, name).items()}


def times(sort: Sort, world: NamedWorld, shop: Desk, above: str, name: str) -> int:
    """How often a name is there, spelt in whatever way."""
    return [key_of(tidy(one)) for one in sort.spelt(world, shop, above)].count(key_of(tidy(name)))


# ------------------------------------------------------------------------------------------------ once


@EACH
def claim_what_was_created_is_found_by_its_name_with_the_same_link(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh()
        value = sort.said(above, name)
        assert shop.found(sort.target, value) == {}
        (made,) = shop.make(sort.target, value)
        assert sort.spelt(named, shop, above).count(name) == 1
        assert shop.holds(sort.target, value)
        (key,) = value
        shop.forget(sort.target, key)
        (held,) = shop.found(sort.target, value).values()
        assert isinstance(held, Held)
        assert (held.key, held.code, held.link) == (key_of(key), key, made.link)
        assert TARGETS[sort.target].same(value[key], held.value)


@EACH
def claim_things_delivered_twice_are_there_once_and_written_once(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, names = begun(sort, shop), [fresh(), fresh(), fresh()]
        values = many(sort, above, *names)
        first = shop.make(sort.target, values)
        before = writes(named)
        again = shop.make(sort.target, values)
        assert writes(named) == before
        assert [one.link for one in again] == [one.link for one in first]
        assert len({one.link for one in first}) == 3
        assert [times(sort, named, shop, above, name) for name in names] == [1, 1, 1]


@EACH
def claim_names_are_compared_without_case_and_stray_spaces_but_with_accents(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh("Žluťoučký Kůň")
        sort.add(named, shop, above, f"  {name.replace(' ', '   ').upper()} ")
        plain = name.replace("Ž", "Z").replace("ť", "t").replace("ů", "u")
        assert shop.found(sort.target, sort.said(above, plain)) == {}
        value = sort.said(above, name.lower())
        assert len(shop.found(sort.target, value)) == 1
        shop.make(sort.target, value)
        assert times(sort, named, shop, above, name) == 1
        shop.make(sort.target, sort.said(above, plain))
        assert times(sort, named, shop, above, plain) == 1
        assert times(sort, named, shop, above, name) == 1


@EACH
def claim_what_the_owner_made_by_hand_is_taken_and_not_doubled(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh("Ručně")
        sort.add(named, shop, above, name)
        shop.make(sort.target, sort.said(above, name))
        assert sort.spelt(named, shop, above).count(name) == 1


@EACH
def claim_of_several_with_one_name_it_is_always_the_same_one(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh("Dvakrát")
        value = sort.said(above, name)
        sort.add(named, shop, above, name)
        (first,) = shop.found(sort.target, value).values()
        sort.add(named, shop, above, name)
        (again,) = shop.found(sort.target, value).values()
        assert isinstance(first, Held)
        assert isinstance(again, Held)
        assert first.link == again.link
        shop.make(sort.target, value)
        assert times(sort, named, shop, above, name) == 2  # doubles of the owner are the owner's


@EACH
def claim_special_characters_and_czech_letters_survive_in_names(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above = begun(sort, shop)
        names = [
            fresh(word)
            for word in (
                "Tom & syn",
                "Šroub 5\" & O'Neill",
                "Příliš žluťoučký kůň úpěl ďábelské ódy",
                "100 % bavlna, 5,7 (a/b) + [c]",
                "&amp \\ %41 | !",
                "Ÿ ß € „uvozovky“ – ½",
            )
        ]
        values = many(sort, above, *names)
        shop.make(sort.target, values)
        assert set(names) <= set(sort.spelt(named, shop, above))
        links = {key: shop.link(sort.target, key) for key in values}
        shop.forget(sort.target, *values)
        found = shop.found(sort.target, values)
        assert {key: held.link for key, held in found.items() if isinstance(held, Held)} == {
            key_of(key): link for key, link in links.items()
        }


@EACH
def claim_what_the_owner_renamed_is_still_the_same_thing(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh()
        value = sort.said(above, name)
        (made,) = shop.make(sort.target, value)
        new = fresh("Od majitele")
        sort.rename(named, shop, above, name, new)
        (again,) = shop.make(sort.target, value)
        assert again.link == made.link
        there = [times(sort, named, shop, above, one) for one in (name, new)]
        assert there == ([1, 0] if sort is CATEGORY else [0, 1])  # only categories get their name back


@EACH
def claim_what_the_owner_deleted_is_lost_and_made_anew(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name, other = begun(sort, shop), fresh(), fresh()
        value = sort.said(above, name)
        shop.make(sort.target, value)
        sort.remove(named, shop, above, name)
        assert shop.read(sort.target, value) == {}
        both = value | sort.said(above, other)
        outcomes = shop.send(sort.target, both)
        assert refusal(outcomes[0]).link_lost
        assert isinstance(outcomes[1], Done)
        shop.forget(sort.target, *value)
        shop.make(sort.target, value)
        assert [times(sort, named, shop, above, one) for one in (name, other)] == [1, 1]


@EACH
def claim_a_link_that_is_none_is_lost(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh()
        value = sort.said(above, name)
        (key,) = value
        for link in ("99999999", "nonsense", ":", "manufacturer:99999999"):
            shop.links[TARGETS[sort.target].thing][key_of(key)] = link
            assert shop.read(sort.target, value) == {}
            (outcome,) = shop.send(sort.target, value)
            assert refusal(outcome).link_lost
        assert times(sort, named, shop, above, name) == 0


@EACH
def claim_names_that_the_shop_refuses_are_refused_beside_neighbours(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, good = begun(sort, shop), [fresh(), fresh()]
        for bad in ("", "   ", "x" * 300, *named.refused.get(sort.target, ())):
            first, last = (fresh() for _ in range(2))
            batch = [*sort.said(above, first).items(), *sort.said(above, bad).items(), *sort.said(above, last).items()]
            outcomes = shop.settle(sort.target, dict(batch))
            assert [type(outcome) for outcome in outcomes.values()] == [Done, Rejected, Done], bad
            assert not refusal(outcomes[batch[1][0]]).link_lost
            assert times(sort, named, shop, above, bad) == 0
            good += [first, last]
        assert all(times(sort, named, shop, above, name) == 1 for name in good[2:])


@EACH
def claim_nothing_named_nothing_answered(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        before = writes(named)
        target = sort.target
        assert (shop.shop.deliver(target, []), shop.shop.read(target, []), shop.shop.find(target, [])) == ([], {}, {})
        assert writes(named) == before


# ------------------------------------------------------------------------------------------------ bad days


@lost_of({name: SORTS[name] for name in ROUGHLY}, "category", "value")
def claim_a_creation_without_an_answer_is_unclear_and_not_doubled(
    named: NamedWorld, sort: Sort, _name: str, fault: Fault
) -> None:
    """The answer is lost at every step of it, one after another, as often as it takes."""
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh("Ztracená")
        value = sort.said(above, name)
        (wanted,) = value.values()
        with desk(named, shop.links, timeout=patience(fault)) as hasty:
            hasty.shop.probe()
            for step in range(MOST_STEPS):
                hasty.look(sort.target, {key: one for key, one in value.items() if not _linked(hasty, sort, key)})
                if not step or fault is not hang_after_apply:  # that one takes its time
                    spoil(named, fault)
                (outcome,) = hasty.send(sort.target, value)
                named.proxy.clear()
                if isinstance(outcome, Done):
                    break
                assert isinstance(outcome, Unclear)
                assert named.secret not in repr(outcome)
            (outcome,) = done([outcome])
            assert TARGETS[sort.target].same(wanted, outcome.confirmed)
        assert times(sort, named, shop, above, name) == 1
        (held,) = shop.found(sort.target, value).values()
        assert isinstance(held, Held)
        assert held.link == outcome.link


def pass_on(proxy: FaultProxy, request: bytes, connection: socket) -> None:
    """No fault yet."""
    connection.sendall(proxy.forward(request))


def _linked(shop: Desk, sort: Sort, key: str) -> bool:
    return key_of(key) in shop.links[TARGETS[sort.target].thing]


@MOST
def claim_a_creation_without_an_answer_is_sent_once(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above = begun(sort, shop)
        values = many(sort, above, fresh(), fresh())
        shop.shop.probe()
        before = writes(named)
        spoil(named, never_apply)
        outcomes = shop.send(sort.target, values)
        assert isinstance(outcomes[0], Unclear)
        assert isinstance(outcomes[1], Unclear | Untried)
        assert writes(named) == before + 1  # an adapter never tries a write again
        assert shop.found(sort.target, values) == {}
        shop.make(sort.target, values)
        assert all(sort.spelt(named, shop, above).count(str(name)) == 1 for name in _names(values))


def _names(values: dict[str, Value]) -> list[Value]:
    return [value["name"] for value in values.values() if isinstance(value, dict)]


@MOST
def claim_a_creation_that_lands_late_is_found_after_the_rest(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh("Opozdilá")
        value = sort.said(above, name)
        shop.shop.probe()
        spoil(named, late_apply(0.2))
        (outcome,) = shop.send(sort.target, value)
        assert isinstance(outcome, Unclear)
        while named.proxy.late:  # the core rests so long before it looks again
            named.proxy.late.pop().join()
        shop.settle(sort.target, value)
        assert times(sort, named, shop, above, name) == 1


@MOST
@pytest.mark.parametrize("step", [0, 2])
def claim_one_lost_answer_in_a_batch_costs_no_neighbour(named: NamedWorld, sort: Sort, step: int) -> None:
    with desk(named) as shop:
        above, names = begun(sort, shop), [fresh() for _ in range(4)]
        values = many(sort, above, *names)
        shop.shop.probe()
        spoil(named, *[pass_on] * step, instead(answer(503)))
        outcomes = shop.send(sort.target, values)
        named.proxy.clear()
        for name, outcome in zip(names, outcomes, strict=True):  # done is there, untried is not
            if isinstance(outcome, Done | Untried):
                assert times(sort, named, shop, above, name) == isinstance(outcome, Done)
            assert not isinstance(outcome, Rejected)
        shop.settle(sort.target, values)
        assert [times(sort, named, shop, above, name) for name in names] == [1, 1, 1, 1]


@MOST
def claim_a_429_creates_nothing_and_loses_nothing(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh()
        value = sort.said(above, name)
        shop.shop.probe()
        spoil(named, instead(answer(429, b"slow down", "retry-after: 7")))
        with pytest.raises(ShopUnavailable) as caught:
            shop.send(sort.target, value)
        assert caught.value.retry_after == 7
        assert times(sort, named, shop, above, name) == 0
        shop.make(sort.target, value)
        assert times(sort, named, shop, above, name) == 1


@MOST
@pytest.mark.parametrize("status", [401, 403])
def claim_a_denied_creation_made_nothing(named: NamedWorld, sort: Sort, status: int) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh()
        value = sort.said(above, name)
        spoil(named, *[instead(answer(status, b"no"))] * 4)
        with pytest.raises(ShopUnavailable) as caught:
            shop.send(sort.target, value)
        named.proxy.clear()
        assert caught.value.denied
        assert caught.value.hint
        assert named.secret not in str(caught.value) + caught.value.hint
        assert times(sort, named, shop, above, name) == 0


@MOST
@pytest.mark.parametrize(
    "said", [answer(500), answer(503, b"", "retry-after: 9"), answer(200, b"<h1>Brzy</h1>")], ids=["500", "503", "page"]
)
def claim_an_answer_that_is_none_proves_nothing(named: NamedWorld, sort: Sort, said: bytes) -> None:
    with desk(named) as shop:
        above, name = begun(sort, shop), fresh()
        value = sort.said(above, name)
        shop.shop.probe()
        spoil(named, instead(said))
        (outcome,) = shop.send(sort.target, value)
        assert isinstance(outcome, Unclear)
        assert times(sort, named, shop, above, name) == 0


@MOST
@pytest.mark.parametrize("said", [answer(200, b"<h1>Brzy</h1>"), answer(503)], ids=["page", "503"])
def claim_things_are_not_missing_because_the_shop_is_in_trouble(named: NamedWorld, sort: Sort, said: bytes) -> None:
    """Else what is there would be created again."""
    with desk(named) as shop:
        above = begun(sort, shop)
        value = sort.said(above, fresh())
        shop.make(sort.target, value)
        with everything_spoiled(named, instead(said)):
            for call in (shop.found, shop.read):
                with pytest.raises(ShopUnavailable):
                    call(sort.target, value)
