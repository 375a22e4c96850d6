"""Claims about the view of pictures: whose they are, and that the files behind their names are compared, too."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import mssql

from agent.demo import pohoda
from agent.demo.goods import png
from agent.errors import SourceUnavailable
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.documents import Documents
from agent.sources.queries import Queries
from agent.sources.views.pictures import CHUNK, PicturesView
from agent.sources.views.products import ProductsView
from tests.unit.catalogue_fixture import documents, folder, picture, rows, watch
from tests.unit.pohoda_fixture import Follower, do, small


def shown(tmp_path: Path) -> tuple[Path, Path, Follower]:
    """Card A with two pictures, card B with one, card C (not ticked) with one; read to the end."""
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1), ("B", 2, 5.0, 1), ("C", 1, 5.0, 0), ("D", 1, 5.0, 1))
    where = folder(tmp_path, "a1.png", "a2.png", "b.png", "c.png")
    picture(path, 1, "a1.png", default=True, alt="čelní pohled")
    picture(path, 1, " a2.png ", order=2)
    picture(path, 2, "b.png")
    picture(path, 3, "c.png")
    follower = watch(path, PicturesView(documents(where)))
    follower.all()
    return path, where / "Obrázky", follower


def sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_row_is_a_picture_with_the_code_of_its_card_and_the_hash_of_its_file(tmp_path: Path) -> None:
    _, files, follower = shown(tmp_path)
    assert set(follower.rows) == {"a", "b", "c"}
    first, second = rows(follower, "a")
    assert (first.id, first.code, first.store, first.internet) == (1, "A", "HLAVNI", True)
    assert (first.file, first.alt, first.default, first.order) == ("a1.png", "čelní pohled", True, 1)
    assert (second.file, second.default, second.order, second.trouble) == ("a2.png", False, 2, "")
    assert [first.sha, second.sha] == [sha(files / "a1.png"), sha(files / "a2.png")]
    assert follower.all() == []


def test_pictures_of_a_card_that_is_not_ticked_are_not_offered_and_their_files_not_read(tmp_path: Path) -> None:
    path, files, follower = shown(tmp_path)
    (row,) = rows(follower, "c")
    assert (row.internet, row.sha, row.trouble) == (False, "", "")
    assert [seen.offered for seen in follower.seen.rows.values() if seen.key == "c"] == [False]
    (files / "c.png").unlink()
    assert follower.all() == []
    do(path, "UPDATE SKz SET IObchod = 1 WHERE IDS = 'C'")
    assert follower.all() == ["c"]
    assert "missing" in rows(follower, "c")[0].trouble


@pytest.mark.parametrize("change", ["Popis = 'jiný'", "OrderFld = 9", "Vychozi = 0", "Soubor = 'a2.png'"])
def test_a_change_of_a_picture_is_told(tmp_path: Path, change: str) -> None:
    path, _, follower = shown(tmp_path)
    do(path, f"UPDATE SkRefObraz SET {change} WHERE ID = 1")
    assert follower.all() == ["a"]


def test_an_exchanged_file_is_told_at_the_next_pass_though_no_row_moved(tmp_path: Path) -> None:
    _, files, follower = shown(tmp_path)
    (files / "b.png").write_bytes(png(7, width=9))
    assert follower.all() == ["b"]
    assert rows(follower, "b")[0].sha == sha(files / "b.png")
    assert follower.all() == []


def test_a_missing_file_is_told_and_told_again_when_it_appears(tmp_path: Path) -> None:
    _, files, follower = shown(tmp_path)
    data = (files / "b.png").read_bytes()
    (files / "b.png").unlink()
    assert follower.all() == ["b"]
    (row,) = rows(follower, "b")
    assert row.sha == ""
    assert str(files / "b.png") in row.trouble
    assert row.hint
    assert follower.all() == []
    (files / "b.png").write_bytes(data)
    assert follower.all() == ["b"]
    assert rows(follower, "b")[0].trouble == ""


def test_the_last_picture_removed_leaves_a_key_without_rows(tmp_path: Path) -> None:
    path, _, follower = shown(tmp_path)
    do(path, "DELETE FROM SkRefObraz WHERE ID = 3")
    assert follower.all() == ["b"]
    assert rows(follower, "b") == ()


@pytest.mark.parametrize("movements", [True, False])
def test_the_newest_picture_removed_is_no_restored_database(tmp_path: Path, *, movements: bool) -> None:
    path, files, _ = shown(tmp_path)
    if not movements:  # an image of an Access file holds none
        do(path, "DROP TABLE SKzPoh")
    follower = watch(path, PicturesView(documents(files)))
    follower.all()
    do(path, "DELETE FROM SkRefObraz WHERE ID = 4")
    assert follower.all() == ["c"]
    assert not any(batch.wound_back for batch in follower.batches)


def test_a_card_that_is_deleted_or_renamed_is_told_by_its_pictures(tmp_path: Path) -> None:
    path, _, follower = shown(tmp_path)
    do(path, "DELETE FROM SKz WHERE IDS = 'B'")
    do(path, "UPDATE SKz SET IDS = 'X' WHERE IDS = 'A'")
    assert sorted(follower.all()) == ["a", "b", "x"]
    assert (rows(follower, "a"), rows(follower, "b"), len(rows(follower, "x"))) == ((), (), 2)


def test_only_chosen_stores_count(tmp_path: Path) -> None:
    path, files, _ = shown(tmp_path)
    assert watch(path, PicturesView(documents(files), stores=("PRODEJNA",))).all() == ["b"]


def test_changed_files_are_read_before_the_second_read_takes_its_lock(tmp_path: Path) -> None:
    path, files, _ = shown(tmp_path)
    store = documents(files)
    follower = watch(path, PicturesView(store))
    follower.source.read(None, follower.seen)
    assert sorted(Path(each).name for each in store._judged) == ["a1.png", "a2.png", "b.png"]


def test_a_folder_that_is_away_stops_reading_and_tells_nothing(tmp_path: Path) -> None:
    path, files, follower = shown(tmp_path)
    files.parent.rename(tmp_path / "away")
    with pytest.raises(SourceUnavailable, match="documents folder"):
        watch(path, PicturesView(documents(files.parent))).one()
    (tmp_path / "away").rename(files.parent)
    assert follower.all() == []


@pytest.mark.parametrize("column", ["Popis", "Vychozi", "OrderFld"])
def test_the_view_does_without_an_optional_column_and_says_so(tmp_path: Path, column: str) -> None:
    path, files, _ = shown(tmp_path)
    do(path, f"ALTER TABLE SkRefObraz DROP COLUMN {column}")
    follower = watch(path, PicturesView(documents(files)))
    assert "a" in follower.all()
    assert f"SkRefObraz.{column}" in {finding.subject for finding in follower.source.check()}


def test_check_counts_pictures_and_names_the_folder(tmp_path: Path) -> None:
    _, files, follower = shown(tmp_path)
    text = " ".join(finding.text for finding in follower.source.check())
    assert "4 pictures of cards in the chosen stores, 3 of cards with the tick Internet" in text
    assert str(files) in text


def test_a_row_version_of_the_pictures_finds_what_moved_there_and_joins_its_card(tmp_path: Path) -> None:
    path, _, _ = shown(tmp_path)
    do(path, "ALTER TABLE SkRefObraz ADD COLUMN RowVer integer")
    do(path, "UPDATE SkRefObraz SET RowVer = ID")
    follower = watch(path, PicturesView(documents(tmp_path / "Dokumenty")))
    follower.all()
    do(path, "UPDATE SkRefObraz SET Popis = 'nový', RowVer = 9 WHERE ID = 2")
    assert follower.all() == ["a"]


def test_sql_server_is_asked_by_a_join(tmp_path: Path) -> None:
    path, files, _ = shown(tmp_path)
    with open_database(str(path)).reading() as reader:
        ours = PicturesView(documents(files)).prepare(reader, Catalogue()).queries
    dialect: Any = mssql.dialect
    queries = Queries(dialect(paramstyle="qmark"), ours.table, ours.narrow, ours.extra, ours.within, ours.joined)
    for sql, _ in (queries.page(7, 20), queries.of_ids([1]), queries.of_codes(["A"])):
        assert "FROM [SkRefObraz] LEFT OUTER JOIN [SKz] ON [SkRefObraz].[RefAg] = [SKz].[ID] WHERE" in sql


def test_the_demos_pictures_are_all_found_and_its_cards_are_the_same_without_them(tmp_path: Path) -> None:
    pohoda.create(tmp_path / "plain.db", cards=40)
    pohoda.create(tmp_path / "p.db", cards=40, catalogue=True, documents=tmp_path / "Firma")
    follower = watch(tmp_path / "p.db", PicturesView(Documents(tmp_path / "Firma")), chunk=CHUNK)
    follower.all()
    found = [row for key in follower.rows for row in rows(follower, key) if row.internet]
    assert len(found) > 20
    assert not any(row.trouble for row in found)
    names = [watch(tmp_path / name, ProductsView(fields=("name", "ean"))) for name in ("plain.db", "p.db")]
    for one in names:
        one.all()
    assert names[0].rows == names[1].rows
