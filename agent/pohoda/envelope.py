"""What a document is, told by its head: whose, of which list, in which encoding; and whether its end is there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from agent.pohoda.bad import BadDocument
from agent.pohoda.encoding import Encoding
from agent.pohoda.names import ROOTS, Kind, Name
from agent.pohoda.pack import Pack, Part, begin, check_state, next_part
from agent.pohoda.parser import innermost, name_of, tag_name

_TAIL = 2**16
_END = re.compile(rb"</([^<>]*)>\s*(?:(?:<!--(?:(?!-->).)*-->|<\?(?:(?!\?>).)*\?>)\s*)*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The head of a document. ``ico`` and ``program_version`` are "" where older versions of POHODA leave them out."""

    root: Name
    encoding: Encoding
    id: str
    ico: str
    state: str
    note: str
    program_version: str
    first: Part | None = None
    """The first list or answer in it. Others may follow: `items` comes to all of them."""

    @property
    def kind(self) -> Kind:
        """What the first list holds; "" when there is none, or none that is read here."""
        return self.first.kind if self.first else ""

    @property
    def item_tag(self) -> Name | None:
        """URI and local name of the first list's items."""
        return self.first.item_tag if self.first else None


def sniff(source: Path | BinaryIO, *, ico: str = "") -> Envelope:
    """Read the head and say what the document is; what comes behind the head is not looked at, that is for `items`.

    ``ico`` is the company that it has to be of; a document that names none is taken, as old versions write such.
    Raises `BadDocument`.
    """
    with reading(source) as file:
        pack, envelope = open_pack(file, ico=ico)
        return replace(envelope, first=next_part(pack))


def open_pack(file: BinaryIO, *, ico: str = "") -> tuple[Pack, Envelope]:
    """Begin to read: the window stands behind the root's start tag, and no list is known yet. Raises `BadDocument`."""
    pack, tag = begin(file)
    root = innermost([tag])
    name = name_of(root)
    if name not in ROOTS:
        raise BadDocument("foreign", f"the root is {name.local[:60]!r} of namespace {name.uri[:120]!r}")
    check_state(root)
    ident, said, state, note, version = (
        str(root.get(key) or "").strip() for key in ("id", "ico", "state", "note", "programVersion")
    )
    if ico and said and said.zfill(8) != ico.strip().zfill(8):
        raise BadDocument("wrong-ico", f"the document is of IČO {said[:15]}, expected is {ico}")
    return pack, Envelope(name, pack.window.encoding, ident, said, state, note, version)


def closes(path: Path) -> bool:
    """Look at the tail whether the root element closes: cheap, to tell a file that is still being written.

    False also for what is no document at all (`sniff` says why); a file that is only made to look whole is found out
    by `items`, which reads all of it. Raises OSError.
    """
    with path.open("rb") as file:
        try:
            pack, tag = begin(file)
        except BadDocument:
            return False
        unit = pack.window.encoding.unit
        size = file.seek(0, os.SEEK_END) // unit * unit
        start = max(pack.window.position, size - _TAIL)
        file.seek(start)
        text = pack.window.encoding.view(file.read(size - start))
    if not pack.open:
        return not text.strip()
    end = _END.search(text)
    return bool(end and end[1].strip() == pack.window.encoding.view(_name(tag, pack)))


def _name(tag: bytes, pack: Pack) -> bytes:
    """The root's name in the encoding of the file."""
    return tag_name(tag).decode().encode(pack.window.encoding.codec)


@contextmanager
def reading(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a path and close it afterwards; a stream is taken as it is, from where it stands."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        yield source
