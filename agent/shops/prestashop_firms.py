"""The target ``suppliers.firms`` in PrestaShop: manufacturers and suppliers themselves, which exist once in a shop.

* A link is "manufacturer:4" or "supplier:3": the two are different things with numbers of their own.
* Names are not unique (recorded): see `prestashop_named`. Without ``active`` a firm is created switched off (recorded),
  and one of the same name that is switched off is taken as it is.
* Nothing is renamed. One that the shop's owner has renamed stays the same one, for it is known by its id: it is
  confirmed as it was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Owed, Rejected, Unclear, Value, Wanted
from agent.shops import prestashop_fields as fields
from agent.shops import prestashop_named as named
from agent.shops.http import ShopHttp
from agent.shops.prestashop_calls import Calls, one_by_one
from agent.shops.prestashop_fields import number
from agent.shops.prestashop_lists import Lists

RESOURCES = {"manufacturer": "manufacturers", "supplier": "suppliers"}
"""Kind → resource; the kind is the name of its records, too."""
LONGEST = 64
_LINK = re.compile(r"(manufacturer|supplier):([1-9][0-9]{0,18})")
_GONE = "Someone deleted it in PrestaShop; it is looked up again by its name, and made anew if it is not there."
_COLUMN = {"manufacturer": "SKz.Vyrobce", "supplier": "AD.Firma"}


class FirmLink(NamedTuple):
    """A manufacturer or a supplier."""

    kind: str
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def link_of(text: str | None) -> FirmLink | None:
    """Read a link back, "manufacturer:4"; None when it is not one of ours."""
    parts = _LINK.fullmatch(text or "")
    return None if parts is None else FirmLink(parts[1], int(parts[2]))


def linked(links: Mapping[str, str]) -> dict[str, FirmLink]:
    """Firms of ours, by their keys."""
    return {key: link for key, text in links.items() if (link := link_of(text)) is not None}


def names_of(lists: Lists, links: Iterable[FirmLink]) -> dict[FirmLink, str]:
    """Names as the shop spells them; what is gone is missing. Raises `ShopUnavailable`."""
    asked = set(links)
    found: dict[FirmLink, str] = {}
    for kind, resource in RESOURCES.items():
        rows = lists.records(resource, "id,name", {link.id for link in asked if link.kind == kind})
        found |= {FirmLink(kind, one): str(row.get("name") or "") for one, row in rows.items()}
    return found


class Firms:
    """Delivers, reads and finds the target ``suppliers.firms``."""

    def __init__(self, http: ShopHttp, lists: Lists, *, short: Callable[[str], str]) -> None:
        self._http = http
        self._lists = lists
        self._short = short

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Create what has no link, and see that the rest is there. Raises `ShopUnavailable` when nothing was sent."""
        calls = Calls(self._http, self._lists, self._short)
        there = names_of(self._lists, linked({item.event.key: item.link or "" for item in owed}).values())
        outcomes = one_by_one(calls, owed, lambda item: _one(calls, item, there))
        return self._confirm(outcomes)

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read what is behind the links; what is gone is missing. Raises `ShopUnavailable`.

        Told what was asked for, it answers that: the firm is there, whatever its owner calls it now.
        """
        links = linked({item.key: item.link or "" for item in wanted})
        names = names_of(self._lists, links.values())
        return {
            item.key: Held(item.key, item.code, str(link), item.value or {"kind": link.kind, "name": names[link]})
            for item in wanted
            if (link := links.get(item.key)) in names and link is not None
        }

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look firms up by their names. Raises `ShopUnavailable`."""
        asked = [(item, kind) for item in wanted if (kind := _kind(item.value)) in RESOURCES]
        candidates = named.Candidates(
            (number(row.get("id")), kind, row.get("name"))
            for kind in sorted({kind for _, kind in asked})
            for row in self._lists.every(RESOURCES[kind], "id,name")
        )
        found: dict[str, Held | Rejected] = {}
        for item, kind in asked:
            taken = [link.id for link in linked(named.others(item)).values() if link.kind == kind]
            one = candidates.take(kind, _name(item.value), taken)
            if one is not None:
                found[item.key] = Held(item.key, item.code, str(FirmLink(kind, one)), item.value)
        return found

    def _confirm(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Read back what was created; ``Done`` without a value says only that the shop took it."""
        made = {
            place: link
            for place, one in enumerate(outcomes)
            if isinstance(one, Done) and one.confirmed is None and (link := link_of(one.link)) is not None
        }
        names: dict[FirmLink, str] = {}
        reason = "The shop took it and does not show it."
        try:
            names = names_of(self._lists, made.values())
        except ShopUnavailable as error:
            reason = self._short(f"The shop took it and cannot be read: {error}")
        final = list(outcomes)
        for place, link in made.items():
            one = outcomes[place]
            assert isinstance(one, Done)
            if link in names:
                final[place] = Done(one.link, {"kind": link.kind, "name": names[link]}, one.exchange)
            else:
                final[place] = Unclear(reason, one.exchange)
        return final


def _one(calls: Calls, item: Owed, there: Mapping[FirmLink, str]) -> Outcome:
    kind, link = _kind(item.event.value), link_of(item.link)
    if kind not in RESOURCES:
        return Rejected(
            "suppliers: this is no manufacturer and no supplier.", "This is a fault of the agent: report it."
        )
    if item.link is not None:
        if link is None or link.kind != kind or link not in there:
            return Rejected(f"PrestaShop does not know this {kind} any more.", _GONE, link_lost=True)
        said = calls.said(f"{RESOURCES[kind]} {link.id}")
        return Done(str(link), item.event.value, said.exchange("it is there already"))
    name = named.fit(_COLUMN[kind], _name(item.event.value), longest=LONGEST, forbidden=named.CATALOG)
    said = calls.said(f"POST {RESOURCES[kind]} {name}")
    inner = fields.node("active", "1") + fields.node("name", name)
    made = FirmLink(kind, calls.record("POST", RESOURCES[kind], kind, inner, said))
    return Done(str(made), None, said.exchange(f"id {made.id}"))


def _kind(value: Value) -> str:
    return str(value.get("kind")) if isinstance(value, dict) else ""


def _name(value: Value) -> Value:
    return value.get("name") if isinstance(value, dict) else None
