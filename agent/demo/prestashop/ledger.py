"""The list of what clients wrote and the fake shop accepted: what judges of a test go by.

Every quantity, every record that was created, every picture that was uploaded, every state that an order was brought
into: doubles can be counted.
"""

from __future__ import annotations

import hashlib
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


class Creation(NamedTuple):
    """One record that a client created. ``reference`` is its code, or its name where it has none, or empty."""

    at: float
    resource: str
    row: int
    reference: str


class StateChange(NamedTuple):
    """One state that a client brought an order into; each may have been a mail to the customer."""

    at: float
    order: int
    reference: str
    state: int


class Upload(NamedTuple):
    """One picture that a client uploaded; ``sha256`` is that of the bytes as they came."""

    at: float
    image: int
    product: int
    sha256: str


class Ledger:
    """Remembers the writes, appends them to a file, and tells a listener; in the order in which they took effect.

    The file gets one JSON line per write, flushed, so that another process can judge: at (monotonic seconds),
    time (UTC, ISO 8601), and: row, reference, quantity; or created, row, reference; or image, product, sha256;
    or order, reference, state.
    """

    def __init__(
        self,
        path: Path | None = None,
        on_write: Callable[[str, int, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writes: list[Write] = []
        self._creations: list[Creation] = []
        self._uploads: list[Upload] = []
        self._states: list[StateChange] = []
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

    def record_creation(self, resource: str, row: int, reference: str) -> None:
        """Take down a record that was created."""
        at = self._clock()
        with self._lock:
            self._creations.append(Creation(at, resource, row, reference))
            if self._path is not None:
                self._append({"at": at, "created": resource, "row": row, "reference": reference})

    def record_upload(self, image: int, product: int, data: bytes) -> None:
        """Take down a picture that was uploaded."""
        at, sha = self._clock(), hashlib.sha256(data).hexdigest()
        with self._lock:
            self._uploads.append(Upload(at, image, product, sha))
            if self._path is not None:
                self._append({"at": at, "image": image, "product": product, "sha256": sha})

    def record_state(self, order: int, reference: str, state: int) -> None:
        """Take down a state that a client brought an order into."""
        at = self._clock()
        with self._lock:
            self._states.append(StateChange(at, order, reference, state))
            if self._path is not None:
                self._append({"at": at, "order": order, "reference": reference, "state": state})

    def state_changes(self) -> list[StateChange]:
        """All changes of orders' states so far."""
        with self._lock:
            return list(self._states)

    def creations(self) -> list[Creation]:
        """All creations so far."""
        with self._lock:
            return list(self._creations)

    def uploads(self) -> list[Upload]:
        """All uploads so far."""
        with self._lock:
            return list(self._uploads)

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
