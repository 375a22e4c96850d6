"""Claims about reading what hangs on rows: in few statements, in order, and nobody gets another one's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.reader import Reader
from agent.sources.views.children import FIRST, children
from tests.unit.tables_fixture import put, shop


class Counted:
    """A reader that remembers how many statements went through it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a reader has
        return getattr(self._reader, name)

    def run(self, sql: str, parameters: Any = ()) -> Any:  # noqa: ANN401 - as a reader's
        self.asked.append(sql)
        return self._reader.run(sql, parameters)


def asked_for(path: Path, ids: list[int]) -> tuple[dict[int, list[Any]], list[str]]:
    with open_database(str(path)).reading() as reader:
        counted: Any = Counted(reader)
        made = children(reader, Catalogue().need(reader, "OBJpol", ["ID"]), ("Kod", "Nic"))
        found = made.of(counted, ids)
        return {parent: [row[FIRST:] for row in some] for parent, some in found.items()}, counted.asked


def lines(path: Path, *rows: tuple[int, str, Any]) -> Path:
    shop(path)
    put(path, "OBJpol", *({"RefAg": parent, "Kod": code, "OrderFld": order} for parent, code, order in rows))
    return path


def test_children_come_by_their_order_and_then_their_ids(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.db", (1, "c", 2), (2, "x", 1), (1, "b", 1), (1, "a", None), (1, "d", 2), (1, "?", "x"))
    found, _ = asked_for(path, [1, 7])
    assert found == {1: [("a", None), ("?", None), ("b", None), ("c", None), ("d", None)]}


def test_a_page_takes_one_statement_and_what_it_brings_beside_is_dropped(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.db", *((number, str(number), 1) for number in range(1, 3_001)))
    found, asked = asked_for(path, list(range(1, 3_001, 3)))
    assert len(asked) == 1
    assert found == {number: [(str(number), None)] for number in range(1, 3_001, 3)}


def test_few_cards_far_apart_do_not_cost_all_between_them(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.db", *((number, str(number), 1) for number in (1, 500_000, 1_000_000)))
    for ids in ([1, 1_000_000], list(range(1, 1_000_001, 4_000))):
        found, asked = asked_for(path, ids)
        assert len(asked) == -(-len(ids) // 200)
        assert all(" IN " in sql for sql in asked)
        assert found.keys() == {1, 500_000, 1_000_000} & set(ids)


def test_nothing_asks_nothing(tmp_path: Path) -> None:
    assert asked_for(lines(tmp_path / "p.db"), []) == ({}, [])
