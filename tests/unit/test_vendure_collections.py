"""How the Vendure adapter knows, orders and filters collections; what the server makes of it is asked in tests/e2e."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.events import Value, Wanted
from agent.shops.vendure_category_filters import filters_with, heirs, unfit
from agent.shops.vendure_collections import bad
from agent.shops.vendure_facet_lists import FacetValue
from agent.shops.vendure_tree import (
    Collection,
    Filter,
    Tree,
    collection_of,
    ids_in,
    index_of,
    key_in,
    mark_code,
    marks_of,
    parent_of,
)

SHA = "ab" * 32


def by_value(*ids: str, with_and: str = "true") -> Filter:
    listed = ",".join(f'"{each}"' for each in ids)
    return Filter(
        "facet-value-filter", {"facetValueIds": f"[{listed}]", "containsAny": "false", "combineWithAnd": with_and}
    )


def by_product() -> Filter:
    return Filter("product-id-filter", {"productIds": '["9"]', "combineWithAnd": "true"})


def node(
    node_id: str, parent: str = "1", *, position: int = 0, filters: Sequence[Filter] = (), inherits: bool = False
) -> Collection:
    return Collection(node_id, parent, position, False, inherits, tuple(filters), f"C{node_id}", "", True, None)


def tree(*nodes: Collection, base: str = "1", codes: Sequence[tuple[str, str]] = ()) -> Tree:
    values = [FacetValue(value_id, code, code, "5") for value_id, code in codes]
    return Tree("1", base, {one.id: one for one in nodes}, marks_of(values), "5")


def shown(filters: Sequence[Filter], has: set[str]) -> bool:
    """What the shop makes of filters: strung together by type, AND before OR."""
    order = ("facet-value-filter", "variant-name-filter", "variant-id-filter", "product-id-filter")
    any_of, all_of = False, True
    for n, one in enumerate(sorted(filters, key=lambda one: order.index(one.code))):
        true = (one.value or one.code) in has
        if n and one.args["combineWithAnd"] == "false":
            any_of, all_of = any_of or all_of, true
        else:
            all_of = all_of and true
    return bool(filters) and (any_of or all_of)


# -------------------------------------------------------------------------------------------------------- order


def test_a_category_that_stands_right_is_not_moved_whoever_stands_between() -> None:
    siblings = [("a", 1), ("foreign", None), ("b", 2), ("c", 2), ("d", 7)]
    assert [index_of(siblings, mine, order) for mine, order in siblings if order] == [None, None, None, None]
    assert index_of([], "a", 5) == 0


def test_every_order_is_reached_by_sending_each_category_once() -> None:
    for start in itertools.permutations([("a", 3), ("b", 1), ("c", 2), ("d", 2), ("x", None)]):
        siblings = list(start)
        for mine, order in (("a", 3), ("b", 1), ("c", 2), ("d", 2)):
            index = index_of(siblings, mine, order)
            if index is not None:
                siblings = [one for one in siblings if one[0] != mine]
                siblings.insert(index, (mine, order))
            assert index_of(siblings, mine, order) is None  # else it would be sent for ever
        assert [order for _, order in siblings if order] == [1, 2, 2, 3], start


def test_a_new_sibling_goes_behind_its_equals() -> None:
    assert index_of([("a", 1), ("b", 2), ("x", None), ("c", 3)], "new", 2) == 3
    assert index_of([("a", 1), ("x", None)], "new", 2) == 1


def test_a_move_is_done_in_the_tree_as_the_shop_does_it() -> None:
    there = tree(node("2", position=4), node("3", position=7), node("4", "3"))
    there.place("4", "1", 1)
    assert [(one.id, one.position) for one in there.children("1")] == [("2", 0), ("4", 1), ("3", 2)]
    assert there.children("3") == []


# -------------------------------------------------------------------------------------------------------- marks


def test_a_code_tells_key_and_order() -> None:
    assert [mark_code("12", None), mark_code("12", 0), mark_code("12", -3)] == [
        "category-12",
        "category-12-order-0",
        "category-12-order--3",
    ]
    values = [FacetValue(str(n), mark_code("12", order), "x", "5") for n, order in enumerate((None, 0, -3))]
    assert [(mark.key, mark.order) for mark in marks_of(values).values()] == [("12", None), ("12", 0), ("12", -3)]
    assert (key_in("category-12-order-3"), key_in("sale"), key_in("category-")) == ("12", "", "")


def test_of_two_facet_values_of_a_category_the_oldest_counts() -> None:
    there = tree(codes=[("10", "category-7"), ("9", "category-7-order-1"), ("8", "something")])
    assert [mark.id for mark in there.marks_of("7")] == ["9", "10"]


def test_links_and_parents_are_read_tolerantly() -> None:
    assert [ids_in(link) for link in ("3:4", "3:", "3", "", None)] == [
        ("3", "4"),
        ("3", ""),
        ("3", ""),
        ("", ""),
        ("", ""),
    ]
    there = tree(node("2"), base="2")
    child: Value = {"name": "x", "parent": "p"}
    assert parent_of(there, Wanted("k", "k", value={"name": "x", "parent": None})) == "2"
    assert parent_of(there, Wanted("k", "k", value=child, links={"p": "2:7"})) == "2"
    assert parent_of(there, Wanted("k", "k", value=child, links={"p": "99:7"})) is None


def test_what_is_below_the_root_is_told_and_a_circle_ends() -> None:
    there = tree(node("2"), node("3", "2"), node("4", "3"), node("5", "6"), node("6", "5"), base="2")
    assert [there.is_below(there.nodes[each]) for each in "23456"] == [False, True, True, False, False]
    assert there.depth(there.nodes["5"]) == 2


def test_a_collection_without_our_language_is_called_as_the_shop_calls_it() -> None:
    text = {"languageCode": "en", "name": "Shoes", "slug": "shoes", "description": "x"}
    raw = {
        "id": 3,
        "parentId": 1,
        "position": 0,
        "isPrivate": False,
        "inheritFilters": True,
        "name": "Shoes",
        "filters": [],
        "translations": [text],
        "featuredAsset": None,
    }
    assert collection_of(raw, "cs") == replace(node("3", inherits=True), name="Shoes", spoken=False)
    assert collection_of(raw, "en").description == "x"


# ------------------------------------------------------------------------------------------------------ filters


def test_a_collection_of_ours_filters_on_its_facet_value_alone() -> None:
    (only,) = filters_with((), "7")
    assert only == by_value("7")
    assert only.value == "7"
    assert (
        by_value("7", "8").value,
        by_product().value,
        Filter("facet-value-filter", {"facetValueIds": "{"}).value,
    ) == (
        "",
        "",
        "",
    )


@pytest.mark.parametrize(
    "own",
    [
        [by_value("1")],
        [by_product()],
        [by_value("1"), by_product()],
        [by_product(), by_value("1")],
        [by_value("1"), by_value("2")],
        [by_value("1"), by_value("2", with_and="false")],
        [by_value("1"), by_value("2", with_and="false"), by_product()],
    ],
)
def test_ours_is_an_alternative_to_whatever_the_owner_asks_for(own: list[Filter]) -> None:
    joined = filters_with(own, "7")
    everything = ["1", "2", "7", "product-id-filter"]
    for number in range(len(everything) + 1):
        for has in map(set, itertools.combinations(everything, number)):
            assert shown(joined, has) == ("7" in has or shown(own, has)), (own, has)
    assert filters_with(joined, "7") == joined


def test_a_new_facet_value_takes_the_place_of_the_one_that_is_gone() -> None:
    own = filters_with([by_product()], "7")
    assert [one.value for one in filters_with(own, "8", former="7")] == ["8", ""]
    assert filters_with([by_value("7"), by_product()], "7") == [by_value("7"), by_product()]


def test_what_would_show_other_goods_is_unfit() -> None:
    strange = tree(node("2", filters=[Filter("my-filter", {})]))
    assert "kind" in unfit(strange, strange.nodes["2"])
    heir = tree(node("2", filters=[by_product()]), node("3", "2", inherits=True))
    assert "below" in unfit(heir, heir.nodes["2"])
    assert "above" in unfit(heir, heir.nodes["3"])


def test_what_would_show_the_same_goods_is_fit() -> None:
    plain = tree(node("2", inherits=True), node("3", "2", filters=[by_product()], inherits=True))
    assert unfit(plain, plain.nodes["2"]) == ""
    assert [one.id for one in heirs(plain, plain.nodes["2"])] == ["3"]
    assert unfit(plain, plain.nodes["3"]) == ""
    below_ours = tree(node("2", filters=[by_value("7")]), node("3", "2", inherits=True), codes=[("7", "category-1")])
    assert unfit(below_ours, below_ours.nodes["3"]) == ""


# ------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    "value",
    [
        None,
        "x",
        {},
        {"name": " "},
        {"name": "x" * 256},
        {"name": "x", "order": "1"},
        {"name": "x", "order": True},
        {"name": "x", "visible": 1},
        {"name": "x", "parent": 3},
        {"name": "x", "colour": "red"},
        {"name": "x", "picture": {"sha": "zz", "file": "a"}},
        {"name": "x", "picture": {"sha": SHA}},
        {"gone": "keep"},
        {"gone": "hide", "name": "x"},
    ],
)
def test_what_is_no_category_is_refused_by_name(value: Value) -> None:
    assert bad(value)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "x", "parent": None},
        {"name": "x", "parent": "3", "order": -1, "visible": False, "description": "", "picture": None},
        {"name": "x", "parent": None, "picture": {"sha": SHA, "file": "a.png"}},
        {"gone": "hide"},
        {"gone": "delete"},
    ],
)
def test_what_the_target_makes_is_taken(value: Value) -> None:
    assert bad(value) == ""
