"""The target ``parameters.terms`` in PrestaShop: features and their shared values, which exist once in a shop.

* A link is "5" for a feature, "5:13" for value 13 of feature 5. Values that one product has for itself (``custom`` 1)
  are nobody else's and are passed over.
* Names and texts are not unique (recorded): see `prestashop_named`. What counts is the language of POHODA's texts; a
  new one gets its name in all languages, for one that is left out is stored empty.
* A value of a feature that does not exist is accepted (recorded, 201), so the feature is looked up before.
* Nothing is renamed. One that the shop's owner has renamed stays the same one, for it is known by its id: it is
  confirmed as it was asked for.
* One request per record: several in one would all be unclear after one failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Owed, Rejected, Unclear, Value, Wanted
from agent.shops import prestashop_fields as fields
from agent.shops import prestashop_named as named
from agent.shops.http import ShopHttp
from agent.shops.prestashop_calls import Calls, one_by_one
from agent.shops.prestashop_fields import Unfit, number
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_setup import Setup
from agent.targets.names import term_key

FEATURES, VALUES = "product_features", "product_feature_values"
LONGEST_NAME, LONGEST_VALUE = 128, 255
_FEATURE = "id,name"
_VALUE = "id,id_feature,custom,value"
_LINK = re.compile(r"([1-9][0-9]{0,18})(?::([1-9][0-9]{0,18}))?")
_GONE = "Someone deleted it in PrestaShop; it is looked up again by its name, and made anew if it is not there."


class TermLink(NamedTuple):
    """A feature, or one of its values (``value`` 0: the feature itself)."""

    feature: int
    value: int = 0

    def __str__(self) -> str:
        return f"{self.feature}:{self.value}" if self.value else str(self.feature)


def link_of(text: str | None) -> TermLink | None:
    """Read a link back, "5" or "5:13"; None when it is not one of ours."""
    parts = _LINK.fullmatch(text or "")
    return None if parts is None else TermLink(int(parts[1]), int(parts[2] or 0))


def linked(links: Mapping[str, str]) -> dict[str, TermLink]:
    """Features and values of ours, by their keys."""
    return {key: link for key, text in links.items() if (link := link_of(text)) is not None}


class Terms:
    """Delivers, reads and finds the target ``parameters.terms``."""

    def __init__(self, http: ShopHttp, lists: Lists, setup: Setup, *, short: Callable[[str], str]) -> None:
        self._http = http
        self._lists = lists
        self._setup = setup
        self._short = short

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Create what has no link, and see that the rest is there. Raises `ShopUnavailable` when nothing was sent."""
        calls = Calls(self._http, self._lists, self._short)
        known = [link for item in owed if (link := link_of(item.link)) is not None]
        above = [link for item in owed if (link := _above(item.event.value, item.links)) is not None]
        there = self._names([*known, *(TermLink(link.feature) for link in above)])
        everywhere = self._setup.languages() if any(item.link is None for item in owed) else []
        outcomes = one_by_one(calls, owed, lambda item: _one(calls, item, there, everywhere))
        return self._confirm(owed, outcomes)

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read what is behind the links; what is gone is missing. Raises `ShopUnavailable`.

        Told what was asked for, it answers that: the thing is there, whatever its owner calls it now.
        """
        links = [(item, link) for item in wanted if (link := link_of(item.link)) is not None]
        names = self._names([link for _, link in links] + [TermLink(link.feature) for _, link in links])
        held = {}
        for item, link in links:
            if link in names:
                value: Value = {"name": names[link]}
                if link.value:
                    value = {"name": names[link], "of": names.get(TermLink(link.feature), "")}
                held[item.key] = Held(item.key, item.code, str(link), value if item.value is None else item.value)
        return held

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look features and values up by their names. Raises `ShopUnavailable`."""
        asked = [(item, value) for item in wanted if isinstance(value := item.value, dict) and value.get("name")]
        above = {item.key: _above(value, item.links) for item, value in asked}
        language = self._setup.language()
        there: list[tuple[int, object, object]] = []
        if any(not value.get("of") for _, value in asked):
            rows = self._lists.every(FEATURES, _FEATURE)
            there += [(number(row.get("id")), 0, _text(row, "name", language)) for row in rows]
        owners = {link.feature for link in above.values() if link is not None}
        for row in self._lists.hanging(VALUES, _VALUE, "id_feature", owners):
            if not fields.on(row.get("custom")):
                there.append((number(row.get("id")), number(row.get("id_feature")), _text(row, "value", language)))
        candidates = named.Candidates(there)
        found: dict[str, Held | Rejected] = {}
        for item, value in asked:
            owner = above[item.key]
            if value.get("of") and owner is None:
                continue
            feature = owner.feature if owner else 0
            one = candidates.take(feature, value["name"], _taken(item, feature))
            if one is not None:
                link = TermLink(feature, one) if feature else TermLink(one)
                found[item.key] = Held(item.key, item.code, str(link), value)
        return found

    def _confirm(self, owed: Sequence[Owed], outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Read back what was created; ``Done`` without a value says only that the shop took it."""
        made = {
            place: link
            for place, one in enumerate(outcomes)
            if isinstance(one, Done) and one.confirmed is None and (link := link_of(one.link)) is not None
        }
        try:
            names = self._names([*made.values()])
        except ShopUnavailable as error:
            lost = f"The shop took it and cannot be read: {error}"
            names, reason = {}, self._short(lost)
        else:
            reason = "The shop took it and does not show it."
        final = list(outcomes)
        for place, link in made.items():
            one, value = outcomes[place], owed[place].event.value
            assert isinstance(one, Done)
            assert isinstance(value, dict)
            if link in names:
                final[place] = Done(one.link, {**value, "name": names[link]}, one.exchange)
            else:
                final[place] = Unclear(reason, one.exchange)
        return final

    def _names(self, links: Sequence[TermLink]) -> dict[TermLink, str]:
        return names_of(self._lists, self._setup, links)


def _one(calls: Calls, item: Owed, there: Mapping[TermLink, str], everywhere: Sequence[int]) -> Outcome:
    value, link = item.event.value, link_of(item.link)
    if not isinstance(value, dict):
        return Rejected("parameters: this is not a parameter.", "This is a fault of the agent: report it.")
    if item.link is not None:
        if link is None or link not in there:
            return Rejected("PrestaShop does not know this parameter or value any more.", _GONE, link_lost=True)
        said = calls.said(f"{VALUES if link.value else FEATURES} {link}")
        return Done(str(link), value, said.exchange("it is there already"))
    if not value.get("of"):
        name = named.fit("SkParam.IDS", value.get("name"), longest=LONGEST_NAME, forbidden=named.GENERIC)
        said = calls.said(f"POST {FEATURES} {name[:64]}")
        inner = fields.texts("name", dict.fromkeys(everywhere, name))
        made = TermLink(calls.record("POST", FEATURES, "product_feature", inner, said))
        return Done(str(made), None, said.exchange(f"id {made}"))
    owner = _above(value, item.links)
    if owner is None or TermLink(owner.feature) not in there:
        raise Unfit(
            f"the parameter {value['of']} is not in the shop ({owner or 'no link'}).",
            "Someone deleted it in PrestaShop. Run: pohoda-agent reconcile --target parameters.terms --repair;"
            " then retry.",
        )
    text = named.fit(str(value["of"]), value.get("name"), longest=LONGEST_VALUE, forbidden=named.GENERIC)
    said = calls.said(f"POST {VALUES} {text[:64]} of {owner.feature}")
    parts = [fields.node("id_feature", str(owner.feature)), fields.node("custom", "0")]
    parts.append(fields.texts("value", dict.fromkeys(everywhere, text)))
    made = TermLink(owner.feature, calls.record("POST", VALUES, "product_feature_value", "".join(parts), said))
    return Done(str(made), None, said.exchange(f"id {made}"))


def names_of(lists: Lists, setup: Setup, links: Sequence[TermLink]) -> dict[TermLink, str]:
    """Names of features and texts of values, in the language of POHODA's texts; what is gone is missing.

    A value that belongs to another feature now is gone. Raises `ShopUnavailable`.
    """
    found: dict[TermLink, str] = {}
    if not links:
        return found
    language = setup.language()
    features = lists.records(FEATURES, _FEATURE, {link.feature for link in links if not link.value})
    found |= {TermLink(one): _text(row, "name", language) for one, row in features.items()}
    values = lists.records(VALUES, _VALUE, {link.value for link in links if link.value})
    found |= {
        TermLink(number(row.get("id_feature")), one): _text(row, "value", language) for one, row in values.items()
    }
    return found


def _above(value: Value, links: Mapping[str, str]) -> TermLink | None:
    """The feature that a value of a parameter belongs to; None where it is not known, and for a parameter."""
    of = value.get("of") if isinstance(value, dict) else None
    link = link_of(links.get(term_key(str(of)))) if of else None
    return link if link is not None and not link.value else None


def _taken(item: Wanted, feature: int) -> list[int]:
    """Ids that other parameters, or other values of this one, have already."""
    links = linked(named.others(item)).values()
    if not feature:
        return [link.feature for link in links if not link.value]
    return [link.value for link in links if link.value and link.feature == feature]


def _text(row: Mapping[str, object], field: str, language: int) -> str:
    return fields.languages(row.get(field), language).get(language, "")
