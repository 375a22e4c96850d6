"""What only PrestaShop does with pictures: files and sizes, broken records, doubles, uploads that end in the middle."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.demo.prestashop import FakePrestaShop, Fault
from agent.demo.prestashop.faults import Kind
from agent.demo.prestashop.images import re_encoded
from agent.errors import ShopUnavailable, Unusable
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.shops import prestashop_pictures as pictures
from agent.shops.prestashop import PrestaShop
from tests.contract.catalogue_suite import png

KEY = "S3CR3T-K3Y-" + "k" * 21
M = "images"
FILES: dict[str, bytes] = {}


def picture(width: int, shade: int = 1) -> dict[str, Value]:
    data = png(width, shade)
    sha = hashlib.sha256(data).hexdigest()
    FILES[sha] = data
    return {"sha": sha, "file": "Obrázek bez přípony", "alt": "Popis"}


@pytest.fixture
def fake() -> Iterator[FakePrestaShop]:
    with FakePrestaShop(key=KEY) as shop:
        yield shop
        assert shop.internal_errors == []


@pytest.fixture
def shop(fake: FakePrestaShop) -> Iterator[PrestaShop]:
    with closing(PrestaShop(fake.url, key=KEY, timeout=2.0, pictures=FILES.__getitem__)) as adapter:
        yield adapter


def held(shop: PrestaShop, code: str) -> Held:
    found = shop.find(M, [Wanted(key_of(code), code)])[key_of(code)]
    assert isinstance(found, Held)
    return found


def deliver(shop: PrestaShop, link: str, *value: Value) -> Outcome:
    return shop.deliver(M, [Owed(Event(M, "a", list(value), "A"), link)])[0]


def put(shop: PrestaShop, link: str, *value: Value) -> str:
    outcome = deliver(shop, link, *value)
    assert isinstance(outcome, Done), outcome
    assert outcome.link is not None
    return outcome.link


def stored(fake: FakePrestaShop, product: int) -> list[bytes | None]:
    shelf = fake.store.shelf.of(product)
    return [one.data for one in sorted(shelf, key=lambda one: not one.cover)]


def of(*value: dict[str, Value]) -> list[bytes]:
    return [re_encoded(FILES[str(one["sha"])]) for one in value]


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("data", "kind", "size"),
    [
        (png(300, 1), "image/png", (300, 8)),
        (b"GIF89a" + b"\x2c\x01\x08\x00" + b"\x00" * 9, "image/gif", (300, 8)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc2\x00\x0b\x08\x00\x08\x01\x2c\x03", "image/jpeg", (300, 8)),
        (b"\xff\xd8\xff\xff\xff\xd0\xff\xc0\x00\x0b\x08\x00\x08\x01\x2c\x03", "image/jpeg", (300, 8)),
        (b"\xff\xd8\xff\xe0\x00\x00", "image/jpeg", (0, 0)),
        (b"RIFF....WEBPVP8X" + b"\x00" * 8 + b"\x2b\x01\x00\x07\x00\x00", "image/webp", (300, 8)),
        (b"RIFF....WEBPVP8 " + b"\x00" * 10 + b"\x2c\x01\x08\x00", "image/webp", (300, 8)),
        (b"RIFF....WEBPVP8L" + b"\x00" * 5 + (299 | 7 << 14).to_bytes(4, "little"), "image/webp", (300, 8)),
    ],
    ids=["png", "gif", "jpeg", "jpeg padded", "jpeg cut", "webp VP8X", "webp VP8", "webp VP8L"],
)
def test_kind_and_size_are_read_from_the_bytes(data: bytes, kind: str, size: tuple[int, int]) -> None:
    one = pictures.Picture("ab" * 32, "x", "")
    assert pictures.kind_of(one, data) == kind
    assert pictures.size_of(data) == size


@pytest.mark.parametrize("data", [b"", b"BM6", b"hello", b"<svg/>", b"\xff\xd8", b"RIFF....WAVE"])
def test_what_is_no_picture_is_unusable_and_named(data: bytes) -> None:
    with pytest.raises(Unusable, match=r"bota\.bmp"):
        pictures.kind_of(pictures.Picture("ab" * 32, "bota.bmp", ""), data)
    assert pictures.size_of(data) == (0, 0)


def test_an_upload_is_named_by_its_sha_and_kept_apart_from_its_bytes() -> None:
    data = png(8, 1) + b"----pohoda-agent-picture and more"
    body, kind = pictures.multipart(pictures.Picture("ab" * 32, 'x"\r\n', ""), data)
    boundary = kind.partition("boundary=")[2].encode()
    assert boundary not in data
    assert body.count(boundary) == 2
    assert b'filename="abababababababab.png"' in body
    assert data in body


@pytest.mark.parametrize(
    ("ours", "order", "stay"),
    [
        ({"a": 1, "b": 2, "c": 3}, [1, 2, 3], "abc"),
        ({"a": 3, "b": 1, "c": 2}, [1, 2, 3], "abc"),  # the default one may lie anywhere
        ({"a": 1, "b": 3, "c": 2}, [1, 2, 3], "ab"),
        ({"a": 1, "c": 2}, [1, 2], "a"),  # b comes last, c must come behind it
        ({"b": 1, "c": 2}, [1, 2], "bc"),
        ({"b": 7, "c": 5}, [7, 5], "bc"),  # by position, not by id
        ({}, [], ""),
    ],
)
def test_pictures_stay_as_long_as_the_order_is_right(ours: dict[str, int], order: list[int], stay: str) -> None:
    assert "".join(pictures.kept(["a", "b", "c"], ours, order)) == stay


@pytest.mark.parametrize(
    "text", [None, "", "1:2:0", "[]", "{}", '{"p":"1:2:0"}', '{"p":"1:2:0","i":[],"f":[]}', '{"p":1,"i":{},"f":["x"]}']
)
def test_a_damaged_link_is_lost_and_nothing_is_asked(text: str | None) -> None:
    assert pictures.link_of(text) is None
    with closing(PrestaShop("http://127.0.0.1:9", key=KEY, timeout=1.0)) as shop:
        (outcome,) = shop.deliver(M, [Owed(Event(M, "a", [], "A"), text)])
        assert isinstance(outcome, Rejected)
        assert outcome.link_lost


def test_a_link_comes_back_as_it_was_written() -> None:
    link = pictures.ImagesLink("1:2:0", {"ab" * 32: 5}, (3, 4))
    assert str(link) == f'{{"p":"1:2:0","i":{{"{"ab" * 32}":"5"}},"f":["3","4"]}}'
    assert pictures.link_of(str(link)) == link


# ------------------------------------------------------------------------------------------------ the shop


def test_what_a_refused_upload_leaves_behind_is_deleted(fake: FakePrestaShop, shop: PrestaShop) -> None:
    product = fake.add_product("A")
    cut = b"\xff\xd8\xff\xe0"  # begins as a JPEG does
    sha = hashlib.sha256(cut).hexdigest()
    FILES[sha] = cut
    link = put(shop, held(shop, "A").link, picture(8))
    outcome = deliver(shop, link, picture(8), {"sha": sha, "file": "bota.jpg", "alt": ""})
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("bota.jpg: PrestaShop refuses it: HTTP 400, code 76")
    assert stored(fake, product) == of(picture(8))
    assert fake.store.shelf.next_id == 3  # there was a record


def test_a_record_without_a_file_is_deleted_at_the_next_delivery(fake: FakePrestaShop, shop: PrestaShop) -> None:
    product = fake.add_product("A")
    link = held(shop, "A").link
    broken = fake.store.shelf.add(product)
    read = pictures.link_of(put(shop, link, picture(8)))
    assert broken.id not in fake.store.shelf.pictures
    assert stored(fake, product) == of(picture(8))
    assert read is not None
    assert (read.ours, read.foreign) == ({picture(8)["sha"]: 2}, ())


def test_an_upload_that_dies_between_record_and_file_is_made_good(fake: FakePrestaShop, shop: PrestaShop) -> None:
    product = fake.add_product("A")
    link = held(shop, "A").link
    fake.faults.next("half_apply")
    assert isinstance(deliver(shop, link, picture(8)), Unclear)
    assert stored(fake, product) == [None]
    put(shop, link, picture(8))
    assert stored(fake, product) == of(picture(8))


def test_an_upload_that_lands_late_is_deleted_as_a_double(fake: FakePrestaShop, shop: PrestaShop) -> None:
    product = fake.add_product("A")
    link = held(shop, "A").link
    link = put(shop, link, picture(8), picture(9))
    late = fake.store.shelf.add(product)
    late.data = re_encoded(FILES[str(picture(9)["sha"])])
    link = put(shop, link, picture(8), picture(9))
    assert stored(fake, product) == of(picture(8), picture(9))


def test_the_value_that_changed_after_a_lost_answer_gets_no_wrong_picture(
    fake: FakePrestaShop, shop: PrestaShop
) -> None:
    product = fake.add_product("A")
    link = held(shop, "A").link
    fake.faults.next("drop_after_apply")
    assert isinstance(deliver(shop, link, picture(8)), Unclear)
    put(shop, link, picture(9))  # another size: the first one cannot be it
    assert stored(fake, product)[0] == of(picture(9))[0]


def test_a_combination_has_no_pictures_of_its_own(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("T", 0, "Tričko", [("T-S", 1), ("T-M", 2)])
    refused = shop.find(M, [Wanted("t-s", "T-S")])["t-s"]
    assert isinstance(refused, Rejected)
    assert "combination" in refused.reason
    assert dict(shop.read_page(M, None).problems).keys() == {"t", "t-s", "t-m"}
    outcome = deliver(shop, str(pictures.ImagesLink("4:1:1", {}, ())))
    assert isinstance(outcome, Rejected)
    assert fake.uploads() == []


def test_a_shop_that_says_not_now_before_anything_was_sent_waits(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    link = held(shop, "A").link
    fake.faults.next(Fault("s429", retry_after=7))
    with pytest.raises(ShopUnavailable) as caught:
        deliver(shop, link, picture(8))
    assert caught.value.retry_after == 7


def test_a_shop_that_says_not_now_in_the_middle_leaves_it_unclear(fake: FakePrestaShop, shop: PrestaShop) -> None:
    product = fake.add_product("A")
    link = held(shop, "A").link
    fake.faults.next("none", "s429")
    assert isinstance(deliver(shop, link, picture(8), picture(9)), Unclear)
    put(shop, link, picture(8), picture(9))
    assert stored(fake, product) == of(picture(8), picture(9))
    assert len(fake.uploads()) == 2


def test_of_several_products_the_rest_is_untried_when_the_shop_says_not_now(
    fake: FakePrestaShop, shop: PrestaShop
) -> None:
    fake.add_product("A")
    fake.add_product("B")
    links = [held(shop, code).link for code in ("A", "B")]
    fake.faults.next("none", "s429")
    owed = [Owed(Event(M, str(n), [picture(8)], "A"), link) for n, link in enumerate(links)]
    assert [type(one) for one in shop.deliver(M, owed)] == [Done, Untried]


@pytest.mark.parametrize("value", [None, {}, "x", [1], [{}], [{"sha": "short"}], [{"sha": 5}]])
def test_a_value_that_is_no_list_of_pictures_is_refused(fake: FakePrestaShop, shop: PrestaShop, value: Value) -> None:
    fake.add_product("A")
    (outcome,) = shop.deliver(M, [Owed(Event(M, "a", value, "A"), held(shop, "A").link)])
    assert isinstance(outcome, Rejected)


def test_without_a_source_of_pictures_the_fault_is_said(fake: FakePrestaShop) -> None:
    fake.add_product("A")
    with closing(PrestaShop(fake.url, key=KEY, timeout=2.0)) as shop:
        outcome = deliver(shop, held(shop, "A").link, picture(8))
    assert isinstance(outcome, Rejected)
    assert "nobody gives the picture" in outcome.reason


@pytest.mark.parametrize("seed", range(12))
def test_a_storm_of_lost_answers_ends_with_the_right_pictures_and_no_double(
    fake: FakePrestaShop, shop: PrestaShop, seed: int
) -> None:
    chance = random.Random(seed)
    kinds: list[Kind] = ["none", "none", "drop_after_apply", "s503_after_apply", "half_apply", "never_apply", "s429"]
    product = fake.add_product("A")
    link = held(shop, "A").link
    every = [picture(20 + n) for n in range(5)]
    for _ in range(5):
        value = chance.sample(every, chance.randrange(6))
        fake.faults.next(*(Fault(chance.choice(kinds), retry_after=None) for _ in range(chance.randrange(7))))
        for _attempt in range(30):
            try:
                outcome = deliver(shop, link, *value)
            except ShopUnavailable:
                continue
            if isinstance(outcome, Done):
                break
        assert isinstance(outcome, Done), outcome
        link = str(outcome.link)
        fake.faults.off()
        assert stored(fake, product) == of(*value)


def test_a_foreign_picture_of_the_same_size_is_never_taken_for_ours(fake: FakePrestaShop, shop: PrestaShop) -> None:
    product = fake.add_product("A")
    theirs = fake.store.shelf.add(product)
    theirs.data = re_encoded(png(8, 99))
    link = put(shop, held(shop, "A").link, picture(8))
    assert stored(fake, product) == [*of(picture(8)), theirs.data]
    put(shop, link)
    assert stored(fake, product) == [theirs.data]
