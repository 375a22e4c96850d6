"""People at work in the rest of POHODA and in the shop, beside the `clerk` of the cards, at moments fixed beforehand.

Each piece of work is one transaction of POHODA; what customers do in the shop lies within it, so that POHODA always
hears of it.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import TypeAlias

from agent.demo.prestashop import FakePrestaShop
from tests.crash import desk_cards, desk_orders, desk_tree
from tests.crash.clerk import Books
from tests.crash.hand import Hand

Work: TypeAlias = Callable[[Hand], None]
WORKS: dict[str, tuple[int, Work]] = {
    "new category": (7, desk_tree.make),
    "renamed": (5, desk_tree.rename),
    "moved": (4, desk_tree.move),
    "described": (4, desk_tree.describe),
    "deleted": (4, desk_tree.delete),
    "placed": (12, desk_tree.place),
    "new parameter": (3, desk_cards.define),
    "filled": (12, desk_cards.fill),
    "cleared": (3, desk_cards.clear),
    "maker": (6, desk_cards.maker),
    "supplier": (7, desk_cards.supplier),
    "main supplier": (3, desk_cards.main_supplier),
    "bought": (10, desk_orders.buy),
    "went on": (12, desk_orders.go_on),
    "cancelled": (4, desk_orders.cancel),
    "by hand": (3, desk_orders.by_hand),
}
"""Name → how often, of a hundred; and what is done."""


class Desk:
    """Does so much work within ``seconds``, and goes on at leisure until `finish`."""

    def __init__(self, books: Books, shop: FakePrestaShop, *, seed: int, seconds: float, works: int) -> None:
        self.done: Counter[str] = Counter()
        self.failed: BaseException | None = None
        self._chance = random.Random(f"desk {seed}")
        self._books = books
        self.hand = Hand(books.open(), self._chance, books.documents, shop)
        self._plan = sorted(self._chance.uniform(0, seconds) for _ in range(works))
        self._pause = seconds / works
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)

    def begin(self) -> None:
        """Put something into the books before anybody looks, beside what they are made with."""
        for work in (desk_tree.make, desk_cards.define, desk_orders.buy, desk_orders.buy, desk_orders.by_hand) * 4:
            self.do(work)
        self.hand.db.close()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, seconds: float) -> bool:
        """Let what was planned be done; tells whether it was in time."""
        self._enough.set()
        self._thread.join(seconds)
        if self.failed is not None:
            raise self.failed
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with closing(self._books.open()) as db:
                self.hand.db = db
                self._work()
        except BaseException as error:  # a thread's: raised by `finish`
            self.failed = error

    def _work(self) -> None:
        begin = time.monotonic()
        for moment in self._plan:
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            self._one()
        while not self._enough.wait(self._chance.uniform(0, 4 * self._pause)):
            self._one()

    def _one(self) -> None:
        weights = [weight for weight, _ in WORKS.values()]
        ((name, (_, work)),) = self._chance.choices(list(WORKS.items()), weights=weights)
        self.do(work)
        self.done[name] += 1

    def do(self, work: Work) -> None:
        """Do one piece of work, as one transaction."""
        self.hand.number += 1
        self.hand.db.execute("BEGIN IMMEDIATE")
        work(self.hand)
        self.hand.db.execute("COMMIT")
