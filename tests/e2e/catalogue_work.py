"""A catalogue's work in POHODA: cards changed, renamed, unticked and deleted, each lot in one transaction.

Which cards are taken depends on the tables alone, so that a run can be repeated. A lot answers with the ids of the
cards (``SKz.ID``) that it touched: what POHODA would export.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .catalogue_office import Desk, Office


def misspell(office: Office, codes: Sequence[str]) -> str:
    """Give one of these cards, one with pictures, a bar code that is none; returns its code."""
    with office.work() as desk:
        code = next(code for code in codes if desk.files(code))
        desk.change(code, EAN="1234567")
    return code


def change(office: Office) -> tuple[list[int], dict[str, str]]:
    """Change texts, prices, quantities, pictures and ticks; add cards. Returns the cards, and what is stuck of whom."""
    codes, both = office.codes(), office.codes(stores="= 2")
    hidden = office.codes(ticked=False)
    with office.work() as desk:
        for code in codes[::5]:
            rewrite(desk, code)
        for code in codes[1::4]:
            desk.price(code, lambda net: round(net * 1.1) + 1)
        for code in codes[2::3]:
            desk.db.execute("UPDATE SKz SET StavZ = StavZ + 7, Rezer = Rezer + 2 WHERE IDS = ?", [code])
        illustrate(desk, [code for code in codes if code not in both])
        for code in both[:6]:  # from now on the other store's card speaks
            desk.untick(code, store=1)
        for code in hidden[:5]:
            desk.untick(code, tick=True)
        for number in range(5):
            desk.add(f"Nová/{number} & spol.", like=codes[number])
        blind = next(code for code in reversed(codes) if code not in both and desk.files(code))
        (desk.pictures / desk.files(blind)[0]).unlink()
    mute = misspell(office, [code for code in codes[-1:-20:-1] if code != blind])
    touched = [*desk.touched, *office.cards(mute)]
    return touched, {mute.casefold(): "texts", blind.casefold(): "pictures"}


def rewrite(desk: Desk, code: str) -> None:
    """Change every text of a code, and its rate of VAT."""
    number = desk.db.total_changes
    long = f"Nově <i>kurzívou</i> č. {number}<br>" if number % 2 else f"Nově & prostě č. {number}\r\n„uvozovky“ < 3"
    desk.change(
        code,
        Nazev=f"Žluťoučký kůň č. {number}",
        Popis2=long,
        FmtPopis2=number % 2,
        Popis=f"Stručně {number} & jasně",
        EAN=f"{8590000000000 + number}",
        MJ="pár",
        Hmotnost=number / 8,
        Dodani="do týdne",
        Novinka=number % 2,
        Akce=(number + 1) % 2,
        RelDPHp=1,
    )
    desk.price(code, lambda net: net)


def illustrate(desk: Desk, codes: Sequence[str]) -> None:
    """Exchange, add, remove, reorder and rename pictures; one file for two cards, one picture twice on a card."""
    having = [code for code in codes if desk.files(code)]
    several = [code for code in having if len(desk.files(code)) > 1]
    bare = [code for code in codes if not desk.files(code)]
    lots: list[tuple[Sequence[str], Callable[[str], object]]] = [
        (having[:15], lambda code: desk.paint(desk.files(code)[0])),
        (having[15:30], lambda code: desk.hang(code, f"{code} další.png")),
        (having[30:34], desk.unhang),
        (several[20:32], lambda code: desk.unhang(code, desk.files(code)[0])),
        (several[32:44], desk.turn_round),
        (several[44:50], lambda code: desk.call(code, "s popisem & čárkou")),
        (several[50:53], lambda code: desk.call(code, "")),
        (bare[:10], lambda code: desk.hang(code, f"{code} první.png")),
        (bare[10:13], lambda code: desk.hang(code, desk.files(having[40])[0], new=False)),
        (bare[13:15], lambda code: desk.hang(code, f"{code} a.png", like=desk.files(having[41])[0])),
        (bare[13:15], lambda code: desk.hang(code, f"{code} b.png", like=f"{code} a.png")),
    ]
    for some, work in lots:
        assert some
        for code in some:
            work(code)


def rename(office: Office, strangers: Sequence[str], stuck: Sequence[str]) -> list[int]:
    """Give cards other codes: new ones, codes of each other, of products that the shop has, in other letters."""
    single, both = office.codes(stores="= 1"), office.codes(stores="= 2")
    plain = [code for code in single if code.casefold() not in stuck]
    with office.work() as desk:
        for code in plain[3:60:6]:
            desk.rename(code, f"{code}-N")
        for code, stranger in zip(plain[61:], strangers, strict=False):
            desk.rename(code, stranger)
        for code in (plain[70], both[20]):
            desk.rename(code, code.lower())
        desk.rename(plain[75], "Kam-s-ní")  # and another card takes its code in the same moment
        desk.rename(plain[76], plain[75])
        for code, store in ((both[22], plain[80]), (both[23], plain[81])):
            desk.rename(code, store, store=2)  # one code falls apart, another grows together
    return desk.touched


def mend(office: Office, stuck: dict[str, str]) -> list[int]:
    """Put right what could not be sent."""
    codes = {code.casefold(): code for code in office.codes()}
    with office.work() as desk:
        for key, part in stuck.items():
            if part == "texts":
                desk.change(codes[key], EAN="12345670")
            else:
                desk.paint(desk.files(codes[key])[0])
    return desk.touched


def take_away(office: Office, *, deletes: bool) -> list[int]:
    """Untick cards, delete some (or untick them, too), and give a renamed one its old code back."""
    codes = office.codes()
    renamed = [code for code in codes if code.endswith("-N")][:2]
    kept = [code for code in codes if code not in renamed]
    with office.work() as desk:
        for code in kept[4:80:8]:
            desk.untick(code)
        for code in kept[6:80:8]:
            if deletes:
                desk.delete(code)
            else:
                desk.untick(code)
        for code in renamed:
            desk.rename(code, code.removesuffix("-N"))
    return desk.touched


def go_on(office: Office, part: int) -> list[int]:
    """An ordinary hour: some of everything, and a card that was unticked is ticked again. ``part``: 0, 1, 2."""
    codes, hidden = office.codes(), office.codes(ticked=False)
    with office.work() as desk:
        for code in codes[part::9]:
            rewrite(desk, code)
            desk.price(code, lambda net: net + 5)
            desk.db.execute("UPDATE SKz SET StavZ = StavZ + 3 WHERE IDS = ?", [code])
        for code in codes[part + 3 :: 20]:
            desk.hang(code, f"{code} {part}.png".replace("/", "-"))
        for code in hidden[part::6]:
            desk.untick(code, tick=True)
    return desk.touched


def cut_prices(office: Office, share: int) -> tuple[list[int], set[str]]:
    """Halve the price of one card in ``share``. Returns the cards, and the keys."""
    with office.work() as desk:
        for code in (cut := office.codes()[::share]):
            desk.price(code, lambda net: (net + 1) // 2)
    return desk.touched, {code.casefold() for code in cut}
