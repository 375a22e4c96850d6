"""What PrestaShop's answer to one write of a record means: done, refused with a hint, gone, or unclear."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lxml import etree

from agent.events import Exchange, Rejected, Unclear
from agent.shops import prestashop_xml as wire
from agent.shops.http import Answer

UNKNOWN_ID = {87, 92, 131}
"""Codes of "Id(s) not exists", "Invalid ID" and "does not exists on this shop" (the last from its source)."""
GONE = "Someone deleted the product or the combination in PrestaShop; it is looked up again by its code."
_HINTS = {
    "->name ": "PrestaShop's names take at most 128 characters and none of < > ; = # { }: change the name in POHODA.",
    "->reference ": "PrestaShop's codes take at most 64 characters and none of < > ; = { }: change the code in POHODA.",
    "->ean13 ": "Correct the EAN of the card in POHODA: digits only, 13 of them at most in a combination.",
    "->description": "PrestaShop takes no scripts, forms or frames in texts: correct the description in POHODA.",
    "->available_now ": "PrestaShop takes at most 255 characters and none of < > = { }: change the text in POHODA.",
    "->unity ": "Shorten the unit of the card in POHODA.",
    "->price ": "PrestaShop's prices have at most 10 digits before the point: correct the price in POHODA.",
}
_ELSE = "Look the code up in PrestaShop's documentation of the webservice; then retry the delivery."


class Said(NamedTuple):
    """What was asked, in a few words, and how to cut the shop's words (`prestashop_xml.short` with the key)."""

    request: str
    short: Callable[[str], str]

    def exchange(self, answer: str = "") -> Exchange:
        """The pair for the history."""
        return Exchange(self.request, answer)

    def unclear(self, reason: str) -> Unclear:
        """Nobody can say whether it had an effect."""
        return Unclear(self.short(reason), self.exchange())


def record_of(answer: Answer, name: str) -> etree._Element | None:
    """The record that a clear success carries; None for everything else."""
    root = wire.parse(answer.body) if answer.status < 300 else None
    return None if root is None else root.find(name)


def failure(answer: Answer, said: Said) -> Rejected | Unclear:
    """Tell a refusal of the webservice from an answer that is none of its own."""
    root = wire.parse(answer.body)
    problems = [] if root is None else wire.errors(root)
    if not problems or answer.status < 400:
        return Unclear(f"HTTP {answer.status} and no answer of the webservice.", said.exchange(f"HTTP {answer.status}"))
    words = said.short("; ".join(f"code {code}: {message}" for code, message in problems))
    exchange = said.exchange(f"HTTP {answer.status}, {words}")
    if answer.status == 404 and any(code in UNKNOWN_ID for code, _ in problems):
        return Rejected(f"PrestaShop does not know this record any more ({words}).", GONE, exchange, link_lost=True)
    hint = next((hint for mark, hint in _HINTS.items() if mark in f"{words} "), _ELSE)
    return Rejected(f"PrestaShop refuses it: HTTP {answer.status}, {words}.", hint, exchange)
