"""The open-loop writer: changes cards at moments fixed beforehand, whatever the agent is doing.

Half of the cards carry their version as quantity: each change is the next number. The other half flips between two
values, so that what is pending, in the shop and new are easily the same.
"""

from __future__ import annotations

import random
import threading
import time

from tests.crash.books import Books, Hand

FLIP = (8, 10)


class Writer:
    """Changes every card at least once within ``seconds``, and goes on at leisure until `finish`.

    `final` is what POHODA holds at the end.
    Where several hands write, each has its own cards, so that the changes of a card keep their order.
    """

    def __init__(self, books: Books, cards: list[tuple[int, str]], *, seed: int, seconds: float, changes: int) -> None:
        chance = random.Random(seed)
        self.versioned = {code for at, (_, code) in enumerate(cards) if at % 2 == 0}
        chosen = [*cards, *chance.choices(cards, k=max(0, changes - len(cards)))]
        plan = sorted((chance.uniform(0, seconds), row, code) for row, code in chosen)
        self.final: dict[str, int] = {}
        self._books = books
        self._enough = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._run,
                args=([each for each in plan if each[1] % books.hands == number], random.Random(seed + number)),
                name=f"writer-{number}",
                daemon=True,
            )
            for number in range(books.hands)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def finish(self, seconds: float) -> bool:
        """Let everybody end what was planned; tells whether they did in time."""
        self._enough.set()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, plan: list[tuple[float, int, str]], chance: random.Random) -> None:
        begin = time.monotonic()
        with self._books.hand(chance) as write:
            for moment, row, code in plan:
                time.sleep(max(0.0, begin + moment - time.monotonic()))
                self._write(write, row, code)
            while plan and not self._enough.wait(chance.uniform(0, 0.2)):
                _, row, code = chance.choice(plan)
                self._write(write, row, code)

    def _write(self, write: Hand, row: int, code: str) -> None:
        value = self._next(code)
        write(row, value)
        self.final[code] = value

    def _next(self, code: str) -> int:
        before = self.final.get(code)
        if code in self.versioned:
            return (before or 100) + 1
        return FLIP[0] if before == FLIP[1] else FLIP[1]
