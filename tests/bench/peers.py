"""Other durable queues for Python on the same disk, for a sense of scale; each is left out where it is not installed.

They commit one event at a time and have no batches, so they are not a floor, but what a reader may know.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.figures import plain
from tests.bench.things import things


def rows(folder: Path, events: int) -> list[str]:
    """One line per queue that is installed: events a second in, and taken and acknowledged."""
    peers: dict[str, Callable[[Path, list[str]], tuple[float, float]]] = {
        "persist-queue (SQLiteAckQueue)": _persist_queue,
        "litequeue": _litequeue,
    }
    texts = [f'{{"key": "{thing.key}", "value": {thing.value}}}' for thing in things(0, events)]
    found: list[str] = []
    for name, measure in peers.items():
        try:
            put, done = measure(folder / name.split(" ", maxsplit=1)[0], texts)
        except ImportError:
            found.append(f"{name}: not installed")
            continue
        found.append(f"{name}, one commit each: {plain(events / put)} events/s in, {plain(events / done)} out")
    return found


def _persist_queue(folder: Path, texts: list[str]) -> tuple[float, float]:
    package: Any = importlib.import_module("persistqueue")
    queue = package.SQLiteAckQueue(str(folder), auto_commit=True)
    began = time.perf_counter()
    for text in texts:
        queue.put(text)
    between = time.perf_counter()
    for _ in texts:
        queue.ack(queue.get(block=False))
    ended = time.perf_counter()
    queue.close()
    return between - began, ended - between


def _litequeue(folder: Path, texts: list[str]) -> tuple[float, float]:
    package: Any = importlib.import_module("litequeue")
    folder.mkdir()
    queue = package.LiteQueue(str(folder / "queue.db"))
    began = time.perf_counter()
    for text in texts:
        queue.put(text)
    between = time.perf_counter()
    for _ in texts:
        queue.done(queue.pop().message_id)
    ended = time.perf_counter()
    with contextlib.suppress(AttributeError):
        queue.close()
    return between - began, ended - between
