"""`pohoda-agent demo`: a simulated morning against an embedded POHODA and an embedded shop, by the real agent.

The agent runs on an ordinary configuration file, over real HTTP: texts, prices and pictures from POHODA's XML export,
all else from its database. The shop fails for a few seconds on the way. At the end both sides are compared key by key
by a reckoning of its own. The folder stays, to be looked at.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from agent import app, log
from agent.clock import steady_clock
from agent.config import Config
from agent.demo import morning, scene
from agent.demo.compare import Compared
from agent.demo.latency import Stopwatch, percentile
from agent.demo.prestashop import FakePrestaShop
from agent.demo.scene import Scene
from agent.events import key_of

PATIENCE = 60.0
"""Seconds for the first reading of both sides, and for what is on its way at the end; longer with very many cards."""
CARDS_PER_SECOND = 25
FEWEST = 4
"""Cards: with fewer the second store would be empty, and an export says nothing of an empty store."""
GRACE = 3.0
"""Seconds that the agent has for what is on its way when somebody cuts the demo short."""
LOOK_EVERY = 0.25

Say = Callable[[str], object]


class _Agent:
    """The real agent, in a thread of its own; what ended it before its time is for the caller to raise."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.stop = threading.Event()
        self.ended = threading.Event()
        self.trouble: list[Exception] = []
        self.thread = threading.Thread(target=self._run, name="agent", daemon=True)

    def _run(self) -> None:
        try:
            app.run([self._config], self.stop, steady_clock())
        except Exception as error:  # the main thread raises it again
            self.trouble.append(error)
        finally:
            self.ended.set()


def play(folder: Path, *, seconds: float, cards: int, stop: threading.Event, say: Say) -> int:
    """Run the demo; returns the exit code: 0 when both sides are equal at the end, 1 when not or when ``stop`` cut it.

    Raises `ConfigError` when the folder holds files that are not the demo's, and whatever ended the agent early.
    """
    scene.clear(folder)
    cards = max(cards, FEWEST)
    watch = Stopwatch()
    shop = FakePrestaShop(on_write=lambda code, value, at: watch.written(key_of(code), value, at))
    with shop:
        on = scene.set_up(folder, shop, watch, cards)
        log.set_up(as_json=False, verbose=False, redact=log.redactor([]), file=folder / "agent.log")
        agent = _Agent(on.config)
        say(f"POHODA: {cards} stock cards in 2 stores; shop: {len(shop.quantities())} products at {shop.url}")
        agent.thread.start()
        patience = max(PATIENCE, cards / CARDS_PER_SECOND)
        try:
            say("the shop learns texts, prices and pictures from a first export, all else from the database")
            _wait_until_equal(on, agent, stop, patience)
            if not stop.is_set() and not agent.ended.is_set():
                say("baseline complete; the morning begins")
                morning.work(on, seconds, stop, say)
            say("the morning is over; waiting for what is on its way")
            _wait_until_equal(on, agent, stop, patience)
        finally:
            agent.stop.set()
            agent.thread.join(10)
        if agent.trouble:
            raise agent.trouble[0]
        return _verdict(on, say, cut_short=stop.is_set())


def _wait_until_equal(on: Scene, agent: _Agent, stop: threading.Event, patience: float) -> None:
    """Wait until nothing is on its way any more; once somebody wants to stop, only `GRACE` seconds."""
    end = time.monotonic() + patience
    hurried = False
    while time.monotonic() < end and not agent.ended.is_set():
        if stop.is_set() and not hurried:
            hurried, end = True, min(end, time.monotonic() + GRACE)
        begin = time.monotonic()
        if _settled(on) and not any(one.differing for one in on.compare()):
            return
        pause = max(LOOK_EVERY, time.monotonic() - begin)  # comparing very many cards takes a while
        time.sleep(pause) if hurried else stop.wait(pause)


def _settled(on: Scene) -> bool:
    """Tell whether the agent knows the whole shop and owes it nothing."""
    rows = on.owed()
    complete = {row["target"] for row in rows if row["baseline"] == "complete"}
    return complete >= {*on.config.targets.running()} and not any(row["pending"] or row["resting"] for row in rows)


def _verdict(on: Scene, say: Say, *, cut_short: bool) -> int:
    found = on.compare()
    wrong = [(one.target, line) for one in found for line in one.differing]
    if not cut_short:
        for target, line in wrong[:10]:
            say(f"  differs: {target} {line}")
    _say_where(on, say)
    changes, differences = on.changes.total(), len(wrong)
    if cut_short:
        waits = f"{differences} values were still on their way" if wrong else "nothing was on its way any more"
        say(f"cut short after {changes} changes; {waits}. No verdict: let it run to its end.")
        return 1
    first, last = on.outage
    calm = [taken * 1000 for at, taken in on.watch.seconds if not first - 1.0 <= at <= last + 2.0]
    met = len(on.watch.seconds) - len(calm)
    _say_targets(on, found, say)
    say(f"The outage delayed {met} changes of quantities, which p50 and p99 (of quantities) leave out.")
    say(
        f"differences: {differences}  changes: {changes}  p50: {percentile(calm, 0.5):.0f} ms"
        f"  p99: {percentile(calm, 0.99):.0f} ms"
    )
    return 1 if wrong or not changes else 0


def _say_targets(on: Scene, found: list[Compared], say: Say) -> None:
    say(f"{'target':<21}{'source':<10}{'changes':>8}{'compared':>10}{'differing':>11}")
    for one in found:
        source = on.config.targets.table_of(one.target).source
        say(f"{one.target:<21}{source:<10}{on.changes[one.target]:>8}{one.keys:>10}{len(one.differing):>11}")


def _say_where(on: Scene, say: Say) -> None:
    """Say how to look at what the demo leaves behind."""
    name = Path(sys.argv[0])
    program = "python -m agent" if name.name == "__main__.py" else str(name)
    command = f"{program} status -c {on.folder / 'demo.toml'}"
    code = next(iter(sorted(on.offered)), "").upper()
    say(f"The folder {on.folder} stays. Look at it (no agent runs on it any more, the shop has closed):")
    say(f"  {command}")
    say(f"  {command.replace('status', 'outbox list')}")
    say(f"  {command.replace('status', 'explain')} {code}")
