"""The watch wakes, and nothing that happens to it is ever raised."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Never

import pytest

from agent.sources.export_watch import watch
from tests.unit.export_fixture import document


def test_a_file_that_comes_wakes(tmp_path: Path) -> None:
    # The one test here with a real observer and its thread: it waits on an event, and never longer than needed.
    woken = threading.Event()
    stop = watch(tmp_path, woken.set)
    try:
        (tmp_path / "export.part").write_bytes(document("A"))
        woken.clear()
        (tmp_path / "export.part").replace(tmp_path / "export.xml")
        if not woken.wait(10.0):
            pytest.skip("this system sends no events")
    finally:
        stop()


def test_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    stop = watch(tmp_path / "nowhere", lambda: None)
    stop()
    stop()


def test_an_observer_that_fails_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Never:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.start", broken)
    watch(tmp_path, lambda: None)()
