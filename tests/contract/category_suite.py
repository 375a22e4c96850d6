"""The contract of the target ``categories`` beyond what `named_suite` claims: a tree that is kept in sync, and no more.

Names, parents and everything else are read without the adapter; the shop's own root, the configured one and what lies
beside it are looked at before and after.
"""

from __future__ import annotations

import hashlib

import pytest

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Rejected, Unclear, Untried, Value
from tests.contract.catalogue_suite import Album
from tests.contract.desk import LOST, TARGETS, C, Desk, desk, done, fresh, keys, patience, refusal
from tests.contract.named_suite import pass_on
from tests.contract.world import NamedWorld, SeenCategory, spoil, writes
from tests.fault_server import Fault, answer, drop_after_apply, half_answer, instead


def value(name: str, parent: str | None = None, **fields: Value) -> dict[str, Value]:
    return {"name": name, "parent": parent, **fields}


def seen(world: NamedWorld, shop: Desk, key: str) -> SeenCategory:
    return world.categories()[world.category_in(shop.link(C, key))]


def place(world: NamedWorld, shop: Desk, key: str) -> str:
    return world.category_in(shop.link(C, key))


def called(world: NamedWorld, name: str) -> int:
    return [one.name for one in world.categories().values()].count(name)


# ------------------------------------------------------------------------------------------------ the tree


def claim_three_levels_arrive_with_all_their_fields(named: NamedWorld) -> None:
    album = Album()
    with desk(named, pictures=album) as shop:
        top, middle, leaf = keys(3)
        text = "<p>Příliš <strong>žluťoučký</strong> kůň &amp; spol.</p>"
        picture = {part: one for part, one in album.picture().items() if part != "alt"}
        whole = {
            top: value(fresh("Obuv"), description=text, order=1, visible=True, picture=picture),
            middle: value(fresh("Boty"), top, description="", order=2, visible=False, picture=None),
            leaf: value(fresh("Zimní"), middle, description="Zimní & teplé", order=-3, visible=True, picture=None),
        }
        for key, one in whole.items():
            shop.make(C, {key: one})
        assert shop.holds(C, whole)
        there = {key: seen(named, shop, key) for key in whole}
        assert [there[key].name for key in whole] == [one["name"] for one in whole.values()]
        assert [there[key].parent for key in whole] == [
            named.home(),
            place(named, shop, top),
            place(named, shop, middle),
        ]
        assert [there[key].visible for key in whole] == [True, False, True]
        assert [there[key].picture for key in whole] == [True, False, False]
        assert there[top].description == text
        before = writes(named)
        shop.make(C, whole)
        assert writes(named) == before


def claim_a_rename_and_a_move_keep_the_category_and_what_is_below_it(named: NamedWorld) -> None:
    with desk(named) as shop:
        here, there, one, below = keys(4)
        shop.make(C, {here: value(fresh("Odkud")), there: value(fresh("Kam"))})
        shop.make(C, {one: value(fresh(), here, visible=True)})
        shop.make(C, {below: value(fresh("Pod"), one, visible=True)})
        hand = named.add_category(fresh("Ručně"), place(named, shop, one))
        ids = {key: place(named, shop, key) for key in (here, there, one, below)}
        new = fresh("Jiné jméno")
        shop.make(C, {one: value(new, here, visible=True)})
        shop.make(C, {one: value(new, there, visible=True)})
        assert {key: place(named, shop, key) for key in ids} == ids
        assert (seen(named, shop, one).name, seen(named, shop, one).parent) == (new, ids[there])
        assert seen(named, shop, below).parent == ids[one]
        assert named.categories()[hand].parent == ids[one]
        shop.make(C, {one: value(new, None, visible=True)})
        assert seen(named, shop, one).parent == named.home()


def claim_a_category_keeps_what_is_not_among_the_fields(named: NamedWorld) -> None:
    album = Album()
    with desk(named, pictures=album) as shop:
        (key,) = keys(1)
        picture = {part: one for part, one in album.picture().items() if part != "alt"}
        name = fresh()
        shop.make(C, {key: value(name, description="<p>Popis</p>", visible=False, picture=picture)})
        before = seen(named, shop, key)
        new = fresh()
        shop.make(C, {key: value(new)})
        after = seen(named, shop, key)
        assert after == SeenCategory(new, before.parent, before.visible, before.description, before.picture)


def claim_a_renamed_category_keeps_its_name_in_other_languages(named: NamedWorld) -> None:
    with desk(named) as shop:
        (key,) = keys(1)
        shop.make(C, {key: value(fresh())})
        named.translate_category(place(named, shop, key), "Boots & shoes")
        new = fresh()
        shop.make(C, {key: value(new, description="nový", visible=True)})
        assert named.translation_of(place(named, shop, key)) == "Boots & shoes"
        assert seen(named, shop, key).name == new


def claim_a_category_is_hidden_and_shown_again(named: NamedWorld) -> None:
    with desk(named) as shop:
        (key,) = keys(1)
        name = fresh()
        shop.make(C, {key: value(name, visible=True)})
        before = place(named, shop, key)
        for _ in range(2):
            (outcome,) = done(shop.send(C, {key: {"gone": "hide"}}))
            assert TARGETS[C].same({"gone": "hide"}, outcome.confirmed)
            shop.keep(C, key, outcome)
            assert seen(named, shop, key) == SeenCategory(name, named.home(), False, "", False)
        assert shop.holds(C, {key: {"gone": "hide"}})
        shop.make(C, {key: value(name, visible=True)})
        assert (place(named, shop, key), seen(named, shop, key).visible) == (before, True)


def claim_a_category_that_the_owner_hid_is_found_and_not_doubled(named: NamedWorld) -> None:
    with desk(named) as shop:
        (key,) = keys(1)
        name = fresh()
        hand = named.add_category(name, visible=False)
        shop.make(C, {key: value(name)})
        assert place(named, shop, key) == hand
        assert not named.categories()[hand].visible  # not among the fields: the owner's business
        assert called(named, name) == 1


def claim_a_deleted_category_is_gone_with_its_link(named: NamedWorld) -> None:
    with desk(named) as shop:
        one, other = keys(2)
        names = {one: fresh(), other: fresh()}
        shop.make(C, {key: value(name) for key, name in names.items()})
        link = shop.link(C, one)
        for _ in range(2):  # an answer may have been lost
            (outcome,) = done(shop.send(C, {one: {"gone": "delete"}}))
            assert (outcome.link, TARGETS[C].same({"gone": "delete"}, outcome.confirmed)) == (None, True)
            assert shop.links["category"][one] == link
        assert shop.read(C, {one: value(names[one])}) == {}
        assert [called(named, name) for name in names.values()] == [0, 1]
        shop.forget(C, one)
        shop.make(C, {one: value(names[one])})  # it came back
        assert called(named, names[one]) == 1


def claim_a_branch_is_deleted_from_below(named: NamedWorld) -> None:
    with desk(named) as shop:
        top, below = keys(2)
        names = [fresh(), fresh()]
        shop.make(C, {top: value(names[0])})
        shop.make(C, {below: value(names[1], top)})
        for outcome in done(shop.send(C, {below: {"gone": "delete"}, top: {"gone": "delete"}})):
            assert outcome.link is None
        assert [called(named, name) for name in names] == [0, 0]


def claim_what_others_have_below_a_category_keeps_it_from_being_deleted(named: NamedWorld) -> None:
    with desk(named) as shop:
        key, neighbour = keys(2)
        shop.make(C, {key: value(fresh()), neighbour: value(fresh())})
        hand = named.add_category(fresh("Majitelova"), place(named, shop, key))
        before = {one: there for one, there in named.categories().items() if one != place(named, shop, neighbour)}
        outcomes = shop.send(C, {key: {"gone": "delete"}, neighbour: {"gone": "delete"}})
        assert not refusal(outcomes[0]).link_lost
        assert isinstance(outcomes[1], Done)
        assert named.categories() == before
        assert hand in before
        named.remove_category(hand)
        (outcome,) = done(shop.send(C, {key: {"gone": "delete"}}))
        assert outcome.link is None


def claim_categories_stand_in_pohodas_order_where_the_shop_can_do_that(named: NamedWorld) -> None:
    with desk(named) as shop:
        top, *some = keys(5)
        shop.make(C, {top: value(fresh("Míchané"))})
        whole = {key: value(fresh(), top, order=order) for key, order in zip(some, (40, 10, 30, 20), strict=True)}
        if named.keeps_order:
            shop.make(C, whole)
        else:
            for key in sorted(whole, key=lambda one: int(str(whole[one]["order"]))):  # made in order, it is in order
                shop.make(C, {key: whole[key]})
        ordered = [place(named, shop, some[n]) for n in (1, 3, 2, 0)]
        parent = place(named, shop, top)
        assert named.children(parent) == ordered
        assert shop.holds(C, whole)
        shop.make(C, {some[0]: {**whole[some[0]], "order": 5}})
        assert named.children(parent) == ([ordered[3], *ordered[:3]] if named.keeps_order else ordered)


# ------------------------------------------------------------------------------------------------ names


def claim_two_siblings_of_one_name_are_two_and_each_is_found_by_its_key(named: NamedWorld) -> None:
    with desk(named) as shop:
        top, one, two = keys(3)
        name = fresh("Dvojče")
        shop.make(C, {top: value(fresh())})
        twins = {one: value(name, top), two: value(name.upper(), top)}
        shop.make(C, twins)
        links = {key: shop.link(C, key) for key in twins}
        assert len(set(links.values())) == 2
        for lost in (one, two):  # what the other has is the other's
            shop.forget(C, lost)
            (held,) = shop.found(C, {lost: twins[lost]}).values()
            assert isinstance(held, Held)
            assert held.link == links[lost]
            shop.make(C, {lost: twins[lost]})
        shop.forget(C, one, two)
        found = [held.link for held in shop.found(C, twins).values() if isinstance(held, Held)]
        assert sorted(found) == sorted(links.values())
        shop.make(C, twins)
        assert len(named.children(place(named, shop, top))) == 2


def claim_one_category_made_by_hand_is_given_to_one_of_two(named: NamedWorld) -> None:
    with desk(named) as shop:
        top, one, two = keys(3)
        name = fresh("Jediná")
        shop.make(C, {top: value(fresh())})
        hand = named.add_category(name, place(named, shop, top))
        twins = {one: value(name, top), two: value(name, top)}
        assert len(shop.found(C, twins)) == 1
        shop.make(C, twins)
        there = named.children(place(named, shop, top))
        assert len(there) == 2
        assert hand in there
        assert {place(named, shop, key) for key in twins} == set(there)


def claim_one_name_below_two_parents_is_two_categories(named: NamedWorld) -> None:
    with desk(named) as shop:
        first, second, one, two = keys(4)
        name = fresh("Ostatní")
        shop.make(C, {first: value(fresh()), second: value(fresh())})
        shop.make(C, {one: value(name, first)})
        assert shop.found(C, {two: value(name, second)}) == {}
        shop.make(C, {two: value(name, second)})
        assert seen(named, shop, one).parent != seen(named, shop, two).parent
        assert called(named, name) == 2


# ------------------------------------------------------------------------------------------------ what is not ours


def claim_below_a_configured_category_nothing_else_is_touched(named: NamedWorld) -> None:
    album = Album()
    root = named.add_category(fresh("Sem patří POHODA"))
    beside, name = named.add_category(fresh("Vedle")), fresh("Stejná")
    named.add_category(name, beside)
    named.add_category(name)
    before = named.categories()
    with desk(named, root=root, pictures=album) as shop:
        one, two = keys(2)
        picture = {part: each for part, each in album.picture().items() if part != "alt"}
        assert shop.found(C, {one: value(name)}) == {}  # what is beside is not ours, whatever its name
        shop.make(C, {one: value(name, visible=True, description="x", picture=picture)})
        shop.make(C, {two: value(fresh(), one)})
        assert seen(named, shop, one).parent == root
        shop.make(C, {one: value(fresh(), None, visible=False)})
        shop.make(C, {two: value(fresh(), None)})
        assert seen(named, shop, two).parent == root
        for key in (two, one):
            done(shop.send(C, {key: {"gone": "delete"}}))
    assert named.categories() == before


@pytest.mark.parametrize("gone", ["", "hide", "delete"])
def claim_the_root_and_what_lies_beside_it_cannot_be_changed_even_by_a_link(named: NamedWorld, gone: str) -> None:
    root = named.add_category(fresh("Náš kořen"))
    beside = named.add_category(fresh("Vedle"))
    above = named.home()
    before = named.categories()
    with desk(named, root=root) as shop:
        for category in (root, beside, above):
            key, neighbour = keys(2)
            shop.links["category"][key] = named.link_to_category(category)
            wanted: dict[str, Value] = {"gone": gone} if gone else value(fresh("Zabráno"), visible=False)
            outcomes = shop.send(C, {key: wanted, neighbour: value(fresh("Soused"))})
            if not isinstance(outcomes[0], Done):
                assert refusal(outcomes[0])
            assert isinstance(outcomes[1], Done)
            assert not (isinstance(outcomes[0], Done) and outcomes[0].link)
            shop.keep(C, neighbour, outcomes[1])
            done(shop.send(C, {neighbour: {"gone": "delete"}}))
    assert named.categories() == before


def claim_an_unknown_root_stops_everything_before_it_is_begun(named: NamedWorld) -> None:
    before = named.categories()
    for root in ("99999999", "nonsense"):
        with desk(named, root=root) as shop, pytest.raises(ShopUnavailable) as caught:
            shop.send(C, {keys(1)[0]: value(fresh())})
        assert caught.value.hint
    assert named.categories() == before


def claim_what_the_owner_moved_out_of_our_tree_is_not_doubled(named: NamedWorld) -> None:
    """Whether it is brought back, or refused with a hint, is the kind's."""
    root, outside = named.add_category(fresh("Naše")), named.add_category(fresh("Venku"))
    with desk(named, root=root) as shop:
        (key,) = keys(1)
        name = fresh()
        shop.make(C, {key: value(name, visible=True)})
        mine = place(named, shop, key)
        named.move_category(mine, outside)
        (outcome,) = shop.send(C, {key: value(name, visible=True)})
        if not isinstance(outcome, Done):
            assert not refusal(outcome).link_lost  # else it would be made a second time
        assert called(named, name) == 1
        assert named.categories()[mine].parent == (root if isinstance(outcome, Done) else outside)


def claim_a_child_can_become_the_parent(named: NamedWorld) -> None:
    with desk(named) as shop:
        upper, lower = keys(2)
        names = {upper: fresh("Nahoře"), lower: fresh("Dole")}
        shop.make(C, {upper: value(names[upper])})
        shop.make(C, {lower: value(names[lower], upper)})
        ids = {key: place(named, shop, key) for key in (upper, lower)}
        shop.make(C, {lower: value(names[lower]), upper: value(names[upper], lower)})
        assert {key: place(named, shop, key) for key in ids} == ids
        assert seen(named, shop, lower).parent == named.home()
        assert seen(named, shop, upper).parent == ids[lower]


def claim_a_circle_is_refused_and_nothing_is_moved(named: NamedWorld) -> None:
    """The core passes none on; two readings of POHODA may have seen each a half of a change."""
    with desk(named) as shop:
        upper, lower, good = keys(3)
        names = {upper: fresh(), lower: fresh(), good: fresh()}
        shop.make(C, {upper: value(names[upper]), good: value(names[good])})
        shop.make(C, {lower: value(names[lower], upper)})
        before = named.categories()
        outcomes = shop.settle(C, {upper: value(names[upper], lower), good: value(names[good])})
        assert not refusal(outcomes[upper]).link_lost
        assert isinstance(outcomes[good], Done)
        assert named.categories() == before
        (outcome,) = shop.send(C, {upper: value(names[upper], upper)})
        assert refusal(outcome)
        assert named.categories() == before


# ------------------------------------------------------------------------------------------------ bad days


@pytest.mark.parametrize("step", [1, 2])
def claim_a_429_in_the_middle_of_a_creation_loses_nothing(named: NamedWorld, step: int) -> None:
    album = Album()
    with desk(named, pictures=album) as shop:
        key, other = keys(2)
        names = [fresh(), fresh()]
        picture = {part: one for part, one in album.picture().items() if part != "alt"}
        values = {key: value(names[0], picture=picture), other: value(names[1])}
        spoil(named, *[pass_on] * step, instead(answer(429, b"", "retry-after: 7")))
        outcomes = shop.send(C, values)  # raising would claim that nothing was done
        named.proxy.clear()
        assert not any(isinstance(outcome, Rejected) for outcome in outcomes)
        assert any(isinstance(outcome, Unclear | Untried) for outcome in outcomes)
        shop.settle(C, values)
        assert [called(named, name) for name in names] == [1, 1]
        assert seen(named, shop, key).picture


def claim_a_category_whose_parent_is_not_there_is_refused_beside_neighbours(named: NamedWorld) -> None:
    with desk(named) as shop:
        parent, orphan, lost, good = keys(4)
        shop.make(C, {parent: value(fresh())})
        named.remove_category(place(named, shop, parent))
        values = {orphan: value(fresh(), "999999"), lost: value(fresh(), parent), good: value(fresh())}
        outcomes = shop.send(C, values)
        assert [type(outcome) for outcome in outcomes] == [Rejected, Rejected, Done]
        for outcome in outcomes[:2]:
            assert not refusal(outcome).link_lost  # its own link says nothing about the parent
        assert [called(named, str(one["name"])) for one in values.values()] == [0, 0, 1]


def claim_a_missing_picture_is_refused_with_its_path_and_changes_nothing(named: NamedWorld) -> None:
    album = Album()
    with desk(named, pictures=album) as shop:
        key, good = keys(2)
        name = fresh()
        shop.make(C, {key: value(name, visible=True)})
        data = b"hello, I am called jpg"
        none = {"sha": hashlib.sha256(data).hexdigest(), "file": "text.jpg"}
        album.files[none["sha"]] = data
        before = seen(named, shop, key)
        for picture in ({"sha": "ab" * 32, "file": "pryč.jpg"}, none):
            outcomes = shop.send(C, {key: value(fresh(), visible=True, picture={**picture}), good: value(name)})
            assert refusal(outcomes[0]).reason
            assert seen(named, shop, key) == before


def claim_a_picture_is_replaced_and_taken_away(named: NamedWorld) -> None:
    album = Album()
    with desk(named, pictures=album) as shop:
        (key,) = keys(1)
        name = fresh()
        for shown in (True, True, False, True):
            picture = {part: one for part, one in album.picture().items() if part != "alt"} if shown else None
            shop.make(C, {key: value(name, picture=picture)})
            assert seen(named, shop, key).picture is shown
            before = writes(named)
            shop.make(C, {key: value(name, picture=picture)})
            assert writes(named) == before


@pytest.mark.parametrize("step", range(3))
def claim_a_picture_that_came_without_an_answer_is_ours_to_take_away(named: NamedWorld, step: int) -> None:
    album = Album()
    with desk(named, pictures=album) as shop:
        (key,) = keys(1)
        name = fresh()
        shop.make(C, {key: value(name, visible=True, picture=None)})
        picture = {part: one for part, one in album.picture().items() if part != "alt"}
        spoil(named, *[pass_on] * step, drop_after_apply)
        (outcome,) = shop.send(C, {key: value(name, visible=True, picture=picture)})
        named.proxy.clear()
        if isinstance(outcome, Done):
            shop.keep(C, key, outcome)
        shop.make(C, {key: value(name, visible=True, picture=None)})
        assert not seen(named, shop, key).picture


@pytest.mark.parametrize("step", range(6))
def claim_a_category_ends_right_whichever_step_was_lost(named: NamedWorld, step: int) -> None:
    """Rename, move, hide, another picture: after a lost answer at any step the next delivery goes on from there."""
    album = Album()
    with desk(named, pictures=album) as shop:
        here, there, key = keys(3)
        shop.make(C, {here: value(fresh()), there: value(fresh())})
        first, second = ({part: one for part, one in album.picture().items() if part != "alt"} for _ in range(2))
        shop.make(C, {key: value(fresh(), here, description="a", order=1, visible=True, picture=first)})
        new = fresh()
        spoil(named, *[pass_on] * step, drop_after_apply)
        changed = value(new, there, description="b", order=2, visible=False, picture=second)
        (outcome,) = shop.send(C, {key: changed})
        named.proxy.clear()
        assert isinstance(outcome, Done | Unclear)
        before = place(named, shop, key)
        shop.make(C, {key: changed})
        assert place(named, shop, key) == before
        assert seen(named, shop, key) == SeenCategory(new, place(named, shop, there), False, "b", True)
        assert called(named, new) == 1


@LOST
def claim_a_deletion_without_an_answer_is_unclear_and_then_done(named: NamedWorld, _name: str, fault: Fault) -> None:
    with desk(named) as shop:
        (key,) = keys(1)
        name = fresh()
        shop.make(C, {key: value(name)})
        with desk(named, shop.links, timeout=patience(fault)) as hasty:
            hasty.shop.probe()
            hasty.read(C, {key: value(name)})
            spoil(named, fault)
            (outcome,) = hasty.send(C, {key: {"gone": "delete"}})
            named.proxy.clear()
        assert isinstance(outcome, Unclear) or fault is half_answer  # the half of an empty answer is all of it
        assert shop.read(C, {key: {"gone": "delete"}}) == {}
        (outcome,) = done(shop.send(C, {key: {"gone": "delete"}}))
        assert (outcome.link, called(named, name)) == (None, 0)


@LOST
def claim_a_change_without_an_answer_is_unclear_and_readable(named: NamedWorld, _name: str, fault: Fault) -> None:
    with desk(named) as shop:
        (key,) = keys(1)
        shop.make(C, {key: value(fresh(), visible=True)})
        changed = value(fresh(), visible=False)
        with desk(named, shop.links, timeout=patience(fault)) as hasty:
            hasty.shop.probe()
            hasty.read(C, {key: changed})
            spoil(named, fault)
            (outcome,) = hasty.send(C, {key: changed})
            named.proxy.clear()
        assert isinstance(outcome, Unclear)
        before = place(named, shop, key)
        shop.settle(C, {key: changed})
        assert shop.holds(C, {key: changed})
        assert (seen(named, shop, key).name, place(named, shop, key)) == (changed["name"], before)
