"""What states the orders of a PrestaShop may be in: which there are, which are an end, and which move the stock.

* A state is known by its number; names are for people. A deleted one is still kept, and nobody should be sent there.
* Which one is *cancelled*, *refunded*, *delivered* or *payment error* stands in ``configurations``. A key that may read
  those may read the password of the mail server as well, so it need not: without that right the numbers of a fresh
  installation are taken (recorded, 9.1.4).
* Stock moves when an order comes into *cancelled* or *payment error*, or leaves them
  (``OrderHistory::changeIdOrderState``; read there, of cancelled recorded as well).
* Asked once; asked again when a state is missing that somebody may have made since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.events import Rejected
from agent.shops import Finding
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_fields import number, on
from agent.shops.prestashop_lists import Lists, not_the_webservice

DEFAULTS = {"PS_OS_CANCELED": "6", "PS_OS_REFUND": "7", "PS_OS_DELIVERED": "5", "PS_OS_ERROR": "8"}
_ENDS = ("PS_OS_CANCELED", "PS_OS_REFUND", "PS_OS_DELIVERED")
_MOVING = ("PS_OS_CANCELED", "PS_OS_ERROR")


@dataclass(frozen=True, slots=True)
class States:
    """The states of one shop; numbers as text."""

    names: Mapping[str, str]
    """Of those that are not deleted."""
    ends: frozenset[str]
    moving: frozenset[str]
    from_shop: bool
    """Whether the shop's configuration told which are which."""

    def listed(self) -> str:
        """All of them for people: ``4 Shipped, 5 Delivered``."""
        return ", ".join(f"{state} {name}".strip() for state, name in self.names.items()) or "none"


class OrderStates:
    """Asks the shop for its states, and keeps them."""

    def __init__(self, http: ShopHttp, lists: Lists, *, configured: Sequence[str]) -> None:
        self._http = http
        self._lists = lists
        self._configured = tuple(dict.fromkeys(configured))
        self._known: States | None = None

    def having(self, states: Iterable[str]) -> States:
        """The shop's states, asked for anew when one of these is missing. Raises `ShopUnavailable`."""
        if self._known is None or not self._known.names.keys() >= set(states):
            self._known = self._ask()
        return self._known

    def findings(self) -> list[Finding]:
        """What ``check`` says: all states, and configured ones that there are not. Raises `ShopUnavailable`."""
        known = self._known = self._ask()
        ends = ", ".join(sorted(known.ends, key=lambda each: (len(each), each)))
        text = f"Orders may be in the states {known.listed()}; those of {ends} are left as they are."
        findings = [Finding("ok", "order states", text)]
        for state in self._configured:
            if refusal := missing(known, state):
                findings.append(Finding("error", "order states", refusal.reason, refusal.hint))
        return findings

    def _ask(self) -> States:
        rows = self._lists.ask("order_states", {"display": "[id,name,deleted]", "sort": "[id_ASC]"})
        names = {str(number(row.get("id"))): _name(row.get("name")) for row in rows if not on(row.get("deleted"))}
        told = self._settings()
        which = {name: told.get(name, default) for name, default in DEFAULTS.items()}
        ends, moving = (frozenset(which[name] for name in some) for some in (_ENDS, _MOVING))
        return States(names, ends, moving, bool(told))

    def _settings(self) -> dict[str, str]:
        """Numbers of the states by the names of settings; empty where the key may not read them."""
        answer = self._http.read("")
        root = wire.parse(answer.body)
        rights = None if root is None or answer.status != 200 else wire.rights(root)
        if rights is None:
            raise not_the_webservice(answer)
        if "get" not in rights.get("configurations", ()):
            return {}
        names = f"[{'|'.join(DEFAULTS)}]"
        query = {"display": "[id,name,value,id_shop]", "filter[name]": names, "sort": "[id_ASC]"}
        rows = self._lists.ask("configurations", query)
        mine = [row for row in rows if (number(row.get("id_shop")) or self._lists.shop_id) == self._lists.shop_id]
        mine.sort(key=lambda row: bool(number(row.get("id_shop"))))  # what is said of our shop comes last
        return {str(row.get("name")): str(state) for row in mine if (state := number(row.get("value")))}


def missing(known: States, state: str) -> Rejected | None:
    """Refuse a state that the shop does not have: it would answer with an empty 500 (recorded)."""
    if state in known.names:
        return None
    return Rejected(
        f"This PrestaShop has no order state {state[:60]!r}.",
        f"Set [targets.order_states] map to numbers of this shop: {known.listed()[:600]}.",
    )


def _name(value: object) -> str:
    """The name in every language that says something else."""
    if isinstance(value, list):
        names = [str(each.get("value") or "") for each in value if isinstance(each, dict)]
        return " / ".join(dict.fromkeys(filter(None, names)))
    return str(value or "")
