"""What a shop said to a batch, and how each of its rows ends by it.

Done is delivered, a refusal is a dead letter, what was unclear rests; what is to blame itself is counted, tried again
in smaller batches, and dead after `MOST_ATTEMPTS`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.entries import to_json
from agent.errors import ShopUnavailable
from agent.events import NOTHING_SAID, Done, Exchange, Outcome, Rejected, Unclear, Untried, key_of
from agent.targets import Naming, Target
from state import cursors, outbox, rests, settle, shadows, waiting
from state.db import Connection

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
"""After so many failures of its own a delivery is a dead letter. Each failure halves the batch, and after six of them
(``SINGLY`` in `state.outbox`) a row goes alone: its last two failures are nobody else's."""
LONGEST_BACKOFF = 300.0
ONCE = ("images", "order_states")
"""Targets of which no write may be made twice: a picture would be there twice, a customer be told twice."""


@dataclass(frozen=True, slots=True)
class Blamed:
    """Definitely not applied, and it is about the items: count, bisect, dead after `MOST_ATTEMPTS`."""

    reason: str
    hint: str
    exchange: Exchange = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Waits:
    """Not sent, for the thing that it belongs to is not in the shop yet; or, with a reason, is not to be expected.

    Then it is a dead letter, which the thing's link revives all the same.
    """

    never: str = ""
    hint: str = ""
    thing: str = "product"
    """What it waits for: a thing, or the first delivery of the target with this name."""
    key: str = ""
    """Of the thing; empty: the delivery's own."""
    had: bool = False
    """Of one that is not to be expected: there was a link to its product, which leads nowhere."""
    until: float = 0.0
    """Nobody has heard of its product yet; then it is judged anew. 0: as long as the creation is owed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A batch that was sent and what was said to it, kept until it is written down."""

    batch: Sequence[outbox.Row]
    outcomes: Sequence[Outcome | Blamed | Waits]
    found: Mapping[str, str]
    """Links that the file does not know yet."""
    down: ShopUnavailable | None
    """What the probe after an unclear answer met; None: the shop is well, or nothing was unclear."""
    at: float
    before: Answered | None = None
    """The batch before, where it could not be written down yet."""


@dataclass(slots=True)
class _Ends:
    """How the rows of one batch end."""

    done: list[settle.Settled] = field(default_factory=list)
    dead: list[settle.Settled] = field(default_factory=list)
    again: list[settle.Settled] = field(default_factory=list)
    resting: list[outbox.Row] = field(default_factory=list)
    untried: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Keys whose links lead nowhere."""
    waits: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """By the kind of thing waited for: (id, the thing's key)."""
    orphans: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    until: dict[int, float] = field(default_factory=dict)
    """Until when rows wait of whose thing nobody has heard yet."""
    had: set[str] = field(default_factory=set)
    """Keys whose product was linked before the shop was asked, and which it does not know all the same."""


def settle_batch(
    db: Connection, target: Target, said: Answered, *, redact: Callable[[str], str], timeout: float
) -> None:
    """Write down how each row ended; an unclear answer counts against its item when the shop is well.

    What moved the shop's stock has the quantities of those codes read and sent anew.
    """
    if said.before:
        settle_batch(db, target, said.before, redact=redact, timeout=timeout)
    batch, now = said.batch, said.at
    ends = _Ends()
    clean = _clean(said.outcomes, redact)
    pairs = list(zip(batch, said.outcomes, strict=True))
    for row, outcome in pairs:
        if isinstance(outcome, Done):
            ends.done.append(_done(row, outcome, clean))
        elif isinstance(outcome, Waits):
            _wait(ends, row, outcome)
        else:
            _end(ends, row, outcome, said, _settled(row, outcome, redact))
    settle.untried(db, ends.untried)
    known = _known(target, ends, said)
    shadows.link(db, target.thing, [(key, link) for key, link in said.found.items() if key in known])
    shadows.unlink(db, target.thing, ends.lost)
    for thing, rows in ends.waits.items():
        waiting.wait(db, [(row_id, key, ends.until.get(row_id, 0.0)) for row_id, key in rows], thing)
    rest(db, target, ends.resting, "no clear answer yet", now=now, timeout=timeout)
    settle.delivered(db, ends.done, now=now)
    settle.rejected(db, ends.dead, now=now)
    backoff = 0.0 if len(batch) > 1 else min(LONGEST_BACKOFF, 2.0 ** batch[0].attempts)
    settle.failed(db, ends.again, due=now + backoff, most=MOST_ATTEMPTS, now=now)
    for thing, rows in ends.orphans.items():
        waiting.died_waiting(db, rows, thing)
    _wake_what_came(db, target, ends)
    going_on = {row.id for row in ends.resting} | {row_id for rows in ends.waits.values() for row_id, _ in rows}
    ended = [row.key for row in batch if row.id not in going_on]
    if target.creates:
        shadows.forget_intents(db, target.thing, [row.key for row in ends.dead])
    if target.thing in shadows.OF:
        shadows.drop(db, target.thing, [row.key for row, one in pairs if isinstance(one, Done) and one.link is None])
    if target.thing == target.name or (target.creates and target.thing in shadows.OF):
        shadows.brought_about(db, target.thing, [row.key for row in ends.done])
    wake_waiting(db, target, done=[row.key for row in ends.done], ended=ended)
    stock_moved(db, [code for _, one in pairs if isinstance(one, Done) for code in one.moved])
    _say(ends.done, ends.dead, ends.resting, target=target.name)


def wake_waiting(db: Connection, target: Target, *, done: Sequence[str], ended: Sequence[str]) -> None:
    """What waits for keys of this target is judged anew: they are made, dead or given up, ``done`` ones delivered."""
    if target.name == "prices":
        shadows.no_longer_new(db, target.thing, done)
    waiting.wake(db, target.name, ended)
    if done and isinstance(target, Naming) and target.namer == target.name:
        waiting.retry_removals(db, target.name)
    if target.creates:
        waiting.wake(db, target.thing, ended)


def _known(target: Target, ends: _Ends, said: Answered) -> set[str]:
    """Keys whose links may be believed: others wait for a category's, so that one counts only once it is as it should.

    (One that its owner made by hand was found by its name; until it is ours no product can be put into it.)
    """
    if target.creates and target.thing in shadows.OF:
        return {one.key for one in ends.done}
    return said.found.keys() - ends.lost


def stock_moved(db: Connection, codes: Sequence[str]) -> None:
    """What the shop holds of these is not known now: read and send them again, as far as they are ours to write."""
    if not codes:
        return
    spelled = {key_of(code): code.strip() for code in codes}
    outbox.forget_shadows(db, [("quantities", key) for key in spelled])
    ours = cursors.offered(db, list(spelled))
    cursors.ask_reread(db, "quantities", [(key, spelled[key]) for key in sorted(ours)], lane=outbox.LIVE)


def _end(
    ends: _Ends,
    row: outbox.Row,
    outcome: Rejected | Unclear | Untried | Blamed,
    said: Answered,
    settled: settle.Settled,
) -> None:
    match outcome:
        case Rejected(link_lost=False):
            ends.dead.append(settled)
        case Rejected():
            ends.lost.append(row.key)  # looked up anew, once
            (ends.dead if row.key in said.found else ends.again).append(settled)
        case Blamed():
            ends.again.append(settled)
        case Unclear():
            ends.resting.append(row)
            if said.down is None:
                ends.again.append(settled)
        case Untried():
            ends.untried.append(row.id)


def _wait(ends: _Ends, row: outbox.Row, outcome: Waits) -> None:
    key = outcome.key or row.key
    if not outcome.never:
        ends.waits.setdefault(outcome.thing, []).append((row.id, key))
        if outcome.until:
            ends.until[row.id] = outcome.until
        return
    ends.orphans.setdefault(outcome.thing, []).append((row.id, key))
    if outcome.had:
        ends.had.add(key)
    reason, hint = outcome.never, outcome.hint
    if not hint:
        what = f"the {outcome.thing}{f' {key!r}' if outcome.key else ''}"
        reason = f"{what} is not in the shop, and could not be created: {reason}"
        hint = "Settle that first (pohoda-agent outbox list --dead); this one then goes by itself."
    ends.dead.append(settle.Settled(row.id, row.target, row.key, reason=reason, hint=hint))


def _wake_what_came(db: Connection, target: Target, ends: _Ends) -> None:
    """What was waited for may have come while the shop was asked about others: then nobody else would wake it."""
    for thing, rows in ends.waits.items():
        keys = {key for _, key in rows}
        creator = _creator(target, thing)
        if creator:
            owed = waiting.creations(db, creator, sorted(keys), thing)
            linked = shadows.links_of(db, thing, sorted(keys))
            waited_for_long = {key for row_id, key in rows if row_id in ends.until}
            came = {key for key in keys if key in linked or (key not in waited_for_long and owed.get(key) != "")}
        elif thing == target.name:
            came = keys - outbox.open_values(db, target.name, sorted(keys)).keys()
        else:
            came = keys - shadows.still_new(db, target.thing, sorted(keys))
        waiting.wake(db, thing, sorted(came))
    for thing, rows in ends.orphans.items():
        missing = sorted({key for _, key in rows} - ends.had)
        owed = waiting.creations(db, _creator(target, thing), missing, thing)
        linked = shadows.links_of(db, thing, missing)
        waiting.wake(db, thing, [key for key in missing if owed.get(key) == "" or key in linked])


def _creator(target: Target, thing: str) -> str:
    """Name of the target that creates a kind of thing; empty for what is no thing (the first delivery of a target)."""
    if isinstance(target, Naming) and thing == target.names:
        return target.namer
    return target.creator if thing == "product" else ""


def rest(
    db: Connection, target: Target, rows: Sequence[outbox.Row], reason: str, *, now: float, timeout: float
) -> None:
    """Nobody knows what became of these rows: let their keys rest, ``timeout`` being what one call may take.

    What may not be done twice (a creation, an upload, what customers are told) rests until nothing can land late.
    """
    late = now + 10 * timeout
    linked = shadows.links_of(db, target.thing, [row.key for row in rows])
    once = [row for row in rows if target.name in ONCE or (target.creates and row.key not in linked)]
    rests.unclear(db, once, until=late, verify_at=late, reason=reason)
    again = [row for row in rows if row not in once]
    rests.unclear(db, again, until=now + 2 * timeout, verify_at=late, reason=reason)


def unknown_code(thing: str, code: str) -> Rejected:
    """The dead letter of what the shop does not know and nobody creates: a product's code, an order's number."""
    if thing == "order":
        return Rejected(
            f"the shop has no order {code!r}",
            "Compare the number in POHODA (Přijaté objednávky, Číslo objednávky) with the shop's;"
            " then: pohoda-agent outbox retry --all.",
        )
    return Rejected(
        f"the shop does not know the code {code!r}",
        "Create the product in the shop with exactly this code, or untick Internet on the card in POHODA;"
        " then: pohoda-agent outbox retry --all.",
    )


def _clean(outcomes: Sequence[Outcome | Blamed | Waits], redact: Callable[[str], str]) -> Callable[[str], str]:
    """Give what takes secrets out of the exchanges of what is done: nothing, when all together hold none.

    What is found in a line is found in the lines joined as well, so one search does instead of two per item.
    """
    exchanges = [outcome.exchange for outcome in outcomes if isinstance(outcome, Done)]
    text = "\n".join([f"{exchange.request}\n{exchange.answer}" for exchange in exchanges])
    return str if redact(text) == text else redact


def _done(row: outbox.Row, outcome: Done, clean: Callable[[str], str]) -> settle.Settled:
    said = outcome.exchange
    request, answer = clean(said.request), clean(said.answer)
    return settle.Settled(row.id, row.target, row.key, request, answer, to_json(outcome.confirmed))


def _settled(
    row: outbox.Row, outcome: Rejected | Unclear | Untried | Blamed, redact: Callable[[str], str]
) -> settle.Settled:
    if isinstance(outcome, Untried):
        return settle.Settled(row.id, row.target, row.key)
    return settle.Settled(
        row.id,
        row.target,
        row.key,
        request=redact(outcome.exchange.request),
        answer=redact(outcome.exchange.answer),
        reason=redact(outcome.reason),
        hint="" if isinstance(outcome, Unclear) else outcome.hint,
    )


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
