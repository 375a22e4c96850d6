"""Whether a target may send, and what formed its values; and how the loops and the shop's breaker fare."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TargetState:
    """``baseline`` is 'none', 'running' or 'complete'; ``page`` is where a running one stands."""

    paused: bool
    baseline: str
    page: str | None
    settings: str | None


def target_state(db: sqlite3.Connection, target: str) -> TargetState:
    """Read the state of a target; a new one is neither paused nor has it a baseline."""
    row = db.execute("SELECT paused, baseline, page, settings FROM target WHERE name = ?", (target,)).fetchone()
    return TargetState(bool(row[0]), row[1], row[2], row[3]) if row else TargetState(False, "none", None, None)  # noqa: FBT003 - a record's field


def _set(db: sqlite3.Connection, target: str, column: str, value: object) -> None:
    db.execute("INSERT OR IGNORE INTO target (name) VALUES (?)", (target,))
    db.execute(f"UPDATE target SET {column} = ? WHERE name = ?", (value, target))


def pause(db: sqlite3.Connection, target: str, *, paused: bool) -> None:
    """Stop or go on sending; ingest goes on either way, so nothing is missed."""
    _set(db, target, "paused", int(paused))


def baseline(db: sqlite3.Connection, target: str, status: str, page: str | None = None) -> None:
    """Note how far the baseline has come: it survives a restart at its page."""
    _set(db, target, "baseline", status)
    _set(db, target, "page", page)


def settings(db: sqlite3.Connection, target: str, fingerprint: str) -> None:
    """Remember the digest of the settings that the values are formed by."""
    _set(db, target, "settings", fingerprint)


def note_loop(db: sqlite3.Connection, name: str, *, failed: bool, text: str = "", hint: str = "", now: float) -> None:
    """Write down how a loop fares, for `status`."""
    db.execute(
        "INSERT OR REPLACE INTO loop (name, at, failed, text, hint) VALUES (?, ?, ?, ?, ?)",
        (name, now, int(failed), text, hint),
    )


def claim(db: sqlite3.Connection, owner: str) -> str:
    """Say whose file this is: what was confirmed and linked holds for one shop only. Returns who it belongs to."""
    db.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('owner', ?)", (owner,))
    return str(db.execute("SELECT value FROM meta WHERE name = 'owner'").fetchone()[0])


@dataclass(frozen=True, slots=True)
class Breaker:
    """The shop's breaker: ``failures`` in a row whose probe failed too; closed while ``open_until`` is 0."""

    failures: int = 0
    open_until: float = 0.0
    reason: str = ""


def load_breaker(db: sqlite3.Connection) -> Breaker:
    """Read the breaker; it outlives a restart, so that a shop that is down is not hammered."""
    row = db.execute("SELECT value FROM meta WHERE name = 'breaker'").fetchone()
    return Breaker(**json.loads(row[0])) if row else Breaker()


def save_breaker(db: sqlite3.Connection, breaker: Breaker) -> None:
    """Store the breaker."""
    text = json.dumps({"failures": breaker.failures, "open_until": breaker.open_until, "reason": breaker.reason})
    db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('breaker', ?)", (text,))
