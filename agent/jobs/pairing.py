"""How the codes of POHODA and of the shop meet: the truth behind `pairing`; reads both sides whole, writes neither.

Codes are compared as everywhere (`agent.events.key_of`), and of POHODA only the cards that the settings choose: in
those stores, of those types. What cannot be addressed in the shop is told apart by the words of the adapter's reason,
for the contract of a shop has no other place for it; the tests hold the adapters to them. What is not recognised is
shown all the same, as `UNADDRESSABLE`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.events import Rejected, key_of
from agent.jobs.whole import Gathered, whole
from agent.shops import Shop
from agent.sources import Source

ONLY_IN_POHODA = "only_in_pohoda"
ONLY_IN_SHOP = "only_in_shop"
DOUBLED_IN_POHODA = "doubled_in_pohoda"
DOUBLED_IN_SHOP = "doubled_in_shop"
PARENTS = "parents"
UNADDRESSABLE = "unaddressable"
LINKS = "links"
SECTIONS = (ONLY_IN_POHODA, ONLY_IN_SHOP, DOUBLED_IN_POHODA, DOUBLED_IN_SHOP, PARENTS, UNADDRESSABLE, LINKS)
"""In the order in which they are shown."""

InPohoda = Literal["on offer", "not ticked", "no card"]
"""What POHODA has of a code: a card with the tick "Internet", cards without it, no card that counts."""

_DOUBLED = re.compile(r"more than once|\d times\b|\btwice\b")
_PARENT = re.compile(r"\bhas (variants|variations|combinations)\b")
_AT_ONCE = 10_000
"""Keys in one look-up of stored links."""


@dataclass(frozen=True, slots=True)
class Line:
    """One code that does not simply meet its counterpart. ``name`` is that of POHODA's card, empty without one."""

    code: str
    """As POHODA spells it, else as the shop does; where neither said (a refused key), stripped and case-folded."""
    name: str
    pohoda: InPohoda
    link: str | None
    """Where the shop says this code is now; None where it has it not, or more than once."""
    stored: str | None = None
    """The link that the agent remembers; only in `LINKS`."""
    note: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Pairing:
    """``pohoda`` and ``shop`` are different codes in all; of POHODA's ``offered`` are on offer, ``paired`` addressable.

    ``sections`` holds every one of `SECTIONS`, its lines ordered by code. A code may stand in several of them.
    """

    pohoda: int
    offered: int
    shop: int
    paired: int
    sections: Mapping[str, tuple[Line, ...]]


@dataclass(frozen=True, slots=True)
class _Card:
    """All cards of one key, in short."""

    code: str
    name: str
    offered: bool
    doubled: str


@dataclass(frozen=True, slots=True)
class _Place:
    code: str
    link: str


def pair(
    source: Source[Any],
    shop: Shop,
    target: str,
    *,
    stored: Callable[[Sequence[str]], Mapping[str, str]] = lambda _keys: {},
    progress: Callable[[str], None] = lambda _text: None,
) -> Pairing:
    """Read both sides whole and compare their codes. Raises `SourceUnavailable` or `ShopUnavailable`.

    ``target`` is the one by which the shop is read; ``stored`` gives the remembered links of keys (at most 10,000).
    """
    cards = _pohoda(source, progress)
    places, refused = _shop(shop, target, progress)
    sections: dict[str, list[Line]] = {name: [] for name in SECTIONS}
    for key, card in cards.items():
        if card.offered and key not in places and key not in refused:
            sections[ONLY_IN_POHODA].append(_line(key, cards, places))
        if card.doubled:
            sections[DOUBLED_IN_POHODA].append(_line(key, cards, places, note=card.doubled))
    for key in places:
        if (there := _in_pohoda(cards.get(key))) != "on offer":
            note = 'the card has no tick "Internet"' if there == "not ticked" else "POHODA has no such card"
            sections[ONLY_IN_SHOP].append(_line(key, cards, places, note=note))
    for key, why in refused.items():
        sections[_kind(why)].append(_line(key, cards, places, note=why.reason, hint=why.hint))
    sections[LINKS] = list(_astray(cards, places, refused, stored))
    return Pairing(
        pohoda=len(cards),
        offered=sum(card.offered for card in cards.values()),
        shop=len(places.keys() | refused.keys()),
        paired=sum(key in places for key, card in cards.items() if card.offered),
        sections={name: tuple(sorted(lines, key=lambda one: key_of(one.code))) for name, lines in sections.items()},
    )


# ---------------------------------------------------------------------------------------------------------- reading


def _pohoda(source: Source[Any], progress: Callable[[str], None]) -> dict[str, _Card]:
    """Read all cards that count, ticked or not. What comes again in a later batch replaces what it was before."""
    cards: dict[str, _Card] = {}
    for present in whole(source, Gathered()):
        for key, rows in present.items():
            cards.pop(key, None)
            if rows:
                cards[key] = _card(rows)
        progress(f"POHODA: {len(cards)} codes")
    return cards


def _card(rows: Sequence[Any]) -> _Card:
    """Put the rows of one key together; the first one with the tick speaks for all."""
    first = next((row for row in rows if row.internet), rows[0])
    return _Card(first.code.strip(), _name(first), any(row.internet for row in rows), _doubled(rows))


def _name(row: Any) -> str:  # noqa: ANN401 - rows of any view
    """The name, where the view reads one."""
    name = getattr(row, "name", None)
    return "" if name is None else " ".join(str(name).split())


def _doubled(rows: Sequence[Any]) -> str:
    """Say in which store there are several cards of one code, or how differently it is spelt; empty: neither."""
    found = []
    for store, count in Counter(row.store.strip().casefold() for row in rows).items():
        if count > 1:
            same = [row for row in rows if row.store.strip().casefold() == store]
            ids = ", ".join(str(row.id) for row in same[:5]) + (", …" if count > 5 else "")
            where = f" in the store {same[0].store}" if store else ""
            found.append(f"{count} cards{where} (SKz.ID {ids})")
    spellings = sorted({row.code.strip() for row in rows})
    if len(spellings) > 1:
        found.append(f"spelt {', '.join(spellings[:5])}")
    return "; ".join(found)


def _shop(shop: Shop, target: str, progress: Callable[[str], None]) -> tuple[dict[str, _Place], dict[str, Rejected]]:
    """Read all codes of the shop: where each is, and why some are nowhere. No key is in both.

    An adapter may notice a doubled code only when it meets it again, or not at all where the two are pages apart.
    """
    places: dict[str, _Place] = {}
    refused: dict[str, Rejected] = {}
    page: str | None = None
    while True:
        answer = shop.read_page(target, page)
        for item in answer.items:
            before = places.setdefault(item.key, _Place(item.code.strip(), item.link))
            if before.link != item.link:
                reason = f"The shop holds this code more than once: {before.link}, {item.link}."
                refused.setdefault(item.key, Rejected(reason, "Make the code unique in the shop."))
        refused |= dict(answer.problems)
        progress(f"shop: {len(places)} codes")
        page = answer.next
        if page is None:
            return {key: place for key, place in places.items() if key not in refused}, refused


# -------------------------------------------------------------------------------------------------------- comparing


def _in_pohoda(card: _Card | None) -> InPohoda:
    if card is None:
        return "no card"
    return "on offer" if card.offered else "not ticked"


def _line(
    key: str,
    cards: Mapping[str, _Card],
    places: Mapping[str, _Place],
    *,
    stored: str | None = None,
    note: str = "",
    hint: str = "",
) -> Line:
    card, place = cards.get(key), places.get(key)
    code = card.code if card else place.code if place else key
    name = card.name if card else ""
    return Line(code, name, _in_pohoda(card), place.link if place else None, stored, note, hint)


def _kind(why: Rejected) -> str:
    if _DOUBLED.search(why.reason):
        return DOUBLED_IN_SHOP
    return PARENTS if _PARENT.search(why.reason) else UNADDRESSABLE


def _astray(
    cards: Mapping[str, _Card],
    places: Mapping[str, _Place],
    refused: Mapping[str, Rejected],
    stored: Callable[[Sequence[str]], Mapping[str, str]],
) -> Iterator[Line]:
    """Find remembered links that lead elsewhere than the shop now says; of codes that either side knows."""
    keys = list(cards.keys() | places.keys() | refused.keys())
    for start in range(0, len(keys), _AT_ONCE):
        for key, link in stored(keys[start : start + _AT_ONCE]).items():
            place = places.get(key)
            if place is None:
                why = "cannot be told which one" if key in refused else "the shop has this code no more"
                yield _line(key, cards, places, stored=link, note=why)
            elif place.link != link:
                yield _line(key, cards, places, stored=link, note="the shop says another place")
