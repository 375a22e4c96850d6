"""The demo's stage: its folder, the embedded POHODA and shop, an ordinary configuration, and what it has seen."""

from __future__ import annotations

import random
import shutil
import socket
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path

from agent import config
from agent.config import Config
from agent.demo import asked, compare, compare_orders, compare_range, export, owner, pohoda
from agent.demo.compare import Compared
from agent.demo.latency import Stopwatch
from agent.demo.office import Office
from agent.demo.prestashop import FakePrestaShop
from agent.errors import ConfigError
from agent.events import key_of
from agent.settings_targets import QuantitiesTable
from state import report
from state.db import open_inspector
from state.errors import StateError

STORES = ("HLAVNÍ", "PRODEJNA")
_OURS = (
    *("pohoda.db*", "eshop.state.db*", "export-*.db*", "demo.toml", "agent.log*", "Dokumenty", "Dokumenty/Obrázky"),
    *("Dokumenty/Obrázky/*.png", "export", "export/*.xml", "export/*.part", "export/*.lock", "export/work"),
    *("export/work/*", "export/done", "export/done/*.xml", "export/quarantine", "export/quarantine/*"),
)
"""What the demo leaves in its folder; anything else is somebody's."""
_YESTERDAY = (Decimal(1), Decimal(1), Decimal(1), Decimal("0.97"))
"""Prices of yesterday, as parts of today's."""


@dataclass(slots=True)
class Scene:
    """The embedded parts, and what they have seen."""

    folder: Path
    shop: FakePrestaShop
    config: Config
    watch: Stopwatch
    own: owner.Own = field(default_factory=owner.Own)
    """What the shop's owner keeps beside ours."""
    offered: set[str] = field(default_factory=set)
    """Keys that were on offer at some time: their quantities are compared."""
    told: set[str] = field(default_factory=set)
    """Keys that were on offer when an export told of them: so are their products, prices and pictures."""
    changes: Counter[str] = field(default_factory=Counter)
    """Of each target, in POHODA."""
    outage: tuple[float, float] = (0.0, 0.0)

    @property
    def database(self) -> Path:
        """The embedded POHODA."""
        return self.folder / "pohoda.db"

    @property
    def documents(self) -> Path:
        """POHODA's folder of documents, with the pictures below it."""
        return self.folder / "Dokumenty"

    @property
    def exports(self) -> Path:
        """Where POHODA's automatic task puts its exports."""
        return self.folder / "export"

    def quantities(self) -> dict[str, int]:
        """What the shop must hold: pieces of each key that is on offer now."""
        return pohoda.expected(self.database, self.settings)

    def compare(self) -> list[Compared]:
        """Compare both sides as they are now, by a reckoning that shares no code with the agent."""
        books = compare.of_pohoda(self.database, self.documents, self.settings)
        return [
            *compare.compare(books, compare.of_shop(self.shop), offered=self.offered, told=self.told),
            *compare_range.compare(self.range(), self.shop, told=self.told, own=self.own),
            *compare_orders.compare(self.database, self.shop),
        ]

    def range(self) -> asked.Range:
        """What POHODA says of categories, parameters and firms."""
        return asked.of_pohoda(self.database, self.documents, self.settings.stores)

    def owed(self) -> list[dict[str, object]]:
        """The agent's own records of its targets (as in ``status``); none before it has made its state file."""
        try:
            state = open_inspector(self.config.state.file)
        except StateError:
            return []
        try:
            with state.read() as db:
                return report.targets(db)
        finally:
            state.close()

    @property
    def settings(self) -> QuantitiesTable:
        """What decides how a quantity is reckoned; the stores are the same for all targets."""
        settings = self.config.targets.quantities
        assert settings is not None
        return settings


def clear(folder: Path) -> None:
    """Empty the folder of what an earlier demo left. Raises `ConfigError` when it holds anything else."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not any(fnmatchcase(name, ours) for ours in _OURS):
            raise ConfigError(
                f"The folder {folder} holds {name}, which is not the demo's.",
                hint="Name another folder: pohoda-agent demo --folder NAME",
            )
    for path in list(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def set_up(folder: Path, shop: FakePrestaShop, watch: Stopwatch, cards: int) -> Scene:
    """Make both sides, a first export of all cards, and an ordinary configuration for them."""
    file = folder / "demo.toml"
    template = (resources.files("config") / "demo.toml").read_text(encoding="utf-8")
    text = template.replace("http://127.0.0.1:8080", shop.url).replace("127.0.0.1:8081", f"127.0.0.1:{_free_port()}")
    file.write_text(text, encoding="utf-8")
    (folder / "Dokumenty").mkdir()
    (folder / "export").mkdir()
    pohoda.create(
        folder / "pohoda.db", stores=STORES, cards=cards, seed=7, catalogue=True, documents=folder / "Dokumenty"
    )
    scene = Scene(folder, shop, config.load([file])[0], watch)
    _fill(scene, scene.quantities())
    scene.own = owner.furnish(shop, pohoda.codes(scene.database))
    with closing(Office(scene.database, scene.documents, seed=8)) as office:
        owner.old_orders(shop, office, scene.quantities())
    now = scene.quantities()
    drop(scene, None, "zasoby_vse.xml")
    scene.offered |= now.keys()
    watch.know(now)
    return scene


def _fill(scene: Scene, now: dict[str, int]) -> None:
    """The shop's stock and prices are what they were yesterday; it has no texts and no pictures yet."""
    books = compare.of_pohoda(scene.database, scene.documents, scene.settings)
    yesterday = random.Random(7)  # noqa: S311 - plausible numbers, not secrets
    for code in pohoda.codes(scene.database):
        key = key_of(code)
        price = books[key].price * yesterday.choice(_YESTERDAY) if key in books else Decimal(100)
        pieces = max(0, now.get(key, 3) + yesterday.choice([0, 0, 0, -1, 2, 5]))
        scene.shop.add_product(code, pieces, price=f"{price:.6f}")


def made(scene: Scene, ids: list[int] | None) -> bytes:
    """Let POHODA make an export of these cards (None: of all), and note what it tells."""
    stamp = datetime.now().isoformat(timespec="seconds")  # noqa: DTZ005 - POHODA's times are local, without offset
    data = export.document(scene.database, ids=ids, stamp=stamp)
    scene.told |= scene.quantities().keys()
    return data


def drop(scene: Scene, ids: list[int] | None, name: str) -> None:
    """Let POHODA write an export into its directory."""
    (scene.exports / name).write_bytes(made(scene, ids))


def _free_port() -> int:
    """A port that nobody listens on: the receiver's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
