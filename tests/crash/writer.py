"""The open-loop writer: changes cards at moments fixed beforehand, whatever the agent is doing.

Half of the cards carry their version as quantity: each change is the next number. The other half flips between two
values, so that what is pending, in the shop and new are easily the same.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from datetime import datetime
from pathlib import Path

FLIP = (8, 10)


class Writer:
    """Changes every card at least once within ``seconds``; `final` is what POHODA holds at the end."""

    def __init__(
        self, database: Path, cards: list[tuple[int, str]], *, seed: int, seconds: float, changes: int
    ) -> None:
        chance = random.Random(seed)
        self.versioned = {code for at, (_, code) in enumerate(cards) if at % 2 == 0}
        chosen = [*cards, *chance.choices(cards, k=max(0, changes - len(cards)))]
        self._plan = sorted((chance.uniform(0, seconds), row, code) for row, code in chosen)
        self.final: dict[str, int] = {}
        self.done = threading.Event()
        self._database = database
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin; `done` is set after the last change."""
        self._thread.start()

    def _run(self) -> None:
        connection = sqlite3.connect(self._database, isolation_level=None, timeout=10)
        begin = time.monotonic()
        for moment, row, code in self._plan:
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            value = self._next(code)
            now = datetime.now().isoformat(sep=" ", timespec="milliseconds")  # noqa: DTZ005 - POHODA's times are local
            connection.execute("UPDATE SKz SET StavZ = ?, DatSave = ? WHERE ID = ?", (value, now, row))
            self.final[code] = value
        connection.close()
        self.done.set()

    def _next(self, code: str) -> int:
        before = self.final.get(code)
        if code in self.versioned:
            return (before or 100) + 1
        return FLIP[0] if before == FLIP[1] else FLIP[1]
