"""A private copy of POHODA's Access file, and the signs that tell whether the file changed.

Why a copy: the driver of mdbtools fails on paths with letters beyond ASCII, nothing may be locked in POHODA's file for
longer than it takes to copy it, and a table that is read while POHODA writes would be half old and half new.

Signs: Jet writes pages in place. Size and time of change are seen without opening the file, but Windows may bring the
time of a file that is held open up to date only when it is closed. So now and then the first page is looked at, too:
its last 512 bytes are Jet's commit bytes, a counter for each user that moves when one has written (and opening a file
on a share makes a workstation hand over what it still keeps to itself). The same page tells whether somebody wrote
during the copy. The .ldb file beside it is no sign: it says who is there, not what they did.

The copy lies in a folder of its own that others cannot read (on Windows: of the user's own temporary files, where its
name is plain ASCII or has a short one), with a lock held while it is in use. Folders whose lock is free were left by an
agent that was killed, and are removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from filelock import FileLock, Timeout

from agent.errors import SourceUnavailable
from agent.sources.access_file import LARGEST, PAGE

PREFIX = "pohoda-access-"
_LOCK = "lock"
_PIECE = 1 << 20
_SPARE = 64 << 20
"""Bytes that stay free on the disk of the copy."""
_FORGOTTEN = 3600.0
"""Seconds after which a folder without a lock is one that was left while it was being made."""


class Sign(NamedTuple):
    """What is seen of a file without opening it; a file that was replaced differs, too."""

    size: int
    changed: int
    """Nanoseconds."""
    file: tuple[int, int]


def sign_of(path: Path) -> Sign:
    """Look at the file without opening it. Raises `SourceUnavailable`."""
    with translated():
        stat = path.stat()
    return Sign(stat.st_size, stat.st_mtime_ns, (stat.st_dev, stat.st_ino))


def first_page(path: Path) -> bytes:
    """A digest of the page that holds Jet's commit bytes. Opens the file for a moment. Raises `SourceUnavailable`."""
    with translated(), path.open("rb", buffering=0) as file:
        return _digest(file.read(PAGE))


@contextmanager
def copied(path: Path, going: Callable[[], None]) -> Iterator[tuple[Path, Sign, bytes]]:
    """Lend a copy that was not written to while it was made, with its sign and first page; removed afterwards.

    ``going`` is called between pieces of a megabyte and raises to cut it short. A file that changed meanwhile is copied
    once more. Raises `SourceUnavailable`, also when there is no folder or no room for the copy.
    """
    try:
        with _folder() as folder:
            target = folder / ("copy.accdb" if path.suffix.lower() == ".accdb" else "copy.mdb")
            for _ in range(2):
                before = sign_of(path)
                _room(folder, before.size)
                head = _copy(path, target, going)
                if head is not None and sign_of(path) == before and target.stat().st_size == before.size:
                    yield target, before, head
                    return
            raise SourceUnavailable(
                "POHODA is writing to its file.",
                hint="Nothing to do: the agent tries again by itself when it is quiet.",
            )
    except OSError as error:  # of our copy: what POHODA's file says is translated
        raise SourceUnavailable(
            f"The copy of POHODA's Access file cannot be kept: {error.strerror or 'the system gives no reason'}.",
            hint="Check room and rights on the disk for temporary files; POHODA's file itself is not touched.",
        ) from error


@contextmanager
def translated() -> Iterator[None]:
    """Make a `SourceUnavailable` of what the operating system says about POHODA's file."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceUnavailable(
            "POHODA's Access file is not there.",
            hint="Check [pohoda] database, and that the computer that shares the folder is on.",
        ) from error
    except PermissionError as error:
        raise SourceUnavailable(
            "POHODA's Access file may not be read now.",
            hint="Either somebody has it open for himself (a backup, a repair: the agent tries again by itself), or "
            "the account that runs the agent has no right to read it.",
        ) from error
    except OSError as error:
        raise SourceUnavailable(
            f"POHODA's Access file cannot be reached: {error.strerror or 'the system gives no reason'}.",
            hint="Check the network share and the computer that it is on; the agent tries again by itself.",
        ) from error


def _copy(path: Path, target: Path, going: Callable[[], None]) -> bytes | None:
    """Copy; the digest of the first page, None when that one changed meanwhile."""
    with translated():
        source = path.open("rb", buffering=0)
    with source:
        head = b""
        with target.open("wb") as copy:
            while piece := _piece(source, going):
                head = head or piece[:PAGE]
                copy.write(piece)
        with translated():
            source.seek(0)
            again = source.read(PAGE)
    return _digest(head) if again == head else None


def _piece(source: BinaryIO, going: Callable[[], None]) -> bytes:
    going()
    with translated():
        return source.read(_PIECE)


def _room(folder: Path, size: int) -> None:
    if size > LARGEST:
        raise SourceUnavailable(
            f"POHODA's Access file has {size >> 20} MB, more than an Access file can have.",
            hint="Have POHODA check its data.",
        )
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise SourceUnavailable(
            f"The copy of POHODA's Access file needs {(size + _SPARE) >> 20} MB, but only {free >> 20} MB are free.",
            hint=f"Make room on the disk of {folder.parent}, or set the variable TEMP (Linux: TMPDIR) to another one.",
        )


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a private folder with a held lock, and remove it afterwards."""
    parent = _parent()
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = FileLock(folder / _LOCK)
    try:
        with lock:
            yield folder
            shutil.rmtree(folder, ignore_errors=True)  # under the lock, so that no other agent sweeps it meanwhile
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Windows lets a lock file go only now


def _parent() -> Path:
    """A folder for temporary files whose path the driver understands. Raises `SourceUnavailable`."""
    places = [tempfile.gettempdir(), *(os.environ.get(name, "") for name in ("PROGRAMDATA", "PUBLIC"))]
    places += [] if os.name == "nt" else ["/var/tmp", "/tmp"]  # noqa: S108 - only as a parent of mkdtemp
    for place in filter(None, places):
        for path in (place, _short(place)):
            if path.isascii() and not set(path) & set(";{}[]") and os.access(path, os.W_OK):
                return Path(path)
    raise SourceUnavailable(
        f"There is no folder for the copy of POHODA's Access file: the path {places[0]} has letters beyond ASCII, "
        "which the driver does not understand.",
        hint=r"Set the variable TEMP (Linux: TMPDIR) to a folder like C:\Temp that only the agent's account can read.",
    )


def _short(path: str) -> str:
    """The short name (8.3) that Windows may keep of a path; elsewhere, and without one, the path."""
    if os.name != "nt":
        return path
    import ctypes  # noqa: PLC0415 - Windows only

    buffer = ctypes.create_unicode_buffer(1024)
    windows: Any = ctypes
    length = windows.windll.kernel32.GetShortPathNameW(path, buffer, len(buffer))
    return buffer.value if 0 < length < len(buffer) else path


def _sweep(parent: Path) -> None:
    """Remove what killed agents left: our own folders whose lock is free. Whatever fails is left for the next time."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):
            stat = folder.lstat()
            ours = os.name == "nt" or stat.st_uid == os.getuid()  # else a planted link would be followed
            if not ours or folder.is_symlink() or not folder.is_dir():
                continue
            if not (folder / _LOCK).exists():
                if time.time() - stat.st_mtime > _FORGOTTEN:
                    shutil.rmtree(folder, ignore_errors=True)
                continue
            with FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)


def _digest(page: bytes) -> bytes:
    return hashlib.blake2b(page, digest_size=16).digest()
