"""A range's work in POHODA: categories renamed, moved, hidden and deleted, cards given other parameters and firms.

Each call of the office is a transaction of its own, so the agent may see any state in between. What is done depends on
the tables alone, so that a run can be repeated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from agent.demo.internet import DATE, NUMBER
from agent.demo.office import Office

_AT = """WITH RECURSIVE way (ID, path) AS (SELECT ID, IDS FROM SkKat WHERE RefNodeID = 0
    UNION ALL SELECT k.ID, w.path || ' > ' || k.IDS FROM SkKat k JOIN way w ON k.RefNodeID = w.ID)
    SELECT ID FROM way WHERE path = ? ORDER BY ID"""
_HAVING = """SELECT min(p.RefAg) FROM SkRefParam p JOIN SkParam d ON d.ID = p.RefParam JOIN SKz c ON c.ID = p.RefAg
    WHERE d.IDS = ? AND c.IObchod = 1 GROUP BY c.IDS ORDER BY 1"""
_MADE = "SELECT min(ID) FROM SKz WHERE IObchod = 1 AND Vyrobce IS NOT NULL GROUP BY IDS ORDER BY 1"
_SUPPLIED = """SELECT n.RefAg FROM SKzNC n JOIN SKz c ON c.ID = n.RefAg WHERE c.IObchod = 1
    GROUP BY c.IDS ORDER BY min(n.RefAg)"""


def at(office: Office, *path: str) -> int:
    """The category at a path from the top; of several the oldest."""
    return office.tree.hand.ids(_AT, " > ".join(path))[0]


def write(office: Office, sql: str, *given: object) -> None:
    """Do what POHODA's screens do not offer."""
    with office.tree.hand.saving() as db:
        assert db.execute(sql, given).rowcount, sql


def spell(office: Office) -> None:
    """Let some names stand in POHODA as people type them: with stray spaces, in capitals; two siblings of one name."""
    tree = office.tree
    tree.rename(at(office, "Domácnost", "Kuchyně"), " Kuchyně  a jídelna ")
    for text in (None, "Druhé téhož jména."):
        tree.add("Doplňky", at(office, "Domácnost", "Osvětlení"), description=text)
    for place, card in enumerate(having(office, "Materiál")[:6]):
        office.parameters.set(card, "Materiál", ("DŘEVO", "dřevo ", " Dřevo  masiv")[place % 3])
    for place, card in enumerate(office.tree.hand.ids(_MADE)[:6]):
        office.firms.maker(card, ("KOVO PŘÍBRAM", " Kovo  Příbram ", "Bárva & syn")[place % 3])
    office.parameters.set(having(office, "Barva")[0], "Barva", ["Červená", "bílá = smetanová", "modrá"])


def having(office: Office, parameter: str) -> list[int]:
    """Cards on offer that have a parameter, one of each code."""
    return office.tree.hand.ids(_HAVING, parameter)


def rebuild(office: Office) -> None:
    """Rename, move, reorder, hide, show, describe and delete categories, and make new ones."""
    tree = office.tree
    garden, tools = at(office, "Zahrada"), at(office, "Nářadí")
    hammers, shears = at(office, "Nářadí", "Ruční nářadí", "Kladiva"), at(office, "Nářadí", "Ruční nářadí", "Nůžky")
    tree.rename(garden, "Zahrada & balkon")
    tree.rename(hammers, "Nůžky")
    tree.rename(shears, "Kladiva")
    tree.move(at(office, "Zahrada & balkon", "Zavlažování"), tools)
    tree.move(at(office, "Domácnost", "Osvětlení"), None)
    tree.order(at(office, "Zahrada & balkon", "Ruční nářadí", "Hrábě"), 0)
    tree.order(at(office, "Nábytek"), -5)
    tree.hide(_kitchen(office))
    for path in (("Připravujeme",), ("Připravujeme", "Novinky")):
        tree.hide(at(office, *path), visible=True)
    tree.describe(at(office, "Dílna & sklad"), "Teď jinak & lépe:\r\n 3 < 5")
    tree.describe(at(office, "Dílna & sklad", "Spojovací materiál"), "<p>Nově formátováno.</p>")
    tree.picture(garden)
    write(office, "UPDATE SkKat SET Obrazek = NULL WHERE ID = ?", tools)
    tree.delete(at(office, "Osvětlení", "Svítidla"))
    pools = tree.add("Bazény", garden, picture=True)
    tablets = tree.add("Tablety", tree.add("Chemie", pools, visible=False), description="Jen   pro bazény")
    for card in tree.cards(at(office, "Nářadí", "Elektrické nářadí", "Vrtačky"))[:4]:
        tree.put(card, [tablets, pools])


def _kitchen(office: Office) -> int:
    return office.tree.hand.ids("SELECT ID FROM SkKat WHERE IDS LIKE '%jídelna%'")[0]


def entangle(office: Office) -> list[int]:
    """Hang two categories on each other, which POHODA's screens do not allow; returns them."""
    seats = at(office, "Nábytek", "Sezení")
    chairs = at(office, "Nábytek", "Sezení", "Židle")
    write(office, "UPDATE SkKat SET RefNodeID = ?, IDS = 'Posezení' WHERE ID = ?", chairs, seats)
    return [seats, chairs]


def disentangle(office: Office, tangled: Sequence[int]) -> None:
    """Put that right: the first one goes to the top."""
    write(office, "UPDATE SkKat SET RefNodeID = 0 WHERE ID = ?", tangled[0])


def sort_cards(office: Office) -> None:
    """Put cards into other categories, some into none; untick some and tick others."""
    tree = office.tree
    drills = tree.cards(at(office, "Nářadí", "Elektrické nářadí", "Vrtačky"))
    shovels = tree.cards(at(office, *_GARDEN, "Lopaty"))
    for card in drills[4:8]:
        tree.put(card, [at(office, *_GARDEN, "Lopaty"), at(office, "Nábytek")])
    for card in shovels[:4]:
        tree.put(card, [at(office, *_GARDEN, "Hrábě")])
    for card in shovels[4:7]:
        tree.put(card, [])
    hidden = tree.hand.ids("SELECT ID FROM SKz WHERE IObchod = 0 AND RelSkTyp = 1 ORDER BY ID")
    write(office, "UPDATE SKz SET IObchod = 0 WHERE ID IN (?, ?)", shovels[8], drills[-1])
    write(office, "UPDATE SKz SET IObchod = 1 WHERE ID IN (?, ?)", *hidden[:2])


_GARDEN = ("Zahrada & balkon", "Ruční nářadí")


def label_otherwise(office: Office, part: int) -> None:
    """Change, remove and add parameters of every type, manufacturers and suppliers. ``part``: 0, 1, 2."""
    parameters, firms = office.parameters, office.firms
    moved = dt.date(2027, 2, 28 - part)
    for name, value in (
        ("Materiál", f"sklo č. {part}"),
        ("Délka", 17.75 + part),
        ("Skládací", part % 2 == 1),
        ("Kusů v balení", 144 + part),
        ("Doporučená cena", 12345.5 + part),
        ("V nabídce od", moved),
        ("Barva", ["stříbrná", "žlutá", f"odstín {part}"]),
    ):
        cards = having(office, name)[part::6]
        for card in cards[::2]:
            parameters.set(card, name, value)
        for card in cards[1::2]:
            parameters.remove(card, name)
    for place, card in enumerate(office.tree.hand.ids(_MADE)[part::9]):
        firms.maker(card, ("Nový výrobce a.s.", None, "nářadí ŘÍČANY")[place % 3])
    for place, card in enumerate(office.tree.hand.ids(_SUPPLIED)[part::7]):
        if place % 2:
            firms.remove(card, firms.of(card)[0])
        else:
            firms.add(card, f"Dodavatel {part} & synové", code=f"X-{card}", default=place % 4 == 0)


def name_otherwise(office: Office) -> None:
    """Rename a parameter and a firm, and define two parameters: in a shop those are new ones."""
    office.parameters.rename("Materiál", "Materiál výrobku")
    office.parameters.define("Výška", NUMBER, unit="mm")
    office.parameters.define("Záruka do", DATE)
    for card in having(office, "Barva")[:5]:
        office.parameters.set(card, "Výška", 0.5)
        office.parameters.set(card, "Záruka do", dt.date(2028, 12, 24))
    write(office, "UPDATE AD SET Firma = 'Železárny Praha' WHERE Firma = 'Železářství Praha'")


def change_again(office: Office) -> None:
    """While nobody looks: rename and move once more what was renamed and moved, and take some of it back."""
    tree = office.tree
    tree.rename(at(office, "Zahrada & balkon"), "Zahrada")
    water = at(office, "Nářadí", "Zavlažování")
    tree.rename(water, "Závlaha")
    tree.move(water, at(office, "Zahrada"))
    tree.hide(_kitchen(office), visible=True)
    tree.move(at(office, "Zahrada", "Bazény", "Chemie"), at(office, "Dílna & sklad"))
    tree.delete(at(office, "Osvětlení", "Žárovky"))
    tree.order(at(office, "Nábytek"), 500)
