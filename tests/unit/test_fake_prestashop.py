"""Claims about the fake PrestaShop beyond what the recordings cover: its faults, its judges, its writes in bulk.

Those about faults go over real HTTP, for a fault is something that happens to a connection.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from lxml import etree

from agent.demo.prestashop import ABSURD, DEMO_KEY, FakePrestaShop, Fault, Faults
from agent.demo.prestashop.faults import KINDS, Kind
from agent.demo.prestashop.webservice import Answer, Request

AUTH = {"authorization": "Basic " + base64.b64encode(f"{DEMO_KEY}:".encode()).decode()}
PATIENCE = 5.0  # seconds that a test waits for what is certain to happen


def stock(*rows: tuple[int, int]) -> bytes:
    nodes = "".join(
        f"<stock_available><id>{row}</id><quantity>{quantity}</quantity></stock_available>" for row, quantity in rows
    )
    return f"<prestashop>{nodes}</prestashop>".encode()


def ask(shop: FakePrestaShop, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
    return shop.webservice.answer(Request(method, f"/api/{target}", AUTH | headers, body))


def listed(shop: FakePrestaShop, target: str) -> list[dict[str, object]]:
    content = json.loads(ask(shop, "GET", f"{target}&output_format=JSON").body)
    return next(iter(content.values())) if content else []


def code(answer: Answer) -> int:
    return int(etree.fromstring(answer.body).findtext("errors/error/code") or 0)


@pytest.fixture
def shop() -> FakePrestaShop:
    shop = FakePrestaShop()
    shop.add_product("A-1", 10, "Hammer")  # stock row 1
    shop.add_product("B-2", 20, "Nail")  # stock row 2
    shop.add_product("T", 0, "Shirt", [("T-S", 1), ("T-M", 2)])  # sum row 3, then 4 and 5
    return shop


@pytest.fixture
def client(shop: FakePrestaShop) -> Iterator[httpx.Client]:
    with (
        shop,
        httpx.Client(base_url=f"{shop.url}/api", auth=(shop.key, ""), timeout=PATIENCE, trust_env=False) as client,
    ):
        yield client
    assert shop.internal_errors == []


def put(client: httpx.Client, *rows: tuple[int, int]) -> httpx.Response:
    return client.patch("/stock_availables", content=stock(*rows))


# -- what the recordings do not cover ---------------------------------------------------------------------------------


def test_seeded_products_are_found_and_counted(shop: FakePrestaShop) -> None:
    assert shop.quantities() == {"A-1": 10, "B-2": 20, "T-S": 1, "T-M": 2}
    assert shop.quantity_of("a-1") == 10
    assert shop.quantity_of("T") == 3
    assert listed(shop, "combinations?filter[reference]=[T-M]&display=[id,id_product]") == [{"id": 2, "id_product": 3}]


def test_a_code_that_nobody_has_is_a_key_error(shop: FakePrestaShop) -> None:
    with pytest.raises(KeyError):
        shop.quantity_of("C-3")


def test_every_written_quantity_is_in_the_ledger_in_order(shop: FakePrestaShop) -> None:
    ask(shop, "PATCH", "stock_availables", stock((2, 7), (1, 8)))
    assert [(one.row, one.reference, one.quantity) for one in shop.writes()] == [(2, "B-2", 7), (1, "A-1", 8)]


def test_a_refused_write_and_a_write_of_something_else_are_not_in_the_ledger(shop: FakePrestaShop) -> None:
    assert ask(shop, "PATCH", "stock_availables/1", b"<p><s><id>1</id><quantity>x</quantity></s></p>").status == 400
    assert ask(shop, "PATCH", "stock_availables/1", b"<p><s><id>1</id><location>B</location></s></p>").status == 200
    assert shop.writes() == []
    assert shop.quantity_of("A-1") == 10


def test_the_ledger_file_has_a_line_per_write(tmp_path: Path) -> None:
    told = []
    shop = FakePrestaShop(
        ledger=tmp_path / "ledger.jsonl",
        on_write=lambda reference, quantity, at: told.append((reference, quantity, at)),
    )
    shop.add_product("Č-1", 1)
    ask(shop, "PATCH", "stock_availables", stock((1, 5)))
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text("utf-8").splitlines()]
    shop.stop()
    assert [(line["row"], line["reference"], line["quantity"]) for line in lines] == [(1, "Č-1", 5)]
    assert told == [("Č-1", 5, lines[0]["at"])]


def test_a_sale_lowers_the_quantity_and_the_sum_and_is_no_write(shop: FakePrestaShop) -> None:
    assert shop.sell("T-M", 2) == 0
    assert shop.quantity_of("T") == 1
    assert shop.writes() == []


def test_a_write_to_a_combination_recomputes_the_sum(shop: FakePrestaShop) -> None:
    ask(shop, "PATCH", "stock_availables", stock((5, 40)))
    assert shop.quantity_of("T") == 41
    assert [one.reference for one in shop.writes()] == ["T-M"]


def test_a_deleted_combination_leaves_the_sum(shop: FakePrestaShop) -> None:
    assert ask(shop, "DELETE", "combinations/2").status == 200
    assert shop.quantities() == {"A-1": 10, "B-2": 20, "T-S": 1}
    assert shop.quantity_of("T") == 1


def test_a_patch_of_five_hundred_rows_is_taken() -> None:
    shop = FakePrestaShop()
    shop.add_products((f"SKU-{one:03}", 0) for one in range(500))
    assert ask(shop, "PATCH", "stock_availables", stock(*((row, row) for row in range(1, 501)))).status == 200
    assert sum(shop.quantities().values()) == 500 * 501 // 2


def test_the_same_id_twice_in_one_patch_is_refused_whole(shop: FakePrestaShop) -> None:
    answer = ask(shop, "PATCH", "stock_availables", stock((1, 5), (1, 6)))
    assert (answer.status, code(answer)) == (400, 89)
    assert shop.quantity_of("A-1") == 10


def test_a_patch_without_an_id_and_a_post_with_one_are_refused(shop: FakePrestaShop) -> None:
    patch = ask(shop, "PATCH", "stock_availables/1", b"<p><s><quantity>5</quantity></s></p>")
    post = ask(shop, "POST", "products", b"<p><product><id>9</id><price>1</price></product></p>")
    assert (patch.status, code(patch), post.status, code(post)) == (400, 90, 400, 91)


def test_several_records_as_json_show_only_the_last(shop: FakePrestaShop) -> None:
    answer = ask(shop, "PATCH", "stock_availables?output_format=JSON", stock((1, 5), (2, 6)))
    assert json.loads(answer.body)["stock_available"]["id"] == "2"
    assert (shop.quantity_of("A-1"), shop.quantity_of("B-2")) == (5, 6)


def test_codes_are_equal_without_case_accents_and_trailing_spaces(shop: FakePrestaShop) -> None:
    shop.add_product("Šroub-1", 1)
    for spelling in ("sroub-1", "ŠROUB-1", "Šroub-1 "):
        assert listed(shop, f"products?filter[reference]=[{spelling}]&display=[reference]") == [
            {"reference": "Šroub-1"}
        ]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("filter[id]=%3C[3]", [1, 2]),
        ("filter[reference]=%[-2]", [2]),
        ("filter[reference]=![A-1|B-2]", [3]),
        ("filter[name]=[nail]", [2]),
        ("filter[reference]=A-1", [1]),
        ("filter[id]=[1,2]&sort=[reference_DESC]", [2, 1]),
        ("sort=[id_DESC]&limit=1,1", [2]),
        ("filter[id]=[1|3]&filter[active]=[1]", [1, 3]),
    ],
)
def test_filters_and_sorting_choose_rows(shop: FakePrestaShop, query: str, ids: list[int]) -> None:
    assert listed(shop, f"products?{query}&display=[id]") == [{"id": one} for one in ids]


@pytest.mark.parametrize(
    ("query", "number"),
    [("sort=[bogus_ASC]", 38), ("sort=id", 37), ("limit=a", 39), ("display=id", 36), ("filter[date_upd]=[1]", 32)],
)
def test_a_query_that_makes_no_sense_is_refused(shop: FakePrestaShop, query: str, number: int) -> None:
    answer = ask(shop, "GET", f"products?{query}")
    assert (answer.status, code(answer)) == (400, number)


def test_a_shop_with_one_language_shows_texts_as_plain_values() -> None:
    shop = FakePrestaShop(languages=(1,))
    shop.add_product("A", 1, "Hammer")
    assert listed(shop, "products?display=[name]") == [{"name": "Hammer"}]


def test_a_change_of_stock_leaves_the_time_of_the_product_and_a_change_of_price_moves_it() -> None:
    times = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(9))
    shop = FakePrestaShop(clock=lambda: next(times))
    shop.add_product("A", 1)
    before = listed(shop, "products?display=[date_upd]")
    ask(shop, "PATCH", "stock_availables", stock((1, 5)))
    assert listed(shop, "products?display=[date_upd]") == before
    ask(shop, "PATCH", "products", b"<p><product><id>1</id><price>5</price></product></p>")
    assert listed(shop, "products?display=[date_upd]") == [{"date_upd": "2026-01-01 01:00:00"}]


def test_an_entity_in_a_body_is_not_resolved(shop: FakePrestaShop) -> None:
    body = b'<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/hostname">]><p><product><id>1</id><location>&e;</location></product></p>'
    ask(shop, "PATCH", "products", body)
    assert listed(shop, "products?filter[id]=[1]&display=[location]") == [{"location": ""}]


def test_a_blank_schema_names_every_field_and_says_nothing_of_them(shop: FakePrestaShop) -> None:
    root = etree.fromstring(ask(shop, "GET", "stock_availables?schema=blank").body)
    assert [str(one.tag) for one in root[0]][:3] == ["id", "id_product", "id_product_attribute"]
    assert all(not one.attrib for one in root[0])


def test_a_key_of_the_wrong_length_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="32"):
        FakePrestaShop(key="short")


# -- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_after_apply", "half_answer"])
def test_a_lost_answer_was_applied(shop: FakePrestaShop, client: httpx.Client, kind: Kind) -> None:
    shop.faults.next(kind)
    with pytest.raises(httpx.RemoteProtocolError):
        put(client, (1, 5))
    assert shop.quantity_of("A-1") == 5
    assert shop.faults.counts == {kind: 1}


def test_a_gateways_503_was_applied(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.faults.next("s503_after_apply")
    assert put(client, (1, 5)).status_code == 503
    assert shop.quantity_of("A-1") == 5


def test_a_write_that_dies_in_the_middle_was_half_applied(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.faults.next("half_apply")
    with pytest.raises(httpx.RemoteProtocolError):
        put(client, (1, 5), (2, 6))
    assert (shop.quantity_of("A-1"), shop.quantity_of("B-2")) == (5, 20)


def test_a_connection_closed_before_applying_changed_nothing(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.faults.next("never_apply")
    with pytest.raises(httpx.RemoteProtocolError):
        put(client, (1, 5))
    assert shop.writes() == []


@pytest.mark.parametrize(
    ("kind", "status"), [("s429", 429), ("s500", 500), ("unauthorized", 401), ("maintenance", 200)]
)
def test_a_refusal_changed_nothing(shop: FakePrestaShop, client: httpx.Client, kind: Kind, status: int) -> None:
    shop.faults.next(kind)
    answer = put(client, (1, 5))
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html") == (kind != "unauthorized")
    assert shop.writes() == []
    assert put(client, (1, 5)).status_code == 200


@pytest.mark.parametrize(
    ("asked", "header"), [(2, "2"), (0.5, "0.5"), (None, None), (ABSURD, ABSURD), ("soon", "soon")]
)
def test_retry_after_comes_as_it_was_chosen(
    shop: FakePrestaShop, client: httpx.Client, asked: float | str | None, header: str | None
) -> None:
    shop.faults.next(Fault("s429", retry_after=asked))
    assert put(client, (1, 5)).headers.get("retry-after") == header


def test_retry_after_can_be_a_date() -> None:
    moment = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    header = Fault("s429", retry_after="date:90").retry_after_header(moment)
    assert parsedate_to_datetime(header or "") == moment + timedelta(seconds=90)


def test_a_late_write_is_applied_after_the_client_gave_up_and_blocks_nobody_meanwhile() -> None:
    applied = threading.Event()
    shop = FakePrestaShop(on_write=lambda _reference, _quantity, _at: applied.set())
    shop.add_product("A-1", 10)
    with shop, httpx.Client(base_url=f"{shop.url}/api", auth=(shop.key, ""), trust_env=False) as client:
        shop.faults.next(Fault("late_apply", delay=0.6))
        with pytest.raises(httpx.ReadTimeout):
            client.patch("/stock_availables", content=stock((1, 5)), timeout=0.1)
        assert shop.late_writes == 1
        assert client.get("/stock_availables/1").status_code == 200
        assert shop.quantity_of("A-1") == 10
        assert applied.wait(PATIENCE)
        assert shop.quantity_of("A-1") == 5
    assert shop.internal_errors == []


def test_stopping_gives_up_late_writes(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.faults.next(Fault("late_apply", delay=PATIENCE))
    with pytest.raises(httpx.ReadTimeout):
        client.patch("/stock_availables", content=stock((1, 5)), timeout=0.1)
    shop.stop()
    assert shop.late_writes == 0
    assert shop.writes() == []


def test_a_dripping_answer_was_applied_and_comes_whole(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.faults.next(Fault("slow_drip", delay=0.001))
    assert etree.fromstring(put(client, (1, 5)).content).findtext("stock_available/quantity") == "5"


def test_reads_are_spared_unless_asked_for(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.faults.next("s500")
    assert client.get("/products").status_code == 200
    shop.faults.reads = True
    assert client.get("/products").status_code == 500


def test_a_queue_goes_before_the_choosers_word_and_that_before_the_lottery(shop: FakePrestaShop) -> None:
    request = Request("PATCH", "/api/stock_availables", {})
    shop.faults.at_random(1, {"s500": 1.0})
    shop.faults.chooser = lambda _: "maintenance" if not shop.faults.counts.get("maintenance") else None
    shop.faults.next("none", "s429")
    assert [shop.faults.decide(request).kind for _ in range(4)] == ["none", "s429", "maintenance", "s500"]
    assert shop.faults.counts == {"s429": 1, "maintenance": 1, "s500": 1}


def test_the_same_seed_makes_the_same_storm() -> None:
    request = Request("PATCH", "/api/stock_availables", {})

    def storm(seed: int) -> list[Fault]:
        faults = Faults()
        faults.at_random(seed, {"drop_after_apply": 0.3, "late_apply": 0.3}, template=Fault(delay=2.0))
        return [faults.decide(request) for _ in range(200)]

    assert storm(7) == storm(7) != storm(8)
    kinds = [fault.kind for fault in storm(7)]
    assert {"none", "drop_after_apply", "late_apply"} == set(kinds)
    assert 40 < kinds.count("late_apply") < 80
    assert all(fault.delay <= 2.0 for fault in storm(7))


def test_nonsense_faults_are_refused() -> None:
    faults = Faults()
    with pytest.raises(ValueError, match="no such fault"):
        faults.next("hiccup")  # type: ignore[arg-type] # what a typing mistake in a test looks like
    with pytest.raises(ValueError, match="probabilities"):
        faults.at_random(1, {"s500": 0.7, "s429": 0.7})
    assert "hiccup" not in KINDS


def test_a_timed_outage_ends_by_itself() -> None:
    now = [100.0]
    faults = Faults(clock=lambda: now[0])
    faults.down_for(30)
    assert faults.is_down()
    now[0] = 130.0
    assert not faults.is_down()


def test_an_outage_hits_reads_and_writes_and_changes_nothing(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.down = True
    assert (client.get("/products").status_code, put(client, (1, 5)).status_code) == (503, 503)
    shop.down = False
    assert put(client, (1, 6)).status_code == 200
    assert [one.quantity for one in shop.writes()] == [6]
    assert shop.faults.counts == {"outage": 2}


def test_a_shop_that_hangs_up_answers_nothing(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.down = "close"
    with pytest.raises(httpx.TransportError):
        put(client, (1, 5))
    assert shop.writes() == []


def test_a_shop_that_refuses_connections_comes_back_at_the_same_address(
    shop: FakePrestaShop, client: httpx.Client
) -> None:
    assert put(client, (1, 5)).status_code == 200
    shop.down = "refuse"
    with httpx.Client(base_url=f"{shop.url}/api", auth=(shop.key, ""), trust_env=False) as other:
        with pytest.raises(httpx.ConnectError):
            put(other, (1, 6))
        shop.down = False
        assert put(other, (1, 7)).status_code == 200
    assert [one.quantity for one in shop.writes()] == [5, 7]


def test_what_the_shop_holds_survives_a_restart(shop: FakePrestaShop) -> None:
    for quantity in (5, 6):
        with shop, httpx.Client(base_url=f"{shop.url}/api", auth=(shop.key, ""), trust_env=False) as client:
            assert put(client, (1, quantity)).status_code == 200
    assert shop.quantity_of("A-1") == 6


def test_requests_are_counted_by_method_and_resource(shop: FakePrestaShop, client: httpx.Client) -> None:
    client.get("/")
    client.get("/products")
    shop.faults.next("s500")
    put(client, (1, 5))
    put(client, (1, 5))
    assert shop.requests == {("GET", ""): 1, ("GET", "products"): 1, ("PATCH", "stock_availables"): 2}


def test_a_body_that_is_too_large_is_refused_unread(shop: FakePrestaShop) -> None:
    with shop:
        connection = HTTPConnection(shop.url.removeprefix("http://"), timeout=PATIENCE)
        connection.putrequest("PATCH", "/api/stock_availables")
        connection.putheader("content-length", str(2**30))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()
    assert shop.writes() == []


# -- pictures and settings --------------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


def upload(shop: FakePrestaShop, target: str, data: bytes = PNG, file: str = "a.png") -> Answer:
    head = f'--B\r\nContent-Disposition: form-data; name="image"; filename="{file}"\r\n\r\n'.encode()
    kind = {"content-type": "multipart/form-data; boundary=B"}
    return ask(shop, "POST", target, head + data + b"\r\n--B--\r\n", **kind)


def test_every_upload_and_creation_is_in_the_ledger_and_a_refused_one_is_not(tmp_path: Path) -> None:
    shop = FakePrestaShop(ledger=tmp_path / "ledger.jsonl")
    body = b"<prestashop><product><reference>A</reference><price>1</price></product></prestashop>"
    assert [ask(shop, "POST", "products", body).status for _ in range(2)] == [201, 201]
    assert [(one.resource, one.row, one.reference) for one in shop.creations()] == [
        ("products", 1, "A"),
        ("products", 2, "A"),
    ]
    assert [upload(shop, f"images/products/{product}").status for product in (1, 1, 2)] == [200, 200, 200]
    assert upload(shop, "images/products/1", b"no picture at all, but long enough").status == 400
    digest = hashlib.sha256(PNG).hexdigest()
    assert [(one.image, one.product, one.sha256) for one in shop.uploads()] == [
        (1, 1, digest),
        (2, 1, digest),
        (3, 2, digest),
    ]
    shop.stop()
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert [line.get("created") or line["image"] for line in lines] == ["products", "products", 1, 2, 3]


def test_the_first_picture_is_the_cover_and_another_can_be_made_it(shop: FakePrestaShop) -> None:
    for _ in range(3):
        upload(shop, "images/products/1")
    target = "products?filter[id]=[1]&display=full"
    assert listed(shop, target)[0]["id_default_image"] == 1
    body = b"<prestashop><product><id>1</id><id_default_image>3</id_default_image></product></prestashop>"
    assert ask(shop, "PATCH", "products", body).status == 200
    (product,) = listed(shop, target)
    assert product["id_default_image"] == 3
    links = product["associations"]
    assert isinstance(links, dict)
    assert links["images"] == [{"id": 1}, {"id": 2}, {"id": 3}]
    ask(shop, "DELETE", "images/products/1/3")
    assert listed(shop, target)[0]["id_default_image"] == ""
    upload(shop, "images/products/1")
    assert listed(shop, target)[0]["id_default_image"] == 4
    assert [one.position for one in shop.store.shelf.of(1)] == [1, 2, 3]


def test_pictures_go_with_their_product(shop: FakePrestaShop) -> None:
    upload(shop, "images/products/1")
    ask(shop, "DELETE", "products/1")
    assert ask(shop, "GET", "images/products/1").status == 404
    assert shop.store.shelf.pictures == {}


def test_half_an_upload_leaves_a_record_without_a_file(shop: FakePrestaShop, client: httpx.Client) -> None:
    shop.faults.next("half_apply")
    with pytest.raises(httpx.HTTPError):
        client.post("/images/products/1", files={"image": ("a.png", PNG)})
    assert client.get("/images/products/1/1").status_code == 500
    assert shop.uploads() == []


def test_a_picture_is_kept_in_other_bytes_always_the_same(shop: FakePrestaShop) -> None:
    for _ in range(2):
        upload(shop, "images/products/1")
    one, two = (ask(shop, "GET", f"images/products/1/{number}").body for number in (1, 2))
    assert one == two != PNG


def test_html_is_cleaned_as_the_shop_does(shop: FakePrestaShop) -> None:
    html = "a<br>b &nbsp;c &amp; &lt;d <p class='x'>e</p>"
    body = f"<prestashop><product><id>1</id><description><![CDATA[{html}]]></description></product></prestashop>"
    ask(shop, "PATCH", "products", body.encode())
    kept = shop.store.tables["products"].rows[1]["description"]
    assert kept == dict.fromkeys((1, 2), 'a<br />b \xa0c &amp; &lt;d <p class="x">e</p>')


def test_a_fresh_shop_is_a_czech_one(shop: FakePrestaShop) -> None:
    assert [row["iso_code"] for row in listed(shop, "languages?display=full")] == ["en", "cs"]
    (country,) = listed(shop, "countries?filter[iso_code]=[CZ]&display=[id]")
    rules = listed(shop, f"tax_rules?filter[id_country]=[{country['id']}]&display=full")
    assert {row["id_tax_rules_group"] for row in rules} >= {1, 2}
    assert listed(shop, "configurations?filter[name]=[PS_LANG_DEFAULT]&display=full")[0]["value"] == "1"
