"""The target ``order_states``: how far an order of the shop has come in POHODA, in the words of the shop.

POHODA has no list of states. One follows from Vyřízeno, Přeneseno (``BDodano``), the cancellation (``DatStorn``), what
was delivered of the lines, and from a list of the customer's own; the configuration maps them to the shop's states, in
the order of progress. Several rows with one number of the shop are one order: those that are cancelled count only when
all are.

    cancelled       all rows are
    the list        the text of the live row that was saved last (the highest id), if ``list_map`` knows it
    else the furthest, in the order of ``map``, of
      executed      all live rows are
      transferred   all live rows are
      partly        something was delivered, or some rows are executed or transferred and others not; and not all are
                    transferred: that is no part

Where nothing follows, nothing is said: an order never goes backwards. Nor is anything said of an order that is older
than ``since`` in any of its rows: nobody's customers are mailed about last year. A cancellation comes after all other
states, so being in any of those that we set does not hinder it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from agent.errors import Unusable
from agent.events import Value, key_of
from agent.targets import GuardCount
from agent.targets.days import day_of
from agent.targets.names import tidy
from agent.targets.texts import canonical_decimal, decimal_of, line_of

FACTS = ("executed", "transferred", "partly", "cancelled")
"""What POHODA tells of an order: the words of ``[targets.order_states.map]``."""
LONGEST = 64
"""Characters of a tracking number (PrestaShop: ``order_carrier.tracking_number``) and of a carrier's name."""
GUARD_FROM = 10
GUARD_SHARE = 0.20
_BATCH = {"vendure": 1}


@dataclass(frozen=True, slots=True)
class OrderStateSettings:
    """``[targets.order_states]``: what the shop's owner decided."""

    since: dt.date | None = None
    """Orders that are older (``OBJ.Datum``) are left alone."""
    map: Mapping[str, str] = field(default_factory=dict)
    """Of `FACTS` → the shop's state (PrestaShop: id as text; Vendure: name), in the order of progress."""
    list_column: str = ""
    """The customer's own list (``RefVPr…``); the view reads it, here it names the settings."""
    list_map: Mapping[str, str] = field(default_factory=dict)
    """Text of the list → the shop's state."""
    progress: tuple[str, ...] = ()
    """All states in the order of progress; empty: those of the list that ``map`` does not have, then its own."""
    tracking_column: str = ""
    carrier_column: str = ""
    order_number: Literal["reference", "id"] = "reference"
    """What POHODA has as the shop's number; the adapter finds by it, here it names the settings."""


@dataclass(frozen=True, slots=True)
class OrderStates:
    """The target. Rows are `agent.sources.rows_catalogue.OrderRow`, all those with one number of the shop."""

    settings: OrderStateSettings
    name: str = "order_states"
    thing: str = "order"
    creates: bool = False
    creator: str = ""

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """Tell the state, and which ones come with it; None when nothing follows. Raises `Unusable`.

        ``reached``: the state and all after it; ``before``: all before it; ``tracking`` and ``carrier`` where there
        are any; ``lines`` (code → whole pieces delivered) of a part.
        """
        if not rows or self._is_old(rows):
            return None
        ordered = sorted(rows, key=lambda row: row.id)
        live = [row for row in ordered if not _is_cancelled(row)]
        fact, state = self._state(live, ordered)
        if not state:
            return None
        ranks = self._ranks()
        place = ranks.index(state) if state in ranks else len(ranks)
        reached: list[Value] = [*ranks[place:]] or [state]
        made: dict[str, Value] = {"state": state, "reached": reached, "before": [*ranks[:place]]}
        if fact == "partly":
            made["lines"] = _delivered(live)
        return made if state == self._cancelled else made | self._shipping(live or ordered)

    def absent(self) -> Value:
        """None: an order that POHODA does not have any more stays as it is in the shop."""
        return None

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop's order has come as far as it was to, or was left alone because it is at an end.

        The shop tells ``been`` (all states that it ever was in) and ``left``, perhaps without knowing what is sent: an
        end that is a stage on the way is none. The tracking number must be the one that was sent, and of a part as much
        must be delivered, where the shop tells of them.
        """
        if not (isinstance(sent, dict) and isinstance(confirmed, dict)) or not confirmed.keys() & {"been", "left"}:
            return sent == confirmed
        if confirmed.get("left") and confirmed.get("state") not in _states(sent, "before"):
            return True
        if not set(_states(sent, "reached")) & set(_states(confirmed, "been")):
            return False
        if "tracking" in sent and "tracking" in confirmed and tidy(sent["tracking"]) != tidy(confirmed["tracking"]):
            return False
        there = confirmed.get("lines")
        return not isinstance(there, dict) or _as_much(sent.get("lines"), there)

    def batch_size(self, kind: str) -> int:
        """How many go in one call: Vendure's transitions and fulfilments are calls of their own."""
        return _BATCH.get(kind, 10)

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts cancellations: they cannot be taken back, and the customer is told."""
        cancelled = self._cancelled
        if not cancelled or not isinstance(new, dict) or new.get("state") != cancelled:
            return False
        return not (isinstance(old, dict) and (old.get("state") == cancelled or cancelled in _states(old, "been")))

    def guard(self, count: GuardCount) -> str:
        """Hold when 10 or more, and more than a fifth of all orders known, would be cancelled."""
        if count.counted < GUARD_FROM or count.counted <= GUARD_SHARE * count.total:
            return ""
        return f"{count.counted} of {count.total} orders would be cancelled, more than {GUARD_SHARE:.0%}"

    def fingerprint(self) -> str:
        """A digest of what forms the values, and of how orders are found; the order of both maps matters."""
        mine = self.settings
        columns = (mine.list_column, mine.tracking_column, mine.carrier_column)
        formed = (
            mine.since.isoformat() if mine.since else "",
            list(mine.map.items()),
            list(mine.list_map.items()) if mine.list_column or mine.list_map else [],
            mine.progress,
            [column.strip().casefold() for column in columns],
            mine.order_number,
        )
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()

    @property
    def _cancelled(self) -> str:
        return self.settings.map.get("cancelled", "")

    def _ranks(self) -> list[str]:
        """The shop's states in the order of progress, each at its first place; the cancelled one is no rank."""
        mapped = [state for fact, state in self.settings.map.items() if fact != "cancelled"]
        listed = [state for state in self.settings.list_map.values() if state not in mapped]
        ordered = dict.fromkeys((*self.settings.progress, *listed, *mapped))
        return [state for state in ordered if state != self._cancelled]

    def _state(self, live: Sequence[Any], rows: Sequence[Any]) -> tuple[str, str]:
        """The fact that the state follows from (empty: the list), and the state; empty when none follows.

        The furthest counts: what was packed and is executed now is executed.
        """
        if not live and self._cancelled:
            return "cancelled", self._cancelled
        listed = {key_of(tidy(text)): state for text, state in self.settings.list_map.items()}
        state = listed.get(key_of(tidy((live or rows)[-1].listed)), "")
        ranks = self._ranks()
        if not live or (state and state not in ranks):
            return "", state
        told = set(_facts(live))
        found = [
            (ranks.index(mapped), fact)
            for fact, mapped in self.settings.map.items()
            if fact in told and mapped in ranks
        ]
        if state:
            found.insert(0, (ranks.index(state), ""))
        if not found:
            return "", ""
        place = max(place for place, _ in found)
        return [fact for where, fact in found if where == place][-1], ranks[place]

    def _is_old(self, rows: Sequence[Any]) -> bool:
        if self.settings.since is None:
            return False
        days = [day_of("OBJ.Datum", row.date) for row in rows]
        if None in days:
            raise Unusable("OBJ.Datum", "the order has no date", hint="Set the date of the order in POHODA.")
        return any(day is not None and day < self.settings.since for day in days)

    def _shipping(self, rows: Sequence[Any]) -> dict[str, Value]:
        """Tracking number and carrier, each from the row with the highest id that has one."""
        made: dict[str, Value] = {}
        for name, column in (("tracking", self.settings.tracking_column), ("carrier", self.settings.carrier_column)):
            if column:
                text = next(filter(None, (_text(f"OBJ.{column}", getattr(row, name)) for row in reversed(rows))), "")
                made |= {name: text} if text else {}
        return made


def _facts(live: Sequence[Any]) -> Iterator[str]:
    executed, transferred = [bool(row.executed) for row in live], [bool(row.transferred) for row in live]
    if all(executed):
        yield "executed"
    if all(transferred):
        yield "transferred"
        return
    mixed = any(any(ticks) and not all(ticks) for ticks in (executed, transferred))
    if mixed or any(_pieces(line) > 0 for row in live for line in row.lines):
        yield "partly"


def _is_cancelled(row: Any) -> bool:  # noqa: ANN401 - rows of any source
    return row.cancelled is not None and row.cancelled != "" and row.cancelled is not False


def _pieces(line: Any) -> Decimal:  # noqa: ANN401 - as above
    return decimal_of("OBJpol.Dodano", line.delivered)


def _delivered(live: Sequence[Any]) -> dict[str, Value]:
    """Whole pieces by code; a line without a code is a text, and nothing that a shop counts."""
    spelled: dict[str, str] = {}
    sums: dict[str, Decimal] = {}
    for line in (line for row in live for line in row.lines):
        code = line_of("OBJpol.Kod", line.code)
        if code:
            spelled.setdefault(key_of(code), code)
            sums[key_of(code)] = sums.get(key_of(code), Decimal(0)) + _pieces(line)
    whole = {key: math.floor(round(total, 6)) for key, total in sorted(sums.items())}
    return {spelled[key]: pieces for key, pieces in whole.items() if pieces > 0}


def _text(column: str, given: object) -> str:
    number = isinstance(given, int | float | Decimal) and not isinstance(given, bool)
    text = canonical_decimal(decimal_of(column, given)) if number else line_of(column, given)
    if len(text) > LONGEST:
        raise Unusable(
            column,
            f"{text[:30]!r}… has {len(text)} characters, and a shop keeps {LONGEST}",
            hint="Shorten it in POHODA.",
        )
    return text


def _states(value: dict[str, Value], name: str) -> list[str]:
    there = value.get(name)
    return [str(each) for each in there] if isinstance(there, list) else []


def _as_much(sent: Value, there: dict[str, Value]) -> bool:
    """Whether at least as many pieces are delivered in the shop."""
    held = {key_of(code): pieces for code, pieces in there.items()}
    wanted = sent if isinstance(sent, dict) else {}
    return all(_count(held.get(key_of(code))) >= _count(pieces) for code, pieces in wanted.items())


def _count(pieces: Value) -> int:
    return pieces if isinstance(pieces, int) else 0
