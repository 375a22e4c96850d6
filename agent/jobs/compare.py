"""Comparing POHODA with the shop, key by key: the truth behind `plan` and `reconcile`; writes neither side.

Keys that differ are looked at a second time before they are reported, for both sides live on meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

from agent.errors import Unusable
from agent.events import Held, Rejected, Value, Wanted
from agent.jobs.by_key import Linked, ask
from agent.jobs.whole import Gathered, again, whole
from agent.readback import has_pages
from agent.shops import Shop
from agent.sources import Source
from agent.targets import Collecting, Target

CHUNK = 500
Kind = Literal["differs", "to be created", "not in the shop", "cannot be addressed", "unusable"]
NOTHING = Linked({}, {})


@dataclass(frozen=True, slots=True)
class Difference:
    """One key on which the two sides disagree. ``shop`` is None where the shop does not have it."""

    key: str
    code: str
    kind: Kind
    pohoda: Value
    shop: Value
    text: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``offered`` keys were compared; ``only_in_shop`` are codes that POHODA does not offer (left alone)."""

    offered: int
    equal: int
    differences: tuple[Difference, ...]
    only_in_shop: int
    in_shop: int = 0
    """Keys of the shop in all: what the guard measures a share of."""


@dataclass(frozen=True, slots=True)
class _Wants:
    code: str
    value: Value
    problem: str = ""


def compare(
    source: Source[Any],
    target: Target,
    shop: Shop,
    *,
    was_offered: Callable[[Sequence[str]], set[str]] = lambda _keys: set(),
    linked: Linked = NOTHING,
    progress: Callable[[str], None] = lambda _text: None,
) -> Comparison:
    """Read both sides whole and compare. Raises `SourceUnavailable` or `ShopUnavailable`.

    ``was_offered`` tells which keys the agent remembers as on offer: those that POHODA offers no more must be at 0.
    ``linked`` are the links it remembers; they are used where no page of the shop tells what it holds (`by_key`).
    """
    gathered = Gathered()
    pohoda = _pohoda(source, target, gathered, progress)
    if not has_pages(target):
        left = was_offered([key for key in linked.own if key not in pohoda])
        return _by_key(target, shop, pohoda, linked, gone=left, progress=progress)
    held, problems = _shop(shop, target, progress)
    gone = was_offered([key for key in held if key not in pohoda])
    if target.absent() is not None:
        pohoda |= {key: _Wants(held[key].code, target.absent()) for key in gone}
    first = _differences(target, pohoda, held, problems)
    suspects = [difference for difference in first if difference.kind == "differs"]
    if suspects:
        progress(f"looking once more at {len(suspects)} differences")
        keys = [difference.key for difference in suspects]
        present = _present(source, target, gathered, keys, gone={key: held[key].code for key in keys if key in gone})
        now = _read(shop, target, suspects, held)
        first = [difference for difference in first if difference.kind != "differs"]
        first += _differences(target, present, now, {})
    offered = len(pohoda)
    only = len(held.keys() - pohoda.keys())
    differences = tuple(sorted(first, key=lambda one: one.key))
    return Comparison(offered, offered - len(first), differences, only, in_shop=len(held))


def _by_key(
    target: Target,
    shop: Shop,
    pohoda: dict[str, _Wants],
    linked: Linked,
    *,
    gone: Set[str],
    progress: Callable[[str], None],
) -> Comparison:
    """Compare what the shop tells by links and names. Of what it has besides nobody knows whose it is."""
    if target.absent() is not None:
        pohoda |= {key: _Wants(key, target.absent()) for key in gone}
    wants = {key: (one.code, one.value) for key, one in pohoda.items() if not one.problem}
    held, problems = ask(shop, target, wants, linked, progress=progress)
    done = [key for key in gone if key in pohoda and key not in held]  # deleted, as it should be
    for key in done:
        del pohoda[key]
    found = _differences(target, pohoda, held, problems)
    differences = tuple(sorted(found, key=lambda one: one.key))
    return Comparison(len(pohoda), len(pohoda) - len(found), differences, 0, in_shop=len(held))


def _pohoda(
    source: Source[Any], target: Target, gathered: Gathered, progress: Callable[[str], None]
) -> dict[str, _Wants]:
    """Read all that is on offer. What comes again in a later batch replaces what it was before."""
    wants: dict[str, _Wants] = {}
    for rows in whole(source, gathered):
        _take(wants, target, rows)
        progress(f"POHODA: {len(wants)} codes")
    return wants


def _present(
    source: Source[Any], target: Target, gathered: Gathered, keys: Sequence[str], *, gone: Mapping[str, str]
) -> dict[str, _Wants]:
    """Look at these keys once more, and at no other; what is ``gone`` (key → code) and not on offer again is at 0."""
    wants: dict[str, _Wants] = {}
    for rows in again(source, gathered, keys):
        _take(wants, target, rows)
    absent = {key: _Wants(code, target.absent()) for key, code in gone.items() if target.absent() is not None}
    return absent | {key: wants[key] for key in keys if key in wants}


def _take(wants: dict[str, _Wants], target: Target, present: Mapping[str, tuple[Any, ...]]) -> None:
    """Compute the values of the keys that are on offer; a key that is not leaves."""
    if isinstance(target, Collecting):
        _take_things(wants, target, present)
        return
    for key, rows in present.items():
        code = rows[0].code.strip() if rows else key
        wants.pop(key, None)
        try:
            value = target.value(key, rows)
        except Unusable as error:
            wants[key] = _Wants(code, None, str(error))
            continue
        if value is not None:
            wants[key] = _Wants(code, value)


def _take_things(wants: dict[str, _Wants], target: Collecting, present: Mapping[str, tuple[Any, ...]]) -> None:
    """Collect the things that cards name; what is wrong with a card is told by the target that it makes a value of."""
    for rows in present.values():
        with contextlib.suppress(Unusable):
            wants |= {key: _Wants(code, value) for key, (code, value) in target.things(rows).items()}


def _shop(shop: Shop, target: Target, progress: Callable[[str], None]) -> tuple[dict[str, Held], dict[str, Rejected]]:
    held: dict[str, Held] = {}
    problems: dict[str, Rejected] = {}
    page: str | None = None
    while True:
        answer = shop.read_page(target.name, page)
        held |= {item.key: item for item in answer.items}
        problems |= dict(answer.problems)
        progress(f"shop: {len(held)} codes")
        page = answer.next
        if page is None:
            return held, problems


def _read(shop: Shop, target: Target, suspects: Sequence[Difference], held: dict[str, Held]) -> dict[str, Held]:
    now: dict[str, Held] = {}
    for start in range(0, len(suspects), CHUNK):
        wanted = [Wanted(one.key, one.code, held[one.key].link) for one in suspects[start : start + CHUNK]]
        now |= shop.read(target.name, wanted)
    return now


def _differences(
    target: Target, pohoda: dict[str, _Wants], held: dict[str, Held], problems: dict[str, Rejected]
) -> list[Difference]:
    found: list[Difference] = []
    for key, wants in pohoda.items():
        there = held.get(key)
        if wants.problem:
            found.append(Difference(key, wants.code, "unusable", None, there.value if there else None, wants.problem))
        elif key in problems:
            found.append(Difference(key, wants.code, "cannot be addressed", wants.value, None, problems[key].reason))
        elif there is None:
            missing: Kind = "to be created" if target.creates else "not in the shop"
            found.append(Difference(key, wants.code, missing, wants.value, None))
        elif there.value != wants.value and not target.same(wants.value, there.value):
            found.append(Difference(key, wants.code, "differs", wants.value, there.value))
    return found
