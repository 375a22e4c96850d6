"""The view ``orders``: how far POHODA has come with the shop's orders (``OBJ`` with ``RelTpObj = 1``, ``OBJpol``).

The key is the shop's number of the order, ``PDoklad``; several rows with one number are one order, and all are given.
Orders before ``since`` and those without a number say nothing. POHODA has no state of an order: Vyřízeno, Přeneseno
(``BDodano``), the date of cancelling (``DatStorn``) and the pieces transferred of each line make one, and customers add
columns of their own, ``VPr…`` with values and ``RefVPr…`` with rows of a list (``sVPULpol``). Which are read, a person
writes into the configuration: such a name is looked up among the table's columns and never put into a statement; one
that is not there is an error that lists those that are.

``OBJ.DatSave`` and a row version tell of the order itself; whether POHODA saves it when only pieces of a line move is
not known, so by them such a change counts as found by the full pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, null, select

from agent.errors import SourceUnavailable
from agent.sources import SourceFinding
from agent.sources.columns import Catalogue, TableColumns
from agent.sources.prepared import Prepared
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader
from agent.sources.rows_catalogue import OrderLine, OrderRow
from agent.sources.views import exact
from agent.sources.views.cards import code_of
from agent.sources.views.children import FIRST, Children, attach, children, missing, named, seen_late, witness

CHUNK = 5_000
"""Orders of one read of a pass. To be given to `PohodaTable` as ``chunk``."""
TOGETHER = timedelta(days=92)
"""Within so many days lie orders with one number of the shop: older ones are read as well, so that the target sees that
one of them is older than ``since`` and leaves all of them alone."""
_NEEDED = ("ID", "RelTpObj", "PDoklad", "Datum", "Vyrizeno")
_OPTIONAL = {
    "BDodano": "an order transferred in full (Přeneseno) is not told from others",
    "DatStorn": "a cancelled order is not told from others",
}
_KINDS = (exact.tick, exact.tick, exact.moment)
_OWN = ("Vyrizeno", "BDodano", "DatStorn")
_CUSTOM, _WIDTH = 7, 10
_NUMBER, _DATE = 11, 12
"""Places in a raw row: three columns of the customer's, what `complete` puts behind them, and what is for people."""
_LIST = "refvpr"
"""How columns begin that name a row of the customer's lists, in lower case."""


@dataclass(frozen=True, slots=True)
class OrdersView:
    """The settings: the first day that counts, and columns of the customer's own (empty: none)."""

    since: date
    list_column: str = ""
    tracking_column: str = ""
    carrier_column: str = ""

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[OrderRow]:
        """Look up columns. Raises `SourceUnavailable`."""
        orders, lines = _tables(reader, catalogue)
        custom = self._custom(orders)
        lists = self._lists(reader, catalogue, custom)
        own = [orders[name] if orders.has(name) else null().label(name) for name in _OWN]
        chosen = [null().label(f"none{place}") if each is None else each for place, each in enumerate(custom)]
        ours: tuple[ColumnElement[Any], ...] = (null().label("store"), literal_column("1").label("offered"))
        return Prepared(
            queries=Queries(
                dialect=reader.connection.dialect,
                table=orders,
                narrow=(orders["ID"], orders["PDoklad"], *ours, *own, *chosen),
                extra=(orders["Cislo"] if orders.has("Cislo") else null().label("Cislo"), orders["Datum"]),
                within=self._within(orders, reader.dialect, self.since - TOGETHER),
            ),
            digests=partial(exact.digests, kinds=_KINDS, more=_exactly),
            row=_row,
            offered=_offered,
            hints=(lines["ID"],),
            witness=witness(reader, catalogue),
            complete=partial(
                _complete,
                lines=children(reader, lines, ("RefSKz", "Kod", "Mnozstvi", "Dodano")),
                lists=lists,
                listed=[each is not None and each.name.lower().startswith(_LIST) for each in custom],
            ),
        )

    def settings(self) -> str:
        """A digest of what decides which rows and columns count."""
        columns = [name.strip().casefold() for name in (self.list_column, self.tracking_column, self.carrier_column)]
        return hashlib.blake2b(repr((self.since.isoformat(), columns)).encode(), digest_size=8).hexdigest()

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """Columns missing, and how many orders count. Raises `SourceUnavailable`."""
        orders, _ = _tables(reader, catalogue)
        self._lists(reader, catalogue, self._custom(orders))
        found = [*missing(orders, _OPTIONAL), *seen_late(orders, "pieces transferred of a line (OBJpol)")]
        rows = select(func.count()).select_from(orders.clause)
        received = reader.scalar(rows.where(_received(orders)))
        count = reader.scalar(rows.where(self._within(orders, reader.dialect, self.since)))
        text = f"{count} of {received} received orders are of {self.since} or later and have a shop's number (PDoklad)."
        hint = "Check since, and that orders keep the shop's number when they are imported." if not count else ""
        return [*found, SourceFinding("warning" if hint else "ok", "orders", text, hint)]

    def _within(self, orders: TableColumns, dialect: str, since: date) -> ColumnElement[bool]:
        """Received orders with a number, of that day or later; the date as a text that no setting reads otherwise."""
        day = since.strftime("%Y%m%d") if dialect == "mssql" else since.isoformat()
        return and_(
            _received(orders),
            orders["PDoklad"].is_not(None),
            orders["PDoklad"] != literal_column("''"),
            orders["Datum"] >= literal_column(f"'{day}'"),
        )

    def _custom(self, orders: TableColumns) -> list[Any]:
        """The customer's columns, None for those not set. Raises `SourceUnavailable` that lists those there are."""
        found = []
        settings = ("list_column", "tracking_column", "carrier_column")
        for setting, said in zip(settings, (self.list_column, self.tracking_column, self.carrier_column), strict=True):
            name = said.strip()
            if name and not orders.has(name):
                there = [each.name for each in orders.clause.c if each.name.lower().startswith(("vpr", _LIST))]
                raise SourceUnavailable(
                    f"The table OBJ has no column {name[:64]}, which {setting} names.",
                    hint=f"Name one of the columns that were added in POHODA: {', '.join(sorted(there)) or 'none'}.",
                )
            found.append(orders[name] if name else None)
        return found

    def _lists(self, reader: Reader, catalogue: Catalogue, custom: Sequence[Any]) -> TableColumns | None:
        """The values of the customer's lists, if a column names one. Raises `SourceUnavailable`."""
        if any(each is not None and each.name.lower().startswith(_LIST) for each in custom):
            return catalogue.need(reader, "sVPULpol", ["ID", "IDS"])
        return None


def _tables(reader: Reader, catalogue: Catalogue) -> tuple[TableColumns, TableColumns]:
    orders = catalogue.need(reader, "OBJ", _NEEDED)
    return orders, catalogue.need(reader, "OBJpol", ["ID", "RefAg", "Kod", "Mnozstvi", "Dodano"])


def _received(orders: TableColumns) -> ColumnElement[bool]:
    return func.coalesce(orders["RelTpObj"], literal_column("0")) == literal_column("1")


def _complete(
    reader: Reader, rows: Sequence[Raw], *, lines: Children, lists: TableColumns | None, listed: Sequence[bool]
) -> list[Raw]:
    """Put behind each order what the customer's columns say, and its lines of goods as the fields of `OrderLine`."""
    held = lines.of(reader, [raw[0] for raw in rows])
    texts: Mapping[Any, Any] = {} if lists is None else named(reader, lists)

    def of(raw: Raw) -> tuple[Any, ...]:
        mine = [line[FIRST + 1 :] for line in held.get(raw[0], ()) if line[FIRST] or line[FIRST + 1]]
        custom = zip(raw[_CUSTOM:_WIDTH], listed, strict=True)
        return (*(texts.get(value) if from_list else value for value, from_list in custom), tuple(mine))

    return attach(rows, _WIDTH, of)


def _exactly(raw: Raw) -> object:
    *custom, lines = raw[_WIDTH]
    said = [exact.text(value) for value in custom]
    return [said, [[exact.text(code), exact.number(pieces), exact.number(sent)] for code, pieces, sent in lines]]


def _row(raw: Raw) -> OrderRow:
    listed, tracking, carrier, lines = raw[_WIDTH]
    return OrderRow(
        id=raw[0],
        code=code_of(raw),
        number=raw[_NUMBER],
        date=raw[_DATE],
        executed=exact.tick(raw[4]),
        transferred=exact.tick(raw[5]),
        cancelled=raw[6],
        listed=listed,
        tracking=tracking,
        carrier=carrier,
        lines=tuple([OrderLine(*each) for each in lines]),
    )


def _offered(_: Raw) -> bool:
    return True
