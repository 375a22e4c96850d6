"""What a card's elements become, and what becomes of those that hold nothing or rubbish."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from agent.pohoda import stock
from agent.pohoda.bad import BadItem
from agent.pohoda.card import Attachment, CardParameter, ParameterValue, Picture, RelatedCard, StockItem, UserParameter
from agent.pohoda.items import items
from agent.pohoda.stock import parse_many
from tests.pohoda.documents import card, stock_pack, write


def read(folder: Path, *cards: str) -> list[StockItem | BadItem]:
    return parse_many(list(items(write(folder, stock_pack(*cards)))))


def one(folder: Path, inside: str, *, after: str = "") -> StockItem:
    (found,) = read(folder, card("A", inside, after=after))
    assert isinstance(found, StockItem)
    return found


def bad(folder: Path, inside: str) -> BadItem:
    (found,) = read(folder, card("A", inside))
    assert isinstance(found, BadItem)
    return found


def test_a_number_keeps_all_its_decimals(tmp_path: Path) -> None:
    found = one(tmp_path, "<stk:count>0.100000000000001</stk:count><stk:sellingPrice>12345678.9012</stk:sellingPrice>")
    assert (found.count, found.selling_price) == (Decimal("0.100000000000001"), Decimal("12345678.9012"))


@pytest.mark.parametrize(
    ("text", "value"), [("-2", "-2"), (" 1.5 ", "1.5"), ("1E3", "1000"), ("0.0", "0"), (".5", "0.5")]
)
def test_a_number_may_be_written_in_any_way_of_the_schema(tmp_path: Path, text: str, value: str) -> None:
    assert one(tmp_path, f"<stk:count>{text}</stk:count>").count == Decimal(value)


@pytest.mark.parametrize("text", ["abc", "1,5", "NaN", "INF", "1E999999", "1_0", "9" * 41, "1 000", " " * 50])
def test_what_is_no_number_names_its_field_and_card(tmp_path: Path, text: str) -> None:
    found = bad(tmp_path, f"<stk:count>{text}</stk:count>")
    assert (found.problem.reason, found.code) == ("field", "A")
    assert str(found.problem).startswith("count: ")


@pytest.mark.parametrize(
    ("field", "inside"),
    [
        ("PLU", "<stk:PLU>1.5</stk:PLU>"),
        ("guarantee", f"<stk:guarantee>{'9' * 19}</stk:guarantee>"),
        ("isInternet", "<stk:isInternet>maybe</stk:isInternet>"),
        ("sellingPrice/@payVAT", '<stk:sellingPrice payVAT="2">1</stk:sellingPrice>'),
        ("sellingRateVAT/@value", '<stk:sellingRateVAT value="x">high</stk:sellingRateVAT>'),
        ("idCategory", "<stk:categories><stk:idCategory>x</stk:idCategory></stk:categories>"),
        ("id", "<stk:storage><typ:id>x</typ:id></stk:storage>"),
        ("order", '<stk:pictures><stk:picture default="true"><stk:order>x</stk:order></stk:picture></stk:pictures>'),
    ],
)
def test_every_field_that_cannot_be_is_named(tmp_path: Path, field: str, inside: str) -> None:
    assert str(bad(tmp_path, inside).problem).startswith(f"{field}: ")


def test_empty_elements_are_none_and_not_zero(tmp_path: Path) -> None:
    empty = "<stk:count/><stk:name></stk:name><stk:EAN> \n</stk:EAN><stk:isInternet/><stk:note>\r\n</stk:note>"
    more = "<stk:pictures/><stk:categories><stk:idCategory/></stk:categories><stk:storage/><stk:sellingPrice/>"
    found = one(tmp_path, empty + more)
    assert found == StockItem(code="A", id=1, pictures=(), categories=())


def test_what_a_document_does_not_tell_of_is_not_what_is_told_to_be_empty(tmp_path: Path) -> None:
    told = "<stk:pictures/><stk:categories/><stk:intParameters/>"
    found, silent = one(tmp_path, told, after="<stk:stockPriceItem/>"), one(tmp_path, "")
    assert (found.pictures, found.categories, found.parameters, found.price_levels) == ((), (), (), ())
    assert (silent.pictures, silent.categories, silent.parameters, silent.price_levels) == (None,) * 4


def test_short_texts_lose_the_blanks_around_them_and_long_ones_keep_them(tmp_path: Path) -> None:
    found = one(tmp_path, "<stk:name> židle\n</stk:name><stk:description2> a&#13;\n b </stk:description2>")
    assert (found.name, found.description2) == ("židle", " a\r\n b ")


def test_the_order_of_elements_and_unknown_ones_do_not_matter(tmp_path: Path) -> None:
    header = "<stk:new><stk:code>X</stk:code></stk:new><typ:code>Y</typ:code><stk:code>B</stk:code><stk:id>7</stk:id>"
    text = f"<lStk:stock><stk:new/><stk:stockHeader>{header}</stk:stockHeader></lStk:stock>"
    assert read(tmp_path, text) == [StockItem(code="B", id=7)]


def test_a_text_is_one_text_through_cdata_comments_and_references(tmp_path: Path) -> None:
    found = one(tmp_path, "<stk:name>a<!-- x --><![CDATA[<b>]]>&#x17E;&amp;<?x?>c</stk:name>")
    assert found.name == "a<b>ž&c"


def test_the_store_is_the_first_part_of_the_storage(tmp_path: Path) -> None:
    for path, store in (("ZBOŽÍ/Nábytek/Židle", "ZBOŽÍ"), ("PRODEJNA", "PRODEJNA")):
        found = one(tmp_path, f"<stk:storage><typ:id>3</typ:id><typ:ids>{path}</typ:ids></stk:storage>")
        assert (found.storage_id, found.storage, found.store) == (3, path, store)


def test_a_price_is_without_vat_unless_it_says_so(tmp_path: Path) -> None:
    for attribute, with_vat in (
        ("", False),
        (' payVAT="false"', False),
        (' payVAT="true"', True),
        (' payVAT="1"', True),
    ):
        found = one(tmp_path, f"<stk:sellingPrice{attribute}>9.9</stk:sellingPrice>")
        assert (found.selling_price, found.selling_price_with_vat) == (Decimal("9.9"), with_vat)


def test_pictures_files_links_and_related_cards_are_kept_with_their_order(tmp_path: Path) -> None:
    about = "<stk:description>popis</stk:description><stk:order>2</stk:order>"
    related = "<typ:stockOrder>1</typ:stockOrder><typ:stockItem><typ:id>5</typ:id><typ:ids>B</typ:ids></typ:stockItem>"
    found = one(
        tmp_path,
        f'<stk:pictures><stk:x/><stk:picture default="false"><stk:id>4</stk:id><stk:filepath>ž (1).JPG</stk:filepath>'
        f"{about}</stk:picture></stk:pictures>"
        f"<stk:relatedFiles><stk:relatedFile><stk:filepath>a.pdf</stk:filepath>{about}</stk:relatedFile></stk:relatedFiles>"
        f"<stk:relatedLinks><stk:relatedLink><stk:addressURL>https://x</stk:addressURL>{about}</stk:relatedLink>"
        f"</stk:relatedLinks><stk:alternativeStocks><stk:idStocks>{related}</stk:idStocks></stk:alternativeStocks>",
    )
    assert found.pictures == (Picture(4, "ž (1).JPG", "popis", 2, default=False),)
    assert found.related_files == (Attachment("a.pdf", "popis", 2),)
    assert found.related_links == (Attachment("https://x", "popis", 2),)
    assert (found.related_stocks, found.alternative_stocks) == ((), (RelatedCard(5, "B", 1),))


def test_categories_keep_their_order_and_the_main_one_is_known(tmp_path: Path) -> None:
    inside = '<stk:idCategory>5</stk:idCategory><stk:idCategory main="true">2</stk:idCategory>'
    found = one(tmp_path, f"<stk:categories>{inside}</stk:categories>")
    assert (found.categories, found.main_category) == ((5, 2), 2)


def test_parameters_of_the_eshop_and_of_the_user_are_kept_as_written(tmp_path: Path) -> None:
    value = "<stk:parameterValueID>4</stk:parameterValueID><stk:parameterValue>buk</stk:parameterValue>"
    found = one(
        tmp_path,
        "<stk:intParameters><stk:intParameter><stk:intParameterID>1</stk:intParameterID><stk:intParameterName>Materiál"
        "</stk:intParameterName><stk:intParameterType>listValue</stk:intParameterType>"
        f"<stk:intParameterValues><stk:intParameterValue>{value}</stk:intParameterValue></stk:intParameterValues></stk:intParameter>"
        "</stk:intParameters><stk:parameters><typ:parameter><typ:name>VPrA</typ:name><typ:numberValue>1.50"
        "</typ:numberValue></typ:parameter><typ:parameter><typ:name>RefVPrB</typ:name><typ:listValueRef><typ:id>3</typ:id>"
        "<typ:ids>Nový</typ:ids></typ:listValueRef><typ:list><typ:ids>Stavy</typ:ids></typ:list></typ:parameter>"
        "<typ:parameter><typ:name>VPrC</typ:name></typ:parameter></stk:parameters>",
    )
    assert found.parameters == (CardParameter(1, "Materiál", None, "listValue", (ParameterValue(4, "buk", None),)),)
    assert found.user_parameters == (
        UserParameter("VPrA", "numberValue", "1.50"),
        UserParameter("RefVPrB", "listValueRef", "Nový", 3, "Stavy"),
    )


def test_price_levels_stand_behind_the_header(tmp_path: Path) -> None:
    price = "<stk:stockPrice><typ:id>2</typ:id><typ:ids>Sleva 1</typ:ids><typ:price>891.00</typ:price></stk:stockPrice>"
    (level,) = one(tmp_path, "", after=f"<stk:stockPriceItem>{price}</stk:stockPriceItem>").price_levels or ()
    assert (level.id, level.ids, level.price) == (2, "Sleva 1", Decimal("891.00"))


def test_a_card_without_a_code_cannot_be_used(tmp_path: Path) -> None:
    for text in (card(" "), "<lStk:stock/>", "<lStk:stock><stk:stockHeader/></lStk:stock>"):
        (found,) = read(tmp_path, text)
        assert isinstance(found, BadItem)
        assert str(found.problem).startswith("code: ")


def test_a_broken_item_harms_none_of_its_batch(tmp_path: Path) -> None:
    cards = [card(str(number)) for number in range(250)]
    cards[120] = card("broken", "<a><b></a></b>")
    cards[130] = card("unusable", "<stk:count>x</stk:count>")
    found = read(tmp_path, *cards)
    assert [number for number, one in enumerate(found) if isinstance(one, BadItem)] == [120, 130]
    assert [one.code for one in found if isinstance(one, StockItem)] == [
        str(number) for number in range(250) if number not in {120, 130}
    ]


def test_bytes_that_are_not_in_the_encoding_spoil_their_item_only(tmp_path: Path) -> None:
    text = stock_pack(card("A"), card("B", "<stk:name>ž</stk:name>"), card("C")).replace("Zásoby", "Z")
    file = write(tmp_path, text.replace("Windows-1250", "UTF-8"))
    found = parse_many(list(items(file)))
    assert [type(one) for one in found] == [StockItem, BadItem, StockItem]
    assert isinstance(found[1], BadItem)
    assert found[1].problem.reason == "encoding"


def test_bytes_that_are_not_one_whole_element_are_no_item(tmp_path: Path) -> None:
    (good,) = items(write(tmp_path, stock_pack(card("A"))))
    for raw in (good.raw * 2, b"", b"text", good.raw.replace(b"lStk:", b"stk:"), good.raw[:-1], good.raw[1:]):
        found = parse_many([good, good._replace(raw=raw), good])
        assert [type(one) for one in found] == [StockItem, BadItem, StockItem]


def test_names_of_other_namespaces_are_not_mistaken(tmp_path: Path) -> None:
    found = one(tmp_path, '<count xmlns="http://example.com/">5</count><typ:count>6</typ:count>')
    assert found.count is None


def test_an_empty_batch_is_no_cards() -> None:
    assert parse_many([]) == []


def test_a_card_made_of_a_dict_is_the_one_that_its_class_makes(tmp_path: Path) -> None:
    fields = {name for name, _ in stock._TEXTS.values()}
    assert fields <= {one.name for one in dataclasses.fields(StockItem)}
    values = {"code": "A", "count": Decimal(1), "categories": (1,)}
    assert stock._made(values) == StockItem("A", count=Decimal(1), categories=(1,))
    assert hash(stock._made(values)) == hash(StockItem("A", count=Decimal(1), categories=(1,)))
