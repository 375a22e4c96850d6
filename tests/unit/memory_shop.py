"""A small honest e-shop in memory: it keeps real values and codes, and fails only where a test scripts it.

A script is a list of `Plan`s per key (or for a whole call); without one the shop does what it is asked. A plan that is
"unclear" says whether the write was applied at once, never, or will be when the test lets it `land`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from agent.errors import BatchRefused, ShopUnavailable
from agent.events import Done, Exchange, Held, Outcome, Owed, Page, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.shops import Finding

Plan = Literal["applied", "not applied", "late", "untried"] | Rejected | Exception
"""The first three are unclear answers, told apart by what really happened."""


@dataclass(slots=True)
class MemoryShop:
    """The `Shop` contract over two dictionaries."""

    page_size: int = 100
    kind: str = "memory"
    quantity: Literal["saleable", "physical"] = "saleable"
    price_form: Literal["net", "gross"] = "net"
    price_places: int = 2
    creates: bool = False
    """Whether an item without a link is a creation."""
    codes: dict[str, str] = field(default_factory=dict)
    """Link -> code."""
    stock: dict[str, Value] = field(default_factory=dict)
    """Link -> value."""
    plans: defaultdict[str, deque[Plan]] = field(default_factory=lambda: defaultdict(deque))
    """Key -> what happens to it in the next calls."""
    calls: deque[Exception] = field(default_factory=deque)
    """What the next calls of `deliver` raise, nothing applied."""
    down: Exception | None = None
    """While set, everything raises it."""
    probe_down: Exception | None = None
    unreadable: set[str] = field(default_factory=set)
    """Keys at which a read fails, though the shop is well."""
    unfindable: set[str] = field(default_factory=set)
    sent: list[tuple[str, Value]] = field(default_factory=list)
    """Every (key, value) that was written on the wire, in order."""
    batches: list[tuple[str, ...]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """The names of all calls, in order: a request is a request."""
    late: list[tuple[str, Value]] = field(default_factory=list)
    answer: str = "200"
    stores: Callable[[Value], Value] = lambda value: value
    """What the shop makes of a value that it takes: some cut, some round."""
    during: Callable[[], None] = lambda: None
    """Called in the middle of `deliver`: what the world does meanwhile."""

    def put(self, code: str, value: Value, link: str | None = None) -> str:
        """Create a product; returns its link."""
        link = link or f"p{len(self.codes) + 1}"
        self.codes[link], self.stock[link] = code, value
        return link

    def held(self, code: str) -> Value:
        """What the shop holds of the one product with this code."""
        return self.stock[self._links(key_of(code))[0]]

    def land(self) -> None:
        """Let the late writes be applied."""
        for link, value in self.late:
            if link in self.stock:
                self.stock[link] = value
        self.late.clear()

    def probe(self) -> None:
        self._request("probe")
        if self.probe_down:
            raise self.probe_down

    def deliver(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:  # noqa: ARG002 - the protocol's signature
        self._request("deliver")
        self.batches.append(tuple(one.event.key for one in owed))
        if self.calls:
            raise self.calls.popleft()
        self.during()
        for one in owed:  # what raises these has sent nothing, of any item
            if self.plans[one.event.key] and isinstance(self.plans[one.event.key][0], ShopUnavailable | BatchRefused):
                raise cast("Exception", self.plans[one.event.key].popleft())
        return [self._one(one) for one in owed]

    def _one(self, owed: Owed) -> Outcome:
        key, value, link = owed.event.key, owed.event.value, owed.link
        assert link is not None or self.creates, "dispatch must find the link first"
        plan = self.plans[key].popleft() if self.plans[key] else None
        if isinstance(plan, Exception):
            raise plan
        if plan == "untried":
            return Untried()
        self.sent.append((key, value))
        said = Exchange(f"PUT {link} {value}", self.answer)
        if isinstance(plan, Rejected):
            return plan
        if link is None:
            return self._create(owed, plan, said)
        if link not in self.stock:
            return Rejected(f"no product {link}", "It was deleted.", said, link_lost=True)
        if plan == "late":
            self.late.append((link, value))
        elif plan != "not applied":
            self.stock[link] = self.stores(value)
        return Unclear("the answer was lost", said) if plan else Done(link, self.stock[link], said)

    def _create(self, owed: Owed, plan: Plan | None, said: Exchange) -> Outcome:
        assert plan != "late", "not scripted for creations"
        if plan != "not applied":
            link = self.put(owed.event.code, owed.event.value)
        return Unclear("the answer was lost", said) if plan else Done(link, owed.event.value, said)

    def read(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held]:  # noqa: ARG002 - the protocol's signature
        self._request("read")
        if self.unreadable & {one.key for one in wanted}:
            raise ShopUnavailable("this page of the shop is broken")
        return {
            one.key: Held(one.key, self.codes[one.link], one.link, self.stock[one.link])
            for one in wanted
            if one.link is not None and one.link in self.stock
        }

    def read_page(self, target: str, page: str | None) -> Page:  # noqa: ARG002 - the protocol's signature
        self._request(f"read_page {page}")
        links = sorted(self.stock, key=lambda link: int(link[1:]))
        start = int(page or 0)
        items = [
            Held(key_of(self.codes[link]), self.codes[link], link, self.stock[link])
            for link in links[start : start + self.page_size]
        ]
        end = start + self.page_size
        return Page(tuple(items), str(end) if end < len(links) else None)

    def find(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:  # noqa: ARG002 - the protocol's signature
        self._request("find")
        if self.unfindable & {one.key for one in wanted}:
            raise ShopUnavailable("the search is broken")
        answers: dict[str, Held | Rejected] = {}
        for one in wanted:
            links = self._links(one.key)
            if len(links) > 1:
                answers[one.key] = Rejected(f"the shop knows {one.code} twice", "Rename one of the two.")
            elif links:
                answers[one.key] = Held(one.key, self.codes[links[0]], links[0], self.stock[links[0]])
        return answers

    def check(self) -> list[Finding]:
        return []

    def close(self) -> None:
        """Nothing to let go of."""

    def _links(self, key: str) -> list[str]:
        return [link for link, code in self.codes.items() if key_of(code) == key and link in self.stock]

    def _request(self, name: str) -> None:
        self.requests.append(name)
        if self.down:
            raise self.down
