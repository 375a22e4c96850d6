"""Which of a code's cards speaks for it: a code may lie in several stores, each with texts and prices of its own.

The store that the setting names, if the code has a card there, ticked or not; else the first card with the tick
"Internet", in the order in which the stores are chosen, and of all stores, or two cards in one, the oldest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def speaking(rows: Sequence[Any], stores: Sequence[str], preferred: str) -> Any:  # noqa: ANN401 - rows of any view
    """Choose the row that speaks for its code. There must be one with the tick (``internet``).

    Rows have ``store``, ``internet``; ``stores`` are the chosen ones in order (none: all).
    """
    if len(rows) == 1:
        return rows[0]
    wanted = preferred.strip().casefold()
    there = [row for row in rows if wanted and row.store.casefold() == wanted]
    if there:
        return next((row for row in there if row.internet), there[0])
    order = {store.strip().casefold(): place for place, store in enumerate(stores)}
    ticked = [row for row in rows if row.internet]
    return min(ticked, key=lambda row: order.get(row.store.casefold(), len(order)))
