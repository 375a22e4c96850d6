"""The data types: how a value is stored (rounded as SQL Server does), described and sent. From [MS-TDS] 2.2.5."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from tests.mssql.errors import CONVERSION, SqlError

Value: TypeAlias = Any
"""What a cell or an expression holds; its `Kind` says what, which a type checker cannot follow."""

COLLATION = bytes.fromhex("0504d00000")
"""LCID 0x0405 Czech, ignoring case, kana and width; its code page is 1250."""
CODE_PAGE = "cp1250"
EPOCH = datetime(1900, 1, 1)  # noqa: DTZ001 - SQL Server's datetime has no offset
_NULL_TEXT, _NULL_MAX = b"\xff\xff", b"\xff" * 8
_INTEGERS = {"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8}
_TEXTS = {"varchar", "nvarchar", "char", "nchar", "sysname", "text"}
_BINARIES = {"varbinary": 0xA5, "binary": 0xAD, "rowversion": 0xAD}
_DECLARED = re.compile(r"\s*\[?(\w+)\]?\s*(?:\(\s*(\w+)\s*(?:,\s*(\d+)\s*)?\))?", re.IGNORECASE)
_SPELLED = {"integer": "int", "numeric": "decimal", "timestamp": "rowversion", "double": "float", "real": "float"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A data type. ``size``: characters, bytes or digits; None is ``max``."""

    name: str
    size: int | None = None
    scale: int = 0

    @property
    def is_text(self) -> bool:
        return self.name in _TEXTS

    @property
    def is_wide(self) -> bool:
        """Unicode: two bytes a character."""
        return self.name.startswith("n") or self.name == "sysname"

    @property
    def user_type(self) -> int:
        """80 tells drivers that a binary(8) is a rowversion."""
        return 80 if self.name == "rowversion" else 0


INT, BIGINT, SMALLINT, BIT, FLOAT = Kind("int"), Kind("bigint"), Kind("smallint"), Kind("bit"), Kind("float")
DATETIME, DATETIME2, DATE = Kind("datetime"), Kind("datetime2", 7), Kind("date")
MONEY, ROWVERSION, NAME = Kind("money"), Kind("rowversion", 8), Kind("nvarchar", 128)
VARIANT = Kind("sql_variant", 8009)
"""What SERVERPROPERTY gives; here it always holds a text."""


def kind_of(declared: str) -> Kind:
    """Read a declaration such as ``varchar(64)``. Raises `SqlError`."""
    found = _DECLARED.match(declared)
    name = found.group(1).lower() if found else ""
    name = _SPELLED.get(name, name)
    size, scale = (found.group(2), found.group(3)) if found else (None, None)
    if name == "text" or (size or "").lower() == "max":
        return Kind(name, None)
    if name == "decimal":
        return Kind(name, int(size or 18), int(scale or 0))
    if name in _TEXTS | {"varbinary", "binary"}:
        return Kind(name, int(size or (128 if name == "sysname" else 30)))
    known = {each.name: each for each in (INT, BIGINT, SMALLINT, BIT, FLOAT, DATETIME, DATETIME2, DATE, MONEY)}
    known |= {"rowversion": ROWVERSION, "tinyint": Kind("tinyint")}
    if name not in known:
        raise SqlError(2715, text=f"Cannot find data type {declared}.")
    return known[name]


def kind_for(value: object) -> Kind:
    """The type of a literal or a parameter."""
    if isinstance(value, bool):
        return BIT
    if isinstance(value, int):
        return INT if -(2**31) <= value < 2**31 else BIGINT
    if isinstance(value, Decimal):
        return Kind("decimal", 38, max(-int(value.as_tuple().exponent), 0))
    if isinstance(value, bytes):
        return Kind("varbinary", 8000)
    return {float: FLOAT, datetime: DATETIME2, date: DATE}.get(type(value), Kind("nvarchar", 4000))


def ticks(value: datetime) -> tuple[int, int]:
    """Days since 1900 and 1/300 s, rounded as ``datetime`` rounds."""
    since = value - EPOCH
    days, parts = since.days, (since.seconds * 10**6 + since.microseconds) * 3
    parts = (parts + 5_000) // 10_000
    return (days + 1, 0) if parts == 24 * 3600 * 300 else (days, parts)


def from_ticks(days: int, parts: int) -> datetime:
    return EPOCH + timedelta(days=days, microseconds=parts * 10_000 // 3)


def convert(kind: Kind, value: Value) -> Value:
    """Make of a value what a column of this kind would store; None stays. Raises `SqlError` 245."""
    if value is None:
        return None
    try:
        return _converted(kind, value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise SqlError(CONVERSION, value, kind.name) from error


def _converted(kind: Kind, value: Value) -> Value:
    if kind.name in _INTEGERS:
        return int(value)
    if kind.is_text:
        return _text(kind, value)
    if kind.name in {"datetime", "datetime2", "date"}:
        found = datetime.fromisoformat(str(value))
        return from_ticks(*ticks(found)) if kind == DATETIME else found if kind.name != "date" else found.date()
    if kind.name in {"money", "decimal"}:
        step = Decimal(1).scaleb(-4 if kind.name == "money" else -kind.scale)
        return Decimal(str(value)).quantize(step, ROUND_HALF_UP)
    if kind.name in _BINARIES:
        return _binary(kind, value)
    return bool(value) if kind.name == "bit" else float(value)


def _text(kind: Kind, value: Value) -> str:
    text = str(value) if kind.size is None else str(value)[: kind.size]
    return text if kind.is_wide else _in_code_page(text)


def _in_code_page(text: str) -> str:
    return text.encode(CODE_PAGE, "replace").decode(CODE_PAGE)


def _binary(kind: Kind, value: Value) -> bytes:
    raw = value.to_bytes(8, "big") if isinstance(value, int) else bytes(value)
    return raw if kind.name == "varbinary" else raw[: kind.size].ljust(kind.size or 0, b"\0")


def type_info(kind: Kind) -> bytes:
    """TYPE_INFO of a column."""
    if kind.name in _INTEGERS:
        return bytes((0x26, _INTEGERS[kind.name]))
    if kind.name == "text":
        return b"\x23\xff\xff\xff\x7f" + COLLATION + b"\x01\x01\x00T\x00"  # from one table, named T
    if kind.is_text:
        size = 0xFFFF if kind.size is None else kind.size * (2 if kind.is_wide else 1)
        return struct.pack("<BH", 0xE7 if kind.is_wide else 0xA7, size) + COLLATION
    if kind.name in _BINARIES:
        return struct.pack("<BH", _BINARIES[kind.name], 0xFFFF if kind.size is None else kind.size)
    if kind.name == "decimal":
        return bytes((0x6C, 17, kind.size or 18, kind.scale))
    fixed: dict[str, tuple[int, ...]] = {
        "sql_variant": (0x62, 0x49, 0x1F, 0, 0),
        "bit": (0x68, 1),
        "float": (0x6D, 8),
        "money": (0x6E, 8),
        "datetime": (0x6F, 8),
    }
    return bytes(fixed.get(kind.name, (0x2A, 7) if kind.name == "datetime2" else (0x28,)))


def encoder(kind: Kind) -> Callable[[Value], bytes]:
    """A function that writes values of this kind, None included."""
    if kind == VARIANT:
        return _write_variant
    if kind.name == "text":
        return _write_text
    if kind.is_text:
        page = "utf-16le" if kind.is_wide else CODE_PAGE
        return lambda value: _counted(kind, None if value is None else str(value).encode(page, "replace"))
    if kind.name in _BINARIES:
        return lambda value: _counted(kind, value)
    write = _FIXED[kind.name]
    return lambda value: b"\0" if value is None else write(kind, value)


def _counted(kind: Kind, raw: bytes | None) -> bytes:
    if kind.size is None:
        if raw is None:
            return _NULL_MAX
        return b"\xfe" + b"\xff" * 7 + (struct.pack("<I", len(raw)) + raw if raw else b"") + b"\0" * 4
    return _NULL_TEXT if raw is None else struct.pack("<H", len(raw)) + raw


def _write_text(value: Value) -> bytes:
    if value is None:
        return b"\0"
    raw = str(value).encode(CODE_PAGE, "replace")
    return b"\x10" + b"p" * 16 + b"t" * 8 + struct.pack("<I", len(raw)) + raw


def _write_variant(value: Value) -> bytes:
    """[MS-TDS] 2.2.5.5.4: length, type within, size and bytes of its properties, the value."""
    if value is None:
        return b"\0" * 4
    raw = str(value).encode("utf-16le")
    inner = b"\xe7\x07" + COLLATION + struct.pack("<H", 256) + raw
    return struct.pack("<I", len(inner)) + inner


def _write_integer(kind: Kind, value: Value) -> bytes:
    size = _INTEGERS[kind.name]
    return bytes((size,)) + int(value).to_bytes(size, "little", signed=size > 1)


def _write_money(_: Kind, value: Value) -> bytes:
    scaled = int(Decimal(value).scaleb(4))
    return b"\x08" + struct.pack("<iI", scaled >> 32, scaled & 0xFFFFFFFF)


def _write_decimal(kind: Kind, value: Value) -> bytes:
    scaled = int(Decimal(value).scaleb(kind.scale).to_integral_value(ROUND_HALF_UP))
    return bytes((17, int(scaled >= 0))) + abs(scaled).to_bytes(16, "little")


def _write_datetime2(_: Kind, value: Value) -> bytes:
    part = ((value.hour * 60 + value.minute) * 60 + value.second) * 10**7 + value.microsecond * 10
    days: int = value.toordinal() - 1
    return b"\x08" + int(part).to_bytes(5, "little") + days.to_bytes(3, "little")


_FIXED: dict[str, Callable[[Kind, Value], bytes]] = {
    **dict.fromkeys(_INTEGERS, _write_integer),
    "bit": lambda _, value: b"\x01\x01" if value else b"\x01\x00",
    "float": lambda _, value: b"\x08" + struct.pack("<d", value),
    "money": _write_money,
    "decimal": _write_decimal,
    "datetime": lambda _, value: b"\x08" + struct.pack("<iI", *ticks(value)),
    "datetime2": _write_datetime2,
    "date": lambda _, value: b"\x03" + (value.toordinal() - 1).to_bytes(3, "little"),
}
