"""The fake PrestaShop is held against recordings of the real one: request by request, with the state carried over.

The recordings are optional data beside the repository. What the fake holds at the start is made here from what the
recordings say the shop held: whole records, lists, and the parts of answers that a request did not touch. No answer is
handed to the fake. Compared: status, content type and the whole body, byte for byte where no time is in it.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from lxml import etree

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.catalogue import assign_categories
from agent.demo.prestashop.images import re_encoded

Json: TypeAlias = Any
RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "shops" / "recordings" / "prestashop-9"
HOST = "https://shop.example"
KEY = "K" * 32
READ_ONLY_KEY = "R" * 32
PSEUDO_KEY = "X" * 32  # what stands for the key in a recorded address
TIMES = {"date_add", "date_upd"}
PLURAL = {
    "product": "products",
    "combination": "combinations",
    "stock_available": "stock_availables",
    "manufacturer": "manufacturers",
    "category": "categories",
    "language": "languages",
    "currency": "currencies",
    "shop": "shops",
    "tax_rule_group": "tax_rule_groups",
    "tax": "taxes",
    "configuration": "configurations",
}
CATALOGUE = ("products", "combinations", "stock_availables")
SETTINGS = ("languages", "currencies", "shops", "tax_rule_groups", "taxes", "configurations")
OURS = (*CATALOGUE, *SETTINGS)
LISTED = {*OURS, "images", "tax_rules", "countries"}
"""What the root of the webservice names and the fake has."""
FILES = [*range(1, 33), 37, 38, 39, 40, 52, *range(56, 61), 62, 63, 71]
NOT_OURS = {
    ("25", "manufacturer by name"): "manufacturers are no resource of the fake yet",
    ("26", "own text: a custom value"): "feature values are no resource of the fake yet",
    ("32", "product_options"): "product options are no resource of the fake yet",
    ("32", "product_option_values"): "product options are no resource of the fake yet",
    ("40", "manufacturer"): "pictures of manufacturers are none of the fake's",
    ("40", "again"): "pictures of manufacturers are none of the fake's",
    ("40", "category"): "pictures of categories are none of the fake's",
    ("40", "GET"): "pictures of manufacturers are none of the fake's",
    ("52", "cancelled"): "orders are no resource of the fake yet",
    ("52", "again"): "orders are no resource of the fake yet",
    ("52", "stock returned"): "is the work of the order's cancelling",
    ("52", "not doubled"): "is the work of the order's cancelling",
    ("59", "windows-1250 body"): "manufacturers are no resource of the fake yet; the body was not recorded either",
    ("59", "search"): "the shop's search is no resource of the fake",
}
UNRECORDED = {
    ("20", "single JSON: quantity is missing"): ("stock_available", 59, "quantity", 0),
    ("37", "main image after PATCH id_default_image (not shown)"): ("product", 49, "id_default_image", 25),
    ("58", "GET"): ("stock_available", 59, "quantity", 12),
}
"""What the recorder changed before this step, by a call that it did not keep: node, id, field, value."""
FIRST_IMAGE = 24
"""Pictures that the shop had before: of other products."""
PICTURES = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 40,
    "image/png": b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
}
"""Stand-ins for the bytes of uploads, which were not recorded."""


@dataclass(frozen=True, slots=True)
class Exchange:
    file: str
    step: str
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def method(self) -> str:
        return str(self.request["method"])

    @property
    def target(self) -> str:
        return str(self.request["path_with_query"])

    @property
    def name(self) -> str:
        return f"{self.file}: {self.step}"


def recorded() -> list[Exchange]:
    """All exchanges of the real shop, in the order in which they were made; skips where there are none."""
    if not RECORDINGS.is_dir():
        reason = "the recordings of PrestaShop 9 are not beside the repository"
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    found = []
    for path in sorted(RECORDINGS.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        single = [{"step": content["title"], **{part: content.get(part) for part in ("request", "response")}}]
        found += [
            Exchange(path.name[:2], one["step"], one["request"], one["response"])
            for one in content.get("exchanges", single)
        ]
    return found


# -- what the shop held before ----------------------------------------------------------------------------------------


class Seed:
    """Collects what the recordings tell of records before they were changed; what was told first counts."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.rows: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in OURS}
        self.made: dict[str, int] = {}
        """First id that a creation was given, by resource: where the shop's counters stood."""
        self.manufacturers: dict[int, str] = {}
        told = [one for one in exchanges if one.response["status"] in {200, 201} and "schema=" not in one.target]
        for one in told:
            if one.method == "POST":
                self._learn_counters(one)
        for one in told:
            if one.method == "GET":
                self._learn_all(one)
        for one in told:
            if one.method in {"PUT", "PATCH"}:
                self._learn_untouched(one)

    def _learn_counters(self, one: Exchange) -> None:
        for resource, record in records(one):
            self.made.setdefault(resource, int(record["id"]))
            for entry in record.get("associations", {}).get("stock_availables", ()):
                self.made.setdefault("stock_availables", entry["id"])

    def _learn_all(self, one: Exchange) -> None:
        asked = dict(re.findall(r"filter\[(\w+)\]=\[(\d+)\]", one.target))  # what was asked for is told, too
        for resource, record in records(one):
            if resource == "manufacturers":
                self.manufacturers.setdefault(int(record["id"]), record.get("name", ""))
            elif resource in OURS:
                self._add(resource, asked | record)

    def _learn_untouched(self, one: Exchange) -> None:
        """The answer to a change tells what it did not change of a record that was not read whole before."""
        named = {str(node.tag) for node in parse(one.request["body"]).iter()} - {"id"} if one.request["body"] else set()
        for resource, record in records(one):
            if resource in OURS:
                kept = {"id", "associations"} if one.method == "PUT" else set(record)  # a PUT blanks the rest
                self._add(resource, {name: record[name] for name in record if name in kept - named})

    def _add(self, resource: str, record: dict[str, Any]) -> None:
        row_id = int(record["id"])
        if row_id < self.made.get(resource, row_id + 1):  # else it was made during the recording
            known = self.rows[resource].setdefault(row_id, {})
            for name, value in record.items():
                if value is not None and value != "" and value is not False:
                    known.setdefault(name, value)

    def plant(self, shop: FakePrestaShop) -> None:
        """Put everything into the fake."""
        store = shop.store
        store.names["categories"] = dict.fromkeys(range(1, self.made["categories"]), "")
        for resource in SETTINGS:
            for row_id in list(store.tables[resource].rows):
                store.tables[resource].remove(row_id)
        for resource in OURS:
            for row_id in sorted(self.rows[resource]):
                self._plant_row(shop, resource, row_id, self.rows[resource][row_id])
            store.tables[resource].next_id = self.made.get(resource, store.tables[resource].next_id)
        store.names["manufacturers"] = self.manufacturers
        store.shelf.next_id = FIRST_IMAGE
        # a list was recorded from its 21st row on: the rows before it were there, whatever they held
        for row_id in set(range(1, 21)) - set(self.rows["stock_availables"]):
            store.seed("stock_availables", row_id, {"id_product": 900_000 + row_id})

    def _plant_row(self, shop: FakePrestaShop, resource: str, row_id: int, record: dict[str, Any]) -> None:
        links = record.get("associations", {})
        fields = shop.store.resources[resource].by_name
        values = {name: languages(value) for name, value in record.items() if name in fields}
        shop.store.seed(resource, row_id, values, links)
        if resource == "products":
            assign_categories(shop.store, row_id, links.get("categories", []))
            if "position_in_category" in record:
                position = int(record["position_in_category"])
                shop.store.positions[int(record["id_category_default"])][row_id] = position
            if "manufacturer_name" in record:
                self.manufacturers[int(record["id_manufacturer"])] = record["manufacturer_name"]


def languages(value: Json) -> Json:
    return {one["id"]: one["value"] for one in value} if isinstance(value, list) else value


def parse(body: str) -> etree._Element:
    return etree.fromstring(body.encode(), etree.XMLParser(resolve_entities=False, no_network=True))


def records(one: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """The records that an answer shows: resource, and record in the shape of JSON."""
    body = one.response["body"]
    if isinstance(body, str) and body.startswith("<?xml"):
        for child in parse(body):
            whole = [node for node in (child if str(child.tag) in PLURAL.values() else [child]) if len(node)]
            yield from ((PLURAL[str(node.tag)], xml_record(node)) for node in whole if node.tag in PLURAL)
    elif isinstance(body, str) and body.startswith("{"):
        for name, content in json.loads(body).items():
            for record in content if isinstance(content, list) else [content]:
                if isinstance(record, dict) and "id" in record:
                    yield PLURAL.get(name, name), record


def xml_record(node: etree._Element) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for child in node:
        texts = child.findall("language")
        if child.tag == "associations":
            record["associations"] = {
                str(one.tag): [{str(part.tag): int(part.text or 0) for part in item} for item in one] for one in child
            }
        else:
            record[str(child.tag)] = (
                [{"id": int(one.get("id", "0")), "value": one.text or ""} for one in texts]
                if texts
                else child.text or ""
            )
    return record


# -- replay -----------------------------------------------------------------------------------------------------------


def wanted(one: Exchange) -> bool:
    return int(one.file) in FILES and (one.file, one.step) not in NOT_OURS


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
        and "date_upd" not in one.response["body"]
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
