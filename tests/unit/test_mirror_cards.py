"""What hangs on cards in the mirror: what a document does not tell of stays; what it tells is written by its type."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from agent.mirrored import TOLD
from agent.sources.export_elements import NAMES, ElementsOfCards
from agent.sources.views.card_categories import CardCategoriesView
from agent.sources.views.card_parameters import CardParametersView
from agent.targets.parameters import Parameters, ParameterSettings
from state import mirror
from state.mirror import open_mirror
from tests.unit.list_documents import (
    Desk,
    card,
    cards,
    categories,
    category,
    in_categories,
    parameter,
    whole,
    with_parameters,
)
from tests.unit.tables_fixture import only

ALL_OF_IT = (
    "<stk:pictures><stk:picture default='true'><stk:filepath>a.jpg</stk:filepath></stk:picture></stk:pictures>"
    + in_categories(7, 8, main=8)
    + with_parameters(parameter(1, "Síla", "integerValue", (None, "7")))
)
PRICE = "<stk:stockPrice><typ:ids>VIP</typ:ids><typ:price>9</typ:price></stk:stockPrice>"
PRICES = f"<stk:stockPriceItem>{PRICE}</stk:stockPriceItem>"
EMPTY = "<stk:pictures/><stk:categories/><stk:intParameters/>"
TABLES = ("SkRefObraz", "SKzCn", "SkRefKat", "SkRefParam")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def hanging(desk: Desk, row: int = 1) -> list[int]:
    """How many pictures, prices, categories and parameters a card has."""
    return [desk.sql(f"SELECT count(*) FROM {table} WHERE RefAg = ?", row)[0][0] for table in TABLES]


def test_what_a_document_was_made_without_stays_as_it_is_known(desk: Desk) -> None:
    desk.tell(cards(card("A", inside=ALL_OF_IT, behind=PRICES)))
    assert hanging(desk) == [1, 1, 2, 1]
    desk.tell(cards(card("A", inside="<stk:count>4</stk:count>")))
    assert desk.sql("SELECT StavZ FROM SKz") == [(4.0,)]
    assert hanging(desk) == [1, 1, 2, 1]


def test_what_a_document_tells_to_be_empty_is_taken_away(desk: Desk) -> None:
    desk.tell(cards(card("A", inside=ALL_OF_IT, behind=PRICES)))
    desk.tell(cards(card("A", inside=EMPTY, behind="<stk:stockPriceItem/>")))
    assert hanging(desk) == [0, 0, 0, 0]


def test_a_card_without_what_another_card_of_the_document_has_has_nothing_of_the_kind(desk: Desk) -> None:
    desk.tell(cards(card("A", inside=ALL_OF_IT, behind=PRICES), card("B", 2)))
    desk.tell(cards(card("A"), card("B", 2, inside=in_categories(7))))
    assert hanging(desk) == [1, 1, 0, 1]


def test_a_card_of_which_something_stayed_is_read_again_when_a_document_tells(desk: Desk) -> None:
    desk.tell(cards(card("A", inside=ALL_OF_IT)))
    desk.tell(cards(card("A")))
    desk.tell(cards(card("A"), card("B", 2, inside=EMPTY), stamp="2026-11-20T08:01:00"))
    assert hanging(desk) == [0, 0, 0, 0], "the same bytes, in a document that was made with all"
    last = desk.tell(cards(card("A"), card("B", 2, inside=EMPTY), stamp="2026-11-20T08:02:00"))
    assert (last.looked, last.changed) == (2, 0)


def test_a_card_that_comes_back_under_another_id_keeps_what_is_known_of_it(desk: Desk) -> None:
    desk.tell(cards(card("A", 1, inside=ALL_OF_IT, behind=PRICES)))
    desk.tell(cards(card("A", 9)))
    assert (hanging(desk, 1), hanging(desk, 9)) == ([0, 0, 0, 0], [1, 1, 2, 1])


def test_the_main_category_is_known_and_one_told_twice_is_one(desk: Desk) -> None:
    desk.tell(cards(card("A", inside=in_categories(7, 8, 7, main=8))), categories(category(7, "X"), category(8, "Y")))
    follower = desk.follow(CardCategoriesView(), ["cards", "categories", "card_categories"])
    follower.all()
    assert (only(follower, "a").categories, only(follower, "a").main) == ((7, 8), 8)


COLUMNS = "ValText, ValDouble, ValLong, ValCurrency, ValDate"


@pytest.mark.parametrize(
    ("kind", "text", "written", "shown"),
    [
        ("textValue", "dub", (1, ("dub", None, None, None, None)), "dub"),
        ("currencyValue", "1234.5", (2, (None, None, None, 1234.5, None)), "1 234,50 Kč"),
        ("booleanValue", "true", (3, (None, None, 1, None, None)), "Ano"),
        ("booleanValue", "0", (3, (None, None, 0, None, None)), "Ne"),
        ("booleanValue", "Ne", (3, (None, None, 0, None, None)), "Ne"),
        ("integerValue", "0", (4, (None, None, 0, None, None)), "0"),
        ("integerValue", "12.0", (4, (None, None, 12, None, None)), "12"),
        ("numberValue", "12.50", (5, (None, 12.5, None, None, None)), "12,5"),
        ("datetimeValue", "2026-12-24T00:00:00", (6, (None, None, None, None, "2026-12-24")), "24. 12. 2026"),
        ("unit", "3", (7, (None, 3.0, None, None, None)), "3"),
        ("unit", "tucet", (7, ("tucet", None, None, None, None)), "tucet"),
        ("novýTyp", "x", (0, ("x", None, None, None, None)), "x"),
    ],
)
def test_a_value_is_written_by_its_type(
    desk: Desk, kind: str, text: str, written: tuple[int, tuple[object, ...]], shown: str
) -> None:
    number, columns = written
    desk.tell(cards(card("A", inside=with_parameters(parameter(1, "P", kind, (None, text))))))
    assert desk.sql("SELECT ID, IDS, RelTyp FROM SkParam") == [(1, "P", number)]
    assert desk.sql(f"SELECT {COLUMNS} FROM SkRefParam") == [columns]
    follower = desk.follow(CardParametersView(), ["cards", "card_parameters"])
    follower.all()
    assert Parameters(ParameterSettings()).value("a", [only(follower, "a")]) == {"P": [shown]}


def test_what_is_no_value_of_its_type_is_kept_for_the_target_and_the_card_is_taken(desk: Desk) -> None:
    last = desk.tell(cards(card("A", inside=with_parameters(parameter(1, "P", "numberValue", (None, "asi 5"))))))
    assert last.bad == 0
    assert desk.sql(f"SELECT {COLUMNS} FROM SkRefParam") == [(None, "asi 5", None, None, None)]


def test_a_parameter_without_a_value_says_nothing(desk: Desk) -> None:
    desk.tell(cards(card("A", inside=with_parameters(parameter(1, "P", "numberValue", (None, ""))))))
    assert desk.sql(f"SELECT {COLUMNS} FROM SkRefParam") == [(None,) * 5]


def test_values_of_a_list_are_chosen_by_id_or_by_their_text(desk: Desk) -> None:
    both = parameter(1, "Barva", "listValue", (5, "modrá"), (None, "bílá"))
    again = parameter(0, "barva", "listValue", (None, "bílá"))
    desk.tell(cards(card("A", 1, inside=with_parameters(both)), card("B", 2, inside=with_parameters(again))))
    assert desk.sql("SELECT IDS FROM SkParam") == [("barva",)]
    assert desk.sql("SELECT count(*) FROM SkParamList") == [(2,)]
    follower = desk.follow(CardParametersView())
    follower.all()
    assert [only(follower, key).parameters[0].chosen for key in "ab"] == [("modrá", "bílá"), ("bílá",)]


def test_a_parameter_that_a_card_renames_moves_the_others_that_have_it(desk: Desk) -> None:
    one, other = (with_parameters(parameter(1, name, "textValue", (None, "x"))) for name in ("P", "Q"))
    desk.tell(cards(card("A", 1, inside=one), card("B", 2, inside=one), card("C", 3, inside=EMPTY)))
    before = desk.versions()
    desk.tell(cards(card("A", 1, inside=other)))
    after = desk.versions()
    assert {row for row in after if after[row] != before[row]} == {1, 2}


# -------------------------------------------------------------------------------------------- elements of documents


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_elements_are_found_in_any_form_and_across_pieces(size: int) -> None:
    raw = b"x" * 50 + b"<a:pictures />" + b"y" * 90 + b"</categories>" + b"<stk:intParameters\r\n>" + b"z" * 70
    found = ElementsOfCards()
    for at in range(0, len(raw), size):
        found.look(raw[at : at + size])
    assert found.found == {"pictures", "categories", "intParameters"}


def test_a_text_that_names_an_element_and_a_longer_name_tell_nothing() -> None:
    found = ElementsOfCards()
    found.look(b"<stk:note>categories> pictures/> a:stockPriceItem></stk:note><ctg:subCategories><x:categoriesOf/>")
    assert found.found == set()


def test_documents_of_pohoda_tell_their_elements() -> None:
    found = ElementsOfCards()
    found.look(whole(cards(card("A", inside=ALL_OF_IT, behind=PRICES))))
    assert found.found == set(NAMES) == set(TOLD)


# -------------------------------------------------------------------------------------------------------- migration


def test_a_mirror_of_the_first_step_reads_everything_again_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "export.db"
    first = resources.files("state") / "mirror_migrations" / "0001_cards.sql"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(first.read_text(encoding="utf-8") + "PRAGMA user_version = 1;")
        db.execute(
            "INSERT INTO SKz (ID, IDS, StavZ, Otisk, Klic, Hromadne, RowVer) VALUES (1, 'A', 5, x'aa', 'a', 0, 1)"
        )
        sql = (
            "INSERT INTO document (sha, name, size, outcome, cards, started_at, moved_at) VALUES (?, ?, 1, ?, 1, 0, 0)"
        )
        db.executemany(sql, [("s1", "a.xml", "done"), ("s2", "b.xml", "under way")])
        db.commit()
    with closing(open_mirror(path, stamp="t")) as file, file.read() as db:
        assert not mirror.known(db, [b"\xaa"])
        assert db.execute("SELECT IDS, StavZ FROM SKz").fetchall() == [("A", 5.0)]
        assert mirror.told(db)
        assert not mirror.was_taken(db, "s1"), "the same content tells more now"
        assert mirror.under_way(db) is None
