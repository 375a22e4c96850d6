"""The floor of the latency: the same poll, and what it found posted by bare httpx, 100 in a call, one call at a time.

It remembers nothing, computes nothing, reads no answer and dies of any error. What it cannot do nobody can who sends
calls of this size one after the other: most of its time is the shop's own.
"""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from agent.shops.prestashop_xml import patch_body
from tests.bench.things import batches

ROOT = Path(__file__).resolve().parents[2]
BATCH = 100
_FOUND = "SELECT ID, StavZ, RowVer FROM SKz WHERE RowVer > ? ORDER BY RowVer"


class BareLoop:
    """The loop as a process of its own; use it as a context, which begins when its first poll is through."""

    def __init__(self, database: Path, *, url: str, key: str, poll: float) -> None:
        command = [sys.executable, "-m", "tests.bench.bare_loop", str(database), url, key, str(poll)]
        self._child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        if not self._child.stdout.readline():
            raise SystemExit("the bare loop has ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()


def _run(database: str, url: str, key: str, poll: float) -> None:
    db = sqlite3.connect(database, isolation_level=None, timeout=10)
    (last,) = db.execute("SELECT MAX(RowVer) FROM SKz").fetchone()
    print("ready", flush=True)
    with httpx.Client(base_url=url, auth=(key, ""), timeout=30) as client:
        while True:
            began = time.monotonic()
            rows = db.execute(_FOUND, (last,)).fetchall()
            for some in batches(rows, BATCH):
                body = patch_body((row, int(pieces)) for row, pieces, _ in some)
                headers = {"content-type": "text/xml; charset=utf-8"}
                client.patch("/api/stock_availables", content=body, headers=headers).raise_for_status()
            last = rows[-1][2] if rows else last
            time.sleep(max(0.0, began + poll - time.monotonic()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("database", "url", "key"):
        parser.add_argument(name)
    parser.add_argument("poll", type=float)
    given = parser.parse_args()
    _run(given.database, given.url, given.key, given.poll)
