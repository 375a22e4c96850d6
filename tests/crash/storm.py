"""The shop's worst days: chooses a fault for every write request, and takes down what was sent, when, and how it ended.

Arrival order is what the agent did; it is recorded before the fault, so that a write that lands late is no regression
of the agent.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.faults import Fault, Kind
from agent.demo.prestashop.webservice import Request

NODE = re.compile(rb"<id>(?:<!\[CDATA\[)?(\d+).*?<quantity>(?:<!\[CDATA\[)?(-?\d+)", re.DOTALL)

ODDS: dict[Kind, float] = {
    "drop_after_apply": 0.04,
    "half_answer": 0.03,
    "s503_after_apply": 0.04,
    "s429": 0.03,
    "late_apply": 0.03,
    "never_apply": 0.04,
}
"""The six faults of a real server; each must be seen at least once."""
CLEAR: set[Kind] = {"none", "s429"}
"""Kinds after which the agent knows what happened."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One value in one write request, in the order of arrival. ``applied`` is False for faults that apply nothing."""

    at: float
    row: int
    quantity: int
    fault: Kind


class Storm:
    """Sits in front of the fake shop as its chooser of faults."""

    def __init__(self, shop: FakePrestaShop, *, seed: int, timeout: float) -> None:
        self.sent: list[Sent] = []
        self.over = False
        self._shop = shop
        self._random = random.Random(seed)
        self._timeout = timeout
        self._lock = threading.Lock()
        shop.faults.chooser = self.choose

    def choose(self, request: Request) -> Fault:
        """Take down a request and draw its fate."""
        at = time.monotonic()
        with self._lock:
            fault = self._draw()
            items = [(int(row), int(quantity)) for row, quantity in NODE.findall(request.body)]
            self.sent += [Sent(at, row, quantity, fault.kind) for row, quantity in items]
        return fault

    def _draw(self) -> Fault:
        if self.over:
            return Fault("none")
        missing = [kind for kind in ODDS if not self._shop.faults.counts.get(kind)]
        return draw(self._random, ODDS, missing, self._timeout)


def draw(chance: random.Random, odds: Mapping[Kind, float], missing: Sequence[Kind], timeout: float) -> Fault:
    """Draw the fate of one request; late writes land up to five time-outs later."""
    ticket = chance.random()
    for kind, share in odds.items():
        # what has not been seen yet comes sooner, so that a short storm has every fault, too
        ticket -= share * (3 if kind in missing else 1)
        if ticket < 0:
            return Fault(kind, delay=chance.uniform(0.2, 5) * timeout, retry_after=chance.choice([1.0, "date:1", None]))
    return Fault("none")
