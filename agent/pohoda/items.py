"""A document in items: split at their borders on bytes, with a digest each, and able to go on at any border.

Splitting is 8 to 10 times faster than making cards (7 against 70 µs for one of 2 kB), so an export of which little
changed costs little: the caller knows an item by its digest and never parses it. What makes it right and not just fast:

* In well-formed XML a ``<`` always begins markup. So in a stretch without ``<!`` and ``<?`` (comments, CDATA,
  instructions) the item's end tag can only be an end tag, and an item that holds its own start tag once ends there.
* Whatever is otherwise, be it for one item only (a comment, CDATA, an empty element, nesting, a prefix declared anew,
  another element between), is walked token by token instead (`markup.whole`): exact, at 18 MB/s.
* UTF-16 is always walked. Lists whose items stand in wrappers (categories, parameters) are short; they work the same.
* Who parses an item finds out whether it is one whole element (`elements`); a broken one is a `BadItem`.

No file ends silently: unless the root closes, and nothing follows it, the iteration ends with a `BadDocument`.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from agent.pohoda.bad import BadDocument
from agent.pohoda.envelope import open_pack
from agent.pohoda.markup import LARGEST, Window, token, whole
from agent.pohoda.names import Kind, Name
from agent.pohoda.pack import Pack, Part, enter, leave, next_part, scope_of
from agent.pohoda.parser import innermost, name_of, tag_name

_LIST = 3
"""How many elements are open inside of a list: root, pack item, list. In a wrapper it is one more."""
_LEADING = re.compile(rb"[ \t\r\n]*")


class Item(NamedTuple):
    """One item as it stands in the file: ``raw`` is the bytes from ``offset`` to ``end``."""

    offset: int
    end: int
    """Where reading goes on after this item: ``items(path, start=item.end, part=item.part.offset)``."""
    raw: bytes
    digest: bytes
    """16 bytes (blake2b) of the item and of what it depends on: the encoding and the meaning of its prefixes."""
    part: Part

    @property
    def kind(self) -> Kind:
        """What it is an item of."""
        return self.part.kind


def items(path: Path, *, start: int = 0, part: int = 0, ico: str = "") -> Generator[Item, None, None]:
    """Go through the items of all lists of a document, in their order; memory stays flat however long it is.

    ``start`` is the ``end`` of an earlier item: the rest comes, exactly. With ``part`` (that item's ``part.offset``)
    it is jumped to; without, what lies before is read again. The file is open until the iterator is exhausted or
    closed: use ``contextlib.closing`` where it is to be moved afterwards (Windows).
    Raises `BadDocument`, also after items were yielded: "truncated" when the root does not close; OSError.
    """
    with path.open("rb") as file:
        pack, _ = open_pack(file, ico=ico)
        if part:
            pack.window.go_to(part)
        reached, jump = 0, part and start
        while (found := next_part(pack)) is not None:
            if jump and not (found.shape and found.shape.wrapper):  # behind a wrapper the scope would be unknown
                _jump(pack, start)
                reached = start
            jump = 0
            for item in _items_of(pack, found):
                if item.offset < start < item.end:
                    raise _no_border(start)
                if item.offset >= start:
                    yield item
                reached = item.end
        if reached < start:
            raise _no_border(start)


def _jump(pack: Pack, start: int) -> None:
    """Go on behind an item of the list that is open now."""
    unit = pack.window.encoding.unit
    pack.window.go_to(start - unit)
    pack.window.more()
    if pack.window.text[:1] != b">" or len(pack.open) < _LIST:
        raise _no_border(start)
    pack.window.at = 1


def _no_border(start: int) -> BadDocument:
    return BadDocument("changed", f"byte {start} is not where an item ends")


def _items_of(pack: Pack, part: Part) -> Iterator[Item]:
    """The items of the list that was entered last, until its end tag has been read."""
    window, shape, around = pack.window, part.shape, part
    if not shape or len(pack.open) < _LIST:  # not read here, or an empty element
        return
    known = b""
    while True:
        if known:
            yield from _plain(window, part, known)
        found = token(window)
        if found.lastgroup != "rest":
            window.at = found.end()
            if found.lastgroup == "end":
                leave(pack, found)
                part, known = around, b""
                if len(pack.open) < _LIST:
                    return
            continue
        name, declares = _resolved(pack, part, found)
        if shape.wrapper and len(pack.open) == _LIST and name == shape.wrapper:
            window.at = found.end()
            part = replace(around, scope=scope_of(enter(pack, found), window.encoding))
        elif name == shape.item and len(pack.open) == (_LIST + 1 if shape.wrapper else _LIST):
            window.at = found.start()
            yield _walked(window, part)
            known = b"" if declares or window.encoding.unit > 1 else found["start"]
        else:
            window.at = found.start()
            whole(window, keep=False)


def _resolved(pack: Pack, part: Part, found: re.Match[bytes]) -> tuple[Name, bool]:
    """The name of a start tag, and whether the tag declares prefixes itself."""
    tag = pack.window.encoding.as_utf8(pack.window.piece(*found.span()))
    if b"xmlns" in tag:
        return name_of(innermost([*pack.open, tag])), True
    prefix, _, local = tag_name(tag).decode().rpartition(":")
    uri = dict(part.scope.namespaces).get(prefix)
    if prefix and uri is None:
        raise BadDocument("malformed", f"the prefix {prefix[:40]!r} at byte {pack.window.position} is not declared")
    return Name(uri or "", local), False


def _walked(window: Window, part: Part) -> Item:
    """The item that begins here, found token by token."""
    length = whole(window)  # may move the window
    raw = window.piece(window.at, window.at + length)
    offset = window.position
    if len(raw) > LARGEST:
        raise BadDocument("too-large", f"the item at byte {offset} is longer than {LARGEST >> 20} MiB")
    window.at += length
    digest = blake2b(part.scope.mark, digest_size=16)
    digest.update(raw)
    return Item(offset, offset + len(raw), raw, digest.digest(), part)


def _plain(window: Window, part: Part, name: bytes) -> Iterator[Item]:
    """Items that need no look inside, as long as they come one after another; stands before the first that does."""
    opening, closing = b"<" + name, b"</" + name + b">"
    fresh = blake2b(part.scope.mark, digest_size=16).copy
    while True:
        raw, base, calm = window.raw, window.base, window.calm()
        while True:
            begins = window.at
            if not raw.startswith(opening, begins):
                begins = _LEADING.match(raw, begins).end()  # type: ignore[union-attr]  # it matches nothing too
                if not raw.startswith(opening, begins):
                    break
            close = raw.find(closing, begins, calm)
            if close < 0 or not _alone(raw, opening, begins, close):
                break
            ends = window.at = close + len(closing)
            piece = raw[begins:ends]
            digest = fresh()
            digest.update(piece)
            yield Item(base + begins, base + ends, piece, digest.digest(), part)
        enough = len(raw) - begins > len(opening)
        if enough and (calm < len(raw) or not raw.startswith(opening, begins) or raw.find(closing, begins) >= 0):
            return
        if raw.find(opening, begins + 1) >= 0 or not window.more():
            return


def _alone(raw: bytes, opening: bytes, begins: int, close: int) -> bool:
    """No second start tag of this name before the end tag, and none of the first one's attributes declares a prefix.

    An empty element, and one whose name only begins alike, have no such end tag: with the next one's, a second start
    tag comes too.
    """
    inner = begins + len(opening)
    if raw.find(opening, inner, close) >= 0:
        return False
    return raw.find(b"xmlns", inner, raw.find(b">", inner)) < 0 and close - begins <= LARGEST
