"""Broken builds: three mistakes that lose money. The crash test must catch each of them, or it proves nothing.

A build is a copy of the code with one place changed; the change must apply, or the test fails.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.crash.child import ROOT

MUTATIONS: dict[str, tuple[str, str, str]] = {
    "cursor-before-commit": (
        "agent/ingest.py",
        '            failpoint.reach("before-ingest-commit")\n',
        (
            "            with self.state.write() as early:\n"
            "                cursors.remember(early, self.source.name, present.seen, present.gone)\n"
            '            failpoint.reach("before-ingest-commit")\n'
        ),
    ),
    "settle-before-answer": (
        "agent/dispatch.py",
        "        outcomes, found = self._deliver(batch)\n",
        (
            "        early = [settle.Settled(row.id, row.target, row.key, confirmed=row.value) for row in batch]\n"
            "        with self.state.write() as db:\n"
            "            settle.delivered(db, early, now=now)\n"
            "        outcomes, found = self._deliver(batch)\n"
        ),
    ),
    "shadow-while-pending": (
        "state/outbox.py",
        "        if old is None and not entry.force",
        "        if not entry.force",
    ),
}
"""Name -> (file, text, text that replaces it)."""


def build(name: str, folder: Path) -> Path:
    """Copy the code into a folder and break it; returns the folder. Raises `LookupError` if the place is gone."""
    for package in ("agent", "state", "config"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    file, old, new = MUTATIONS[name]
    path = folder / file
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise LookupError(f"{name}: the place to break stands {text.count(old)} times in {file}")
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder
