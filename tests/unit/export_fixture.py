"""An export directory under a clock of its own, and someone who takes in what it gives, as intake does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.sources.export_directory import ExportDirectory, Place, Taken
from tests.pohoda.documents import card, pack, pack_item, stock_list

ICO = "12345678"


def document(*codes: str, stamp: str = "2026-11-20T08:00:01", inside: str = "") -> bytes:
    """A document with a card of each code."""
    said = f' version="2.0" dateTimeStamp="{stamp}" state="ok"' if stamp else ' version="2.0" state="ok"'
    return pack(pack_item(stock_list([card(code, inside) for code in codes], attributes=said))).encode("cp1250")


@dataclass(slots=True)
class Office:
    """The directory, its clock, and what was taken in so far; `restart` forgets all that is only in memory."""

    folder: Path
    now: float = 1_800_000_000.0
    place: Place | None = None
    digests: set[bytes] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    got: list[str] = field(default_factory=list)
    """Codes of the cards in the order in which they came."""
    ends: list[Taken] = field(default_factory=list)
    """The last chunk of each document."""
    directory: ExportDirectory = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew, as a process does."""
        self.directory = ExportDirectory(self.folder, ico=ICO, clock=lambda: self.now)

    def put(self, name: str, raw: bytes, *, age: float = 0.0) -> Path:
        """Put a file there, last changed ``age`` seconds ago."""
        path = self.folder / name
        path.write_bytes(raw)
        os.utime(path, (self.now - age, self.now - age))
        return path

    def read(self, limit: int = 500) -> Taken | None:
        """One chunk, not yet taken in."""
        return self.directory.read(self.place, self.known, lambda sha: sha in self.done, limit=limit)

    def known(self, digests: Sequence[bytes]) -> set[bytes]:
        """What was taken in before."""
        return self.digests & set(digests)

    def keep(self, taken: Taken) -> None:
        """Take a chunk in: durable from here on."""
        if not taken.duplicate:
            self.got += [read.value.code for read in taken.items if read.kind == "stock"]
            self.digests |= {read.digest for read in taken.items}
        self.place = None if taken.last else taken.place
        if taken.last:
            self.ends.append(taken)
            if taken.problem is None:
                self.done.add(taken.document.sha)

    def step(self, limit: int = 500) -> Taken | None:
        """Read, take in, let the directory forget."""
        taken = self.read(limit)
        if taken is not None:
            self.keep(taken)
            self.directory.committed(taken)
        return taken

    def work(self, *, limit: int = 500, seconds: float = 4.0) -> None:
        """Step for a while, a second at a time."""
        until = self.now + seconds
        while self.now <= until:
            if self.step(limit) is None:
                self.now += 1.0

    def names(self, folder: str = "") -> set[str]:
        """The files in the directory, or in one of its folders."""
        place = self.folder / folder
        return {path.name for path in place.iterdir() if path.is_file()} if place.is_dir() else set()
