"""Vendure: facets and their values, read whole and found by name or code, and created. Measured on Vendure 3.7.3.

* Names are compared as all names are that exist once in a shop (`agent.targets.names.tidy`, without regard to case,
  diacritics count); the shop itself keeps them as they come, spaces and all, and allows doubles. So all that may be it
  is read and compared here, and of several the oldest is taken.
* A facet's code is unique in the whole shop, over all channels, and the shop makes it so by a number at its end:
  ``manufacturer`` may have become ``manufacturer-2``. Codes of values are not unique at all.
* ``createFacetValues`` gives **all** values to the facet of the first one. So one call is about one facet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.errors import ShopUnavailable
from agent.events import key_of
from agent.shops.vendure_calls import Calls
from agent.shops.vendure_card import slug_of
from agent.shops.vendure_lists import chunks, understood
from agent.shops.vendure_session import VendureSession
from agent.targets.names import tidy

T = TypeVar("T")
LONGEST_NAME = 255
"""What the columns of MySQL and PostgreSQL hold."""
CATEGORIES = "pohoda-categories"
"""Code of the facet whose values stand for POHODA's categories."""
VALUE = "id code facetId name translations { languageCode name }"
_PAGE = 500
_NAMES = 25
"""Names asked for in one request."""
_FACETS = (
    "query($o: FacetListOptions) { listed: facets(options: $o) { totalItems items {"
    " id code name translations { languageCode name } } } }"
)
_VALUES = (
    f"query($o: FacetValueListOptions) {{ listed: facetValues(options: $o) {{ totalItems items {{ {VALUE} }} }} }}"
)
_CREATE_FACET = "mutation($f: CreateFacetInput!) { createFacet(input: $f) { id code } }"
_CREATE_VALUES = f"mutation($v: [CreateFacetValueInput!]!) {{ createFacetValues(input: $v) {{ {VALUE} }} }}"


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet as it is called in our language (in any, where ours is lacking)."""

    id: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet (``facet`` is its id), called as above."""

    id: str
    code: str
    name: str
    facet: str


def folded(name: str) -> str:
    """What two names have in common that are one: `tidy`, and no regard to case."""
    return key_of(tidy(name))


def age(thing_id: str) -> tuple[int, str]:
    """Sort ids by this: the oldest first where they are numbers, always in one way where they are not."""
    return len(thing_id), thing_id


def has_code(code: str, wanted: str) -> bool:
    """Tell whether a code is the wanted one, or what the shop made of it because that was taken."""
    return re.fullmatch(rf"{re.escape(wanted)}(-\d+)?", code) is not None


def facets(session: VendureSession, language: str) -> list[Facet]:
    """Read all facets of the channel, the oldest first. Raises `ShopUnavailable`."""

    def read(raw: Mapping[str, Any]) -> Facet:
        return Facet(str(raw["id"]), str(raw["code"]), name_in(raw, language))

    return sorted(everything(session, _FACETS, read, {}), key=lambda facet: age(facet.id))


def categories_facet(session: VendureSession, language: str) -> str:
    """The facet whose values stand for our categories; empty: there is none yet. Raises `ShopUnavailable`.

    The oldest that is seen: the default channel sees those of other channels, too, which are other agents'.
    """
    return next((facet.id for facet in facets(session, language) if has_code(facet.code, CATEGORIES)), "")


def values_of(session: VendureSession, language: str, facet_ids: Iterable[str]) -> list[FacetValue]:
    """Read all values of some facets, the oldest first. Raises `ShopUnavailable`."""
    return _values(session, language, "facetId", sorted(set(facet_ids)))


def values_like(
    session: VendureSession, language: str, facet_ids: Iterable[str], names: Iterable[str]
) -> list[FacetValue]:
    """Read the values of some facets that may have one of these names, the oldest first. Raises `ShopUnavailable`.

    Of more than a page (measured: a millisecond each) only those that are spelt alike, or have the code that we would
    give them: the shop compares names in the channel's default language.
    """
    ids = sorted(set(facet_ids))
    facets = {"facetId": {"in": ids}}
    total, _ = _page(session.ask(_VALUES, {"o": {"filter": facets, "take": 1}}), lambda raw: value_of(raw, language))
    if total <= _PAGE:
        return values_of(session, language, ids)
    found: dict[str, FacetValue] = {}
    for part in chunks(sorted(set(names)), _NAMES):
        alike: list[object] = [{"name": {"regex": _alike(name)}} for name in part]
        question = {"_and": [facets, {"_or": [{"code": {"in": [slug_of(name) for name in part]}}, *alike]}]}
        some = everything(session, _VALUES, lambda raw: value_of(raw, language), {"filter": question})
        found |= {value.id: value for value in some}
    return sorted(found.values(), key=lambda value: age(value.id))


def values_by_id(session: VendureSession, language: str, ids: Iterable[str]) -> dict[str, FacetValue]:
    """Read values by id; deleted ones and those of other channels are missing. Raises `ShopUnavailable`."""
    return {value.id: value for value in _values(session, language, "id", sorted(set(ids)))}


def create_facet(calls: Calls, language: str, *, code: str, name: str, private: bool) -> str:
    """Create a facet: its id. Raises as `Calls.change`."""
    texts = [{"languageCode": language, "name": name}]
    made = {"code": code, "isPrivate": private, "translations": texts}
    what = f"createFacet {code[:60]}"
    data = calls.change(_CREATE_FACET, {"f": made}, what=what)
    return calls.told(what, lambda: str(data["createFacet"]["id"]))


def create_values(calls: Calls, language: str, facet: str, texts: Sequence[tuple[str, str]]) -> list[FacetValue]:
    """Create values of one facet from (code, name) in one transaction, in order. Raises as `Calls.change`."""
    made = [
        {"facetId": facet, "code": code, "translations": [{"languageCode": language, "name": name}]}
        for code, name in texts
    ]
    what = f"createFacetValues of facet {facet}: {', '.join(name for _, name in texts)[:80]}"
    data = calls.change(_CREATE_VALUES, {"v": made}, what=what)
    created = calls.told(what, lambda: [value_of(raw, language) for raw in data["createFacetValues"]])
    return calls.told(what, lambda: [created[n] for n in range(len(texts))])


def value_of(raw: Mapping[str, Any], language: str) -> FacetValue:
    """Understand a value that was asked for `VALUE`."""
    return FacetValue(str(raw["id"]), str(raw["code"]), name_in(raw, language), str(raw["facetId"]))


def name_in(raw: Mapping[str, Any], language: str) -> str:
    """The name in our language; without it, the one that the shop shows instead."""
    names = {str(text["languageCode"]): str(text["name"]) for text in raw["translations"]}
    return names.get(language, str(raw["name"]))


def everything(
    session: VendureSession, query: str, read: Callable[[Mapping[str, Any]], T], options: Mapping[str, object]
) -> list[T]:
    """Read a whole list (``listed`` in the query), 500 at a time by id. Raises `ShopUnavailable`.

    A list that changed while its pages were read is not believed: what was passed over would be created again.
    """
    found: dict[str, T] = {}
    total: int | None = None
    while total is None or len(found) < total:
        window = {**options, "sort": {"id": "ASC"}, "skip": len(found), "take": _PAGE}
        before, (total, rows) = total, _page(session.ask(query, {"o": window}), read)
        if before not in {None, total} or rows.keys() & found.keys() or (not rows and len(found) < total):
            raise ShopUnavailable("A list of the shop changed while it was read.", hint="It is read again by itself.")
        found |= rows
    return list(found.values())


def _page(data: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]) -> tuple[int, dict[str, T]]:
    return understood(
        "list",
        lambda: (int(data["listed"]["totalItems"]), {str(raw["id"]): read(raw) for raw in data["listed"]["items"]}),
    )


def _alike(name: str) -> str:
    """Ask for more than is wanted, as `vendure_lists.pattern`, and for any white space between words."""
    text = " +".join("".join(c if c.isascii() and c.isalnum() else "." for c in word) for word in tidy(name).split(" "))
    return f"^ *{text} *$" if len(text) <= 90 else f"^ *{text[:90].rstrip('+ ')}"


def _values(session: VendureSession, language: str, field: str, ids: Sequence[str]) -> list[FacetValue]:
    found: list[FacetValue] = []
    for part in chunks(ids, _PAGE):
        options = {"filter": {field: {"in": list(part)}}}
        found += everything(session, _VALUES, lambda raw: value_of(raw, language), options)
    return sorted(found, key=lambda value: age(value.id))
