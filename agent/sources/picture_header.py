"""What a picture says about itself in its first bytes: kind and size in pixels, read without decoding it.

Decoding hostile pictures is what picture libraries are attacked by, and a small file may unpack to gigabytes, in the
shop if not here: so only headers are read, by the formats' public descriptions, and what claims too many pixels is
refused by the caller. A picture without its end is one that is still being copied.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""JPEG's markers that begin a frame: SOF0 to SOF15, without the tables that lie between them."""
_ALONE = {0x01, *range(0xD0, 0xD9)}
"""JPEG's markers without a length."""


@dataclass(frozen=True, slots=True)
class Header:
    """Kind (``jpeg``, ``png``, ``gif``, ``webp``) and size in pixels; of an animation, of its canvas."""

    kind: str
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.width * self.height


def header_of(data: bytes) -> Header:
    """Read the header of a whole file. Raises `ValueError` with a text for people."""
    try:
        found = _header(data)
    except (struct.error, IndexError) as error:
        raise ValueError("is not whole: it ends within its header") from error
    if found is None:
        raise ValueError("is no JPEG, PNG, GIF or WebP, whatever its name says")
    if not found.pixels:
        raise ValueError("says that it has no pixels")
    return found


def _header(data: bytes) -> Header | None:
    if data[:3] == b"\xff\xd8\xff":
        return _jpeg(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(data)
    if data[:6] in {b"GIF87a", b"GIF89a"}:
        if data[-512:].rstrip(b"\0")[-1:] != b";":
            raise ValueError("is not whole: its end is missing")
        return Header("gif", *struct.unpack_from("<HH", data, 6))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def _jpeg(data: bytes) -> Header:
    """Walk over the segments to the first frame; texts and previews before it may be long."""
    if data.rfind(b"\xff\xd9") < 0:
        raise ValueError("is not whole: its end is missing")
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("is damaged: its segments do not follow each other")
        marker = data[at + 1]
        if marker == 0xFF:  # filling
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Header("jpeg", width, height)
        elif marker in {0xD9, 0xDA}:
            raise ValueError("is damaged: it has no frame")
        else:
            at += 2 + max(struct.unpack_from(">H", data, at + 2)[0], 2)


def _png(data: bytes) -> Header:
    if data[12:16] != b"IHDR":
        raise ValueError("is damaged: it does not begin with its header")
    if data.rfind(b"IEND") < 0:
        raise ValueError("is not whole: its end is missing")
    return Header("png", *struct.unpack_from(">II", data, 16))


def _webp(data: bytes) -> Header:
    if struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise ValueError("is not whole: its end is missing")
    chunk = data[12:16]
    if chunk == b"VP8X":
        return Header("webp", 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little"))
    if chunk == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack_from("<I", data, 21)[0]
        return Header("webp", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("webp", width & 0x3FFF, height & 0x3FFF)
    raise ValueError("is damaged: it is a WebP without a picture")
