"""People at work in POHODA's stock cards, at moments fixed beforehand, whatever the agent is doing.

Texts, prices, quantities, pictures, codes, ticks, new cards: each change is one committed transaction. Where the agent
reads exports, every changed card is exported afterwards, as files come to a folder: whole under another name and then
renamed, slowly under their own name, the same content under two names, and now and then all cards in one large file.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.demo import export, goods, pohoda

FLIP = (8, 10)
SIZES = (8, 8, 8, 12)
"""Pixels; most pictures of a shop have one size."""
LEVY = {1: 1.12, 2: 1.21}
"""RelDPHp → factor."""
_BUSY = 10.0


@dataclass(frozen=True, slots=True)
class Books:
    """A POHODA with a catalogue: its file, its documents, and how many of its cards the internet is to show."""

    path: Path
    documents: Path

    def make(self, shown: int, idle: int, seed: int) -> list[str]:
        """Fill them; about ``idle`` cards are not shown, so that an export is large. Returns the codes shown."""
        each = 1 + idle // shown
        pohoda.create(
            self.path, stores=("HLAVNI",), cards=shown * each, seed=seed, catalogue=True, documents=self.documents
        )
        with closing(self.open()) as db:
            db.execute("UPDATE SKz SET Template = 0, RelSkTyp = 1, StavZ = 50, Rezer = 0, ObjedP = 0")
            db.execute("UPDATE SKz SET IObchod = ID % ? = 0", (each,))  # each part of an export has some
            return [code.strip() for (code,) in db.execute("SELECT IDS FROM SKz WHERE IObchod ORDER BY ID")]

    def open(self) -> sqlite3.Connection:
        """Connect, for one thread."""
        return sqlite3.connect(self.path, isolation_level=None, timeout=_BUSY)


@dataclass(slots=True)
class Folder:
    """The export directory, as POHODA and people fill it."""

    books: Books
    path: Path
    chance: random.Random
    ways: Counter[str] = field(default_factory=Counter)
    """How often a file came in which way."""
    _made: int = 0
    _last: str = ""

    def export(self, ids: list[int] | None) -> None:
        """Export these cards, or all; returns when the file is there."""
        self._made += 1
        content = export.document(self.books.path, ids=ids, stamp=self._stamp())
        way = "large" if ids is None else self.chance.choices(("renamed", "slow", "twins"), weights=(7, 2, 1))[0]
        self.ways[way] += 1
        name = f"zasoby-{self._made:05d}"
        if way == "slow":
            self._slowly(self.path / f"{name}.xml", content)
            return
        for each in (name, f"{name}-kopie") if way == "twins" else (name,):
            part = self.path / f"{each}.part"
            part.write_bytes(content)
            part.replace(self.path / f"{each}.xml")

    def _slowly(self, path: Path, content: bytes) -> None:
        step = max(1, len(content) // 6)
        with path.open("wb", buffering=0) as file:
            for start in range(0, len(content), step):
                file.write(content[start : start + step])
                time.sleep(self.chance.uniform(0, 0.3))

    def _stamp(self) -> str:
        """A time of its own for each document: POHODA tells whole seconds, and a person exports no faster."""
        while (now := _now("seconds")) <= self._last:
            time.sleep(0.02)
        self._last = now
        return now


class Clerk:
    """Changes cards for ``seconds``, so many times, and goes on at leisure until `finish`; exports what changed."""

    def __init__(
        self, books: Books, folder: Folder | None, *, seed: int, seconds: float, changes: int, grows: bool = False
    ) -> None:
        """``grows``: what is free of a card is never less than before, and cards with orders stay on offer."""
        self._grows = grows
        self.done: Counter[str] = Counter()
        self.failed: BaseException | None = None
        self._books = books
        self._folder = folder
        self._chance = random.Random(seed)
        self._plan = sorted(self._chance.uniform(0, seconds) for _ in range(changes))
        self._pause = seconds / changes
        self._changed: set[int] = set()
        self._number = 0
        self._hidden = 0
        self._old = 0
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clerk", daemon=True)
        self._works: dict[str, tuple[int, Callable[[sqlite3.Connection, int], None]]] = {
            "text": (18, self._text),
            "price": (18, self._price),
            "quantity": (26, self._quantity),
            "picture": (26, self._picture),
            "new card": (8, self._new),
            "rename": (1 if grows else 2, self._rename),
            "tick": (1 if grows else 4, self._tick),
        }

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, seconds: float) -> bool:
        """Let what was planned be done, and exported; tells whether it was in time."""
        self._enough.set()
        self._thread.join(seconds)
        if self.failed is not None:
            raise self.failed
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with closing(self._books.open()) as db:
                self._work(db)
        except BaseException as error:  # a thread's: raised by `finish`
            self.failed = error

    def _work(self, db: sqlite3.Connection) -> None:
        begin = time.monotonic()
        (self._old,) = db.execute("SELECT max(ID) FROM SKz").fetchone()
        for moment in self._plan:
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            self._change(db)
            if len(self._changed) >= self._chance.randint(5, 40):
                early = moment < self._plan[-1] / 3  # a file with all cards mends what was lost before
                self._export(whole=early and self._chance.random() < 0.3)
        while not self._enough.wait(self._chance.uniform(0, 4 * self._pause)):
            self._change(db)
            if len(self._changed) >= 10:
                self._export(whole=False)
        self._export(whole=False)

    def _export(self, *, whole: bool) -> None:
        ids, self._changed = sorted(self._changed), set()
        if self._folder is not None and ids:
            self._folder.export(None if whole else ids)

    # ---------------------------------------------------------------------------------------------- one change each

    def _change(self, db: sqlite3.Connection) -> None:
        works = list(self._works.items())
        ((name, (_, work)),) = self._chance.choices(works, weights=[weight for _, (weight, _) in works])
        self._number += 1
        (card,) = self._chance.choice(db.execute("SELECT ID FROM SKz WHERE IObchod OR Pozn = 'hidden'").fetchall())
        db.execute("BEGIN IMMEDIATE")
        work(db, card)
        db.execute("UPDATE SKz SET DatSave = ? WHERE ID = ?", (_now("milliseconds").replace("T", " "), card))
        db.execute("COMMIT")
        self._changed.add(card)
        self.done[name] += 1

    def _text(self, db: sqlite3.Connection, card: int) -> None:
        number, html = self._number, self._chance.random() < 0.3
        text = f"<p>Popis <b>{number}</b>.</p>" if html else f"Popis {number} & více.\r\nDruhý řádek žluťoučký."
        weight = round(self._chance.uniform(0.01, 20), 3)
        ean = f"859{number:010d}"
        db.execute(
            "UPDATE SKz SET Nazev = ?, Popis2 = ?, FmtPopis2 = ?, Hmotnost = ?, EAN = ? WHERE ID = ?",
            (f"Zboží číslo {number}", text, int(html), weight, ean, card),
        )

    def _price(self, db: sqlite3.Connection, card: int) -> None:
        before, rate = db.execute("SELECT ProdejKc, RelDPHp FROM SKz WHERE ID = ?", (card,)).fetchone()
        price = round(before * self._chance.choice((0.97, 0.99, 1.01, 1.02, 1.03)), 2)
        db.execute(
            "UPDATE SKz SET ProdejKc = ?, ProdejDPH = ? WHERE ID = ?", (price, round(price * LEVY[rate], 2), card)
        )

    def _quantity(self, db: sqlite3.Connection, card: int) -> None:
        """Half of the cards flip between two numbers, so that what is pending, in the shop and new are often alike."""
        before, ordered = db.execute("SELECT StavZ, ObjedP FROM SKz WHERE ID = ?", (card,)).fetchone()
        pieces = self._number + 100 if card % 2 else FLIP[0] if before == FLIP[1] else FLIP[1]
        if self._grows:
            pieces = max(before + 1, self._number + 100 + ordered)
        db.execute("UPDATE SKz SET StavZ = ? WHERE ID = ?", (pieces, card))

    def _picture(self, db: sqlite3.Connection, card: int) -> None:
        """Add one, take one away, put another in the place of one, or make another one the first."""
        there = [row for (row,) in db.execute("SELECT ID FROM SkRefObraz WHERE RefAg = ? ORDER BY ID", (card,))]
        way = self._chance.choice(("add", "remove", "exchange", "first")) if len(there) > 1 else "add"
        if len(there) > 4 and way == "add":
            way = "remove"
        if way == "add":
            sql = "INSERT INTO SkRefObraz (Vychozi, RefAg, Soubor, Popis, OrderFld) VALUES (?, ?, ?, '', ?)"
            db.execute(sql, (int(not there), card, self._file(), self._number))
        elif way == "remove":
            db.execute("DELETE FROM SkRefObraz WHERE ID = ?", (self._chance.choice(there[1:]),))
        elif way == "exchange":
            db.execute("UPDATE SkRefObraz SET Soubor = ? WHERE ID = ?", (self._file(), self._chance.choice(there)))
        else:
            db.execute("UPDATE SkRefObraz SET Vychozi = ID = ? WHERE RefAg = ?", (self._chance.choice(there), card))

    def _file(self) -> str:
        """A picture that no other card has; it stays in the folder for ever."""
        name, size = f"obrázek {self._number}.png", self._chance.choice(SIZES)
        made = goods.png((self._number * 7919 + 1) % 2**24, width=size, height=size)
        (self._books.documents / goods.PICTURES / name).write_bytes(made)
        return name

    def _new(self, db: sqlite3.Connection, card: int) -> None:
        """A new card, much like this one, with a picture."""
        names = [name for _, name, *_ in db.execute("PRAGMA table_info(SKz)") if name not in {"ID", "IDS", "Pozn"}]
        columns = ", ".join(names)
        values = ", ".join("1" if name == "IObchod" else name for name in names)
        code = f"NOVY-{self._number:05d}"
        sql = f"INSERT INTO SKz (IDS, {columns}) SELECT ?, {values} FROM SKz WHERE ID = ?"
        made = db.execute(sql, (code, card)).lastrowid
        assert made is not None
        self._picture(db, made)
        self._changed.add(made)

    def _rename(self, db: sqlite3.Connection, card: int) -> None:
        """Another code: the old one's product is to be hidden, and there is to be one of the new code."""
        if self._may_hide(db, card):
            db.execute("UPDATE SKz SET IDS = ? WHERE ID = ?", (f"KOD-{self._number:05d}", card))

    def _tick(self, db: sqlite3.Connection, card: int) -> None:
        """Take a card off the internet, or put one back."""
        (shown,) = db.execute("SELECT IObchod FROM SKz WHERE ID = ?", (card,)).fetchone()
        if not shown or self._may_hide(db, card):
            change = "IObchod = 0, Pozn = 'hidden'" if shown else "IObchod = 1, Pozn = NULL"
            db.execute(f"UPDATE SKz SET {change} WHERE ID = ?", (card,))

    def _may_hide(self, db: sqlite3.Connection, card: int) -> bool:
        """Cards that were on offer for long, and one in ten: what would hide a fifth of a shop waits for a person."""
        if self._grows and db.execute("SELECT 1 FROM OBJpol WHERE RefSKz = ?", (card,)).fetchone():
            return False  # a cancelled order would bring pieces of it back
        (shown,) = db.execute("SELECT count(*) FROM SKz WHERE IObchod").fetchone()
        self._hidden += card <= self._old
        return card <= self._old and self._hidden <= max(3, shown // 10)


def _now(places: str) -> str:
    return datetime.now().isoformat(timespec=places)  # noqa: DTZ005 - POHODA's times are local, without offset
