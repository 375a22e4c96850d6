"""Claims about the fake PrestaShop's categories, features, firms and orders beyond what the recordings cover."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from lxml import etree

from agent.demo.prestashop import DEMO_KEY, FakePrestaShop
from agent.demo.prestashop.faults import Fault, Kind
from agent.demo.prestashop.things import Category, Named, Supplied
from agent.demo.prestashop.webservice import Answer, Request

AUTH = {"authorization": "Basic " + base64.b64encode(f"{DEMO_KEY}:".encode()).decode()}
PATIENCE = 5.0  # seconds that a test waits for what is certain to happen
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 40


def ask(shop: FakePrestaShop, method: str, target: str, content: str = "") -> Answer:
    return shop.webservice.answer(Request(method, f"/api/{target}", AUTH, f"<p>{content}</p>".encode()))


def listed(shop: FakePrestaShop, target: str) -> list[dict[str, object]]:
    content = json.loads(ask(shop, "GET", f"{target}&output_format=JSON").body)
    return next(iter(content.values())) if content else []


def code(answer: Answer) -> int:
    return int(etree.fromstring(answer.body).findtext("errors/error/code") or 0)


def made(answer: Answer) -> int:
    assert answer.status == 201, answer.body
    return int(etree.fromstring(answer.body).findtext("*/id") or 0)


def both(name: str, text: str) -> str:
    return f'<{name}><language id="1">{text}</language><language id="2">{text}</language></{name}>'


def category(name: str, parent: int = 2, more: str = "") -> str:
    texts = both("name", name) + both("link_rewrite", "x")
    return f"<category><id_parent>{parent}</id_parent><active>1</active>{texts}{more}</category>"


def state(order: int, number: object) -> str:
    return f"<order><id>{order}</id><current_state>{number}</current_state></order>"


@pytest.fixture
def shop() -> Iterator[FakePrestaShop]:
    shop = FakePrestaShop()
    shop.add_product("A-1", 10, "Hammer", price="100")
    shop.add_product("T", 0, "Shirt", [("T-S", 5), ("T-M", 2)], price="10")
    yield shop
    assert shop.internal_errors == []


# -- categories -------------------------------------------------------------------------------------------------------


def test_a_fresh_shop_has_a_root_and_a_home_that_cannot_be_deleted(shop: FakePrestaShop) -> None:
    answers = [ask(shop, "DELETE", f"categories/{one}") for one in (1, 2)]
    assert [(one.status, code(one)) for one in answers] == [(500, 88)] * 2
    assert listed(shop, "categories?display=[id,id_parent,level_depth]") == [
        {"id": 1, "id_parent": 0, "level_depth": 0},
        {"id": 2, "id_parent": 1, "level_depth": 1},
    ]


def test_new_categories_come_last_below_their_parent(shop: FakePrestaShop) -> None:
    first, second = (made(ask(shop, "POST", "categories", category(name))) for name in "AB")
    below = made(ask(shop, "POST", "categories", category("C", first)))
    assert [shop.things.categories()[one].position for one in (first, second, below)] == [0, 1, 0]
    assert listed(shop, f"categories?filter[id]=[{below}]&display=[level_depth]") == [{"level_depth": 3}]


def test_a_position_that_is_sent_is_kept(shop: FakePrestaShop) -> None:
    one = made(ask(shop, "POST", "categories", category("A", more="<position>7</position>")))
    assert shop.things.categories()[one].position == 7
    ask(shop, "PATCH", "categories", f"<category><id>{one}</id><position>3</position></category>")
    assert shop.things.categories()[one].position == 3


def test_a_move_takes_the_subcategories_along(shop: FakePrestaShop) -> None:
    top, other = shop.things.add_category("A"), shop.things.add_category("B")
    below = shop.things.add_category("C", top)
    ask(shop, "PATCH", "categories", f"<category><id>{top}</id><id_parent>{other}</id_parent></category>")
    assert listed(shop, f"categories?filter[id]=[{top}|{below}]&display=[id_parent,level_depth]") == [
        {"id_parent": other, "level_depth": 3},
        {"id_parent": top, "level_depth": 4},
    ]


def test_a_category_below_its_own_child_is_an_empty_500_and_stays(shop: FakePrestaShop) -> None:
    top = shop.things.add_category("A")
    below = shop.things.add_category("B", top)
    answer = ask(shop, "PATCH", "categories", f"<category><id>{top}</id><id_parent>{below}</id_parent></category>")
    assert (answer.status, answer.body) == (500, b"")
    assert shop.things.categories()[top].parent == 2


def test_a_deleted_category_takes_its_children_and_leaves_the_products_to_the_parent(shop: FakePrestaShop) -> None:
    top, other = shop.things.add_category("A"), shop.things.add_category("B")
    middle = shop.things.add_category("C", top)
    leaf = shop.things.add_category("D", middle)
    shop.things.set_categories("A-1", [2, other, leaf], main=leaf)
    assert ask(shop, "DELETE", f"categories/{middle}").status == 200
    assert set(shop.things.categories()) == {top, other}
    assert shop.things.categories_of("A-1") == ([2, other], top)


def test_a_product_counts_once_in_a_category_and_below_it(shop: FakePrestaShop) -> None:
    top = shop.things.add_category("A")
    below = shop.things.add_category("B", top)
    shop.things.set_categories("A-1", [top, below])
    counted = listed(shop, f"categories?filter[id]=[{top}|{below}]&display=[nb_products_recursive]")
    assert counted == [{"nb_products_recursive": 1}] * 2
    root = etree.fromstring(ask(shop, "GET", f"categories/{top}").body)
    assert [one.text for one in root.findall(".//associations//id")] == [str(below), "1"]


def test_the_categories_of_a_product_are_replaced_and_the_rest_stays(shop: FakePrestaShop) -> None:
    one, two = shop.things.add_category("A"), shop.things.add_category("B")
    feature = shop.things.add_feature("Barva")
    shop.things.set_features("A-1", [(feature, shop.things.add_feature_value(feature, "modrá"))])
    ids = "".join(f"<category><id>{each}</id></category>" for each in (two, 999, one))
    content = f"<product><id>1</id><associations><categories>{ids}</categories></associations></product>"
    assert ask(shop, "PATCH", "products", content).status == 200
    assert shop.things.categories_of("A-1") == ([one, two], 2)
    assert shop.things.features_of("A-1") == {"Barva": ["modrá"]}


def test_a_category_without_a_name_or_active_is_refused(shop: FakePrestaShop) -> None:
    nameless = "<category><id_parent>2</id_parent><active>1</active>" + both("link_rewrite", "x") + "</category>"
    no_flag = "<category><id_parent>2</id_parent>" + both("name", "A") + both("link_rewrite", "x") + "</category>"
    answers = [ask(shop, "POST", "categories", one) for one in (nameless, no_flag)]
    assert [(one.status, code(one)) for one in answers] == [(400, 84), (400, 41)]
    assert shop.things.categories() == {}


def test_doubles_are_counted_by_parent_and_folded_name(shop: FakePrestaShop) -> None:
    for name, parent in (("Nářadí", 2), (" nářadí ", 2), ("Naradi", 2), ("Nářadí", 1)):
        shop.things.add_category(name, parent)
    for name in ("ACME", "Acme"):
        shop.things.add_supplier(name)
    feature = shop.things.add_feature("Barva")
    for value in ("modrá", "Modrá", "modra"):
        shop.things.add_feature_value(feature, value)
    assert shop.things.doubled() == {
        "categories": {Named(2, "nářadí"): 2},
        "suppliers": {Named(0, "acme"): 2},
        "product_feature_values": {Named(feature, "modrá"): 2},
    }
    assert len(shop.things.ids("categories", "NÁŘADÍ", 2)) == 2


# -- features ---------------------------------------------------------------------------------------------------------


def test_several_values_of_one_feature_are_a_set(shop: FakePrestaShop) -> None:
    feature = shop.things.add_feature("Barva")
    blue, red = (shop.things.add_feature_value(feature, one) for one in ("modrá", "červená"))
    pairs = "".join(
        f"<product_feature><id>{feature}</id><id_feature_value>{value}</id_feature_value></product_feature>"
        for value in (red, blue, red)
    )
    content = f"<product><id>1</id><associations><product_features>{pairs}</product_features></associations></product>"
    assert ask(shop, "PATCH", "products", content).status == 200
    assert shop.things.features_of("A-1") == {"Barva": ["modrá", "červená"]}


def test_a_deleted_feature_goes_from_the_products_with_its_values(shop: FakePrestaShop) -> None:
    gone, kept = shop.things.add_feature("Barva"), shop.things.add_feature("Délka")
    values = [shop.things.add_feature_value(one, "5") for one in (gone, kept)]
    shop.things.set_features("A-1", list(zip((gone, kept), values, strict=True)))
    ask(shop, "DELETE", f"product_features/{gone}")
    assert shop.things.features_of("A-1") == {"Délka": ["5"]}
    assert shop.things.ids("product_feature_values", "5", gone) == []


def test_a_feature_without_a_name_is_refused(shop: FakePrestaShop) -> None:
    answer = ask(shop, "POST", "product_features", "<product_feature></product_feature>")
    assert (answer.status, code(answer)) == (400, 84)


# -- firms ------------------------------------------------------------------------------------------------------------


def test_a_product_has_a_manufacturer_and_suppliers(shop: FakePrestaShop) -> None:
    maker, one, two = shop.things.add_manufacturer("ACME"), *(shop.things.add_supplier(each) for each in ("X", "Y"))
    fields = f"<id_manufacturer>{maker}</id_manufacturer><id_supplier>{two}</id_supplier>"
    ask(shop, "PATCH", "products", f"<product><id>1</id>{fields}</product>")
    for supplier, reference in ((one, "X-1"), (two, "Y-1")):
        content = (
            f"<product_supplier><id_product>1</id_product><id_product_attribute>0</id_product_attribute>"
            f"<id_supplier>{supplier}</id_supplier>"
            f"<product_supplier_reference>{reference}</product_supplier_reference></product_supplier>"
        )
        made(ask(shop, "POST", "product_suppliers", content))
    assert shop.things.manufacturer_of("A-1") == "ACME"
    assert shop.things.suppliers_of("A-1") == ([Supplied("X", "X-1"), Supplied("Y", "Y-1")], "Y")
    ask(shop, "DELETE", "products/1")
    assert listed(shop, "product_suppliers?display=full") == []


def test_a_change_into_a_row_that_another_one_is_already_is_refused(shop: FakePrestaShop) -> None:
    for supplier in (1, 2):
        fields = f"<id_product_attribute>0</id_product_attribute><id_supplier>{supplier}</id_supplier>"
        made(ask(shop, "POST", "product_suppliers", f"<ps><id_product>1</id_product>{fields}</ps>"))
    answer = ask(shop, "PATCH", "product_suppliers", "<ps><id>2</id><id_supplier>1</id_supplier></ps>")
    assert (answer.status, code(answer)) == (500, 46)


# -- pictures ---------------------------------------------------------------------------------------------------------


def upload(shop: FakePrestaShop, target: str, data: bytes = JPEG) -> Answer:
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n' + data + b"\r\n--x--"
    headers = AUTH | {"content-type": "multipart/form-data; boundary=x"}
    return shop.webservice.answer(Request("POST", f"/api/images/{target}", headers, body))


def test_the_picture_of_a_category_is_replaced_and_deleted(shop: FakePrestaShop) -> None:
    one = shop.things.add_category("A")
    first = upload(shop, f"categories/{one}")
    assert upload(shop, f"categories/{one}").status == 400
    second = upload(shop, f"categories/{one}?ps_method=PUT", JPEG + b"1")
    assert shop.things.picture_of("categories", one) == second.body != first.body
    assert ask(shop, "DELETE", f"images/categories/{one}").status == 200
    assert (code(ask(shop, "GET", f"images/categories/{one}")), shop.things.picture_of("categories", one)) == (61, None)


def test_the_picture_goes_with_the_category(shop: FakePrestaShop) -> None:
    one = shop.things.add_category("A")
    upload(shop, f"categories/{one}")
    ask(shop, "DELETE", f"categories/{one}")
    assert shop.things.picture_of("categories", one) is None


def test_a_picture_of_nothing_is_refused(shop: FakePrestaShop) -> None:
    assert code(upload(shop, "categories/99")) == 76
    assert code(upload(shop, "customers/1")) == 27


# -- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_takes_the_stock_and_is_found_by_its_reference(shop: FakePrestaShop) -> None:
    reference = shop.orders.buy({"A-1": 3, "T-S": 1})
    assert shop.quantities() == {"A-1": 7, "T-S": 4, "T-M": 2}
    assert shop.quantity_of("T") == 6
    assert len(reference) == 9
    assert reference.isalpha()
    assert reference.isupper()
    (order,) = listed(shop, f"orders?filter[reference]=[{reference}]&display=full")
    assert (order["id"], order["current_state"], order["total_paid"]) == (1, 2, "375.100000")
    rows = order["associations"]["order_rows"]  # type: ignore[index]  # JSON of unknown shape
    assert [(one["product_reference"], one["product_quantity"], one["product_price"]) for one in rows] == [
        ("A-1", 3, "100.000000"),
        ("T-S", 1, "10.000000"),
    ]


def test_every_order_has_its_own_reference(shop: FakePrestaShop) -> None:
    assert len({shop.orders.buy({"A-1": 1}) for _ in range(500)}) == 500


def test_an_unknown_code_or_state_buys_nothing(shop: FakePrestaShop) -> None:
    with pytest.raises(KeyError):
        shop.orders.buy({"A-1": 1, "B-2": 1})
    with pytest.raises(KeyError):
        shop.orders.buy({"A-1": 1}, state=99)
    assert (shop.quantity_of("A-1"), shop.orders.histories()) == (10, {})


def test_every_state_that_a_client_wrote_is_in_the_ledger_once(shop: FakePrestaShop, tmp_path: Path) -> None:
    shop = FakePrestaShop(ledger=tmp_path / "ledger.jsonl")
    shop.add_product("A-1", 5)
    reference = shop.orders.buy({"A-1": 1})
    for number in (4, 4, "", 5):
        assert ask(shop, "PATCH", "orders", state(1, number)).status == 200
    assert ask(shop, "PATCH", "orders", state(1, 99)).status == 500
    shop.orders.set_state(reference, 7)  # the owner, by hand
    shop.stop()
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert [(one.order, one.reference, one.state) for one in shop.state_changes()] == [
        (1, reference, 4),
        (1, reference, 5),
    ]
    assert [(line["reference"], line["state"]) for line in lines] == [(reference, 4), (reference, 5)]
    assert (shop.orders.states_of(reference), shop.orders.state_of(reference)) == ([2, 4, 5, 7], 7)
    assert shop.orders.doubled() == {}


def test_a_posted_history_adds_a_row_every_time(shop: FakePrestaShop) -> None:
    reference = shop.orders.buy({"A-1": 1})
    content = "<h><id_order>1</id_order><id_order_state>4</id_order_state></h>"
    assert {ask(shop, "POST", "order_histories", content).status for _ in range(2)} == {201}
    assert shop.orders.doubled() == {reference: [2, 4, 4]}
    assert [one.state for one in shop.state_changes()] == [4, 4]


@pytest.mark.parametrize(
    ("states", "left"),
    [
        ((6,), 10),
        ((6, 6), 10),
        ((4, 6), 10),
        ((6, 8), 10),  # from one end to another: nothing more to give back
        ((6, 2), 9),  # sold again
        ((6, 2, 6), 10),
        ((7,), 9),  # a refund is no cancelling
        ((10, 6), 10),
    ],
)
def test_only_cancelling_and_failing_give_the_stock_back_and_only_once(
    shop: FakePrestaShop, states: tuple[int, ...], left: int
) -> None:
    shop.orders.buy({"A-1": 1})
    for one in states:
        ask(shop, "PATCH", "orders", state(1, one))
    assert shop.quantity_of("A-1") == left


def test_which_state_cancels_is_configured(shop: FakePrestaShop) -> None:
    (row,) = listed(shop, "configurations?filter[name]=[PS_OS_CANCELED]&display=[id]")
    ask(shop, "PATCH", "configurations", f"<c><id>{row['id']}</id><value>7</value></c>")
    shop.orders.buy({"A-1": 2})
    ask(shop, "PATCH", "orders", state(1, 6))
    assert shop.quantity_of("A-1") == 8
    ask(shop, "PATCH", "orders", state(1, 2))
    ask(shop, "PATCH", "orders", state(1, 7))
    assert shop.quantity_of("A-1") == 10


def test_an_order_that_begins_as_failed_takes_no_stock(shop: FakePrestaShop) -> None:
    shop.orders.buy({"A-1": 1}, state=8)
    assert shop.quantity_of("A-1") == 10


def test_a_delivery_is_dated_anew_by_each_state_that_delivers() -> None:
    times = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(99))
    shop = FakePrestaShop(clock=lambda: next(times))
    shop.add_product("A-1", 5)
    shop.orders.buy({"A-1": 1}, state=10)
    dates = []
    for one in (4, 5):
        ask(shop, "PATCH", "orders", state(1, one))
        dates += listed(shop, "orders?display=[invoice_number,invoice_date,delivery_number,delivery_date]")
    assert [one["invoice_number"] for one in dates] == [one["delivery_number"] for one in dates] == [1, 1]
    assert dates[0]["invoice_date"] == dates[1]["invoice_date"] == dates[0]["delivery_date"]
    assert str(dates[1]["delivery_date"]) > str(dates[0]["delivery_date"])


def test_the_tracking_number_is_written_where_the_order_travels(shop: FakePrestaShop) -> None:
    reference = shop.orders.buy({"A-1": 1}, carrier=2)
    (row,) = listed(shop, "order_carriers?filter[id_order]=[1]&display=full")
    assert (row["id_carrier"], row["tracking_number"]) == (2, "")
    content = f"<order_carrier><id>{row['id']}</id><tracking_number>RR 1/CZ</tracking_number></order_carrier>"
    assert ask(shop, "PATCH", "order_carriers", content).status == 200
    assert (shop.orders.tracking_of(reference), shop.orders.carrier_of(reference)) == ("RR 1/CZ", 2)
    assert listed(shop, "orders?display=[shipping_number]") == [{"shipping_number": "RR 1/CZ"}]
    ask(shop, "PATCH", "orders", "<order><id>1</id><shipping_number>B</shipping_number></order>")
    assert (shop.orders.tracking_of(reference), shop.state_changes()) == ("B", [])
    bad = content.replace("RR 1", "ř")
    assert code(ask(shop, "PATCH", "order_carriers", bad)) == 85


def test_an_unknown_state_keeps_the_whole_order(shop: FakePrestaShop) -> None:
    shop.orders.buy({"A-1": 1})
    content = "<order><id>1</id><note>x</note><current_state>99</current_state></order>"
    assert ask(shop, "PATCH", "orders", content).status == 500
    assert listed(shop, "orders?display=[note,current_state]") == [{"current_state": 2, "note": ""}]


def test_a_client_places_no_orders(shop: FakePrestaShop) -> None:
    assert ask(shop, "POST", "orders", "<order></order>").status == 405


# -- faults -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(shop: FakePrestaShop) -> Iterator[httpx.Client]:
    with (
        shop,
        httpx.Client(base_url=f"{shop.url}/api", auth=(shop.key, ""), timeout=PATIENCE, trust_env=False) as client,
    ):
        yield client


@pytest.mark.parametrize("kind", ["drop_after_apply", "half_answer"])
def test_a_lost_answer_to_a_creation_was_applied(shop: FakePrestaShop, client: httpx.Client, kind: Kind) -> None:
    shop.faults.next(kind)
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/categories", content=f"<p>{category('A')}</p>")
    (found,) = shop.things.categories().values()
    assert found == Category(3, 2, "A", 0, active=True, description="")
    assert [(one.resource, one.reference) for one in shop.creations()] == [("categories", "A")]


def test_a_connection_closed_before_applying_wrote_no_state(shop: FakePrestaShop, client: httpx.Client) -> None:
    reference = shop.orders.buy({"A-1": 1})
    shop.faults.next("never_apply")
    with pytest.raises(httpx.RemoteProtocolError):
        client.patch("/orders", content=f"<p>{state(1, 4)}</p>")
    assert shop.orders.states_of(reference) == [2]


def test_half_of_the_orders_are_changed_when_the_shop_dies_in_the_middle(
    shop: FakePrestaShop, client: httpx.Client
) -> None:
    references = [shop.orders.buy({"A-1": 1}) for _ in range(2)]
    shop.faults.next("half_apply")
    with pytest.raises(httpx.RemoteProtocolError):
        client.patch("/orders", content=f"<p>{state(1, 4)}{state(2, 4)}</p>")
    assert [shop.orders.state_of(one) for one in references] == [4, 2]


def test_a_late_write_of_a_state_lands_after_the_client_gave_up(shop: FakePrestaShop, client: httpx.Client) -> None:
    reference, applied = shop.orders.buy({"A-1": 1}), threading.Event()
    record = shop.store.on_state

    def told(order: int, name: str, number: int) -> None:
        record(order, name, number)
        applied.set()

    shop.store.on_state = told
    shop.faults.next(Fault("late_apply", delay=0.3))
    with pytest.raises(httpx.ReadTimeout):
        client.patch("/orders", content=f"<p>{state(1, 6)}</p>", timeout=0.1)
    assert shop.orders.states_of(reference) == [2]
    assert applied.wait(PATIENCE)
    assert (shop.orders.states_of(reference), shop.quantity_of("A-1")) == ([2, 6], 10)
