"""Intake: what POHODA's documents tell goes into the mirror, chunk by chunk, each in one transaction with its place.

Only then may the directory forget a document: the mirror knows its content by hash, so a document that is met again
after a crash, or under another name, changes nothing. A document that is clearly older than one that was taken in is
set aside from its first list of the same kind on, for its quantities have been overtaken; a list of orders says nothing
about the age of one of cards. Documents that wait together are taken in their order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from agent import failpoint
from agent.mirrored import card_of
from agent.mirrored_lists import branch_of, order_of, suppliers_of
from agent.mirrored_parameters import definition_of
from agent.pohoda.bad import BadDocument
from agent.sources.export_directory import ExportDirectory, Place, Taken
from agent.sources.export_items import Read
from state import mirror
from state.db import StateFile
from state.mirror import Document

log = logging.getLogger(__name__)

CHUNK = 250
"""Items of one transaction: about 30 ms of work, so that nobody waits for long."""
LARGE = 512 * 1024
"""Bytes of a document from which on its changes go in the bulk lane: about 250 cards."""
OLDER = timedelta(minutes=75)
"""By so much a document may be older than the newest one: the October hour, and clocks of several workstations."""
TOMORROW = 86_400.0
"""Seconds by which a document may bear a time ahead of ours and be believed."""
PRUNE_EVERY = 3600.0
REMEMBERED = 366 * 86_400.0
"""Seconds for which it is known that a document was taken in."""


@dataclass(slots=True)
class Intake:
    """Works off the documents of one export directory. One per mirror."""

    directory: ExportDirectory
    mirror: StateFile
    wake: Callable[[], None] = lambda: None
    """Called after a commit: the sources that read the mirror may find something."""
    _pruned: float = float("-inf")

    def step(self, now: float) -> bool:
        """Take in one chunk; True when there is more at once. Raises `SourceUnavailable`, `StateError`."""
        with self.mirror.read() as db:
            under_way = mirror.under_way(db)
        place = None if under_way is None else Place(*_place(under_way))
        taken = self.directory.read(place, self._known, self._was_taken, limit=CHUNK)
        if taken is None:
            if under_way is not None:  # it lies in work/ no more, and would hold up all who read for ever
                self._taken_away(under_way, now)
            if not 0 <= now - self._pruned < PRUNE_EVERY:
                self._prune(now)
            return False
        taken = self._judged(taken, now)
        failpoint.reach("before-intake-commit")
        self._commit(taken, now)
        failpoint.reach("after-intake-commit")
        if taken.last:
            self._say(taken)
        failpoint.reach("before-archive")
        self.directory.committed(taken)
        failpoint.reach("after-archive")
        if taken.items or taken.last:
            self.wake()
        return True

    def close(self) -> None:
        """Let go of the files."""
        self.directory.close()
        self.mirror.close()

    def _known(self, digests: Sequence[bytes]) -> set[bytes]:
        with self.mirror.read() as db:
            return mirror.known(db, digests)

    def _was_taken(self, sha: str) -> bool:
        with self.mirror.read() as db:
            return mirror.was_taken(db, sha)

    def _judged(self, taken: Taken, now: float) -> Taken:
        """Refuse a document that others have overtaken."""
        if taken.problem or taken.duplicate or not taken.document.stamp:
            return taken
        with self.mirror.read() as db:
            until = _local(now + TOMORROW)
            newest = max([mirror.newest(db, until, kind) for kind in taken.counts if taken.counts[kind]], default="")
        if not newest or _time(newest) - _time(taken.document.stamp) <= OLDER:
            return taken
        problem = BadDocument("outdated", f"it was made at {taken.document.stamp}, and one of {newest} was taken in")
        return replace(taken, items=(), bad=(), last=True, problem=problem)

    def _commit(self, taken: Taken, now: float) -> None:
        document = taken.document
        with self.mirror.write() as db:
            if taken.duplicate:
                return
            lost = _put(db, taken, large=document.size >= LARGE)
            bad = [(one.code, one.offset, str(one.problem), one.problem.hint) for one in taken.bad]
            mirror.note_bad(db, document.name, [*bad, *lost], now)
            mirror.move(
                db,
                (document.sha, document.name, document.size, document.stamp),
                offset=taken.place.offset,
                part=taken.place.part,
                looked=taken.looked,
                changed=len(taken.items) - len(lost),
                bad=len(bad) + len(lost),
                counts=taken.counts,
                tells=" ".join(sorted(document.tells)),
                now=now,
            )
            if taken.last:
                outcome = "quarantined" if taken.problem else "done"
                mirror.finish(db, document.sha, outcome=outcome, reason=str(taken.problem or ""), now=now)

    def _say(self, taken: Taken) -> None:
        """Say how a document ended; of what could not be read, the first few."""
        name = taken.document.name
        if taken.problem:
            log.warning("export set aside: %s: %s", name, taken.problem, extra={"hint": taken.problem.hint})
        elif taken.duplicate:
            log.info("export %s was taken in before", name)
        else:
            with self.mirror.read() as db:
                found = mirror.documents(db, 1)[0]
            log.info("export taken in: %s, %d items, %d changed, %d bad", name, found.looked, found.changed, found.bad)

    def _taken_away(self, document: Document, now: float) -> None:
        reason = "its file was taken away before its end was read"
        with self.mirror.write() as db:
            mirror.finish(db, document.sha, outcome="quarantined", reason=reason, now=now)
        log.warning("export %s: %s", document.name, reason, extra={"hint": "Export once more from POHODA."})
        self.wake()

    def _prune(self, now: float) -> None:
        self._pruned = now
        self.directory.prune(now)
        with self.mirror.write() as db:
            mirror.prune(db, older_than=now - REMEMBERED)


def _put(db: mirror.Connection, taken: Taken, *, large: bool) -> list[tuple[str, int, str, str]]:
    """Put the items of a chunk into the tables; gives those that hang on nothing, as bad items."""
    by_kind: dict[str, list[Read]] = {}
    for read in taken.items:
        by_kind.setdefault(read.kind, []).append(read)

    def made(kind: str, make: Callable[[Any, bytes], Any]) -> list[Any]:
        found = [make(read.value, read.digest) for read in by_kind.get(kind, ())]
        return [one for one in found if one is not None]

    mirror.put_stores(db, [(read.value.name, read.value.text) for read in by_kind.get("stores", ())])
    mirror.put_categories(db, made("categories", branch_of), large=large)
    mirror.put_parameters(db, made("parameters", definition_of), large=large)
    mirror.put_cards(db, made("stock", partial(card_of, tells=taken.document.tells)), large=large)
    mirror.put_orders(db, made("orders", order_of), large=large)
    lost = mirror.put_suppliers(db, made("suppliers", suppliers_of), large=large)
    return [(key, taken.place.offset + place, *_NO_CARD) for place, key in enumerate(lost)]


_NO_CARD = (
    "suppliers: no card has this code",
    "Export the stock cards from POHODA first, then the suppliers again.",
)


def _place(found: mirror.Document) -> tuple[str, str, int, int]:
    return found.sha, found.name, found.offset, found.part


def _local(now: float) -> str:
    """A moment as POHODA writes its times."""
    return datetime.fromtimestamp(now, tz=UTC).astimezone().replace(tzinfo=None).isoformat(timespec="seconds")


def _time(stamp: str) -> datetime:
    """The time that a document bears; the year 1 for what is none."""
    try:
        return datetime.fromisoformat(stamp).replace(tzinfo=None)
    except ValueError:
        return datetime.min  # noqa: DTZ901 - POHODA's times are local and carry no offset
