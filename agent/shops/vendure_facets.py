"""Vendure: parameters and their values, manufacturers and suppliers themselves, as facets and their values.

* A parameter is a facet, its values are that facet's. One that the shop's owner made by hand is taken by its name, but
  never the facets that hold our categories or firms: two targets would replace each other's values in it.
* Manufacturers are the values of one facet, suppliers those of another, which customers do not see. The first firm
  makes its facet, after it was looked for by code and by name.
* Links: a parameter's is the id of its facet, that of a value or a firm the id of the facet value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.events import Done, Exchange, Held, Outcome, Owed, Rejected, Wanted
from agent.shops import vendure_facet_lists as listed
from agent.shops import vendure_named as named
from agent.shops.vendure_calls import Calls, Unit, in_turn
from agent.shops.vendure_card import slug_of
from agent.shops.vendure_facet_lists import CATEGORIES, Facet, folded, has_code
from agent.shops.vendure_named import text_of
from agent.shops.vendure_session import VendureSession
from agent.targets.names import term_key

PARAMETER = "parameter-"
"""What the codes of our parameters' facets begin with."""


@dataclass(frozen=True, slots=True)
class FirmKind:
    """The facet that holds a kind of firms."""

    code: str
    name: str
    private: bool


FIRMS = {
    "manufacturer": FirmKind("manufacturer", "Výrobce", private=False),
    "supplier": FirmKind("supplier", "Dodavatel", private=True),
}


def is_value(key: str) -> bool:
    """Tell a value's key from a parameter's, in which each sign of equality is doubled (`term_key`)."""
    return " = " in key


def firm_facet(facets: Sequence[Facet], kind: str) -> Facet | None:
    """The facet that holds a kind of firms: by its code, else the oldest with its name that is not another's."""
    known = FIRMS[kind]
    coded = [facet for facet in facets if has_code(facet.code, known.code)]
    called = [facet for facet in facets if folded(facet.name) == folded(known.name) and not is_ours(facet.code)]
    return next(iter([*coded, *called]), None)


class Terms:
    """The target ``parameters.terms``."""

    def __init__(self, session: VendureSession, *, language: str, firms: bool) -> None:
        """``firms``: the target ``suppliers`` is enabled, so a facet with the name of one of its is not a parameter."""
        self._session = session
        self._language = language
        self._firms = firms

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Create parameters and values; what has a link is looked at. Raises `ShopUnavailable` if nothing was sent."""
        outcomes: dict[int, Outcome] = {}
        there = self._there([item.wanted for item in owed if item.link])
        calls, units = Calls(self._session), []
        values: dict[str, dict[int, Owed]] = {}
        for place, item in enumerate(owed):
            of = ("of",) if is_value(item.event.key) else ()
            if refused := named.bad(item.event.value, *of):
                outcomes[place] = refused
            elif item.link:
                outcomes[place] = named.looked_at(item, there)
            elif of:
                values.setdefault(_home(item.wanted), {})[place] = item
            else:
                units.append(self._parameter(calls, place, item))
        for facet, items in values.items():
            if facet:
                units.append(named.creation(calls, self._language, _always(facet), items))
            else:
                hint = "It goes by itself when the parameter is in the shop."
                outcomes |= dict.fromkeys(items, Rejected("The value's parameter is not known in the shop.", hint))
        outcomes |= in_turn(calls, units)
        return [outcomes[place] for place in range(len(owed))]

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read by link; what is gone is missing. Raises `ShopUnavailable`."""
        there = self._there([one for one in wanted if one.link])
        return {one.key: named.as_linked(one, one.link or "", there[one.key]) for one in wanted if one.key in there}

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Find by name, the oldest that no other key has. Raises `ShopUnavailable`."""
        found: dict[str, Held | Rejected] = {}
        parameters = [one for one in wanted if not is_value(one.key)]
        if parameters:
            found |= named.match(parameters, self._free(), lambda key: not is_value(key))
        homes: dict[str, list[Wanted]] = {}
        for one in wanted:
            if is_value(one.key) and _home(one):
                homes.setdefault(_home(one), []).append(one)
        names = [text_of(one.value, "name") for mine in homes.values() for one in mine]
        values = listed.values_like(self._session, self._language, homes, names) if homes else []
        for home, mine in homes.items():
            found |= named.match(mine, [value for value in values if value.facet == home], is_value)
        return found

    def _there(self, linked: Sequence[Wanted]) -> dict[str, str]:
        """Those of linked things that exist: key → the shop's name."""
        facets = {one.key: one.link or "" for one in linked if not is_value(one.key)}
        values = {one.key: one.link or "" for one in linked if is_value(one.key)}
        names = {f.id: f.name for f in listed.facets(self._session, self._language)} if facets else {}
        found = {key: names[link] for key, link in facets.items() if link in names}
        there = listed.values_by_id(self._session, self._language, values.values()) if values else {}
        return found | {key: there[link].name for key, link in values.items() if link in there}

    def _free(self) -> list[Facet]:
        """The facets that may be parameters."""
        facets = listed.facets(self._session, self._language)
        firms = [firm_facet(facets, kind) for kind in FIRMS] if self._firms else []
        codes = [CATEGORIES, *(kind.code for kind in FIRMS.values())]
        return [f for f in facets if f not in firms and not any(has_code(f.code, code) for code in codes)]

    def _parameter(self, calls: Calls, place: int, item: Owed) -> Unit:
        name = text_of(item.event.value, "name")

        def deliver() -> Sequence[Outcome]:
            code = f"{PARAMETER}{slug_of(name)}"
            link = listed.create_facet(calls, self._language, code=code, name=name, private=False)
            return [Done(link, item.event.value, Exchange(f"facet {name[:60]}", f"created {link}"))]

        return Unit([place], deliver)


class Firms:
    """The target ``suppliers.firms``."""

    def __init__(self, session: VendureSession, *, language: str) -> None:
        self._session = session
        self._language = language

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Create firms, and their facet before the first. Raises `ShopUnavailable` if nothing was sent."""
        outcomes: dict[int, Outcome] = {}
        there = self._there([item.wanted for item in owed if item.link])
        new: dict[str, dict[int, Owed]] = {}
        for place, item in enumerate(owed):
            kind = text_of(item.event.value, "kind")
            if refused := named.bad(item.event.value, "kind"):
                outcomes[place] = refused
            elif kind not in FIRMS:
                outcomes[place] = Rejected(f"{kind[:30]} is no kind of firms", "This is a fault of the agent.")
            elif item.link:
                outcomes[place] = named.looked_at(item, there)
            else:
                new.setdefault(kind, {})[place] = item
        calls = Calls(self._session)
        facets = listed.facets(self._session, self._language) if new else []
        units = [
            named.creation(calls, self._language, self._facet(calls, facets, kind), items)
            for kind, items in new.items()
        ]
        outcomes |= in_turn(calls, units)
        return [outcomes[place] for place in range(len(owed))]

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read by link; what is gone is missing. Raises `ShopUnavailable`."""
        there = self._there([one for one in wanted if one.link])
        return {one.key: named.as_linked(one, one.link or "", there[one.key]) for one in wanted if one.key in there}

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Find by kind and name, the oldest that no other key has. Raises `ShopUnavailable`."""
        if not wanted:
            return {}
        facets = listed.facets(self._session, self._language)
        homes = {kind: facet.id for kind in FIRMS if (facet := firm_facet(facets, kind))}
        names = [text_of(one.value, "name") for one in wanted]
        values = listed.values_like(self._session, self._language, homes.values(), names) if homes else []
        found: dict[str, Held | Rejected] = {}
        for kind, home in homes.items():
            mine = [one for one in wanted if text_of(one.value, "kind") == kind]
            found |= named.match(mine, [value for value in values if value.facet == home], lambda _: True)
        return found

    def _there(self, linked: Sequence[Wanted]) -> dict[str, str]:
        ids = {one.key: one.link or "" for one in linked}
        there = listed.values_by_id(self._session, self._language, ids.values()) if ids else {}
        return {key: there[link].name for key, link in ids.items() if link in there}

    def _facet(self, calls: Calls, facets: Sequence[Facet], kind: str) -> Callable[[], str]:
        def looked_up() -> str:
            known, there = FIRMS[kind], firm_facet(facets, kind)
            if there:
                return there.id
            return listed.create_facet(calls, self._language, code=known.code, name=known.name, private=known.private)

        return looked_up


def is_ours(code: str) -> bool:
    """Tell a facet's code that is ours and not for firms: of a parameter, or of the categories."""
    return code.startswith(PARAMETER) or has_code(code, CATEGORIES)


def _home(one: Wanted) -> str:
    """The facet of a value's parameter; empty when it has no link."""
    return one.links.get(term_key(text_of(one.value, "of")), "")


def _always(facet: str) -> Callable[[], str]:
    return lambda: facet
