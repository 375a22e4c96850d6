"""`pohoda-agent demo`: a simulated morning against an embedded POHODA and an embedded shop, by the real agent.

The agent runs on an ordinary configuration file, over real HTTP; the shop fails for a few seconds on the way. At the
end both sides are compared key by key by a reckoning of its own. The folder stays, to be looked at.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from agent import app, config, log
from agent.clock import steady_clock
from agent.config import Config
from agent.demo import pohoda
from agent.demo.latency import Stopwatch, percentile
from agent.demo.prestashop import FakePrestaShop
from agent.errors import ConfigError
from agent.events import key_of
from agent.settings import QuantitiesTable
from state import report
from state.db import open_inspector
from state.errors import StateError

STORES = ("HLAVNÍ", "PRODEJNA")
RATE = 20.0
"""Changes per second."""
OUTAGE = 3.0
"""Seconds for which the shop fails, in the middle of the morning."""
PATIENCE = 60.0
GRACE = 3.0
"""Seconds that the agent has for what is on its way when somebody cuts the demo short."""
OURS = {"pohoda.db", "eshop.state.db", "eshop.state.db.lock", "demo.toml", "agent.log"}


@dataclass(slots=True)
class Scene:
    """The embedded parts, and what they have seen."""

    folder: Path
    shop: FakePrestaShop
    config: Config
    watch: Stopwatch
    offered: set[str] = field(default_factory=set)
    """Keys that were on offer at some time: they are what is compared."""
    changes: int = 0
    outage: tuple[float, float] = (0.0, 0.0)


def play(folder: Path, *, seconds: float, cards: int, stop: threading.Event, say: Callable[[str], object]) -> int:
    """Run the demo; returns the exit code: 0 when both sides are equal at the end, 1 when not or when ``stop`` cut it.

    Raises `ConfigError` when the folder holds files that are not the demo's.
    """
    _clear(folder)
    watch = Stopwatch()
    shop = FakePrestaShop(on_write=lambda code, value, at: watch.written(key_of(code), value, at))
    with shop:
        scene = _set(folder, shop, watch, cards)
        log.set_up(as_json=False, verbose=False, redact=log.redactor([]), file=folder / "agent.log")
        agent_stop = threading.Event()
        codes: list[int] = []
        runner = threading.Thread(
            target=lambda: codes.append(app.run([scene.config], agent_stop, steady_clock())), name="agent", daemon=True
        )
        say(f"POHODA: {cards} stock cards in 2 stores; shop: {len(shop.quantities())} products at {shop.url}")
        runner.start()
        try:
            _wait_for_baseline(scene, stop)
            if not stop.is_set():
                say("baseline complete; the morning begins")
                _morning(scene, seconds, stop, say)
            _settle(scene, stop, say)
        finally:
            agent_stop.set()
            runner.join(10)
        return _verdict(scene, say, cut_short=stop.is_set())


def _clear(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if not any(path.name == name or path.name.startswith(name + "-") for name in OURS):
            raise ConfigError(
                f"The folder {folder} holds {path.name}, which is not the demo's.",
                hint="Name another folder: pohoda-agent demo --folder NAME",
            )
    for path in list(folder.iterdir()):
        path.unlink()


def _set(folder: Path, shop: FakePrestaShop, watch: Stopwatch, cards: int) -> Scene:
    """Make both sides and an ordinary configuration; the shop's stock is what it was yesterday."""
    pohoda.create(folder / "pohoda.db", stores=STORES, cards=cards, seed=7)
    template = (resources.files("config") / "demo.toml").read_text(encoding="utf-8")
    file = folder / "demo.toml"
    file.write_text(template.replace("http://127.0.0.1:8080", shop.url), encoding="utf-8")
    loaded = config.load([file])[0]
    scene = Scene(folder, shop, loaded, watch)
    now = _expected(scene)
    yesterday = random.Random(7)  # noqa: S311 - plausible numbers, not secrets
    for code in pohoda.codes(folder / "pohoda.db"):
        held = now.get(key_of(code), 3)
        shop.add_product(code, max(0, held + yesterday.choice([0, 0, 0, -1, 2, 5])))
    scene.offered |= now.keys()
    watch.know(now)
    return scene


def _expected(scene: Scene) -> dict[str, int]:
    quantities = scene.config.targets.quantities
    assert isinstance(quantities, QuantitiesTable)
    return pohoda.expected(scene.folder / "pohoda.db", quantities)


def _wait_for_baseline(scene: Scene, stop: threading.Event) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not stop.wait(0.1):
        rows = _targets(scene)
        if rows and rows[0]["baseline"] == "complete" and not rows[0]["pending"]:
            return


def _targets(scene: Scene) -> list[dict[str, object]]:
    try:
        state = open_inspector(scene.config.state.file)
    except StateError:
        return []  # not made yet
    try:
        with state.read() as db:
            return report.targets(db)
    finally:
        state.close()


def _morning(scene: Scene, seconds: float, stop: threading.Event, say: Callable[[str], object]) -> None:
    people = pohoda.Morning(scene.folder / "pohoda.db", seed=7)
    chance = random.Random(7)  # noqa: S311 - plausible work, not secrets
    begin = time.monotonic()
    scene.outage = (begin + seconds * 0.4, begin + seconds * 0.4 + min(OUTAGE, seconds * 0.2))
    said = begin
    while (now := time.monotonic()) < begin + seconds and not stop.is_set():
        failing = scene.outage[0] <= now < scene.outage[1]
        if failing != scene.shop.down:
            scene.shop.down = failing
            say("the shop fails (HTTP 503)" if failing else "the shop is back")
        work = chance.choices((people.sale, people.receipt, people.reservation, people.untick), (70, 12, 16, 2))[0]
        touched = work()
        expected = _expected(scene)
        scene.offered |= expected.keys()
        for key in {key_of(code) for code in touched.codes}:
            scene.changes += scene.watch.committed(key, expected.get(key, 0), touched.at)
        if now - said >= (1.0 if sys.stdout.isatty() else 5.0):
            said = now
            say(f"{now - begin:4.0f} s  changes {scene.changes}  on their way {scene.watch.waiting()}")
        stop.wait(chance.expovariate(RATE))
    scene.shop.down = False
    people.close()


def _settle(scene: Scene, stop: threading.Event, say: Callable[[str], object]) -> None:
    """Wait until nothing is on its way any more; once somebody wants to stop, only `GRACE` seconds."""
    say("the morning is over; waiting for what is on its way")
    end = time.monotonic() + PATIENCE
    hurried = False
    while time.monotonic() < end:
        if stop.is_set() and not hurried:
            hurried, end = True, min(end, time.monotonic() + GRACE)
        rows = _targets(scene)
        if rows and not rows[0]["pending"] and not rows[0]["resting"] and not _differing(scene):
            return
        time.sleep(0.25) if hurried else stop.wait(0.25)


def _differing(scene: Scene) -> list[str]:
    """Compare both sides key by key, by a reckoning that shares no code with the agent; one line per difference."""
    expected = _expected(scene)
    held = {key_of(code): quantity for code, quantity in scene.shop.quantities().items()}
    return [
        f"{key}: POHODA {expected.get(key, 0)}, shop {held.get(key)}"
        for key in sorted(scene.offered)
        if held.get(key) != expected.get(key, 0)
    ]


def _verdict(scene: Scene, say: Callable[[str], object], *, cut_short: bool) -> int:
    wrong = _differing(scene)
    if not cut_short:
        for line in wrong[:10]:
            say(f"  differs: {line}")
    _say_where(scene, say)
    if cut_short:
        waits = f"{len(wrong)} codes were still on their way" if wrong else "nothing was on its way any more"
        say(f"cut short after {scene.changes} changes; {waits}. No verdict: let it run to its end.")
        return 1
    first, last = scene.outage
    calm = [taken * 1000 for at, taken in scene.watch.seconds if not first - 1.0 <= at <= last + 2.0]
    met = len(scene.watch.seconds) - len(calm)
    say(f"The outage delayed {met} changes, which p50 and p99 leave out.")
    changes, differences = scene.changes, len(wrong)
    say(
        f"differences: {differences}  changes: {changes}  p50: {percentile(calm, 0.5):.0f} ms"
        f"  p99: {percentile(calm, 0.99):.0f} ms"
    )
    return 1 if wrong or not changes else 0


def _say_where(scene: Scene, say: Callable[[str], object]) -> None:
    """Say how to look at what the demo leaves behind."""
    name = Path(sys.argv[0])
    program = "python -m agent" if name.name == "__main__.py" else str(name)
    command = f"{program} status -c {scene.folder / 'demo.toml'}"
    code = next(iter(sorted(scene.offered)), "").upper()
    say(f"The folder {scene.folder} stays. Look at it (no agent runs on it any more, the shop has closed):")
    say(f"  {command}")
    say(f"  {command.replace('status', 'outbox list')}")
    say(f"  {command.replace('status', 'explain')} {code}")
