"""The tokens of XML on bytes, and a window that moves over a file: what splitting without parsing rests on.

In well-formed XML a ``<`` always begins markup: inside texts and attributes it has to be escaped. So one expression
finds every tag, comment, CDATA section and processing instruction, and with them the exact end of an element; names
are not resolved and texts are not looked at. That is left to the parser, which gets each item afterwards.

The window reads instead of mapping the file: mapped pages count as memory of the process (2 GB of them), a mapped file
cannot be moved on Windows, and one that shrinks on a share kills the reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import BinaryIO

from agent.pohoda.bad import BadDocument
from agent.pohoda.encoding import Encoding

LARGEST = 16 * 2**20
"""Bytes of one item, or of a head, above which a document is refused. The largest real card is some 100 kB."""
DEEPEST = 100
"""Elements within each other; POHODA's own lists have below 10, categories one level each besides."""
_CHUNK = 2**20
_LESS, _SLASH = 0x3C, 0x2F
_ATTRIBUTES = rb"""(?:[^<>"']++|"[^<"]*+"|'[^<']*+')*+"""
TOKEN = re.compile(
    rb"""<(?:/(?P<end>[^<>]*+)>
       |(?P<start>[^\s<>/!?"'=]++)(?P<rest>%s)>
       |!--.*?-->|!\[CDATA\[.*?\]\]>|\?.*?\?>)"""
    % _ATTRIBUTES,
    re.DOTALL | re.VERBOSE,
)
"""``lastgroup`` is "rest" for a start tag (its rest ends with / if it is empty), "end" for an end tag, else None."""
_BROKEN = re.compile(
    rb"""<(?:/(?:>|[^<>]*+<)
       |[^\s<>/!?]%s(?:<|"[^<"]*+<|'[^<']*+<)
       |[\s<>=]
       |!(?:[^\[-]|-[^-]|\[[^C]))"""
    % _ATTRIBUTES,
    re.VERBOSE,
)
"""A beginning that no further byte can turn into a token."""


@dataclass(slots=True)
class Window:
    """A part of the file in memory. ``at`` is where reading stands; what lies before it may be dropped."""

    file: BinaryIO
    encoding: Encoding
    base: int
    """Position in the file of the first byte of ``raw``."""
    raw: bytes = b""
    text: bytes = b""
    """What is looked at: one byte a code unit (see `Encoding.view`); ``at`` counts in it."""
    at: int = 0
    _seen: dict[bytes, int] = field(default_factory=dict)

    @property
    def position(self) -> int:
        """Where reading stands, in bytes of the file."""
        return self.base + self.at * self.encoding.unit

    def more(self) -> bool:
        """Drop what has been read, and read on; ``at`` becomes 0. False at the end of the file.

        Raises `BadDocument` ("too-large") when what is kept is larger than any item may be.
        """
        unit = self.encoding.unit
        kept = self.raw[self.at * unit :]
        if len(kept) > LARGEST:
            raise BadDocument("too-large", f"what begins at byte {self.position} is longer than {LARGEST >> 20} MiB")
        self.base, self.at = self.position, 0
        added = self.file.read(max(_CHUNK, len(kept) // 2 * 2))
        self.raw = kept + added
        self.text = self.encoding.view(self.raw)
        self._seen.clear()
        return bool(added)

    def go_to(self, position: int) -> None:
        """Read on from another place of the file."""
        self.file.seek(position)
        self.base, self.raw, self.text, self.at = position, b"", b"", 0
        self._seen.clear()

    def calm(self) -> int:
        """Up to where, from ``at`` on, neither ``<!`` nor ``<?`` stands in ``text``; its length if they never do.

        Looking for the rare second character is 10 times faster than for both. Each is looked for once per place, so
        that a text of nothing but question marks costs no more.
        """
        for mark in (b"!", b"?"):
            if self._seen.get(mark, -1) < self.at:
                hit = self.text.find(mark, self.at + 1)
                while hit >= 0 and self.text[hit - 1] != _LESS:
                    hit = self.text.find(mark, hit + 1)
                self._seen[mark] = hit - 1 if hit >= 0 else len(self.text)
        return min(self._seen.values())

    def piece(self, begin: int, end: int) -> bytes:
        """The bytes of the file between two places of ``text``."""
        unit = self.encoding.unit
        return self.raw[begin * unit : end * unit]


def token(window: Window, ahead: int = 0) -> re.Match[bytes]:
    """Find the first token that begins at or after ``window.at + ahead``; nothing is dropped from ``at`` on.

    Raises `BadDocument`: "truncated" when the file ends before the token does, "malformed" when it can never be one.
    """
    while True:
        begin = window.text.find(b"<", window.at + ahead)
        if begin >= 0:
            found = TOKEN.match(window.text, begin)
            if found:
                return found
            if _BROKEN.match(window.text, begin):
                where = window.base + begin * window.encoding.unit
                raise BadDocument("malformed", f"the markup at byte {where} is broken")
        if not window.more():
            raise BadDocument(
                "truncated", f"the file ends at byte {window.base + len(window.raw)}, before its root does"
            )


def whole(window: Window, *, keep: bool = True) -> int:
    """Measure the element whose start tag stands at ``window.at``: its length in code units.

    With ``keep=False`` it is passed over instead, however long it is: ``at`` ends behind it, and 0 is returned.
    """
    depth = ahead = 0
    while True:
        found = token(window, ahead)
        if found.lastgroup == "rest":
            if window.text[found.end() - 2] != _SLASH:  # not an empty element
                depth += 1
        elif found.lastgroup == "end":
            depth -= 1
        if depth > DEEPEST:
            raise BadDocument("too-deep", f"the element at byte {window.position} nests deeper than {DEEPEST} levels")
        if keep:
            ahead = found.end() - window.at
        else:
            window.at = found.end()
        if depth <= 0 and found.lastgroup:
            return ahead
