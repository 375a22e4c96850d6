"""Work at what hangs on POHODA's cards: parameters of each kind with their values, manufacturers and suppliers.

New names come all the time, and old ones in other spellings of the case and with stray spaces: they are the same.
Nobody takes the last one away, for many such cards would be held by the agent's guard.
"""

from __future__ import annotations

from agent.demo.internet import BOOLEAN, CURRENCY, DATE, LIST, NUMBER, TEXT, VALUES, WHOLE
from tests.crash.hand import Hand

_COLOURS = ("červená", "Červená", " modrá ", "Žlutá", "ŽLUTÁ", "bílá")
_MAKERS = ("Kovo Příbram", "KOVO  Příbram", "Sklárny Nový Bor", "Nářadí Říčany")


def define(hand: Hand) -> None:
    """A new parameter, given to some cards at once; a list has two values."""
    kind = hand.chance.choice((TEXT, CURRENCY, BOOLEAN, WHOLE, NUMBER, DATE, LIST, LIST))
    name = f"Vlastnost {hand.number}"
    made = hand.add("SkParam", IDS=name, RelTyp=kind, MJ="cm" if kind in {NUMBER, WHOLE} else None)
    if kind == LIST:
        for place in range(2):
            hand.add("SkParamList", RefAg=made, IDS=f"volba {hand.number}-{place}", OrderFld=place)
    for _ in range(hand.chance.randint(1, 4)):
        _set(hand, hand.card(), made, kind)


def fill(hand: Hand) -> None:
    """Give a card a value of a parameter, another one where it has one."""
    row = hand.one("SELECT ID FROM SkParam")
    if row is None:
        return
    (kind,) = hand.db.execute("SELECT RelTyp FROM SkParam WHERE ID = ?", (row,)).fetchone()
    if kind == LIST and hand.chance.random() < 0.3:
        hand.add("SkParamList", RefAg=row, IDS=f"volba {hand.number}", OrderFld=hand.number)
    _set(hand, hand.card(), row, kind)


def clear(hand: Hand) -> None:
    """Take one of several parameters off a card."""
    card = hand.one("SELECT RefAg FROM SkRefParam GROUP BY RefAg HAVING count(*) > 1")
    row = hand.one("SELECT ID FROM SkRefParam WHERE RefAg = ?", card)
    if row is not None:
        hand.db.execute("DELETE FROM SkRefParam WHERE ID = ?", (row,))
        hand.saved("SKz", [card])


def maker(hand: Hand) -> None:
    """Another manufacturer: a new one, or one in another spelling."""
    card = hand.card()
    name = f"Výrobce {hand.number}" if hand.chance.random() < 0.5 else hand.chance.choice(_MAKERS)
    hand.db.execute("UPDATE SKz SET Vyrobce = ? WHERE ID = ?", (name, card))
    hand.saved("SKz", [card])


def supplier(hand: Hand) -> None:
    """Another supplier of a card, another code of the goods, another preferred one, or one less of several."""
    card = hand.card()
    there = [row for (row,) in hand.db.execute("SELECT ID FROM SKzNC WHERE RefAg = ? ORDER BY ID", (card,))]
    way = hand.chance.choice(("add", "code", "prefer", "remove")) if len(there) > 1 else "add"
    if way == "add":
        firm = _firm(hand)
        hand.db.execute("DELETE FROM SKzNC WHERE RefAg = ? AND RefAD = ?", (card, firm))  # a firm once per card
        hand.add("SKzNC", RefAg=card, RefAD=firm, ObjKod=f"o-{hand.number}", DefDod=0, OrderFld=hand.number)
    elif way == "code":
        code = (f"kód {hand.number}", hand.chance.choice(there))
        hand.db.execute("UPDATE SKzNC SET ObjKod = ? WHERE ID = ?", code)
    elif way == "prefer":
        hand.db.execute("UPDATE SKzNC SET DefDod = (ID = ?) WHERE RefAg = ?", (hand.chance.choice(there), card))
    else:
        hand.db.execute("DELETE FROM SKzNC WHERE ID = ?", (hand.chance.choice(there),))
    hand.saved("SKz", [card])


def main_supplier(hand: Hand) -> None:
    """Another main supplier of a card (``RefAD``), who may be missing among its suppliers."""
    card, firm = hand.card(), _firm(hand)
    (name,) = hand.db.execute("SELECT Firma FROM AD WHERE ID = ?", (firm,)).fetchone()
    hand.db.execute("UPDATE SKz SET RefAD = ?, Firma = ? WHERE ID = ?", (firm, name, card))
    hand.saved("SKz", [card])


def _firm(hand: Hand) -> int:
    """A firm of the address book, a new one in two of five."""
    row = hand.one("SELECT ID FROM AD") if hand.chance.random() < 0.6 else None
    return row or hand.add("AD", Firma=f"Dodavatel č. {hand.number}")


def _set(hand: Hand, card: int, parameter: int, kind: int) -> None:
    """Write a value into the column of its kind; of a list the chosen values beside."""
    hand.db.execute("DELETE FROM SkRefParam WHERE RefAg = ? AND RefParam = ?", (card, parameter))
    if kind == LIST:
        _choose(hand, card, parameter)
    value: object = {
        TEXT: f"hodnota {hand.number}" if hand.chance.random() < 0.5 else hand.chance.choice(_COLOURS),
        CURRENCY: hand.chance.randint(1, 600_000) / 100,
        BOOLEAN: hand.chance.randint(0, 1),
        WHOLE: hand.chance.randint(1, 90),
        NUMBER: hand.chance.randint(1, 60) / 4,
        DATE: f"2026-{hand.chance.randint(1, 12):02d}-{hand.chance.randint(1, 28):02d} 00:00:00",
    }.get(kind)
    column = {} if kind == LIST else {VALUES[kind]: value}
    hand.add("SkRefParam", RefAg=card, RefParam=parameter, OrderFld=hand.number, **column)
    hand.saved("SKz", [card])


def _choose(hand: Hand, card: int, parameter: int) -> None:
    hand.db.execute("DELETE FROM SKRefParamList WHERE RefAg = ? AND RefParam = ?", (card, parameter))
    values = [row for (row,) in hand.db.execute("SELECT ID FROM SkParamList WHERE RefAg = ?", (parameter,))]
    chosen = set(hand.chance.sample(values, hand.chance.randint(1, min(3, len(values)))))
    for row in values:
        sel = int(row in chosen)
        hand.add("SKRefParamList", RefAg=card, RefParam=parameter, RefParamList=row, Sel=sel, OrderFld=row)
