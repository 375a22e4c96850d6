"""PrestaShop's formats as a real 9.1.4 spoke them: recordings, where those are at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.events import Done, Rejected, Untried
from agent.shops import prestashop_xml as wire
from tests.fault_server import FaultServer, answer, say
from tests.prestashop_answers import Make, Q, owed

RECORDINGS = Path(__file__).parents[3] / "shared" / "shops" / "recordings" / "prestashop-9"


@pytest.fixture
def make() -> Iterator[Make]:
    with closing(Make()) as factory:
        yield factory


def recording(name: str) -> list[dict[str, Any]]:
    """The exchanges of one recording; skips (fails if REQUIRE_REAL=1) where the recordings are not at hand."""
    path = RECORDINGS / f"{name}.json"
    if not path.exists():
        reason = "the recordings of a real PrestaShop are not beside this checkout"
        pytest.fail(reason) if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip(reason)
    document = json.loads(path.read_text("utf-8"))
    exchanges: list[dict[str, Any]] = document.get("exchanges") or [document]
    return exchanges


def bodies(name: str) -> list[bytes]:
    return [exchange["response"]["body"].encode() for exchange in recording(name)]


def test_what_we_write_is_what_a_real_shop_took() -> None:
    (exchange,) = recording("17-stock-patch-many")
    body = exchange["request"]["body"].encode()
    sent = wire.parse(body)
    assert sent is not None
    numbers = [(int(each.findtext("id") or 0), int(each.findtext("quantity") or 0)) for each in sent]
    assert wire.patch_body(numbers) == body


def test_a_real_answer_confirms_every_row() -> None:
    (exchange,) = recording("17-stock-patch-many")
    asked = wire.parse(exchange["request"]["body"].encode())
    said = wire.parse(exchange["response"]["body"].encode())
    assert asked is not None
    assert said is not None
    expected = {int(each.findtext("id") or 0): int(each.findtext("quantity") or 0) for each in asked}
    assert {row.row: row.quantity for row in wire.stock_rows(said)} == expected


def test_real_errors_are_read_with_code_and_message() -> None:
    said = [wire.parse(body) for body in bodies("16-stock-patch-invalid")]
    codes = {code for answered in said if answered is not None for code, message in wire.errors(answered) if message}
    assert codes == {85, 92}


def test_a_real_error_in_the_middle_is_found_by_reading_back(make: Make) -> None:
    """Recorded: the batch, the error, what the rows held then."""
    batch, back = recording("18-stock-patch-many-error-in-the-middle")[:2]
    lone = answer(404, batch["response"]["body"].encode())
    read = json.loads(back["response"]["body"])
    for row in read["stock_availables"]:
        row |= {"id_product": row["id"] + 1000, "id_product_attribute": 0, "id_shop": 1}
    asked = wire.parse(batch["request"]["body"].encode())
    assert asked is not None
    items = [(int(each.findtext("id") or 0), int(each.findtext("quantity") or 0)) for each in asked]
    with FaultServer(say(lone), say(answer(200, json.dumps(read).encode())), say(lone)) as server:
        outcomes = make(server.url).deliver(Q, [owed(value, f"{row}:{row + 1000}:0") for row, value in items])
    assert [type(outcome) for outcome in outcomes] == [Done, Rejected, Untried]


def test_real_lists_are_read_and_the_form_of_a_single_record_is_not() -> None:
    single, *lists, _ = bodies("20-json-zero-omission")
    assert wire.json_list(single, "stock_availables") is None
    assert [wire.json_list(body, "stock_availables") for body in lists] != [None, None]
    assert all(row["quantity"] == 0 for body in lists for row in wire.json_list(body, "stock_availables") or [])
    assert wire.json_list(bodies("07-filter-none")[0], "products") == []


def test_the_rights_of_a_real_key_are_read() -> None:
    said = wire.parse(bodies("03-root-permissions")[0])
    assert said is not None
    rights = wire.rights(said)
    assert rights is not None
    assert rights["stock_availables"] == {"get", "put", "post", "patch", "delete"}
    assert "description" not in rights
