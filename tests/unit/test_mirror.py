"""The mirror of what was exported: it is read as POHODA's database is, and only knows what it was told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import pytest

from agent.demo import export, pohoda
from agent.errors import SourceUnavailable, Unusable
from agent.events import Value
from agent.ingest import Ingest
from agent.jobs.whole import Gathered, whole
from agent.mirrored import card_of
from agent.pohoda.card import StockItem
from agent.pohoda.items import items
from agent.pohoda.stock import parse_many
from agent.sources.connect import open_database
from agent.sources.mirror import MirrorDatabase
from agent.sources.pohoda_db import PohodaTable
from agent.sources.prepared import View
from agent.sources.rows import FIELDS
from agent.sources.views.products import ProductsView
from agent.sources.views.stock import StockView
from agent.targets import Target
from agent.targets.prices import Prices, PriceSettings
from agent.targets.products import Products, ProductSettings
from agent.targets.quantities import Quantities, QuantitySettings
from state import mirror
from state.db import StateFile, open_state
from state.mirror import Card, open_mirror

Deduct = Literal["none", "reservations", "received-orders"]
NOW = 1_800_000_000.0


class Books:
    """A mirror, and what is told to it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "export.db"
        self.file: StateFile = open_mirror(self.path, stamp="t")
        self.now = NOW
        self.database = MirrorDatabase(self.path, clock=lambda: self.now)

    def tell(self, *cards: Card, sha: str = "aa", last: bool = True, large: bool = False, at: float = NOW) -> None:
        """Take in a document of these cards, or the beginning of one."""
        with self.file.write() as db:
            mirror.put_cards(db, cards, large=large)
            document = (sha, "a.xml", 100, "2026-11-20T08:00:00")
            count = len(cards)
            mirror.move(db, document, offset=50, part=0, looked=count, changed=count, bad=0, cards=count, now=at)
            if last:
                mirror.finish(db, sha, outcome="done", reason="", now=at)

    def tell_document(self, data: bytes, folder: Path) -> None:
        path = folder / "document.xml"
        path.write_bytes(data)
        with closing(items(path)) as found:
            all_of_it = list(found)
        read = [one for one in parse_many(all_of_it) if isinstance(one, StockItem)]
        self.tell(*(card_of(one, item.digest) for one, item in zip(read, all_of_it, strict=True)))

    def sql(self, text: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(text, values).fetchall()

    def source(self, view: View[Any] | None = None) -> PohodaTable[Any]:
        return PohodaTable("stock", self.database, view or StockView(), growing=self.database.growing)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.database.close()
    made.file.close()


def card(code: str, pieces: int = 5, *, row: int | None = None, store: str = "HLAVNI") -> Card:
    item = StockItem(code=code, id=row, internet=True, store=store, count=Decimal(pieces))
    return card_of(item, f"{row} {code} {store} {pieces}".encode())


def pieces(books: Books) -> dict[str, Value]:
    target = Quantities(QuantitySettings(stores=(), deduct="none"), "saleable")
    return values(books.source(), target)


def values(source: PohodaTable[Any], target: Target) -> dict[str, Value]:
    found: dict[str, Value] = {}
    rows = {key: of for some in whole(source, Gathered()) for key, of in some.items()}
    for key, present in rows.items():
        try:
            value = target.value(key, present)
        except Unusable as error:
            value = f"! {error}"
        if value is not None:
            found[key] = value
    return found


@pytest.mark.parametrize("deduct", ["none", "reservations", "received-orders"])
def test_what_was_exported_makes_the_same_values_as_the_database(books: Books, tmp_path: Path, deduct: Deduct) -> None:
    database = tmp_path / "pohoda.db"
    pohoda.create(database, cards=120, seed=3, catalogue=True, documents=tmp_path / "Dokumenty")
    books.tell_document(export.document(database, stamp="2026-11-20T08:00:00"), tmp_path)
    with closing(open_database(str(database))) as direct:
        targets: Sequence[tuple[Any, Target]] = (
            (StockView(deduct=deduct), Quantities(QuantitySettings(stores=(), deduct=deduct), "saleable")),
            (ProductsView(fields=FIELDS), Products(ProductSettings(fields=FIELDS))),
            (ProductsView(fields=(), prices=True), Prices(PriceSettings(), "net", 6)),
            (ProductsView(fields=(), prices=True), Prices(PriceSettings(), "gross", 2)),
            (ProductsView(fields=(), prices=True, level="Sleva 1"), Prices(PriceSettings(), "net", 6)),
        )
        for view, target in targets:
            told = values(books.source(view), target)
            assert len(told) > 50
            assert told == values(PohodaTable("stock", direct, view), target), target.name


def test_nothing_is_read_before_a_first_document_is_through(books: Books) -> None:
    with pytest.raises(SourceUnavailable, match="No export"):
        pieces(books)
    books.tell(card("A1", row=1), last=False)
    with pytest.raises(SourceUnavailable, match="50%"):
        pieces(books)
    books.tell(card("A1", row=1, store="PRODEJNA"))
    assert pieces(books) == {"a1": 5}


def test_a_code_in_two_stores_is_two_rows_of_one_key(books: Books) -> None:
    books.tell(card("A1", 5, row=1), card("a1 ", 7, row=2, store="PRODEJNA"))
    assert pieces(books) == {"a1": 12}


def test_a_card_that_comes_back_under_another_id_takes_the_place_of_the_old_one(books: Books) -> None:
    books.tell(card("A1", 5, row=1))
    books.tell(card("A1", 3, row=99), sha="bb")
    assert pieces(books) == {"a1": 3}, "its pieces are not counted twice"


def test_a_renamed_card_leaves_its_old_code(books: Books) -> None:
    books.tell(card("A1", 5, row=1))
    books.tell(card("B1", 5, row=1), sha="bb")
    assert pieces(books) == {"b1": 5}


def test_what_a_document_does_not_tell_of_stays(books: Books) -> None:
    books.tell(card("A1", 5, row=1), card("A2", 6, row=2))
    books.tell(card("A2", 7, row=2), sha="bb")
    assert pieces(books) == {"a1": 5, "a2": 7}


def test_cards_without_an_id_are_known_by_code_and_store(books: Books) -> None:
    books.tell(card("A1", 5), card("A2", 6), card("A1", 1, store="PRODEJNA"))
    books.tell(card("A1", 2), card("A3", 1, row=3), sha="bb")
    assert pieces(books) == {"a1": 3, "a2": 6, "a3": 1}


def test_stores_differ_by_their_letters_not_by_their_case(books: Books) -> None:
    books.tell(card("A1", 5, row=1, store="ZBOŽÍ"), card("A2", 5, row=2, store="zboží"))
    assert books.sql("SELECT IDS FROM sSklad") == [("ZBOŽÍ",)]


def test_known_items_are_told_by_their_digests_and_only_the_present_ones(books: Books) -> None:
    books.tell(card("A1", 5, row=1))
    books.tell(card("A1", 6, row=1), sha="bb")
    old, new = card("A1", 5, row=1).digest, card("A1", 6, row=1).digest
    with books.file.read() as db:
        assert mirror.known(db, [old, new, *(bytes([n % 256, n >> 8]) for n in range(1000))]) == {new}


def test_children_that_stay_keep_their_ids(books: Books) -> None:
    def with_pictures(*names: str) -> Card:
        return card("A1", row=1)._replace(pictures=tuple((name, None, 0, place) for place, name in enumerate(names)))

    books.tell(with_pictures("a.png", "b.png"))
    before = dict(books.sql("SELECT Soubor, ID FROM SkRefObraz"))
    books.tell(with_pictures("a.png", "c.png"), sha="bb")
    after = dict(books.sql("SELECT Soubor, ID FROM SkRefObraz"))
    assert after["a.png"] == before["a.png"]
    assert after.keys() == {"a.png", "c.png"}


def test_each_change_of_a_card_moves_its_row_version_and_of_no_other(books: Books) -> None:
    books.tell(card("A1", 5, row=1), card("A2", 6, row=2))
    before = dict(books.sql("SELECT ID, RowVer FROM SKz"))
    books.tell(card("A1", 6, row=1), sha="bb")
    after = dict(books.sql("SELECT ID, RowVer FROM SKz"))
    assert after[2] == before[2]
    assert after[1] > max(before.values())


def test_nothing_is_read_while_a_document_is_under_way_for_it_holds_two_moments(books: Books) -> None:
    books.tell(card("A1", 0, row=1), card("A1", 10, row=2, store="PRODEJNA"))
    source, seen = books.source(), Gathered()
    cursor = source.read(None, seen).cursor
    books.tell(card("A1", 10, row=1), sha="bb", last=False)  # moved from one store to the other: 20 for a moment
    batch = source.read(cursor, seen)
    assert (batch.unfinished, batch.changes, batch.cursor) == (True, (), cursor)
    with pytest.raises(SourceUnavailable, match="being taken in"):
        source.rows(["a1"], seen)
    with pytest.raises(SourceUnavailable, match="being taken in"):
        books.source().read(None, seen)
    books.tell(card("A1", 0, row=2, store="PRODEJNA"), sha="bb")
    assert pieces(books) == {"a1": 10}


def test_a_document_that_stands_still_holds_nothing_up_for_ever(books: Books) -> None:
    books.tell(card("A1", 5, row=1))
    source, seen = books.source(), Gathered()
    cursor = source.read(None, seen).cursor
    books.tell(card("A1", 6, row=1), sha="bb", last=False)
    assert source.read(cursor, seen).unfinished
    books.now += 3600
    assert not source.read(cursor, seen).unfinished


def test_a_card_that_was_on_offer_is_known_so_by_a_new_mirror(books: Books, tmp_path: Path) -> None:
    state = open_state(tmp_path / "state.db")
    ingest = Ingest(books.source(), [Quantities(QuantitySettings(stores=(), deduct="none"))], state, Lock())
    books.tell(card("A1", 5, row=1), card("A2", 5, row=2))
    while ingest.step(NOW):
        pass
    (tmp_path / "other").mkdir()
    other = Books(tmp_path / "other")
    other.tell(card("A1", 5, row=1)._replace(values=unticked("A1")))
    again = Ingest(other.source(), ingest.targets, state, Lock())
    while again.step(NOW):
        pass
    with state.read() as db:
        found = dict(db.execute("SELECT key, value FROM delivery WHERE status IN ('pending', 'held')"))
    assert found == {"a1": "0", "a2": "5"}, "the unticked one goes to 0, what was not told of stays"
    for one in (other.database, other.file, state):
        one.close()


def unticked(code: str) -> tuple[Any, ...]:
    return card_of(StockItem(code=code, id=1, internet=False, store="HLAVNI", count=Decimal(5)), b"x").values


def test_changes_of_a_large_document_are_bulk_and_those_of_a_small_one_live(books: Books) -> None:
    books.tell(card("A0", 1, row=9))
    source, seen = books.source(), Gathered()
    cursor = source.read(None, seen).cursor
    cursor = source.read(cursor, seen).cursor
    books.tell(card("A1", 5, row=1), card("A2", 5, row=2), sha="bb", large=True)
    books.tell(card("A2", 6, row=2), sha="cc")
    found = {change.key: change.bulk for _ in range(4) for change in source.read(cursor, seen).changes}
    assert found["a1"]
    assert not found["a2"]


def test_another_mirror_forgets_what_was_known_of_the_old_ones_rows(books: Books, tmp_path: Path) -> None:
    books.tell(card("A1", 5, row=1))
    source, seen = books.source(), Gathered()
    cursor = source.read(None, seen).cursor
    (tmp_path / "other").mkdir()
    other = Books(tmp_path / "other")
    other.tell(card("B1", 5, row=2))
    batch = other.source().read(cursor, seen)
    assert (batch.forgets, bool(batch.wound_back)) == (True, True)
    other.database.close()
    other.file.close()


def test_a_damaged_mirror_is_set_aside_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "export.db"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    made = open_mirror(path, stamp="now")
    with made.read() as db:
        assert not mirror.told(db)
    made.close()
    assert (tmp_path / "export.db.damaged-now").exists()
