"""Days as drivers and files give them: a date, a moment whose time is dropped, or a text that begins with an ISO date.

POHODA's columns are moments without a zone, local to its machine; SQLite and the mirror of exports hold texts.
"""

from __future__ import annotations

import datetime as dt

from agent.errors import Unusable


def day_of(column: str, value: object) -> dt.date | None:
    """Make a day of what a source gave; NULL and an empty text are None. Raises `Unusable`, which names the column."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value.strip()[:10])
        except ValueError:
            pass
    raise Unusable(column, f"not a date but {str(value)[:30]!r}", hint="Correct the date in POHODA.")
