"""In which encoding a document is, told from its first bytes, as XML 1.0 (appendix F) does, with a short list of them.

POHODA writes Windows-1250 and reads that and UTF-8; the others are for files that went through another program. Only
encodings are taken in which every byte below 128 is the ASCII character, and UTF-16: in all others (UTF-7, EBCDIC,
Shift-JIS) markup could hide from the eyes of `markup`. Texts are decoded here, by Python's codecs, and given to the
parser as UTF-8: wrong bytes are told apart from broken markup, it is the same on every platform, and faster (35 against
48 µs for a card of 4.5 kB: the parser converts through iconv).
"""

from __future__ import annotations

import codecs
import re
import sys
from array import array
from dataclasses import dataclass

from agent.pohoda.bad import BadDocument

_BYTEWISE = frozenset({"utf-8", "ascii", "cp1250", "cp1251", "cp1252", "cp852", "iso8859-1", "iso8859-2", "iso8859-15"})
_DECLARED = re.compile(rb"""\s*<\?xml\s[^<>]*?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")
_BOMS = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BY_PATTERN = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """``name`` is as declared, for people; ``codec`` is Python's; ``unit`` is bytes a code unit, 1 or 2."""

    name: str
    codec: str
    unit: int = 1
    bom: int = 0
    """Bytes of the byte order mark at the beginning of the file."""

    def view(self, raw: bytes) -> bytes:
        """One byte for each code unit: the ASCII character, or one above 127. The same bytes unless it is UTF-16."""
        if self.unit == 1:
            return raw
        units = array("H", raw[: len(raw) // 2 * 2])
        if (sys.byteorder == "little") != (self.codec == "utf-16-le"):
            units.byteswap()
        return bytes(unit if unit < 128 else 255 for unit in units)

    def as_utf8(self, raw: bytes) -> bytes:
        """Turn a part of the document into UTF-8. Raises `BadDocument` for bytes that are not in the encoding."""
        try:
            text = raw.decode(self.codec)
        except UnicodeDecodeError as error:
            raise BadDocument("encoding", f"byte {error.start} of this part is not {self.name}") from None
        return raw if self.codec == "utf-8" else text.encode()


def detect(head: bytes) -> Encoding:
    """Tell the encoding from the first bytes. A byte order mark rules over the declaration, as for the parser.

    Raises `BadDocument` ("encoding") for an encoding that is not taken, or a declaration that cannot be true.
    """
    for bom, codec in _BOMS:
        if head.startswith(bom):
            if not codec:
                raise BadDocument("encoding", "the file is in UTF-32")
            return Encoding(codec, codec, unit=2 if "16" in codec else 1, bom=len(bom))
    codec = _BY_PATTERN.get(head[:2], "")
    if codec:
        return Encoding(codec, codec, unit=2)
    declared = _DECLARED.match(head)
    name = declared[1].decode("ascii") if declared else "UTF-8"
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        codec = ""
    if codec not in _BYTEWISE:
        raise BadDocument("encoding", f"the file says that it is in {name[:40]}, which is not so or is not read here")
    return Encoding(name, codec)
