"""How each row of a batch stands before anything is sent: to be sent, to wait for something, or at its end already.

What the state file knows is read at once (`look`), then the shop is asked about things without a link (dispatch does),
then each row is judged (`judge`). Nothing here talks to a shop or writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from agent import naming
from agent.answers import Blamed, Waits, unknown_code
from agent.events import Done, Event, Exchange, Held, Outcome, Owed, Rejected, Value, Wanted
from agent.targets import Target
from state import outbox, shadows, waiting
from state.db import Connection


@dataclass(frozen=True, slots=True)
class Standing:
    """What the state file knows about the keys of a batch."""

    links: dict[str, str]
    creations: Mapping[str, str]
    """Keys whose product another target owes: '' while it does, the reason where that is dead."""
    products: Mapping[str, str]
    """Of keys without a link: the link of their product."""
    early: set[str]
    """Keys whose product has no price yet."""
    named: Mapping[str, str]
    """Links of what values name."""
    waits: Mapping[int, Waits]
    """Rows whose value names something that is not there."""

    begun: Mapping[str, Value]
    """What was to be when an answer was lost: the thing may be there under the name that it had then."""

    def unknown(self, batch: Sequence[outbox.Row]) -> list[Wanted]:
        """What the shop is to be asked about: no link is known, and nobody is about to create it."""
        return [
            Wanted(row.key, row.code, tried=self.begun.get(row.key), value=orjson.loads(row.value), links=self.named)
            for row in batch
            if row.key not in self.links and row.key not in self.creations and row.id not in self.waits
        ]


def look(
    db: Connection, target: Target, batch: Sequence[outbox.Row], *, creator: str, after: str, now: float
) -> Standing:
    """Read it. ``creator`` and ``after`` are those of the `Dispatcher`."""
    keys = [row.key for row in batch]
    links = shadows.links_of(db, target.thing, keys)
    unlinked = [key for key in keys if key not in links]
    named = naming.links_for(db, target, [orjson.loads(row.value) for row in batch])
    return Standing(
        links,
        creations=waiting.creations(db, creator, unlinked) if creator and unlinked else {},
        products=shadows.links_of(db, "product", unlinked),
        early=shadows.still_new(db, target.thing, keys) if after else set(),
        named=named,
        waits=naming.must_wait(db, target, batch, named, now),
        begun=_begun(db, target, keys, unlinked),
    )


def _begun(db: Connection, target: Target, keys: Sequence[str], unlinked: Sequence[str]) -> dict[str, Value]:
    found = shadows.begun(db, target.thing, unlinked)
    if notes_all(target):
        found |= shadows.tried(db, target.thing, keys)
    return {key: orjson.loads(value) for key, value in found.items()}


def notes_all(target: Target) -> bool:
    """Tell whether what leaves is noted before also for things that are there: categories keep pictures of others."""
    return target.creates and target.thing in shadows.OF


@dataclass(frozen=True, slots=True)
class Judge:
    """Says what becomes of a row: what is owed to the shop, or how it ends or waits without."""

    target: Target
    standing: Standing
    links: Mapping[str, str]
    """Those of the file, and those that the shop told."""
    answers: Mapping[str, Held | Rejected | Blamed]
    creator: str
    after: str
    now: float

    def judge(self, row: outbox.Row) -> Owed | Outcome | Blamed | Waits:
        """Judge one row."""
        standing = self.standing
        if row.id in standing.waits:
            return standing.waits[row.id]
        if row.key in standing.early:
            return Waits(thing=self.after)
        if row.key in self.links:
            return Owed(event_of(row), self.links[row.key], standing.named, standing.begun.get(row.key))
        if row.key in standing.creations:
            return Waits(standing.creations[row.key])
        return self._without_link(row)

    def _without_link(self, row: outbox.Row) -> Owed | Outcome | Blamed | Waits:
        """The shop was asked, and does not have it; or it said why it cannot be addressed."""
        target, answer = self.target, self.answers.get(row.key)
        if isinstance(answer, Rejected | Blamed):
            return answer
        value = event_of(row).value
        gone = isinstance(value, dict) and "gone" in value
        if gone or ((target.creates or self.creator) and value == target.absent()):
            return _not_there(row)
        if target.creates:
            return Owed(event_of(row), None, self.standing.named)
        return self._not_heard_of(row) if self.creator else unknown_code(target.thing, row.code)

    def _not_heard_of(self, row: outbox.Row) -> Waits:
        """Who creates it may read POHODA less often: wait a little; then it is dead, until its link revives it."""
        had = row.key in self.standing.products
        until = row.created_at + naming.ARRIVAL
        if not had and self.now < until <= self.now + naming.ARRIVAL:
            return Waits(until=until)
        unknown = unknown_code("product", row.code)
        return Waits(unknown.reason, hint=unknown.hint, had=had)


def _not_there(row: outbox.Row) -> Done:
    """What is gone in POHODA and was never in the shop is as it should be."""
    return Done(None, event_of(row).value, Exchange(answer="the shop does not have it"))


def event_of(row: outbox.Row) -> Event:
    """The event that a row of the outbox is."""
    return Event(row.target, row.key, orjson.loads(row.value), row.code, row.source, row.version)
