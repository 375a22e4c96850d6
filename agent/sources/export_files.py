"""The files of an export directory: which are ready to be taken, and where they go.

A scan is the truth; nothing is concluded from events. A file is ready when its size and time stayed the same over two
scans and its root element closes; then it is moved to ``work/``, so that whatever comes later under the same name is
another file. On Windows the move fails while another program has the file open without sharing it, and so does the
opening before it: such a file is *held*, and tried again. From ``work/`` a file goes to ``done/`` or ``quarantine/``;
there a name that is taken gets a number. Only plain files of the folder itself are looked at, links never.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import SourceUnavailable
from agent.pohoda.envelope import closes

WORK, DONE, QUARANTINE = "work", "done", "quarantine"
PATIENCE = 60.0
"""Seconds after which a file that is empty, or whose root does not close, is no longer thought to be growing."""
LONGEST = 900.0
"""Seconds for which newer files wait for an older one that is still being written."""
_UNFINISHED = (".tmp", ".part", ".crdownload")
_TAKEN = re.compile(r"([0-9a-f]{16})\.(.+)", re.DOTALL)
_MOST_NUMBERS = 10_000
_LONGEST = 180
"""Bytes of a name; 255 are allowed, and a hash, a number, ``.reason.txt`` are added to it."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file as a scan saw it; ``since`` is when it first looked so, ``first`` when it was first there."""

    name: str
    size: int
    mtime_ns: int
    since: float
    first: float


class ExportFiles:
    """The folder and its three subfolders."""

    def __init__(self, folder: Path, *, settle: float) -> None:
        self.folder = folder
        self._settle = settle
        self._seen: dict[str, Sighting] = {}
        self.held: set[str] = set()
        """Names that another program holds."""

    def scan(self, now: float) -> list[Sighting]:
        """Look at the folder: all files that may be exports. Raises `SourceUnavailable` when it cannot be read."""
        found: dict[str, Sighting] = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if _is_export(entry.name) and entry.is_file(follow_symlinks=False):
                        stat = entry.stat(follow_symlinks=False)
                        found[entry.name] = self._sighted(entry.name, stat.st_size, stat.st_mtime_ns, now)
        except OSError as error:
            raise unavailable(self.folder, error) from error
        self._seen = found
        self.held &= found.keys()
        return list(found.values())

    def is_settled(self, seen: Sighting, now: float) -> bool:
        """Tell whether a file does not grow any more: the second scan, or a later one, found it as the first did."""
        return now - seen.since >= self._settle

    def is_ready(self, seen: Sighting, now: float) -> bool:
        """Tell whether a file may be taken: settled, closed, and held by nobody. What never closes is taken, too."""
        if not self.is_settled(seen, now):
            return False
        path = self.folder / seen.name
        try:
            whole = bool(seen.size) and closes(path)
            if not whole and now - seen.since < PATIENCE:
                return False
            opens_alone(path)
        except OSError:
            self.held.add(seen.name)
            return False
        self.held.discard(seen.name)
        return True

    def take(self, name: str) -> Path | None:
        """Move a file to ``work/``; None when another program holds it, or it is gone."""
        try:
            target = self._free(WORK, _shortened(name))
            os.replace(self.folder / name, target)  # noqa: PTH105 - as everywhere here: one system call, no more
        except FileNotFoundError:
            return None
        except OSError:
            self.held.add(name)
            return None
        self.held.discard(name)
        return target

    def is_as_seen(self, path: Path, seen: Sighting) -> bool:
        """Tell whether a file that was taken is still what the scan saw. Raises OSError."""
        now = os.lstat(path)
        return (now.st_size, now.st_mtime_ns) == (seen.size, seen.mtime_ns)

    def give_back(self, path: Path, name: str) -> None:
        """Move a file out of ``work/`` to where it came from. Raises OSError."""
        target = next(one for one in _numbered(self.folder / name) if not os.path.lexists(one))
        os.replace(path, target)  # noqa: PTH105 - as above

    def holds_up(self, seen: Sighting, now: float) -> bool:
        """Tell whether newer files wait for this one, which grows or is held: not for so long that nothing would go."""
        return now - seen.since < PATIENCE and now - seen.first < LONGEST

    def in_work(self) -> list[Path]:
        """What was taken and not finished. Raises `SourceUnavailable`."""
        if (self.folder / WORK).is_symlink():
            raise SourceUnavailable(
                f"{self.folder / WORK} is a link, and documents must not leave the export directory.",
                hint="Remove the link; the agent makes the folder itself.",
            )
        try:
            with os.scandir(self.folder / WORK) as entries:
                return sorted(Path(one.path) for one in entries if one.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unavailable(self.folder, error) from error

    def name_by(self, path: Path, sha: str) -> Path:
        """Name a file in ``work/`` by its content. Raises OSError."""
        target = path.with_name(f"{sha[:16]}.{_shortened(original(path))}")
        if target != path:
            os.replace(path, target)  # noqa: PTH105 - as above
        return target

    def put_away(self, path: Path, folder: str, name: str, *, now: float, reason: str = "") -> None:
        """Move a file out of ``work/``, with a text beside it where there is a reason. Raises OSError."""
        with contextlib.suppress(OSError):
            os.utime(path, (now, now))  # how long it stays counts from now
        target = self._free(folder, _shortened(name))
        if reason:
            beside = target.with_name(f"{target.name}.reason.txt")
            beside.write_text(reason, encoding="utf-8", newline="\r\n")
        os.replace(path, target)  # noqa: PTH105 - as above

    def prune(self, older_than: float) -> int:
        """Delete what was done before; returns how many files."""
        count = 0
        with contextlib.suppress(OSError), os.scandir(self.folder / DONE) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < older_than:
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()
                        count += 1
        return count

    def _sighted(self, name: str, size: int, mtime_ns: int, now: float) -> Sighting:
        before = self._seen.get(name)
        if before is not None and (before.size, before.mtime_ns) == (size, mtime_ns) and before.since <= now:
            return before
        first = before.first if before is not None and before.first <= now else now
        return Sighting(name, size, mtime_ns, now, first)

    def _free(self, folder: str, name: str) -> Path:
        """A path in a subfolder that nothing has yet. Raises OSError."""
        place = self.folder / folder
        place.mkdir(exist_ok=True)
        if place.is_symlink():
            raise OSError(f"{place} is a link")
        return next(path for path in _numbered(place / name) if not os.path.lexists(path))


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in range(2, _MOST_NUMBERS):
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")
    raise OSError(f"there are {_MOST_NUMBERS} files named {path.name}")


def _shortened(name: str) -> str:
    """A name to which something can be added; nearly every one is as it was."""
    if len(name.encode()) <= _LONGEST:
        return name
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - of a name, not of a path
    return stem.encode()[: _LONGEST - len(suffix)].decode(errors="ignore") + suffix


def original(path: Path) -> str:
    """The name under which a file in ``work/`` came."""
    found = _TAKEN.fullmatch(path.name)
    return found[2] if found else path.name


def is_of(path: Path, sha: str) -> bool:
    """Tell whether a file in ``work/`` bears the name of this content."""
    found = _TAKEN.fullmatch(path.name)
    return found is not None and found[1] == sha[:16]


def opens_alone(path: Path) -> None:
    """Raise OSError unless a file can be opened while nobody else has it open; on Linux that cannot be told."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only

        read, nobody_else, existing = 0x80000000, 0, 3
        handle = ctypes.windll.kernel32.CreateFileW(str(path), read, nobody_else, None, existing, 0, None)
        if handle in {-1, 2**32 - 1, 2**64 - 1}:
            raise ctypes.WinError()
        ctypes.windll.kernel32.CloseHandle(handle)
        return
    with path.open("rb"):
        pass


def unavailable(folder: Path, error: OSError) -> SourceUnavailable:
    """What it means that the folder cannot be read."""
    return SourceUnavailable(
        f"The export directory {folder} cannot be read: {error.strerror or error}.",
        hint="Check [pohoda] export_directory, the share, and the rights of the agent's account.",
    )


def local_time(mtime_ns: int) -> str:
    """A file's time as POHODA writes its stamps."""
    local = datetime.fromtimestamp(mtime_ns / 1e9, tz=UTC).astimezone()
    return local.replace(tzinfo=None).isoformat(timespec="seconds")


def _is_export(name: str) -> bool:
    lower = name.lower()
    # Not printable are also bytes that are no text: neither the state file nor a note could hold such a name.
    odd = lower.startswith((".", "~")) or lower.endswith(_UNFINISHED) or not name.isprintable()
    return lower.endswith(".xml") and not odd
