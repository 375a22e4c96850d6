"""Ten bad files, ten reasons; and no entity is ever resolved, in no encoding."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest

from agent.pohoda.bad import HINTS, BadDocument, BadItem
from agent.pohoda.envelope import sniff
from agent.pohoda.items import items
from agent.pohoda.markup import DEEPEST, LARGEST
from agent.pohoda.stock import parse_many
from tests.pohoda.documents import card, pack, pack_item, stock_list, stock_pack, write_bytes

GOOD = stock_pack(card("A"), card("B"))
SECRET = "the secret of this machine"


def with_prolog(prolog: str, code: str = "A", encoding: str = "Windows-1250") -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{prolog}' + stock_pack(card(code)).partition("?>")[2]


def bomb() -> str:
    grown = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{grown}]>'


EXTERNAL = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
BAD: dict[str, tuple[str, bytes]] = {
    "zero bytes": ("empty", b""),
    "half a file": ("truncated", GOOD.encode("cp1250")[: len(GOOD) // 2]),
    "a table": ("not-xml", "kód;název\nA;židle\n".encode("cp1250")),
    "a feed": ("foreign", b'<?xml version="1.0"?><SHOP><SHOPITEM><EAN>1</EAN></SHOPITEM></SHOP>'),
    "another company": ("wrong-ico", GOOD.replace("12345678", "87654321").encode("cp1250")),
    "an external entity": ("external-entity", with_prolog(EXTERNAL, "&e;").encode("cp1250")),
    "a billion laughs": ("entity-bomb", with_prolog(bomb(), "&l9;").encode("cp1250")),
    "re-saved texts": ("encoding", stock_pack(card("žluť")).replace("Windows-1250", "UTF-8").encode("cp1250")),
    "a deep one": ("too-deep", stock_pack(card("A", "<a>" * 150 + "</a>" * 150)).encode("cp1250")),
    "a huge one": ("too-large", stock_pack(card("A", f"<a>{'x' * LARGEST}</a>")).encode("cp1250")),
    "an error": (
        "refused",
        pack("", attributes=' version="2.0" id="1" state="error" note="Uživatel nemá právo"').encode("cp1250"),
    ),
    "crossed tags": ("malformed", stock_pack(card("A", "<a><b></a></b>")).encode("cp1250")),
}


def read_all(file: Path) -> BadDocument:
    """Read a file as ingest does; return what was wrong with it or with one of its items."""
    try:
        sniff(file, ico="12345678")
        with closing(items(file, ico="12345678")) as found:
            cards = parse_many(list(found))
    except BadDocument as problem:
        return problem
    problems = [found.problem for found in cards if isinstance(found, BadItem)]
    assert problems, "nothing was wrong"
    return problems[0]


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_says_what_it_is_and_what_to_try(name: str, tmp_path: Path) -> None:
    reason, raw = BAD[name]
    problem = read_all(write_bytes(tmp_path, raw))
    assert (problem.reason, problem.hint) == (reason, HINTS[problem.reason])


def test_no_two_bad_files_have_the_same_reason() -> None:
    assert len({reason for reason, _ in BAD.values()}) == len(BAD) >= 10


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1250"])
@pytest.mark.parametrize(("prolog", "reason"), [(EXTERNAL, "external-entity"), (bomb(), "entity-bomb")])
def test_a_document_type_is_refused_in_every_encoding(tmp_path: Path, encoding: str, prolog: str, reason: str) -> None:
    file = write_bytes(tmp_path, with_prolog("<!-- x -->\r\n" + prolog, "&e;", encoding).encode(encoding))
    with pytest.raises(BadDocument) as refused:
        sniff(file)
    assert refused.value.reason == reason


@pytest.mark.parametrize("encoding", ["utf-7", "utf-32", "cp037", "shift-jis", "no-such-thing"])
def test_an_encoding_in_which_markup_could_hide_is_refused(tmp_path: Path, encoding: str) -> None:
    raw = with_prolog(EXTERNAL, "&e;", encoding)
    bytes_of_it = raw.encode("utf-32" if encoding == "utf-32" else "utf-8")
    with pytest.raises(BadDocument) as refused:
        sniff(write_bytes(tmp_path, bytes_of_it))
    assert refused.value.reason == "encoding"


def test_an_external_entity_never_shows_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    prolog = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
    problem = read_all(write_bytes(tmp_path, with_prolog(prolog, "&e;").encode("cp1250")))
    assert SECRET not in str(problem) + problem.hint


def test_an_entity_that_nobody_declared_spoils_its_item_only(tmp_path: Path) -> None:
    file = write_bytes(tmp_path, stock_pack(card("A"), card("&e;"), card("C")).encode("cp1250"))
    first, second, third = parse_many(list(items(file)))
    assert isinstance(second, BadItem)
    assert second.problem.reason == "malformed"
    assert not isinstance(first, BadItem)
    assert not isinstance(third, BadItem)


def test_a_document_type_within_an_item_is_no_document_type(tmp_path: Path) -> None:
    file = write_bytes(tmp_path, stock_pack(card("A", '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x">')).encode("cp1250"))
    assert read_all(file).reason == "malformed"


def test_a_document_type_behind_a_megabyte_of_comment_is_found(tmp_path: Path) -> None:
    file = write_bytes(tmp_path, with_prolog(f"<!--{'x' * 2**20}-->" + EXTERNAL).encode("cp1250"))
    assert read_all(file).reason == "external-entity"


def test_an_error_in_a_later_pack_item_or_list_is_told_with_its_note(tmp_path: Path) -> None:
    good = pack_item(stock_list([card("A")]))
    bad = ' version="2.0" id="2" state="error" note="Chybný filtr"'
    for second in (pack_item("", attributes=bad), pack_item(stock_list([], attributes=bad))):
        with pytest.raises(BadDocument, match="Chybný filtr") as refused:
            list(items(write_bytes(tmp_path, pack(good + second).encode("cp1250"))))
        assert refused.value.reason == "refused"


def test_a_web_page_and_an_old_version_are_foreign(tmp_path: Path) -> None:
    old = GOOD.replace("version_2", "version_1")
    for raw in (b"<!DOCTYPE html><html></html>", b"<html><body>502</body></html>", old.encode("cp1250")):
        with pytest.raises(BadDocument) as refused:
            sniff(write_bytes(tmp_path, raw))
        assert refused.value.reason == "foreign"


def test_a_file_of_zeros_is_empty(tmp_path: Path) -> None:
    with pytest.raises(BadDocument) as refused:
        sniff(write_bytes(tmp_path, bytes(100_000)))
    assert refused.value.reason == "empty"


def test_a_second_document_behind_the_first_is_malformed(tmp_path: Path) -> None:
    file = write_bytes(tmp_path, (GOOD + GOOD.partition("?>")[2]).encode("cp1250"))
    with pytest.raises(BadDocument) as refused:
        list(items(file))
    assert refused.value.reason == "malformed"


def test_a_prefix_that_is_not_declared_is_no_silent_end(tmp_path: Path) -> None:
    file = write_bytes(tmp_path, GOOD.replace("lStk:stock ", "x:stock ").replace("lStk:stock>", "x:stock>").encode())
    with pytest.raises(BadDocument) as refused:
        list(items(file))
    assert refused.value.reason == "malformed"


def test_a_stream_can_be_sniffed_too() -> None:
    assert sniff(io.BytesIO(GOOD.encode("cp1250"))).kind == "stock"


def test_an_end_tag_of_another_element_is_malformed(tmp_path: Path) -> None:
    crossed = GOOD.replace("</lStk:listStock></rsp:responsePackItem>", "</rsp:responsePackItem></lStk:listStock>")
    with pytest.raises(BadDocument) as refused:
        list(items(write_bytes(tmp_path, crossed.encode("cp1250"))))
    assert refused.value.reason == "malformed"


@pytest.mark.parametrize("head", range(1, 90))
def test_it_does_not_matter_where_the_head_ends(tmp_path: Path, head: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.pohoda.pack._HEAD", head + 44)  # the declaration of the encoding is always in it
    assert sniff(write_bytes(tmp_path, with_prolog("<!-- a --> <!-- b -->").encode("cp1250"))).kind == "stock"
    for prolog in (EXTERNAL, "<!-- a -->\n" + EXTERNAL):
        with pytest.raises(BadDocument) as refused:
            sniff(write_bytes(tmp_path, with_prolog(prolog).encode("cp1250")))
        assert refused.value.reason in {"external-entity", "entity-bomb"}


def test_depth_is_refused_in_split_walked_and_passed_elements(tmp_path: Path) -> None:
    deep = "<a>" * 150 + "</a>" * 150
    for text in (card("B", deep), card("B", deep + "<!-- walked -->"), f"<lStk:other>{deep}</lStk:other>"):
        assert read_all(write_bytes(tmp_path, stock_pack(card("A"), text).encode("cp1250"))).reason == "too-deep"


def test_nested_deeper_than_the_parser_takes_is_too_deep_as_well(tmp_path: Path) -> None:
    deep = DEEPEST * 10
    for after in ("", "<!-- walked -->"):
        file = write_bytes(tmp_path, stock_pack(card("A", "<a>" * deep + "</a>" * deep + after)).encode("cp1250"))
        assert read_all(file).reason == "too-deep"


def test_a_list_that_is_not_read_may_not_nest_without_end_either(tmp_path: Path) -> None:
    deep = "<a>" * 10_000 + "</a>" * 10_000
    file = write_bytes(tmp_path, pack(pack_item(f"<ord:orderResponse>{deep}</ord:orderResponse>")).encode("cp1250"))
    with pytest.raises(BadDocument) as refused:
        list(items(file))
    assert refused.value.reason == "too-deep"
