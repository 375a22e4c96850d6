"""The shop's worst days for a catalogue: a fault per write request, counted by what the request was to do.

A product that is created and a picture that is uploaded are what must not be done twice, so each of them meets every
fault: lost answers, halves of them, a gateway's 503, a busy shop, writes that land seconds later.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from typing import Literal, TypeAlias

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.faults import Fault, Kind
from agent.demo.prestashop.webservice import Request
from tests.crash.storm import ODDS, draw

What: TypeAlias = Literal["creation", "upload", "removal", "update"]
FAULTS: dict[What, dict[Kind, float]] = {
    "creation": ODDS,
    "upload": {**ODDS, "half_apply": 0.03},  # PHP died between the record of a picture and its file
    "removal": ODDS,
    "update": ODDS,
}
MUST: tuple[What, ...] = ("creation", "upload")
"""Each of their faults must be seen at least once."""
LOST: frozenset[Kind] = frozenset({"drop_after_apply", "half_answer", "s503_after_apply", "late_apply"})
"""It was applied, or will be, and nobody was told."""
_NODES = re.compile(rb"</(?:stock_available|product)>")
_ID = re.compile(rb"<id>(?:<!\[CDATA\[)?(\d+)")
_QUANTITY = re.compile(rb"<quantity>(?:<!\[CDATA\[)?(-?\d+)")


def what(request: Request) -> What:
    """Say what a write request is to do."""
    resource = request.path[:1]
    if request.method == "DELETE":
        return "removal"
    if request.method == "POST" and resource in {("products",), ("images",)}:
        return "creation" if resource == ("products",) else "upload"
    return "update"


class Weather:
    """Sits in front of the fake shop as its chooser of faults, until it is ``over``."""

    def __init__(self, shop: FakePrestaShop, *, seed: int, timeout: float) -> None:
        self.over = False
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
            fault = Fault("none") if self.over else self._draw(kind)
            self.seen[kind, fault.kind] += 1
            if kind == "update":
                self._count_resends(request, fault.kind)
        return fault

    def unseen(self, kind: What) -> list[Kind]:
        """Which faults requests of this kind have not met yet."""
        return [one for one in FAULTS[kind] if not self.seen[kind, one]]

    def missing(self) -> list[str]:
        """Faults that creations and uploads have not met, and answers that were not lost."""
        return [f"{one} of a{'n' if kind[0] == 'u' else ''} {kind}" for kind in MUST for one in self.unseen(kind)]

    def lost(self, kind: What) -> int:
        """How many requests of this kind had an effect, and their sender does not know."""
        return sum(count for (of, fault), count in self.seen.items() if of == kind and fault in LOST)

    def _draw(self, kind: What) -> Fault:
        unseen = self.unseen(kind)
        odds = {one: share * (2 if one in unseen else 1) for one, share in FAULTS[kind].items()}  # creations are few
        return draw(self._random, odds, unseen, self._timeout)

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
