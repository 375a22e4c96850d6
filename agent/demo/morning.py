"""A morning in POHODA: people at the counter and in the office, and the automatic task that exports what changed.

Quantities reach the shop from the database, a second after each commit, and so does what `desk` does. Texts, prices and
pictures go another way: the automatic task exports the changed cards, once as a file into the export directory and once
as a post to the receiver, as POHODA does both. At the end comes a last export, so that all is told. The shop fails on
the way.
"""

from __future__ import annotations

import gzip
import http.client
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.demo import pohoda, scene
from agent.demo.desk import OrderDesk, RangeDesk
from agent.demo.office import Office
from agent.demo.scene import Scene
from agent.events import key_of

RATE = 20.0
"""Pieces of work at the counter per second."""
OUTAGE = 3.0
"""Seconds for which the shop fails, in the middle of the morning."""
OFFICE_EVERY = 0.4
"""Seconds between two pieces of work in the office."""
EXPORT_EVERY = 3.0
"""Seconds between two exports; of a short morning a quarter."""
USER_AGENT = "STORMWARE-HTTP-client. http://www.stormware.cz"
"""As POHODA calls itself."""

Say = Callable[[str], object]


def work(on: Scene, seconds: float, stop: threading.Event, say: Say) -> None:
    """Let people work for so many seconds, or until ``stop``."""
    begin = time.monotonic()
    on.outage = (begin + seconds * 0.4, begin + seconds * 0.4 + min(OUTAGE, seconds * 0.2))
    with (
        closing(pohoda.Morning(on.database, seed=7)) as people,
        closing(Office(on.database, on.documents, seed=7)) as office,
    ):
        counter, orders = _Counter(on, people), OrderDesk(on, office)
        desks = (_Desk(on, office), RangeDesk(on, office), orders)
        task = _Task(on, office, say, _now() - timedelta(seconds=1))
        every = min(EXPORT_EVERY, seconds / 4)
        said, next_desk, next_export = begin, begin, begin + every
        while (now := time.monotonic()) < begin + seconds and not stop.is_set():
            _fail_or_not(on, now, say)
            counter.step()
            if now >= next_desk:
                next_desk = now + OFFICE_EVERY
                for desk in desks:
                    desk.step()
            if now >= next_export:
                next_export = now + every
                task.step()
            if now - said >= (1.0 if sys.stdout.isatty() else 5.0):
                said = now
                say(f"{now - begin:4.0f} s  changes {on.changes.total()}  on their way {on.watch.waiting()}")
            stop.wait(counter.pause())
        on.shop.down = False
        orders.take_over()
        task.step(last=True)


def _fail_or_not(on: Scene, now: float, say: Say) -> None:
    failing = on.outage[0] <= now < on.outage[1]
    if failing != on.shop.down:
        on.shop.down = failing
        say("the shop fails (HTTP 503)" if failing else "the shop is back")


class _Counter:
    """Sales, receipts, reservations; now and then somebody unticks a card."""

    def __init__(self, on: Scene, people: pohoda.Morning) -> None:
        self._on = on
        self._chance = random.Random(7)  # noqa: S311 - plausible work, not secrets
        self._works = (people.sale, people.receipt, people.reservation, people.untick)

    def step(self) -> None:
        """One piece of work, and how the shop's quantities must follow it."""
        touched = self._chance.choices(self._works, (70, 12, 16, 2))[0]()
        expected = self._on.quantities()
        self._on.offered |= expected.keys()
        for key in {key_of(code) for code in touched.codes}:
            self._on.changes["quantities"] += self._on.watch.committed(key, expected.get(key, 0), touched.at)

    def pause(self) -> float:
        """Seconds until the next piece of work."""
        return self._chance.expovariate(RATE)


class _Desk:
    """Texts, prices, pictures and new cards, one after another."""

    def __init__(self, on: Scene, office: Office) -> None:
        self._on = on
        self._office = office
        self._works: list[tuple[str, Callable[[], object]]] = [
            ("prices", office.reprice),
            ("products", office.rewrite),
            ("images", office.add_picture),
            ("products", self._new_card),
            ("prices", office.reprice),
            ("images", office.turn_pictures),
            ("products", office.rewrite),
            ("images", office.remove_picture),
        ]
        self._next = 0

    def step(self) -> None:
        """The next piece of work."""
        target, do = self._works[self._next % len(self._works)]
        self._next += 1
        do()
        self._on.changes[target] += 1

    def _new_card(self) -> None:
        key = key_of(self._office.new_card())
        expected = self._on.quantities()
        self._on.offered |= expected.keys()
        self._on.watch.know({key: expected[key]})  # it waits for its product: no latency of a quantity


@dataclass(slots=True)
class _Task:
    """POHODA's automatic task: exports the cards that were saved since it ran last."""

    on: Scene
    office: Office
    say: Say
    ran: datetime
    count: int = 0

    def step(self, *, last: bool = False) -> None:
        """Export what changed: by turns as a file, and as a post to the receiver. The last one is a file."""
        begun = _now()
        cards = self.office.changed(self.ran)
        if not cards:
            return
        self.count += 1
        if self.count % 2 or last:
            scene.drop(self.on, cards, f"zasoby_{self.count:03d}.xml")
            self.say(f"POHODA exports {len(cards)} changed cards as a file")
        elif not self._post(cards):
            return
        self.ran = begun

    def _post(self, cards: list[int]) -> bool:
        """Post to the receiver as POHODA does; what was not taken is exported again next time."""
        receiver = self.on.config.pohoda.receiver
        assert receiver is not None
        with closing(http.client.HTTPConnection(*receiver.address, timeout=5.0)) as connection:
            headers = {
                "User-Agent": USER_AGENT,
                "Content-Type": "text/xml",
                "Content-Encoding": "gzip",
                "Accept-Encoding": "gzip, deflate",
            }
            try:
                connection.request("POST", "/zasoby", gzip.compress(scene.made(self.on, cards)), headers)
                answer = connection.getresponse()
                said, status = answer.read(), answer.status
            except (OSError, http.client.HTTPException) as error:
                self.say(f"POHODA could not post: {error}")
                return False
        taken = status == 200 and b'state="ok"' in said
        self.say(f"POHODA posts {len(cards)} changed cards to the receiver: HTTP {status}")
        return taken


def _now() -> datetime:
    """The clock of POHODA's machine, as the cards are stamped."""
    return datetime.now()  # noqa: DTZ005 - POHODA's times are local, without offset
