"""Unpacking a posted body while it comes in: gzip or deflate, a piece at a time, with the limits that stop a bomb.

`Unpacker.take` gives at most `PIECE` bytes a call, however much a few packed bytes would grow to, so that its caller
decides how much work is done before others have their turn. "deflate" means the zlib format (RFC 9110, 8.4.1.2), and
some clients send the bare stream: the two differ in their first two bytes (RFC 1950, 2.2; a bare stream that begins
like a zlib header would begin with a stored block whose padding is not zero, which no compressor writes).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from agent.sources.receiver_answer import Refusal

PIECE = 64 * 1024
"""Bytes given by one call."""
STEEPEST = 400
"""How many times longer the content may be than what was sent. Measured with gzip -9 on 22 MB: cards that differ in
code, name and count only pack 84 times, one card repeated 20,000 times 186 times; zeros pack 1,028 times."""
HARMLESS = 32 * 2**20
"""Bytes of content for which nobody asks how well they were packed."""

Coding: TypeAlias = Literal["", "gzip", "deflate"]
_GZIP = 16 + zlib.MAX_WBITS
_BARE = -zlib.MAX_WBITS


class _Stream(Protocol):
    """What `zlib.decompressobj` makes; its class has no name at runtime."""

    @property
    def eof(self) -> bool: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


@dataclass(slots=True)
class Unpacker:
    """One body. `feed` it what came, `take` until it is no longer ``pending``, and `finish` at the end."""

    coding: Coding
    largest: int
    """Bytes of content at the most."""
    fed: int = 0
    given: int = 0
    pending: bool = False
    """There may be more to take without more being fed."""
    _rest: bytes = b""
    _stream: _Stream | None = field(default=None)

    def feed(self, data: bytes) -> None:
        """Add what came over the wire."""
        self.fed += len(data)
        self._rest += data
        self.pending = bool(self._rest)

    def take(self) -> bytes:
        """Give the next piece of the content, perhaps an empty one. Raises `Refusal` (413 too much, 400 damaged)."""
        piece = self._inflated() if self.coding else self._rest[:PIECE]
        if not self.coding:
            self._rest = self._rest[PIECE:]
            self.pending = bool(self._rest)
        self.given += len(piece)
        if self.given > self.largest:
            raise too_large(self.largest)
        if self.coding and self.given > max(HARMLESS, STEEPEST * self.fed):
            raise Refusal(
                413,
                f"{self.fed} bytes grew to more than {STEEPEST} times as many: this is no export of POHODA",
                "Komprimovaný obsah se rozbaluje na neúměrné množství dat, a proto byl odmítnut.",
                hint="Find out who posts here; POHODA's documents never pack so well.",
            )
        return piece

    def finish(self) -> None:
        """The body is over. Raises `Refusal` (400) when its packing does not end here."""
        if self.coding and self.fed and (self._stream is None or not self._stream.eof):
            raise _damaged("ends before its packing does")

    def _inflated(self) -> bytes:
        if self._stream is None and not self._begin():
            return b""
        stream = self._stream
        if stream is None:
            raise AssertionError("begun above")
        if stream.eof:  # gzip only: members may follow each other (RFC 1952, 2.2)
            if self.coding != "gzip":
                raise _damaged("goes on behind the end of its packing")
            stream = self._stream = zlib.decompressobj(_GZIP)
        try:
            piece = stream.decompress(self._rest, PIECE)
        except zlib.error:
            raise _damaged("is not packed as it says") from None
        self._rest = stream.unused_data if stream.eof else stream.unconsumed_tail
        self.pending = bool(self._rest) or (len(piece) == PIECE and not stream.eof)
        return piece

    def _begin(self) -> bool:
        """Choose the format by the first two bytes; False as long as there is only one."""
        if len(self._rest) < 2:
            self.pending = False
            return False
        first, second = self._rest[:2]
        zlib_header = first & 0x0F == zlib.DEFLATED and (first << 8 | second) % 31 == 0
        window = _GZIP if self.coding == "gzip" else zlib.MAX_WBITS if zlib_header else _BARE
        self._stream = zlib.decompressobj(window)
        return True


def too_large(largest: int) -> Refusal:
    """Say that more was sent, or would be unpacked, than is taken."""
    return Refusal(
        413,
        f"more than {largest} bytes",
        f"Dokument je větší než {largest // 2**20} MB, a proto byl odmítnut.",
        hint="Export in POHODA what has changed, or fewer cards at a time.",
    )


def _damaged(what: str) -> Refusal:
    return Refusal(400, f"the body {what}", "Komprimovaný obsah je poškozený. Spusťte export v POHODĚ znovu.")
