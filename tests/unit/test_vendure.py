"""What the Vendure adapter makes of answers that a healthy server does not give on demand.

The texts of the errors are those of Vendure 3.7.3. What the server itself does is asked in tests/e2e.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from agent.errors import AnswerLost, BatchRefused, ShopUnavailable
from agent.events import Done, Event, Outcome, Owed, Rejected, Unclear, Untried, Value
from agent.shops.http import Answer
from agent.shops.vendure import VendureShop
from agent.shops.vendure_lists import pattern
from agent.shops.vendure_session import understand

SET_UP = {"activeChannel": {"token": "t"}, "stockLocations": {"items": [{"id": "1", "name": "Default"}]}}


def graphql(data: object = None, *errors: Mapping[str, object], status: int = 200) -> Answer:
    return Answer(status, {}, orjson.dumps({"data": data, **({"errors": errors} if errors else {})}))


def error(code: str | None, *path: object) -> dict[str, object]:
    return {"message": f"it is {code}", "path": list(path), **({"extensions": {"code": code}} if code else {})}


class Wire:
    """Stands in for the HTTP client: answers reads by what they ask, and each write with the next of a list."""

    def __init__(self, *writes: Answer | Exception, present: tuple[str, ...] = ()) -> None:
        self.writes = list(writes)
        self.present = present
        self.sent: list[dict[str, Any]] = []
        self.logins: list[Answer] = []

    def read(self, _path: str, *, content: bytes, **_: object) -> Answer:
        asked = orjson.loads(content)
        if "login(" in asked["query"]:
            return self.logins.pop(0)
        if "stockLocations(" in asked["query"]:
            return graphql(SET_UP)
        items = [variant(i, 0) for i in asked["variables"]["o"]["filter"]["id"]["in"] if i in self.present]
        return graphql({"productVariants": {"items": items, "totalItems": len(items)}})

    def write(self, _method: str, _path: str, *, content: bytes, headers: Mapping[str, str]) -> Answer:
        self.sent.append({**orjson.loads(content), "headers": dict(headers)})
        answer = self.writes.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def variant(link: str, quantity: int) -> dict[str, object]:
    return {"id": link, "sku": f"S{link}", "stockLevels": [{"stockLocationId": "1", "stockOnHand": quantity}]}


def deliver(wire: Wire, *links: str, **settings: str) -> list[Outcome]:
    shop = VendureShop("http://shop.invalid", **settings)  # type: ignore[arg-type]  # only texts are passed here
    shop._session.http = wire  # type: ignore[assignment]  # the stand-in
    return shop.deliver("quantities", [Owed(Event("quantities", f"s{i}", 5, f"S{i}"), i) for i in links])


def test_the_shops_own_number_is_confirmed_not_the_one_that_was_sent() -> None:
    answer = graphql({"updateProductVariants": [variant("2", 4), variant("1", 5)]})
    outcomes = deliver(Wire(answer), "1", "2")
    assert [(o.link, o.confirmed) for o in outcomes if isinstance(o, Done)] == [("1", 5), ("2", 4)]


@pytest.mark.parametrize(
    "answer",
    [
        AnswerLost("no answer in time"),
        Answer(200, {}, b"<html>We are back soon</html>"),
        Answer(200, {}, b'{"data": {"updateProductVar'),
        Answer(200, {}, b"null"),
        Answer(400, {}, b"<html>blocked</html>"),
        graphql(None, error(None, "updateProductVariants")),
        graphql(None, error("INTERNAL_SERVER_ERROR", "updateProductVariants")),
        graphql(None, error("A_PLUGINS_OWN", "updateProductVariants")),
        graphql(None, error("USER_INPUT_ERROR"), error(None, "updateProductVariants")),
        graphql(None, error("FORBIDDEN", "updateProductVariants", 0, "stockLevels")),
        graphql({"updateProductVariants": [None, None]}, error("FORBIDDEN", "updateProductVariants")),
        graphql({"updateProductVariants": []}),
        graphql({"updateProductVariants": None}),
        graphql({"updateProductVariants": [{"id": "1", "sku": "S1", "stockLevels": []}, {"id": "2", "sku": "S2"}]}),
        graphql({}),
    ],
)
def test_whatever_is_not_a_clear_answer_is_unclear_for_every_item(answer: Answer | Exception) -> None:
    wire = Wire(answer)
    assert [type(outcome) for outcome in deliver(wire, "1", "2")] == [Unclear, Unclear]
    assert len(wire.sent) == 1


def test_a_variant_that_the_answer_leaves_out_is_unclear_alone() -> None:
    outcomes = deliver(Wire(graphql({"updateProductVariants": [variant("1", 5)]})), "1", "2")
    assert [type(outcome) for outcome in outcomes] == [Done, Unclear]


@pytest.mark.parametrize("code", ["USER_INPUT_ERROR", "ILLEGAL_OPERATION", "ENTITY_NOT_FOUND"])
def test_a_definite_refusal_rejects_one_item_and_splits_several(code: str) -> None:
    refusal = graphql(None, error(code, "updateProductVariants"))
    (outcome,) = deliver(Wire(refusal, present=("1", "2")), "1")
    assert isinstance(outcome, Rejected)
    assert code in outcome.reason
    assert not outcome.link_lost
    with pytest.raises(BatchRefused):
        deliver(Wire(refusal, present=("1", "2")), "1", "2")


def test_too_large_a_batch_is_split() -> None:
    with pytest.raises(BatchRefused):
        deliver(Wire(Answer(413, {}, b"<html>")), "1", "2")


def test_of_a_batch_with_a_lost_variant_the_rest_is_untried() -> None:
    wire = Wire(graphql(None, error("ENTITY_NOT_FOUND", "updateProductVariants")), present=("1",))
    kept, lost = deliver(wire, "1", "2")
    assert kept == Untried()
    assert isinstance(lost, Rejected)
    assert lost.link_lost


@pytest.mark.parametrize(
    ("answer", "denied"),
    [
        (graphql(None, error("FORBIDDEN", "updateProductVariants")), True),
        (graphql(None, error("UNAUTHORIZED", "updateProductVariants")), True),
        (graphql(None, error("GRAPHQL_VALIDATION_FAILED"), status=400), False),
        (graphql(None, error("CHANNEL_NOT_FOUND", "updateProductVariants")), False),
        (Answer(404, {}, b'{"statusCode": 404, "message": "Cannot POST /admin-api"}'), False),
    ],
)
def test_what_is_no_items_fault_makes_the_shop_unavailable(answer: Answer, *, denied: bool) -> None:
    with pytest.raises(ShopUnavailable) as raised:
        deliver(Wire(answer), "1", "2")
    assert raised.value.denied is denied
    assert raised.value.hint


def test_a_denied_write_is_sent_once_more_after_one_login_and_no_more() -> None:
    denial = graphql(None, error("FORBIDDEN", "updateProductVariants"))
    login = orjson.dumps({"data": {"login": {"__typename": "CurrentUser"}}})
    wire = Wire(denial, denial)
    wire.logins = [Answer(200, {"vendure-auth-token": token}, login) for token in ("first", "second")]
    with pytest.raises(ShopUnavailable):
        deliver(wire, "1", user="u", password="p")
    assert [sent["headers"]["authorization"] for sent in wire.sent] == ["Bearer first", "Bearer second"]


def test_a_refused_login_sends_nothing() -> None:
    wire = Wire()
    wire.logins = [graphql({"login": {"__typename": "InvalidCredentialsError"}})]
    with pytest.raises(ShopUnavailable) as raised:
        deliver(wire, "1", user="u", password="p")
    assert raised.value.denied
    assert wire.sent == []


@pytest.mark.parametrize("value", [-1, 2**31, True, 2.0, "3", None, [1], {"a": 1}])
def test_no_request_is_made_for_a_value_that_is_no_quantity(value: Value) -> None:
    wire = Wire()
    shop = VendureShop("http://shop.invalid")
    shop._session.http = wire  # type: ignore[assignment]  # the stand-in
    (outcome,) = shop.deliver("quantities", [Owed(Event("quantities", "k", value, "K"), "1")])
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("stockOnHand")
    assert wire.sent == []


@pytest.mark.parametrize("code", ["ABC", "a+b*c(d)[e]{2}", "Ž/1.x\\", "x" * 200, "$^|?", "100%_A"])
def test_a_pattern_matches_its_own_code_and_is_one_that_vendure_takes(code: str) -> None:
    made = pattern(code)
    assert len(made) <= 100
    assert re.match(made, f"  {code.upper()} ", re.IGNORECASE)
    assert re.fullmatch(r"\^ \*[A-Za-z0-9.]+( \*\$)?", made)


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'{"errors": 1}', b'{"errors": ["x"]}', b'{"data": 1}', b"\xff"])
def test_an_answer_in_any_shape_is_understood_as_a_failure(body: bytes) -> None:
    reply = understand(Answer(200, {}, body))
    assert reply.failed
    assert reply.data is None
    assert reply.code == ""


def test_the_request_names_the_location_and_the_absolute_quantity() -> None:
    wire = Wire(graphql({"updateProductVariants": [variant("1", 5)]}))
    deliver(wire, "1")
    assert wire.sent[0]["variables"] == {
        "i": [{"id": "1", "stockLevels": [{"stockLocationId": "1", "stockOnHand": 5}]}]
    }
