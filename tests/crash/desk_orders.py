"""Customers buy in the shop, POHODA takes their orders in and goes on with them; now and then the owner lends a hand.

An order takes its pieces from the shop's stock at once. In POHODA so many, and one more, come in with it, so that what
is free of a card (``StavZ - ObjedP``) only ever grows, and is sent after each sale. When an order is
cancelled the pieces come back in the shop by themselves; in POHODA they come back, or are lost: then the agent has to
set right what the shop did. No more than the agent's guard lets through are cancelled.
"""

from __future__ import annotations

from tests.crash.hand import ON_OFFER, Hand, now

PARTLY, TRANSFERRED, EXECUTED, CANCELLED, REFUNDED = 3, 4, 5, 6, 7
"""The shop's states, as the configuration of `everything` maps POHODA's."""
_OPEN = "SELECT DISTINCT PDoklad FROM OBJ WHERE DatStorn IS NULL AND NOT Vyrizeno"
_UNTOUCHED = (
    "SELECT PDoklad FROM OBJ AS o JOIN OBJpol AS p ON p.RefAg = o.ID GROUP BY PDoklad"
    " HAVING NOT (max(Vyrizeno) OR max(BDodano) OR max(Dodano) OR count(DatStorn))"
)


def buy(hand: Hand) -> None:
    """Place an order of one or two codes; POHODA takes it in as one order, or as one for each code."""
    rows = hand.db.execute(f"SELECT ID, TRIM(IDS) FROM SKz WHERE {ON_OFFER} ORDER BY ID").fetchall()
    there = {reference.casefold() for reference in hand.shop.quantities()}
    rows = [(card, code) for card, code in rows if code.casefold() in there]
    if not rows:
        return
    lines = {code: (card, hand.chance.randint(1, 3)) for card, code in hand.chance.sample(rows, min(2, len(rows)))}
    number = hand.shop.orders.buy({code: pieces for code, (_, pieces) in lines.items()})
    split, order = hand.chance.random() < 0.3, 0
    for code, (card, pieces) in lines.items():
        if split or not order:
            ours = f"P{hand.number} {code}"[:32]
            order = hand.add("OBJ", RelTpObj=1, Cislo=ours, PDoklad=number, Datum=now(), Vyrizeno=0, BDodano=0)
        hand.add("OBJpol", RefAg=order, RefSKz=card, Kod=code, Mnozstvi=pieces, Dodano=0)
        change = "UPDATE SKz SET ObjedP = ObjedP + ?, StavZ = StavZ + ? WHERE ID = ?"
        hand.db.execute(change, (pieces, pieces + 1, card))
    hand.saved("OBJ", [order])


def go_on(hand: Hand) -> None:
    """Deliver a part, or transfer or execute an order, one of its rows now and then; a parcel gets its number."""
    open_ = {number for (number,) in hand.db.execute(_OPEN)}
    met = sorted(open_ & hand.owner.keys())
    number = hand.chance.choice(met) if met and hand.chance.random() < 0.4 else _some(hand, _OPEN)
    rows = [row for (row,) in hand.db.execute("SELECT ID FROM OBJ WHERE PDoklad = ?", (number,))]
    if not rows:
        return
    chosen = rows if hand.chance.random() < 0.7 else rows[:1]
    way = hand.chance.choice(("part", "transfer", "transfer", "execute", "execute"))
    for row in chosen:
        if way == "part":
            hand.db.execute("UPDATE OBJpol SET Dodano = min(Mnozstvi, Dodano + 1) WHERE RefAg = ?", (row,))
        else:
            column = "BDodano" if way == "transfer" else "Vyrizeno"
            parcel = f"CZ{hand.number:07d}" if hand.chance.random() < 0.6 else None
            sql = f"UPDATE OBJ SET {column} = 1, VPrZasilka = coalesce(?, VPrZasilka) WHERE ID = ?"
            hand.db.execute(sql, (parcel, row))
    hand.saved("OBJ", chosen)


def cancel(hand: Hand) -> None:
    """Cancel an order that is not executed; the pieces are free again, or gone."""
    (orders,) = hand.db.execute("SELECT count(DISTINCT PDoklad) FROM OBJ").fetchone()
    (gone,) = hand.db.execute("SELECT count(DISTINCT PDoklad) FROM OBJ WHERE DatStorn IS NOT NULL").fetchone()
    number = _some(hand, f"{_OPEN} AND PDoklad NOT IN (SELECT PDoklad FROM OBJ WHERE Vyrizeno)")
    if number is None or gone + 1 > max(8, orders * 0.15):
        return
    again = hand.chance.random() < 0.5
    lines = "SELECT RefSKz, Mnozstvi FROM OBJpol WHERE RefAg IN (SELECT ID FROM OBJ WHERE PDoklad = ?)"
    for card, pieces in hand.db.execute(lines, (number,)).fetchall():
        change = "UPDATE SKz SET ObjedP = ObjedP - ?, StavZ = StavZ - ? WHERE ID = ?"
        hand.db.execute(change, (pieces, 0 if again else pieces, card))
    hand.db.execute("UPDATE OBJ SET DatStorn = ?, DatSave = ? WHERE PDoklad = ?", (now(), now(), number))


def by_hand(hand: Hand) -> None:
    """The owner brings an order further in the shop, of which POHODA has said nothing yet."""
    number = _some(hand, _UNTOUCHED)
    if number is None or number in hand.owner:
        return
    state = hand.chance.choice((PARTLY, TRANSFERRED, TRANSFERRED, EXECUTED, REFUNDED))
    hand.shop.orders.set_state(number, state)
    hand.owner[number] = state


def _some(hand: Hand, question: str) -> str | None:
    found = hand.db.execute(question).fetchall()
    return str(hand.chance.choice(found)[0]) if found else None
