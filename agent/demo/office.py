"""The people who keep POHODA's catalogue: texts, prices, pictures and new cards. Each call is one short transaction.

Beside `pohoda.Morning`, the people at the counter. All they touch moves ``DatSave`` of the card, as saving a card in
POHODA does; by it the automatic task finds what to export (`changed`). Prices move in small steps.

What has an agenda or a tab of its own is done by `Office.tree`, `parameters`, `firms` and `orders`, which need the
tables of `internet`: there each call says what is to be done, and chooses nothing by itself.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from agent.demo.hand import ON_OFFER, now, take
from agent.demo.office_labels import Firms, Parameters
from agent.demo.office_orders import Orders
from agent.demo.office_tree import Tree

_KINDS = ("kovaný", "lakovaný", "skládací", "dětský", "náhradní", "vánoční")
_TEXTS = (
    ("Nově v nabídce.\r\nDoporučujeme & skladujeme.", 0),
    ("<p>Nyní <b>lepší</b> než dřív.</p>\r\n<ul><li>snadná údržba</li></ul>", 1),
)


_FRESH: dict[str, object] = {"RelSkTyp": 1, "RefSklad": 1, "Template": 0, "IObchod": 1, "MJ": "ks", "RelDPHp": 2} | {
    **dict.fromkeys(("Rezer", "ObjedP", "ObjedV"), 0.0),
    "StavZ": 12.0,
    "Hmotnost": 1.5,
    "Popis": "Právě přišlo.",
}
"""What all new cards have in common."""
_HANG = (
    "INSERT INTO SkRefObraz (RefAg, Soubor, Popis, OrderFld, Vychozi)"
    " VALUES (?, ?, 'nový', ?, NOT EXISTS (SELECT 1 FROM SkRefObraz WHERE RefAg = ?))"
)
_WITH_PICTURES = "SELECT RefAg FROM SkRefObraz GROUP BY RefAg HAVING COUNT(*) >= {}"


class Office:
    """One person at a desk. May be used by one thread at a time."""

    def __init__(self, database: Path, documents: Path, *, seed: int = 1) -> None:
        self._hand = take(database, documents, f"office {seed}")
        self._db, self._rng = self._hand.db, self._hand.chance
        self._made = 0
        self.tree = Tree(self._hand)
        self.parameters = Parameters(self._hand)
        self.firms = Firms(self._hand)
        self.orders = Orders(self._hand)

    def reprice(self) -> None:
        """Give a card a price that is up to 3 % higher or lower."""
        factor = 1 + self._rng.choice((-0.03, -0.01, 0.01, 0.02, 0.03))
        change = "UPDATE SKz SET ProdejKc = round(ProdejKc * ?, 2), ProdejDPH = round(ProdejDPH * ?, 2) WHERE ID = ?"
        card = self.card()
        self._save(card, change, factor, factor, card)

    def rewrite(self) -> None:
        """Give a card another name and another long text, plain or formatted."""
        text, formatted = self._rng.choice(_TEXTS)
        name = f"Zboží {self._rng.choice(_KINDS)} č. {self._rng.randint(1, 10**6)}"
        card = self.card()
        self._save(
            card, "UPDATE SKz SET Nazev = ?, Popis2 = ?, FmtPopis2 = ? WHERE ID = ?", name, text, formatted, card
        )

    def add_picture(self) -> None:
        """Take a picture of a card: the file first, then the row."""
        card = self.card()
        self._save(card, _HANG, *self._taken(card, place=99))

    def remove_picture(self) -> None:
        """Take one picture of a card away, the default one last; the file stays in the folder."""
        card = self.card(_WITH_PICTURES.format(1))
        which = "SELECT ID FROM SkRefObraz WHERE RefAg = ? ORDER BY Vychozi, OrderFld DESC, ID DESC LIMIT 1"
        self._save(card, f"DELETE FROM SkRefObraz WHERE ID = ({which})", card)  # noqa: S608 - our own text

    def turn_pictures(self) -> None:
        """Make the newest picture of a card the default one, and turn the order of the others round."""
        card = self.card(_WITH_PICTURES.format(2))
        newest = "Vychozi = (ID = (SELECT MAX(ID) FROM SkRefObraz WHERE RefAg = ?))"
        self._save(card, f"UPDATE SkRefObraz SET OrderFld = 100 - OrderFld, {newest} WHERE RefAg = ?", card, card)  # noqa: S608 - our own text

    def new_card(self) -> str:
        """Put a new card on offer, with a text, a price, a picture and some pieces; returns its code."""
        self._made += 1
        code, price = f"NOVY-{self._made:03d}", float(self._rng.randint(100, 900))
        text, formatted = self._rng.choice(_TEXTS)
        values = _FRESH | {
            "IDS": code,
            "EAN": f"858{self._made:010d}",
            "Nazev": f"Novinka č. {self._made}",
            "Popis2": text,
            "FmtPopis2": formatted,
            "ProdejKc": price,
            "ProdejDPH": round(price * 1.21, 2),
            "DatSave": now(),
        }
        with self._hand.saving():
            made = self._db.execute(
                f"INSERT INTO SKz ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
                tuple(values.values()),
            )
            self._db.execute(_HANG, self._taken(made.lastrowid or 0, place=1))
        return code

    def changed(self, since: datetime) -> list[int]:
        """Ids of the cards that were saved since then, as the export of changed cards chooses them."""
        moment = since.isoformat(" ", "seconds")
        return [card for (card,) in self._db.execute("SELECT ID FROM SKz WHERE DatSave >= ? ORDER BY ID", (moment,))]

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def card(self, among: str = ON_OFFER) -> int:
        """Choose a card (``SKz.ID``): one on offer, unless another choice is given; any where there is none such."""
        return self._hand.one(among) or self._hand.one("SELECT ID FROM SKz") or 0

    def cards(self, code: str) -> list[int]:
        """The cards of a code (``SKz.ID``), one for each store where it lies."""
        return self._hand.ids("SELECT ID FROM SKz WHERE TRIM(IDS) = ? ORDER BY ID", code.strip())

    def _taken(self, card: int, *, place: int) -> tuple[object, ...]:
        """Take a picture: make its file, and the values of its row."""
        return card, self._hand.picture(f"snímek {card}"), place, card

    def _save(self, card: int, change: str, *given: object) -> None:
        with self._hand.saving("SKz", card) as db:
            db.execute(change, given)
