"""Dispatch: what the outbox owes to one target of one shop is delivered, and every answer is settled.

One step sends one batch. The commit that settles a batch marks the next one as sent, so that a crash at any moment
leaves each row either untouched or marked; marked rows count as unclear at the next start. The adapter only speaks;
here it is decided what an answer means: done, dead, unclear (rest, read back, verify), to blame (bisect), or to wait.
"""

from __future__ import annotations

import contextlib
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from agent import failpoint, readback
from agent.breaker import ShopBreaker
from agent.errors import BatchRefused, ShopUnavailable
from agent.events import NOTHING_SAID, Done, Event, Exchange, Held, Outcome, Owed, Rejected, Unclear, Untried, Wanted
from agent.ingest import to_json
from agent.shops import Shop
from agent.targets import Target
from state import outbox, rests, settle, shadows, targets
from state.db import Connection, StateFile
from state.errors import StateError

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
"""After so many failures of its own a delivery is a dead letter; seven halvings single out one of 100."""
PATIENCE = 5
"""After so many waits in a row (half a minute) beside good probes it is not the shop's trouble but the items'."""
LONGEST_BACKOFF = 300.0
FAR = 3600.0
"""Seconds. No due time is further away, unless the clock jumped."""


@dataclass(frozen=True, slots=True)
class _Blamed:
    """Definitely not applied, and it is about the items: count, bisect, dead after `MOST_ATTEMPTS`."""

    reason: str
    hint: str
    exchange: Exchange = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class _Answered:
    """A batch that was sent and what was said to it. Kept until it is written down: nothing else is sent before."""

    batch: Sequence[outbox.Row]
    outcomes: Sequence[Outcome | _Blamed]
    found: dict[str, str]
    down: ShopUnavailable | None
    """What the probe after an unclear answer met; None: the shop is well, or nothing was unclear."""
    at: float


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
    asks_reread: Callable[[], None] = lambda: None
    """Wakes ingest, after a key was asked to be read again."""
    ticks: Callable[[], float] = time.monotonic
    """How long a call took: rests, and what a shop asks to wait, count from its answer."""
    _batch: list[outbox.Row] = field(default_factory=list)
    _answered: _Answered | None = None
    _wait_until: float = 0.0
    _waits: int = 0

    def start(self, now: float) -> None:
        """Rows that a dead process has left marked as sent count as unclear."""
        with self.state.write() as db:
            left = outbox.in_flight(db, self.target.name)
            self._rest(db, left, now, "the agent stopped before the answer came")
        self._note(now)
        if left:
            log.info("%d deliveries were on their way at the last stop: read back first", len(left))

    def stop(self) -> None:
        """Write down the last answers and take the marks off what was not sent any more.

        What cannot be written now stays marked in the file, and counts as unclear at the next start.
        """
        with contextlib.suppress(StateError):
            if self._answered:
                self._write_down(self._answered)
            self._unmark()

    def step(self, now: float) -> bool:
        """Do one piece of work; True when there may be more at once. Raises `StateError` if nothing can be written."""
        if self._answered:  # the file could not be written when the answers came
            self._write_down(self._answered)
            return True
        started = self.ticks()
        with self.state.read() as db:
            standing = targets.target_state(db, self.target.name)
        if standing.paused or self.stopping() or now < self._wait_until <= now + LONGEST_BACKOFF:
            self._unmark()
            return False
        if not self.breaker.allows(now):
            self._unmark()
            return False
        try:
            if standing.baseline != "complete":
                self._unmark()
                more = readback.baseline_page(self.state, self.shop, self.target, standing, now)
            elif readback.read_back(self.state, self.shop, self.target, self._is_well, now) or readback.verify(
                self.state, self.shop, self.target, self._is_well, now, asks_reread=self.asks_reread
            ):
                more = True
            else:
                more = self._send(now)
        except ShopUnavailable as error:
            self._wait(error, now + self.ticks() - started)
            self._unmark()
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

    def _send(self, now: float) -> bool:
        limit = self.target.batch_size(self.shop.kind)
        if not self._batch:
            with self.state.write() as db:
                self._batch = outbox.take(db, self.target.name, limit=limit, now=now, far=FAR)
        if not self._batch:
            return False
        batch, started = self._batch, self.ticks()
        outcomes, found = self._deliver(batch)
        failpoint.reach("after-send")
        unclear = any(isinstance(outcome, Unclear) for outcome in outcomes)
        down = self.breaker.ask() if unclear else None  # one probe tells whether the shop or the items are to blame
        self._answered = _Answered(batch, outcomes, found, down, now + self.ticks() - started)
        self._batch = []
        self._write_down(self._answered, limit=0 if down or self.stopping() else limit)
        failpoint.reach("after-settle")
        return bool(self._batch)

    def _write_down(self, said: _Answered, *, limit: int = 0) -> None:
        """Settle a batch and mark up to ``limit`` rows as the next one, in one commit."""
        with self.state.write() as db:
            self._settle(db, said)
            batch = outbox.take(db, self.target.name, limit=limit, now=said.at, far=FAR) if limit else []
        self._answered, self._batch = None, batch
        if said.down and not self.stopping():  # at the end we hang up ourselves, which says nothing about the shop
            self.breaker.failed(said.down, said.at)

    def _deliver(self, batch: Sequence[outbox.Row]) -> tuple[list[Outcome | _Blamed], dict[str, str]]:
        """Send a batch; returns one outcome per row and the links that were found on the way.

        Raises `ShopUnavailable` only when certainly nothing was applied and nobody is to blame.
        """
        with self.state.read() as db:
            links = shadows.links_of(db, self.target.thing, [row.key for row in batch])
        answers = self._find([Wanted(row.key, row.code) for row in batch if row.key not in links])
        found = {key: held.link for key, held in answers.items() if isinstance(held, Held)}
        links |= found
        outcomes: dict[int, Outcome | _Blamed] = {}
        owed: list[tuple[outbox.Row, Owed]] = []
        for row in batch:
            answer = answers.get(row.key)
            if row.key in links:
                owed.append((row, Owed(_event(row), links[row.key])))
            elif isinstance(answer, Rejected | _Blamed):
                outcomes[row.id] = answer
            else:
                outcomes[row.id] = unknown_code(row.code)
        failpoint.reach("before-send")
        if owed:
            results = self._call([item for _, item in owed])
            outcomes.update({row.id: result for (row, _), result in zip(owed, results, strict=True)})
        return [outcomes[row.id] for row in batch], found

    def _find(self, missing: Sequence[Wanted]) -> Mapping[str, Held | Rejected | _Blamed]:
        if not missing:
            return {}
        try:
            return self.shop.find(self.target.name, missing)
        except ShopUnavailable as error:
            if not self._is_the_items(error):
                raise
            blamed = _Blamed(str(error), error.hint)
        except Exception as error:
            blamed = self._bug(error)
        return {wanted.key: blamed for wanted in missing}

    def _call(self, owed: Sequence[Owed]) -> Sequence[Outcome | _Blamed]:
        try:
            return _one_each(self.shop.deliver(self.target.name, owed), owed)
        except ShopUnavailable as error:
            if self._is_the_items(error, denied=error.denied):
                return [_Blamed(str(error), error.hint) for _ in owed]
            raise
        except BatchRefused as error:
            return [_Blamed(str(error), error.hint, Exchange(error.request, error.answer)) for _ in owed]
        except Exception as error:
            bug = self._bug(error)  # whether it was sent nobody knows
            return [Unclear(bug.reason, bug.exchange) for _ in owed]

    def _is_the_items(self, error: ShopUnavailable, *, denied: bool = False) -> bool:
        """Beside a good probe a refusal is about the items: a denied write at once, others when it does not pass."""
        return error.retry_after is None and (denied or self._waits >= PATIENCE) and self._is_well()

    def _is_well(self) -> bool:
        return self.breaker.ask() is None

    def _bug(self, error: Exception) -> _Blamed:
        """Anything that is not foreseen is our bug: said with its traceback, counted, dead after `MOST_ATTEMPTS`."""
        text = self.redact("".join(traceback.format_exception(error))[-1500:])
        log.error("a bug while delivering: %s", text, extra={"target": self.target.name})
        hint = "Please report it with this traceback; then: pohoda-agent outbox retry."
        return _Blamed(f"a bug in the agent: {type(error).__name__}", hint, Exchange(answer=text))

    def _settle(self, db: Connection, said: _Answered) -> None:
        """Write down how each row ended; an unclear answer counts against its item when the shop is well."""
        batch, now = said.batch, said.at
        done: list[settle.Settled] = []
        dead: list[settle.Settled] = []
        again: list[settle.Settled] = []
        resting: list[outbox.Row] = []
        lost: list[str] = []
        links = dict(said.found)
        for row, outcome in zip(batch, said.outcomes, strict=True):
            settled = self._settled(row, outcome)
            match outcome:
                case Done():
                    done.append(settled)
                    links[row.key] = outcome.link or links.get(row.key, "")
                case Rejected(link_lost=False):
                    dead.append(settled)
                case Rejected():
                    lost.append(row.key)  # looked up anew, once
                    (dead if row.key in said.found else again).append(settled)
                case _Blamed():
                    again.append(settled)
                case Unclear():
                    resting.append(row)
                    if said.down is None:
                        again.append(settled)
                case Untried():
                    settle.untried(db, [row.id])
        thing, name = self.target.thing, self.target.name
        shadows.link(db, thing, [(key, link) for key, link in links.items() if link and key not in lost])
        shadows.unlink(db, thing, lost)
        self._rest(db, resting, now, "no clear answer yet")
        settle.delivered(db, done, now=now)
        settle.rejected(db, dead, now=now)
        backoff = 0.0 if len(batch) > 1 else min(LONGEST_BACKOFF, 2.0 ** batch[0].attempts)
        settle.failed(db, again, due=now + backoff, most=MOST_ATTEMPTS, now=now)
        _say(done, dead, resting, target=name)

    def _settled(self, row: outbox.Row, outcome: Outcome | _Blamed) -> settle.Settled:
        if isinstance(outcome, Untried):
            return settle.Settled(row.id, row.target, row.key)
        exchange = outcome.exchange
        return settle.Settled(
            row.id,
            row.target,
            row.key,
            request=self.redact(exchange.request),
            answer=self.redact(exchange.answer),
            confirmed=to_json(outcome.confirmed) if isinstance(outcome, Done) else "",
            reason="" if isinstance(outcome, Done) else self.redact(outcome.reason),
            hint=outcome.hint if isinstance(outcome, Rejected | _Blamed) else "",
        )

    def _rest(self, db: Connection, rows: Sequence[outbox.Row], now: float, reason: str) -> None:
        until, verify_at = now + 2 * self.timeout, now + 10 * self.timeout
        rests.unclear(db, rows, until=until, verify_at=verify_at, reason=reason)

    def _unmark(self) -> None:
        if self._batch:
            with self.state.write() as db:
                settle.untried(db, [row.id for row in self._batch])
            self._batch = []

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


def _one_each(outcomes: Sequence[Outcome], owed: Sequence[Owed]) -> Sequence[Outcome]:
    if len(outcomes) != len(owed):
        raise ValueError(f"{len(outcomes)} outcomes for {len(owed)} items")
    return [_taken_at_its_word(outcome, item) for outcome, item in zip(outcomes, owed, strict=True)]


def _taken_at_its_word(outcome: Outcome, item: Owed) -> Outcome:
    """A shop that says it holds something else than it was sent has not given a clear answer: read back first."""
    if isinstance(outcome, Done) and outcome.confirmed != item.event.value:
        said = f"the shop says that it holds {outcome.confirmed!r} and was sent {item.event.value!r}"
        return Unclear(said, outcome.exchange)
    return outcome


def unknown_code(code: str) -> Rejected:
    """The dead letter of a code that the shop does not know."""
    return Rejected(
        f"the shop does not know the code {code!r}",
        "Create the product in the shop with exactly this code, or untick Internet on the card in POHODA;"
        " then: pohoda-agent outbox retry.",
    )


def _event(row: outbox.Row) -> Event:
    return Event(row.target, row.key, orjson.loads(row.value), row.code, row.source, row.version)


def _say(
    done: Sequence[settle.Settled], dead: Sequence[settle.Settled], resting: Sequence[outbox.Row], *, target: str
) -> None:
    if done:
        log.info("delivered %d", len(done), extra={"target": target})
    for letter in dead[:5]:
        log.warning("dead letter: %s", letter.reason, extra={"target": target, "key": letter.key, "hint": letter.hint})
    if len(dead) > 5:
        log.warning("%d more dead letters", len(dead) - 5, extra={"target": target})
    if resting:
        log.warning("no clear answer for %d deliveries: read back first", len(resting), extra={"target": target})
