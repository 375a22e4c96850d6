"""The storm of the catalogue does what it says to creations and uploads: each fault has the effect of its name."""

from __future__ import annotations

import base64
import http.client
import threading
import urllib.error
import urllib.request

import pytest

from agent.demo import goods
from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.faults import Fault, Kind
from agent.demo.prestashop.webservice import Request
from tests.crash.weather import FAULTS, LOST, Trap, Weather, what

PRODUCT = (
    b"<prestashop><product><reference>NEW</reference><price>1</price><name><language id='1'>n</language>"
    b"<language id='2'>n</language></name></product></prestashop>"
)
PICTURE = (
    b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + goods.png(7) + b"\r\n--x--\r\n"
)


def post(shop: FakePrestaShop, path: str, body: bytes, kind: str) -> int:
    """The status of the answer; 0 where none came, or only a part of one."""
    request = urllib.request.Request(f"{shop.url}/api/{path}", data=body, headers={"content-type": kind})
    request.add_header("authorization", "Basic " + base64.b64encode(f"{shop.key}:".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=0.2) as said:
            said.read()
            return int(said.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return 0


def send(shop: FakePrestaShop, which: str) -> int:
    if which == "creation":
        return post(shop, "products", PRODUCT, "text/xml")
    return post(shop, "images/products/1", PICTURE, "multipart/form-data; boundary=x")


def made(shop: FakePrestaShop, which: str) -> int:
    return len(shop.creations() if which == "creation" else shop.uploads())


@pytest.mark.parametrize("which", ["creation", "upload"])
@pytest.mark.parametrize("fault", sorted({*FAULTS["upload"], "none"}))
def test_each_fault_befalls_creations_and_uploads(which: str, fault: Kind) -> None:
    with FakePrestaShop() as shop:
        shop.add_product("OLD")
        shop.faults.next(Fault(fault, delay=0.3))
        status = send(shop, which)
        assert (status in {200, 201}) == (fault == "none")
        assert made(shop, which) == int(fault in LOST | {"none"} and fault != "late_apply")
        if fault == "late_apply":
            wait_for_late(shop)
            assert made(shop, which) == 1
        assert shop.internal_errors == []


def wait_for_late(shop: FakePrestaShop) -> None:
    for timer in [one for one in threading.enumerate() if isinstance(one, threading.Timer)]:
        timer.join(5)
    assert shop.late_writes == 0


def test_an_upload_cut_in_half_leaves_a_record_without_a_file() -> None:
    with FakePrestaShop() as shop:
        product = shop.add_product("OLD")
        shop.faults.next("half_apply")
        assert send(shop, "upload") == 0
        assert [one.data for one in shop.store.shelf.of(product)] == [None]


@pytest.mark.parametrize(
    ("method", "target", "kind"),
    [
        ("POST", "/api/products", "creation"),
        ("POST", "/api/images/products/7", "upload"),
        ("DELETE", "/api/images/products/7/9", "removal"),
        ("PATCH", "/api/products", "update"),
        ("POST", "/api/images/categories/7", "update"),
        ("POST", "/api/categories", "category"),
        ("PATCH", "/api/categories", "update"),
        ("POST", "/api/product_features", "term"),
        ("POST", "/api/product_feature_values", "term"),
        ("POST", "/api/manufacturers", "firm"),
        ("POST", "/api/suppliers", "firm"),
        ("POST", "/api/product_suppliers", "update"),
        ("PATCH", "/api/orders/5", "state"),
        ("PATCH", "/api/order_carriers/5", "update"),
        ("PATCH", "/api/stock_availables?id_shop=2", "update"),
    ],
)
def test_requests_are_told_apart(method: str, target: str, kind: str) -> None:
    assert what(Request(method, target, {})) == kind


def test_an_unchanged_value_after_a_clear_answer_is_a_resend() -> None:
    body = (
        b"<prestashop>" + b"<stock_available><id>%d</id><quantity>5</quantity></stock_available>" * 2 + b"</prestashop>"
    )
    with FakePrestaShop() as shop:
        weather = Weather(shop, seed=1, timeout=0.1)
        weather.over = True
        for _ in range(2):
            weather.choose(Request("PATCH", "/api/stock_availables", {}, body % (1, 2)))
        weather.choose(Request("PATCH", "/api/stock_availables", {}, body.replace(b"5", b"6") % (1, 2)))
    assert weather.resends == 2


def test_a_trap_ends_the_agent_at_the_first_request_of_its_kind() -> None:
    ended: list[str] = []
    with FakePrestaShop() as shop:
        weather = Weather(shop, seed=1, timeout=0.1)
        weather.trap = Trap("term", lambda: ended.append("killed"))
        weather.choose(Request("POST", "/api/categories", {}))
        assert ended == []
        fault = weather.choose(Request("POST", "/api/product_features", {}))
        weather.choose(Request("POST", "/api/product_features", {}))
    assert ended == ["killed"]
    assert fault.kind in {"drop_after_apply", "late_apply", "never_apply"}
    assert dict(weather.snapped) == {"term": 1}


def test_quantities_are_taken_down_in_the_order_of_arrival() -> None:
    body = b"<prestashop><stock_available><id>%d</id><quantity>%d</quantity></stock_available></prestashop>"
    with FakePrestaShop() as shop:
        weather = Weather(shop, seed=1, timeout=0.1)
        weather.over = True
        for row, pieces in ((7, 5), (8, 6), (7, 4)):
            weather.choose(Request("PATCH", "/api/stock_availables", {}, body % (row, pieces)))
    assert [(one.row, one.quantity, one.fault) for one in weather.sent] == [
        (7, 5, "none"),
        (8, 6, "none"),
        (7, 4, "none"),
    ]
