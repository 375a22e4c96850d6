"""The target ``quantities`` in PrestaShop: whole pieces into stock rows, many rows in one PATCH.

* Several nodes in one PATCH are worked off in order, **not in a transaction** (recorded); after the first error the
  earlier ones stay, the later ones are not done, and the answer does not say which it was. So the rows are read back:
  what holds the sent value up to the first difference is done, the first that differs is sent alone, the rest is
  untried.
* There is no condition on a write (a bogus ``If-Match`` was accepted): the absolute value wins over a sale in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent.errors import AnswerLost, ShopUnavailable
from agent.events import Done, Exchange, Outcome, Owed, Rejected, Unclear, Untried
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_answers import GONE, UNKNOWN_ID
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_xml import Link, StockRow

_XML = {"content-type": "text/xml; charset=utf-8"}
SMALLEST, LARGEST = -(2**31), 2**31 - 1
"""What the column holds. Beyond it, and for fractions and text, the shop answers 400 code 85 for the whole call."""
_MOVED = (
    "It is looked up again by its code. The quantity went to where the row belongs now:"
    " pohoda-agent reconcile --repair puts that right."
)


class _Node(NamedTuple):
    """One quantity on its way into one row; ``text`` is the link as it was given."""

    link: Link
    quantity: int
    text: str


class Quantities:
    """Delivers the target ``quantities``."""

    def __init__(self, http: ShopHttp, lists: Lists, *, short: Callable[[str], str]) -> None:
        self._http = http
        self._lists = lists
        self._short = short

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Set quantities (absolute); one PATCH for all of them. Raises `ShopUnavailable` when nothing was sent."""
        prepared = [_prepare(item) for item in owed]
        sent = iter(self._send([item for item in prepared if isinstance(item, _Node)]))
        return [next(sent) if isinstance(item, _Node) else item for item in prepared]

    def _send(self, nodes: Sequence[_Node]) -> list[Outcome]:
        if not nodes:
            return []
        body = wire.patch_body((node.link.row, node.quantity) for node in nodes)
        try:
            answer = self._http.write(
                "PATCH",
                "stock_availables",
                content=body,
                params=self._lists.context or None,  # {} would cost httpx a second look at the URL
                headers=_XML,
            )
        except AnswerLost as error:
            return [Unclear(self._short(str(error)), _exchange(node)) for node in nodes]
        root = wire.parse(answer.body)
        if answer.status < 300:
            rows = {} if root is None else {row.row: row for row in wire.stock_rows(root)}
            last = {node.link.row: node.quantity for node in nodes}
            return [_confirmed(node, rows.get(node.link.row), last[node.link.row]) for node in nodes]
        if len(nodes) > 1:
            return self._after_refusal(nodes)
        problems = [] if root is None else wire.errors(root)
        return [self._refused(nodes[0], answer.status, problems)]

    def _after_refusal(self, nodes: Sequence[_Node]) -> list[Outcome]:
        """Find out how far the shop got in a call that it broke off with a 4xx."""
        try:
            rows = self._lists.rows([node.link.row for node in nodes])
        except ShopUnavailable as error:
            reason = f"The shop broke the batch off, and how far it got cannot be read: {error}"
            return [Unclear(self._short(reason), _exchange(node)) for node in nodes]
        outcomes: list[Outcome] = []
        for node in nodes:
            row = rows.get(node.link.row)
            if row is None or row.quantity != node.quantity:
                break
            outcomes.append(_confirmed(node, row, node.quantity))
        if len(outcomes) < len(nodes):
            outcomes.append(self._send_alone(nodes[len(outcomes)]))
        return outcomes + [Untried()] * (len(nodes) - len(outcomes))

    def _send_alone(self, node: _Node) -> Outcome:
        try:
            return self._send([node])[0]
        except ShopUnavailable:  # raising would claim that the earlier nodes were not applied
            return Untried()

    def _refused(self, node: _Node, status: int, problems: Sequence[tuple[int | None, str]]) -> Outcome:
        if not problems:  # not the webservice: a firewall, a web server, a page of a module
            return Unclear(f"HTTP {status} and no answer of the webservice.", _exchange(node, f"HTTP {status}"))
        said = self._short("; ".join(f"code {code}: {message}" for code, message in problems))
        exchange = _exchange(node, f"HTTP {status}, {said}")
        if status == 404 and any(code in UNKNOWN_ID for code, _ in problems):
            return Rejected(
                f"PrestaShop does not know this stock row any more ({said}).", GONE, exchange, link_lost=True
            )
        hint = "Look the code up in PrestaShop's documentation of the webservice; then retry the delivery."
        return Rejected(f"PrestaShop refuses the quantity: HTTP {status}, {said}.", hint, exchange)


def _prepare(item: Owed) -> _Node | Rejected:
    """Check a value and a link before anything is sent: one bad node would break the whole call off."""
    value = item.event.value
    if not isinstance(value, int) or isinstance(value, bool) or not SMALLEST <= value <= LARGEST:
        far = isinstance(value, int) and value.bit_length() > 64  # Python refuses to print very long numbers
        shown = "a far larger number" if far else repr(value)[:40]
        return Rejected(
            f"quantity: {shown} is not a whole number between {SMALLEST} and {LARGEST}.",
            "PrestaShop keeps whole pieces only: correct the quantity or the unit of the card in POHODA.",
        )
    link = wire.link_of(item.link)
    if link is None:
        return Rejected("The link to the stock row is missing or damaged.", GONE, link_lost=True)
    return _Node(link, value, item.link or "")


def _confirmed(node: _Node, row: StockRow | None, wanted: int) -> Outcome:
    """Compare what the shop says with what was sent."""
    if row is None:
        return Unclear("The shop's answer does not name the row.", _exchange(node, "no such row"))
    link, exchange = node.link, _exchange(node, f"quantity {row.quantity}")
    if row.product != link.product or row.combination != link.combination:
        reason = f"The stock row {row.row} belongs to product {row.product} now, not to product {link.product}"
        if row.product == link.product:
            reason = f"The stock row {row.row} belongs to another combination of product {row.product} now"
        return Rejected(f"{reason}: the link is wrong.", _MOVED, exchange, link_lost=True)
    if row.quantity != wanted:
        return Unclear(f"The shop says {row.quantity} where {wanted} was sent.", exchange)
    return Done(node.text, row.quantity, exchange)


def _exchange(node: _Node, answer: str = "") -> Exchange:
    return Exchange(f"PATCH stock_availables {node.link.row}: quantity {node.quantity}", answer)
