"""Packets and tokens of TDS 7.4, from [MS-TDS] 2.2.3 and 2.2.7. A message is cut into packets as it is written."""

from __future__ import annotations

import select
import socket
import ssl
import struct
from collections.abc import Sequence

from tests.mssql.errors import SqlError
from tests.mssql.kinds import COLLATION, Kind, type_info

BATCH, RPC, REPLY, ATTENTION, TRANSACTION, LOGIN, PRELOGIN = 1, 3, 4, 6, 14, 16, 18
DONE, DONE_PROCEDURE, DONE_INSIDE = 0xFD, 0xFE, 0xFF
MORE, ERROR, COUNT, ATTENDED = 0x01, 0x02, 0x10, 0x20
TDS_74 = bytes.fromhex("74000004")
RESET_ASKED, LAST = 0x08, 0x01
_LONGEST = 64 << 20


class Gone(Exception):
    """The client has gone, or is being thrown out."""


class Channel:
    """One connection, plain or encrypted; reads whole messages, writes in packets."""

    def __init__(self, raw: socket.socket, spid: int) -> None:
        self.raw = raw
        self.secured: _Secured | None = None
        self.only_login = False
        """Encryption ends with the log-in."""
        self.packet_size = 4096
        self.reset_asked = False
        self._spid = spid
        self._pending = bytearray()
        self._number = 1

    def receive(self) -> tuple[int, bytes]:
        """Read a whole message: its type and content. Raises `Gone`."""
        content = bytearray()
        while True:
            kind, status, size = struct.unpack(">BBH", self._exactly(8)[:4])
            content += self._exactly(max(size - 8, 0))
            if len(content) > _LONGEST:
                raise Gone
            self.reset_asked = self.reset_asked or bool(status & RESET_ASKED)
            if status & LAST:
                return kind, bytes(content)

    def write(self, data: bytes) -> None:
        """Add to the reply; whole packets go out."""
        self._pending += data
        room = self.packet_size - 8
        while len(self._pending) > room:
            self._packet(REPLY, bytes(self._pending[:room]), last=False)
            del self._pending[:room]

    def flush(self) -> None:
        """Send what there is of an unfinished reply."""
        if self._pending:
            self._packet(REPLY, bytes(self._pending), last=False)
            self._pending.clear()

    def finish(self, kind: int = REPLY) -> None:
        """Send the rest: the reply is complete."""
        self._packet(kind, bytes(self._pending), last=True)
        self._pending.clear()
        self._number = 1

    def heard(self, seconds: float) -> bool:
        """Wait so long for the client to say something."""
        return bool(select.select([self.raw], [], [], seconds)[0])

    def secure(self, context: ssl.SSLContext) -> None:
        """Shake hands: TLS records travel inside of pre-login packets until both agree."""
        secured = _Secured(self.raw, context)
        while not (done := secured.shake_hands()):
            if secured.outgoing.pending:
                self.write(secured.outgoing.read())
                self.finish(PRELOGIN)
            secured.incoming.write(self.receive()[1])
        if done and secured.outgoing.pending:
            self.write(secured.outgoing.read())
            self.finish(PRELOGIN)
        self.secured = secured

    def _packet(self, kind: int, content: bytes, *, last: bool) -> None:
        header = struct.pack(">BBHHBB", kind, int(last), len(content) + 8, self._spid & 0xFFFF, self._number & 0xFF, 0)
        self._number += 1
        try:
            (self.secured or self.raw).sendall(header + content)
        except (OSError, ssl.SSLError) as error:
            raise Gone from error

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            try:
                part = (self.secured or self.raw).recv(size - len(found))
            except (OSError, ssl.SSLError) as error:
                raise Gone from error
            if not part:
                raise Gone
            found += part
        return found


class _Secured:
    """TLS over a socket whose handshake needs another framing than what follows."""

    def __init__(self, raw: socket.socket, context: ssl.SSLContext) -> None:
        self._raw = raw
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def shake_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise Gone from error
        return True

    def recv(self, size: int) -> bytes:
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                part = self._raw.recv(65536)
                if not part:
                    return b""
                self.incoming.write(part)

    def sendall(self, data: bytes) -> None:
        self._tls.write(data)
        self._raw.sendall(self.outgoing.read())


def short_text(text: str) -> bytes:
    return bytes((len(text),)) + text.encode("utf-16le")


def long_text(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("utf-16le")


def _token(code: int, content: bytes) -> bytes:
    return bytes((code,)) + struct.pack("<H", len(content)) + content


def environment(what: int, new: str, old: str = "") -> bytes:
    """ENVCHANGE with texts: 1 database, 2 language, 4 packet size."""
    return _token(0xE3, bytes((what,)) + short_text(new) + short_text(old))


def environment_bytes(what: int, new: bytes = b"", old: bytes = b"") -> bytes:
    """ENVCHANGE with bytes: 7 collation, 8 to 10 transactions, 18 reset."""
    return _token(0xE3, bytes((what, len(new))) + new + bytes((len(old),)) + old)


def collation_change() -> bytes:
    return environment_bytes(7, COLLATION)


def message(code: int, number: int, text: str, *, state: int = 1, severity: int = 0) -> bytes:
    """ERROR (0xAA) or INFO (0xAB)."""
    head = struct.pack("<iBB", number, state, severity)
    return _token(code, head + long_text(text) + short_text("TESTSERVER") + short_text("") + struct.pack("<I", 1))


def error(refusal: SqlError) -> bytes:
    return message(0xAA, refusal.number, str(refusal), state=refusal.state, severity=refusal.severity)


def done(code: int = DONE, status: int = 0, count: int = 0) -> bytes:
    """DONE, DONEPROC or DONEINPROC; 0xC1 says that it was a SELECT."""
    return bytes((code,)) + struct.pack("<HHQ", status, 0xC1 if status & COUNT else 0, count)


def columns(described: Sequence[tuple[str, Kind]]) -> bytes:
    """COLMETADATA."""
    found = b"\x81" + struct.pack("<H", len(described))
    for name, kind in described:
        found += struct.pack("<IH", kind.user_type, 9) + type_info(kind) + short_text(name)
    return found


def handle(number: int) -> bytes:
    """RETURNVALUE and status of sp_prepare and sp_prepexec."""
    value = short_text("") + b"\x01" + struct.pack("<IH", 0, 0) + b"\x26\x04\x04" + struct.pack("<i", number)
    return status() + b"\xac" + struct.pack("<H", 0) + value


def status() -> bytes:
    """RETURNSTATUS of a procedure that went well."""
    return b"\x79\0\0\0\0"


def acknowledged() -> bytes:
    """LOGINACK: who we are and which TDS we speak."""
    return _token(0xAD, b"\x01" + TDS_74 + short_text("Microsoft SQL Server") + bytes((15, 0, 7, 0xD0)))
