"""Dispatch: what the outbox owes to one target of one shop is delivered, and every answer is settled.

One step sends one batch. The commit that settles a batch marks a later one as sent, so that a crash at any moment
leaves each row either untouched or marked; marked rows count as unclear at the next start. The adapter only speaks;
here it is decided what an answer means: done, dead, unclear (rest, read back, verify), to blame (bisect), or to wait.

While a shop works on a batch, the one before is settled and the one after is marked, in one commit (measured: a third
of the time per call was spent waiting for the shop, and a third on that commit). So an answer may be kept in memory
for as long as the next call takes, if all of it was done and there is a next call; a crash then makes two batches
unclear instead of one. Everything else is written down before anything more is sent.
"""

from __future__ import annotations

import contextlib
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import orjson

from agent import failpoint, readback
from agent.answers import LONGEST_BACKOFF, Answered, Blamed, Waits, rest, settle_batch
from agent.breaker import ShopBreaker
from agent.errors import BatchRefused, ShopUnavailable
from agent.events import Done, Exchange, Held, Outcome, Owed, Rejected, Unclear, Wanted
from agent.shops import Shop, in_flight
from agent.standing import Judge, look, notes_all
from agent.targets import Naming, Target
from state import outbox, rests, settle, shadows, targets, waiting
from state.db import StateFile
from state.errors import StateError

log = logging.getLogger(__name__)

PATIENCE = 5
"""After so many waits in a row (half a minute) beside good probes it is not the shop's trouble but the items'."""
FAR = 3600.0
"""Seconds. No due time is further away, unless the clock jumped."""


_Resolved: TypeAlias = tuple[dict[str, str], dict[str, Blamed]]
"""Links that say how far things of ours alone came, and keys of which that could not be read."""


@dataclass(slots=True)
class Dispatcher:
    """Drains one target of one shop. `start` once, then `step` until there is nothing left."""

    target: Target
    shop: Shop
    state: StateFile
    breaker: ShopBreaker
    timeout: float
    """Seconds one call may take; the rests after an unclear answer are multiples of it."""
    redact: Callable[[str], str] = lambda text: text
    """Takes secrets out of a text that is kept (tracebacks, answers)."""
    stopping: Callable[[], bool] = lambda: False
    creator: str = ""
    """Name of the enabled target that creates the things which this one's values belong to; empty: nobody does."""
    after: str = ""
    """Name of the target that goes before ours where we created the thing: no piece is offered without its price."""
    asks_reread: Callable[[], None] = lambda: None
    """Wakes ingest, after a key was asked to be read again."""
    ticks: Callable[[], float] = time.monotonic
    """How long a call took: rests, and what a shop asks to wait, count from its answer."""
    _batch: list[outbox.Row] = field(default_factory=list)
    """Marked as sent, and about to be."""
    _next: list[outbox.Row] = field(default_factory=list)
    """Marked while the batch was under way."""
    _answered: Answered | None = None
    _limit: int = 0
    _now: float = 0.0
    _wait_until: float = 0.0
    _waits: int = 0

    def start(self, now: float) -> None:
        """Rows that a dead process has left marked as sent count as unclear."""
        with self.state.write() as db:
            left = outbox.in_flight(db, self.target.name)
            rest(db, self.target, left, "the agent stopped before the answer came", now=now, timeout=self.timeout)
            waiting.wake_all(db, self.target.name)  # whether anybody still owes the creation is seen anew
        self._note(now)
        if left:
            log.info("%d deliveries were on their way at the last stop: read back first", len(left))

    def stop(self) -> None:
        """Write down the last answers and take the marks off what was not sent any more.

        What cannot be written now stays marked in the file, and counts as unclear at the next start.
        """
        with contextlib.suppress(StateError):
            self._put_down()

    def step(self, now: float) -> bool:
        """Do one piece of work; True when there may be more at once. Raises `StateError` if nothing can be written."""
        if self._answered and not self._batch:  # the file could not be written when the answers came
            self._write_down(self._answered)
            return True
        started = self.ticks()
        with self.state.read() as db:
            standing = targets.target_state(db, self.target.name)
            rested = any(
                rests.due(db, self.target.name, phase=phase, now=now, far=FAR, limit=1) for phase in ("rest", "verify")
            )
        if standing.paused or self.stopping() or now < self._wait_until <= now + LONGEST_BACKOFF:
            self._put_down()
            return False
        if not self.breaker.allows(now):
            self._put_down()
            return False
        if rested or standing.baseline != "complete":
            self._put_down()  # what is read back must be written down before
        try:
            if standing.baseline != "complete":
                more = readback.baseline_page(self.state, self.shop, self.target, standing, now)
            else:
                more = (rested and self._read_back(now)) or self._send(now)
        except ShopUnavailable as error:
            self._wait(error, now + self.ticks() - started)
            self._put_down()
            return False
        if self._waits:
            self._waits = 0
            self._note(now)
        return more

    def next_due(self, now: float) -> float | None:
        """Tell when something waits to be done without a wake-up: a rest that ends, a breaker's probe."""
        waits = max(self.breaker.waits_until(now), self._wait_until)
        with self.state.read() as db:
            standing = targets.target_state(db, self.target.name)
            if standing.paused or standing.baseline != "complete":
                return waits if waits > now and not standing.paused else None
            rest = rests.next_time(db, self.target.name)
            due = outbox.next_due(db, self.target.name, now)
        times = [max(moment, waits) for moment in (rest, due) if moment is not None]
        if waits > now:
            times.append(waits)
        return min(times, default=None)

    def _read_back(self, now: float) -> bool:
        return readback.read_back(self.state, self.shop, self.target, self._is_well, now) or readback.verify(
            self.state, self.shop, self.target, self._is_well, now, asks_reread=self.asks_reread
        )

    def _send(self, now: float) -> bool:
        self._now, self._limit = now, self.target.batch_size(self.shop.kind)
        if not self._batch:
            with self.state.write() as db:
                if self.creator or isinstance(self.target, Naming):
                    waiting.rouse(db, self.target.name, now)
                self._batch = outbox.take(db, self.target.name, limit=self._limit, now=now, far=FAR)
        if not self._batch:
            return False
        batch, started = self._batch, self.ticks()
        outcomes, found = self._deliver(batch)
        failpoint.reach("after-send")
        unclear = any(isinstance(outcome, Unclear) for outcome in outcomes)
        down = self.breaker.ask() if unclear else None  # one probe tells whether the shop or the items are to blame
        before = self._answered  # could not be written down on the way
        self._answered = Answered(batch, outcomes, found, down, now + self.ticks() - started, before)
        self._batch = []
        if self._next and not before and not self.stopping() and all(isinstance(one, Done) for one in outcomes):
            self._batch, self._next = self._next, []
            return True  # settled on the way of the next one
        self._write_down(self._answered, limit=0 if down or self.stopping() else self._limit)
        return bool(self._batch)

    def _catch_up(self) -> None:
        """While the shop works: settle the batch before and mark the one after. What fails here is tried again."""
        with contextlib.suppress(Exception):
            if not self._next and not self.stopping():
                self._next = self._commit(self._answered, take=self._limit, at=self._now)

    def _write_down(self, said: Answered, *, limit: int = 0) -> None:
        """Settle a batch and mark up to ``limit`` rows as the next one, in one commit; other marks are taken back."""
        self._batch = self._commit(said, self._next, take=limit, at=said.at)
        self._next = []
        if said.down and not self.stopping():  # at the end we hang up ourselves, which says nothing about the shop
            self.breaker.failed(said.down, said.at)

    def _commit(
        self, said: Answered | None, unmark: Sequence[outbox.Row] = (), *, take: int, at: float
    ) -> list[outbox.Row]:
        with self.state.write() as db:
            if said:
                settle_batch(db, self.target, said, redact=self.redact, timeout=self.timeout)
            settle.untried(db, [row.id for row in unmark])
            rows = outbox.take(db, self.target.name, limit=take, now=at, far=FAR) if take else []
        self._answered = None
        if said:
            failpoint.reach("after-settle")
        return rows

    def _deliver(self, batch: Sequence[outbox.Row]) -> tuple[list[Outcome | Blamed | Waits], dict[str, str]]:
        """Send a batch; returns one outcome per row, and the links that the file does not know yet.

        Raises `ShopUnavailable` only when certainly nothing was applied and nobody is to blame.
        """
        with self.state.read() as db:
            standing = look(db, self.target, batch, creator=self.creator, after=self.after, now=self._now)
        answers = self._look_for(standing.unknown(batch))
        found = {key: held.link for key, held in answers.items() if isinstance(held, Held)}
        links = standing.links | found
        resolved, unread = self._resolved(batch, links)
        links = {key: link for key, link in (links | resolved).items() if key not in unread}
        judge = Judge(self.target, standing, links, {**answers, **unread}, self.creator, self.after, self._now)
        judged = [(row, judge.judge(row)) for row in batch]
        owed = [(row, item) for row, item in judged if isinstance(item, Owed)]
        outcomes = {row.id: item for row, item in judged if not isinstance(item, Owed)}
        self._note_before(found | resolved, owed)
        failpoint.reach("before-send")
        if owed:
            results = self._call([item for _, item in owed])
            for (row, item), result in zip(owed, results, strict=True):
                outcomes[row.id] = result
                if isinstance(result, Done) and result.link and result.link != item.link:
                    found[row.key] = result.link
        return [outcomes[row.id] for row in batch], found

    def _resolved(self, batch: Sequence[outbox.Row], links: Mapping[str, str]) -> _Resolved:
        """How far did it come when the last answer was lost? Beside a good probe, what cannot be read is to blame."""
        if self.target.thing != self.target.name:
            return {}, {}
        with self.state.read() as db:
            tried = shadows.tried(db, self.target.thing, [row.key for row in batch if row.key in links])
        wanted = [
            Wanted(row.key, row.code, links[row.key], orjson.loads(tried[row.key])) for row in batch if row.key in tried
        ]
        try:
            held = self.shop.read(self.target.name, wanted) if wanted else {}
        except ShopUnavailable as error:
            if not self._is_the_items(error):
                raise
            blamed = Blamed(str(error), error.hint)
        except Exception as error:
            blamed = self._bug(error)
        else:
            return {key: one.link for key, one in held.items() if one.link != links[key]}, {}
        return {}, {item.key: blamed for item in wanted}

    def _note_before(self, links: Mapping[str, str], owed: Sequence[tuple[outbox.Row, Owed]]) -> None:
        """Before a call that cannot be repeated harmlessly, what is known must be durable: links, and what is begun.

        A thing that was found by a name which it was to have before is ours; what is begun now will not tell of it.
        """
        every = notes_all(self.target)
        own = self.target.thing == self.target.name
        noted = [row for row, item in owed if every or own or item.link is None]
        if not noted:
            return
        if every:
            before = [(row.key, item) for row, item in owed if item.tried not in (None, item.event.value)]
            links = {key: item.link for key, item in before if item.link}
        with self.state.write() as db:
            shadows.link(db, self.target.thing, list(links.items()))
            for row in noted:
                shadows.intend(db, self.target.thing, [row.key], row.value)
        failpoint.reach("after-intent")

    def _look_for(self, missing: Sequence[Wanted]) -> Mapping[str, Held | Rejected | Blamed]:
        """Find things; where an answer to a creation was lost, first by what they were to be then."""
        then = [replace(one, value=one.tried) for one in missing if one.tried is not None and one.tried != one.value]
        found = self._find(then)
        taken = {key: one.link for key, one in found.items() if isinstance(one, Held)}
        left = [one for one in missing if one.key not in found]
        if taken:  # what one key has found is no other's
            left = [replace(one, links={**one.links, **taken}) for one in left]
        return {**found, **self._find(left)}

    def _find(self, missing: Sequence[Wanted]) -> Mapping[str, Held | Rejected | Blamed]:
        if not missing:
            return {}
        try:
            return self.shop.find(self.target.name, missing)
        except ShopUnavailable as error:
            if not self._is_the_items(error):
                raise
            blamed = Blamed(str(error), error.hint)
        except Exception as error:
            blamed = self._bug(error)
        return {wanted.key: blamed for wanted in missing}

    def _call(self, owed: Sequence[Owed]) -> Sequence[Outcome | Blamed]:
        try:
            with in_flight.meanwhile(self._catch_up):
                return _one_each(self.shop.deliver(self.target.name, owed), owed, self.target)
        except ShopUnavailable as error:
            if self._is_the_items(error, denied=error.denied):
                return [Blamed(str(error), error.hint) for _ in owed]
            raise
        except BatchRefused as error:
            return [Blamed(str(error), error.hint, Exchange(error.request, error.answer)) for _ in owed]
        except Exception as error:
            bug = self._bug(error)  # whether it was sent nobody knows
            return [Unclear(bug.reason, bug.exchange) for _ in owed]

    def _is_the_items(self, error: ShopUnavailable, *, denied: bool = False) -> bool:
        """Beside a good probe a refusal is about the items: a denied write at once, others when it does not pass."""
        return error.retry_after is None and (denied or self._waits >= PATIENCE) and self._is_well()

    def _is_well(self) -> bool:
        return self.breaker.ask() is None

    def _bug(self, error: Exception) -> Blamed:
        """Anything that is not foreseen is our bug: said with its traceback, counted, dead after `MOST_ATTEMPTS`."""
        text = self.redact("".join(traceback.format_exception(error))[-1500:])
        log.error("a bug while delivering: %s", text, extra={"target": self.target.name})
        hint = "Please report it with this traceback; then: pohoda-agent outbox retry --all."
        return Blamed(f"a bug in the agent: {type(error).__name__}", hint, Exchange(answer=text))

    def _put_down(self) -> None:
        """Write down what was answered, and take the marks off what was not sent."""
        marked = [*self._batch, *self._next]
        if self._answered or marked:
            self._commit(self._answered, marked, take=0, at=0.0)
            self._batch, self._next = [], []

    def _wait(self, error: ShopUnavailable, now: float) -> None:
        """Certainly nothing was processed: wait as long as asked, or let the breaker find out about the shop."""
        if error.retry_after is not None:
            self.breaker.failed(error, now)
            return
        if self.stopping():
            return
        down = self.breaker.ask()
        if down is not None:
            self.breaker.failed(down, now)
            return
        self._waits += 1  # the shop answers, only not to this: a missing right, a blip
        self._wait_until = now + min(LONGEST_BACKOFF, 2.0 ** (self._waits - 1))
        if self._waits == 1:
            log.warning("%s", error, extra={"target": self.target.name, "hint": error.hint})
        self._note(now, error)

    def _note(self, now: float, error: ShopUnavailable | None = None) -> None:
        """Show in `status` what the shop refuses though its probe is well: nobody else would see it."""
        text, hint = (self.redact(str(error)), error.hint) if error else ("", "")
        with self.state.write() as db:
            targets.note_loop(
                db, f"sending {self.target.name}", failed=error is not None, text=text, hint=hint, now=now
            )


def _one_each(outcomes: Sequence[Outcome], owed: Sequence[Owed], target: Target) -> Sequence[Outcome]:
    if len(outcomes) != len(owed):
        raise ValueError(f"{len(outcomes)} outcomes for {len(owed)} items")
    return [_taken_at_its_word(outcome, item, target) for outcome, item in zip(outcomes, owed, strict=True)]


def _taken_at_its_word(outcome: Outcome, item: Owed, target: Target) -> Outcome:
    """A shop that says it holds something else than it was sent has not given a clear answer: read back first."""
    if isinstance(outcome, Done) and outcome.confirmed != item.event.value:
        if target.same(item.event.value, outcome.confirmed):
            return replace(outcome, confirmed=item.event.value)
        said = f"the shop says that it holds {outcome.confirmed!r} and was sent {item.event.value!r}"
        return Unclear(said, outcome.exchange)
    return outcome
