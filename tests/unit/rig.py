"""The rails on a table: a scripted source, the memory shop, a clock that is moved by hand, and a plug to pull.

`Rig.crash` forgets all that was in memory and opens the file again, as after a power cut; `Rig.dies_at` cuts the power
at a failpoint.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent import failpoint
from agent.breaker import ShopBreaker
from agent.dispatch import Dispatcher
from agent.errors import SourceUnavailable, Unusable
from agent.events import Value, key_of
from agent.ingest import Ingest
from agent.sources import Batch, Change, Cursor, Present, Seen, SeenRow, SourceFinding
from agent.targets import GuardCount
from state import cursors, guards, letters, report, shadows
from state import outbox as deliveries
from state.db import open_state
from tests.unit.memory_shop import MemoryShop

TARGET = "quantities"


class PowerCut(BaseException):
    """The end of the process, at a named point."""


@dataclass(frozen=True, slots=True)
class Card:
    """A row of the scripted source."""

    code: str
    pieces: int | str
    offered: bool = True


@dataclass(slots=True)
class ScriptedSource:
    """The `Source` contract over a dictionary of cards; detects by comparing with what is remembered."""

    cards: dict[int, Card] = field(default_factory=dict)
    chunk: int = 10_000
    name: str = "stock"
    last_id: int = 0
    wound_back: str = ""
    """Said once, by the next read."""
    down: SourceUnavailable | None = None
    between: Callable[[], None] = lambda: None
    """Called between detection and second read: what the world does meanwhile."""
    committed_batches: list[Batch] = field(default_factory=list)
    read_keys: list[str] = field(default_factory=list)

    def set(self, code: str, pieces: int | str, *, offered: bool = True) -> None:
        """Write a card, by its code."""
        self.cards[self._id(code)] = Card(code, pieces, offered)

    def remove(self, code: str) -> None:
        """Delete a card."""
        del self.cards[self._id(code)]

    def _id(self, code: str) -> int:
        ids = [row for row, card in self.cards.items() if card.code == code]
        self.last_id = max(self.last_id, *self.cards, 0)  # POHODA gives no id a second time
        return ids[0] if ids else self.last_id + 1

    def read(self, cursor: Cursor | None, seen: Seen) -> Batch:
        if self.down:
            raise self.down
        after = int(str(cursor["after"])) if cursor and cursor["after"] is not None else 0
        remembered = {row.row: row for row in seen.after(after, 1_000_000)}
        ids = sorted(row for row in self.cards.keys() | remembered if row > after)[: self.chunk]
        changes: dict[str, Change] = {}
        for row in ids:
            card, old = self.cards.get(row), remembered.get(row)
            if card is not None and (old is None or old.fingerprint != _fingerprint(card)):
                changes[key_of(card.code)] = Change(key_of(card.code), f"v{row}")
            if old is not None and (card is None or key_of(card.code) != old.key):
                changes[old.key] = Change(old.key, "gone")
        more = len(ids) == self.chunk
        bulk = cursor is None or bool(cursor["bulk"])
        told, self.wound_back = self.wound_back, ""
        self.between()
        now: Cursor = {"after": ids[-1] if more else None, "bulk": bulk and more}
        return Batch(tuple(changes.values()), now, more, bulk=bulk, wound_back=told, scanned=len(ids))

    def rows(self, keys: Sequence[str], seen: Seen) -> Present[Card]:
        assert len(keys) <= 500
        self.read_keys.extend(keys)
        remembered = {row.row: row for rows in seen.of_keys(keys).values() for row in rows}
        found: dict[str, list[Card]] = {key: [] for key in keys}
        touched: list[SeenRow] = []
        for row, card in self.cards.items():
            key = key_of(card.code)
            if key in found or row in remembered:
                found.setdefault(key, []).append(card)
                touched.append(SeenRow(row, key, _fingerprint(card), card.offered))
        gone = tuple(row for row in remembered if row not in self.cards)
        return Present({key: tuple(rows) for key, rows in found.items()}, tuple(touched), gone, remembered)

    def committed(self, batch: Batch) -> None:
        self.committed_batches.append(batch)

    def check(self) -> list[SourceFinding]:
        return []

    def close(self) -> None:
        """Nothing to let go of."""


def _fingerprint(card: Card) -> bytes:
    return repr(card).encode()


@dataclass(slots=True)
class Pieces:
    """The `Target` contract: the sum of the pieces on offer. Its guard holds above ``share`` of all keys."""

    share: float | None = None
    batch: int = 10
    settings: str = "one"
    times: int = 1
    name: str = TARGET
    thing: str = "product"
    creates: bool = False
    creator: str = ""

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the protocol's signature
        if not any(row.offered for row in rows):
            return None
        if any(isinstance(row.pieces, str) for row in rows):
            raise Unusable("pieces", "not a number", hint="Correct the card.")
        return max(0, sum(int(row.pieces) for row in rows)) * self.times

    def absent(self) -> Value:
        return 0

    def same(self, sent: Value, confirmed: Value) -> bool:
        return sent == confirmed

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the protocol's signature
        return self.batch

    def counts(self, old: Value, new: Value) -> bool:
        return self.share is not None and new == 0 and old != 0

    def guard(self, count: GuardCount) -> str:
        if self.share is None or count.counted <= self.share * count.total:
            return ""
        return f"{count.counted} of {count.total} would go to 0"

    def fingerprint(self) -> str:
        return self.settings


class Rig:
    """One shop, one source, one target, one file, one clock."""

    def __init__(
        self, folder: Path, *, share: float | None = None, batch: int = 10, timeout: float = 30.0, fast: bool = False
    ) -> None:
        self.path = folder / "state.db"
        self.now = 1_800_000_000.0
        self.source = ScriptedSource()
        self.shop = MemoryShop()
        self.target = Pieces(share=share, batch=batch)
        self.timeout = timeout
        self.fast = fast
        self.dies_at = ""
        self.stopping = False
        self.open()

    def open(self) -> None:
        """Start the process."""
        self.state = open_state(self.path)
        if self.fast:
            with self.state.read() as db:
                db.execute("PRAGMA synchronous=OFF")  # no test here pulls a real plug
        self.breaker = ShopBreaker(self.state, self.shop.probe, ticks=lambda: self.now)
        self.ingest = Ingest(self.source, [self.target], self.state, contextlib.nullcontext())
        self.dispatcher = Dispatcher(
            self.target,
            self.shop,
            self.state,
            self.breaker,
            timeout=self.timeout,
            stopping=lambda: self.stopping,
            ticks=lambda: self.now,
        )
        self.ingest.prepare()
        self.dispatcher.start(self.now)

    def crash(self) -> None:
        """Cut the power and start again: what is in memory is gone, what was committed is not."""
        self.state.close()
        self.dies_at = ""
        self.open()

    def restart(self) -> None:
        """Stop in an orderly way and start again."""
        self.dispatcher.stop()
        self.crash()

    def reach(self, name: str) -> None:
        """Stands for `failpoint.reach`, whose own act would end the test."""
        if name == self.dies_at:
            raise PowerCut(name)

    def take_in(self) -> None:
        """Ingest until there is nothing more."""
        for _ in range(1000):
            if not self.ingest.step(self.now):
                return
        raise AssertionError("ingest does not come to an end")

    def send(self) -> None:
        """Dispatch until there is nothing more at this moment."""
        for _ in range(1000):
            if not self.dispatcher.step(self.now):
                return
        raise AssertionError("dispatch does not come to an end")

    def run(self) -> None:
        """Take in and send what can be at this moment."""
        self.take_in()
        self.send()
        self.take_in()
        self.send()

    def settle(self, *, most: int = 200) -> None:
        """Go on, moving the clock to whatever is due, until nothing is left to wait for."""
        for _ in range(most):
            self.run()
            due = self.dispatcher.next_due(self.now)
            if due is None:
                return
            self.now = max(self.now, due) + 0.001
        raise AssertionError("the rails do not come to rest")

    def start_with(self, **stock: int) -> None:
        """Put cards on both sides, equal, and get over the baseline."""
        for code, pieces in stock.items():
            self.source.set(code, pieces)
            self.shop.put(code, pieces)
        self.run()
        assert self.shop.sent == []

    # what is in the file

    def rows(self, status: str | None = None, key: str | None = None) -> list[dict[str, Any]]:
        """Deliveries as records, the oldest first."""
        with self.state.read() as db:
            found = report.deliveries(db, target=None, status=status, key=key, limit=100_000)
        return found[::-1]

    def values(self, status: str) -> dict[str, str]:
        """Key -> JSON value of the deliveries in a state."""
        return {row["key"]: row["value"] for row in self.rows(status)}

    def shadow(self, key: str) -> str | None:
        with self.state.read() as db:
            return shadows.shadow_of(db, TARGET, key)

    def link(self, key: str) -> str | None:
        with self.state.read() as db:
            return shadows.links_of(db, "product", [key]).get(key)

    # what a person does

    def retry(self, *keys: str) -> None:
        with self.state.write() as db:
            dead = letters.dead_keys(db, TARGET, keys or None)
            cursors.ask_reread(db, TARGET, dead, lane=deliveries.LIVE)

    def approve(self, *keys: str) -> None:
        with self.state.write() as db:
            chosen = guards.approve(db, TARGET, keys or None)
            cursors.ask_reread(db, TARGET, chosen, lane=deliveries.LIVE)


@contextlib.contextmanager
def plugged(rig: Rig) -> Iterator[Rig]:
    """Let the rig cut the power at failpoints for as long as the body runs."""
    real = failpoint.reach
    failpoint.reach = rig.reach
    try:
        yield rig
    finally:
        failpoint.reach = real
        rig.state.close()
