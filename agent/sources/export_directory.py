"""The export directory: POHODA's documents are taken file by file and read item by item, to go on at any item.

A file is known by the hash of its content: the same content under a new name was taken in before, a new content under
the same name is another document. Which items are new is asked of whoever keeps them, by their digests, and only those
are parsed. Nothing here remembers: the place in the document under way is handed in, and a file leaves ``work/`` only
after `ExportDirectory.committed`. So after any crash the same file is there, and is read on from the same place.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import SourceUnavailable
from agent.pohoda.bad import BadDocument, BadItem
from agent.pohoda.envelope import closes, sniff
from agent.pohoda.items import Item, items
from agent.sources import SourceFinding
from agent.sources.export_elements import ElementsOfCards
from agent.sources.export_files import (
    DONE,
    QUARANTINE,
    WORK,
    ExportFiles,
    Sighting,
    is_of,
    local_time,
    original,
    unavailable,
)
from agent.sources.export_items import COUNTED, Known, Read, parsed

SETTLE = 1.0
"""Seconds for which a file must not change before it is taken."""
_PIECE = 2**20
_CHUNK_BYTES = 4 * 2**20
"""A chunk ends here whatever its limit: one item may have 16 MiB, and memory is to stay flat."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was taken: settled, moved to ``work/``, and known by its content."""

    name: str
    """As it came."""
    sha: str
    """SHA-256 of its content, hex."""
    size: int
    """Bytes."""
    stamp: str
    """When POHODA made it, by its first list (local time); empty where it does not say."""
    path: Path
    """Where it lies now."""
    tells: frozenset[str] = frozenset()
    """Elements that an export may be made without and that some card in it has (see `export_elements`)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on."""

    sha: str
    name: str
    offset: int = 0
    part: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """One chunk of a document."""

    document: Document
    items: tuple[Read, ...] = ()
    bad: tuple[BadItem, ...] = ()
    """Items that cannot be read; their neighbours are unharmed."""
    looked: int = 0
    """Items looked at, unchanged ones included."""
    cards: int = 0
    """Stock cards among them."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many of each list: cards, categories (branches at the top), parameters, suppliers (cards), orders."""
    place: Place = Place("", "")
    """Behind the last item that was looked at."""
    last: bool = False
    """The document is through, whatever became of it."""
    problem: BadDocument | None = None
    """It is to be set aside."""
    duplicate: bool = False
    """This content was taken in before."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What lies in the directory and is not taken yet."""

    files: int
    bytes: int
    held: tuple[str, ...]
    """Names of files that another program holds."""


@dataclass(slots=True)
class _Open:
    """The document under way, and its items that are still to come."""

    document: Document
    place: Place
    rest: Generator[Item, None, None]


class ExportDirectory:
    """Reads an export directory. To be used by one thread; `waiting` and `check` by others, too."""

    def __init__(
        self,
        folder: Path,
        *,
        ico: str = "",
        keep: float = 7 * 86_400.0,
        settle: float = SETTLE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``ico``: of another company nothing is taken; ``keep``: seconds for which `done/` keeps a file."""
        self.folder = folder
        self._files = ExportFiles(folder, settle=settle)
        self._ico = ico
        self._keep = keep
        self._clock = clock
        self._open: _Open | None = None
        self._stamps: dict[tuple[str, int, int], str] = {}
        self._away: dict[Path, tuple[str, str, str]] = {}
        """Files that are through and could not be moved yet: where to, under which name, why."""
        self._waiting: list[Sighting] = []

    def read(
        self, place: Place | None, known: Known, taken: Callable[[str], bool], *, limit: int = 500
    ) -> Taken | None:
        """Take the next chunk of the document at ``place``, or of the next one that is ready; None: nothing is.

        ``known`` tells which digests need not be parsed again, ``taken`` whether a content was worked off before.
        Raises `SourceUnavailable`; then the same call goes on at the same place.
        """
        self._put_away_again()
        if self._open is not None and (place is None or self._open.place != place):
            self._let_go()
        try:
            if self._open is None:
                found = self._resume(place) or self._next()
                if found is None:
                    return None
                document, start = found
                if taken(document.sha):
                    end = Place(document.sha, document.name, document.size)
                    return Taken(document, place=end, last=True, duplicate=True)
                rest = _whole(document, start, ico=self._ico)
                self._open = _Open(document, start, rest)
            return self._chunk(self._open, known, limit)
        except OSError as error:
            self._let_go()
            raise unavailable(self.folder, error) from error
        except BaseException:
            self._let_go()  # the open file stands behind items that nobody got
            raise

    def committed(self, taken: Taken) -> None:
        """What was taken is durable; a document that is through goes where it belongs, as soon as nobody holds it."""
        if not taken.last:
            return
        self._let_go()
        document, problem = taken.document, taken.problem
        folder = QUARANTINE if problem else DONE
        self._away[document.path] = folder, document.name, self._reason(document.name, problem) if problem else ""
        self._put_away_again()

    def waiting(self) -> Waiting:
        """Tell what the last scan found waiting."""
        sizes = [seen.size for seen in self._waiting]
        return Waiting(len(sizes), sum(sizes), tuple(sorted(self._files.held)))

    def prune(self, now: float) -> int:
        """Delete what has been in ``done/`` for long enough."""
        return self._files.prune(now - self._keep)

    def check(self) -> list[SourceFinding]:
        """Examine the folder for ``check``. Never raises, writes nothing."""
        try:
            count = len(self._files.scan(self._clock()))
            left = len(self._files.in_work())
        except SourceUnavailable as error:
            return [SourceFinding("error", "export directory", str(error), error.hint)]
        if not os.access(self.folder, os.W_OK):
            hint = f"The agent moves files to {WORK}, {DONE} and {QUARANTINE}: let its account write there."
            return [SourceFinding("error", "export directory", f"{self.folder} cannot be written", hint)]
        found = [SourceFinding("ok", "export directory", f"{self.folder}: {count} files wait, {left} under way")]
        with contextlib.suppress(OSError), os.scandir(self.folder / QUARANTINE) as entries:
            bad = [entry.name for entry in entries if entry.name.endswith(".reason.txt")]
            if bad:
                text = f"{len(bad)} files could not be read and lie in {self.folder / QUARANTINE}"
                found.append(SourceFinding("warning", "export directory", text, "Read the .reason.txt beside each."))
        return found

    def close(self) -> None:
        """Let go of the open file."""
        self._let_go()

    # -- which document ------------------------------------------------------------------------------------------------

    def _resume(self, place: Place | None) -> tuple[Document, Place] | None:
        """The document at a place, or one that was left in ``work/`` by a crash."""
        left = [path for path in self._files.in_work() if path not in self._away]
        if place is not None:
            for path in left:
                if is_of(path, place.sha) and (document := self._known_by_content(path)).sha == place.sha:
                    return document, place
        for path in left:
            document = self._known_by_content(path)
            return document, Place(document.sha, document.name)
        return None

    def _next(self) -> tuple[Document, Place] | None:
        """Take the oldest document that is ready."""
        now = self._clock()
        self._waiting = self._files.scan(now)
        for seen in sorted(self._waiting, key=self._order):
            if self._files.is_ready(seen, now) and (path := self._files.take(seen.name)) is not None:
                document = self._known_by_content(path)
                if not self._files.is_as_seen(document.path, seen):
                    self._files.give_back(document.path, seen.name)  # somebody still writes it
                    continue
                self._waiting = [one for one in self._waiting if one is not seen]
                return document, Place(document.sha, document.name)
            if self._files.holds_up(seen, now):
                return None  # what is newer must not be overwritten by this one afterwards
        return None

    def _order(self, seen: Sighting) -> tuple[str, int, str]:
        """Documents that wait together are taken in the order in which POHODA made them."""
        mark = (seen.name, seen.size, seen.mtime_ns)
        if mark not in self._stamps:
            if len(self._stamps) > 10_000:
                self._stamps.clear()
            stamp = _stamp_of(self.folder / seen.name)
            if stamp is None:  # held: it is asked again; what is being written is as old as its beginning
                return local_time(int(seen.first * 1e9)), seen.mtime_ns, seen.name
            self._stamps[mark] = stamp
        return self._stamps[mark] or local_time(seen.mtime_ns), seen.mtime_ns, seen.name

    def _known_by_content(self, path: Path) -> Document:
        """Hash a file in ``work/`` and name it by its content. Raises OSError."""
        digest, told = hashlib.sha256(), ElementsOfCards()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                told.look(piece)
            size = file.tell()
        sha = digest.hexdigest()
        path = self._files.name_by(path, sha)
        return Document(original(path), sha, size, _stamp_of(path) or "", path, frozenset(told.found))

    # -- what is in it -------------------------------------------------------------------------------------------------

    def _chunk(self, at: _Open, known: Known, limit: int) -> Taken:
        """Read up to so many items. The items before the one that spoils a document are given as well."""
        looked: list[Item] = []
        problem: BadDocument | None = None
        last = True
        try:
            last = _gathered(at.rest, looked, limit)
        except BadDocument as error:
            problem = error
        read, bad = parsed(looked, known)
        if looked:
            at.place = Place(at.document.sha, at.document.name, looked[-1].end, looked[-1].part.offset)
        counts = Counter(COUNTED[item.kind] for item in looked if item.kind in COUNTED)
        return Taken(
            at.document, tuple(read), tuple(bad), len(looked), counts["cards"], counts, at.place, last, problem
        )

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.rest.close()
            self._open = None

    def _put_away_again(self) -> None:
        """Move what is through; what a scanner still holds waits for the next call."""
        for path, (folder, name, reason) in list(self._away.items()):
            try:
                self._files.put_away(path, folder, name, now=self._clock(), reason=reason)
            except FileNotFoundError:
                if path.parent.is_dir():
                    del self._away[path]  # somebody else moved it
            except OSError:
                continue
            else:
                del self._away[path]

    def _reason(self, name: str, problem: BadDocument) -> str:
        when = local_time(int(self._clock() * 1e9)).replace("T", " ")
        return f"{problem.reason}\n{name}: {problem}\n{problem.hint}\n{when}\n"


def _whole(document: Document, start: Place, *, ico: str) -> Generator[Item, None, None]:
    """The items of a document. Of one that does not close none, for half an export says nothing."""
    sniff(document.path, ico=ico)
    if not closes(document.path):
        raise BadDocument("truncated", f"the root is not closed at the end of {document.size} bytes")
    yield from items(document.path, start=start.offset, part=start.part, ico=ico)


def _gathered(rest: Generator[Item, None, None], looked: list[Item], limit: int) -> bool:
    """Fill ``looked``, which keeps what came before an error; True when the document is through."""
    size = 0
    for item in rest:
        looked.append(item)
        size += len(item.raw)
        if len(looked) >= limit or size >= _CHUNK_BYTES:
            return False
    return True


def _stamp_of(path: Path) -> str | None:
    """When POHODA made a document; empty for what does not say, and for what is none; None: it cannot be opened."""
    try:
        first = sniff(path).first
    except BadDocument:
        return ""
    except OSError:
        return None
    return first.stamp if first else ""
