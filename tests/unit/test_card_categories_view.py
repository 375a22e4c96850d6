"""Claims about the view of cards' categories: the set, its order, the main one, and what is no category."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceUnavailable
from agent.jobs.whole import Gathered, whole
from agent.sources.views.card_categories import CardCategoriesView
from tests.unit.pohoda_fixture import Memory, add, do
from tests.unit.tables_fixture import only, put, several, shop, watch

VIEW = CardCategoriesView()


def filed(path: Path, *links: tuple[int, int], row_version: bool = False) -> Path:
    """Two cards, three categories, and who is in which: (card, category)."""
    shop(path, ("A", 1, 5.0, 1), ("B", 1, 5.0, 1), row_version=row_version)
    put(path, "SkKat", *({"IDS": name, "RefNodeID": 0} for name in ("X", "Y", "Z")))
    put(path, "SkRefKat", *({"RefAg": card, "RefKat": category} for card, category in links))
    return path


def test_categories_come_in_the_order_in_which_they_were_given_each_once(tmp_path: Path) -> None:
    follower = watch(filed(tmp_path / "p.db", (1, 3), (2, 2), (1, 1), (1, 3)), VIEW)
    assert follower.all() == ["a", "b"]
    assert (only(follower, "a").categories, only(follower, "a").main) == ((3, 1), None)
    assert only(follower, "b").categories == (2,)
    assert follower.all() == []


@pytest.mark.parametrize(
    "change",
    ["DELETE FROM SkRefKat WHERE ID = 1", "UPDATE SkRefKat SET RefKat = 2", "INSERT INTO SkRefKat VALUES (9, 1, 2)"],
)
def test_a_category_given_or_taken_is_told_though_the_card_did_not_move(tmp_path: Path, change: str) -> None:
    path = filed(tmp_path / "p.db", (1, 1))
    follower = watch(path, VIEW)
    follower.all()
    do(path, change)
    assert follower.all() == ["a"]
    assert follower.all() == []


def test_a_renamed_category_changes_no_card(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1))
    follower = watch(path, VIEW)
    follower.all()
    do(path, "UPDATE SkKat SET IDS = 'Jiná', RefNodeID = 2 WHERE ID = 1")
    assert follower.all() == []


def test_a_category_that_is_not_there_or_has_no_name_is_left_out(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1), (1, 2), (1, 99))
    do(path, "UPDATE SkKat SET IDS = NULL WHERE ID = 2")
    follower = watch(path, VIEW)
    follower.all()
    assert only(follower, "a").categories == (1,)
    do(path, "DELETE FROM SkKat WHERE ID = 1")
    assert follower.all() == ["a"]
    assert only(follower, "a").categories == ()


def test_the_trees_own_root_is_left_out(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1), (1, 2))
    do(path, "UPDATE SkKat SET RefNodeID = 1, IDS = 'Y' WHERE ID > 1")
    do(path, "UPDATE SkKat SET IDS = 'Všechny kategorie' WHERE ID = 1")
    follower = watch(path, VIEW)
    follower.all()
    assert only(follower, "a").categories == (2,)


def test_a_mirror_tells_the_main_one(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1), (1, 2))
    do(path, "ALTER TABLE SkRefKat ADD COLUMN Hlavni bit")
    do(path, "UPDATE SkRefKat SET Hlavni = 1 WHERE RefKat = 2")
    follower = watch(path, VIEW)
    follower.all()
    assert (only(follower, "a").categories, only(follower, "a").main) == ((1, 2), 2)
    do(path, "UPDATE SkRefKat SET Hlavni = 1 - COALESCE(Hlavni, 0)")
    assert follower.all() == ["a"]
    assert only(follower, "a").main == 1


def test_one_missing_table_is_an_error_and_not_an_empty_set(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1))
    do(path, "DROP TABLE SkRefKat")
    with pytest.raises(SourceUnavailable, match="SkRefKat"):
        watch(path, VIEW).one()


def test_by_row_version_a_moved_card_is_told_with_its_categories_and_check_says_what_is_late(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1), row_version=True)
    follower = watch(path, VIEW)
    follower.all()
    put(path, "SkRefKat", {"RefAg": 1, "RefKat": 2})
    assert follower.one().changes == ()
    do(path, "UPDATE SKz SET Nazev = 'x' WHERE ID = 1")
    assert [change.key for change in follower.one().changes] == ["a"]
    assert only(follower, "a").categories == (1, 2)
    assert any(each.verdict == "warning" and "full pass only" in each.text for each in follower.source.check())
    do(path, "ALTER TABLE SKz ADD COLUMN Otisk blob")
    assert not any(each.verdict == "warning" for each in watch(path, VIEW).source.check())


def test_a_full_pass_finds_what_the_row_version_did_not_tell(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1), row_version=True)
    follower = watch(path, VIEW, full_pass=0)
    follower.all()
    put(path, "SkRefKat", {"RefAg": 2, "RefKat": 2})
    found = {change.key for _ in range(3) for change in follower.one().changes}
    assert found == {"b"}
    assert only(follower, "b").categories == (2,)


def test_check_counts_cards_in_categories(tmp_path: Path) -> None:
    follower = watch(filed(tmp_path / "p.db", (1, 1), (1, 2)), VIEW)
    texts = [each.text for each in follower.source.check()]
    assert "2 cards with the tick Internet, 1 of them in a category." in texts


@pytest.mark.parametrize("count", [1, 150, 250, 1_300])
def test_however_many_cards_are_asked_for_each_gets_its_own(tmp_path: Path, count: int) -> None:
    path = shop(tmp_path / "p.db", *((f"K{number}", 1, 5.0, 1) for number in range(1, 1_301)))
    put(path, "SkKat", *({"IDS": f"C{number}", "RefNodeID": 0} for number in range(7)))
    put(path, "SkRefKat", *({"RefAg": number, "RefKat": number % 7 + 1} for number in range(1, 1_301)))
    source = watch(path, VIEW).source
    chosen = [f"k{number}" for number in range(1, 1_301)][:: 1_300 // count]
    for start in range(0, len(chosen), 500):
        found: Any = source.rows(chosen[start : start + 500], Memory()).rows
        for key, rows in found.items():
            assert [row.categories for row in rows] == [(int(key[1:]) % 7 + 1,)]


def test_a_chunk_that_was_found_equal_is_looked_at_again_when_a_child_moved(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1))
    follower = watch(path, VIEW)
    assert (follower.all(), follower.all(), follower.all()) == (["a", "b"], [], [])
    do(path, "UPDATE SkRefKat SET RefKat = 2")
    assert follower.all() == ["a"]
    do(path, "UPDATE SkRefKat SET RefKat = 1")
    assert follower.all() == ["a"]
    assert only(follower, "a").categories == (1,)
    assert follower.all() == []


def test_a_card_that_only_its_code_finds_brings_its_categories(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1))
    follower = watch(path, VIEW)
    follower.all()
    add(path, "a", 2)
    put(path, "SkRefKat", {"RefAg": 3, "RefKat": 3})
    follower.second(["a"])
    assert [(row.store, row.categories) for row in several(follower, "a")] == [("HLAVNI", (1,)), ("PRODEJNA", (3,))]
    assert follower.all() == []


def test_by_date_a_saved_card_is_told_with_its_categories(tmp_path: Path) -> None:
    path = filed(tmp_path / "p.db", (1, 1))
    follower = watch(path, VIEW, row_version="modified-at")
    follower.all()
    do(path, "UPDATE SkRefKat SET RefKat = 2")
    do(path, "UPDATE SKz SET DatSave = datetime('now', 'localtime')")
    assert [change.key for change in follower.one().changes] == ["a"]
    assert only(follower, "a").categories == (2,)


def test_reading_it_whole_gives_every_card_its_own(tmp_path: Path) -> None:
    source = watch(filed(tmp_path / "p.db", (1, 1), (2, 2), (2, 3)), VIEW, chunk=1).source
    found: dict[str, Any] = {}
    for rows in whole(source, Gathered()):
        found.update(rows)
    assert {key: row.categories for key, (row,) in found.items()} == {"a": (1,), "b": (2, 3)}
