"""How the Vendure adapter matches names and keeps sets of facet values; the server itself is asked in tests/e2e."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import pytest

from agent.errors import ShopUnavailable
from agent.events import Done, Event, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted
from agent.shops.vendure_calls import Calls, Stop, Unit, in_turn
from agent.shops.vendure_card_facets import parameters, product_categories, suppliers
from agent.shops.vendure_facet_lists import Facet, everything, has_code
from agent.shops.vendure_facets import firm_facet, is_value
from agent.shops.vendure_labels import Labels
from agent.shops.vendure_lists import Lists
from agent.shops.vendure_named import match
from agent.shops.vendure_session import Reply, VendureSession
from agent.targets.names import firm_key, term_key

FIRMS = {
    firm_key("manufacturer", "ACME"): "11",
    firm_key("manufacturer", "Beta"): "12",
    firm_key("supplier", "Alfa"): "21",
    firm_key("supplier", "Gama"): "22",
}
TERMS = {term_key("Barva"): "1", term_key("Barva", "červená"): "31", term_key("Barva", "modrá"): "32"}


def label(value: str, name: str, facet: str, code: str, facet_name: str = "") -> dict[str, Any]:
    def text(called: str) -> dict[str, Any]:
        return {"name": called, "translations": [{"languageCode": "cs", "name": called}]}

    return {"id": value, "code": name, **text(name), "facet": {"id": facet, "code": code, **text(facet_name or code)}}


class Shop(VendureSession):
    """A shop with one variant, 1, that keeps what it is sent; other lists come as they are given."""

    def __init__(self, *has: dict[str, Any], pages: list[Any] | None = None, deny: bool = False) -> None:
        self.has = list(has)
        self.pages = pages or []
        self.known: list[dict[str, Any]] = []
        self.sent: list[Any] = []
        self.deny = deny

    def ask(self, document: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:  # noqa: ARG002 - the session's
        if "productVariants" in document:
            row = {"id": "1", "sku": "A", "facetValues": self.has}
            return {"productVariants": {"totalItems": 1, "items": [row]}}
        if "facets(" in document:
            text = {"name": "K", "translations": []}
            codes = (("8", "pohoda-categories"), ("90", "pohoda-categories-2"))
            return {"listed": {"totalItems": 2, "items": [{"id": one, "code": code, **text} for one, code in codes]}}
        if self.pages:
            total, ids = self.pages.pop(0)
            return {"listed": {"totalItems": total, "items": [{"id": each} for each in ids]}}
        return {"listed": {"totalItems": len(self.known), "items": [{**one, "facetId": "1"} for one in self.known]}}

    def change(self, document: str, variables: Mapping[str, object]) -> Reply:  # noqa: ARG002 - the session's
        if self.deny:
            raise ShopUnavailable("no", denied=True)
        self.sent.append(variables["i"])
        ids = variables["i"][0]["facetValueIds"]  # type: ignore[index]  # what the adapter sends
        every = {one["id"]: one for one in [*self.has, *self.known]}
        self.has = [every[each] for each in ids]
        return Reply(200, {"updateProductVariants": [{"id": "1", "sku": "A", "facetValues": self.has}]})


def ours(kind: str, session: VendureSession) -> Labels:
    make = {"categories": product_categories, "parameters": parameters, "suppliers": suppliers}[kind]
    return make(session, Lists(session), language="cs", lock=nullcontext())


def send(kind: str, session: VendureSession, value: Value, links: Mapping[str, str]) -> Outcome:
    (outcome,) = ours(kind, session).deliver([Owed(Event(kind, "a", value, "A"), "1", links)])
    return outcome


def read(kind: str, session: VendureSession, value: Value, links: Mapping[str, str]) -> Value:
    return ours(kind, session).read([Wanted("a", "A", "1", value=value, links=links)])["a"].value


# -------------------------------------------------------------------------------------------------------- names


def test_only_a_values_key_has_a_single_sign_of_equality() -> None:
    for name in ("a", "a = b", "=", "= =", "a ="):
        assert not is_value(term_key(name))
        assert is_value(term_key(name, "x = y"))


def test_a_code_that_the_shop_numbered_is_still_the_code() -> None:
    codes = ("supplier", "supplier-2", "supplier-x", "my-supplier", "suppliers")
    assert [has_code(code, "supplier") for code in codes] == [True, True, False, False, False]


def test_names_are_matched_without_regard_to_case_and_each_thing_is_given_once() -> None:
    things = [Facet("2", "x", "  BARVA "), Facet("3", "y", "barva"), Facet("4", "z", "Bárva"), Facet("5", "w", "Míra")]
    links = {"another": "2", "míra": "5", "value = x": "3"}
    wanted = [Wanted(key, key, value={"name": name}, links=links) for key, name in (("a", "Barva"), ("b", "Barva"))]
    found = match(
        [*wanted, Wanted("míra", "m", value={"name": "míra"}, links=links)], things, lambda key: " = " not in key
    )
    assert {key: held.link for key, held in found.items()} == {"a": "3", "míra": "5"}
    assert found["a"].value == {"name": "barva"}


def test_firms_have_a_facet_by_code_else_by_name_but_never_a_parameter_of_ours() -> None:
    parameter, named = Facet("1", "parameter-vyrobce", "Výrobce"), Facet("2", "znacka", " VÝROBCE ")
    coded = Facet("3", "manufacturer-2", "Značka")
    assert firm_facet([parameter, named, coded], "manufacturer") == coded
    assert firm_facet([parameter, named], "manufacturer") == named
    assert firm_facet([parameter], "manufacturer") is None


# ------------------------------------------------------------------------------------------------------ reading


def test_a_long_list_is_read_whole() -> None:
    pages = [(3, ["1", "2"]), (3, ["3"])]
    assert everything(Shop(pages=pages), "", lambda raw: raw["id"], {}) == ["1", "2", "3"]


@pytest.mark.parametrize("pages", [[(3, ["1", "2"]), (2, [])], [(3, ["1", "2"]), (3, ["2"])], [(3, ["1"]), (3, [])]])
def test_a_list_that_changed_while_it_was_read_is_not_believed(pages: list[Any]) -> None:
    with pytest.raises(ShopUnavailable):
        everything(Shop(pages=pages), "", lambda raw: raw["id"], {})


# ------------------------------------------------------------------------------------------------------ writing


def test_after_an_unclear_answer_and_after_a_denial_the_rest_is_untried() -> None:
    calls = Calls(Shop())

    def lost() -> list[Outcome]:
        raise Stop(Unclear("?"))

    def denied() -> list[Outcome]:
        raise ShopUnavailable("no")

    done: list[Outcome] = [Done("1", None)]
    units = [Unit([3], lambda: done), Unit([0, 2], lost), Unit([1], lambda: done)]
    assert in_turn(calls, units) == {3: done[0], 0: Unclear("?"), 2: Unclear("?"), 1: Untried()}
    with pytest.raises(ShopUnavailable):
        in_turn(calls, [Unit([0], denied)])
    calls.wrote = True
    assert in_turn(calls, [Unit([0], lambda: done), Unit([1], denied)]) == {0: done[0], 1: Untried()}


def test_a_set_keeps_what_others_put_there_and_its_order() -> None:
    shelf, old, kept = (
        label("5", "A1", "9", "shelf"),
        label("6", "x", "8", "pohoda-categories"),
        label("7", "y", "8", "pohoda-categories"),
    )
    shop = Shop(old, shelf, kept)
    shop.known = [label("10", "z", "8", "pohoda-categories")]
    outcome = send("categories", shop, {"categories": ["a", "b"], "main": "a"}, {"a": "3:7", "b": "4:10"})
    assert isinstance(outcome, Done)
    assert outcome.confirmed == {"categories": ["a", "b"], "main": "a"}
    assert shop.sent == [[{"id": "1", "facetValueIds": ["5", "7", "10"]}]]


def test_the_categories_of_another_channels_agent_stay() -> None:
    shop = Shop(
        label("6", "category-1", "90", "pohoda-categories-2"), label("7", "category-1", "8", "pohoda-categories")
    )
    assert isinstance(send("categories", shop, {"categories": [], "main": None}, {}), Done)
    assert [one["id"] for one in shop.has] == ["6"]


def test_a_denied_write_is_raised_and_nothing_to_do_needs_no_right() -> None:
    shop = Shop(label("7", "y", "8", "pohoda-categories"), deny=True)
    assert isinstance(send("categories", shop, {"categories": ["a"], "main": None}, {"a": "3:7"}), Done)
    with pytest.raises(ShopUnavailable):
        send("categories", shop, {"categories": [], "main": None}, {"a": "3:7"})


def test_a_category_without_a_link_or_a_facet_value_is_refused() -> None:
    for links in ({}, {"a": "3:"}):
        outcome = send("categories", Shop(), {"categories": ["a"], "main": None}, links)
        assert isinstance(outcome, Rejected)
        assert "reconcile --target categories " in outcome.hint


def test_a_category_that_nobody_links_is_told_by_its_code() -> None:
    shop = Shop(
        label("7", "category-12-order-3", "8", "pohoda-categories"), label("9", "mine", "8", "pohoda-categories")
    )
    assert read("categories", shop, None, {}) == {"categories": ["12"], "main": None}


def test_parameters_are_told_in_the_words_of_the_question_if_they_are_just_that() -> None:
    shop = Shop(label("32", "MODRÁ", "1", "barva", "BARVA"), label("40", "zima", "2", "season"))
    asked: Value = {"barva": ["Modrá"]}
    assert read("parameters", shop, asked, TERMS) == asked
    assert read("parameters", shop, {"Barva": ["červená", "modrá"]}, TERMS) == {"Barva": ["modrá"]}
    assert read("parameters", shop, {}, TERMS) == {"BARVA": ["MODRÁ"]}
    assert read("parameters", shop, None, {}) == {}


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"manufacturer": "Beta", "suppliers": []}, ["29", "12"]),
        ({"manufacturer": None, "suppliers": [{"name": "Gama"}]}, ["19", "29", "22"]),
        ({"suppliers": [{"name": "alfa"}]}, ["11", "19", "21", "29"]),
        ({"manufacturer": "ACME"}, ["11", "21", "29"]),
    ],
)
def test_only_our_firms_of_the_fields_that_are_spoken_of_are_replaced(value: Value, left: list[str]) -> None:
    makers = [label("11", "ACME", "6", "manufacturer"), label("19", "majitelův", "6", "manufacturer")]
    shop = Shop(*makers, label("21", "Alfa", "7", "supplier"), label("29", "jeho", "7", "supplier"))
    shop.known = [label("12", "Beta", "6", "manufacturer"), label("22", "Gama", "7", "supplier")]
    outcome = send("suppliers", shop, value, FIRMS)
    assert isinstance(outcome, Done)
    assert isinstance(outcome.confirmed, dict)
    assert isinstance(value, dict)
    assert outcome.confirmed.keys() == value.keys()
    assert outcome.confirmed.get("manufacturer") == value.get("manufacturer")
    assert [one["id"] for one in shop.has] == left


def test_suppliers_are_told_as_names_and_a_strangers_manufacturer_where_pohoda_names_one() -> None:
    shop = Shop(label("19", "majitelův", "6", "vyrobce", "Výrobce"), label("22", "Gama", "7", "supplier"))
    told = {"manufacturer": "majitelův", "suppliers": [{"name": "Gama"}]}
    assert read("suppliers", shop, None, FIRMS) == told
    assert read("suppliers", shop, {"manufacturer": "ACME", "suppliers": []}, FIRMS) == told
    assert read("suppliers", shop, {"manufacturer": None}, FIRMS) == {"manufacturer": None}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("categories", None),
        ("categories", {"categories": [3]}),
        ("parameters", []),
        ("parameters", {"a": "b"}),
        ("parameters", {"a": [" "]}),
        ("suppliers", {"maker": "x"}),
        ("suppliers", {"manufacturer": 3}),
        ("suppliers", {"suppliers": [{"code": "x"}]}),
    ],
)
def test_what_is_none_of_the_contracts_values_is_refused(kind: str, value: Value) -> None:
    assert isinstance(send(kind, Shop(), value, {}), Rejected)
