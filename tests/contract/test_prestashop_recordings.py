"""The fake PrestaShop is held against recordings of the real one: request by request, with the state carried over.

What the fake holds at the start, `prestashop_recorded` makes; no answer is handed to the fake. Compared: status,
content type and the whole body, byte for byte where no time is in it.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from lxml import etree

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.images import re_encoded
from tests.contract.prestashop_recorded import OURS, PLURAL, TIMES, Exchange, Json, Seed, parse, recorded

HOST = "https://shop.example"
KEY = "K" * 32
READ_ONLY_KEY = "R" * 32
PSEUDO_KEY = "X" * 32  # what stands for the key in a recorded address
LISTED = {*OURS, "images", "tax_rules", "order_carriers"}
"""What the root of the webservice names and the fake has."""
NOT_OURS = {
    ("32", "product_options"): "product options are no resource of the fake yet",
    ("32", "product_option_values"): "product options are no resource of the fake yet",
    ("48", "customer"): "customers are no resource of the fake: nothing of them is needed",
    ("48", "address"): "addresses are no resource of the fake: nothing of them is needed",
    ("48", "payments"): "payments are no resource of the fake; that a state books one is shown by the order",
    ("59", "search"): "the shop's search is no resource of the fake",
}
UNRECORDED = {
    ("20", "single JSON: quantity is missing"): ("stock_available", 59, "quantity", 0),
    ("37", "main image after PATCH id_default_image (not shown)"): ("product", 49, "id_default_image", 25),
    ("58", "GET"): ("stock_available", 59, "quantity", 12),
}
"""What the recorder changed before this step, by a call that it did not keep: node, id, field, value."""
WINDOWS = '<?xml version="1.0" encoding="Windows-1250"?><prestashop><manufacturer><active>1</active><name>Kůň</name>'
"""A body of which only the digest was recorded; it is this one."""
PICTURES = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 40,
    "image/png": b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
}
"""Stand-ins for the bytes of uploads, which were not recorded."""


# -- replay -----------------------------------------------------------------------------------------------------------


def wanted(one: Exchange) -> bool:
    return (one.file, one.step) not in NOT_OURS


def key_of(one: Exchange) -> str:
    return {
        "unknown key": "U" * 32,
        "unknown key, JSON wanted": "U" * 32,
        "key of wrong length": "short",
        "read-only key reads": READ_ONLY_KEY,
        "PATCH with a read-only key": READ_ONLY_KEY,
    }.get(one.step, KEY)


def send(client: httpx.Client, one: Exchange) -> httpx.Response:
    headers = {name: value for name, value in one.request["headers"].items() if name != "authorization"}
    if "authorization" in one.request["headers"]:
        headers["authorization"] = "Basic " + base64.b64encode(f"{key_of(one)}:".encode()).decode()
    if one.file == "38" and "local-content-sha1" in headers:  # of the stand-in, as the shop keeps it
        headers["local-content-sha1"] = hashlib.sha1(re_encoded(PICTURES["image/jpeg"])).hexdigest()
    target = one.target.replace(PSEUDO_KEY, KEY)
    return client.request(one.method, target, headers=headers, content=content_of(one))


def content_of(one: Exchange) -> bytes:
    """What to send: the recorded text, or an upload like the recorded one with other bytes in it."""
    body = one.request["body"]
    if isinstance(body, str):
        return body.encode()
    if "multipart" not in body:
        whole_body = f"{WINDOWS}</manufacturer></prestashop>".encode("windows-1250")
        assert hashlib.sha256(whole_body).hexdigest() == body["sha256"]
        return whole_body
    boundary = one.request["headers"]["content-type"].rpartition("=")[2].encode()
    (part,) = body["multipart"]
    data = b"hello" if one.step == "text called jpg" else PICTURES[part["content_type"]]
    if one.step in {"plain PUT", "POST ?ps_method=PUT"}:
        data += b"other"
    head = f'Content-Disposition: form-data; name="image"; filename="{part["filename"]}"'.encode()
    kind = f"Content-Type: {part['content_type']}".encode()
    return b"\r\n".join([b"--" + boundary, head, kind, b"", data, b"--" + boundary + b"--", b""])


def without_times(content: Json) -> Json:
    if isinstance(content, dict):
        return {name: without_times(value) for name, value in content.items() if name not in TIMES}
    return [without_times(one) for one in content] if isinstance(content, list) else content


def canonical(body: str, kind: str) -> Json:
    if not body:
        return ""
    if "json" in kind:
        return without_times(json.loads(body))
    if "xml" not in kind:
        return body
    root = parse(body)
    for node in list(root.iter(*TIMES)):
        node.text = ""
    return etree.tostring(root, method="c14n").decode()


def only_ours(body: str) -> str:
    """Of the list of all resources keep those that the fake has."""
    root = parse(body)
    for resource in list(root[0]):
        if resource.tag not in LISTED:
            root[0].remove(resource)
    return etree.tostring(root, method="c14n").decode()


def without_content(body: str) -> str:
    """The answer to an upload without the picture in it."""
    head, _, rest = body.partition('<content encode="base64"><![CDATA[')
    return head + rest.partition("]]>")[2]


def compare(one: Exchange, answer: httpx.Response) -> None:
    expected = one.response
    kind = expected["headers"].get("content-type", "")
    assert answer.status_code == expected["status"], f"{one.name}: {answer.text}"
    assert answer.headers.get("content-type", "") == kind, one.name
    for name in ("psws-version", "www-authenticate"):
        assert answer.headers.get(name) == expected["headers"].get(name), f"{one.name}: {name}"
    assert ("content-sha1" in answer.headers) == ("content-sha1" in expected["headers"]), one.name
    if one.file == "03":
        assert canonical(only_ours(answer.text), kind) == canonical(only_ours(expected["body"]), kind)
    elif one.step == "unknown resource":  # lists resources that the fake does not have
        beginning = expected["body"][: expected["body"].index(" Did you mean")]
        assert answer.text.startswith(beginning)
    elif isinstance(expected["body"], dict):  # the bytes of a picture were not recorded
        assert answer.content.startswith(PICTURES[kind][:2])
    elif "<content " in expected["body"]:
        assert without_content(answer.text) == without_content(expected["body"]), one.name
    else:
        assert canonical(answer.text, kind) == canonical(expected["body"], kind), one.name


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    return recorded()


@pytest.fixture(scope="module")
def replay(exchanges: list[Exchange]) -> Iterator[list[tuple[Exchange, httpx.Response]]]:
    start = datetime(2026, 11, 22, 18, 15, tzinfo=UTC)
    ticks = itertools.count()  # every look at the clock is a second later
    shop = FakePrestaShop(
        key=KEY,
        read_only_key=READ_ONLY_KEY,
        public_url=HOST,
        shop_name="Testovaci obchod",
        clock=lambda: start + timedelta(seconds=next(ticks)),
    )
    Seed(exchanges).plant(shop)
    with shop, httpx.Client(base_url=shop.url, trust_env=False) as client:
        answers = []
        for one in filter(wanted, exchanges):
            if (one.file, one.step) in UNRECORDED:
                node, row, name, value = UNRECORDED[one.file, one.step]
                body = f"<prestashop><{node}><id>{row}</id><{name}>{value}</{name}></{node}></prestashop>"
                assert client.patch(f"/api/{PLURAL[node]}", content=body, params={"ws_key": KEY}).status_code == 200
            answers.append((one, send(client, one)))
        yield answers
    assert shop.internal_errors == []


def test_answers_without_a_time_in_them_are_the_same_to_the_byte(
    replay: list[tuple[Exchange, httpx.Response]],
) -> None:
    timeless = [
        (one, answer)
        for one, answer in replay
        if isinstance(one.response["body"], str)
        and not any(time in one.response["body"] for time in TIMES)
        and "<content " not in one.response["body"]
        and one.file not in {"03", "38"}
        and one.step != "unknown resource"
    ]
    assert [one.name for one, answer in timeless if answer.text != one.response["body"]] == []
    digests = [
        (one.name, answer.headers["content-sha1"], one.response["headers"]["content-sha1"])
        for one, answer in timeless
        if "content-sha1" in answer.headers and one.method != "HEAD"
    ]
    assert [name for name, ours, theirs in digests if ours != theirs] == []
    assert len(digests) > 50


def test_a_change_of_stock_leaves_the_time_of_the_product(replay: list[tuple[Exchange, httpx.Response]]) -> None:
    times = [answer.json() for one, answer in replay if one.file == "58" and "date_upd" in one.step + one.target]
    assert len(times) == 2
    assert times[0] == times[1]


def test_every_part_left_out_is_a_recorded_one(exchanges: list[Exchange]) -> None:
    steps = {(one.file, one.step) for one in exchanges}
    assert (set(NOT_OURS) | set(UNRECORDED)) <= steps


def test_the_fake_answers_every_recorded_request_as_the_real_shop_did(
    replay: list[tuple[Exchange, httpx.Response]],
) -> None:
    wrong = []
    for one, answer in replay:
        try:
            compare(one, answer)
        except AssertionError as error:
            wrong.append(f"{one.name}\n{error}")
    assert not wrong, f"{len(wrong)} of {len(replay)} differ:\n" + "\n\n".join(wrong)
