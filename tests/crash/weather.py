"""The shop's worst days for a catalogue: a fault per write request, counted by what the request was to do.

A product that is created and a picture that is uploaded are what must not be done twice, so each of them meets every
fault: lost answers, halves of them, a gateway's 503, a busy shop, writes that land seconds later.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.faults import Fault, Kind
from agent.demo.prestashop.webservice import Request
from tests.crash.storm import NODE, ODDS, Sent, draw

What: TypeAlias = Literal["creation", "upload", "removal", "update", "category", "term", "firm", "state"]
_LATER: dict[Kind, float] = {**ODDS, "late_apply": 0.16}
_LATE = (3.0, 7.0)
"""Time-outs after which what is done once lands late: the agent's rests, ten of them, are for that."""
FAULTS: dict[What, dict[Kind, float]] = {
    "creation": ODDS,
    "upload": {**ODDS, "half_apply": 0.03},  # PHP died between the record of a picture and its file
    "removal": ODDS,
    "update": ODDS,
    "category": _LATER,
    "term": _LATER,
    "firm": _LATER,
    "state": _LATER,
}
MUST: tuple[What, ...] = ("creation", "upload")
"""Each of their faults must be seen at least once."""
ONCE: tuple[What, ...] = ("category", "term", "firm", "state")
"""What must not be done twice either: things that products point to, and states that customers are told."""
_MADE: dict[str, What] = {
    "products": "creation",
    "categories": "category",
    "product_features": "term",
    "product_feature_values": "term",
    "manufacturers": "firm",
    "suppliers": "firm",
}
LOST: frozenset[Kind] = frozenset({"drop_after_apply", "half_answer", "s503_after_apply", "late_apply"})
"""It was applied, or will be, and nobody was told."""
_NODES = re.compile(rb"</(?:stock_available|product)>")
_ID = re.compile(rb"<id>(?:<!\[CDATA\[)?(\d+)")
_QUANTITY = re.compile(rb"<quantity>(?:<!\[CDATA\[)?(-?\d+)")


def what(request: Request) -> What:
    """Say what a write request is to do."""
    path = request.path
    if request.method == "DELETE":
        return "removal"
    if request.method == "POST" and path[:2] == ("images", "products"):
        return "upload"
    if request.method == "POST":
        return _MADE.get(path[0], "update")
    return "state" if path[0] == "orders" else "update"


@dataclass(frozen=True, slots=True)
class Trap:
    """Ends the agent at a request of a kind."""

    kind: What
    kill: Callable[[], object]


class Weather:
    """Sits in front of the fake shop as its chooser of faults, until it is ``over``."""

    def __init__(self, shop: FakePrestaShop, *, seed: int, timeout: float, must: Sequence[What] = MUST) -> None:
        self.over = False
        self.must = must
        self.trap: Trap | None = None
        """Snaps at the next request of its kind."""
        self.snapped: Counter[What] = Counter()
        self.sent: list[Sent] = []
        """Quantities, in the order of arrival."""
        self.seen: Counter[tuple[What, Kind]] = Counter()
        self.resends = 0
        """Updates that were sent again, unchanged, although the answer to the sending before was clear."""
        self._last: dict[tuple[str, bytes, int], tuple[bytes, Kind]] = {}
        self._random = random.Random(seed)
        self._timeout = timeout
        self._lock = threading.Lock()
        shop.faults.chooser = self.choose

    def choose(self, request: Request) -> Fault:
        """Draw the fate of a request."""
        kind = what(request)
        with self._lock:
            fault = Fault("none") if self.over else self._snap(kind) or self._draw(kind)
            self.seen[kind, fault.kind] += 1
            if kind == "update":
                self._count_resends(request, fault.kind)
            if request.path[:1] == ("stock_availables",):
                at = time.monotonic()
                self.sent += [Sent(at, int(row), int(pieces), fault.kind) for row, pieces in NODE.findall(request.body)]
        return fault

    def unseen(self, kind: What) -> list[Kind]:
        """Which faults requests of this kind have not met yet."""
        return [one for one in FAULTS[kind] if not self.seen[kind, one]]

    def missing(self) -> list[str]:
        """Faults that creations, uploads and the like have not met."""
        return [f"{one} of a{'n' if kind[0] == 'u' else ''} {kind}" for kind in self.must for one in self.unseen(kind)]

    def lost(self, kind: What) -> int:
        """How many requests of this kind had an effect, and their sender does not know."""
        return sum(count for (of, fault), count in self.seen.items() if of == kind and fault in LOST)

    def _snap(self, kind: What) -> Fault | None:
        """End the agent amid this request, which is done, is not done, or is done seconds after its sender's death."""
        if self.trap is None or self.trap.kind != kind:
            return None
        self.trap.kill()
        self.trap = None
        self.snapped[kind] += 1
        ends: tuple[Kind, ...] = ("drop_after_apply", "late_apply", "never_apply")
        return Fault(self._random.choice(ends), delay=self._random.uniform(*_LATE) * self._timeout)

    def _draw(self, kind: What) -> Fault:
        unseen = self.unseen(kind)
        odds = {one: share * (2 if one in unseen else 1) for one, share in FAULTS[kind].items()}  # creations are few
        fault = draw(self._random, odds, unseen, self._timeout)
        late = fault.kind == "late_apply" and kind in ONCE
        return replace(fault, delay=self._random.uniform(*_LATE) * self._timeout) if late else fault

    def _count_resends(self, request: Request, fault: Kind) -> None:
        for node in _NODES.split(request.body):
            row = _ID.search(node)
            if row is None:
                continue
            price, value = int(b"<price>" in node), _QUANTITY.search(node)
            place = ("/".join(request.path), row[1], price)
            said = value[1] if value else node
            if self._last.get(place, (b"", "never_apply")) == (said, "none"):
                self.resends += 1
            self._last[place] = said, fault
