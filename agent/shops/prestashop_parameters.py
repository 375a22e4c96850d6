"""The target ``parameters`` in PrestaShop: the features of a product, replaced as a set.

* The set is: what belongs to features that are not ours, and the wanted values of ours. Ours is a feature that a link
  of ours leads to; of these, values that others put on the product give way.
* Several values of one feature are several entries (PrestaShop 1.7.3 and later). Their order is not kept.
* Values that do not exist are stored as they are (recorded), so they are looked up before.
* A wanted value is told by its id: its owner may have changed its spelling. What else is there of ours is told by the
  names that the shop has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.events import Held, Outcome, Owed, Rejected, Value, Wanted
from agent.shops import prestashop_sets as sets
from agent.shops import prestashop_terms as terms
from agent.shops.http import ShopHttp
from agent.shops.prestashop_fields import Row, Unfit, number
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_sets import ProductSets
from agent.shops.prestashop_setup import Setup
from agent.shops.prestashop_terms import TermLink
from agent.targets.names import term_key


class Parameters:
    """Delivers, reads and finds the target ``parameters``."""

    def __init__(self, http: ShopHttp, lists: Lists, setup: Setup, *, short: Callable[[str], str]) -> None:
        self._lists = lists
        self._setup = setup
        self._sets = ProductSets(http, lists, short=short, what="parameters")

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Give products their values; what differs by one request. Raises `ShopUnavailable` when nothing was sent."""
        if not owed:
            return []
        ours = terms.linked(owed[0].links)
        asked = {link for item in owed for _, _, link in _wished(item.event.value, ours) if link is not None}
        rows = self._lists.records(terms.VALUES, "id,id_feature", {link.value for link in asked})
        there = {TermLink(number(row.get("id_feature")), one) for one, row in rows.items()}
        return self._sets.deliver(owed, lambda item, row: _plan(item, row, ours, there), self._values)

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read the values of our parameters. Raises `ShopUnavailable`."""
        return self._sets.read(wanted, self._values)

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look products up by their code. Raises `ShopUnavailable`."""
        return self._sets.find(wanted, self._values)

    def _values(self, there: Sequence[tuple[Wanted, Row]]) -> list[Value]:
        """Name what products have of our parameters; asks only for names that the questions do not tell."""
        links = {id(item.links): item.links for item, _ in there}  # one mapping for many: it is understood once
        ours = {one: terms.linked(each) for one, each in links.items()}
        told: list[tuple[list[TermLink], dict[TermLink, tuple[str, str]]]] = []
        for item, row in there:
            mine = ours[id(item.links)]
            features = _features(mine)
            known = {link: (name, text) for name, text, link in _wished(item.value, mine) if link is not None}
            told.append(([link for link in _present(row) if link.feature in features], known))
        strange = {link for links_, known in told for link in links_ if link not in known}
        asked = [*strange, *(TermLink(link.feature) for link in strange)]
        names = terms.names_of(self._lists, self._setup, asked)
        return [_value(present, known, names) for present, known in told]


def _plan(item: Owed, row: Row, ours: Mapping[str, TermLink], there: set[TermLink]) -> str:
    if not isinstance(item.event.value, dict):
        raise Unfit("parameters: this is not a set of parameters.", "This is a fault of the agent: report it.")
    wanted: list[TermLink] = []
    for name, text, link in _wished(item.event.value, ours):
        if link is None or link not in there:
            raise Unfit(
                f"{name}: the value {text!r} is not in the shop ({link or 'no link'}).",
                "Someone deleted it in PrestaShop. Run: pohoda-agent reconcile --target parameters.terms --repair;"
                " then retry.",
            )
        wanted.append(link)
    present, features = _present(row), _features(ours)
    whole = list(dict.fromkeys([*(link for link in present if link.feature not in features), *wanted]))
    if set(whole) == set(present):
        return ""
    nodes = "".join(
        f"<product_feature><id>{link.feature}</id><id_feature_value>{link.value}</id_feature_value></product_feature>"
        for link in whole
    )
    return f"<associations><product_features>{nodes}</product_features></associations>"


def _value(
    present: Sequence[TermLink], known: Mapping[TermLink, tuple[str, str]], names: Mapping[TermLink, str]
) -> Value:
    """Values by parameter: wanted ones as they were asked for and in that order, then what else there is."""
    found: dict[str, list[Value]] = {}
    for link in [*(link for link in known if link in present), *(link for link in present if link not in known)]:
        name, text = known.get(link) or (
            names.get(TermLink(link.feature), f"feature {link.feature}"),
            names.get(link, f"value {link.value}"),
        )
        found.setdefault(name, []).append(text)
    return {name: found[name] for name in sorted(found)}


def _wished(value: Value, ours: Mapping[str, TermLink]) -> list[tuple[str, str, TermLink | None]]:
    """Parameter, value and its link, of all that a value of the target names."""
    return [
        (name, str(text), link if (link := ours.get(term_key(name, str(text)))) and link.value else None)
        for name, texts in (value.items() if isinstance(value, dict) else ())
        for text in (texts if isinstance(texts, list) else ())
    ]


def _features(ours: Mapping[str, TermLink]) -> set[int]:
    return {link.feature for link in ours.values()}


def _present(row: Row) -> list[TermLink]:
    entries = sets.associated(row, "product_features")
    return [TermLink(number(one.get("id")), number(one.get("id_feature_value"))) for one in entries]
