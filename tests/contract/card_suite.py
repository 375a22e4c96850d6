"""The contract of what products have of things that exist once: ``categories.products``, ``parameters``, ``suppliers``.

Each is a set that is replaced, and what others put there stays. A `Sort` says how to speak of one of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.targets import Naming
from agent.targets.names import firm_key, term_key
from tests.contract.desk import (
    CP,
    TARGETS,
    C,
    Desk,
    F,
    P,
    S,
    T,
    desk,
    done,
    fresh,
    goods,
    keys,
    lost_of,
    patience,
    refusal,
)
from tests.contract.named_suite import pass_on
from tests.contract.world import NamedWorld, Q, code, everything_spoiled, spoil, writes
from tests.fault_server import Fault, answer, drop_after_apply, instead, late_apply, never_apply


@dataclass(frozen=True, slots=True)
class Sort:
    """One of the three: what is named, how a set of it is said, and how the shop is looked at."""

    target: str
    made: Callable[[Desk, int], list[str]]
    """Bring some things about; their names, as `said` takes them."""
    said: Callable[[Sequence[str]], dict[str, Value]]
    """The value that names these things."""
    seen: Callable[[NamedWorld, Desk, str], set[str]]
    """Names of what a product has, whoever gave it; of ours as in `made`."""
    foreign: Callable[[NamedWorld, str], str]
    """Let the owner give a product something that is not ours; its name, as in `seen`."""
    remove: Callable[[NamedWorld, Desk, str], None]
    """Let the owner delete one of ours."""


def _categories(shop: Desk, count: int) -> list[str]:
    made = keys(count)
    shop.make(C, {key: {"name": fresh("Kategorie"), "parent": None, "visible": True} for key in made})
    return made


def _seen_categories(world: NamedWorld, shop: Desk, spelt: str) -> set[str]:
    ours = {world.category_in(link): key for key, link in shop.links["category"].items()}
    there = world.categories_of(spelt) - {world.home()}  # a shop may want one at least
    return {ours.get(one, f"category {one}") for one in there}


def _foreign_category(world: NamedWorld, spelt: str) -> str:
    category = world.add_category(fresh("Majitelova"))
    world.put_into(spelt, category)
    return f"category {category}"


def _terms(shop: Desk, count: int) -> list[str]:
    """Two values of one parameter, then one each."""
    first = fresh("Barva")
    names = [(first if n < 2 else fresh("Délka"), fresh("hodnota")) for n in range(count)]
    shop.make(T, {term_key(name): {"name": name} for name, _ in names})
    shop.make(T, {term_key(name, text): {"name": text, "of": name} for name, text in names})
    return [f"{name}|{text}" for name, text in names]


def _said_terms(names: Sequence[str]) -> dict[str, Value]:
    found: dict[str, list[Value]] = {}
    for one in names:
        name, _, text = one.partition("|")
        found.setdefault(name, []).append(text)
    return {name: found[name] for name in sorted(found)}


def _foreign_term(world: NamedWorld, spelt: str) -> str:
    name, text = fresh("Majitelův"), fresh("údaj")
    world.add_term(name)
    world.add_term(name, text)
    world.give_parameter(spelt, name, text)
    return f"{name}|{text}"


def _remove_term(world: NamedWorld, _: Desk, name: str) -> None:
    parameter, text = name.split("|")
    world.remove_term(parameter, text)


def _suppliers(shop: Desk, count: int) -> list[str]:
    names = [fresh("Dodavatel") for _ in range(count)]
    shop.make(F, {firm_key("supplier", name): {"kind": "supplier", "name": name} for name in names})
    return names


def _foreign_supplier(world: NamedWorld, spelt: str) -> str:
    name = fresh("Majitelův dodavatel")
    world.add_firm("supplier", name)
    world.give_firm(spelt, "supplier", name)
    return name


SORTS = {
    "categories": Sort(
        CP,
        made=_categories,
        said=lambda names: {"categories": [*sorted(names)], "main": None},
        seen=_seen_categories,
        foreign=_foreign_category,
        remove=lambda world, shop, name: world.remove_category(world.category_in(shop.link(C, name))),
    ),
    "parameters": Sort(
        P,
        made=_terms,
        said=_said_terms,
        seen=lambda world, _, spelt: {
            f"{name}|{text}" for name, texts in world.parameters_of(spelt).items() for text in texts
        },
        foreign=_foreign_term,
        remove=_remove_term,
    ),
    "suppliers": Sort(
        S,
        made=_suppliers,
        said=lambda names: {
            "manufacturer": None,
            "suppliers": [{"name": name, "code": "", "default": False} for name in names],
        },
        seen=lambda world, _, spelt: {*world.firms_of(spelt).suppliers},
        foreign=_foreign_supplier,
        remove=lambda world, _, name: world.remove_firm("supplier", name),
    ),
}
EACH = pytest.mark.parametrize("sort", [*SORTS.values()], ids=[*SORTS])


# ------------------------------------------------------------------------------------------------ sets


@EACH
def claim_products_get_their_set_and_the_second_time_nothing_is_written(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        one, two, three = goods(named, 3)
        names = sort.made(shop, 3)
        values = {one: sort.said(names), two: sort.said(names[:1]), three: sort.said([])}
        shop.make(sort.target, values)
        before = writes(named)
        for outcome in shop.make(sort.target, values):
            assert outcome.link
        assert writes(named) == before
        assert [sort.seen(named, shop, each) for each in values] == [{*names}, {names[0]}, set()]
        assert shop.holds(sort.target, values)


@EACH
def claim_a_product_has_one_link_for_all_targets(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        (held,) = shop.found(sort.target, {spelt.lower(): sort.said([])}).values()
        (other,) = shop.shop.find(Q, [Wanted(key_of(spelt), spelt)]).values()
        assert isinstance(held, Held)
        assert isinstance(other, Held)
        assert (held.link, held.code, held.key) == (other.link, spelt, key_of(spelt))


@EACH
def claim_a_set_is_replaced_and_what_others_put_there_stays(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        names = sort.made(shop, 4)
        theirs = {sort.foreign(named, spelt)}
        for chosen in (names[:2], names[1:3], names[3:], [], names):
            shop.make(sort.target, {spelt: sort.said(chosen)})
            assert sort.seen(named, shop, spelt) == {*chosen} | theirs
            assert shop.holds(sort.target, {spelt: sort.said(chosen)})
        theirs.add(sort.foreign(named, spelt))  # somebody adds one by hand meanwhile
        shop.make(sort.target, {spelt: sort.said(names[:1])})
        assert sort.seen(named, shop, spelt) == {names[0]} | theirs


@EACH
def claim_find_and_read_say_what_a_product_has_of_ours(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        names = sort.made(shop, 2)
        value = sort.said(names)
        shop.make(sort.target, {spelt: value})
        sort.foreign(named, spelt)
        (held,) = shop.found(sort.target, {spelt: value}).values()
        assert isinstance(held, Held)
        assert TARGETS[sort.target].same(value, held.value)
        assert not TARGETS[sort.target].same(sort.said(names[:1]), held.value)
        assert not shop.holds(sort.target, {spelt: sort.said(names[:1])})


@EACH
def claim_two_deliveries_of_one_product_end_with_the_last(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        names = sort.made(shop, 2)
        shop.make(sort.target, {spelt: sort.said([])})
        owed = [shop.owed(sort.target, {spelt: sort.said(some)})[0] for some in (names[:1], names)]
        owed = [replace(one, links=owed[1].links) for one in owed]
        outcomes = shop.shop.deliver(sort.target, owed)
        assert isinstance(outcomes[0], Done)
        if not isinstance(outcomes[1], Done):
            assert isinstance(outcomes[1], Untried | Unclear)
            shop.make(sort.target, {spelt: sort.said(names)})
        assert sort.seen(named, shop, spelt) == {*names}


@EACH
def claim_what_the_shop_has_no_more_is_refused_beside_neighbours(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        one, two, three = goods(named, 3)
        names = sort.made(shop, 3)
        sort.remove(named, shop, names[2])
        values = {one: sort.said(names[:1]), two: sort.said([names[0], names[2]]), three: sort.said(names[:2])}
        outcomes = shop.settle(sort.target, values)
        expected = {names[0]}, set[str](), {*names[:2]}
        if sort.target == CP and named.remembers_categories:
            done([*outcomes.values()])
            shop.forget(C, names[2])
            shop.make(C, {names[2]: {"name": fresh("Obnovená"), "parent": None, "visible": True}})
            expected = {names[0]}, {names[0], names[2]}, {*names[:2]}
        else:
            assert [type(outcome) for outcome in outcomes.values()] == [Done, Rejected, Done]
            assert not refusal(outcomes[two]).link_lost  # the product is there
        assert tuple(sort.seen(named, shop, each) for each in values) == expected


@EACH
def claim_what_has_no_link_is_refused_beside_neighbours(named: NamedWorld, sort: Sort) -> None:
    """The core lets a value wait for its things; if one comes nevertheless, it must not be half done."""
    with desk(named) as shop:
        one, two = goods(named, 2)
        names = sort.made(shop, 2)
        judge = TARGETS[sort.target]
        assert isinstance(judge, Naming)
        del shop.links[judge.names][judge.needs(sort.said(names[1:]))[-1]]
        outcomes = shop.settle(sort.target, {one: sort.said(names), two: sort.said(names[:1])})
        assert [type(outcome) for outcome in outcomes.values()] == [Rejected, Done]
        assert refusal(outcomes[one]).hint
        assert [sort.seen(named, shop, each) for each in (one, two)] == [set(), {names[0]}]


@EACH
def claim_unknown_doubled_and_deleted_products_are_told_apart(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        there, gone, unknown, twice = *goods(named, 2), code(), code()
        named.add((twice, 1), (twice.lower(), 2))
        names = sort.made(shop, 1)
        value = sort.said(names)
        found = shop.found(sort.target, dict.fromkeys((there, unknown, twice), value))
        assert found.keys() == {key_of(there), key_of(twice)}
        assert refusal(found[key_of(twice)])
        shop.look(sort.target, {there: value, gone: value})
        named.remove(gone)
        first, second = shop.owed(sort.target, {gone: value, there: value})
        for link in (first.link, named.unknown_link, None):
            first = replace(first, link=link)
            if link:
                assert shop.shop.read(sort.target, [first.wanted]) == {}
            outcomes = shop.shop.deliver(sort.target, [first, second])
            assert refusal(outcomes[0]).link_lost
            assert isinstance(outcomes[1], Done)
        assert sort.seen(named, shop, there) == {*names}


@EACH
def claim_one_bad_value_among_good_ones_costs_no_neighbour(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        codes = goods(named, 3)
        names = sort.made(shop, 1)
        values: dict[str, Value] = dict.fromkeys(codes, sort.said(names))
        shop.look(sort.target, values)
        bads: tuple[Value, ...] = (None, 5, "x", ["x"])
        for bad in bads:
            first, second, third = shop.owed(sort.target, values)
            second = replace(second, event=replace(second.event, value=bad))
            outcomes = shop.shop.deliver(sort.target, [first, second, third])
            assert [type(outcome) for outcome in outcomes] == [Done, Rejected, Done]
            assert refusal(outcomes[1]).hint
        assert [sort.seen(named, shop, each) for each in codes] == [{*names}, set(), {*names}]


# ------------------------------------------------------------------------------------------------ each by itself


def claim_several_values_of_a_parameter_are_shown_side_by_side(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        name = fresh("Velikost")
        texts = [fresh(text) for text in ("42", "12 cm", "Ano", "1 234,50 Kč", "5. 1. 2026", "a & b \"c\" 'd'")]
        shop.make(T, {term_key(name): {"name": name}})
        shop.make(T, {term_key(name, text): {"name": text, "of": name} for text in texts})
        for some in (texts, [texts[3], texts[0]]):
            value: Value = {name: [*some]}
            shop.make(P, {spelt: value})
            assert named.parameters_of(spelt) == {name: sorted(some)}


def claim_another_value_of_our_parameter_gives_way_even_without_a_link(named: NamedWorld) -> None:
    """Links of values are handed on as far as the batch names them, those of parameters always."""
    with desk(named) as shop:
        (spelt,) = goods(named)
        name, ours, theirs = fresh("Barva"), fresh("modrá"), fresh("ruční")
        value: Value = {name: [ours]}
        shop.make(T, {term_key(name): {"name": name}})
        shop.make(T, {term_key(name, ours): {"name": ours, "of": name}})
        named.add_term(name, theirs)
        named.give_parameter(spelt, name, theirs)
        shop.look(P, {spelt: value})
        assert not shop.holds(P, {spelt: value})
        shop.make(P, {spelt: value})
        assert named.parameters_of(spelt) == {name: [ours]}
        shop.make(P, {spelt: {}})
        assert named.parameters_of(spelt) == {}


def claim_a_value_that_the_owner_spelt_anew_is_known_by_its_link(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        name, text = fresh("Barva"), fresh("červená")
        shop.make(T, {term_key(name): {"name": name}})
        shop.make(T, {term_key(name, text): {"name": text, "of": name}})
        value: Value = {name: [text]}
        shop.make(P, {spelt: value})
        new_name, new_text = fresh("Colour"), fresh("Red")
        named.rename_term(name, text, new_text)
        named.rename_term(name, "", new_name)
        before = writes(named)
        shop.make(P, {spelt: value})
        assert writes(named) == before
        assert named.parameters_of(spelt) == {new_name: [new_text]}


def claim_one_product_has_one_manufacturer(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        first, second = fresh("ACME & syn"), fresh('Žluťoučký "kůň"')
        shop.make(F, {firm_key("manufacturer", one): {"kind": "manufacturer", "name": one} for one in (first, second)})
        for name in (first, second, second.upper(), first):
            shop.make(S, {spelt: {"manufacturer": name, "suppliers": []}})
            assert key_of(named.firms_of(spelt).manufacturer or "") == key_of(name)
        shop.make(S, {spelt: {"manufacturer": None, "suppliers": []}})
        assert named.firms_of(spelt).manufacturer is None


def claim_another_ones_manufacturer_stays_until_pohoda_names_one(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        theirs, ours = fresh("Cizí"), fresh("Náš")
        named.add_firm("manufacturer", theirs)
        named.give_firm(spelt, "manufacturer", theirs)
        shop.make(S, {spelt: {"manufacturer": None}})
        assert named.firms_of(spelt).manufacturer == theirs
        shop.make(F, {firm_key("manufacturer", ours): {"kind": "manufacturer", "name": ours}})
        shop.look(S, {spelt: {"manufacturer": ours}})
        assert not shop.holds(S, {spelt: {"manufacturer": ours}})
        shop.make(S, {spelt: {"manufacturer": ours}})
        assert named.firms_of(spelt).manufacturer == ours


def claim_only_the_configured_fields_of_firms_are_touched(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        maker, seller = fresh("Výrobce"), fresh("Dodavatel")
        shop.make(
            F,
            {
                firm_key("manufacturer", maker): {"kind": "manufacturer", "name": maker},
                firm_key("supplier", seller): {"kind": "supplier", "name": seller},
            },
        )
        shop.make(S, {spelt: {"manufacturer": maker, "suppliers": [{"name": seller, "code": "", "default": True}]}})
        before = named.firms_of(spelt)
        shop.make(S, {spelt: {"suppliers": [{"name": seller, "code": "", "default": True}]}})
        shop.make(S, {spelt: {"manufacturer": maker}})
        assert named.firms_of(spelt) == before
        shop.make(S, {spelt: {"manufacturer": None}})
        assert (named.firms_of(spelt).manufacturer, {*named.firms_of(spelt).suppliers}) == (None, {seller})


def claim_a_firm_that_makes_and_sells_is_two_things(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        name = fresh("Obojí")
        for kind in ("manufacturer", "supplier"):
            shop.make(F, {firm_key(kind, name): {"kind": kind, "name": name}})
        shop.make(S, {spelt: {"manufacturer": name, "suppliers": [{"name": name, "code": "", "default": False}]}})
        assert sorted(kind for kind, one in named.firms() if one == name) == ["manufacturer", "supplier"]
        shop.make(S, {spelt: {"manufacturer": None, "suppliers": [{"name": name, "code": "", "default": False}]}})
        there = named.firms_of(spelt)
        assert (there.manufacturer, {*there.suppliers}) == (None, {name})


def claim_codes_and_the_default_of_suppliers_are_kept_where_the_shop_can_do_that(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        one, two = _suppliers(shop, 2)
        for codes, default in ((("A-1", "B/2"), one), (("A-1", ""), two), (("A-2", "ž & 'x'"), ""), (("", ""), one)):
            listed: list[Value] = [
                {"name": name, "code": own, "default": name == default}
                for name, own in zip((one, two), codes, strict=True)
            ]
            shop.make(S, {spelt: {"suppliers": listed}})
            there = named.firms_of(spelt)
            if named.keeps_codes:
                assert there.suppliers == dict(zip((one, two), codes, strict=True))
                assert there.default == (default or None)
            else:
                assert there.suppliers == {one: "", two: ""}
                assert there.default is None


def claim_the_main_category_is_the_one_that_pohoda_names(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        one, two = _categories(shop, 2)
        for main in (two, one):
            shop.make(CP, {spelt: {"categories": [*sorted([one, two])], "main": main}})
            assert named.main_of(spelt) == (named.category_in(shop.link(C, main)) if named.keeps_main else "")
        shop.make(CP, {spelt: {"categories": [*sorted([one, two])], "main": None}})
        assert named.main_of(spelt) == (named.category_in(shop.link(C, one)) if named.keeps_main else "")


def claim_a_deleted_category_takes_its_products_with_it(named: NamedWorld) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        one, two = _categories(shop, 2)
        shop.make(CP, {spelt: {"categories": [*sorted([one, two])], "main": one}})
        (outcome,) = done(shop.send(C, {one: {"gone": "delete"}}))
        shop.keep(C, one, outcome)
        assert _seen_categories(named, shop, spelt) == {two}
        shop.make(CP, {spelt: {"categories": [two], "main": two}})
        assert _seen_categories(named, shop, spelt) == {two}


def claim_a_category_made_by_hand_shows_what_its_owner_put_there_beside_ours(named: NamedWorld) -> None:
    with desk(named) as shop:
        ours, theirs = goods(named, 2)
        (key,) = keys(1)
        name = fresh("Ručně")
        hand = named.add_category(name)
        named.put_into(theirs, hand)
        shop.make(C, {key: {"name": name, "parent": None, "visible": True}})
        for _ in range(2):
            shop.make(CP, {ours: {"categories": [key], "main": key}})
            assert [_seen_categories(named, shop, each) for each in (ours, theirs)] == [{key}, {key}]
        shop.make(CP, {ours: {"categories": [], "main": None}})
        assert [_seen_categories(named, shop, each) for each in (ours, theirs)] == [set(), {key}]


# ------------------------------------------------------------------------------------------------ bad days


@pytest.mark.parametrize("step", range(5))
def claim_firms_of_a_product_end_right_whichever_step_was_lost(named: NamedWorld, step: int) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        theirs = _foreign_supplier(named, spelt)
        maker, other = fresh("Výrobce"), fresh("Jiný")
        shop.make(F, {firm_key("manufacturer", one): {"kind": "manufacturer", "name": one} for one in (maker, other)})
        one, two, three = _suppliers(shop, 3)

        def value(made_by: str, default: str, *names: str) -> Value:
            listed: list[Value] = [{"name": each, "code": each[-4:], "default": each == default} for each in names]
            return {"manufacturer": made_by, "suppliers": listed}

        shop.make(S, {spelt: value(maker, one, one, two)})
        changed = {spelt: value(other, three, two, three)}
        spoil(named, *[pass_on] * step, drop_after_apply)
        (outcome,) = shop.send(S, changed)
        named.proxy.clear()
        assert isinstance(outcome, Done | Unclear)
        shop.settle(S, changed)
        assert shop.holds(S, changed)
        there = named.firms_of(spelt)
        assert (there.manufacturer, {*there.suppliers}) == (other, {two, three, theirs})
        assert there.default == (three if named.keeps_codes else None)


@pytest.mark.parametrize("step", range(3))
def claim_three_sets_on_one_product_leave_each_other_alone(named: NamedWorld, step: int) -> None:
    """On some kinds they are kept in one list; after a lost answer, too."""
    with desk(named) as shop:
        (spelt,) = goods(named)
        made = {name: sort.made(shop, 2) for name, sort in SORTS.items()}
        for name, sort in SORTS.items():
            shop.make(sort.target, {spelt: sort.said(made[name])})
        sort = [*SORTS.values()][step]
        names = [*made.values()][step]
        spoil(named, drop_after_apply)
        (outcome,) = shop.send(sort.target, {spelt: sort.said(names[:1])})
        named.proxy.clear()
        assert isinstance(outcome, Unclear | Done)  # the half of an empty answer is all of it
        shop.settle(sort.target, {spelt: sort.said(names[:1])})
        for name, other in SORTS.items():
            expected = {*made[name][: 1 if other is sort else 2]}
            assert other.seen(named, shop, spelt) == expected, name


@lost_of(SORTS, "parameters")
def claim_a_set_without_an_answer_is_unclear_and_ends_right(
    named: NamedWorld, sort: Sort, _name: str, fault: Fault
) -> None:
    with desk(named) as shop:
        codes = goods(named, 2)
        names = sort.made(shop, 3)
        theirs = {sort.foreign(named, codes[0])}
        shop.make(sort.target, {codes[0]: sort.said(names[:2]), codes[1]: sort.said([])})
        values = {codes[0]: sort.said(names[1:]), codes[1]: sort.said(names[:1])}
        with desk(named, shop.links, timeout=patience(fault)) as hasty:
            hasty.shop.probe()
            hasty.read(sort.target, values)
            before = writes(named)
            spoil(named, fault)
            outcomes = hasty.send(sort.target, values)
            named.proxy.clear()
            assert writes(named) == before + 1
        assert isinstance(outcomes[0], Unclear)
        for each, outcome in zip(codes, outcomes, strict=True):
            assert isinstance(outcome, Unclear | Untried | Done)
            if isinstance(outcome, Done):
                assert shop.holds(sort.target, {each: values[each]})
        shop.settle(sort.target, values)
        assert sort.seen(named, shop, codes[0]) == {*names[1:]} | theirs
        assert sort.seen(named, shop, codes[1]) == {names[0]}


@EACH
def claim_a_set_that_never_arrived_or_lands_late_ends_right(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        names = sort.made(shop, 2)
        shop.make(sort.target, {spelt: sort.said([])})
        spoil(named, never_apply)
        (outcome,) = shop.send(sort.target, {spelt: sort.said(names[:1])})
        assert isinstance(outcome, Unclear)
        assert sort.seen(named, shop, spelt) == set()
        spoil(named, late_apply(0.2))
        (outcome,) = shop.send(sort.target, {spelt: sort.said(names[:1])})
        assert isinstance(outcome, Unclear)
        while named.proxy.late:
            named.proxy.late.pop().join()
        shop.settle(sort.target, {spelt: sort.said(names[:1])})
        assert sort.seen(named, shop, spelt) == {names[0]}
        shop.make(sort.target, {spelt: sort.said(names)})
        assert sort.seen(named, shop, spelt) == {*names}


@EACH
def claim_a_429_leaves_sets_as_they_were(named: NamedWorld, sort: Sort) -> None:
    with desk(named) as shop:
        codes = goods(named, 2)
        names = sort.made(shop, 2)
        shop.make(sort.target, dict.fromkeys(codes, sort.said(names[:1])))
        spoil(named, instead(answer(429, b"slow down", "retry-after: 7")))
        with pytest.raises(ShopUnavailable) as caught:
            shop.send(sort.target, dict.fromkeys(codes, sort.said(names)))
        assert caught.value.retry_after == 7
        assert [sort.seen(named, shop, each) for each in codes] == [{names[0]}] * 2
        shop.make(sort.target, dict.fromkeys(codes, sort.said(names)))
        assert [sort.seen(named, shop, each) for each in codes] == [{*names}] * 2


@EACH
@pytest.mark.parametrize("status", [401, 403])
def claim_a_denied_set_was_not_applied(named: NamedWorld, sort: Sort, status: int) -> None:
    with desk(named) as shop:
        (spelt,) = goods(named)
        names = sort.made(shop, 1)
        shop.make(sort.target, {spelt: sort.said([])})
        spoil(named, *[instead(answer(status, b"no"))] * 4)
        with pytest.raises(ShopUnavailable) as caught:
            shop.send(sort.target, {spelt: sort.said(names)})
        named.proxy.clear()
        assert caught.value.denied
        assert caught.value.hint
        assert sort.seen(named, shop, spelt) == set()


@EACH
@pytest.mark.parametrize("said", [answer(200, b"<h1>Brzy</h1>"), answer(503)], ids=["page", "503"])
def claim_a_set_is_not_written_to_a_shop_that_cannot_be_read(named: NamedWorld, sort: Sort, said: bytes) -> None:
    """What others put there is not known then, and would be lost."""
    with desk(named) as shop:
        (spelt,) = goods(named)
        names = sort.made(shop, 1)
        theirs = sort.foreign(named, spelt)
        shop.make(sort.target, {spelt: sort.said([])})
        with everything_spoiled(named, instead(said)):
            for call in (shop.found, shop.read, shop.send):
                with pytest.raises(ShopUnavailable):
                    call(sort.target, {spelt: sort.said(names)})
        assert sort.seen(named, shop, spelt) == {theirs}
