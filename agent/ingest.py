"""Ingest: what a source saw becomes events in the outbox, in the same commit as the cursor that lets it forget.

One step: detect which keys changed, read their whole present value, compute the targets' values, commit. The lock of
the POHODA spans the second read and the commit, so that no older value can be committed after a newer one. A step cut
short at any point is simply done again: the cursor moves with the last chunk only.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import orjson

from agent import entries, failpoint
from agent.entries import Asked, say_unusable, to_json
from agent.sources import Batch, Cursor, Present, SeenRow, Source
from agent.targets import Collecting, GuardCount, Naming, Target
from state import cursors, guards, letters, outbox, shadows, targets, waiting
from state.db import Connection, StateFile

log = logging.getLogger(__name__)

CHUNK = 500
"""Keys in one commit: measured 30 to 40 times faster than one each, and still milliseconds."""
FIRST = 100
"""Keys in the first commit of a step, as many as one call to a shop takes: it leaves while the rest is taken in, and
each further commit is twice as large. Measured with 500 changes a poll: the slowest are in the shop 0.1 s sooner."""


CURSOR_EVERY = 60.0
"""Seconds after which a cursor is stored though nothing changed."""


ONCE_TOLD = ("order_states",)
"""Targets whose values customers are told of: another setting alone is no news for them."""


@dataclass(frozen=True, slots=True)
class SeenInFile:
    """The stored fingerprints of one source, as `agent.sources.Seen` wants them."""

    state: StateFile
    source: str

    def after(self, row: int, limit: int) -> Sequence[SeenRow]:
        """Rows above an id, in order."""
        with self.state.read() as db:
            return list(map(SeenRow._make, cursors.seen_after(db, self.source, row, limit)))

    def fingerprints_after(self, row: int, limit: int) -> dict[int, bytes]:
        """Fingerprints above an id, in order."""
        with self.state.read() as db:
            return cursors.seen_fingerprints(db, self.source, row, limit)

    def of_rows(self, rows: Sequence[int]) -> dict[int, SeenRow]:
        """Rows by their ids."""
        with self.state.read() as db:
            return {row[0]: SeenRow._make(row) for row in cursors.seen_rows(db, self.source, rows)}

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[SeenRow]]:
        """Rows by their keys."""
        found: dict[str, list[SeenRow]] = {}
        with self.state.read() as db:
            for row in cursors.seen_keys(db, self.source, keys):
                found.setdefault(row[1], []).append(SeenRow._make(row))
        return found


@dataclass(slots=True)
class Ingest:
    """One source and the targets that it feeds, in one shop's state file."""

    source: Source[Any]
    targets: Sequence[Target]
    state: StateFile
    lock: contextlib.AbstractContextManager[Any]
    """One per POHODA: held from the second read to the commit."""
    wake: Callable[[], None] = lambda: None
    """Called after a commit: there is something to deliver."""
    _seen: SeenInFile = field(init=False)
    _cursor: Cursor | None = None
    _stored_at: float = float("-inf")
    _unjudged: bool = True
    """Something was taken in since the guard judged last; at a start nobody knows."""

    def __post_init__(self) -> None:
        self._seen = SeenInFile(self.state, self.source.name)

    def prepare(self) -> None:
        """Note the settings that form the values; when they changed, or are the first, compute all keys again.

        The first: of a target that joins others in a file. Its source has told of all the rows already.
        """
        with self.state.write() as db:
            for target in self.targets:
                before, digest = targets.target_state(db, target.name).settings, target.fingerprint()
                if before == digest:
                    continue
                targets.settings(db, target.name, digest)
                if target.name in ONCE_TOLD and before is not None:
                    log.info("settings changed: they hold for what changes from now on", extra={"target": target.name})
                elif before is not None or cursors.keys_after(db, self.source.name, "", 1):
                    cursors.ask_recompute(db, target.name)
                    log.info("settings changed: all values are computed again", extra={"target": target.name})

    def step(self, now: float) -> bool:
        """Take in what changed; True when there is more at once. Raises `SourceUnavailable`, `StateError`."""
        if self._cursor is None:
            with self.state.read() as db:
                stored = cursors.cursor_of(db, self.source.name)
            self._cursor = orjson.loads(stored) if stored else None
        self._owe_again(now)
        batch = self.source.read(self._cursor, self._seen)
        if batch.unfinished:
            return False
        asked, recomputed, more = self._asked(batch)
        if asked or recomputed or self._worth_a_commit(batch, now):
            if batch.wound_back:
                self._start_again(batch)
            over = not (batch.more or more)
            chunks = _chunks(list(asked))
            for number, keys in enumerate(chunks, 1):
                chunk, last = {key: asked[key] for key in keys}, number == len(chunks)
                self._take_in(chunk, batch, recomputed, last=last, over=over, now=now)
                self.wake()  # its first calls leave while the rest is taken in
            self._stored_at = now
        self._cursor = batch.cursor
        self.source.committed(batch)
        return batch.more or more or bool(recomputed)

    def _keyed(self) -> list[Target]:
        """The targets whose keys are those of the source."""
        return [target for target in self.targets if not isinstance(target, Collecting)]

    def _owe_again(self, now: float) -> None:
        """Send things once more, as asked: what is open or dead as it stands, all else as cards say now."""
        for target in self.targets:
            if not isinstance(target, Collecting):
                continue
            with self.state.read() as db:
                asked = cursors.rereads(db, target.name, CHUNK)
            if not asked:
                continue
            with self.state.write() as db:
                found = [(key, code, lane, letters.last_owed(db, target.name, key)) for key, code, lane in asked]
                again = [
                    outbox.Entry(target.name, key, code, value, lane=lane, force=True, source=self.source.name)
                    for key, code, lane, value in found
                    if value is not None
                ]
                outbox.enqueue(db, target.name, again, now=now)
                waiting.revive(db, target.thing, [entry.key for entry in again])
                if len(again) < len(asked):  # a thing cannot be read by its key
                    outbox.forget_shadows(db, [(target.name, key) for key, *_ in asked])
                    cursors.ask_recompute(db, target.name)
                cursors.reread_done(db, target.name, [key for key, *_ in asked])
            self.wake()

    def _start_again(self, batch: Batch) -> None:
        """The source went back: nothing of it is sent before the shop was read anew."""
        with self.state.write() as db:
            for target in self.targets:
                targets.baseline(db, target.name, "none")
            if batch.forgets:
                cursors.forget(db, self.source.name)
        log.warning("the source went back: %s; the shop is read anew", batch.wound_back)

    def _worth_a_commit(self, batch: Batch, now: float) -> bool:
        """Without changes the cursor need not be durable each second: an older one only reads some rows again."""
        judge_now = self._unjudged and not batch.more
        return judge_now or bool(batch.wound_back) or not 0 <= now - self._stored_at < CURSOR_EVERY

    def _asked(self, batch: Batch) -> tuple[dict[str, Asked], dict[str, str | None], bool]:
        """Collect all keys to read now, how far each target's recomputation gets with them, and if more were asked."""
        lane = outbox.BULK if batch.bulk else outbox.LIVE
        asked = {
            change.key: Asked(outbox.BULK if change.bulk else lane, version=change.version) for change in batch.changes
        }
        recomputed: dict[str, str | None] = {}
        more = False
        with self.state.read() as db:
            for target in self._keyed():
                rereads = cursors.rereads(db, target.name, CHUNK)
                more = more or len(rereads) == CHUNK
                for key, _, wanted in rereads:
                    before = asked.get(key, Asked(wanted))
                    lane, force = min(before.lane, wanted), before.force | {target.name}
                    asked[key] = replace(before, lane=lane, force=force)
            for target in self.targets:
                after = cursors.recompute_after(db, target.name)
                if after is not None:
                    page = cursors.keys_after(db, self.source.name, after, CHUNK)
                    recomputed[target.name] = page[-1] if page else None
                    for key in page:
                        asked[key] = replace(asked.get(key, Asked(outbox.BULK)), anew=True)
        return asked, recomputed, more

    def _take_in(
        self,
        asked: dict[str, Asked],
        batch: Batch,
        recomputed: dict[str, str | None],
        *,
        last: bool,
        over: bool,
        now: float,
    ) -> None:
        """Read and commit one chunk; the ``last`` one moves the cursor, and a pass that is ``over`` is judged."""
        with self.lock:
            present: Present[Any] = self.source.rows(list(asked), self._seen) if asked else Present({}, (), (), {})
            fresh = [row for row in present.seen if present.before.get(row.row) != row]
            changed = _changed(present, fresh)
            if not batch.bulk:  # a change that a recomputation or a reread met first is as live as any
                large = {change.key for change in batch.changes if change.bulk}
                asked |= {key: replace(asked[key], lane=outbox.LIVE) for key in (changed & asked.keys()) - large}
            offered = {row.key for row in present.before.values() if row.offered}
            found = entries.Present(self.source.name, present.rows, asked, changed, offered)
            owed = {
                target.name: list(
                    entries.things(target, target.name, found)
                    if isinstance(target, Collecting)
                    else entries.values(target, found)
                )
                for target in self.targets
            }
            failpoint.reach("before-ingest-commit")
            with self.state.write() as db:
                for target in self.targets:
                    mine = owed[target.name] = _worth_sending(db, target, owed[target.name])
                    linked = cache(partial(shadows.links_of, db, target.thing, [entry.key for entry in mine]))
                    judged = partial(_counts, target, linked)
                    outbox.enqueue(db, target.name, mine, now=now, counts=judged, same=partial(same, target))
                    _tell_who_waits(db, target, mine)
                    forced = [key for key, why in asked.items() if target.name in why.force]  # none of what collects
                    cursors.reread_done(db, target.name, forced)  # others may have been asked for meanwhile
                cursors.remember(db, self.source.name, fresh, present.gone)
                if last:
                    self._finish(db, batch, recomputed, over=over, now=now)
            failpoint.reach("after-ingest-commit")
        for target in self.targets:
            say_unusable(owed[target.name], target.name)

    def _finish(
        self, db: Connection, batch: Batch, recomputed: dict[str, str | None], *, over: bool, now: float
    ) -> None:
        """Move the cursor; at the end of a pass let the guard judge."""
        self._unjudged = True
        cursors.move(
            db, self.source.name, to_json(batch.cursor), scanned=batch.scanned, complete=not batch.more, now=now
        )
        for name, after in recomputed.items():
            cursors.recompute_moved(db, name, after)
        for target in self.targets:
            if over and recomputed.get(target.name) is None:
                judge(db, target, now)
                self._unjudged = False


def _worth_sending(db: Connection, target: Target, entries: list[outbox.Entry]) -> list[outbox.Entry]:
    """Leave out what takes everything away from something that was never given anything: a new card in no category."""
    if not isinstance(target, Naming):
        return entries
    empty = {
        entry.key
        for entry in entries
        if not (entry.force or entry.unusable) and target.nothing(orjson.loads(entry.value))
    }
    if empty:
        keys = sorted(empty)
        empty -= shadows.shadows_of(db, target.name, keys).keys() | outbox.open_values(db, target.name, keys).keys()
        empty -= {key for key in empty if letters.is_dead(db, target.name, key)}
    return [entry for entry in entries if entry.key not in empty]


def _tell_who_waits(db: Connection, target: Target, entries: Sequence[outbox.Entry]) -> None:
    """What died for want of these waits for them now; and what waits for one that cannot be sent need not wait."""
    dead = [entry.key for entry in entries if entry.unusable]
    if dead:
        waiting.wake(db, target.name, dead)
    if target.creates:
        waiting.revive(db, target.thing, [entry.key for entry in entries])
        waiting.wake(db, target.thing, dead)


def _changed(present: Present[Any], fresh: Iterable[SeenRow]) -> set[str]:
    """Name the keys whose rows differ from what is remembered of them, on the one side or the other."""
    changed = {row.key for row in fresh}
    changed |= {present.before[row.row].key for row in fresh if row.row in present.before}
    return changed | {present.before[row].key for row in present.gone}


def _chunks(keys: list[str]) -> list[list[str]]:
    """Cut into commits, at least one."""
    chunks, start, size = [keys[:FIRST]], FIRST, FIRST
    while start < len(keys):
        size = min(2 * size, CHUNK)
        chunks.append(keys[start : start + size])
        start += size
    return chunks


def judge(db: Connection, target: Target, now: float) -> None:
    """Let a target's guard judge what it counted; says so when rows are held."""
    released, held, reason = guards.judge(
        db, target.name, lambda counted, total: target.guard(GuardCount(counted, total)), now=now
    )
    if held:
        log.warning("%s", reason, extra={"target": target.name, "held": held})
    elif released:
        log.debug("guard let %d rows go", released, extra={"target": target.name})


def same(target: Target, sent: str, held: str) -> bool:
    """Ask the target whether two values, as JSON texts, are equal though their texts are not.

    One that names more than what the shop confirmed is not: a field was added to those that are kept in sync.
    """
    wants, has = orjson.loads(sent), orjson.loads(held)
    if isinstance(wants, dict) and isinstance(has, dict) and (wants.keys() - has.keys() or shadows.STALE in has):
        return False
    return target.same(wants, has)


def _counts(target: Target, linked: Callable[[], Container[str]], key: str, old: str | None, new: str) -> bool:
    """Ask the target's guard. What the shop holds may be unknown (None): of a key that it has, the worst is thought."""
    if old is None:
        return key in linked() and target.counts(None, orjson.loads(new))
    before = orjson.loads(old)
    if isinstance(before, dict):
        before.pop(shadows.STALE, None)
    return target.counts(before, orjson.loads(new))
