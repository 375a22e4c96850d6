"""The contract of the targets ``products``, ``prices`` and ``images`` as claims that hold for every kind.

A claim sees the shop through `CatalogueWorld.seen`, which does not use the adapter; sent and confirmed values are
compared by the targets' own ``same``.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
import zlib
from collections.abc import Sequence
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from socket import socket

import pytest

from agent.errors import Unusable
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Unclear, Value, Wanted, key_of
from agent.shops import Shop
from agent.targets.images import Images, ImageSettings
from agent.targets.products import Products, ProductSettings
from agent.targets.texts import canonical
from tests.contract.world import CatalogueWorld, Seen, SeenPicture, code, held_of, spoil, writes
from tests.fault_server import FAULTS_AFTER_APPLYING, Fault, FaultProxy, drop_after_apply, never_apply

P, C, M = "products", "prices", "images"
SAME_PRODUCT = Products(ProductSettings()).same
SAME_IMAGES = Images(ImageSettings()).same
FAULT_NAMES = [name for name, _ in FAULTS_AFTER_APPLYING]
_shades = itertools.count(1)
LOST = pytest.mark.parametrize(("_name", "fault"), FAULTS_AFTER_APPLYING, ids=FAULT_NAMES)


# ------------------------------------------------------------------------------------------------ words


def whole_value(world: CatalogueWorld, **changes: Value) -> dict[str, Value]:
    """A value with every field that the kind can keep."""
    value: dict[str, Value] = {
        "name": "Vrtačka příklepová 18 V",
        "description": "<p>Příliš <strong>žluťoučký</strong> kůň &amp; spol.</p>",
        "short_description": "Úpěl<br>ódy",
        "ean": "8590000000017",
        "unit": "ks",
        "weight": "4.2",
        "vat": world.vat_rates[0],
        "availability": "skladem",
        "marks": [*sorted(world.marks)],
        "visible": True,
    }
    return {field: part for field, part in (value | changes).items() if field in world.fields}


def owed(target: str, held: Held, value: Value) -> Owed:
    return Owed(Event(target, held.key, value, held.code), held.link)


def creation(spelt: str, value: Value) -> Owed:
    return Owed(Event(P, key_of(spelt), value, spelt), None)


def done(outcomes: Sequence[Outcome]) -> list[Done]:
    assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
    return [outcome for outcome in outcomes if isinstance(outcome, Done)]


def found(shop: Shop, target: str, spelt: str) -> Held:
    return held_of(shop.find(target, [Wanted(key_of(spelt), spelt)])[key_of(spelt)])


def made(world: CatalogueWorld, shop: Shop, target: str = P, many: int = 1) -> list[Held]:
    """Products that are there, one per code, as the target finds them."""
    codes = [code() for _ in range(many)]
    world.add(*((each, 1) for each in codes))
    return [found(shop, target, each) for each in codes]


def seen(world: CatalogueWorld, held: Held | str) -> Seen:
    (one,) = world.seen(held if isinstance(held, str) else held.code)
    return one


def holds(one: Seen, value: dict[str, Value]) -> bool:
    """Whether the shop holds these fields."""
    return SAME_PRODUCT(value, dict(one.fields))


def read(shop: Shop, target: str, held: Held, link: str | None = None) -> Value:
    return shop.read(target, [Wanted(held.key, held.code, link or held.link)])[held.key].value


# ------------------------------------------------------------------------------------------------ products


def claim_every_field_of_a_product_arrives(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        (held,) = made(catalogue, shop)
        value = whole_value(catalogue)
        (outcome,) = done(shop.deliver(P, [owed(P, held, value)]))
        assert SAME_PRODUCT(value, outcome.confirmed), outcome.confirmed
        assert holds(seen(catalogue, held), value), seen(catalogue, held)
        assert SAME_PRODUCT(value, read(shop, P, held))
        assert outcome.link == held.link


def claim_an_update_touches_only_the_listed_fields(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        (held,) = made(catalogue, shop)
        value = whole_value(catalogue)
        done(shop.deliver(P, [owed(P, held, value)]))
        before = seen(catalogue, held)
        for field in sorted(catalogue.fields):
            change = whole_value(catalogue, **changed(catalogue, field))[field]
            done(shop.deliver(P, [owed(P, held, {field: change})]))
            value[field] = change
            assert holds(seen(catalogue, held), value), field
        assert seen(catalogue, held).price == before.price


def changed(world: CatalogueWorld, field: str) -> dict[str, Value]:
    other: dict[str, Value] = {
        "name": "Jiný název",
        "description": "<ul><li>jiné</li></ul>",
        "short_description": "",
        "ean": "",
        "unit": "m",
        "weight": "0.125",
        "vat": world.vat_rates[1],
        "availability": "do týdne",
        "marks": [],
        "visible": False,
    }
    return {field: other[field]}


def claim_the_name_in_other_languages_stays(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        (held,) = made(catalogue, shop)
        catalogue.translate(held.code, "Hammer drill & more")
        before = seen(catalogue, held).other_names
        done(shop.deliver(P, [owed(P, held, {"name": "Vrtačka"})]))
        assert seen(catalogue, held).other_names == before
        assert seen(catalogue, held).fields["name"] == "Vrtačka"


@pytest.mark.parametrize(
    "html",
    [
        "",
        "Popis bez značek – příliš žluťoučký kůň",
        "první<br>druhý &amp; třetí",
        "<p>odstavec</p>\n<p class='a b'>druhý&nbsp;s mezerou</p>",
        "cena &lt; 100 Kč",
        "emoji \U0001f528 a „uvozovky“",
        "<table><tr><td>1</td></tr></table>",
        "]]> konec",
    ],
)
def claim_czech_letters_and_html_survive(catalogue: CatalogueWorld, html: str) -> None:
    with closing(catalogue.shop()) as shop:
        (held,) = made(catalogue, shop)
        (outcome,) = done(shop.deliver(P, [owed(P, held, {"description": html})]))
        assert SAME_PRODUCT({"description": html}, outcome.confirmed), outcome.confirmed
        assert canonical(str(seen(catalogue, held).fields["description"])) == canonical(html)


def claim_products_delivered_twice_are_like_once(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        some = made(catalogue, shop, many=2)
        value = whole_value(catalogue)
        for _ in range(2):
            for outcome in done(shop.deliver(P, [owed(P, held, value) for held in some])):
                assert SAME_PRODUCT(value, outcome.confirmed)
            assert all(holds(seen(catalogue, held), value) for held in some)


def claim_a_product_is_hidden_and_shown_again(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        (held,) = made(catalogue, shop)
        for visible in (False, True):
            (outcome,) = done(shop.deliver(P, [owed(P, held, {"visible": visible})]))
            assert outcome.confirmed == {"visible": visible}
            assert seen(catalogue, held).fields["visible"] is visible
            assert found(shop, P, held.code).link == held.link  # a hidden product is still found


def claim_a_creation_makes_one_product_with_a_link_for_everything(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        spelt = f"{code()} Žluť"
        value = whole_value(catalogue)
        (outcome,) = done(shop.deliver(P, [creation(spelt, value)]))
        assert SAME_PRODUCT(value, outcome.confirmed), outcome.confirmed
        assert holds(seen(catalogue, spelt), value), seen(catalogue, spelt)
        held = found(shop, P, spelt)
        assert (held.link, held.code) == (outcome.link, spelt)
        (quantity,) = done(shop.deliver("quantities", [owed("quantities", held, 5)]))
        assert quantity.confirmed == 5
        price: Value = {"amount": "12.5", "form": shop.price_form}
        (priced,) = done(shop.deliver(C, [owed(C, held, price)]))
        assert priced.confirmed == price


def claim_several_creations_are_several_products_in_order(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        codes = [code() for _ in range(3)]
        (there,) = made(catalogue, shop)
        values = [whole_value(catalogue, name=f"Výrobek {n}") for n in range(4)]
        items = [creation(each, value) for each, value in zip(codes, values, strict=False)]
        outcomes = done(shop.deliver(P, [*items[:2], owed(P, there, values[3]), items[2]]))
        assert outcomes[2].link == there.link
        assert [seen(catalogue, each).fields["name"] for each in codes] == [f"Výrobek {n}" for n in range(3)]
        assert [found(shop, P, each).link for each in codes] == [outcomes[n].link for n in (0, 1, 3)]


@LOST
def claim_a_creation_whose_answer_is_lost_is_one_product(catalogue: CatalogueWorld, _name: str, fault: Fault) -> None:
    with closing(catalogue.shop()) as shop, closing(catalogue.shop(timeout=1.0)) as hasty:
        hasty.probe()
        spelt, value = code(), whole_value(catalogue)
        spoil(catalogue, fault)
        (outcome,) = hasty.deliver(P, [creation(spelt, value)])
        catalogue.proxy.clear()
        assert isinstance(outcome, Unclear)
        there = shop.find(P, [Wanted(key_of(spelt), spelt)]).get(key_of(spelt))  # dispatch asks before it creates again
        item = owed(P, held_of(there), value) if there else creation(spelt, value)  # half-made, it may not be found
        (again,) = done(shop.deliver(P, [item]))
        assert SAME_PRODUCT(value, again.confirmed), again.confirmed
        assert holds(seen(catalogue, spelt), value)


def claim_a_creation_that_never_arrived_can_be_sent_again(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        spelt, value = code(), whole_value(catalogue)
        shop.probe()
        spoil(catalogue, never_apply)
        (outcome,) = shop.deliver(P, [creation(spelt, value)])
        assert isinstance(outcome, Unclear)
        assert shop.find(P, [Wanted(key_of(spelt), spelt)]) == {}
        done(shop.deliver(P, [creation(spelt, value)]))
        assert holds(seen(catalogue, spelt), value)


@LOST
def claim_an_update_whose_answer_is_lost_is_unclear(catalogue: CatalogueWorld, _name: str, fault: Fault) -> None:
    with closing(catalogue.shop()) as shop, closing(catalogue.shop(timeout=1.0)) as hasty:
        (held,) = made(catalogue, shop)
        hasty.probe()
        spoil(catalogue, fault)
        (outcome,) = hasty.deliver(P, [owed(P, held, {"name": "Po ztrátě"})])
        catalogue.proxy.clear()
        assert isinstance(outcome, Unclear)
        assert SAME_PRODUCT({"name": "Po ztrátě"}, read(shop, P, held))


@pytest.mark.parametrize("target", [P, C, M])
def claim_a_doubled_code_is_refused_for_every_target(catalogue: CatalogueWorld, target: str) -> None:
    with closing(catalogue.shop()) as shop:
        twice = code()
        catalogue.add((twice, 1), (twice.lower(), 2))
        doubled = shop.find(target, [Wanted(key_of(twice), twice)])[key_of(twice)]
        assert isinstance(doubled, Rejected)
        assert doubled.hint


@pytest.mark.parametrize("target", [P, C])
def claim_an_unknown_link_is_lost_and_keeps_nothing_from_the_others(catalogue: CatalogueWorld, target: str) -> None:
    with closing(catalogue.shop()) as shop:
        before, after = made(catalogue, shop, target, many=2)
        value: Value = {"name": "Nový"} if target == P else {"amount": "7", "form": shop.price_form}
        bad = Owed(Event(target, "bad", value, "bad"), catalogue.unknown_link)
        outcomes = settled(shop, target, [owed(target, before, value), bad, owed(target, after, value)])
        assert [type(outcome) for outcome in outcomes] == [Done, Rejected, Done]
        lost = outcomes[1]
        assert isinstance(lost, Rejected)
        assert lost.link_lost
        assert lost.hint
        for held in (before, after):
            one = seen(catalogue, held)
            assert (one.fields["name"] == "Nový") if target == P else (one.price == "7")


def settled(shop: Shop, target: str, items: Sequence[Owed]) -> list[Outcome]:
    """Deliver, and what was not tried once more, one by one."""
    outcomes = shop.deliver(target, items)
    return [
        outcome if isinstance(outcome, Done | Rejected | Unclear) else shop.deliver(target, [item])[0]
        for item, outcome in zip(items, outcomes, strict=True)
    ]


@pytest.mark.parametrize("target", [P, C, M])
def claim_everything_can_be_read_page_by_page_across_a_restart(catalogue: CatalogueWorld, target: str) -> None:
    with closing(catalogue.shop()) as shop:
        some = made(catalogue, shop, target, many=2)
    items: dict[str, Held] = {}
    page: str | None = None
    while True:
        with closing(catalogue.shop()) as fresh:
            got = fresh.read_page(target, page)
            items |= {held.key: held for held in got.items}
            page = got.next
        if page is None:
            break
    assert {held.key: (held.code, held.value) for held in some} == {
        held.key: (items[held.key].code, items[held.key].value) for held in some
    }
    assert {held.link for held in some} == {items[held.key].link for held in some}


# ------------------------------------------------------------------------------------------------ prices


def claim_prices_are_exact(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        amounts = ["0.01", "199", "164.462810", "0", "99999.99", "0.1", "1234.5", "0.05"]
        some = made(catalogue, shop, C, many=len(amounts))
        place = Decimal(1).scaleb(-shop.price_places)
        rounded = [f"{Decimal(each).quantize(place, ROUND_HALF_UP).normalize():f}" for each in amounts]
        values: list[Value] = [{"amount": each, "form": shop.price_form} for each in rounded]
        for _ in range(2):
            items = [owed(C, held, value) for held, value in zip(some, values, strict=True)]
            assert [outcome.confirmed for outcome in done(shop.deliver(C, items))] == values
            assert [seen(catalogue, held).price for held in some] == rounded
        assert [read(shop, C, held) for held in some] == values
        assert [found(shop, C, held.code).value for held in some] == values


@pytest.mark.parametrize("amount", ["-1", "abc", "", "1e400", "NaN", "10,5"])
def claim_what_is_no_price_is_never_sent(catalogue: CatalogueWorld, amount: str) -> None:
    with closing(catalogue.shop()) as shop:
        (held,) = made(catalogue, shop, C)
        before, count = seen(catalogue, held).price, writes(catalogue)
        (outcome,) = shop.deliver(C, [owed(C, held, {"amount": amount, "form": shop.price_form})])
        assert isinstance(outcome, Rejected)
        assert outcome.hint
        assert (seen(catalogue, held).price, writes(catalogue)) == (before, count)


def claim_a_price_of_the_other_form_is_never_sent(catalogue: CatalogueWorld) -> None:
    with closing(catalogue.shop()) as shop:
        (held,) = made(catalogue, shop, C)
        before = seen(catalogue, held).price
        other = "gross" if shop.price_form == "net" else "net"
        (outcome,) = shop.deliver(C, [owed(C, held, {"amount": "5", "form": other})])
        assert isinstance(outcome, Rejected)
        assert seen(catalogue, held).price == before


@LOST
def claim_prices_whose_answer_is_lost_are_unclear_and_can_be_sent_again(
    catalogue: CatalogueWorld, _name: str, fault: Fault
) -> None:
    with closing(catalogue.shop()) as shop, closing(catalogue.shop(timeout=1.0)) as hasty:
        some = made(catalogue, shop, C, many=2)
        hasty.probe()
        items = [owed(C, held, {"amount": "77.5", "form": shop.price_form}) for held in some]
        spoil(catalogue, fault)
        assert [type(outcome) for outcome in hasty.deliver(C, items)] == [Unclear, Unclear]
        catalogue.proxy.clear()
        assert [outcome.confirmed for outcome in done(shop.deliver(C, items))] == [item.event.value for item in items]
        assert [seen(catalogue, held).price for held in some] == ["77.5", "77.5"]


# ------------------------------------------------------------------------------------------------ images


class Album:
    """Pictures by their sha: what POHODA's folder of documents is to an adapter."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def __call__(self, sha: str) -> bytes:
        try:
            return self.files[sha]
        except KeyError:
            raise Unusable("picture", f"Dokumenty/{sha[:4]}.png is missing", hint="Put the file back.") from None

    def picture(self, alt: str = "", width: int = 8) -> dict[str, Value]:
        """A new picture, like no other."""
        data = png(width, next(_shades))
        sha = hashlib.sha256(data).hexdigest()
        self.files[sha] = data
        return {"sha": sha, "file": f"Obrázek {sha[:4]}.PNG", "alt": alt or f"Popis {sha[:4]}"}


def png(width: int, shade: int) -> bytes:
    """A sound PNG of one colour, ``width`` × 8 pixels."""
    colour = shade.to_bytes(3)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    rows = b"".join(b"\x00" + colour * width for _ in range(8))
    header = struct.pack(">IIBBBBB", width, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def deliver(shop: Shop, held: Held, value: Sequence[dict[str, Value]], link: str | None = None) -> Outcome:
    (outcome,) = shop.deliver(M, [Owed(Event(M, held.key, list(value), held.code), link or held.link)])
    return outcome


def put(shop: Shop, held: Held, value: Sequence[dict[str, Value]], link: str | None = None) -> str:
    """Deliver pictures; the new link."""
    outcome = deliver(shop, held, value, link)
    assert isinstance(outcome, Done), outcome
    assert SAME_IMAGES(list(value), outcome.confirmed), outcome.confirmed
    assert outcome.link
    return outcome.link


def shown(world: CatalogueWorld, held: Held) -> tuple[SeenPicture, ...]:
    return seen(world, held).pictures


def alts_are(pictures: Sequence[SeenPicture], value: Sequence[dict[str, Value]]) -> bool:
    return all(one.alt in {None, part["alt"]} for one, part in zip(pictures, value, strict=True))


def claim_pictures_arrive_in_order_with_their_texts(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        assert held.value == []
        value = [album.picture("Žlutá vrtačka"), album.picture(), album.picture()]
        link = put(shop, held, value)
        there = shown(catalogue, held)
        assert len(there) == 3
        assert [one.default for one in there] == [True, False, False]
        assert alts_are(there, value)
        assert SAME_IMAGES(list(value), read(shop, M, held, link))


def claim_the_same_pictures_again_upload_nothing(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        value = [album.picture(), album.picture()]
        link = put(shop, held, value)
        before, count = shown(catalogue, held), writes(catalogue)
        assert put(shop, held, value, link) == link
        assert (shown(catalogue, held), writes(catalogue)) == (before, count)


def claim_the_same_bytes_twice_in_a_value_are_one_picture(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        one, two = album.picture(), album.picture()
        outcome = deliver(shop, held, [one, two, one])
        assert isinstance(outcome, Done)
        assert len(shown(catalogue, held)) == 2


def claim_pictures_are_added_and_removed_one_by_one(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        one, two, three = (album.picture() for _ in range(3))
        link = put(shop, held, [one, two])
        first, second = shown(catalogue, held)
        link = put(shop, held, [one, two, three], link)
        assert [each.id for each in shown(catalogue, held)][:2] == [first.id, second.id]
        link = put(shop, held, [one, three], link)
        assert len(shown(catalogue, held)) == 2
        assert second.id not in {each.id for each in shown(catalogue, held)}
        put(shop, held, [], link)
        assert shown(catalogue, held) == ()


def claim_another_default_picture_comes_first(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        one, two, three = (album.picture() for _ in range(3))
        link = put(shop, held, [one, two, three])
        before = {each.id for each in shown(catalogue, held)}
        link = put(shop, held, [three, one, two], link)
        assert {each.id for each in shown(catalogue, held)} == before  # nothing was uploaded for that
        assert [each.default for each in shown(catalogue, held)] == [True, False, False]
        put(shop, held, [two, three, one], link)
        assert len(shown(catalogue, held)) == 3


def claim_foreign_pictures_stay(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        spelt = code()
        catalogue.add((spelt, 1))
        theirs = catalogue.add_picture(spelt)
        held = found(shop, M, spelt)
        assert held.value == []
        value = [album.picture(), album.picture()]
        link = put(shop, held, value)
        assert theirs in {one.id for one in shown(catalogue, held)}
        assert shown(catalogue, held)[0].default
        assert shown(catalogue, held)[0].id != theirs
        later = catalogue.add_picture(spelt)  # someone adds one by hand
        link = put(shop, held, value, link)
        link = put(shop, held, value[1:], link)
        put(shop, held, [], link)
        assert {one.id for one in shown(catalogue, held)} == {theirs, later}


@LOST
def claim_an_upload_whose_answer_is_lost_is_not_repeated(catalogue: CatalogueWorld, _name: str, fault: Fault) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop, closing(catalogue.shop(pictures=album, timeout=1.0)) as hasty:
        (held,) = made(catalogue, shop, M)
        hasty.probe()
        value = [album.picture(width=8), album.picture(width=9)]
        spoil(catalogue, fault)
        outcome = deliver(hasty, held, value)
        catalogue.proxy.clear()
        assert isinstance(outcome, Unclear)
        link = put(shop, held, value)
        assert len(shown(catalogue, held)) == 2
        assert [one.default for one in shown(catalogue, held)] == [True, False]
        assert alts_are(shown(catalogue, held), value)
        put(shop, held, value[:1], link)
        assert len(shown(catalogue, held)) == 1


@pytest.mark.parametrize("step", range(8))
def claim_pictures_end_right_whichever_step_was_lost(catalogue: CatalogueWorld, step: int) -> None:
    """Replace, reorder, remove: after a lost answer at any step the next delivery goes on from what is there."""
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        one, two, three, four = (album.picture(width=10 + n) for n in range(4))
        link = put(shop, held, [one, two, three])

        def pass_on(proxy: FaultProxy, request: bytes, connection: socket) -> None:
            connection.sendall(proxy.forward(request))

        spoil(catalogue, *[pass_on] * step, drop_after_apply)
        value = [four, three, one]
        outcome = deliver(shop, held, value, link)
        catalogue.proxy.clear()
        link = put(shop, held, value, outcome.link or link if isinstance(outcome, Done) else link)
        assert len(shown(catalogue, held)) == 3
        assert [each.default for each in shown(catalogue, held)] == [True, False, False]
        assert SAME_IMAGES(list(value), read(shop, M, held, link))


def claim_what_is_no_picture_is_refused_and_leaves_nothing(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        data = b"hello, I am called jpg"
        sha = hashlib.sha256(data).hexdigest()
        album.files[sha] = data
        outcome = deliver(shop, held, [{"sha": sha, "file": "a.jpg", "alt": ""}])
        assert isinstance(outcome, Rejected)
        assert outcome.hint
        assert shown(catalogue, held) == ()


def claim_a_picture_whose_file_is_missing_is_refused_with_its_path(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        there = album.picture()
        link = put(shop, held, [there])
        before = shown(catalogue, held)
        outcome = deliver(shop, held, [there, {"sha": "ab" * 32, "file": "pryč.jpg", "alt": ""}], link)
        assert isinstance(outcome, Rejected)
        assert "Dokumenty/abab.png" in outcome.reason
        assert outcome.hint
        assert shown(catalogue, held) == before


def claim_pictures_of_a_deleted_product_are_lost(catalogue: CatalogueWorld) -> None:
    album = Album()
    with closing(catalogue.shop(pictures=album)) as shop:
        (held,) = made(catalogue, shop, M)
        catalogue.remove(held.code)
        for link in (held.link, "nonsense"):
            outcome = deliver(shop, held, [album.picture()], link)
            assert isinstance(outcome, Rejected)
            assert outcome.link_lost
        assert shop.read(M, [Wanted(held.key, held.code, held.link)]) == {}
        assert shop.find(M, [Wanted(held.key, held.code)]) == {}
