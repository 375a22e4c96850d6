"""The PrestaShop adapter: quantities through the webservice (``/api``), many rows in one PATCH.

Decisions, from recorded exchanges with 9.1.4 unless another source is named:

* A quantity lives in a row of ``stock_availables``, one per product and combination. The link is
  ``row:product:combination``, so that a read can tell when the row has come to belong to something else.
* Several nodes in one PATCH are worked off in order, **not in a transaction**; after the first error the earlier ones
  stay, the later ones are not done, and the answer does not say which it was. So the rows are read back: what holds
  the sent value up to the first difference is done, the first that differs is sent alone, the rest is untried.
* The row of a product that has combinations is their sum and may be written to nonsense: it is never an item.
* References are not unique, neither among products nor across combinations: a doubled one is refused with a hint.
  MySQL also folds accents (``Č`` = ``C``), so what it finds is compared again by `agent.events.key_of`.
* Multistore: of several rows per product the one of ``shop_id`` counts, else the one that a group of shops shares
  (``id_shop`` 0). ``shop_id`` other than 1 is sent along as ``id_shop`` (``WebserviceRequest::shopExists``; read there,
  not recorded).
* There is no condition on a write (a bogus ``If-Match`` was accepted): the absolute value wins over a sale in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from agent.errors import AnswerLost, ShopUnavailable
from agent.events import Done, Exchange, Held, Outcome, Owed, Page, Rejected, Unclear, Untried, Wanted
from agent.shops import Finding
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_lists import Lists, by_key, doubled, judge, not_the_webservice
from agent.shops.prestashop_xml import Link, StockRow

_XML = {"content-type": "text/xml; charset=utf-8"}
SMALLEST, LARGEST = -(2**31), 2**31 - 1
"""What the column holds. Beyond it, and for fractions and text, the shop answers 400 code 85 for the whole call."""
PRODUCTS_PER_PAGE = 200
NEEDED = (
    ("products", "get"),
    ("combinations", "get"),
    ("stock_availables", "get"),
    ("stock_availables", "patch"),
)
_UNKNOWN_ID = {87, 92, 131}
"""Codes of "Id(s) not exists", "Invalid ID" and "does not exists on this shop" (the last from its source)."""
_MOVED = (
    "It is looked up again by its code. The quantity went to where the row belongs now:"
    " pohoda-agent reconcile --repair puts that right."
)
_GONE = "Someone deleted the product or the combination in PrestaShop; it is looked up again by its code."


class _Node(NamedTuple):
    """One quantity on its way into one row; ``text`` is the link as it was given."""

    link: Link
    quantity: int
    text: str


class PrestaShop:
    """One PrestaShop whose webservice knows PATCH (proven with 9.1.4). See `agent.shops.Shop`."""

    kind = "prestashop"
    quantity: Literal["saleable", "physical"] = "saleable"

    def __init__(
        self, url: str, *, key: str, timeout: float, pace: Callable[[], None] = lambda: None, shop_id: int = 1
    ) -> None:
        """``url`` is the shop's address, with or without ``/api``; ``timeout`` is in seconds, per request."""
        base = url.rstrip("/").removesuffix("/api")
        self._key = key
        self._http = ShopHttp(f"{base}/api", timeout=timeout, auth=(key, ""), pace=pace)
        self._lists = Lists(self._http, shop_id=shop_id)
        self._paged: dict[int, int] = {}  # hash of key → product, over the pages of one reading: finds doubled codes

    # ------------------------------------------------------------------------------------------------ writing

    def deliver(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:
        """Set quantities (whole pieces, absolute); one PATCH for all of them.

        Raises `ShopUnavailable` when nothing was sent. See `agent.shops.Shop.deliver`.
        """
        _know(target)
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
        if status == 404 and any(code in _UNKNOWN_ID for code, _ in problems):
            return Rejected(
                f"PrestaShop does not know this stock row any more ({said}).", _GONE, exchange, link_lost=True
            )
        hint = "Look the code up in PrestaShop's documentation of the webservice; then retry the delivery."
        return Rejected(f"PrestaShop refuses the quantity: HTTP {status}, {said}.", hint, exchange)

    # ------------------------------------------------------------------------------------------------ reading

    def probe(self) -> None:
        """Read the id of one stock row. Raises `ShopUnavailable`."""
        self._lists.ask("stock_availables", {"display": "[id]", "limit": "1"})

    def read(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read the rows behind the links.

        Missing are links whose row is gone, belongs to something else, or has become the sum of combinations.
        Raises `ShopUnavailable`.
        """
        _know(target)
        linked = [(item, link) for item in wanted if (link := wire.link_of(item.link)) is not None]
        rows = self._lists.rows([link.row for _, link in linked])
        parents = self._lists.parents({link.product for _, link in linked if not link.combination and link.row in rows})
        held = {}
        for item, link in linked:
            row = rows.get(link.row)
            if row is None or (row.product, row.combination) != (link.product, link.combination):
                continue
            if link.combination or link.product not in parents:
                held[item.key] = Held(item.key, item.code, str(link), row.quantity)
        return held

    def find(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look codes up among the references of products and combinations. Raises `ShopUnavailable`."""
        _know(target)
        asked = {item.key: item.code.strip() for item in wanted}
        places = {key: found for key, found in self._lists.places(list(asked.values())).items() if key in asked}
        single = [found[0] for found in places.values() if len(found) == 1]
        parents = self._lists.parents(place.product for place in single if not place.combination)
        rows = self._lists.stock_of(
            place.product for place in single if place.combination or place.product not in parents
        )
        answer = {key: judge(key, found, parents, rows) for key, found in places.items()}
        for key, code in asked.items():
            if code and not wire.findable(code):
                answer[key] = Rejected(
                    "PrestaShop's webservice cannot look for a code in square brackets.",
                    "Give the card a code that does not begin with [ and end with ].",
                )
        return answer

    def read_page(self, target: str, page: str | None) -> Page:
        """Read everything by ascending product id; a page token is the last product id, so it outlives a restart.

        A code doubled across pages is only noticed while one adapter reads them all; `find` always notices.
        Raises `ShopUnavailable`, also for a token that is not one.
        """
        _know(target)
        after = wire.whole(page or "0")
        if after is None:
            raise ShopUnavailable(
                "This is not a page of PrestaShop.", hint="Start the reading again from the beginning."
            )
        if page is None:
            self._paged.clear()
        products = self._lists.products({"filter[id]": f">[{after}]"}, limit=PRODUCTS_PER_PAGE)
        if not products:
            return Page((), None)
        last = max(place.product for place in products)
        interval = {"filter[id_product]": f"[{after + 1},{last}]"}
        combinations = self._lists.combinations(interval)
        rows = self._lists.stock(interval)
        known, parents = ({place.product for place in places} for places in (products, combinations))
        items: list[Held] = []
        problems: list[tuple[str, Rejected]] = []
        for key, found in by_key([*products, *(place for place in combinations if place.product in known)]).items():
            held = judge(key, found, parents, rows)
            if isinstance(held, Held) and self._paged.setdefault(hash(key), found[0].product) != found[0].product:
                held = doubled(f"products {self._paged[hash(key)]} and {found[0].product}")
            if isinstance(held, Held):
                items.append(held)
            else:
                problems.append((key, held))
        return Page(tuple(items), str(last), tuple(problems))

    def check(self) -> list[Finding]:
        """Examine version, rights of the key and the number of the shop. Never raises.

        Plain http is no finding: the configuration allows it on this machine only, where it harms nobody.
        """
        findings: list[Finding] = []
        started = time.monotonic()
        try:
            answer = self._http.read("")
            root = wire.parse(answer.body)
            rights = None if root is None or answer.status != 200 else wire.rights(root)
            if rights is None:
                raise not_the_webservice(answer)
            took = (time.monotonic() - started) * 1000
            version = self._short(answer.headers.get("psws-version", ""))
            findings.append(
                Finding("ok", "shop", f"PrestaShop {version or '(version unknown)'} answers in {took:.0f} ms.")
            )
            findings += _check_rights(rights)
            findings += self._check_shop_id()
        except ShopUnavailable as error:
            findings.append(Finding("error", "shop", self._short(str(error)), error.hint))
        return findings

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _check_shop_id(self) -> list[Finding]:
        rows = self._lists.ask("stock_availables", {"display": "[id,id_shop]", "limit": "1"})
        shops = sorted({number for row in rows if (number := wire.whole(row.get("id_shop"))) is not None})
        if not shops or set(shops) & {0, self._lists.shop_id}:
            return []
        text = f"The stock rows belong to shop {shops[0]}, the configuration says {self._lists.shop_id}."
        return [
            Finding("error", "shop_id", text, f"Set shop_id = {shops[0]}, or the number of the shop that is meant.")
        ]

    def _short(self, text: str) -> str:
        return wire.short(text, self._key)


def _know(target: str) -> None:
    if target != "quantities":
        raise ValueError(f"the prestashop adapter does not know the target {target}")


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
        return Rejected("The link to the stock row is missing or damaged.", _GONE, link_lost=True)
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


def _check_rights(rights: Mapping[str, frozenset[str]]) -> list[Finding]:
    """Compare what the key may do with what quantities need."""
    missing = [f"{resource} {method.upper()}" for resource, method in NEEDED if method not in rights.get(resource, ())]
    excess = [
        f"{resource} {method.upper()}"
        for resource, methods in sorted(rights.items())
        for method in sorted(methods - {"get"})
        if (resource, method) not in NEEDED
    ]
    where = "in PrestaShop under Advanced parameters, Webservice, at this key"
    findings = [
        Finding(
            "error", "rights", f"The key lacks {right}.", f"Grant it {where} (an old PrestaShop may have no PATCH)."
        )
        for right in missing
    ]
    if not missing:
        findings.append(Finding("ok", "rights", "The key may read products and read and change their quantities."))
    if excess:
        shown = ", ".join(excess[:4]) + (f" and {len(excess) - 4} more" if len(excess) > 4 else "")
        text = f"The key may do more than quantities need: {shown}."[: wire.MAX_TEXT]
        findings.append(Finding("warning", "rights", text, f"Take away {where} what no other target needs."))
    return findings
