"""Asking the shop what it holds: the baseline at first, the read-back after an unclear answer, the verification later.

A baseline reads everything in bulk, a page per commit, so that it survives a restart; until it is complete its target
sends nothing. Rows that were never sent and equal what the shop holds are settled unsent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import orjson

from agent import failpoint, naming
from agent.answers import stock_moved, wake_waiting
from agent.entries import to_json
from agent.errors import ShopUnavailable
from agent.events import Held, Page, Wanted
from agent.ingest import judge
from agent.shops import Shop
from agent.targets import Naming, Target
from state import cursors, guards, letters, outbox, rests, settle, shadows, targets
from state.db import Connection, StateFile
from state.targets import TargetState

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Keys read back in one call."""
FAR = 3600.0


def baseline_page(state: StateFile, shop: Shop, target: Target, standing: TargetState, now: float) -> bool:
    """Read one page of what the shop holds; returns True: there is always something to do after it.

    Raises `ShopUnavailable`; the page is then simply read again.
    """
    if not has_pages(target):
        with state.write() as db:
            targets.baseline(db, target.name, "complete")
        return True
    page = shop.read_page(target.name, standing.page)
    doubled = _doubled(state, shop, target, page)
    failpoint.reach("mid-baseline")
    with state.write() as db:
        good = [item for item in page.items if item.key not in doubled]
        moved = shadows.link(db, target.thing, [(item.key, item.link) for item in good])
        values = {item.key: to_json(item.value) for item in good}
        _look_again(db, target, values, {*doubled, *moved})
        resting = _keys(db, target.name, "rest")
        values |= _as_owed(db, target, {item.key: item for item in good}, values)
        known = [(key, value) for key, value in values.items() if key not in resting]
        shadows.remember(db, target.name, known, now=now)
        settle.settle_unsent(db, target.name, list(values.items()), now=now)
        shadows.unlink(db, target.thing, [*doubled, *(key for key, _ in page.problems)])
        if page.next is not None:
            targets.baseline(db, target.name, "running", page.next)
            return True
        guards.count_pending(db, target.name, lambda old, new: target.counts(orjson.loads(old), orjson.loads(new)))
        if not cursors.pass_under_way(db):  # else the guard judges at its end, over the whole of it
            judge(db, target, now)
        targets.baseline(db, target.name, "complete")
        log.info("baseline complete: %d known", shadows.total(db, target.name), extra={"target": target.name})
    return True


def has_pages(target: Target) -> bool:
    """Tell whether a reading of the whole shop says what it holds of this target.

    It does not say which pictures are ours, and which category of POHODA one of the shop's is: the links do. There
    the adapters look before they write, and write what differs.
    """
    return target.thing == "product" and not isinstance(target, Naming)


def _as_owed(db: Connection, target: Target, held: Mapping[str, Held], values: Mapping[str, str]) -> dict[str, str]:
    """Spell what the shop holds as it is owed, where that is the same: key -> JSON text."""
    owed = outbox.open_values(db, target.name, list(values))
    return {key: value for key, value in owed.items() if value != values[key] and _holds(target, held[key], value)}


def _look_again(db: Connection, target: Target, values: dict[str, str], moved: set[str]) -> None:
    """Ask for keys on offer of which the shop holds something else than was believed: their value may differ from it.

    At a first baseline nothing was believed. Only keys on offer, for a shop's other things are not ours to change; and
    keys still to be verified, on offer or not: what differs is a write of ours that landed late, and the values that
    this page is about to make known would hide it from the verification.
    """
    believed = shadows.shadows_of(db, target.name, [*values, *moved])
    differ = moved | {key for key, value in believed.items() if not _same(target, value, values.get(key))}
    ours = cursors.offered(db, list(differ)) | differ & _keys(db, target.name, "verify") if differ else set()
    cursors.ask_reread(db, target.name, [(key, key) for key in sorted(ours)], lane=outbox.BULK)


def _doubled(state: StateFile, shop: Shop, target: Target, page: Page) -> set[str]:
    """Find keys with another link than the stored one, or with two, which the shop, asked, cannot tell apart."""
    with state.read() as db:
        links = shadows.links_of(db, target.thing, [item.key for item in page.items])
    moved = [item for item in page.items if links.setdefault(item.key, item.link) != item.link]
    if not moved:
        return set()
    answers = shop.find(target.name, [Wanted(item.key, item.code) for item in moved])
    return {item.key for item in moved if not isinstance(answers.get(item.key), Held)}


def _keys(db: Connection, target: str, phase: str) -> set[str]:
    """List the keys whose answer was unclear: those at rest, or those that wait for their verification."""
    return {row[0] for row in db.execute("SELECT key FROM rest WHERE target = ? AND phase = ?", (target, phase))}


def read_back(state: StateFile, shop: Shop, target: Target, is_well: Callable[[], bool], now: float) -> bool:
    """Read back keys whose rest is over: what the shop already has is settled, the rest may be sent again.

    ``is_well`` probes the shop: beside a good probe, a key that cannot be read counts as one that differs. Returns
    True when there was something to do. Raises `ShopUnavailable`.
    """
    with state.read() as db:
        due = rests.due(db, target.name, phase="rest", now=now, far=FAR, limit=AT_ONCE)
    if not due:
        return False
    held = _ask(state, shop, target, due, is_well)
    failpoint.reach("after-read-back")
    with state.write() as db:
        same: list[settle.Settled] = []
        for rest in due:
            row = outbox.open_value(db, target.name, rest.key)
            there = held.get(rest.key)
            if row and there and _holds(target, there, row[1]):
                text = f"read back: the shop holds {row[1]}"
                same.append(settle.Settled(row[0], target.name, rest.key, answer=text, confirmed=row[1]))
        keys = [one.key for one in same]
        if target.thing == target.name:  # how far it came is known now
            shadows.link(db, target.thing, [(key, one.link) for key, one in held.items()])
            shadows.brought_about(db, target.thing, keys)
        settle.delivered(db, same, now=now)
        wake_waiting(db, target, done=keys, ended=keys)
        stock_moved(db, [code for key in keys for code in _moved(held[key])])
        rests.rested(db, target.name, [rest.key for rest in due])
    return True


def _moved(there: Held) -> list[str]:
    """Codes whose stock an order in this state has moved, as an adapter tells beside its value."""
    codes = there.value.get("moved") if isinstance(there.value, dict) else None
    return [str(code) for code in codes] if isinstance(codes, list) else []


def verify(
    state: StateFile,
    shop: Shop,
    target: Target,
    is_well: Callable[[], bool],
    now: float,
    *,
    asks_reread: Callable[[], None],
) -> bool:
    """Look once more at keys whose unclear answer is so old that nothing late can come any more.

    A key that differs from what was confirmed after it (an old write landed late) is read again and sent. Returns
    True when there was something to do. Raises `ShopUnavailable`.
    """
    with state.read() as db:
        due = rests.due(db, target.name, phase="verify", now=now, far=FAR, limit=AT_ONCE)
    if not due:
        return False
    held = _ask(state, shop, target, due, is_well)
    wrong: list[tuple[str, str]] = []
    with state.write() as db:
        for rest in due:
            if outbox.open_value(db, target.name, rest.key):
                continue  # it is sent anyway, and nothing can land after that
            if letters.is_dead(db, target.name, rest.key):
                continue  # a person is asked already
            there = held.get(rest.key)
            confirmed = shadows.shadow_of(db, target.name, rest.key)
            if there is None or confirmed is None or not _holds(target, there, confirmed):
                wrong.append((rest.key, rest.code))
        outbox.forget_shadows(db, [(target.name, key) for key, _ in wrong])
        cursors.ask_reread(db, target.name, wrong, lane=outbox.LIVE)
        rests.verified(db, target.name, [rest.key for rest in due])
    if wrong:
        log.warning("%d keys differ after an unclear answer: sent again", len(wrong), extra={"target": target.name})
        asks_reread()
    return True


def _same(target: Target, believed: str, held: str | None) -> bool:
    return held == believed or (held is not None and target.same(orjson.loads(believed), orjson.loads(held)))


def _holds(target: Target, there: Held, value: str) -> bool:
    """Tell whether the shop holds a value (JSON text), perhaps spelled in another way."""
    return to_json(there.value) == value or target.same(orjson.loads(value), there.value)


def _ask(
    state: StateFile, shop: Shop, target: Target, due: Sequence[rests.Rest], is_well: Callable[[], bool]
) -> dict[str, Held]:
    with state.read() as db:
        links = shadows.links_of(db, target.thing, [rest.key for rest in due])
        own = target.thing == target.name
        tried = shadows.tried(db, target.thing, list(links)) if own else {}
        owed = outbox.open_values(db, target.name, list(links))
        values = {
            key: orjson.loads(owed.get(key) or shadows.shadow_of(db, target.name, key) or "null") for key in links
        }
        named = naming.links_for(db, target, [value for value in values.values() if value is not None])
    wanted = [
        Wanted(
            rest.key,
            rest.code,
            links[rest.key],
            orjson.loads(tried.get(rest.key, "null")),
            value=values[rest.key],
            links=named,
        )
        for rest in due
        if rest.key in links
    ]
    return _read(shop, target.name, wanted, is_well)


def _read(shop: Shop, target: str, wanted: Sequence[Wanted], is_well: Callable[[], bool]) -> dict[str, Held]:
    """Read these keys; a bad one among them is singled out by halving, so that it does not hold up all others."""
    if not wanted:
        return {}
    try:
        return shop.read(target, wanted)
    except Exception as error:
        unavailable = isinstance(error, ShopUnavailable)
        if isinstance(error, ShopUnavailable) and (error.retry_after is not None or not is_well()):
            raise
        if len(wanted) == 1:
            log.warning(
                "cannot be read back, so it is sent again", exc_info=not unavailable, extra={"key": wanted[0].key}
            )
            return {}
    middle = len(wanted) // 2
    return _read(shop, target, wanted[:middle], is_well) | _read(shop, target, wanted[middle:], is_well)
