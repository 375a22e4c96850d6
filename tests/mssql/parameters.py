"""The parameters of a remote procedure call, read from the wire. From [MS-TDS] 2.2.6.6."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.mssql.errors import SqlError
from tests.mssql.kinds import CODE_PAGE, EPOCH, Value, from_ticks

_FIXED = {0x30: 1, 0x34: 2, 0x38: 4, 0x7F: 8}
_WIDE, _NARROW, _BINARY = {0xE7, 0xEF}, {0xA7, 0xAF}, {0xA5, 0xAD}


@dataclass(slots=True)
class Bytes:
    """Bytes, read from the front."""

    data: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def name(self) -> str:
        """A text counted by one byte."""
        return self.take(self.number(1) * 2).decode("utf-16le")

    @property
    def more(self) -> bool:
        return self.at < len(self.data)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; its name without the ``@``."""

    name: str
    value: Any


def read(source: Bytes) -> Parameter:
    """Read one parameter. Raises `SqlError` for a type that no driver of ours sends."""
    name = source.name().lstrip("@")
    source.number(1)  # by reference or default: all the same to us
    code = source.number(1)
    if code in _FIXED:
        return Parameter(name, source.number(_FIXED[code], signed=code != 0x30))
    if code in _WIDE | _NARROW | _BINARY:
        return Parameter(name, _counted(source, code))
    if code not in _READERS:
        raise SqlError(8009, text=f"A parameter has the unknown data type 0x{code:02x}.")
    return Parameter(name, _READERS[code](source))


def _counted(source: Bytes, code: int) -> str | bytes | None:
    longest = source.number(2)
    if code not in _BINARY:
        source.take(5)
    raw = _chunks(source) if longest == 0xFFFF else _short(source)
    if raw is None or code in _BINARY:
        return raw
    return raw.decode("utf-16le" if code in _WIDE else CODE_PAGE)


def _short(source: Bytes) -> bytes | None:
    count = source.number(2)
    return None if count == 0xFFFF else source.take(count)


def _chunks(source: Bytes) -> bytes | None:
    if source.take(8) == b"\xff" * 8:
        return None
    found = b""
    while count := source.number(4):
        found += source.take(count)
    return found


def _sized(read_value: Callable[[Bytes, int], Any], described: int = 1) -> Callable[[Bytes], Any]:
    """A reader of types whose values are counted by one byte, 0 being NULL; ``described`` bytes come before."""

    def reader(source: Bytes) -> Value:
        source.take(described)
        count = source.number(1)
        return read_value(source, count) if count else None

    return reader


def _decimal(source: Bytes) -> Decimal | None:
    source.take(2)
    scale, count = source.number(1), source.number(1)
    if not count:
        return None
    positive, value = source.number(1), source.number(count - 1)
    return Decimal(value if positive else -value).scaleb(-scale)


def _money(source: Bytes, count: int) -> Decimal:
    high = source.number(4, signed=True)
    return Decimal(high if count == 4 else (high << 32) | source.number(4)).scaleb(-4)


def _datetime(source: Bytes, count: int) -> datetime:
    if count == 4:
        return EPOCH + timedelta(days=source.number(2), minutes=source.number(2))
    return from_ticks(source.number(4, signed=True), source.number(4))


def _datetime2(source: Bytes) -> datetime | None:
    scale, count = source.number(1), source.number(1)
    if not count:
        return None
    part = source.number(count - 3) * 10 ** (7 - scale)
    return datetime.fromordinal(source.number(3) + 1) + timedelta(microseconds=part // 10)


def _ntext(source: Bytes) -> str | None:
    source.take(4 + 5)
    count = source.number(4, signed=True)
    return None if count < 0 else source.take(count).decode("utf-16le")


_READERS: dict[int, Callable[[Bytes], Any]] = {
    0x26: _sized(lambda source, count: source.number(count, signed=count > 1)),
    0x32: lambda source: bool(source.number(1)),
    0x68: _sized(lambda source, count: bool(source.number(count))),
    0x6D: _sized(lambda source, count: struct.unpack("<d" if count == 8 else "<f", source.take(count))[0]),
    0x6A: _decimal,
    0x6C: _decimal,
    0x6E: _sized(_money),
    0x6F: _sized(_datetime),
    0x2A: _datetime2,
    0x28: _sized(lambda source, _: date.fromordinal(source.number(3) + 1), 0),
    0x24: _sized(lambda source, count: uuid.UUID(bytes_le=source.take(count))),
    0x63: _ntext,
}
