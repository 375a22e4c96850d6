"""A small POHODA with texts, prices and pictures, and followers of the views over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.demo.goods import png
from agent.sources.connect import open_database
from agent.sources.documents import Documents
from agent.sources.pohoda_db import PohodaTable
from agent.sources.rows import ProductRow
from agent.sources.views.pictures import PicturesView
from agent.sources.views.products import ProductsView
from tests.unit.pohoda_fixture import Clock, Follower, do


def watch(path: Path, view: ProductsView | PicturesView, **settings: Any) -> Follower:  # noqa: ANN401 - whatever the source takes
    """A follower of a view; its clock stands still, so reading takes no time and is always due."""
    settings.setdefault("clock", Clock())
    source: Any = PohodaTable("cards", open_database(str(path)), view, **settings)
    return Follower(source)


def rows(follower: Follower, key: str) -> tuple[Any, ...]:
    """The rows of a key as last told."""
    found: tuple[Any, ...] = follower.rows[key]
    return found


def level(path: Path, code: str, prices: dict[int, float], *, with_vat: bool = False) -> None:
    """Add a price level and its prices: id of the card → price."""
    do(path, "INSERT INTO SkCeny (IDS, SDph) VALUES (?, ?)", code, int(with_vat))
    for card, price in prices.items():
        do(
            path,
            "INSERT INTO SKzCn (RefAg, RefSkCeny, ProdejC) SELECT ?, MAX(ID), ? FROM SkCeny",
            card,
            price,
        )


def picture(path: Path, card: int, file: str, *, order: int = 1, default: bool = False, alt: str = "") -> None:
    """Add a picture to a card."""
    sql = "INSERT INTO SkRefObraz (RefAg, Soubor, Popis, Vychozi, OrderFld) VALUES (?, ?, ?, ?, ?)"
    do(path, sql, card, file, alt, int(default), order)


def folder(root: Path, *names: str) -> Path:
    """A documents folder with these pictures, each of another colour."""
    pictures = root / "Dokumenty" / "Obrázky"
    pictures.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names, 1):
        (pictures / name).write_bytes(png(number))
    return pictures.parent


def documents(where: Path, clock: Clock | None = None) -> Documents:
    return Documents(where, clock=clock or Clock())


def card(**given: Any) -> ProductRow:  # noqa: ANN401 - any field
    """A card on offer, with a name, prices of 100 and 121, and the basic rate."""
    plain: dict[str, Any] = {"id": 1, "code": "A", "store": "HLAVNI", "internet": True, "name": "Šroub", "vat": "high"}
    return ProductRow(**plain | {"net": 100, "gross": 121} | given)
