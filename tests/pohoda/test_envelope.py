"""What a document is, by its head; and whether its root closes, by its tail."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.pohoda.bad import BadDocument
from agent.pohoda.envelope import closes, sniff
from agent.pohoda.names import LSTK, Name
from tests.pohoda.documents import DECLARED, card, pack, pack_item, stock_list, stock_pack, write

ENCODINGS = ["cp1250", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-2"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_head_says_whose_and_what_it_is_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    text = stock_pack(card("A")).replace("Windows-1250", encoding.removesuffix("-sig"))
    found = sniff(write(tmp_path, text, encoding=encoding), ico="12345678")
    assert (found.kind, found.ico, found.id, found.state, found.note) == ("stock", "12345678", "001", "ok", "Zásoby")
    assert found.program_version == "14107.3 SQL"
    assert found.item_tag == Name(LSTK, "stock")


def test_the_encoding_is_read_however_it_is_spelt(tmp_path: Path) -> None:
    for spelt in ("Windows-1250", "windows-1250", "WINDOWS-1250"):
        found = sniff(write(tmp_path, stock_pack(card("A")).replace("Windows-1250", spelt)))
        assert (found.encoding.name, found.note) == (spelt, "Zásoby")


def test_prefixes_are_free(tmp_path: Path) -> None:
    text = stock_pack(card("A")).replace("rsp:", "r:").replace(":rsp=", ":r=")
    text = text.replace("<lStk:listStock", '<listStock xmlns="http://www.stormware.cz/schema/version_2/list_stock.xsd"')
    text = text.replace("</lStk:listStock", "</listStock")
    assert sniff(write(tmp_path, text)).kind == "stock"


def test_a_data_pack_is_an_envelope_too(tmp_path: Path) -> None:
    text = stock_pack(card("A")).replace("rsp:responsePack", "dat:dataPack")
    assert sniff(write(tmp_path, text)).kind == "stock"


def test_a_document_without_an_ico_is_taken(tmp_path: Path) -> None:
    text = stock_pack(card("A")).replace(' ico="12345678"', "")
    assert sniff(write(tmp_path, text), ico="12345678").ico == ""


def test_leading_zeros_of_an_ico_do_not_matter(tmp_path: Path) -> None:
    text = stock_pack(card("A")).replace("12345678", "00345678")
    assert sniff(write(tmp_path, text), ico="345678").kind == "stock"


def test_a_pack_without_a_list_or_with_an_answer_holds_nothing_to_read(tmp_path: Path) -> None:
    answer = pack_item('<ord:orderResponse version="2.0" state="ok"/>')
    for text in (pack(""), pack(answer), pack("").replace("></rsp:responsePack>", "/>")):
        assert sniff(write(tmp_path, text)).kind == ""


def test_only_the_head_is_read(tmp_path: Path) -> None:
    text = stock_pack(card("A"))
    cut = text[: text.index("<stk:code>")]
    assert sniff(write(tmp_path, cut)).kind == "stock"
    with pytest.raises(BadDocument) as refused:
        sniff(write(tmp_path, cut[: cut.index("<lStk:")]))
    assert refused.value.reason == "truncated"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_only_a_whole_file_closes(tmp_path: Path, encoding: str) -> None:
    text = stock_pack(card("A"), card("B")).replace("Windows-1250", encoding.removesuffix("-sig"))
    assert closes(write(tmp_path, text, encoding=encoding))
    assert closes(write(tmp_path, text + "\r\n<!-- end -->\r\n", encoding=encoding))
    for cut in range(1, 60):
        assert not closes(write(tmp_path, text[:-cut], encoding=encoding))


def test_an_empty_root_closes_and_what_is_no_document_does_not(tmp_path: Path) -> None:
    assert closes(write(tmp_path, f'<rsp:responsePack version="2.0"{DECLARED}/>\n', encoding="utf-8"))
    for text in ("", "plain", "<!DOCTYPE x><x></x>", "</rsp:responsePack>", stock_list([card("A")])[:-1]):
        assert not closes(write(tmp_path, text))
