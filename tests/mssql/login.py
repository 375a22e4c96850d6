"""The beginning of a connection: pre-login with its choice of encryption, then LOGIN7. From [MS-TDS] 2.2.6.4-5."""

from __future__ import annotations

import ssl
import struct
from typing import TYPE_CHECKING

from tests.mssql import wire
from tests.mssql.context import Context
from tests.mssql.errors import LOGIN_REFUSED, NO_ACCESS, SqlError
from tests.mssql.wire import Channel, Gone

if TYPE_CHECKING:
    from tests.mssql.server import Server

_OFF, _ON, _NOT_SUPPORTED, _REQUIRED = 0, 1, 2, 3
_VERSION = bytes((15, 0, 0x07, 0xD0, 0, 0))


def negotiate(channel: Channel, tls: ssl.SSLContext | None) -> None:
    """Answer the pre-login; from here on the connection is encrypted if the client asks for it. Raises `Gone`.

    A client that does not ask has only its LOGIN7 encrypted, as SQL Server does it: the password.
    """
    kind, content = channel.receive()
    if kind != wire.PRELOGIN:
        raise Gone
    asked = _asked(content)
    agreed = _NOT_SUPPORTED if tls is None or asked == _NOT_SUPPORTED else _ON if asked in {_ON, _REQUIRED} else _OFF
    options = ((0, _VERSION), (1, bytes((agreed,))), (2, b"\0"), (3, b""), (4, b"\0"))
    head, body = b"", b""
    for number, value in options:
        head += struct.pack(">BHH", number, len(options) * 5 + 1 + len(body), len(value))
        body += value
    channel.write(head + b"\xff" + body)
    channel.finish()
    if tls is not None and agreed != _NOT_SUPPORTED:
        channel.secure(tls)
        channel.only_login = agreed == _OFF


def _asked(content: bytes) -> int:
    at = 0
    while at + 5 <= len(content) and content[at] != 0xFF:
        option, offset, _ = struct.unpack(">BHH", content[at : at + 5])
        if option == 1:
            return int(content[offset])
        at += 5
    return _NOT_SUPPORTED


def log_in(channel: Channel, server: Server, spid: int) -> Context | None:
    """Read LOGIN7 and answer it; None when it was refused."""
    kind, content = channel.receive()
    if channel.only_login:
        channel.secured = None
    if kind != wire.LOGIN or len(content) < 94:
        raise Gone
    user, database = _field(content, 40).decode("utf-16le"), _field(content, 68).decode("utf-16le") or "master"
    login = server.logins.get(user.lower())
    try:
        if login is None or login.password != _password(_field(content, 44)):
            raise SqlError(LOGIN_REFUSED, user)
        if login.refusal:
            raise SqlError(login.refusal, user)
        found = server.databases.get(database.lower())
        if found is None or not login.may_use(database):
            raise SqlError(NO_ACCESS, database)
    except SqlError as refusal:
        also = wire.error(SqlError(LOGIN_REFUSED, user)) if refusal.number == NO_ACCESS else b""
        channel.write(wire.error(refusal) + also + wire.done(status=wire.ERROR))
        channel.finish()
        return None
    asked = struct.unpack("<I", content[8:12])[0]
    size = asked if 512 <= asked <= 32767 else 4096
    channel.write(
        wire.environment(1, found.name, "master")
        + wire.message(0xAB, 5701, f"Changed database context to '{found.name}'.", state=2)
        + wire.collation_change()
        + wire.environment(2, "us_english")
        + wire.acknowledged()
        + wire.environment(4, str(size), "4096")
        + (b"\xae\xff" if content[27] & 0x10 else b"")
        + wire.done()
    )
    channel.finish()
    channel.packet_size = size
    return Context(server.databases, found, user, login, spid, server.clock, version=server.version)


def _field(content: bytes, at: int) -> bytes:
    offset, count = struct.unpack("<HH", content[at : at + 4])
    return content[offset : offset + count * 2]


def _password(raw: bytes) -> str:
    plain = bytes(((byte ^ 0xA5) << 4 & 0xF0) | ((byte ^ 0xA5) >> 4) for byte in raw)
    return plain.decode("utf-16le", "replace")
