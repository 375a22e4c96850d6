"""A view of POHODA's database as a source: which strategy reads, when a full pass is due, and what going back means.

Full passes find everything. The fingerprint strategy has nothing else; between two passes it rests, and only a cheap
look (the highest id of the movements, MAX(DatSave)) may bring the next one forward. The strategies with a mark poll it
at each read, and a pass in small chunks takes turns with the polls: at first, at each start, and every hour, for
deletes and whatever the mark cannot see.

Gone back: the highest card id or row version fell, or MAX(DatSave) by more than the October hour, or the database is
another one. That starts a full pass in the bulk lane. A newest card that was merely deleted also makes a maximum fall;
where movements can be counted and their highest id did not fall, it is taken for that: the pass, but no alarm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from agent.errors import SourceUnavailable
from agent.sources import Batch, Change, Cursor, NothingSeen, Present, Seen, SourceFinding
from agent.sources import fingerprint as walk
from agent.sources.columns import Catalogue
from agent.sources.fingerprint import Found, Unmoved
from agent.sources.modified_at import ByModifiedAt, last_saved, saved_fell
from agent.sources.position import Position, Standing
from agent.sources.prepared import Prepared, View
from agent.sources.queries import highest
from agent.sources.reader import Database, Reader
from agent.sources.second_read import present
from agent.sources.strategies import Live, Pace, RowVersion, choose, explain

RowT = TypeVar("RowT")
LIVE_CHUNK = 5_000
"""Rows of one chunk of a pass that takes turns with live polls: about 0.01 s."""
FULL_PASS = 3600.0
SEEK = 0.05
"""Seconds. A poll by row version that took longer was no seek in an index: it scanned, and rests as a pass does."""


class PohodaTable(Generic[RowT]):
    """One view of one POHODA database. To be read by one thread; `check` may run in another."""

    def __init__(
        self,
        name: str,
        database: Database,
        view: View[RowT],
        *,
        row_version: RowVersion = "auto",
        poll: float = 0.0,
        full_pass: float = FULL_PASS,
        chunk: int = walk.CHUNK,
        clock: Callable[[], float] = time.monotonic,
        modified_at: ByModifiedAt | None = None,
        growing: Callable[[Reader], bool] | None = None,
    ) -> None:
        """``growing`` marks a mirror, which knows only what it was told: it says whether it is being told just now."""
        self.name = name
        self._database = database
        self._view = view
        self._row_version: RowVersion = row_version
        self._full_pass = full_pass
        self._chunk = chunk
        self._clock = clock
        self._modified_at = modified_at or ByModifiedAt()
        self._standing = Standing()
        self._unmoved = Unmoved()
        self._pass = Pace(clock, poll)
        self._dates = Pace(clock)  # MAX(DatSave) scans the table: it, too, may take a tenth of the time
        self._polls = Pace(clock)
        self._looked: tuple[Any, ...] = ()
        self._saved = ""
        self._next_full: float | None = None
        self._compared_all = clock()
        self._turn = False
        self._ended = False
        self._catalogue = Catalogue()
        self._prepared: Prepared[RowT] | None = None
        self._met: dict[str, set[int]] = {}
        self._growing = growing

    def read(self, cursor: Cursor | None, seen: Seen) -> Batch:
        """Detect which keys changed: a chunk of a pass, or a live poll. Raises `SourceUnavailable`, then as before."""
        try:
            with self._database.reading() as reader:
                if self._growing is not None and self._growing(reader):
                    if cursor is None:
                        raise _taken_in()
                    return Batch((), cursor, more=False, unfinished=True)
                return self._read(reader, cursor, seen)
        except SourceUnavailable:
            self._prepared, self._looked = None, ()  # what was taken in for this read must not count
            self._catalogue.clear()
            raise

    def rows(self, keys: Sequence[str], seen: Seen) -> Present[RowT]:
        """Read all present rows of these keys, at most 500. Raises `SourceUnavailable`."""
        try:
            with self._database.reading() as reader:
                view = self._prepared or self._prepare(reader)
                if self._growing is not None and self._growing(reader):
                    raise _taken_in()
                found = present(reader, view, keys, seen, self._met, only_told=self._growing is not None)
        except SourceUnavailable:
            self._prepared = None  # it may be for a column that only this read asks for
            self._catalogue.clear()
            raise
        self._unmoved.forget([*(row.row for row in found.seen), *found.gone])
        return found

    def committed(self, batch: Batch) -> None:
        """Nothing to do: a database forgets nothing that we would have to acknowledge."""

    def check(self) -> list[SourceFinding]:
        """Examine the set-up: the view's columns and stores, the strategy and why."""
        try:
            with self._database.reading() as reader:
                catalogue = Catalogue()
                found = self._view.findings(reader, catalogue)
                view = self._view.prepare(reader, catalogue)
                return [*found, explain(self._row_version, view, choose(self._row_version, view, self._modified_at))]
        except SourceUnavailable as error:
            return [SourceFinding("error", self.name, str(error), error.hint)]

    def close(self) -> None:
        """Let go of connections."""
        self._database.close()

    def _read(self, reader: Reader, cursor: Cursor | None, seen: Seen) -> Batch:
        view = self._prepared or self._prepare(reader)
        live = choose(self._row_version, view, self._modified_at)
        at = self._resume(cursor)
        if at is None or (at.database, at.settings) != self._source(live):
            why = "another database is behind the name" if at and at.database != self._database.identity else ""
            forgets = bool(why and self._growing)  # what another mirror was told says nothing about this one
            known = NothingSeen() if forgets else seen
            batch = self._walk(reader, known, cursor, self._begin(reader, live, at, bulk=True), wound_back=why)
            return replace(batch, forgets=forgets)
        if live is None:
            return self._by_fingerprint(reader, seen, cursor, at)
        return self._by_mark(reader, seen, cursor, at, live)

    def _resume(self, cursor: Cursor | None) -> Position | None:
        """Where reading goes on. If the last batch was not committed, the hint or the full pass behind it still is."""
        if not self._standing.follows(cursor):
            self._looked = ()
            self._next_full = None if self._ended else self._next_full
        self._ended = False
        return self._standing.resume(cursor)

    def _by_fingerprint(self, reader: Reader, seen: Seen, cursor: Cursor | None, at: Position) -> Batch:
        if at.after is not None:
            return self._walk(reader, seen, cursor, at)
        view = self._prepared or self._prepare(reader)
        moved = self._pass.may_come_early() and not self._pass.due() and self._look(reader, view) != self._looked
        if not (moved or self._pass.due()):
            return self._batch(cursor, at, Found({}, {}), more=False)
        started = self._begin(reader, None, at)
        why = _went_back(at, started)
        alarm = why if _witnessed(at, started) else ""
        return self._walk(reader, seen, cursor, replace(started, bulk=bool(alarm)), wound_back=alarm)

    def _by_mark(self, reader: Reader, seen: Seen, cursor: Cursor | None, at: Position, live: Live) -> Batch:
        view = self._prepared or self._prepare(reader)
        due = self._next_full is None or self._clock() >= self._next_full
        top = int(highest(reader, view.queries, view.queries.narrow[0]) or 0)
        mark = at.mark if at.mark is not None else live.start(reader, view)
        fell = live.fell(reader, view, mark)
        if live.name == "modified-at":
            self._look_at_dates(reader, view)
            due = due or saved_fell(at.saved, self._saved)
        if at.after is None and (due or fell or top < at.top):
            started = self._begin(reader, live, at)
            why = fell or _went_back(at, started)
            if not fell:  # what moved since the old mark stays to be read: it is live
                started = replace(started, mark=mark)
            alarm = why if _witnessed(at, started) else ""
            return self._walk(reader, seen, cursor, replace(started, bulk=bool(alarm)), wound_back=alarm)
        self._turn = not self._turn
        if at.after is not None and self._turn:
            return self._walk(reader, seen, cursor, at)
        if not self._polls.due():
            return self._batch(cursor, at, Found({}, {}), more=at.after is not None)
        began = self._clock()
        found, reached, more = live.poll(reader, view, seen, mark)
        scans = live.name == "modified-at" or self._clock() - began > SEEK
        if scans and not more:  # by date always; by row version where nobody made an index
            self._polls.spent(began)
            self._polls.ended()
        if at.after is None:  # amid a pass the marks stay, so that a fall is noticed at its end
            at = replace(at, top=top, moves=_moves(reader, view), saved=self._saved)
        at = replace(at, mark=reached)
        return self._batch(cursor, at, found, more=more or at.after is not None)

    def _begin(self, reader: Reader, live: Live | None, at: Position | None, *, bulk: bool = False) -> Position:
        """Begin a pass: look up tables and stores again, and take the marks **before** the rows."""
        if bulk or self._clock() - self._compared_all >= self._full_pass:
            self._unmoved.clear()
            self._catalogue.clear()
            self._compared_all = self._clock()
        began = self._clock()
        view = self._prepare(reader)
        database, settings = self._source(live)
        self._looked = self._look(reader, view, now=True)
        self._pass.spent(began)
        return Position(
            database,
            settings,
            number=(at.number if at else 0) + 1,
            after=-1,
            bulk=bulk,
            top=int(highest(reader, view.queries, view.queries.narrow[0]) or 0),
            moves=_moves(reader, view),
            saved=self._saved,
            mark=live.start(reader, view) if live else None,
        )

    def _walk(self, reader: Reader, seen: Seen, cursor: Cursor | None, at: Position, *, wound_back: str = "") -> Batch:
        """Look at the next chunk of the pass under way."""
        began = self._clock()
        size = self._chunk if at.mark is None else min(self._chunk, LIVE_CHUNK)
        view = self._prepared or self._prepare(reader)
        after = -1 if at.after is None else at.after
        found = walk.chunk(reader, view, seen, after=after, limit=size, unmoved=self._unmoved)
        self._pass.spent(began)
        if found.after is None:
            self._pass.ended()
            self._ended = True
            self._next_full = self._clock() + self._full_pass
        moved = replace(at, after=found.after, bulk=at.bulk and found.after is not None)
        return self._batch(cursor, moved, found, more=found.after is not None, bulk=at.bulk, wound_back=wound_back)

    def _batch(
        self,
        cursor: Cursor | None,
        at: Position,
        found: Found,
        *,
        more: bool,
        bulk: bool = False,
        wound_back: str = "",
    ) -> Batch:
        self._met = found.ids
        return Batch(
            changes=tuple(Change(key, version, key in found.bulk) for key, version in found.changes.items()),
            cursor=self._standing.advance(cursor, at, changed=bool(found.changes) or bulk),
            more=more,
            bulk=bulk,
            wound_back=wound_back,
            scanned=found.scanned,
        )

    def _prepare(self, reader: Reader) -> Prepared[RowT]:
        prepared: Prepared[RowT] = self._view.prepare(reader, self._catalogue)
        self._prepared = prepared
        return prepared

    def _look(self, reader: Reader, view: Prepared[RowT], *, now: bool = False) -> tuple[Any, ...]:
        """Look cheaply whether something moved."""
        self._look_at_dates(reader, view, now=now)
        return (*(highest(reader, view.queries, each) for each in view.hints), self._saved)

    def _look_at_dates(self, reader: Reader, view: Prepared[RowT], *, now: bool = False) -> None:
        if now or self._dates.due():
            began = self._clock()
            self._saved = last_saved(reader, view)
            self._dates.spent(began)
            self._dates.ended()

    def _source(self, live: Live | None) -> tuple[str, str]:
        return self._database.identity, f"{self._view.settings()}-{live.name if live else 'fingerprint'}"


def _taken_in() -> SourceUnavailable:
    return SourceUnavailable("An export is being taken in.", hint="What it tells is read when it is through.")


def _moves(reader: Reader, view: Prepared[Any]) -> int | None:
    return None if view.witness is None else int(highest(reader, view.queries, view.witness) or 0)


def _went_back(before: Position, now: Position) -> str:
    if now.top < before.top:
        return f"the highest id fell from {before.top} to {now.top}"
    if saved_fell(before.saved, now.saved):
        return f"the last date of saving fell from {before.saved} to {now.saved or 'none'}"
    return ""


def _witnessed(before: Position, now: Position) -> bool:
    """Tell whether the movements do not speak against a restore: there are none to count, or they went back, too."""
    return before.moves is None or now.moves is None or now.moves < before.moves
