"""Claims about the target of texts: what its values are, which card speaks, and what counts as the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from agent.errors import Unusable
from agent.events import Value
from agent.sources.rows import FIELDS
from agent.targets import GuardCount
from agent.targets.products import Products, ProductSettings
from agent.targets.texts import canonical, canonical_decimal
from agent.targets.vat import VatRates
from tests.unit.catalogue_fixture import card


def products(*fields: str, **given: Any) -> Products:  # noqa: ANN401 - any setting
    return Products(ProductSettings(fields=fields or FIELDS, **given))


def value(field: str, **given: Any) -> Value:  # noqa: ANN401 - any field
    made = products(field).value("a", [card(**given)])
    assert isinstance(made, dict)
    assert list(made) == [field]
    return made[field]


def unusable(field: str, **given: Any) -> Unusable:  # noqa: ANN401 - any field
    with pytest.raises(Unusable) as caught:
        products(field).value("a", [card(**given)])
    assert caught.value.hint
    return caught.value


def test_a_value_holds_exactly_the_configured_fields() -> None:
    row = card(ean="8590000000011", weight=4.2, unit="ks", marks=("new", "action"), availability=" skladem ")
    assert products().value("a", [row]) == {
        "availability": "skladem",
        "description": "",
        "ean": "8590000000011",
        "marks": ["action", "new"],
        "name": "Šroub",
        "short_description": "",
        "unit": "ks",
        "vat": "21",
        "visible": True,
        "weight": "4.2",
    }
    assert products("name").value("a", [row]) == {"name": "Šroub"}


def test_a_field_that_the_source_lacks_is_left_alone() -> None:
    assert products("name", "weight").value("a", [card(lacking=frozenset({"weight"}))]) == {"name": "Šroub"}


def test_a_card_without_the_tick_is_not_on_offer() -> None:
    assert products().value("a", [card(internet=False)]) is None
    assert products().value("a", []) is None


def test_a_product_that_is_gone_is_hidden_only_if_it_can_be_shown_again() -> None:
    assert products("name", "visible").absent() == {"visible": False}
    assert products("name", "visible", when_gone="keep").absent() is None
    assert products("name").absent() is None


@pytest.mark.parametrize(
    ("settings", "speaks"),
    [
        ({}, "oldest ticked"),
        ({"stores": ("E", "PRODEJNA", "HLAVNI")}, "ticked of PRODEJNA"),
        ({"texts_from": " hlavni "}, "oldest ticked"),
        ({"texts_from": "D"}, "not ticked"),
        ({"texts_from": "nowhere"}, "oldest ticked"),
        ({"stores": ("PRODEJNA", "D"), "texts_from": "D"}, "not ticked"),
    ],
)
def test_one_of_a_codes_cards_speaks_for_it(settings: dict[str, Any], speaks: str) -> None:
    rows = [
        card(store="D", name="not ticked", internet=False),
        card(store="HLAVNI", name="oldest ticked"),
        card(store="PRODEJNA", name="not ticked of PRODEJNA", internet=False),
        card(store="PRODEJNA", name="ticked of PRODEJNA"),
    ]
    assert products("name", **settings).value("a", rows) == {"name": speaks}


@pytest.mark.parametrize("given", [" Šroub\tmalý \r\n  M4 ", "Šroub malý M4", "Šroub\xa0malý M4"])
def test_spaces_of_a_name_are_collapsed(given: str) -> None:
    assert value("name", name=given) == "Šroub malý M4"


@pytest.mark.parametrize("given", [None, "", "  \t"])
def test_a_card_without_a_name_is_unusable(given: object) -> None:
    assert unusable("name", name=given).field == "SKz.Nazev"


@pytest.mark.parametrize(
    ("text", "formatted", "html"),
    [
        (None, False, ""),
        (" \r\n ", False, ""),
        (
            'Dřevo & syn <2 "mm"\r\ndruhý\rtřetí\nčtvrtý',
            False,
            'Dřevo &amp; syn &lt;2 "mm"<br>druhý<br>třetí<br>čtvrtý',
        ),
        ("<p>a</p>\r\n<p>b &amp; c</p>", True, "<p>a</p>\n<p>b &amp; c</p>"),
        ("<b>prostý</b>", False, "&lt;b&gt;prostý&lt;/b&gt;"),
        ("a\x00b\x0bc\ufffed", False, "abcd"),
    ],
)
def test_a_plain_text_is_escaped_and_a_formatted_one_taken_as_it_is(
    text: object, *, formatted: bool, html: str
) -> None:
    assert value("description", description=text, description_formatted=formatted) == html
    assert value("short_description", short_description=text, short_formatted=formatted) == html


@pytest.mark.parametrize(
    ("text", "said"),
    [(b"", "came cut"), (5, "not a text but int"), ("x" * 1_000_001, "1000001 characters"), ("a\ud800", "half a")],
)
def test_a_text_that_cannot_be_sent_names_its_column(text: object, said: str) -> None:
    error = unusable("description", description=text)
    assert (error.field, said in str(error)) == ("SKz.Popis2", True)


@pytest.mark.parametrize(
    ("given", "ean"),
    [(None, ""), ("", ""), (" 8590-0000 0001-1 ", "8590000000011"), ("12345678", "12345678"), ("1" * 14, "1" * 14)],
)
def test_a_bar_code_is_digits_or_none(given: object, ean: str) -> None:
    assert value("ean", ean=given) == ean


@pytest.mark.parametrize("given", ["1234567", "123456789", "85900000000AB", "٨٥٩٠٠٠٠٠"])
def test_what_is_no_bar_code_is_unusable(given: str) -> None:
    assert unusable("ean", ean=given).field == "SKz.EAN"


@pytest.mark.parametrize(
    ("given", "weight"),
    [(None, "0"), (0.0, "0"), (-0.0, "0"), (4.2, "4.2"), (Decimal("4.2000"), "4.2"), ("1E+2", "100"),
     (1e-7, "0.0000001"), (0.1 + 0.2, "0.3"), (1000, "1000")],
)  # fmt: skip # one line of numbers
def test_a_weight_is_a_plain_decimal(given: object, weight: str) -> None:
    assert value("weight", weight=given) == weight


@pytest.mark.parametrize("given", [-1, float("nan"), float("inf"), "mnoho", True, b"1", 1e30, Decimal("sNaN")])
def test_what_is_no_weight_is_unusable(given: object) -> None:
    assert unusable("weight", weight=given).field == "SKz.Hmotnost"


@pytest.mark.parametrize(
    ("given", "rate"), [({"vat": "low"}, "12"), ({"vat": "none"}, "0"), ({"vat": "7", "vat_rate": "15.0"}, "15")]
)
def test_a_rate_of_vat_is_that_of_its_kind_or_the_one_that_the_source_says(given: dict[str, Any], rate: str) -> None:
    assert value("vat", **given) == rate


@pytest.mark.parametrize(
    "given", [{"vat": "third"}, {"vat": ""}, {"vat": "7"}, {"vat_rate": -1}, {"vat_rate": "mnoho"}]
)
def test_a_kind_of_vat_without_a_rate_is_unusable(given: dict[str, Any]) -> None:
    assert unusable("vat", **given).field == "SKz.RelDPHp"


def test_the_rates_of_another_country_are_a_setting() -> None:
    rates = VatRates(high=Decimal(23), low=Decimal(19), third=Decimal(5))
    assert products("vat", vat_rates=rates).value("a", [card(vat="third")]) == {"vat": "5"}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ('<p class="a  b" id=x>Text</p>', "<P id='x' class='a b'>Text</P>"),
        ("<p>a</p>\n<p>b</p>", "<p>a</p><p>b</p>"),
        ("první<br>druhý", "první<br />\ndruhý"),
        ("Dřevo &amp; syn", "D&#345;evo &amp; syn"),
        ("a&nbsp;b", "a\xa0b"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ('<i style="color: red;">x</i>', '<i style="color:red">x</i>'),
        ("<p>a<!-- poznámka --></p>", "<p>a</p>"),
        ('říká "ano"', "říká &quot;ano&quot;"),
        ("a  b ", "a b"),
    ],
)
def test_html_that_a_shop_cleaned_is_still_what_was_sent(sent: str, stored: str) -> None:
    assert products().same({"description": sent}, {"description": stored, "name": "more"})
    assert canonical(sent) == canonical(stored)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("<p>a</p>", "<p>b</p>"),
        ("<p>a</p>", "<div>a</div>"),
        ("<b>a</b>", "a"),
        ('<a href="/x">a</a>', '<a href="/y">a</a>'),
        ("a &lt;b&gt; c", "a <b> c"),
        ("dlouhý text", "dlouhý"),
        ("text", ""),
    ],
)
def test_other_html_is_not_the_same(sent: str, stored: str) -> None:
    assert not products().same({"description": sent}, {"description": stored})


def test_only_what_both_sides_name_is_compared() -> None:
    target = products()
    assert target.same({"name": "A", "visible": True}, {"name": "A ", "visible": True, "ean": "1"})
    assert target.same({"name": "A", "visible": True}, {"name": "A"})
    assert not target.same({"name": "A"}, {"ean": "1"})
    assert not target.same({"visible": True}, {"visible": False})
    assert not target.same({"marks": ["new"]}, {"marks": []})
    assert not target.same({"ean": "<b>1</b>"}, {"ean": "<b >1</b>"})
    assert not target.same({"name": "A"}, None)


@pytest.mark.parametrize(
    "html", ["<div>" * 5_000 + "x", "<", "&", "</body>x", "<![CDATA[x]]>", "<?php x ?>", "\x00<b>"]
)
def test_any_text_has_a_canonical_form(html: str) -> None:
    assert canonical(html) == canonical(html + " ")


def test_the_guard_counts_what_is_hidden() -> None:
    target = products()
    hidden: Value = {"visible": False}
    assert target.counts({"visible": True}, hidden)
    assert target.counts(None, hidden)
    assert not target.counts(hidden, hidden)
    assert not target.counts({"visible": True}, {"visible": True})
    assert not target.guard(GuardCount(9, 10))
    assert not target.guard(GuardCount(20, 100))
    assert "21 of 100 products would be hidden" in target.guard(GuardCount(21, 100))


def test_what_forms_the_values_is_in_the_fingerprint_and_creation_is_not() -> None:
    made = {
        each.fingerprint() for each in (products(), products("name"), products(texts_from="A"), products(stores=("A",)))
    }
    assert len(made) == 4
    assert products().fingerprint() == products(create=True).fingerprint()
    assert products(vat_rates=VatRates(high=Decimal(23))).fingerprint() not in made


def test_it_creates_when_it_may_and_needs_nobody() -> None:
    assert (products(create=True).creates, products().creates, products().creator) == (True, False, "")
    assert (products().name, products().thing) == ("products", "product")


@pytest.mark.parametrize(
    ("number", "text"), [("0", "0"), ("-0.000", "0"), ("1E+3", "1000"), ("0.100", "0.1"), ("1E-9", "0.000000001")]
)
def test_a_decimal_is_written_in_one_way(number: str, text: str) -> None:
    assert canonical_decimal(Decimal(number)) == text
