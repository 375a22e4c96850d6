"""Numbered SQL files, `PRAGMA user_version`, one transaction for each step, a copy before the first.

Tried before it was chosen: a failing step and a kill in the middle both leave the old version whole, which Alembic on
SQLite does not promise.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path


class SchemaError(Exception):
    """The file's version does not fit this program."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def steps(of: str = "migrations") -> list[tuple[int, str]]:
    """List the migrations in a folder as (version, SQL text), in order. They are package data."""
    folder = resources.files("state") / of
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    return [(int(entry.name.split("_")[0]), entry.read_text(encoding="utf-8")) for entry in files]


def version_of(connection: sqlite3.Connection) -> int:
    """Read the schema version of a file; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def require_current(connection: sqlite3.Connection, todo: list[tuple[int, str]] | None = None) -> None:
    """Raise `SchemaError` unless the file has exactly this program's version."""
    have, want = version_of(connection), (steps() if todo is None else todo)[-1][0]
    if have > want:
        raise _newer(have, want)
    if have < want:
        raise SchemaError(
            f"The state file has version {have}, this program works with {want}.",
            hint="Start the agent once (pohoda-agent run): it brings the file up to date.",
        )


def migrate(connection: sqlite3.Connection, path: Path, todo: list[tuple[int, str]] | None = None) -> int:
    """Bring the file up to date; returns the version it has then.

    An existing file is copied first (``<name>.before-<version>``). Raises `SchemaError` for a newer file, and
    `sqlite3.Error` when a step fails: the file then is what it was before that step.
    """
    todo = steps() if todo is None else todo
    have = version_of(connection)
    if have > todo[-1][0]:
        raise _newer(have, todo[-1][0])
    if 0 < have < todo[-1][0]:
        copy = path.with_name(f"{path.name}.before-{todo[-1][0]}")
        if not copy.exists():
            part = copy.with_name(copy.name + ".part")  # so that half a copy never passes for one
            part.unlink(missing_ok=True)
            connection.execute("VACUUM INTO ?", (str(part),))
            part.replace(copy)
    for version, sql in todo:
        if version > have:
            _apply(connection, version, sql)
    return version_of(connection)


def _apply(connection: sqlite3.Connection, version: int, sql: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version_of(connection) < version:  # else another process was faster
            for statement in _statements(sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(sql: str) -> list[str]:
    """Split a file into statements; `executescript` would commit before it starts."""
    found: list[str] = []
    part = ""
    for line in sql.splitlines(keepends=True):
        part += line
        if ";" in line and sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return [*found, part] if part.strip() else found


def _newer(have: int, want: int) -> SchemaError:
    return SchemaError(
        f"The state file was written by a newer program (version {have}, this one knows {want}).",
        hint="Install the newer pohoda-agent, or put back the copy that it made before it changed the file.",
    )
