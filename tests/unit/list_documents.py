"""Documents of categories, parameters, suppliers and orders, and someone who takes them in as the agent does."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.intake import Intake
from agent.sources.export_directory import ExportDirectory
from agent.sources.mirror import KINDS, Kind, MirrorDatabase
from agent.sources.pohoda_db import PohodaTable
from state import mirror
from state.mirror import open_mirror
from tests.pohoda.documents import pack, pack_item
from tests.unit.export_fixture import ICO
from tests.unit.pohoda_fixture import Clock, Follower

NOW = 1_800_000_000.0
STAMP = "2026-11-20T08:00:00"
ALL: tuple[Kind, ...] = tuple(KINDS)


def whole(*lists: str) -> bytes:
    """A document with these lists, each in a pack item."""
    return pack("".join(map(pack_item, lists))).encode("cp1250")


def _list(name: str, inside: str, stamp: str) -> str:
    return f'<{name} version="2.0" dateTimeStamp="{stamp}" state="ok">{inside}</{name}>'


def cards(*made: str, stamp: str = STAMP) -> str:
    return _list("lStk:listStock", "".join(made), stamp)


def card(code: str, row: int = 1, *, store: str = "HLAVNI", inside: str = "", behind: str = "") -> str:
    """A card that tells of no pictures, prices, categories or parameters unless ``inside`` does."""
    storage = f"<stk:storage><typ:id>1</typ:id><typ:ids>{store}</typ:ids></stk:storage>" if store else ""
    known = f"<stk:id>{row}</stk:id>" if row else ""
    header = f"{known}<stk:code>{code}</stk:code><stk:isInternet>true</stk:isInternet>{storage}{inside}"
    return f'<lStk:stock version="2.0"><stk:stockHeader>{header}</stk:stockHeader>{behind}</lStk:stock>'


def in_categories(*ids: int, main: int = 0) -> str:
    tags = ((one, ' main="true"' if one == main else "") for one in ids)
    inside = (f"<stk:idCategory{said}>{one}</stk:idCategory>" for one, said in tags)
    return f"<stk:categories>{''.join(inside)}</stk:categories>"


def with_parameters(*made: str) -> str:
    return f"<stk:intParameters>{''.join(made)}</stk:intParameters>"


def parameter(row: int, name: str, kind: str, *values: tuple[int | None, str]) -> str:
    """A card's parameter with values as (id in the list, text)."""
    inside = "".join(
        f"<stk:intParameterValue>{_said('stk:parameterValueID', one)}{_said('stk:parameterValue', text)}"
        "</stk:intParameterValue>"
        for one, text in values
    )
    return (
        f"<stk:intParameter>{_said('stk:intParameterID', row or None)}{_said('stk:intParameterName', name)}"
        f"{_said('stk:intParameterType', kind)}<stk:intParameterValues>{inside}</stk:intParameterValues>"
        "</stk:intParameter>"
    )


def categories(*made: str, stamp: str = STAMP) -> str:
    return _list("lst:listCategory", f'<lst:categoryDetail version="2.0">{"".join(made)}</lst:categoryDetail>', stamp)


def category(row: int, name: str, *below: str, more: str = "") -> str:
    sub = f"<ctg:subCategories>{''.join(below)}</ctg:subCategories>" if below else ""
    return f"<ctg:category><ctg:id>{row}</ctg:id><ctg:name>{name}</ctg:name>{more}{sub}</ctg:category>"


def parameters(*made: str, stamp: str = STAMP) -> str:
    return _list("lst:listIntParam", f'<lst:intParamDetail version="2.0">{"".join(made)}</lst:intParamDetail>', stamp)


def definition(
    row: int, name: str, kind: str, *, unit: str = "", currency: str = "", choices: Sequence[tuple[int, str]] = ()
) -> str:
    listed = "".join(
        f"<ipm:parameterListItem>{_said('ipm:id', one)}{_said('ipm:name', text)}</ipm:parameterListItem>"
        for one, text in choices
    )
    settings = _said("ipm:unit", unit or None) + (f"<ipm:parameterList>{listed}</ipm:parameterList>" if listed else "")
    settings += f"<ipm:currency><typ:ids>{currency}</typ:ids></ipm:currency>" if currency else ""
    return (
        f"<ipm:intParam>{_said('ipm:id', row)}{_said('ipm:name', name)}{_said('ipm:parameterType', kind)}"
        f"<ipm:parameterSettings>{settings}</ipm:parameterSettings></ipm:intParam>"
    )


def suppliers(*made: str, stamp: str = STAMP) -> str:
    return _list("lst:listSupplier", "".join(made), stamp)


def supplied(row: int | None, code: str, *by: tuple[int | None, str, str, bool]) -> str:
    """A card and its suppliers: (AD.ID, name, own code, default)."""
    inside = "".join(
        f'<sup:supplierItem default="{str(default).lower()}"><sup:refAd>{_said("typ:id", address)}'
        f"{_said('typ:ids', name or None)}</sup:refAd>{_said('sup:orderCode', own or None)}</sup:supplierItem>"
        for address, name, own, default in by
    )
    stock = f"<typ:stockItem>{_said('typ:id', row)}{_said('typ:ids', code)}</typ:stockItem>"
    return (
        f'<lst:supplier version="2.0"><sup:stockItem>{stock}</sup:stockItem><sup:suppliers>{inside}</sup:suppliers>'
        "</lst:supplier>"
    )


def orders(*made: str, stamp: str = STAMP) -> str:
    return _list("lst:listOrder", "".join(made), stamp)


def order(
    row: int,
    number: str,
    *lines: tuple[int | None, str, float, float],
    more: str = "",
    kind: str = "receivedOrder",
    day: str = "2026-11-18",
) -> str:
    """An order with lines as (SKz.ID, code, pieces, transferred)."""
    inside = "".join(
        f"<ord:orderItem><ord:quantity>{pieces}</ord:quantity><ord:delivered>{sent}</ord:delivered>"
        f"{_said('ord:code', code)}<ord:stockItem><typ:stockItem>{_said('typ:id', card_row)}</typ:stockItem>"
        "</ord:stockItem></ord:orderItem>"
        for card_row, code, pieces, sent in lines
    )
    header = (
        f"{_said('ord:id', row)}{_said('ord:orderType', kind)}<ord:number><typ:numberRequested>26{row:05}"
        f"</typ:numberRequested></ord:number>{_said('ord:numberOrder', number)}{_said('ord:date', day)}{more}"
    )
    return (
        f'<lst:order version="2.0"><ord:orderHeader>{header}</ord:orderHeader><ord:orderDetail>{inside}'
        "</ord:orderDetail></lst:order>"
    )


def _said(tag: str, value: object) -> str:
    return "" if value is None else f"<{tag}>{value}</{tag}>"


class Desk:
    """An export directory, its intake and its mirror, under one clock."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.folder = folder / "export"
        self.folder.mkdir()
        self.path = folder / "export.db"
        self._open()
        self.database = MirrorDatabase(self.path, clock=lambda: self.now)
        self._number = 0

    def put(self, raw: bytes) -> None:
        """Lay a document into the directory."""
        self._number += 1
        path = self.folder / f"{self._number:03}.xml"
        path.write_bytes(raw)
        os.utime(path, (self.now, self.now))

    def put_whole(self, *lists: str) -> None:
        """The same with a document of these lists."""
        self.put(whole(*lists))

    def restart(self) -> None:
        """Begin anew, as a process does: what is only in memory is gone."""
        self.intake.close()
        self._open()

    def _open(self) -> None:
        self.file = open_mirror(self.path, stamp="t")
        self.intake = Intake(ExportDirectory(self.folder, ico=ICO, clock=lambda: self.now), self.file)

    def tell(self, *lists: str, raw: bytes = b"") -> mirror.Document:
        """Let a document with these lists be taken in; gives how it ended."""
        self.put(raw or whole(*lists))
        for _ in range(4):
            while self.intake.step(self.now):
                pass
            self.now += 1.0
        with self.file.read() as db:
            return mirror.documents(db, 1)[0]

    def sql(self, text: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(text, values).fetchall()

    def versions(self, table: str = "SKz") -> dict[int, int]:
        """Id → row version."""
        return dict(self.sql(f"SELECT ID, RowVer FROM {table}"))

    def source(self, view: Any, kinds: Iterable[Kind] = ("cards",)) -> PohodaTable[Any]:  # noqa: ANN401 - any view
        needed = self.database.needing(*kinds)
        return PohodaTable("things", needed, view, growing=needed.growing, clock=Clock())

    def follow(self, view: Any, kinds: Iterable[Kind] = ("cards",)) -> Follower:  # noqa: ANN401 - any view
        return Follower(self.source(view, kinds))

    def close(self) -> None:
        self.database.close()
        self.intake.close()
