r"""The documents folder of the accounting unit: pictures, opened safely by the names that stand in POHODA.

POHODA keeps pictures as ``<data>\Dokumenty\<firma>\Obrázky\<file name>`` (documented in its XML schema). The setting
may name the unit's folder or the pictures' own. Names come from the database, where anybody with POHODA writes them:
one that leads out of the folder is refused, by parts (``..``, drives, shares, NTFS streams, device names) and, links
followed, by where the file really lies. Windows compares names without case and macOS composes letters otherwise, so a
name that is not there as it is written is looked for in a listing, which is at most `LISTING_AGE` seconds old.

A folder that cannot be read is `SourceUnavailable`, for then every picture would seem to be missing; one file that
cannot be read is `Unusable`, for it must not hold up all others. What a virus scanner or a copy under way holds is
tried again at each look: `sign` tells it from the file that can be read.

A file is hashed once per size and time of change. Threads: the source reads signs and hashes, the adapters ask for
bytes; what they share are dicts whose entries are replaced whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ShopUnavailable, SourceUnavailable, Unusable
from agent.sources import SourceFinding
from agent.sources.document_names import COLUMN, alike, parts_of
from agent.sources.picture_header import header_of

PICTURES = "Obrázky"
LARGEST = 20 * 2**20
"""Bytes of a picture; PrestaShop and Vendure take 8 to 20 MB as they are delivered."""
PIXELS = 50_000_000
LISTING_AGE = 10.0
"""Seconds for which a listing of a folder, and that the folder is there, is believed."""
AWAY = 30.0
"""Seconds after which bytes are asked for again while the folder is away."""
MISSING, UNREAD, REFUSED = "missing", "unread", "refused"
_AGAIN = "It is tried again by itself when the file appears or changes."
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
"""Never waits for the other end of a pipe, never follows a link that was put there a moment ago."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that may be sent: the hash of its bytes, where they lie, how many."""

    sha: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found in a file as long as its sign is this: its hash, or why it cannot be sent."""

    sign: str
    sha: str
    problem: str = ""
    hint: str = ""


class Documents:
    r"""The folder ``[pohoda] documents``: ``Dokumenty\<firma>``, or the folder of pictures within it."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._root: tuple[float, Path] | None = None
        self._listings: dict[str, tuple[float, dict[str, str]]] = {}
        self._judged: dict[str, _Judged] = {}
        self._of_sha: dict[str, str] = {}
        self._met: dict[str, None] = {}
        self._unread: set[str] = set()

    def sign(self, name: str) -> str:
        """Tell by size and time which file the name means now, without opening it; cheap, for fingerprints.

        ``missing``, ``unread`` (it could not be opened and still cannot) and ``refused`` (the name) are signs, too.
        Raises `SourceUnavailable` when the folder itself cannot be read.
        """
        try:
            path, found = self._locate(name)
        except Unusable:
            return REFUSED
        if found is None:
            return MISSING
        if path in self._unread:
            with contextlib.suppress(OSError):
                os.close(os.open(path, _FLAGS))
                self._unread.discard(path)
        return UNREAD if path in self._unread else _sign(found)

    def picture(self, name: str) -> Picture:
        """Find, read and examine a picture.

        Raises `Unusable` (missing, held by another program, too large, no picture, a name that leads elsewhere) with
        the full path, `SourceUnavailable` when the folder cannot be read.
        """
        path, found = self._locate(name)
        if found is None:
            raise Unusable(COLUMN, f"the file {path} is missing", hint=f"Put the file there. {_AGAIN}")
        judged = self._judge(path, found)
        if judged.problem:
            raise Unusable(COLUMN, f"the file {path} {judged.problem}", hint=judged.hint)
        return Picture(judged.sha, Path(path), found.st_size)

    def by_sha(self, sha: str, file: str = "") -> bytes:
        """Give the bytes with this hash, verified; ``file`` (the name in POHODA) saves a search after a restart.

        For the adapters, so it raises what they may let pass: `Unusable` when no file of the folder has it any more;
        `ShopUnavailable`, for certainly nothing was sent, while the folder is away (wait as long as that lasts) or a
        file that may be it is held by another program (wait a little).
        """
        last = self._of_sha.get(sha, "")
        held = ""
        try:
            for path in self._candidates(sha, file):
                try:
                    data = _read(path)
                except (OSError, _NotNow) as error:
                    held = held if isinstance(error, FileNotFoundError) else path
                    continue
                if hashlib.sha256(data).hexdigest() == sha:
                    self._of_sha[sha] = path
                    return data
            where = last or (str(self._pictures() / file) if file else f"a file in {self._pictures()}")
        except SourceUnavailable as error:
            raise ShopUnavailable(str(error), hint=error.hint, retry_after=AWAY) from error
        if held or (not last and self._unread):
            where = held or min(self._unread)
            raise ShopUnavailable(f"The picture {where} cannot be read now: another program holds it.", hint=_AGAIN)
        raise Unusable(COLUMN, f"the picture {where} is missing or has changed", hint=f"Put it back. {_AGAIN}")

    def check(self) -> list[SourceFinding]:
        """Examine the folder for ``check``. Never raises."""
        try:
            root = self._pictures()
            count = len(self._names(str(root)))
        except SourceUnavailable as error:
            return [SourceFinding("error", "documents", str(error), error.hint)]
        if not count:
            hint = "Is it the right folder? POHODA makes it with the first picture of a card."
            return [SourceFinding("warning", "documents", f"The folder {root} is empty.", hint)]
        return [SourceFinding("ok", "documents", f"pictures are read from {root}: {count} files")]

    def _pictures(self, *, anew: bool = False) -> Path:
        """The folder of the pictures. Raises `SourceUnavailable`."""
        now = self._clock()
        if self._root is None or anew or now - self._root[0] >= LISTING_AGE:
            try:
                with os.scandir(self._folder) as entries:
                    inner = sorted(each.name for each in entries if alike(each.name) == alike(PICTURES))
            except OSError as error:
                self._root = None
                raise SourceUnavailable(
                    f"The documents folder {self._folder} cannot be read: {error.strerror or error}.",
                    hint="Check [pohoda] documents, the share, and the rights of the agent's account.",
                ) from error
            folder = self._folder / inner[0] if inner else self._folder
            self._root = now, folder if folder.is_dir() else self._folder
        return self._root[1]

    def _locate(self, name: str) -> tuple[str, os.stat_result | None]:
        """Find a file by its name: where it is, or would be, and what it is. Raises `Unusable`, `SourceUnavailable`."""
        parts = parts_of(name)
        root = self._pictures()
        path = os.path.join(root, *parts)  # noqa: PTH118 - text: a path object per picture and look costs as much as the look
        found = _stat(path)
        if found is None:
            path = self._spelled(str(root), parts) or path
            found = _stat(path)
        if found is None:
            self._pictures(anew=True)  # a share that went away says "not found" of every file
            return path, None
        if len(parts) > 1 or not stat.S_ISREG(found.st_mode):
            path, found = self._inside(root, path)
        self._met[path] = None
        return path, found

    def _inside(self, root: Path, path: str) -> tuple[str, os.stat_result]:
        """Follow links: the real file, which must lie in the folder. Raises `Unusable`."""
        try:
            real = Path(path).resolve(strict=True)
            found = real.stat()
            inside = real.is_relative_to(root.resolve(strict=True))
        except (OSError, RuntimeError) as error:
            raise Unusable(COLUMN, f"the file {path} is a link that leads nowhere", hint=_AGAIN) from error
        if not inside:
            hint = "Put the file itself into the folder."
            raise Unusable(COLUMN, f"the file {path} is a link out of the documents folder", hint=hint)
        if not stat.S_ISREG(found.st_mode):
            raise Unusable(COLUMN, f"{path} is no file", hint="Choose the picture again on the card in POHODA.")
        return str(real), found

    def _spelled(self, folder: str, parts: tuple[str, ...]) -> str | None:
        """Find the path by names that differ in case or in how letters are composed."""
        for part in parts:
            names = self._names(folder)
            if alike(part) not in names:
                return None
            folder = os.path.join(folder, names[alike(part)])  # noqa: PTH118 - text, as above
        return folder

    def _names(self, folder: str) -> dict[str, str]:
        """List a folder: names as compared → as spelled. Empty where there is none."""
        now = self._clock()
        known = self._listings.get(folder)
        if known is None or now - known[0] >= LISTING_AGE:
            names: dict[str, str] = {}
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for name in sorted((each.name for each in entries), reverse=True):
                    names[alike(name)] = name
            known = self._listings[folder] = now, names
        return known[1]

    def _judge(self, path: str, found: os.stat_result) -> _Judged:
        known = self._judged.get(path)
        if known is not None and known.sign == _sign(found):
            return known
        try:
            data = _read(path)
        except (OSError, Unusable) as error:
            if isinstance(error, OSError):
                self._unread.add(path)
            problem = error.problem if isinstance(error, _NotNow) else "cannot be opened: another program holds it"
            if isinstance(error, PermissionError):
                problem = "cannot be opened: another program holds it, or the agent's account has no right to it"
            return _Judged("", "", problem, _AGAIN)
        judged = _examined(_sign(found), data)
        self._judged[path] = judged
        if judged.sha:
            self._of_sha[judged.sha] = path
        return judged

    def _candidates(self, sha: str, file: str) -> Iterator[str]:
        """Where bytes with this hash may lie: where they were seen, by the name, and else anywhere in the folder."""
        if sha in self._of_sha:
            yield self._of_sha[sha]
        if file:
            with contextlib.suppress(Unusable):
                path, found = self._locate(file)
                if found is not None:
                    yield path
        root = str(self._pictures(anew=True))
        paths = [*self._met, *(os.path.join(root, name) for name in self._names(root).values())]  # noqa: PTH118 - text
        yield from self._with_hash(sha, paths)

    def _with_hash(self, sha: str, paths: Iterable[str]) -> Iterator[str]:
        for path in dict.fromkeys(paths):
            found = _stat(path)
            if found is not None and stat.S_ISREG(found.st_mode) and self._judge(path, found).sha == sha:
                yield path


class _NotNow(Unusable):
    """A file that must not be taken as it is; ``problem`` goes on from its path."""

    def __init__(self, problem: str) -> None:
        super().__init__(COLUMN, problem, hint=_AGAIN)
        self.problem = problem


def _examined(sign: str, data: bytes) -> _Judged:
    """Hash a file's bytes and look at its header."""
    try:
        header = header_of(data)
    except ValueError as error:
        return _Judged(sign, "", str(error), f"Save it as JPEG, PNG, GIF or WebP. {_AGAIN}")
    if header.pixels > PIXELS:
        text = f"has {header.width} x {header.height} pixels, and at most {PIXELS // 10**6} million are sent"
        return _Judged(sign, "", text, f"Make it smaller. {_AGAIN}")
    return _Judged(sign, hashlib.sha256(data).hexdigest())


def _read(path: str) -> bytes:
    """Read a whole file that does not change meanwhile. Raises `OSError`, `_NotNow`."""
    with open(os.open(path, _FLAGS), "rb", buffering=0) as file:  # noqa: PTH123 - with flags that pathlib has not
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise _NotNow("is no file")
        if not 0 < before.st_size <= LARGEST:
            size = f"has {before.st_size / 2**20:.1f} MB, and at most {LARGEST // 2**20} are sent"
            raise _NotNow(size if before.st_size else "is empty")
        data = file.read(LARGEST + 1)
        while len(data) < before.st_size and (more := file.read(LARGEST)):
            data += more
        if len(data) != before.st_size or _sign(os.fstat(file.fileno())) != _sign(before):
            raise _NotNow("is being written")
    return data


def _stat(path: str) -> os.stat_result | None:
    """What is there; None: nothing. A file that may not even be looked at counts as nothing."""
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None


def _sign(found: os.stat_result) -> str:
    return f"{found.st_size}:{found.st_mtime_ns}"
