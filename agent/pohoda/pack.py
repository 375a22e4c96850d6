"""Walking through a document from list to list: prolog, root, pack items, lists, end of the root.

Real answers carry 50-66 namespace declarations on the root (3-5 kB), so tags are read, not a number of bytes. Nothing
is parsed before the prolog was looked at: a document type is refused unparsed, in any encoding; no entity ever exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, BinaryIO

from agent.pohoda.bad import BadDocument
from agent.pohoda.encoding import Encoding, detect
from agent.pohoda.markup import DEEPEST, Window, token
from agent.pohoda.names import KNOWN, SHAPES, Kind, ListShape, Name
from agent.pohoda.parser import innermost, name_of, tag_name

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_HEAD = 2**16
_DOCTYPE = re.compile(rb"<!DOCTYPE\s+([^\s>\[]+)", re.IGNORECASE)
_INTERNAL_ENTITY = re.compile(rb"""<!ENTITY\s+(?:%\s+)?[^\s>]+\s+["']""")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the bytes of an item need to be understood: the encoding, and the prefixes declared around it."""

    encoding: Encoding
    namespaces: tuple[tuple[str, str], ...]
    """Prefix ("" is the default one) and URI."""
    mark: bytes
    """16 bytes that differ when equal bytes of an item could mean another thing; part of every item's digest."""


@dataclass(frozen=True, slots=True)
class Part:
    """One list of a pack. ``kind`` is "" for lists and answers that are not read here."""

    kind: Kind
    name: Name
    shape: ListShape | None
    scope: Scope
    state: str
    stamp: str
    """When POHODA made it (``dateTimeStamp``: local time, no zone); "" when it does not say."""
    offset: int
    """Byte position of its pack item, to come back to; 0 if another list stands before it in there."""

    @property
    def item_tag(self) -> Name | None:
        """URI and local name of the items."""
        return self.shape.item if self.shape else None


@dataclass(slots=True)
class Pack:
    """A document being read: the window stands inside of the elements ``open``, outermost first."""

    window: Window
    open: list[bytes]
    """Their start tags in UTF-8: root, pack item, list, and in some lists a wrapper."""
    entered: int = 0
    """Byte position of the pack item that is open; 0 once a list in it has been met."""


def begin(file: BinaryIO) -> tuple[Pack, bytes]:
    """Read the prolog and the root's start tag (returned in UTF-8).

    Raises `BadDocument` for all that no document of POHODA begins with.
    """
    head = file.read(_HEAD)
    if not head.strip(b"\0 \t\r\n"):
        raise BadDocument("empty", "the file is empty")
    encoding = detect(head)
    window = Window(file, encoding, 0, head, encoding.view(head), encoding.bom // encoding.unit)
    while True:
        text, begins = window.text, window.text.find(b"<", window.at)
        if text[window.at : begins if begins >= 0 else len(text)].strip():
            raise BadDocument("not-xml", "the file does not begin with markup")
        window.at = begins if begins >= 0 else len(text)
        if text[window.at :] in {b"", b"<", b"<!"} and window.more():
            continue
        if text.startswith(b"<!", begins) and not text.startswith(b"<!-", begins):
            raise _doctype(text[begins:])
        found = token(window)
        window.at = found.end()
        if found.lastgroup == "end":
            raise BadDocument("not-xml", "the file begins with an end tag")
        if found.lastgroup == "rest":
            root = encoding.as_utf8(window.piece(*found.span()))
            return Pack(window, [] if root.endswith(b"/>") else [root]), root


def next_part(pack: Pack) -> Part | None:
    """Go on to the next list; the window stands inside of it then, unless it is empty. None when the root has closed.

    A list that is still open is passed over. Raises `BadDocument`: "refused" with POHODA's note where a state says
    "error", "malformed" also when anything but comments follows the root.
    """
    while pack.open:
        found = token(pack.window)
        pack.window.at = found.end()
        if found.lastgroup == "end":
            leave(pack, found)
        elif found.lastgroup == "rest":
            part = _enter(pack, found)
            if part:
                return part
    _expect_nothing_more(pack.window)
    return None


def leave(pack: Pack, found: re.Match[bytes]) -> None:
    """An end tag was read: it must close what was opened last."""
    name = tag_name(pack.window.encoding.as_utf8(pack.window.piece(*found.span())))
    if tag_name(pack.open[-1]) != name:
        raise BadDocument("malformed", f"an end tag before byte {pack.window.position} closes what is not open")
    pack.open.pop()


def enter(pack: Pack, found: re.Match[bytes]) -> _Element:
    """A start tag was read: resolve it, and count it as open unless it is empty."""
    tag = pack.window.encoding.as_utf8(pack.window.piece(*found.span()))
    element = innermost([*pack.open, tag])
    if not tag.endswith(b"/>"):
        pack.open.append(tag)
    return element


def scope_of(element: _Element, encoding: Encoding) -> Scope:
    """The declarations that are in force inside of an element."""
    spaces = sorted((prefix or "", uri) for prefix, uri in element.nsmap.items() if prefix != "xml")
    # Only what is read here counts for the mark: declarations that come and go between versions change no digest.
    meaning = repr([encoding.codec, *(pair for pair in spaces if pair[1] in KNOWN)])
    return Scope(encoding, tuple(spaces), blake2b(meaning.encode(), digest_size=16).digest())


def check_state(element: _Element) -> None:
    """Raise `BadDocument` ("refused") if POHODA says with this element that the answer is none."""
    if element.get("state") == "error":
        note = (element.get("note") or "").strip()[:300]
        raise BadDocument("refused", f"POHODA answered with an error: {note or 'it says no reason'}")


def _enter(pack: Pack, found: re.Match[bytes]) -> Part | None:
    """A start tag at the level of pack items, of lists, or deep in a list that nobody read."""
    level, position = len(pack.open), pack.window.base + found.start() * pack.window.encoding.unit
    if level > DEEPEST:
        raise BadDocument("too-deep", f"elements are nested deeper than {DEEPEST} levels at byte {position}")
    if level > 2:
        raw = pack.window.encoding.as_utf8(pack.window.piece(*found.span()))
        if not raw.endswith(b"/>"):
            pack.open.append(raw)
        return None
    element = enter(pack, found)
    check_state(element)
    if level == 1:
        pack.entered = position
        return None
    offset, pack.entered = pack.entered, 0
    name = name_of(element)
    shape = SHAPES.get(name)
    scope = scope_of(element, pack.window.encoding)
    stamp, state = element.get("dateTimeStamp") or "", element.get("state") or ""
    return Part(shape.kind if shape else "", name, shape, scope, state, stamp, offset)


def _expect_nothing_more(window: Window) -> None:
    """Behind the root only blanks, comments and instructions may stand: two documents in one file are one too many."""
    while True:
        begins = window.text.find(b"<", window.at)
        if window.text[window.at : begins if begins >= 0 else len(window.text)].strip():
            raise BadDocument("malformed", f"a text follows the end of the root, near byte {window.position}")
        if begins < 0:
            window.at = len(window.text)
            if not window.more():
                return
            continue
        found = token(window)
        if found.lastgroup or window.text.startswith(b"<![", found.start()):
            raise BadDocument("malformed", f"another element follows the end of the root, near byte {window.position}")
        window.at = found.end()


def _doctype(text: bytes) -> BadDocument:
    """Say what kind of document type this is; nothing of it was parsed, let alone fetched."""
    name = _DOCTYPE.match(text)
    if name and name[1].lower() == b"html":
        return BadDocument("foreign", "the file is a web page")
    if _INTERNAL_ENTITY.search(text):
        return BadDocument("entity-bomb", "the document declares entities")
    return BadDocument("external-entity", "the document has a document type, which could fetch or grow anything")
