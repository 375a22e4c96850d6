"""The strategy by ``DatSave``: rows saved since the last look, less an overlap, by the server's own clock.

The overlap covers the clocks of workstations, rows that become visible late, and the steps of ``datetime``; in the
hours around the change from summer time local time repeats itself, so it is longer then. What the overlap reads twice
is told by its fingerprint. ``DatSave`` has no index: a poll scans the table, and is paced like a pass. Deletes, and
changes that do not move ``DatSave`` (very likely those of quantities), are found by the repeated full pass only.
"""

from __future__ import annotations

from calendar import SUNDAY
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent.sources import Seen
from agent.sources.fingerprint import Found, Mark, compare
from agent.sources.prepared import Prepared
from agent.sources.queries import as_datetime, highest, server_time
from agent.sources.reader import Reader

LIMIT = 20_000
OVERLAP = timedelta(minutes=15)
OCTOBER = timedelta(minutes=70)
"""The repeated hour and some more: the overlap then, and what MAX(DatSave) may fall without alarm."""


@dataclass(frozen=True, slots=True)
class ByModifiedAt:
    """Reads by ``DatSave``. Its mark is the server's time of the last look, ISO text, local."""

    clock: Callable[[Reader], datetime] = server_time
    name: str = "modified-at"

    def start(self, reader: Reader, view: Prepared[Any]) -> str:  # noqa: ARG002 - the strategies are called alike
        """The mark from which to go on after a full pass that begins now."""
        return self.clock(reader).isoformat()

    def fell(self, reader: Reader, view: Prepared[Any], mark: Mark) -> str:  # noqa: ARG002 - as above
        """Nothing: `saved_fell` compares the dates themselves, not the clock."""
        return ""

    def poll(self, reader: Reader, view: Prepared[Any], seen: Seen, mark: Mark) -> tuple[Found, str, bool]:
        """Read what was saved since the mark: what was found, the new mark, and that there is no more."""
        now = self.clock(reader)
        since = min(as_datetime(mark), now)
        since -= overlap(since, now)
        changes: dict[str, str] = {}
        ids: dict[str, set[int]] = {}
        scanned, after = 0, -1
        while True:
            rows = reader.run(*view.queries.saved(since, after, LIMIT))
            inside = [raw for raw in rows if raw[-1]]
            if view.complete is not None and inside:
                inside = view.complete(reader, inside)
            found, met = compare(inside, view.digests(inside), seen.of_rows([raw[0] for raw in rows]))
            changes |= found
            for key, some in met.items():
                ids.setdefault(key, set()).update(some)
            scanned += len(rows)
            if len(rows) < LIMIT:
                return Found(changes, ids, None, scanned), now.isoformat(), False
            after = rows[-1][0]


def overlap(last: datetime, now: datetime) -> timedelta:
    """How far back to read again: 15 minutes, 70 if the hour that comes twice may lie between ``last`` and ``now``.

    Europe/Prague: on the last Sunday of October 3:00 becomes 2:00. Both times are local and without offset.
    """
    for year in {last.year, now.year}:
        change = october_change(year)
        if last < change + timedelta(hours=2) and now > change - timedelta(hours=2):
            return OCTOBER
    return OVERLAP


def october_change(year: int) -> datetime:
    """The local time at which the clock goes back: 3:00 on the last Sunday of October."""
    last = datetime(year, 10, 31, 3)  # noqa: DTZ001 - POHODA's times are local and carry no offset
    return last - timedelta(days=(last.weekday() - SUNDAY) % 7)


def last_saved(reader: Reader, view: Prepared[Any]) -> str:
    """MAX(DatSave) as ISO text; empty without the column or any date. Scans the table."""
    if not view.queries.table.has("DatSave"):
        return ""
    found = highest(reader, view.queries, view.queries.table["DatSave"])
    return as_datetime(found).isoformat() if found is not None else ""


def saved_fell(before: str, now: str) -> bool:
    """Tell whether MAX(DatSave) fell by more than the clock change explains."""
    return bool(before) and (not now or as_datetime(before) - as_datetime(now) > OCTOBER)
