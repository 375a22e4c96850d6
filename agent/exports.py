"""What takes in one export directory: intake, receiver, and the watch that wakes them; and what is said about it.

There is one per directory and agent, however many shops sell from it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.config import Config
from agent.instance import intake_lock
from agent.intake import Intake
from agent.sources import SourceFinding
from agent.sources.export_directory import ExportDirectory
from agent.sources.export_watch import watch
from agent.sources.receiver import URLS, Receiver
from state import mirror
from state.db import StateFile
from state.errors import StateError

CALLED = "ANO"
"""Begins what ``check`` says of an address that POHODA has called: the word that POHODA itself shows there."""
RECEIVING = 0.05
"""Seconds between two looks of the receiver: it waits inside of its step for what comes."""
SCANNING = 1.0
"""Seconds between two scans of the directory; a scan of some files takes a millisecond."""


@dataclass(slots=True)
class Exports:
    """What takes in one export directory."""

    intake: Intake
    receiver: Receiver | None
    _held: contextlib.ExitStack
    _watch: Callable[[], None] | None = field(default=None)

    def watch(self, wake: Callable[[], None]) -> None:
        """Have the system tell when something comes; without that the next scan sees it."""
        folder = self.intake.directory.folder
        self._watch = watch(folder, wake)

    def close(self) -> None:
        """Let go of everything."""
        if self._watch is not None:
            self._watch()
        if self.receiver is not None:
            self.receiver.close()
        self.intake.close()
        self._held.close()


def open_exports(
    config: Config,
    directory: ExportDirectory,
    make_receiver: Callable[[Callable[[str, str], object]], Receiver | None],
    *,
    now: Callable[[], float] = time.time,
) -> Exports:
    """Open the mirror of a configuration and what fills it.

    Raises `ConfigError` when another agent takes in this directory, `StateError` for a mirror that cannot be opened,
    `EnvironmentProblem` for a port that is taken.
    """
    assert config.mirror is not None
    assert config.pohoda.export_directory is not None
    with contextlib.suppress(OSError):  # else each scan says what is wrong with it
        config.pohoda.export_directory.mkdir(exist_ok=True)
    with contextlib.ExitStack() as held:
        held.enter_context(intake_lock(config.pohoda.export_directory))
        file = mirror.open_mirror(config.mirror, stamp=datetime.now().astimezone().strftime("%Y%m%d-%H%M%S"))
        held.callback(file.close)

        def called(path: str, what: str) -> None:
            with file.write() as db:
                mirror.note_call(db, path, what, now())

        receiver = make_receiver(called)
        return Exports(Intake(directory, file), receiver, held.pop_all())


# ------------------------------------------------------------------------------------------------------------ check


def check_exports(config: Config, directory: ExportDirectory | None) -> list[SourceFinding]:
    """What ``check`` says of the export side: the folder, the receiver's addresses, what was taken in. Never raises."""
    if directory is None:
        return []
    with contextlib.closing(directory):
        found = directory.check()
    if not config.pohoda.ico:
        hint = 'Set [pohoda] ico = "12345678": another company\'s cards would take the place of these.'
        found.append(SourceFinding("warning", "exports", "exports of every company are taken", hint))
    file = _inspected(config)
    calls: dict[str, tuple[str, float, int]] = {}
    try:
        if file is not None:
            with contextlib.closing(file), file.read() as db:
                found += _taken(db)
                calls = mirror.calls(db)
        else:
            found.append(SourceFinding("warning", "exports", "nothing was taken in yet", _FIRST))
    except StateError as error:
        found.append(SourceFinding("error", "exports", str(error), error.hint))
    return [*found, *_addresses(config, calls)]


_FIRST = "Start the agent, then export all stock cards from POHODA once."


def _inspected(config: Config) -> StateFile | None:
    if config.mirror is None or not config.mirror.exists():
        return None
    return mirror.open_mirror_inspector(config.mirror)


def _taken(db: mirror.Connection) -> list[SourceFinding]:
    found = []
    under_way = mirror.under_way(db)
    if under_way:
        found.append(SourceFinding("ok", "exports", f"{under_way.name} is being taken in"))
    for one in mirror.documents(db, 1):
        when = datetime.fromtimestamp(one.moved_at).astimezone().strftime("%d.%m.%Y %H:%M")
        text = f"last: {one.name}, {when}, {one.looked} items, {one.bad} not readable"
        verdict = "ok" if one.outcome == "done" and not one.bad else "warning"
        found.append(SourceFinding(verdict, "exports", f"{text}{f': {one.reason}' if one.reason else ''}", ""))
    if not mirror.told(db):
        found.append(SourceFinding("warning", "exports", "no stock cards were taken in yet", _FIRST))
    return found


def _addresses(config: Config, calls: dict[str, tuple[str, float, int]]) -> list[SourceFinding]:
    table = config.pohoda.receiver
    if table is None:
        return []
    found = []
    for field_name, path in URLS.items():
        address = f"http://{table.listen}{path}"
        if path in calls:
            _, at, count = calls[path]
            when = datetime.fromtimestamp(at).astimezone().strftime("%d.%m.%Y %H:%M")
            text = f"{CALLED}  {address}  (POHODA called it {count} times, last {when})"
        else:
            text = f"{address}  (not called yet: paste it into POHODA, Internetové obchody, Export, {field_name})"
        found.append(SourceFinding("ok", f"receiver {field_name}", text))
    return found


def progress(config: Config, now: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was taken in, for ``status``: the document under way and the last one, and items that could not be read.

    Of the one under way: done and to go in items, bytes of its size, rate, seconds left. Raises `StateError`.
    """
    file = _inspected(config)
    if file is None:
        return [], []
    with contextlib.closing(file), file.read() as db:
        found = [one for one in (mirror.under_way(db), *mirror.documents(db, 1)) if one is not None]
        bad = mirror.bad_items(db, 5)
    return [_record(one, now) for one in found], bad


def _record(one: mirror.Document, now: float) -> dict[str, Any]:
    names = ("name", "outcome", "looked", "changed", "bad", "reason", "size")
    record = {name: getattr(one, name) for name in names} | {"at": one.moved_at, "bytes": one.offset}
    share = one.offset / max(one.size, 1) if one.outcome == "under way" else 1.0
    spent = max((now if one.outcome == "under way" else one.moved_at) - one.started_at, 0.001)
    return record | {
        "to_go": round(one.looked * (1 - share) / share) if share > 0 else None,
        "per_s": round(one.looked / spent, 1),
        "seconds_left": round(spent * (1 - share) / share) if share > 0 else None,
    }
