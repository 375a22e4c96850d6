"""How the Vendure adapter writes cards, prices and pictures; what the server makes of it is asked in tests/e2e."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agent.events import Value
from agent.shops import vendure_card as card
from agent.shops import vendure_gallery as gallery
from agent.shops import vendure_variants
from agent.shops.http import Answer
from agent.shops.vendure_lists import Row
from agent.shops.vendure_session import Upload, form, understand
from agent.shops.vendure_setup import Custom, SetUp

SHA = "ab" * 32


def set_up(*customs: Custom, gross: bool = True, places: int = 2) -> SetUp:
    rates = (("1", "21"), ("2", "12"), ("3", "21"))
    return SetUp("cs", ("cs", "en"), "CZK", gross, places, rates, customs)


def row(*, variants: int = 1, name: str = "Kůň", slug: str = "kun", languages: tuple[str, ...] = ("cs",)) -> Row:
    texts = [{"languageCode": each, "name": name, "slug": slug, "description": "<p>x</p>"} for each in languages]
    said: dict[str, Any] = {
        "enabled": True,
        "taxCategory": {"id": "3"},
        "options": [],
        "translations": [{"languageCode": each, "name": name} for each in languages],
        "product": {
            "id": "7",
            "enabled": True,
            "variants": [{"id": str(n)} for n in range(variants)],
            "translations": texts,
        },
    }
    return Row("1", "KUN", said)


def asset(name: str, source: str) -> gallery.Asset:
    return gallery.asset_of({"id": "5", "name": name, "source": source, "translations": []}, "cs")


def test_what_is_held_needs_no_write() -> None:
    held = card.value(row(), set_up())
    assert held == {"name": "Kůň", "visible": True, "vat": "21", "description": "<p>x</p>"}
    inputs = card.changes(held, row(), set_up(), key="kun")
    assert (inputs.variant, inputs.product) == ({}, {})


def test_a_tax_category_that_has_the_rate_already_stays_and_another_rate_is_looked_up() -> None:
    assert card.changes({"vat": "21"}, row(), set_up(), key="k").variant == {}
    assert card.changes({"vat": "12"}, row(), set_up(), key="k").variant == {"taxCategoryId": "2"}
    assert "15 %" in card.changes({"vat": "15"}, row(), set_up(), key="k").impossible


def test_a_variant_among_others_says_and_gets_nothing_of_its_product() -> None:
    shared = row(variants=2)
    assert set(card.value(shared, set_up())) == {"name", "visible", "vat"}
    inputs = card.changes({"name": "M", "description": "y", "visible": False}, shared, set_up(), key="k")
    assert inputs.product == {}
    assert inputs.variant == {"enabled": False, "translations": [{"languageCode": "cs", "name": "M"}]}


def test_a_missing_language_gets_what_the_shop_demands() -> None:
    inputs = card.changes({"description": "y"}, row(languages=("en",)), set_up(), key="k")
    assert inputs.product["translations"] == [
        {"languageCode": "cs", "description": "y", "name": "Kůň", "slug": "kun"},
    ]


def test_only_a_slug_made_of_this_code_is_replaced() -> None:
    mine, other = card.mark("kun"), card.mark("kráva")
    found = card.changes({}, row(slug=mine), set_up(), key="kun").product
    assert found["translations"] == [{"languageCode": "cs", "slug": "kun"}]
    assert card.changes({}, row(slug=other), set_up(), key="kun").product == {}


def test_custom_fields_go_where_they_are_defined() -> None:
    ean, weight = (
        Custom("ean", "variant", "ean", "string", False),
        Custom("weight", "product", "weight", "float", False),
    )
    marks = Custom("marks", "variant", "marks", "string", False)
    local = Custom("availability", "variant", "availability", "localeString", False)
    wanted = {"ean": "12345670", "weight": "0.125", "marks": ["action", "new"], "availability": "skladem"}
    inputs = card.creation({"name": "K", **wanted}, set_up(ean, weight, marks, local), code="K")
    assert inputs.variant["customFields"] == {"ean": "12345670", "marks": "action,new"}
    assert inputs.variant["translations"][0]["customFields"] == {"availability": "skladem"}
    assert inputs.product["customFields"] == {"weight": 0.125}


@pytest.mark.parametrize(
    ("name", "slug"), [("Žluťoučký kůň & spol.", "zlutoucky-kun-spol"), ("—", "zbozi"), ("A/B  c", "a-b-c")]
)
def test_a_slug_is_plain_ascii_and_never_empty(name: str, slug: str) -> None:
    assert card.slug_of(name) == slug


@pytest.mark.parametrize("value", [None, "x", [], {"name": ""}, {"name": 5}, {"colour": "red"}, {"visible": "yes"}])
def test_what_is_no_card_is_said(value: Value) -> None:
    assert card.bad(value)


@pytest.mark.parametrize(("places", "amount", "minor"), [(2, "0.1", 10), (3, "0.125", 125), (0, "15", 15)])
def test_minor_units_are_whole_and_exact(places: int, amount: str, minor: int) -> None:
    write = vendure_variants.prices(set_up(places=places))
    value: Value = {"amount": amount, "form": "gross"}
    assert write.bad(value) == ""
    assert write.sent(value) == {"price": minor}
    prices = [{"currencyCode": "EUR", "price": 1}, {"currencyCode": "CZK", "price": minor}]
    assert write.held(Row("1", "K", {"prices": prices})) == value


def test_a_price_that_others_stored_in_parts_of_a_minor_unit_is_not_rounded_away() -> None:
    held = vendure_variants.price_of(Row("1", "K", {"prices": [{"currencyCode": "CZK", "price": 12.5}]}), set_up())
    assert held == {"amount": "0.125", "form": "gross"}


@pytest.mark.parametrize("alt", ["", "Žlutý kůň", 'a "b" <c>'])
@pytest.mark.parametrize("kept", [True, False])
def test_a_text_is_read_as_it_was_written_whatever_becomes_of_the_files_name(alt: str, *, kept: bool) -> None:
    name = gallery.file_name("T_1", SHA, "Obrázky\\Žluť: kůň.JPG", "jpg")
    source = f"source/da/{name.lower()}" if kept else "source/da/0c2c.jpg"
    there = asset(name, source)
    assert (there.owner, there.sha, gallery.alt_of(there)) == ("t1", SHA, "")
    named = asset(gallery.name_for(there, alt), source)
    assert (named.owner, named.sha, gallery.alt_of(named)) == ("t1", SHA, alt)
    assert gallery.alt_of(asset(gallery.name_for(named, ""), source)) == ""


def test_a_files_name_is_bare_of_folders_and_of_what_headers_cannot_carry() -> None:
    name = gallery.file_name("1", SHA, 'C:\\x\\..\\a"b\r\nc/é' + "x" * 300 + ".png", "png")
    assert name == f"é{'x' * 79}-ph1-{SHA}.png"


@pytest.mark.parametrize("link", ["", "1", "[]", "null", "{}", '{"p": 1, "n": 2}', "{"])
def test_a_link_of_another_making_is_none(link: str) -> None:
    assert gallery.read_link(link) is None


def test_a_call_as_a_form_holds_its_bytes_untouched() -> None:
    file = Upload('a"b\n.png', "image/png", b"\r\n--part-\x00\xff")
    mime, body = form(orjson.dumps({"query": "ž"}), file)
    boundary = mime.partition("boundary=")[2].encode()
    parts = body.split(b"--" + boundary)
    assert (len(parts), parts[-1]) == (5, b"--\r\n")
    assert parts[3].endswith(b"\r\n\r\n" + file.content + b"\r\n")
    assert b'filename="a_b_.png"' in parts[3]


@pytest.mark.parametrize(
    ("errors", "at"),
    [([["p1"]], "p1"), ([["p1", "name"]], ""), ([["v0"], ["p1"]], ""), ([[]], "")],
)
def test_only_a_single_error_of_a_mutation_itself_tells_how_far_the_shop_came(errors: list[list[str]], at: str) -> None:
    said = [{"message": "x", "path": path, "extensions": {"code": "USER_INPUT_ERROR"}} for path in errors]
    assert understand(Answer(200, {}, orjson.dumps({"data": None, "errors": said}))).at == at


def test_pictures_are_told_by_their_bytes() -> None:
    assert gallery.kind_of(b"\x89PNG\r\n\x1a\nrest") == ("image/png", "png")
    assert gallery.kind_of(b"RIFF\0\0\0\0WEBPVP8 ") == ("image/webp", "webp")
    for content in (b"", b"<svg/>", b"MZ", b"RIFF\0\0\0\0WAVE"):
        assert gallery.kind_of(content) is None
