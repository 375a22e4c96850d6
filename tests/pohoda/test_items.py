"""Splitting on bytes gives what parsing gives, in every shape of a document, and reading goes on at every border."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from agent.pohoda import markup
from agent.pohoda.bad import BadDocument, BadItem
from agent.pohoda.items import Item, _walked, items
from agent.pohoda.pack import Part
from agent.pohoda.stock import parse_many
from tests.pohoda.documents import (
    DECLARED,
    STOCK_TAG,
    by_the_parser,
    canonical,
    card,
    pack,
    pack_item,
    stock_list,
    stock_pack,
    write,
    write_bytes,
)

LIST_STOCK = "http://www.stormware.cz/schema/version_2/list_stock.xsd"
CDATA = "<stk:description><![CDATA[</lStk:stock><lStk:stock>]]></stk:description>"
COMMENT = "<!-- </lStk:stock> <lStk:stock version='2.0'> -->"
INSTRUCTION = "<?x </lStk:stock> ?>"
EMPTY = '<lStk:stock version="2.0"/>'
OTHER = "<lStk:other><lStk:stock>not an item</lStk:stock></lStk:other>"
REDECLARED = f'<x:stock xmlns:x="{LIST_STOCK}" version="2.0"/>'
FOREIGN = '<lStk:stock xmlns:lStk="http://example.com/">foreign</lStk:stock>'
SHAPES: dict[str, str] = {
    "nothing special": stock_pack(card("A"), card("B"), card("C")),
    "hooks": stock_pack(card("Ž"), card("ěščřžýáíé"), card("B")),
    "an empty list": stock_pack(),
    "an empty list element": pack(pack_item("<lStk:listStock/>")),
    "no pack items": pack(""),
    "empty items": stock_pack(card("A"), EMPTY, EMPTY, card("B"), EMPTY),
    "empty items first": stock_pack(EMPTY, card("A"), card("B")),
    "cdata": stock_pack(card("A"), card("B", CDATA), card("C"), card("D")),
    "comments": stock_pack(card("A"), COMMENT, card("B", COMMENT), COMMENT, card("C", after=COMMENT), COMMENT),
    "instructions": stock_pack(INSTRUCTION, card("A"), INSTRUCTION, card("B", INSTRUCTION), card("C")),
    "attributes": stock_pack(*(card("A", attributes=f' version="2.0" n="{n}>" m=\'"{n}/\'') for n in range(5))),
    "no attributes": stock_pack(card("A", attributes=""), card("B", attributes="")),
    "blanks in tags": stock_pack(card("A"), card("B").replace("</lStk:stock>", "</lStk:stock \n>"), card("C")),
    "blanks in all end tags": stock_pack(card("A"), card("B")).replace("</lStk:stock>", "</lStk:stock >"),
    "indented": stock_pack(card("A"), card("B")).replace("><", ">\r\n\t <"),
    "other elements": stock_pack(card("A"), OTHER, card("B"), OTHER, card("C")),
    "names that begin alike": stock_pack(card("A"), "<lStk:stocks/>", card("B"), "<lStk:stocks>1</lStk:stocks>"),
    "another prefix": stock_pack(card("A"), REDECLARED, card("B"), REDECLARED),
    "a foreign item": stock_pack(card("A"), FOREIGN, card("B")),
    "nested": stock_pack(card("A"), card("B", card("C")), card("D")),
    "texts that look like tags": stock_pack(card("A", "<x>&lt;/lStk:stock&gt; ! ? &lt;!</x>"), card("B?!<x/>!?")),
    "two lists": pack(pack_item(stock_list([card("A")])) + pack_item(stock_list([card("B"), card("C")]))),
    "two lists in one": pack(pack_item(stock_list([card("A")]) + stock_list([card("B")]) + stock_list([]))),
    "an answer between": pack(
        pack_item(stock_list([card("A")]))
        + pack_item(f"<ord:orderResponse>{card('X')}</ord:orderResponse>")
        + pack_item(stock_list([card("B")]))
    ),
    "something behind the root": stock_pack(card("A")) + "\n<!-- </rsp:responsePack> -->\n<?x?>\n",
    "the prefix means another thing around": pack(
        pack_item(
            f'<listStock xmlns="{LIST_STOCK}">'
            + card("A", attributes=f' xmlns:lStk="{LIST_STOCK}"')
            + card("foreign")
            + f'<stock version="2.0"/><lStk:stock xmlns:lStk="{LIST_STOCK}"/></listStock>'
        ),
        declares=DECLARED.replace(f'xmlns:lStk="{LIST_STOCK}"', 'xmlns:lStk="http://example.com/"'),
    ),
    "declared at the list": pack(pack_item(stock_list([card("A"), card("B")], attributes=DECLARED))),
}
ENCODINGS = ["cp1250", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "iso-8859-2"]
_END = b"</rsp:responsePack>"


def expected(raw: bytes) -> list[bytes]:
    """The parser's items: children of a list of stock, of the right name."""
    root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    list_tag = STOCK_TAG.replace("}stock", "}listStock")
    return [canonical(child) for one in root.iterfind(f"*/{list_tag}") for child in one.iterchildren(STOCK_TAG)]


def whole(file: Path, *, start: int = 0, part: int = 0) -> list[Item]:
    with closing(items(file, start=start, part=part)) as found:
        return list(found)


def as_parsed(item: Item) -> bytes:
    scope = item.part.scope
    spaces = "".join(f' xmlns{":" if prefix else ""}{prefix}="{uri}"' for prefix, uri in scope.namespaces)
    root = etree.fromstring(f"<x{spaces}>{item.raw.decode(scope.encoding.codec)}</x>")
    assert len(root) == 1
    assert (root.text, root[0].tail) == (None, None)
    return canonical(root[0])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_splitting_gives_what_parsing_gives(tmp_path: Path, shape: str, encoding: str) -> None:
    text = SHAPES[shape].replace("Windows-1250", encoding.removesuffix("-sig"))
    file = write(tmp_path, text, encoding=encoding)
    raw = file.read_bytes()
    found = whole(file)
    assert [as_parsed(item) for item in found] == expected(raw)
    assert all(raw[item.offset : item.end] == item.raw for item in found)


@pytest.mark.parametrize("encoding", ["cp1250", "utf-16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_reading_goes_on_at_every_border(tmp_path: Path, shape: str, encoding: str) -> None:
    text = SHAPES[shape].replace("Windows-1250", encoding)
    file = write(tmp_path, text, encoding=encoding)
    found = whole(file)
    for number, item in enumerate(found, start=1):
        assert whole(file, start=item.end) == found[number:]
        assert whole(file, start=item.end, part=item.part.offset) == found[number:]


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_does_not_matter_where_a_read_ends(
    tmp_path: Path, shape: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, SHAPES[shape])
    found = whole(file)
    monkeypatch.setattr(markup, "_CHUNK", chunk)
    monkeypatch.setattr("agent.pohoda.pack._HEAD", 60)
    assert whole(file) == found


@pytest.mark.parametrize("shape", SHAPES)
def test_a_truncated_file_never_ends_silently(tmp_path: Path, shape: str) -> None:
    raw = write(tmp_path, SHAPES[shape]).read_bytes()
    last = raw.index(_END) + len(_END)
    for length in sorted({*range(0, last, 41), *range(max(0, last - 45), last)}):
        with pytest.raises(BadDocument) as refused:
            whole(write_bytes(tmp_path, raw[:length]))
        assert refused.value.reason == ("empty" if length == 0 else "truncated")


_CARDS = [card("A"), card("ž"), card("B", CDATA), card("C", COMMENT), card("E", card("F"))]
_BETWEEN = [EMPTY, COMMENT, INSTRUCTION, OTHER, REDECLARED, FOREIGN, " \n", "text", "<!---->"]
PIECES = st.lists(
    st.sampled_from([*_CARDS, *_BETWEEN, card("D").replace("</lStk:stock>", "</lStk:stock\t>")]), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(lists=st.lists(PIECES, min_size=1, max_size=3), encoding=st.sampled_from(ENCODINGS), chunk=st.integers(1, 400))
def test_whatever_stands_beside_each_other_is_split_as_it_is_parsed(
    lists: list[list[str]], encoding: str, chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = pack("".join(pack_item(stock_list(cards)) for cards in lists), declaration=encoding.removesuffix("-sig"))
    file = write(tmp_path_factory.mktemp("split"), text, encoding=encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markup, "_CHUNK", chunk * 2)
        found = whole(file)
        assert [as_parsed(item) for item in found] == expected(file.read_bytes())
        if found:
            at = random.Random(chunk).randrange(len(found))
            assert whole(file, start=found[at].end, part=found[at].part.offset) == found[at + 1 :]


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=60), at=st.integers(0, 900), keep=st.integers(0, 60))
def test_rubbish_in_the_middle_ends_in_a_reason_and_not_in_a_crash(
    raw: bytes, at: int, keep: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    good = stock_pack(card("A"), card("B", CDATA)).encode("cp1250")
    file = write_bytes(tmp_path_factory.mktemp("rubbish"), good[:at] + raw + good[at + keep :])
    assert all(read_or_refused(file))


def read_or_refused(file: Path) -> list[str]:
    """The codes of the cards, and the hints of what is wrong."""
    try:
        found = parse_many(whole(file))
    except BadDocument as problem:
        return [problem.hint]
    return [one.problem.hint if isinstance(one, BadItem) else one.code for one in found]


def test_a_digest_tells_items_apart_by_their_bytes(tmp_path: Path) -> None:
    found = whole(write(tmp_path, stock_pack(card("A"), card("B"), card("A"))))
    first, second, third = (item.digest for item in found)
    assert (len(first), first, first == second) == (16, third, False)


def test_equal_bytes_that_mean_another_thing_have_another_digest(tmp_path: Path) -> None:
    base = stock_pack(card("ž"))
    other_encoding = base.replace("Windows-1250", "ISO-8859-2")
    other_meaning = base.replace("xmlns:stk=", "xmlns:was=").replace("xmlns:typ=", "xmlns:stk=")
    unused = base.replace("xmlns:ord=", 'xmlns:new="http://example.com" xmlns:ord=')
    digests = [whole(write(tmp_path, text))[0].digest for text in (base, other_encoding, other_meaning, unused)]
    assert len(set(digests[:3])) == 3
    assert digests[3] == digests[0]


def test_a_place_that_is_no_border_is_told(tmp_path: Path) -> None:
    file = write(tmp_path, stock_pack(card("A"), card("B")))
    first = whole(file)[0]
    for start, part in ((first.end - 3, 0), (first.end - 3, first.part.offset), (10**6, 0)):
        with pytest.raises(BadDocument) as refused:
            whole(file, start=start, part=part)
        assert refused.value.reason == "changed"


def test_the_file_is_closed_with_the_iterator(tmp_path: Path) -> None:
    file = write(tmp_path, stock_pack(*(card(str(n)) for n in range(10))))
    with closing(items(file)) as found:
        next(found)
    file.rename(tmp_path / "done.xml")
    assert not file.exists()


def test_a_text_of_marks_and_comments_is_read_in_one_pass(tmp_path: Path) -> None:
    marked = "".join(card(str(n), f"<x>{'?!' * 500}</x><!--x-->") for n in range(300))
    file = write(tmp_path, stock_pack(marked))
    assert [as_parsed(item) for item in whole(file)] == by_the_parser(file.read_bytes())


def test_all_kinds_of_lists_of_one_pack_are_come_to(tmp_path: Path) -> None:
    lists = {
        "stock": stock_list([card("A")]),
        "categories": "<lst:listCategory><lst:categoryDetail><ctg:category/></lst:categoryDetail>"
        "<lst:categoryDetail><ctg:category/></lst:categoryDetail></lst:listCategory>",
        "parameters": "<lst:listIntParam><lst:intParamDetail><ipm:intParam/></lst:intParamDetail></lst:listIntParam>",
        "suppliers": "<lst:listSupplier><lst:supplier/></lst:listSupplier>",
        "stores": "<lst:listStore><lst:store/></lst:listStore>",
        "storages": "<lst:listStorage><lst:itemStorage/></lst:listStorage>",
        "orders": "<lst:listOrder><lst:order/></lst:listOrder>",
    }
    for text in ("".join(map(pack_item, lists.values())), pack_item("".join(lists.values()))):
        file = write(tmp_path, pack(text))
        found = whole(file)
        assert [item.kind for item in found] == sorted([*lists, "categories"], key=list(lists).index)
        for number, item in enumerate(found, start=1):
            assert whole(file, start=item.end, part=item.part.offset) == found[number:]


def test_each_wrapper_has_prefixes_of_its_own(tmp_path: Path) -> None:
    inside = "<ctg:category></ctg:category>" * 2
    foreign = f'<lst:categoryDetail xmlns:ctg="http://example.com/">{inside}</lst:categoryDetail>'
    text = f"<lst:categoryDetail>{inside}</lst:categoryDetail>"
    found = whole(write(tmp_path, pack(pack_item(f"<lst:listCategory>{text}{foreign}{text}</lst:listCategory>"))))
    assert [item.raw for item in found] == [b"<ctg:category></ctg:category>"] * 4


STRANGE = {
    "blanks in end tags": card("A").replace("</lStk:stock>", "</lStk:stock >"),
    "declarations": card("A", attributes=f' xmlns:lStk="{LIST_STOCK}"'),
    "comments": card("A", COMMENT),
    "empty elements": EMPTY,
    "other elements": OTHER,
}


@pytest.mark.parametrize("shape", STRANGE)
def test_only_an_item_is_limited_in_size_and_not_a_stretch_of_strange_ones(
    tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markup, "_CHUNK", 100)
    monkeypatch.setattr(markup, "LARGEST", 1000)
    monkeypatch.setattr("agent.pohoda.pack._HEAD", 60)
    file = write(tmp_path, pack(pack_item(stock_list([card("A"), *[STRANGE[shape]] * 100, card("B")]))))
    assert [as_parsed(item) for item in whole(file)] == expected(file.read_bytes())


def test_only_strange_items_are_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []

    def counted(window: markup.Window, part: Part) -> Item:
        walked.append(window.position)
        return _walked(window, part)

    monkeypatch.setattr("agent.pohoda.items._walked", counted)
    plain = [card(str(number)) for number in range(50)]
    assert len(whole(write(tmp_path, stock_pack(*plain, card("B", CDATA), *plain, COMMENT, *plain)))) == 151
    assert len(walked) == 2  # the first of all, and the strange one
