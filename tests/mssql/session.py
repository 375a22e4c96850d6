"""One connection from log-in to its end: batches, remote procedures, transactions, and the faults that strike them."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.mssql import catalogue, statements, wire
from tests.mssql.context import Context, Result
from tests.mssql.errors import NO_PROCEDURE, SqlError
from tests.mssql.faults import NONE, Fault
from tests.mssql.kinds import encoder
from tests.mssql.login import log_in, negotiate
from tests.mssql.parameters import Bytes, Parameter, read
from tests.mssql.wire import Channel, Gone

if TYPE_CHECKING:
    from tests.mssql.server import Server

_BY_NUMBER = {10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 15: "sp_unprepare"}
_DECLARED = re.compile(r"@(\w+)\s")
_TRANSACTION = b"\x01" * 8
_TICK = 0.05


class _Attention(Exception):
    """The client does not want to wait any longer."""


@dataclass(slots=True)
class _Prepared:
    sql: str
    declared: str


class Session:
    """One connection; runs in a thread of its own."""

    def __init__(self, server: Server, raw: socket.socket, spid: int, tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._channel = Channel(raw, spid)
        self._spid = spid
        self._tls = tls
        self._prepared: dict[int, _Prepared] = {}

    def run(self) -> None:
        """Serve until the client goes or is thrown out."""
        try:
            negotiate(self._channel, self._tls)
            context = log_in(self._channel, self._server, self._spid)
            while context is not None:
                self._serve(context, *self._channel.receive())
        except (Gone, OSError):
            pass  # nobody is there to be told
        finally:
            self._channel.raw.close()

    def _serve(self, context: Context, kind: int, content: bytes) -> None:
        channel = self._channel
        if channel.reset_asked:
            channel.reset_asked = False
            channel.write(wire.environment_bytes(18))
        try:
            if kind == wire.ATTENTION:
                raise _Attention
            body = content[struct.unpack("<I", content[:4])[0] :]
            if kind == wire.BATCH:
                self._answer(context, body.decode("utf-16le"), {}, wire.DONE)
            elif kind == wire.RPC:
                self._call(context, Bytes(body))
            elif kind == wire.TRANSACTION:
                channel.write(_transaction(context, Bytes(body)) + wire.done())
            else:
                raise SqlError(4002, text=f"A message of type {kind} is not understood.")
        except SqlError as refusal:
            channel.write(wire.error(refusal) + wire.done(status=wire.ERROR))
        except _Attention:
            channel.write(wire.done(status=wire.ATTENDED))
        channel.finish()

    def _call(self, context: Context, source: Bytes) -> None:
        size = source.number(2)
        name = _BY_NUMBER.get(source.number(2), "") if size == 0xFFFF else source.take(size * 2).decode("utf-16le")
        source.number(2)
        given = []
        while source.more:
            given.append(read(source))
        procedure = name.split(".")[-1].strip("[]").lower()
        self._server.procedures[procedure] += 1
        after = self._procedure(context, procedure, given)
        self._channel.write(after + wire.done(wire.DONE_PROCEDURE))

    def _procedure(self, context: Context, name: str, given: Sequence[Parameter]) -> bytes:
        """Do what a procedure does; returns what follows its rows. Raises `SqlError`."""
        if name == "sp_executesql":
            declared = given[1].value if len(given) > 1 else ""
            self._answer(context, given[0].value, _bound(declared, given[2:]), wire.DONE_INSIDE)
        elif name in {"sp_prepare", "sp_prepexec"}:
            number = len(self._prepared) + 1
            prepared = self._prepared[number] = _Prepared(given[2].value, given[1].value or "")
            if name == "sp_prepexec":
                bound = _bound(prepared.declared, given[3:])
                self._answer(context, prepared.sql, bound, wire.DONE_INSIDE)
            return wire.handle(number)
        elif name == "sp_execute":
            found = self._prepared.get(given[0].value)
            if found is None:
                raise SqlError(8179, text=f"Could not find prepared statement with handle {given[0].value}.")
            self._answer(context, found.sql, _bound(found.declared, given[1:]), wire.DONE_INSIDE)
        elif name.startswith("sp_datatype_info"):
            self._send(catalogue.data_types(given[0].value if given else 0), wire.DONE_INSIDE, NONE, more=True)
        elif name.startswith("sp_columns"):
            self._send(catalogue.columns_of(context, given[0].value), wire.DONE_INSIDE, NONE, more=True)
        elif name not in {"sp_unprepare", "sp_reset_connection"}:
            raise SqlError(NO_PROCEDURE, name)
        return wire.status()

    def _answer(self, context: Context, sql: str, parameters: Mapping[str, Any], code: int) -> None:
        """Answer a batch, or do to it what was planned."""
        self._server.log.append(sql)
        fault = self._server.faults.strike(sql)
        if fault.number and fault.then_gone:
            self._channel.write(wire.error(SqlError(fault.number, text=fault.text)) + wire.done(status=wire.ERROR))
            self._channel.finish()
            raise Gone
        if fault.number:
            raise SqlError(fault.number, text=fault.text)
        if fault.hang:
            self._wait(float("inf"))
        results = statements.answer(context, sql, parameters)
        for number, result in enumerate(results, 1):
            self._send(result, code, fault, more=code == wire.DONE_INSIDE or number < len(results))

    def _send(self, result: Result, code: int, fault: Fault, *, more: bool) -> None:
        write = self._channel.write
        status = wire.MORE if more else 0
        if result.use:
            write(wire.environment(1, result.use))
        if not result.columns:
            write(wire.done(code, status))
            return
        write(wire.columns(result.columns))
        encoders = [encoder(kind) for _, kind in result.columns]
        for number, row in enumerate(result.rows):
            if number == fault.drop_after:
                break
            if fault.per_row:
                self._channel.flush()
                self._wait(fault.per_row)
            write(b"\xd1" + b"".join([write_value(value) for write_value, value in zip(encoders, row, strict=True)]))
        if fault.drop_after is not None:
            self._channel.flush()
            raise Gone
        write(wire.done(code, status | wire.COUNT, len(result.rows)))

    def _wait(self, seconds: float) -> None:
        """Wait, unless the client cancels (`_Attention`), goes or is thrown out (`Gone`)."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._channel.heard(min(left, _TICK)) and self._channel.receive()[0] == wire.ATTENTION:
                raise _Attention


def _bound(declared: str | None, given: Sequence[Parameter]) -> dict[str, Any]:
    """Name the parameters: those without a name stand in the order of the declaration."""
    names = _DECLARED.findall(declared or "")
    return {each.name or names[number]: each.value for number, each in enumerate(given)}


def _transaction(context: Context, source: Bytes) -> bytes:
    """A transaction manager request: 5 begins, 7 commits, 8 rolls back, the latter two may begin the next one."""
    asked, out = source.number(2), b""
    if asked in {7, 8} and context.open_transactions:
        out += wire.environment_bytes(asked + 2, b"", _TRANSACTION)
        context.open_transactions = 0
    begins = asked == 5
    if asked in {7, 8} and source.more:
        source.name()
        begins = source.more and bool(source.number(1) & 1)
    if begins and not context.open_transactions:
        out += wire.environment_bytes(8, _TRANSACTION)
        context.open_transactions = 1
    return out
