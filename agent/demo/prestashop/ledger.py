"""The list of every quantity that a client wrote and the fake shop accepted: what judges of a test go by."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TextIO


class Write(NamedTuple):
    """One accepted write of a quantity. ``at`` is `time.monotonic`, in seconds."""

    at: float
    row: int
    reference: str
    quantity: int


class Ledger:
    """Remembers the writes, appends them to a file, and tells a listener; in the order in which they took effect.

    The file gets one JSON line per write, flushed, so that another process can judge: at (monotonic seconds),
    time (UTC, ISO 8601), row, reference, quantity.
    """

    def __init__(
        self,
        path: Path | None = None,
        on_write: Callable[[str, int, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writes: list[Write] = []
        self._lock = threading.Lock()
        self._path = path
        self._file: TextIO | None = None
        self._on_write = on_write
        self._clock = clock

    def record(self, row: int, reference: str, quantity: int) -> None:
        """Take down one write. Called under the store's lock; the listener, too, so it must be short."""
        at = self._clock()
        with self._lock:
            self._writes.append(Write(at, row, reference, quantity))
            if self._path is not None:
                self._append({"at": at, "row": row, "reference": reference, "quantity": quantity})
        if self._on_write is not None:
            self._on_write(reference, quantity, at)

    def writes(self) -> list[Write]:
        """All writes so far."""
        with self._lock:
            return list(self._writes)

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _append(self, line: dict[str, float | int | str]) -> None:
        if self._file is None and self._path is not None:
            self._file = self._path.open("a", encoding="utf-8")
        if self._file is not None:
            stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._file.write(json.dumps({**line, "time": stamp}, ensure_ascii=False) + "\n")
            self._file.flush()
