"""A hint that something came into a folder, by the system's own notices; a scan stays the truth.

Network shares send none, a full queue drops them, and observers die silently: so nothing depends on it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

log = logging.getLogger(__name__)


class _Wakes(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake for whatever appeared or was finished; reading a file is an event, too, and none of ours."""
        if event.event_type in {"created", "moved", "closed", "modified"} and not event.is_directory:
            self._wake()


def watch(folder: Path, wake: Callable[[], None]) -> Callable[[], None]:
    """Call ``wake`` when something comes into the folder, as long as that works; returns what ends it. Never raises."""
    try:
        observer = Observer()
        observer.daemon = True
        observer.schedule(_Wakes(wake), str(folder), recursive=False)
        observer.start()
    except Exception as error:
        log.info("the system does not tell of new exports (%s); the folder is looked at regularly", error)
        return lambda: None

    def stop() -> None:
        with contextlib.suppress(Exception):
            observer.stop()
            observer.join(1.0)

    return stop
