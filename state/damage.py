"""Whether a state file is damaged: looked for where there is a reason, not in all of it at every start.

Reading every page of a file with a million deliveries takes most of a second (measured: 0.8 s for 200 MB), while the
shop waits. So a start reads all of a small file, and of a large one when a mark lies beside it. SQLite itself notices a
broken page when it touches it; whoever meets that leaves the mark, ends, and the next start looks closely and sets the
file aside. `look_over` finds what nobody touches; it works beside the agent, on a connection of its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from state.errors import StateDamagedError

SMALL = 8 * 1024 * 1024
"""Bytes up to which a file is read whole at every start: 30 ms."""
_HINT = "It is set aside and what can be read is saved when the agent starts."


def damaged(path: Path, what: object) -> StateDamagedError:
    """Make the error, and leave the mark for the next start."""
    with contextlib.suppress(OSError):  # a folder that only the agent may write to: it will meet the damage itself
        _mark(path).write_text(f"{what}\n", encoding="utf-8")
    return StateDamagedError(f"The state file {path} is damaged: {what}.", hint=_HINT)


def forget(path: Path) -> None:
    """Take the mark away: the file that lies there now is another one, or sound."""
    with contextlib.suppress(OSError):
        _mark(path).unlink(missing_ok=True)


def refuse(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StateDamagedError` for a damaged file, before anything is written into it.

    A marked file is examined with all its indexes, for a start that overlooked what stopped the last one would fail
    again and again; when nothing is found, the trouble was the disk's or the memory's, and the mark goes.
    """
    marked = _mark(path).exists()
    if marked or _size(path) <= SMALL:
        _examine(connection, path, "integrity_check(1)" if marked else "quick_check(1)")
    if marked:
        forget(path)


def look_over(path: Path) -> None:
    """Read every page of the file beside a running agent, which can write meanwhile; seconds for a large one.

    Raises `StateDamagedError` and leaves the mark when something is broken.
    """
    try:
        connection = sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)
        with contextlib.closing(connection):
            _examine(connection, path, "quick_check(1)")
    except sqlite3.Error as error:
        if is_damage(error):
            raise damaged(path, error) from error  # else it is locked, or gone: the agent's own business


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether SQLite says that the file is broken, or no database at all."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _examine(connection: sqlite3.Connection, path: Path, pragma: str) -> None:
    verdict = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    if verdict != "ok":
        raise damaged(path, verdict)


def _size(path: Path) -> int:
    """Count the bytes of the file and its WAL."""
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.suspect")
