"""What rows make owed: the values of changed keys, and the things that they name, as entries of the outbox."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import orjson

from agent.errors import Unusable
from agent.targets import Collecting, Target
from state import outbox

log = logging.getLogger(__name__)


def to_json(value: object) -> str:
    """Write a value as the text that the state file compares: equal values, equal texts."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # an integer beyond 64 bits, half a character: nonsense, but it must not stop all others
        return json.dumps(value, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A key to be read, and why: ``lane``, and for which targets it is sent whatever the shadow says."""

    lane: int
    force: frozenset[str] = frozenset()
    version: str = ""
    anew: bool = False
    """Computed again though nothing changed in POHODA: the settings did."""


@dataclass(frozen=True, slots=True)
class Present:
    """The second read of some keys, with what is known of them."""

    source: str
    rows: Mapping[str, tuple[Any, ...]]
    asked: Mapping[str, Asked]
    changed: Set[str]
    """Keys whose rows differ from what is remembered."""
    offered: Set[str]
    """Keys that were on offer before."""


def values(target: Target, found: Present) -> Iterable[outbox.Entry]:
    """Owe the value of each key that changed, or that is asked for; what cannot be one is a dead letter."""
    for key, present in found.rows.items():
        why = found.asked.get(key, Asked(outbox.LIVE))
        force = target.name in why.force
        if not (key in found.changed or force or why.anew):
            continue  # a row version moves with columns that we do not read, too
        if not present and key not in found.offered and not force:
            continue  # never on offer, so the shop is not ours to change
        code = present[0].code.strip() if present else key
        unusable = None
        try:
            value = target.value(key, present)
        except Unusable as error:
            value, unusable = None, (str(error), error.hint)
        if value is None and unusable is None:
            if key not in found.offered and not force:
                continue  # never on offer, so the shop is not ours to change
            value = target.absent()
            if value is None:
                continue
        yield outbox.Entry(
            target.name,
            key,
            code,
            to_json(value),
            lane=why.lane,
            force=force,
            unusable=unusable,
            source=found.source,
            version=why.version,
        )


def things(target: Collecting, name: str, found: Present) -> Iterable[outbox.Entry]:
    """Owe the things that changed rows name, each once; ``name`` is the target's.

    A card that makes no value says so by its own dead letter.
    """
    entries: dict[str, outbox.Entry] = {}
    for key, present in found.rows.items():
        why = found.asked.get(key, Asked(outbox.LIVE))
        if not (present and (key in found.changed or why.force or why.anew)):
            continue
        with contextlib.suppress(Unusable):
            for thing, (code, value) in target.things(present).items():
                if thing not in entries or why.lane < entries[thing].lane:
                    entries[thing] = outbox.Entry(
                        name, thing, code, to_json(value), lane=why.lane, source=found.source, version=why.version
                    )
    return entries.values()


def say_unusable(entries: Sequence[outbox.Entry], target: str) -> None:
    """Warn of the first few dead letters among the entries."""
    unusable = [entry for entry in entries if entry.unusable]
    for entry in unusable[:5]:
        reason, hint = entry.unusable or ("", "")
        log.warning("dead letter: %s", reason, extra={"target": target, "key": entry.key, "hint": hint})
    if len(unusable) > 5:
        log.warning("%d more dead letters", len(unusable) - 5, extra={"target": target})
