"""The orders of the demo's shop beside those of POHODA's tables: how far each has come, and that it came there once.

A reckoning of its own, of plain SQL and of the shop's own history. What an order was in is told to the customer each
time, so each state may be there once only, in the order of progress, and only the agent's (and the first) at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from agent.demo.compare import Compared
from agent.demo.prestashop import FakePrestaShop

SINCE = "2020-01-01"
"""As ``demo.toml`` says: what is older stays as it is."""
PLACED, PARTLY, TRANSFERRED, EXECUTED, CANCELLED = 2, 3, 4, 5, 6
"""The shop's states, as ``demo.toml`` maps them."""
_PROGRESS = (PLACED, PARTLY, TRANSFERRED, EXECUTED, CANCELLED)
_ORDERS = """SELECT PDoklad, CASE
        WHEN MIN(Datum) < ? THEN 2
        WHEN MIN(DatStorn IS NOT NULL) THEN 6
        WHEN MIN(COALESCE(Vyrizeno, 0)) THEN 5
        WHEN MIN(COALESCE(BDodano, 0)) THEN 4
        WHEN (SELECT MAX(COALESCE(Dodano, 0)) FROM OBJpol WHERE RefAg = OBJ.ID) > 0 THEN 3
        ELSE 2 END
    FROM OBJ WHERE RelTpObj = 1 AND TRIM(COALESCE(PDoklad, '')) <> '' GROUP BY PDoklad"""


def compare(database: Path, shop: FakePrestaShop) -> list[Compared]:
    """Compare every order that the shop has: one record, of the target ``order_states``."""
    found = Compared("order_states")
    wanted = states_of(database)
    for number, been in sorted(shop.orders.histories().items()):
        found.keys += 1
        if lines := list(_differences(wanted.get(number, PLACED), been)):
            found.differing.append(f"{number}: " + "; ".join(lines))
    return [found]


def states_of(database: Path) -> dict[str, int]:
    """Number of each order → the state in which the shop must have it. In the demo each is one row of OBJ."""
    with closing(sqlite3.connect(database, timeout=5.0)) as db:
        return dict(db.execute(_ORDERS, (SINCE,)).fetchall())


def _differences(wanted: int, been: Sequence[int]) -> Iterator[str]:
    if been[-1] != wanted:
        yield f"POHODA {wanted}, shop {been[-1]}"
    if been[0] != PLACED or list(been) != sorted(set(been)) or not set(been) <= {*_PROGRESS}:
        yield f"was in the states {', '.join(map(str, been))}"
