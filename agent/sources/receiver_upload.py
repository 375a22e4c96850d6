"""One posted document on its way into the export directory: ``.part``, checked, durable, and only then in sight.

* The name carries 32 hex digits of the content's SHA-256 (128 bits): with those the name alone tells that the very
  same content is there already, waiting (in the folder), being read (``work/``) or read (``done/``). The folders are
  looked at in the order in which a file moves through them, so that a moving one is not missed.
* Content that was there before is not stored again if the document says when it was made (``dateTimeStamp``): then it
  is the same export, and older than all that came since. Lists of categories and parameters do not say so; there equal
  bytes may mean that a value was changed and changed back, so only the newest document is known to be a repetition.
* Written data are brought to the disk every `SYNC_EVERY` bytes, so that the last time, which others wait for, is short.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from agent.pohoda.bad import BadDocument
from agent.pohoda.envelope import Envelope, closes, sniff
from agent.pohoda.names import Kind
from agent.sources.receiver_answer import Refusal, bad_document
from agent.sources.receiver_unpack import Coding, Unpacker, too_large

PREFIX = "posted-"
HASH_DIGITS = 32
SYNC_EVERY = 32 * 2**20
FORGOTTEN_AFTER = 24 * 3600.0
"""Seconds after which a part file is of a process that died; no post may last longer than an hour."""
_FULL = {errno.ENOSPC, errno.EDQUOT}


def _new_file(path: Path) -> BinaryIO:
    return path.open("xb", buffering=128 * 1024)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable. Windows has no such call, and NTFS keeps its names in a journal."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # shares that have no such call
            raise
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Disk:
    """The calls that make a file durable; tests put a full disk and a recorder here."""

    create: Callable[[Path], BinaryIO] = _new_file
    sync: Callable[[int], object] = os.fsync
    rename: Callable[[Path, Path], object] = os.replace
    sync_folder: Callable[[Path], object] = _sync_folder


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that is durable: what it is, its bytes unpacked, whether it was there before."""

    kind: Kind
    size: int
    ident: str
    known: bool


class Upload:
    """A body being received. `feed`, `work` until it is not ``pending``, then `store`; or `discard`, at any time.

    After the first problem nothing is kept: the rest is read and thrown away, for POHODA hears no answer before it has
    sent everything, and `store` raises the problem.
    """

    def __init__(self, folder: Path, coding: Coding, *, largest: int, disk: Disk) -> None:
        self.received = 0
        """Bytes that came over the wire."""
        self._folder = folder
        self._largest = largest
        self._disk = disk
        self._unpacker = Unpacker(coding, largest)
        self._hash = hashlib.sha256()
        self._unsynced = 0
        self._file: BinaryIO | None = None
        self._part = folder / f"{PREFIX}{secrets.token_hex(8)}.part"
        self._problem: Refusal | None = None
        self._sound: Envelope | None = None
        try:
            self._file = disk.create(self._part)
        except OSError as error:
            self._give_up(_cannot_write(error))

    @property
    def pending(self) -> bool:
        """There is more to unpack of what was fed."""
        return self._problem is None and self._unpacker.pending

    def feed(self, data: bytes) -> None:
        """Take what came over the wire. Raises `Refusal` when it is more than may ever be sent."""
        self.received += len(data)
        if self.received > self._largest:
            self.discard()
            raise too_large(self._largest)
        if self._problem is None:
            self._unpacker.feed(data)

    def work(self) -> int:
        """Unpack and write one piece; returns its bytes, at most 64 KiB."""
        try:
            piece = self._unpacker.take()
            self._hash.update(piece)
            if self._file is not None:
                self._file.write(piece)
                self._unsynced += len(piece)
                if self._unsynced >= SYNC_EVERY:
                    self._sync(self._file)
        except Refusal as refusal:
            self._give_up(refusal)
        except OSError as error:
            self._give_up(_cannot_write(error))
        else:
            return len(piece)
        return 0

    def store(self, now: float, *, ico: str, wait: bool) -> Stored | None:
        """The body is over: check the document and make it durable. ``now`` in seconds since 1970, for the name.

        None, only with ``wait``: another program (on Windows, a virus scanner) holds the file for a moment, so it has
        to be called again. Raises `Refusal`; nothing is left behind then.
        """
        if self._problem is not None:
            raise self._problem
        try:
            if self._sound is None:
                self._sound = self._finished(ico)
            stored = self._keep(self._sound, now)
        except PermissionError as error:
            if wait and self._sound is not None:
                return None
            raise self._give_up(_cannot_write(error)) from error
        except OSError as error:
            raise self._give_up(_cannot_write(error)) from error
        except Refusal as refusal:
            raise self._give_up(refusal) from None
        self.discard()
        return stored

    def discard(self) -> None:
        """Let go of the part file, if it is still there. Never raises."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # closing writes the rest, and the disk may be full
                self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)

    def _finished(self, ico: str) -> Envelope:
        """All has come: write it out, and look at what it is."""
        self._unpacker.finish()
        if self._file is None:
            raise AssertionError("a post without a file has a problem")
        self._file.flush()
        envelope = self._checked(ico)
        self._sync(self._file)
        self._file.close()
        return envelope

    def _checked(self, ico: str) -> Envelope:
        try:
            envelope = sniff(self._part, ico=ico)
            if not closes(self._part):
                raise BadDocument("truncated", "the root element does not close")
        except BadDocument as error:
            raise bad_document(error) from error
        if envelope.first is not None and not envelope.kind:
            name = envelope.first.name.local[:60]
            raise Refusal(
                200,
                f"the document holds {name!r}, which is no list that is read here",
                f"Dokument ({name}) není export, který agent čte. Sem patří jen adresy z karty Export.",
                hint="Paste the address on the card Export of agenda Internetové obchody, not on Import.",
            )
        return envelope

    def _keep(self, envelope: Envelope, now: float) -> Stored:
        digest = self._hash.hexdigest()[:HASH_DIGITS]
        size, stamp = self._unpacker.given, envelope.first.stamp if envelope.first else ""
        known = _is_there(self._folder, digest, newest=not stamp)
        if not known:
            when = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            self._disk.rename(self._part, self._folder / f"{PREFIX}{when}-{digest}.xml")
        self._disk.sync_folder(self._folder)
        return Stored(envelope.kind, size, envelope.id, known)

    def _sync(self, file: BinaryIO) -> None:
        file.flush()
        self._disk.sync(file.fileno())
        self._unsynced = 0

    def _give_up(self, problem: Refusal) -> Refusal:
        self._problem = problem
        self.discard()
        return problem


def clear_leftovers(folder: Path, now: float) -> None:
    """Remove part files that a process left that died; others' files are not touched. Never raises."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            ours = entry.name.startswith(PREFIX) and entry.name.endswith(".part")
            with contextlib.suppress(OSError):
                if ours and entry.stat(follow_symlinks=False).st_mtime < now - FORGOTTEN_AFTER:
                    Path(entry.path).unlink()


def _is_there(folder: Path, digest: str, *, newest: bool) -> bool:
    """Look whether this content is in the folder or was read; ``newest``: and came after all other documents."""
    found, others, latest = False, 0.0, 0.0
    for place in (folder, folder / "work", folder / "done"):
        with contextlib.suppress(FileNotFoundError), os.scandir(place) as entries:
            for entry in entries:
                if not entry.name.endswith(".xml"):
                    continue
                same = entry.name.startswith(PREFIX) and f"-{digest}." in entry.name
                found = found or same
                if newest:
                    with contextlib.suppress(OSError):
                        at = entry.stat(follow_symlinks=False).st_mtime
                        latest, others = (max(latest, at), others) if same else (latest, max(others, at))
    return found and (not newest or latest > others)


def _cannot_write(error: OSError) -> Refusal:
    full = error.errno in _FULL
    reason = "the disk is full" if full else f"the export directory cannot be written: {error.strerror or error}"
    return Refusal(
        200,
        reason,
        "Agent nemůže dokument uložit: "
        + ("na jeho disku není místo." if full else "do jeho složky pro export nelze zapisovat.")
        + " Nic se neztratilo; po nápravě spusťte export znovu.",
        hint="Make room on the disk." if full else "Check [pohoda] export_directory and the rights of the account.",
    )
