"""What only PrestaShop does with manufacturers and suppliers: firms that exist once, and what products have of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.faults import Kind
from agent.demo.prestashop.webservice import Request
from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Rejected, Unclear, Untried, Value
from agent.shops.prestashop_firms import FirmLink, Firms, link_of
from agent.shops.prestashop_suppliers import Suppliers
from agent.targets.names import firm_key
from agent.targets.suppliers import Suppliers as SuppliersTarget
from agent.targets.suppliers import SupplierSettings
from tests.prestashop_parts import KEY, Parts, asked, done, owed, refused

F, P = "suppliers.firms", "suppliers"
TARGET = SuppliersTarget(SupplierSettings())


@pytest.fixture
def fake() -> Iterator[FakePrestaShop]:
    with FakePrestaShop(key=KEY) as shop:
        yield shop
        assert shop.internal_errors == []


@pytest.fixture
def parts(fake: FakePrestaShop) -> Iterator[Parts]:
    with Parts(fake) as made:
        yield made


@pytest.fixture
def firms(parts: Parts) -> Firms:
    return Firms(parts.http, parts.lists, short=parts.short)


@pytest.fixture
def suppliers(parts: Parts) -> Suppliers:
    return Suppliers(parts.http, parts.lists, short=parts.short)


def firm(kind: str, name: str) -> dict[str, Value]:
    return {"kind": kind, "name": name}


def offer(name: str, code: str = "", *, default: bool = False) -> dict[str, Value]:
    return {"name": name, "code": code, "default": default}


# ------------------------------------------------------------------------------------------------ firms


def test_a_firm_is_created_switched_on_and_may_be_both(fake: FakePrestaShop, firms: Firms) -> None:
    name = 'Černý & syn "Ďáblík" s.r.o.'
    kinds = ("manufacturer", "supplier")
    outcomes = firms.deliver([owed(F, firm_key(kind, name), firm(kind, name)) for kind in kinds])
    assert [(done(one).link, done(one).confirmed) for one in outcomes] == [
        ("manufacturer:1", firm("manufacturer", name)),
        ("supplier:1", firm("supplier", name)),
    ]
    assert fake.store.tables["manufacturers"].rows[1]["active"] == "1"
    assert fake.store.tables["suppliers"].rows[1]["name"] == name


@pytest.mark.parametrize("name", ["a<b", "a;b", "a=b", "a#b", "{x}", "x" * 65, " "])
def test_a_name_that_the_shop_refuses_is_refused_before(parts: Parts, firms: Firms, name: str) -> None:
    said = parts.said()
    for kind, column in (("manufacturer", "SKz.Vyrobce"), ("supplier", "AD.Firma")):
        assert refused(firms.deliver([owed(F, "x", firm(kind, name))])[0]).reason.startswith(column)
    assert said == []


@pytest.mark.parametrize("value", [None, [], {"name": "x"}, {"kind": "carrier", "name": "x"}])
def test_what_is_no_firm_is_never_sent(parts: Parts, firms: Firms, value: Value) -> None:
    said = parts.said()
    assert isinstance(firms.deliver([owed(F, "x", value)])[0], Rejected)
    assert said == []


def test_a_firm_is_found_by_its_kind_and_name_the_oldest_first(fake: FakePrestaShop, firms: Firms) -> None:
    fake.things.add_supplier("ACME s.r.o.")
    fake.things.add_manufacturer("Acmé s.r.o.")
    first = fake.things.add_manufacturer(" acme   S.R.O.")
    fake.things.add_manufacturer("ACME s.r.o.")
    value = firm("manufacturer", "ACME s.r.o.")
    found = firms.find(
        [asked("manufacturer: acme s.r.o.", value), asked("x", firm("supplier", "Jiný")), asked("y", None)]
    )
    assert {key: one.link for key, one in found.items() if isinstance(one, Held)} == {
        "manufacturer: acme s.r.o.": f"manufacturer:{first}"
    }
    taken = {"manufacturer: other": f"manufacturer:{first}", "supplier: x": "supplier:3"}
    found = firms.find([asked("manufacturer: acme s.r.o.", value, taken)])
    assert [one.link for one in found.values() if isinstance(one, Held)] == ["manufacturer:3"]


def test_what_is_there_is_confirmed_and_what_was_deleted_loses_its_link(fake: FakePrestaShop, firms: Firms) -> None:
    fake.things.add_manufacturer("ACME International")  # the owner calls it so
    value = firm("manufacturer", "ACME")
    sent = [
        ("a", value, "manufacturer:1"),
        ("b", value, "manufacturer:9"),
        ("c", value, "supplier:1"),
        ("d", value, "?"),
    ]
    outcomes = firms.deliver([owed(F, *each) for each in sent])
    assert done(outcomes[0]).confirmed == value
    assert [refused(one).link_lost for one in outcomes[1:]] == [True] * 3
    held = firms.read([asked("a", value, {}, "manufacturer:1"), asked("b", None, {}, "manufacturer:1")])
    assert [one.value for one in held.values()] == [value, firm("manufacturer", "ACME International")]
    assert firms.read([asked("b", value, {}, "manufacturer:9")]) == {}


@pytest.mark.parametrize("kind", ["drop_after_apply", "half_answer", "s503_after_apply", "maintenance", "s500"])
def test_a_lost_answer_is_unclear_and_nothing_is_there_twice(fake: FakePrestaShop, firms: Firms, kind: Kind) -> None:
    fake.faults.next(kind)
    value = firm("supplier", "ACME")
    outcomes = firms.deliver([owed(F, "supplier: acme", value), owed(F, "supplier: b", firm("supplier", "B"))])
    assert [type(one) for one in outcomes] == [Unclear, Untried]
    found = firms.find([asked("supplier: acme", value)]).get("supplier: acme")
    link = found.link if isinstance(found, Held) else None
    done(firms.deliver([owed(F, "supplier: acme", value, link)])[0])
    assert fake.things.doubled() == {}
    assert len(fake.things.ids("suppliers", "ACME")) == 1


def test_links_are_read_back() -> None:
    assert link_of(str(FirmLink("supplier", 3))) == FirmLink("supplier", 3)
    assert [link_of(text) for text in ("", "3", "supplier:0", "carrier:3", "supplier:x", None)] == [None] * 6


# ------------------------------------------------------------------------------------------------ products


@pytest.fixture
def links(fake: FakePrestaShop) -> dict[str, str]:
    fake.add_product("A")
    return {
        firm_key("manufacturer", "ACME"): f"manufacturer:{fake.things.add_manufacturer('ACME')}",
        firm_key("manufacturer", "Bosch"): f"manufacturer:{fake.things.add_manufacturer('Bosch')}",
        firm_key("supplier", "Velko"): f"supplier:{fake.things.add_supplier('Velko')}",
        firm_key("supplier", "Malo"): f"supplier:{fake.things.add_supplier('Malo')}",
    }


def put(parts: Parts, suppliers: Suppliers, value: Value, links: dict[str, str], code: str = "A") -> Outcome:
    return suppliers.deliver([owed(P, code.lower(), value, parts.link(code), links)])[0]


def rows(fake: FakePrestaShop) -> list[tuple[object, ...]]:
    table = fake.store.tables["product_suppliers"].rows.values()
    names = ("id_product", "id_product_attribute", "id_supplier", "product_supplier_reference")
    return [tuple(row.get(name, 0) for name in names) for row in table]


def test_a_product_gets_maker_suppliers_codes_and_default_and_twice_is_once(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    value: Value = {"manufacturer": "ACME", "suppliers": [offer("Malo", "M-1"), offer("Velko", "V/7", default=True)]}
    said = parts.said()
    for _ in range(2):
        outcome = done(put(parts, suppliers, value, links))
        assert outcome.confirmed == value
    assert fake.things.manufacturer_of("A") == "ACME"
    assert fake.things.suppliers_of("A") == ([("Malo", "M-1"), ("Velko", "V/7")], "Velko")
    assert [method for method, _, _ in said] == ["POST", "POST", "PATCH"]
    assert fake.store.tables["product_suppliers"].rows[1]["id_currency"] == 1


def test_what_changed_is_changed_and_what_is_no_more_taken_away(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    done(
        put(
            parts,
            suppliers,
            {"manufacturer": "ACME", "suppliers": [offer("Velko", "V", default=True), offer("Malo")]},
            links,
        )
    )
    value: Value = {"manufacturer": None, "suppliers": [offer("Malo", "M-2")]}
    outcome = done(put(parts, suppliers, value, links))
    assert outcome.confirmed == value
    assert fake.things.manufacturer_of("A") == ""
    assert fake.things.suppliers_of("A") == ([("Malo", "M-2")], "")
    done(put(parts, suppliers, {"suppliers": []}, links))
    assert rows(fake) == []


def test_firms_that_others_put_there_stay(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    foreign = fake.things.add_supplier("Ručně")
    maker = fake.things.add_manufacturer("Ručně")
    fake.store.seed(
        "product_suppliers", None, {"id_product": 1, "id_supplier": foreign, "product_supplier_reference": "R"}
    )
    fake.store.tables["products"].change(1, {"id_manufacturer": maker, "id_supplier": foreign})
    value: Value = {"manufacturer": None, "suppliers": [offer("Velko", "V")]}
    outcome = done(put(parts, suppliers, value, links))
    assert outcome.confirmed == value
    assert fake.things.manufacturer_of("A") == "Ručně"
    assert fake.things.suppliers_of("A") == ([("Ručně", "R"), ("Velko", "V")], "Ručně")
    done(put(parts, suppliers, {"manufacturer": "Bosch", "suppliers": [offer("Velko", "V", default=True)]}, links))
    assert (fake.things.manufacturer_of("A"), fake.things.suppliers_of("A")[1]) == ("Bosch", "Velko")


def test_fields_that_are_not_kept_are_not_touched(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    done(put(parts, suppliers, {"manufacturer": "ACME", "suppliers": [offer("Velko", "V", default=True)]}, links))
    assert done(put(parts, suppliers, {"manufacturer": "Bosch"}, links)).confirmed == {"manufacturer": "Bosch"}
    assert fake.things.suppliers_of("A") == ([("Velko", "V")], "Velko")
    done(put(parts, suppliers, {"suppliers": [offer("Malo")]}, links))
    assert fake.things.manufacturer_of("A") == "Bosch"


def test_a_combination_has_suppliers_but_no_maker_of_its_own(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    product = fake.add_product("B", combinations=[("B-S", 1), ("B-M", 1)])
    value: Value = {"manufacturer": "ACME", "suppliers": [offer("Velko", "V-S", default=True)]}
    outcome = done(put(parts, suppliers, value, links, "B-S"))
    assert rows(fake) == [(product, 1, 1, "V-S")]
    assert outcome.confirmed == {"suppliers": [{"name": "Velko", "code": "V-S"}]}
    assert TARGET.same(value, outcome.confirmed)
    assert fake.store.tables["products"].rows[product].get("id_manufacturer", 0) == 0
    held = suppliers.find([asked("b-m", value, links)])["b-m"]
    assert isinstance(held, Held)
    assert held.value == {"suppliers": []}
    assert "whole product" in refused(put(parts, suppliers, {"manufacturer": "ACME"}, links, "B-M")).reason
    done(put(parts, suppliers, {"suppliers": []}, links, "B-S"))
    assert rows(fake) == []


def test_what_a_product_has_is_read_in_the_words_that_were_asked(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    value: Value = {"manufacturer": "ACME", "suppliers": [offer("Velko", "V", default=True)]}
    done(put(parts, suppliers, value, links))
    fake.store.tables["manufacturers"].change(1, {"name": "ACME International"})
    link = parts.link("A")
    assert suppliers.read([asked("a", value, links, link)])["a"].value == value
    other = suppliers.read([asked("a", {"manufacturer": "Bosch"}, links, link), asked("z", value, links, "9:9:0")])
    assert {key: one.value for key, one in other.items()} == {
        "a": {"manufacturer": "ACME International", "suppliers": [offer("Velko", "V", default=True)]}
    }


def test_a_firm_that_was_deleted_in_the_shop_is_said_and_nothing_sent(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    fake.store.tables["suppliers"].remove(1)
    said = parts.said()
    values: list[Value] = [
        {"suppliers": [offer("Velko")]},
        {"manufacturer": "Nikdo"},
        {"suppliers": [offer("Malo", "a<b")]},
    ]
    for value in values:
        outcome = refused(put(parts, suppliers, value, links))
        assert not outcome.link_lost
    assert said == []


@pytest.mark.parametrize("link", ["9:9:0", "x", None, "1:1:7"])
def test_a_product_that_is_gone_loses_its_link(suppliers: Suppliers, links: dict[str, str], link: str | None) -> None:
    assert refused(suppliers.deliver([owed(P, "a", {"manufacturer": "ACME"}, link, links)])[0]).link_lost


@pytest.mark.parametrize("value", [None, [], "x"])
def test_a_value_of_another_form_is_never_sent(
    parts: Parts, suppliers: Suppliers, links: dict[str, str], value: Value
) -> None:
    said = parts.said()
    assert isinstance(put(parts, suppliers, value, links), Rejected)
    assert said == []


LOST: tuple[Kind, ...] = ("drop_after_apply", "half_answer", "s503_after_apply", "maintenance", "s500")
PASSED: tuple[list[Kind], ...] = ([], ["none"], ["none", "none"])
MIDDLES = [[*passed, kind] for passed in PASSED for kind in LOST]


@pytest.mark.parametrize("kinds", MIDDLES, ids="-".join)
def test_a_lost_answer_in_the_middle_is_unclear_and_gone_on_from(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str], kinds: list[Kind]
) -> None:
    value: Value = {"manufacturer": "ACME", "suppliers": [offer("Velko", "V", default=True), offer("Malo", "M")]}
    fake.faults.next(*kinds)
    assert isinstance(put(parts, suppliers, value, links), Unclear)
    assert done(put(parts, suppliers, value, links)).confirmed == value
    assert fake.things.suppliers_of("A") == ([("Malo", "M"), ("Velko", "V")], "Velko")


def test_a_shop_that_says_not_now_in_the_middle_is_unclear_before_it_raises(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    value: Value = {"manufacturer": "ACME", "suppliers": [offer("Velko", "V"), offer("Malo", "M")]}
    fake.faults.next("s429")
    with pytest.raises(ShopUnavailable):
        put(parts, suppliers, value, links)
    fake.faults.next("none", "s429")
    assert isinstance(put(parts, suppliers, value, links), Unclear)
    fake.faults.next("none", "s429")
    assert isinstance(put(parts, suppliers, value, links), Unclear)
    assert done(put(parts, suppliers, value, links)).confirmed == value


def test_many_makers_are_one_request(
    fake: FakePrestaShop, parts: Parts, suppliers: Suppliers, links: dict[str, str]
) -> None:
    for code in "BCD":
        fake.add_product(code)
    sent = [owed(P, code.lower(), {"manufacturer": "Bosch"}, parts.link(code), links) for code in "ABCD"]
    gone: list[str] = []

    def vanishes(request: Request) -> None:
        if not gone:
            fake.store.tables["products"].remove(3)
        gone.append(request.body.decode())

    fake.faults.chooser = vanishes
    outcomes = suppliers.deliver(sent)
    assert [type(one) for one in outcomes] == [Done, Done, Rejected, Untried]
    assert [body.count("<product>") for body in gone] == [4, 1]
    fake.faults.off()
    assert [type(one) for one in suppliers.deliver(sent)] == [Done, Done, Rejected, Done]
    assert fake.things.manufacturer_of("D") == "Bosch"
