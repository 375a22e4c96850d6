"""Claims about the view of categories: keys, the tree and what is wrong with it, pictures, and what is a change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceUnavailable
from agent.jobs.whole import Gathered, whole
from agent.sources.views.categories import CategoriesView
from agent.sources.views.category_tree import DEEPEST, Tree
from tests.unit.catalogue_fixture import documents, folder
from tests.unit.pohoda_fixture import Clock, Follower, add, do
from tests.unit.tables_fixture import only, put, seen, shop, watch

PLAIN = CategoriesView()


def tree(path: Path, *categories: tuple[str | None, int | None]) -> Path:
    """A POHODA with these categories, (name, parent), numbered from 1."""
    shop(path)
    put(path, "SkKat", *({"IDS": name, "RefNodeID": parent, "Zobraz": 1} for name, parent in categories))
    return path


def parents(follower: Follower) -> dict[str, Any]:
    return {key: row.parent for key, row in seen(follower).items()}


def test_a_category_is_known_by_its_id_and_read_with_its_way(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("Nábytek", 0), ("Židle ", 1), ("Barové", 2))
    do(path, "UPDATE SkKat SET SText = 'Na sezení', Poradi = 4, Zobraz = 0, Obrazek = 'a.png' WHERE ID = 2")
    follower = watch(path, PLAIN)
    assert follower.all() == ["1", "2", "3"]
    row = only(follower, "2")
    assert (row.id, row.name, row.description, row.order, row.visible) == (2, "Židle ", "Na sezení", 4, False)
    assert (row.parent, row.broken, row.file, row.sha, row.trouble) == (1, "", "", "", "")
    assert only(follower, "3").code == "Nábytek / Židle / Barové"
    assert only(follower, "1").parent is None
    assert follower.all() == []


@pytest.mark.parametrize(
    "change", ["IDS = 'Stoly'", "SText = 'x'", "RefNodeID = 0", "Poradi = 9", "Zobraz = 0", "Zobraz = NULL"]
)
def test_a_change_of_the_category_itself_is_told_and_of_no_other(tmp_path: Path, change: str) -> None:
    path = tree(tmp_path / "p.db", ("A", 0), ("B", 1), ("C", 2))
    follower = watch(path, PLAIN)
    follower.all()
    do(path, f"UPDATE SkKat SET {change} WHERE ID = 2")
    assert follower.all() == ["2"]
    assert follower.all() == []


def test_null_and_hidden_are_told_from_each_other(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 0))
    do(path, "UPDATE SkKat SET Zobraz = NULL")
    follower = watch(path, PLAIN)
    follower.all()
    assert only(follower, "1").visible is None
    do(path, "UPDATE SkKat SET Zobraz = 0")
    assert follower.all() == ["1"]
    assert only(follower, "1").visible is False


def test_a_deleted_category_is_gone(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 0), ("B", 0))
    follower = watch(path, PLAIN)
    follower.all()
    do(path, "DELETE FROM SkKat WHERE ID = 2")
    assert follower.all() == ["2"]
    assert follower.rows["2"] == ()


@pytest.mark.parametrize("movements", [True, False])
def test_the_newest_one_deleted_is_no_restored_database(tmp_path: Path, *, movements: bool) -> None:
    path = tree(tmp_path / "p.db", ("A", 0), ("B", 0))
    add(path, "card")
    if not movements:
        do(path, "DROP TABLE SKzPoh")
    follower = watch(path, PLAIN)
    follower.all()
    do(path, "DELETE FROM SkKat WHERE ID = 2")
    batch = follower.one()
    assert ([change.key for change in batch.changes], batch.wound_back, batch.bulk) == (["2"], "", False)


def test_fields_that_are_not_chosen_are_no_change_and_need_no_column(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 0))
    do(path, "ALTER TABLE SkKat DROP COLUMN Obrazek")
    follower = watch(path, CategoriesView(fields=("order",)))
    follower.all()
    do(path, "UPDATE SkKat SET SText = 'x', Zobraz = 0")
    assert follower.all() == []
    assert (only(follower, "1").description, only(follower, "1").visible) == (None, True)


def test_a_chosen_field_without_its_column_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 0))
    do(path, "ALTER TABLE SkKat DROP COLUMN SText")
    with pytest.raises(SourceUnavailable, match="SText"):
        watch(path, PLAIN).one()
    assert watch(path, CategoriesView(fields=("visible",))).all() == ["1"]


@pytest.mark.parametrize("name", ["Všechny kategorie", " VŠECHNY  KATEGORIE ", None])
def test_the_trees_own_root_is_no_category_and_its_children_are_at_the_top(tmp_path: Path, name: str | None) -> None:
    path = tree(tmp_path / "p.db", (name, None), ("A", 1), ("B", 2))
    follower = watch(path, PLAIN)
    assert follower.all() == ["2", "3"]
    assert parents(follower) == {"2": None, "3": 2}
    assert only(follower, "3").code == "A / B"
    assert not any(each.verdict == "warning" for each in follower.source.check() if each.subject == "categories")


def test_a_category_named_like_the_root_beside_others_is_one(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("Všechny kategorie", 0), ("A", 0), ("B", 1))
    follower = watch(path, PLAIN)
    follower.all()
    assert parents(follower) == {"1": None, "2": None, "3": 1}


@pytest.mark.parametrize("name", [None, "", "  "])
def test_a_row_without_a_name_is_no_category_and_what_lies_under_it_says_so(tmp_path: Path, name: str | None) -> None:
    path = tree(tmp_path / "p.db", ("A", 0), (name, 1), ("C", 2))
    follower = watch(path, PLAIN)
    assert follower.all() == ["1", "3"]
    row = only(follower, "3")
    assert row.broken == "the category number 2, under which C (3) lies, has no name"
    assert (row.parent, row.code) == (None, "C")
    assert any("have no name" in each.text and each.hint for each in follower.source.check())


def test_a_circle_is_told_by_names_and_not_followed(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 3), ("B", 1), ("C", 2), ("Dole", 2), ("Sám", 5), ("Zdravá", 0))
    follower = watch(path, PLAIN)
    assert len(follower.all()) == 6
    found = seen(follower)
    assert found["1"].broken == "it lies in a circle: A (1) under C (3) under B (2) under A (1)"
    assert found["4"].broken == "it lies below a circle: B (2) under A (1) under C (3) under B (2)"
    assert found["5"].broken == "it lies in a circle: Sám (5) under Sám (5)"
    assert (found["6"].broken, found["4"].parent) == ("", None)
    (warning,) = [each for each in follower.source.check() if each.verdict == "warning"]
    assert warning.text.startswith("5 categories have no place in the tree")
    assert follower.all() == []


def test_an_ancestor_that_goes_breaks_all_below_it_and_one_that_comes_mends_them(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 0), ("B", 1), ("C", 2))
    follower = watch(path, PLAIN)
    follower.all()
    do(path, "DELETE FROM SkKat WHERE ID = 1")
    assert sorted(follower.all()) == ["1", "2", "3"]
    assert only(follower, "3").broken == "the category number 1, under which B (2) lies, is not there"
    put(path, "SkKat", {"ID": 1, "IDS": "A", "RefNodeID": 0})
    assert sorted(follower.all()) == ["1", "2", "3"]
    assert (only(follower, "3").broken, only(follower, "3").parent) == ("", 2)


def test_a_chain_of_thousands_ends(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", *((f"K{number}", number) for number in range(5_000)))
    follower = watch(path, PLAIN)
    follower.all()
    broken = [key for key, row in seen(follower).items() if row.broken]
    assert len(broken) == 5_000 - DEEPEST - 1
    assert "levels deep" in only(follower, "5000").broken


def test_a_long_circle_is_told_in_short() -> None:
    ring = {number: number % 20 + 1 for number in range(1, 21)}
    _, why = Tree({number: f"K{number}" for number in ring}, ring).trail(1, ring[1])
    assert why.count("under") == 7
    assert "…" in why


def test_siblings_with_one_name_are_two(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 0), ("Židle", 1), ("Židle", 1))
    follower = watch(path, PLAIN)
    assert follower.all() == ["1", "2", "3"]
    assert only(follower, "2").code == only(follower, "3").code


def test_a_picture_is_followed_as_a_file(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 0), ("B", 0))
    do(path, "UPDATE SkKat SET Obrazek = ' a.png ' WHERE ID = 1")
    where = folder(tmp_path)
    clock = Clock()
    follower = watch(path, CategoriesView(documents(where, clock)))
    follower.all()
    row = only(follower, "1")
    assert (row.file, row.sha) == ("a.png", "")
    assert "missing" in row.trouble
    assert row.hint
    folder(tmp_path, "a.png")
    clock.now += 60
    assert follower.all() == ["1"]
    assert (len(only(follower, "1").sha), only(follower, "1").trouble) == (64, "")
    folder(tmp_path, "b.png", "a.png")
    os.utime(where / "Obrázky" / "a.png", ns=(1, 1))
    clock.now += 60
    assert follower.all() == ["1"]
    assert follower.all() == []


def test_a_key_that_is_no_number_finds_nothing(tmp_path: Path) -> None:
    follower = watch(tree(tmp_path / "p.db", ("A", 0)), PLAIN)
    follower.second(["kladivo", "1"])
    assert (follower.rows["kladivo"], only(follower, "1").name) == ((), "A")


def test_reading_it_whole_gives_every_category(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", *((f"K{number}", number // 2) for number in range(1, 1_200)))
    source = watch(path, PLAIN, chunk=500).source
    found: dict[str, Any] = {}
    for rows in whole(source, Gathered()):
        found.update(rows)
    assert {key: row.parent for key, (row,) in found.items()} == {str(n): n // 2 or None for n in range(1, 1_200)}


def test_by_date_a_saved_category_is_told_with_its_way(tmp_path: Path) -> None:
    path = tree(tmp_path / "p.db", ("A", 0), ("B", 1))
    follower = watch(path, PLAIN, row_version="modified-at")
    follower.all()
    do(path, "UPDATE SkKat SET IDS = 'B2', DatSave = datetime('now', 'localtime') WHERE ID = 2")
    assert follower.one().changes[0].key == "2"
    assert only(follower, "2").code == "A / B2"


def test_other_settings_are_told_from_each_other(tmp_path: Path) -> None:
    pictured = CategoriesView(documents(folder(tmp_path)))
    views = [PLAIN, pictured, CategoriesView(fields=("order",)), CategoriesView(fields=())]
    assert len({view.settings() for view in views}) == len(views)
    assert (
        CategoriesView(fields=("order", "visible")).settings() == CategoriesView(fields=("visible", "order")).settings()
    )
