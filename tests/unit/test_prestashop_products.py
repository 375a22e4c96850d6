"""What only PrestaShop does with products: what a creation says, combinations, languages, taxes, refusals, check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from agent.demo.prestashop import FakePrestaShop, Fault
from agent.demo.prestashop.faults import Kind
from agent.demo.prestashop.store import Row
from agent.errors import ShopUnavailable
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.shops import Finding
from agent.shops.prestashop import PrestaShop
from agent.shops.prestashop_fields import slug
from agent.shops.prestashop_setup import KEPT, Setup

KEY = "S3CR3T-K3Y-" + "k" * 21
P = "products"
ENGLISH, CZECH = 1, 2


@pytest.fixture
def fake() -> Iterator[FakePrestaShop]:
    with FakePrestaShop(key=KEY) as shop:
        yield shop
        assert shop.internal_errors == []


@pytest.fixture
def shop(fake: FakePrestaShop) -> Iterator[PrestaShop]:
    with closing(PrestaShop(fake.url, key=KEY, timeout=2.0, targets=PrestaShop.targets)) as adapter:
        yield adapter


def link_of(shop: PrestaShop, code: str) -> str:
    found = shop.find("quantities", [Wanted(key_of(code), code)])[key_of(code)]
    assert isinstance(found, Held), found
    return found.link


def owed(value: Value, link: str | None, code: str = "A") -> Owed:
    return Owed(Event(P, key_of(code), value, code), link)


def deliver(shop: PrestaShop, value: Value, link: str | None, code: str = "A") -> Outcome:
    return shop.deliver(P, [owed(value, link, code)])[0]


def create(shop: PrestaShop, **value: Value) -> Done:
    outcome = deliver(shop, {"name": "Kladivo", **value}, None)
    assert isinstance(outcome, Done), outcome
    return outcome


def product(fake: FakePrestaShop, number: int = 1) -> Row:
    return fake.store.tables["products"].rows[number]


def bodies(fake: FakePrestaShop) -> list[tuple[str, str]]:
    """What is written from now on: method and body."""
    said: list[tuple[str, str]] = []
    fake.faults.chooser = lambda request: said.append((request.method, request.body.decode()))
    return said


# ------------------------------------------------------------------------------------------------ creations


def test_a_new_product_has_all_that_the_administration_needs(fake: FakePrestaShop, shop: PrestaShop) -> None:
    outcome = create(shop, vat="12", description="<p>Popis</p>")
    row = product(fake)
    assert outcome.link == "1:1:0"
    assert (row["reference"], row["state"], row["active"], row["visibility"]) == ("A", 1, "1", "both")
    assert (row["id_category_default"], row["minimal_quantity"], row["id_tax_rules_group"]) == (2, 1, 2)
    assert fake.store.tables["products"].links[1]["categories"] == [{"id": 2}]
    assert row["name"] == {ENGLISH: "Kladivo", CZECH: "Kladivo"}
    assert row["link_rewrite"] == {ENGLISH: "kladivo", CZECH: "kladivo"}
    assert row["description"] == {ENGLISH: "<p>Popis</p>", CZECH: "<p>Popis</p>"}


def test_a_new_product_is_not_for_sale_until_its_price_comes(fake: FakePrestaShop, shop: PrestaShop) -> None:
    link = create(shop).link
    assert (product(fake)["price"], product(fake)["available_for_order"], product(fake)["show_price"]) == (
        "0.000000",
        "0",
        "0",
    )
    for amount, sold in (("0", "0"), ("99.9", "1")):
        event = Event("prices", "a", {"amount": amount, "form": "net"}, "A")
        (outcome,) = shop.deliver("prices", [Owed(event, link)])
        assert isinstance(outcome, Done)
        assert (product(fake)["available_for_order"], product(fake)["show_price"]) == (sold, sold)


def test_a_product_that_someone_took_off_sale_stays_off_sale(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A", price="10.000000")
    fake.store.tables["products"].change(1, {"available_for_order": "0"})
    event = Event("prices", "a", {"amount": "20", "form": "net"}, "A")
    shop.deliver("prices", [Owed(event, link_of(shop, "A"))])
    assert (product(fake)["price"], product(fake)["available_for_order"]) == ("20.000000", "0")


def test_without_a_rate_a_new_product_gets_the_highest_one(fake: FakePrestaShop, shop: PrestaShop) -> None:
    create(shop)
    assert product(fake)["id_tax_rules_group"] == 1


def test_a_new_hidden_product_is_switched_off(fake: FakePrestaShop, shop: PrestaShop) -> None:
    create(shop, visible=False)
    assert product(fake)["active"] == "0"


def test_the_home_category_is_asked_for(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.things.add_category("Domů", parent=1, row=7)
    fake.store.tables["shops"].change(1, {"id_category": 7})
    create(shop)
    assert product(fake)["id_category_default"] == 7


def test_a_creation_needs_a_name(fake: FakePrestaShop, shop: PrestaShop) -> None:
    outcome = deliver(shop, {"ean": ""}, None)
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("name:")
    assert fake.creations() == []


def test_a_code_that_the_shop_refuses_creates_nothing(fake: FakePrestaShop, shop: PrestaShop) -> None:
    outcome = deliver(shop, {"name": "x"}, None, "A<1>")
    assert isinstance(outcome, Rejected)
    assert "reference" in outcome.reason
    assert "code in POHODA" in outcome.hint
    assert fake.creations() == []


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Žluťoučký kůň 3 %", "zlutoucky-kun-3"),
        ("  --A/B--  ", "a-b"),
        ("漢字", ""),
        ("a" * 200, "a" * 128),
        ("x" * 127 + " y", "x" * 127),
        ("Ø 5 mm", "5-mm"),
    ],
)
def test_an_address_is_made_of_the_name(name: str, address: str) -> None:
    assert slug(name) == address


# ------------------------------------------------------------------------------------------------ updates


def test_only_what_differs_is_sent_and_never_by_put(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A", name="Kladivo")
    link = link_of(shop, "A")
    said = bodies(fake)
    value: Value = {"name": "Kladivo", "ean": "8590000000017", "visible": True, "vat": "21", "weight": "0"}
    assert isinstance(deliver(shop, value, link), Done)
    ((method, body),) = said
    assert method == "PATCH"
    assert "<product><id>1</id><ean13>8590000000017</ean13></product>" in body
    assert isinstance(deliver(shop, value, link), Done)
    assert len(said) == 1


def test_other_languages_get_back_what_they_hold(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A", name="Kladivo")
    fake.store.tables["products"].change(1, {"name": {ENGLISH: "Hammer & \x0bmore", CZECH: "Kladivo"}})
    deliver(shop, {"name": "Palice"}, link_of(shop, "A"))
    assert product(fake)["name"] == {ENGLISH: "Hammer & more", CZECH: "Palice"}


def test_a_shop_with_one_language_needs_no_setting() -> None:
    with FakePrestaShop(key=KEY, languages=(5,)) as fake:
        fake.add_product("A")
        with closing(PrestaShop(fake.url, key=KEY, timeout=2.0, language="de")) as shop:
            outcome = deliver(shop, {"name": "Nový", "description": ""}, link_of(shop, "A"))
            assert isinstance(outcome, Done)
            assert outcome.confirmed == {"name": "Nový", "description": ""}
            assert product(fake)["name"] == {5: "Nový"}


def test_a_product_hidden_everywhere_is_shown_again(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    fake.store.tables["products"].change(1, {"visibility": "none"})
    outcome = deliver(shop, {"visible": True}, link_of(shop, "A"))
    assert isinstance(outcome, Done)
    assert outcome.confirmed == {"visible": True}
    assert product(fake)["visibility"] == "both"


def test_where_it_is_shown_is_the_shops_own_matter(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    fake.store.tables["products"].change(1, {"visibility": "catalog", "active": "0"})
    deliver(shop, {"visible": True}, link_of(shop, "A"))
    assert (product(fake)["visibility"], product(fake)["active"]) == ("catalog", "1")


def test_marks_that_have_no_place_are_confirmed_as_sent_and_not_read(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    link = link_of(shop, "A")
    outcome = deliver(shop, {"marks": ["action", "clearance", "new"]}, link)
    assert isinstance(outcome, Done)
    assert outcome.confirmed == {"marks": ["action", "clearance", "new"]}
    assert product(fake)["on_sale"] == "1"
    held = shop.read(P, [Wanted("a", "A", link)])["a"].value
    assert isinstance(held, dict)
    assert held["marks"] == ["action"]


def test_a_weight_beyond_six_places_is_rounded_and_confirmed(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    outcome = deliver(shop, {"weight": "0.123456789"}, link_of(shop, "A"))
    assert isinstance(outcome, Done)
    assert outcome.confirmed == {"weight": "0.123456789"}
    assert product(fake)["weight"] == "0.123457"


def test_a_group_of_the_right_rate_is_left_as_it_is(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    fake.store.tables["products"].change(1, {"id_tax_rules_group": 3})  # an old one with 21 %
    assert isinstance(deliver(shop, {"vat": "21"}, link_of(shop, "A")), Done)
    assert product(fake)["id_tax_rules_group"] == 3
    deliver(shop, {"vat": "0"}, link_of(shop, "A"))
    assert product(fake)["id_tax_rules_group"] == 0


def test_the_rate_of_a_region_is_not_the_rate_of_the_country(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.store.seed("tax_rule_groups", 9, {"name": "kraj", "active": "1"})
    fake.store.seed("tax_rules", 9, {"id_tax_rules_group": 9, "id_country": 16, "id_state": 5, "id_tax": 3})
    fake.add_product("A")
    assert isinstance(deliver(shop, {"vat": "19"}, link_of(shop, "A")), Rejected)


def test_a_rate_that_the_country_has_not_is_refused(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    outcome = deliver(shop, {"vat": "19"}, link_of(shop, "A"))  # of Germany only
    assert isinstance(outcome, Rejected)
    assert "it has 12 %, 21 %" in outcome.reason
    assert "Tax rules" in outcome.hint


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"name": "Nůž <3>"}, "Product->name"),
        ({"name": "x" * 129}, "Product->name"),
        ({"description": "<script>x</script>"}, "Product->description"),
        ({"availability": "a" * 256}, "Product->available_now"),
        ({"ean": "123456789012345"}, "Product->ean13"),
    ],
)
def test_what_the_shop_refuses_names_field_and_remedy(
    fake: FakePrestaShop, shop: PrestaShop, value: dict[str, Value], told: str
) -> None:
    fake.add_product("A", name="Kladivo")
    outcome = deliver(shop, value, link_of(shop, "A"))
    assert isinstance(outcome, Rejected)
    assert told in outcome.reason
    assert "POHODA" in outcome.hint
    assert not outcome.link_lost
    assert product(fake)["name"] == {ENGLISH: "Kladivo", CZECH: "Kladivo"}


@pytest.mark.parametrize("value", [None, 5, [], {"colour": "red"}, {"name": 5}, {"visible": "yes"}, {"marks": "new"}])
def test_a_value_of_another_form_is_never_sent(fake: FakePrestaShop, shop: PrestaShop, value: Value) -> None:
    fake.add_product("A")
    link = link_of(shop, "A")
    said = bodies(fake)
    assert isinstance(deliver(shop, value, link), Rejected)
    assert said == []


def test_a_character_that_xml_has_not_is_refused_with_its_field(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    outcome = deliver(shop, {"unit": "ks\x0b"}, link_of(shop, "A"))
    assert isinstance(outcome, Rejected)
    assert "character" in outcome.reason


@pytest.mark.parametrize("link", ["", "1:2", "x", "1:9:0"])
def test_a_damaged_or_dead_link_is_lost(fake: FakePrestaShop, shop: PrestaShop, link: str) -> None:
    fake.add_product("A")
    outcome = deliver(shop, {"name": "x"}, link)
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost
    assert fake.creations() == []


# ------------------------------------------------------------------------------------------------ combinations


def test_a_combination_keeps_its_ean_and_confirms_the_rest_as_sent(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("T", 0, "Tričko", [("T-S", 1), ("T-M", 2)])
    link = link_of(shop, "T-M")
    value: Value = {"name": "Tričko M", "ean": "8590000000017", "visible": False, "weight": "1"}
    outcome = deliver(shop, value, link, "T-M")
    assert isinstance(outcome, Done)
    assert outcome.confirmed == value
    assert fake.store.tables["combinations"].rows[2]["ean13"] == "8590000000017"
    assert product(fake)["name"] == {ENGLISH: "Tričko", CZECH: "Tričko"}
    assert product(fake)["active"] == "1"
    assert shop.read(P, [Wanted("t-m", "T-M", link)])["t-m"].value == {"ean": "8590000000017"}


def test_a_combination_of_another_product_is_lost(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("T", 0, "Tričko", [("T-S", 1)])
    fake.add_product("B")
    outcome = deliver(shop, {"ean": ""}, "2:2:1")
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost


# ------------------------------------------------------------------------------------------------ bad days


@pytest.mark.parametrize(("kind", "first"), [("drop_after_apply", Unclear), ("maintenance", Unclear)])
def test_after_an_unclear_answer_the_rest_is_untried(
    fake: FakePrestaShop, shop: PrestaShop, kind: Kind, first: type[Outcome]
) -> None:
    for code in ("A", "B", "C"):
        fake.add_product(code)
    items = [owed({"name": "Nový"}, link_of(shop, code), code) for code in ("A", "B", "C")]
    fake.faults.next("none", kind)
    assert [type(one) for one in shop.deliver(P, items)] == [Done, first, Untried]
    assert product(fake, 3)["name"] == {ENGLISH: "C", CZECH: "C"}


def test_not_now_for_the_first_one_is_raised_and_later_untried(fake: FakePrestaShop, shop: PrestaShop) -> None:
    for code in ("A", "B"):
        fake.add_product(code)
    items = [owed({"name": "Nový"}, link_of(shop, code), code) for code in ("A", "B")]
    fake.faults.next(Fault("s429", retry_after=3))
    with pytest.raises(ShopUnavailable) as caught:
        shop.deliver(P, items)
    assert caught.value.retry_after == 3
    fake.faults.next("none", "s429")
    assert [type(one) for one in shop.deliver(P, items)] == [Done, Untried]


def test_what_was_taken_and_cannot_be_read_back_is_unclear(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    link = link_of(shop, "A")
    deliver(shop, {"name": "Starý"}, link)  # asks for languages and rates
    fake.faults.reads = True
    fake.faults.next("none", "none", "s500")  # read, PATCH, read back
    outcome = deliver(shop, {"name": "Nový"}, link)
    assert isinstance(outcome, Unclear)
    assert "cannot be read" in outcome.reason


def test_a_creation_broken_by_a_dying_shop_is_unclear_and_not_there(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.faults.next("half_apply")
    assert isinstance(deliver(shop, {"name": "x"}, None), Unclear)
    assert fake.creations() == []


# ------------------------------------------------------------------------------------------------ set-up and check


def test_a_language_or_a_country_that_is_not_there_waits_with_a_hint(fake: FakePrestaShop) -> None:
    fake.add_product("A")
    for given, setting in (({"language": "pl"}, "language"), ({"country": "XX"}, "country")):
        with closing(PrestaShop(fake.url, key=KEY, timeout=2.0, **given)) as shop:  # type: ignore[arg-type] # texts
            with pytest.raises(ShopUnavailable) as caught:
                deliver(shop, {"name": "x", "vat": "21"}, link_of(shop, "A"))
            assert setting in caught.value.hint
            errors = [one for one in check(fake, {P}, **given) if one.verdict == "error"]
            assert [setting in one.hint for one in errors] == [True]


def test_rates_are_asked_for_again_after_a_while_and_when_one_is_missing() -> None:
    asked: list[str] = []
    rate = ["21.000"]

    class Answers:
        def ask(self, resource: str, _query: object) -> list[dict[str, object]]:
            asked.append(resource)
            answers: dict[str, dict[str, object]] = {
                "countries": {"id": 16},
                "taxes": {"id": 1, "rate": rate[0], "active": "1"},
                "tax_rules": {"id": 1, "id_tax_rules_group": 4, "id_state": 0, "id_tax": 1},
                "tax_rule_groups": {"id": 4, "active": "1", "deleted": "0"},
            }
            return [answers[resource]]

    now = [0.0]
    setup = Setup(Answers(), language="cs", country="CZ", clock=lambda: now[0])  # type: ignore[arg-type] # its one method
    assert setup.group("21", 0) == 4
    assert setup.group("21", 0) == 4
    assert len(asked) == 4
    now[0] = KEPT + 1
    setup.rates()
    assert len(asked) == 8
    rate[0] = "12.000"
    assert setup.group("12", 0) == 4
    assert len(asked) == 12


def check(fake: FakePrestaShop, targets: set[str], **given: str) -> list[Finding]:
    with closing(
        PrestaShop(fake.url, key=KEY, timeout=2.0, targets=frozenset(targets), **given)  # type: ignore[arg-type] # texts
    ) as shop:
        return shop.check()


def test_check_lists_what_the_enabled_targets_lack(fake: FakePrestaShop) -> None:
    get = frozenset({"GET"})
    rights = dict.fromkeys(("products", "combinations", "stock_availables", "languages", "taxes", "tax_rules"), get)
    fake.webservice.keys[KEY] = rights
    said = [one.text for one in check(fake, {"products", "images"}) if one.verdict == "error"]
    for right in ("products PATCH", "combinations PATCH", "countries GET", "tax_rule_groups GET", "images POST"):
        assert any(right in text for text in said), right
    assert not any("stock_availables PATCH" in text for text in said)
    assert all(one.verdict != "error" or one.hint for one in check(fake, {"prices"}))


def test_check_says_what_products_without_prices_mean(fake: FakePrestaShop) -> None:
    assert any("no price" in one.text for one in check(fake, {"products"}))
    assert not any("no price" in one.text for one in check(fake, {"products", "prices"}))


def test_check_tells_of_rates_that_are_missing(fake: FakePrestaShop) -> None:
    fake.store.tables["tax_rules"].remove(4)
    (found,) = [one for one in check(fake, {"products", "prices"}) if one.subject == "vat"]
    assert found.verdict == "warning"
    assert "12 %" in found.hint


def test_a_partial_put_would_blank_the_product_so_the_trap_is_there(fake: FakePrestaShop) -> None:
    """What the adapter must never run into; the fake keeps the trap open."""
    fake.add_product("A", name="Kladivo")
    body = "<prestashop><product><id>1</id><price>5</price></product></prestashop>"
    with httpx.Client(base_url=fake.url, auth=(KEY, ""), trust_env=False) as client:
        assert client.put("/api/products", content=body).status_code == 200
    assert product(fake)["name"] == {ENGLISH: "", CZECH: ""}
