"""Putting the parts together, and running them.

One configuration is one shop: one state file, its targets, a source and an adapter for each. `rails` builds what a
command needs, `run` starts it and keeps it running, `once` works it off in the foreground.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from agent import parts
from agent.breaker import ShopBreaker
from agent.config import Config
from agent.dispatch import Dispatcher
from agent.errors import AgentError, ConfigError, EnvironmentProblem
from agent.exports import RECEIVING, SCANNING, Exports, open_exports
from agent.ingest import Ingest
from agent.instance import instance_lock
from agent.jobs.maintenance import Maintenance
from agent.log import current_shop, redactor
from agent.loop import Loop
from agent.shops import Shop
from agent.shops.pace import Pace
from agent.sources.mirror import MirrorDatabase
from agent.sources.reader import Database
from agent.targets import Target
from state import report, rescue, targets
from state.db import StateFile, open_state
from state.errors import StateDamagedError

log = logging.getLogger(__name__)

INTAKE = "exports"
STOP_WITHIN = 4.5
"""Seconds from the signal to the end, whatever the threads are doing."""


def open_or_rescue(path: Path) -> StateFile:
    """Open the state file; a damaged one is set aside, what can be read is saved, the rest is rebuilt by baseline."""
    try:
        return open_state(path)
    except StateDamagedError as error:
        stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
        aside, saved = rescue.set_aside(path, stamp)
        rows = ", ".join(f"{count} {table}" for table, count in saved.items() if count)
        log.error(  # noqa: TRY400 - the cause is said, a traceback would not help
            "%s It now is %s; saved: %s.", error, aside.name, rows or "nothing", extra={"hint": error.hint}
        )
        return open_state(path)


def _claim(state: StateFile, config: Config) -> None:
    """Refuse a state file that holds what another shop confirmed: believing it would write to the wrong products."""
    with state.write() as db:
        owner = targets.claim(db, config.place)
    if owner != config.place:
        raise ConfigError(
            f"The state file {config.state.file} belongs to {owner}, and [shop] names {config.place}.",
            hint="Name another [state] file: the shop is then read whole, and only the differences are sent.",
        )


@dataclass(slots=True)
class Rails:
    """All parts of one shop, wired, not started."""

    config: Config
    state: StateFile
    shops: list[Shop]
    targets: list[Target]
    ingests: list[Ingest]
    dispatchers: list[Dispatcher]
    breaker: ShopBreaker
    pace: Pace
    exports: Exports | None = None
    """What takes in the export directory: the first shop's that names it."""

    def prepare(self, now: float) -> None:
        """Note changed settings, and let what was on its way at the last stop count as unclear."""
        for ingest in self.ingests:
            ingest.prepare()
        for dispatcher in self.dispatchers:
            dispatcher.start(now)

    def close(self) -> None:
        """Let go of everything."""
        for shop in self.shops:
            shop.close()
        for ingest in self.ingests:
            ingest.source.close()
        if self.exports is not None:
            self.exports.close()
        self.state.close()


def rails(config: Config, locks: dict[str, threading.RLock] | None = None) -> Rails:
    """Build all parts of one shop. ``locks`` holds one lock per POHODA (`Database.identity`) and one per mirror.

    They are shared by the shops of one POHODA; the first to name a mirror also takes in its exports.
    """
    current_shop.set(config.shop.name)
    state = open_or_rescue(config.state.file)
    try:
        _claim(state, config)
        return _wire(config, state, {} if locks is None else locks)
    except BaseException:
        state.close()
        raise


def _wire(config: Config, state: StateFile, locks: dict[str, threading.RLock]) -> Rails:
    databases = {kind: parts.open_source(config, kind) for kind in sorted(config.targets.sources())}
    pace = Pace(config.shop.rate_limit)
    on = config.targets.running()
    probing = parts.make_shop(config, pace=pace.lane(on[0]))
    breaker = ShopBreaker(state, probing.probe)
    redact = redactor(config.secrets())
    built = Rails(config, state, [probing], [], [], [], breaker, pace)
    directory = parts.make_directory(config)
    if directory is not None and str(config.mirror) not in locks:
        locks[str(config.mirror)] = threading.RLock()
        built.exports = open_exports(config, directory, partial(parts.make_receiver, config))
    for number, name in enumerate(on):
        shop = probing if number == 0 else parts.make_shop(config, pace=pace.lane(name))
        built.shops.append(shop)
        built.targets.append(parts.make_target(config, name, shop))
        built.dispatchers.append(_dispatcher(config, built, redact))
    together: dict[str, list[Target]] = {}
    for target in built.targets:
        together.setdefault(parts.source_of(target.name), []).append(target)
    for name, targets_ in together.items():
        database = databases[config.targets.table_of(name).source]
        lock = locks.setdefault(_lock_name(config, database), threading.RLock())
        built.ingests.append(Ingest(parts.make_source(config, name, database), targets_, state, lock))
    return built


def _dispatcher(config: Config, built: Rails, redact: Callable[[str], str]) -> Dispatcher:
    """Make the dispatcher of the target that was added last."""
    target, shop = built.targets[-1], built.shops[-1]
    products = config.targets.products
    creates = bool(products and products.enabled and products.create)
    return Dispatcher(
        target,
        shop,
        built.state,
        built.breaker,
        timeout=config.shop.timeout,
        redact=redact,
        creator=target.creator if creates else "",
        after="prices" if creates and target.name == "quantities" else "",
    )


def _lock_name(config: Config, database: Database) -> str:
    """What a lock is shared by: the database, or the file of the mirror, which may not be there yet."""
    return str(config.mirror) if isinstance(database, MirrorDatabase) else database.identity


def spare_the_collector() -> None:
    """Let the garbage collector leave alone what stays for good, and come less often: measured 3 to 5 % of the work.

    Cards by the hundred are made and let go; reference counts free them, for nothing of ours is a circle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def run(configs: Sequence[Config], stop: threading.Event, now: Callable[[], float]) -> int:
    """Run until ``stop`` is set; returns the exit code. Raises `AgentError` or `StateError` when it cannot start."""
    spare_the_collector()
    fatal: list[Exception] = []

    def die(error: Exception) -> None:
        fatal.append(error)
        stop.set()

    with contextlib.ExitStack() as locks:
        running = [(built, loops(built, now, die)) for built in _build(configs, locks, now)]
        _tell_all(running)
        for built, threads in running:
            for loop in threads:
                loop.start()
            log.info("running", extra={"shop": built.config.shop.name})
        while not stop.wait(0.5):  # short waits: on Windows a signal only gets through between them
            pass
        log.info("stopping")
        deadline = time.monotonic() + STOP_WITHIN
        for built, threads in running:
            _stop(built, threads, deadline)
    if fatal:
        log.error("%s", fatal[0], extra={"hint": "Start the agent again: it saves what can be read and goes on."})
        return 1
    log.info("stopped")
    return 0


def _build(configs: Sequence[Config], locks: contextlib.ExitStack, now: Callable[[], float]) -> list[Rails]:
    """Take every lock, then build and prepare every shop: all of them or none."""
    for config in configs:
        locks.enter_context(instance_lock(config))
    shared: dict[str, threading.RLock] = {}
    done: list[Rails] = []
    try:
        for config in configs:
            done.append(rails(config, shared))
        for built in done:
            current_shop.set(built.config.shop.name)
            built.prepare(now())
        current_shop.set("")
    except BaseException:
        for built in done:
            built.close()
        raise
    return done


def loops(built: Rails, now: Callable[[], float], die: Callable[[Exception], None]) -> list[Loop]:
    """Make the loops of one shop: sources first, then dispatchers, then the jobs; that is the order of stopping."""
    config, state = built.config, built.state
    loop = partial(Loop, state=state, now=now, shop=config.shop.name, fatal=die)
    polls = [config.targets.table_of(ingest.targets[-1].name).poll for ingest in built.ingests]
    sources = [
        loop(f"source {one.source.name}", one.step, poll) for one, poll in zip(built.ingests, polls, strict=True)
    ]
    senders = [loop(f"target {one.target.name}", one.step, 1.0, due=one.next_due) for one in built.dispatchers]
    for dispatcher, sender in zip(built.dispatchers, senders, strict=True):
        dispatcher.stopping = sender.stopping
        dispatcher.asks_reread = partial(_wake, sources)
    for ingest in built.ingests:
        ingest.wake = partial(_wake, senders)
    house = Maintenance(state, config.state.keep, config.state.keep_rows)
    return [*_intake(built, loop), *sources, *senders, loop("maintenance", house.step, 60.0)]


def _intake(built: Rails, loop: Callable[..., Loop]) -> list[Loop]:
    """The loops that take in exports: first of all, for they are to stop before who reads from them."""
    exports = built.exports
    if exports is None:
        return []
    intake = loop(INTAKE, exports.intake.step, SCANNING)
    exports.watch(intake.wake.set)
    if exports.receiver is None:
        return [intake]
    return [loop("receiver", exports.receiver.step, RECEIVING), intake]


def _tell_all(running: Sequence[tuple[Rails, Sequence[Loop]]]) -> None:
    """What was taken in of a directory wakes the sources of every shop that reads the same mirror."""
    for built, _ in running:
        if built.exports is None:
            continue
        woken = [
            loop
            for other, threads in running
            if other.config.mirror == built.config.mirror
            for loop in threads
            if loop.name.startswith("source ")
        ]
        built.exports.intake.wake = partial(_wake, woken)


def _wake(threads: Sequence[Loop]) -> None:
    for loop in threads:
        loop.wake.set()


def _stop(built: Rails, threads: Sequence[Loop], deadline: float) -> None:
    """End the loops in order. A call that is cut short stays marked as sent: it counts as unclear next time."""
    for loop in threads:
        loop.stop()
    calls_end = deadline - 1.0
    ended = [loop.join(max(0.0, calls_end - time.monotonic())) for loop in threads]
    if not all(ended):
        built.pace.close()
        for shop in built.shops:
            shop.close()
        ended = [loop.join(max(0.0, deadline - time.monotonic())) for loop in threads]
    if all(ended):
        for dispatcher in built.dispatchers:
            dispatcher.stop()
        built.close()


@dataclass(frozen=True, slots=True)
class Left:
    """What `once` could not settle, and why: all zero and empty when both sides are equal."""

    pending: int = 0
    held: int = 0
    """Wait for a person."""
    dead: int = 0
    unread: bool = False
    """The shop was never read whole, so that nothing may be sent."""
    paused: bool = False
    reason: str = ""
    """What the shop said last, when it does not answer."""


def once(config: Config, now: Callable[[], float], *, patience: float, sleep: Callable[[float], object]) -> Left:
    """Take in and deliver all there is, in the foreground; returns what is left.

    Waits up to ``patience`` seconds for rests and for a shop that is down. Raises `AgentError` when it cannot start.
    """
    with instance_lock(config):
        built = rails(config)
        cut_short = False
        try:
            built.prepare(now())
            return _work_off(built, now, now() + patience, sleep)
        except KeyboardInterrupt:
            cut_short = True  # perhaps amid a call: what is marked as sent stays so, and counts as unclear next time
            raise
        finally:
            for dispatcher in [] if cut_short else built.dispatchers:
                dispatcher.stop()
            built.close()


def _work_off(built: Rails, now: Callable[[], float], deadline: float, sleep: Callable[[float], object]) -> Left:
    _take_in(built, now, deadline, sleep)
    while True:
        worked = [ingest.step(now()) for ingest in built.ingests]
        worked += [dispatcher.step(now()) for dispatcher in built.dispatchers]
        if any(worked):
            continue
        left = _left(built)
        due = min((due for one in built.dispatchers if (due := one.next_due(now())) is not None), default=None)
        if not (left.pending or left.unread) or due is None or due > deadline:
            return left
        sleep(max(0.05, min(due - now(), 1.0)))


def _take_in(built: Rails, now: Callable[[], float], deadline: float, sleep: Callable[[float], object]) -> None:
    """Work off the exports that are there, and those that may still be being written, as long as there is patience."""
    while built.exports is not None:
        if built.exports.intake.step(now()):
            continue
        if not built.exports.intake.directory.waiting().files or now() >= deadline:
            return
        sleep(0.3)


def _left(built: Rails) -> Left:
    """Count what is still owed."""
    with built.state.read() as db:
        rows = report.targets(db)
        refused = [loop["text"] for loop in report.loops(db) if loop["failed"] and loop["name"].startswith("sending ")]
    names = {target.name for target in built.targets}
    rows = [row for row in rows if row["target"] in names]
    return Left(
        pending=sum(row["pending"] for row in rows),
        held=sum(row["held"] for row in rows),
        dead=sum(row["dead"] for row in rows),
        unread=len(rows) < len(names) or any(row["baseline"] != "complete" for row in rows),
        paused=any(row["paused"] for row in rows),
        reason=built.breaker.state.reason or " ".join(refused),
    )


def explain_failure(error: Exception) -> tuple[str, str, int]:
    """Give the text, the hint and the exit code for an error that ends a command."""
    code = 1
    if isinstance(error, ConfigError):
        code = 2
    elif isinstance(error, EnvironmentProblem):
        code = 3
    hint = error.hint if isinstance(error, AgentError) else getattr(error, "hint", "")
    return str(error), hint, code
