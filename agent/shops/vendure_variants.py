"""Vendure: what lives in the variant itself and is written in one transaction: quantities and prices.

Measured on Vendure 3.7.3; decisions:

* A batch is one transaction: one unknown id, and nothing of it is applied. Which ids are gone is found by a read.
* A price is what ``prices`` says for the channel's default currency: the number as it is stored, in minor units, with
  or without tax as the channel has it. ``price`` is computed from it, and rounded. The shop takes anything: -5, and
  12.5 minor units; so what is sent is made sure of here. PostgreSQL and MySQL hold 2^31 - 1 (``DefaultMoneyStrategy``
  makes an ``int``); SQLite more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import orjson

from agent.errors import AnswerLost, BatchRefused
from agent.events import Done, Exchange, Outcome, Owed, Rejected, Unclear, Untried, Value
from agent.shops.vendure_lists import Lists, Row
from agent.shops.vendure_session import Reply, VendureSession
from agent.shops.vendure_setup import SetUp, plain

LARGEST = 2**31 - 1
"""What a GraphQL ``Int`` holds, and a column of type ``int``."""
REFUSALS = {"USER_INPUT_ERROR", "ILLEGAL_OPERATION", "BAD_USER_INPUT", "ENTITY_NOT_FOUND"}
PRICE = "prices { currencyCode price }"
_UPDATE = "mutation($i: [UpdateProductVariantInput!]!) {{ updateProductVariants(input: $i) {{ id sku {} }} }}"


@dataclass(frozen=True, slots=True)
class Write:
    """How one target's values go into variants and are read from them."""

    what: str
    """The name of the field, for messages."""
    fields: str
    """What is asked of a variant in order to know its value."""
    held: Callable[[Row], Value]
    """The value, or None if the answer does not say it."""
    sent: Callable[[Value], Mapping[str, object]]
    """The input of a value that is good."""
    bad: Callable[[Value], str]
    """Why a value cannot be sent; empty when it can."""


def quantities(place: str) -> Write:
    """Write ``stockLevels`` of a stock location: never the deprecated ``stockOnHand`` (oldest location, sum of all)."""

    def held(row: Row) -> Value:
        return {str(level["stockLocationId"]): int(level["stockOnHand"]) for level in row.said["stockLevels"]}.get(
            place
        )

    def bad(value: Value) -> str:
        good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
        return "" if good else f"{str(value)[:50]} is not a whole number from 0 to {LARGEST}"

    return Write(
        what="stockOnHand",
        fields="stockLevels { stockLocationId stockOnHand }",
        held=held,
        sent=lambda value: {"stockLevels": [{"stockLocationId": place, "stockOnHand": value}]},
        bad=bad,
    )


def prices(set_up: SetUp) -> Write:
    """Write the price in the channel's default currency, in the form that the channel stores."""
    form = "gross" if set_up.gross else "net"

    def held(row: Row) -> Value:
        return price_of(row, set_up)

    def bad(value: Value) -> str:
        if not isinstance(value, dict) or set(value) != {"amount", "form"} or value["form"] != form:
            return f"not an amount in the form that the channel stores ({form})"
        minor = _minor(value, set_up.places)
        if minor is None or minor > LARGEST:
            largest = plain(Decimal(LARGEST).scaleb(-set_up.places))
            return f"{str(value['amount'])[:50]} is not an amount from 0 to {largest} with {set_up.places} places"
        return ""

    def sent(value: Value) -> Mapping[str, object]:
        return {"price": _minor(value, set_up.places) if isinstance(value, dict) else None}

    return Write("price", PRICE, held, sent, bad)


def price_of(row: Row, set_up: SetUp) -> Value:
    """Say what is stored, exactly; None for a variant without a price in the channel's currency."""
    for price in row.said["prices"]:
        if price["currencyCode"] == set_up.currency:
            amount = Decimal(str(price["price"])).scaleb(-set_up.places)
            return {"amount": plain(amount), "form": "gross" if set_up.gross else "net"}
    return None


def unsendable(item: Owed, write: Write) -> Rejected | None:
    """Refuse what no request is to be made for: a bad value, or no link."""
    if reason := write.bad(item.event.value):
        hint = "Correct it in POHODA, or the settings that form it; it was not sent."
        return Rejected(f"{write.what}: {reason}", hint)
    if not item.link:
        return Rejected("id: the variant is not known", "It is looked up by its SKU.", link_lost=True)
    return None


def deliver(session: VendureSession, lists: Lists, write: Write, owed: Sequence[Owed]) -> tuple[list[Outcome], bool]:
    """Write a batch (500 variants: 1.8 to 2.9 s, measured); the outcomes, and whether the shop refused anything."""
    refused = {n: refusal for n, item in enumerate(owed) if (refusal := unsendable(item, write)) is not None}
    rest = [item for n, item in enumerate(owed) if n not in refused]
    outcomes, failed = _send(session, lists, write, rest) if rest else ([], False)
    sent = iter(outcomes)
    return [refused[n] if n in refused else next(sent) for n in range(len(owed))], failed


def _send(session: VendureSession, lists: Lists, write: Write, items: Sequence[Owed]) -> tuple[list[Outcome], bool]:
    rows = [{"id": item.link or "", **write.sent(item.event.value)} for item in items]
    said = [f"updateProductVariants {orjson.dumps(row).decode()}" for row in rows]
    try:
        reply = session.change(_UPDATE.format(write.fields), {"i": rows})
    except AnswerLost as error:
        return [Unclear(str(error), Exchange(request, str(error))) for request in said], False
    ids = [str(row["id"]) for row in rows]
    if reply.code == "ENTITY_NOT_FOUND":
        there = lists.by_id("", ids)
        if any(link not in there for link in ids):
            pairs = zip(ids, said, strict=True)
            return [Untried() if link in there else gone(link, request, reply) for link, request in pairs], True
    if reply.code in REFUSALS or reply.status == 413:
        return [refused(reply, said)], True
    return _confirmed(reply, ids, said, write), reply.failed


def _confirmed(reply: Reply, ids: Sequence[str], said: Sequence[str], write: Write) -> list[Outcome]:
    """Take what the shop says it holds now; a variant of which it does not say it is `Unclear`."""
    held: dict[str, Value] = {}
    try:
        changed = [] if reply.failed or reply.data is None else reply.data["updateProductVariants"]
        for raw in changed:
            row = Row(str(raw["id"]), str(raw["sku"]), raw)
            held[row.id] = write.held(row)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        held = {}
    reason = reply.message or f"the answer does not name the variant's {write.what}"
    outcomes: list[Outcome] = []
    for link, request in zip(ids, said, strict=True):
        value = held.get(link)
        if value is None:
            outcomes.append(Unclear(reason, Exchange(request, reason)))
        else:
            outcomes.append(Done(link, value, Exchange(request, f"{write.what} {orjson.dumps(value).decode()}")))
    return outcomes


def refused(reply: Reply, said: Sequence[str]) -> Rejected:
    """Make the outcome of a definite refusal of one item; of several, raise `BatchRefused`."""
    reason = f"The shop refuses it: {reply.message or f'HTTP {reply.status}'}"
    hint = "See what Vendure says; correct the value or the variant, then retry."
    if len(said) > 1:
        raise BatchRefused(reason, hint=hint, request=f"{len(said)} variants", answer=reason)
    return Rejected(reason, hint, Exchange(said[0], reason))


def gone(link: str, request: str, reply: Reply | None = None) -> Rejected:
    """Make the outcome for a variant that is deleted, or not in the channel any more."""
    reason = f"The shop has no variant {link} any more."
    said = Exchange(request, reply.message if reply else "")
    return Rejected(reason, "It is looked up by its SKU.", said, link_lost=True)


def _minor(value: Mapping[str, object], places: int) -> int | None:
    """Make a whole number of minor units; None when the amount is no such number."""
    text = value["amount"]
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", text):
        return None
    minor = Decimal(text).scaleb(places)
    return int(minor) if minor == minor.to_integral_value() else None
