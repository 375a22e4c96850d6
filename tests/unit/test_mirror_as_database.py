"""What a database says of categories, parameters, suppliers and orders, its exports say as well: the same values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.events import Value
from agent.jobs.whole import Gathered, whole
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.views.card_categories import CardCategoriesView
from agent.sources.views.card_parameters import CardParametersView
from agent.sources.views.card_suppliers import CardSuppliersView
from agent.sources.views.categories import CategoriesView
from agent.sources.views.orders import OrdersView
from agent.targets import Target
from agent.targets.categories import Categories, CategorySettings
from agent.targets.firms import Firms
from agent.targets.order_states import OrderStates, OrderStateSettings
from agent.targets.parameters import Parameters, ParameterSettings
from agent.targets.product_categories import ProductCategories, ProductCategorySettings
from agent.targets.suppliers import Suppliers, SupplierSettings
from agent.targets.terms import Terms
from tests.unit import list_documents as say
from tests.unit.list_documents import ALL, Desk
from tests.unit.pohoda_fixture import do
from tests.unit.tables_fixture import put, shop

SINCE = dt.date(2026, 11, 1)
MAP = {"transferred": "4", "executed": "5", "partly": "9", "cancelled": "6"}
FIELDS = ("description", "order", "visible")


def books(path: Path) -> Path:
    """A POHODA with something of every type."""
    shop(path, ("A", 1, 5.0, 1), ("B", 1, 5.0, 1), ("C", 1, 5.0, 0), ("B", 2, 1.0, 1))
    tree = [("Nábytek", 0, 2, 1), ("Židle", 1, 1, 0), ("Stoly", 1, 0, 1), ("Židle", 3, 5, 1), ("X & Y", 0, None, 1)]
    names = ("IDS", "RefNodeID", "Poradi", "Zobraz")
    put(path, "SkKat", *(dict(zip(names, row, strict=True)) | {"SText": f"o {row[0]}"} for row in tree))
    put(
        path, "SkRefKat", *({"RefAg": card, "RefKat": kind} for card, kind in ((1, 4), (1, 2), (2, 5), (3, 1), (1, 77)))
    )
    put(
        path,
        "SkParam",
        {"IDS": "Text", "RelTyp": 1},
        {"IDS": "Ano", "RelTyp": 3},
        {"IDS": "Délka", "RelTyp": 5, "MJ": "cm"},
    )
    put(path, "SkParam", {"IDS": " Barva  sedáku", "RelTyp": 8})
    put(path, "SkParamList", *({"RefAg": 4, "IDS": colour} for colour in ("červená", "Modrá", "bílá")))
    put(path, "SkRefParam", {"RefAg": 1, "RefParam": 1, "ValText": " dub "}, {"RefAg": 1, "RefParam": 2, "ValLong": 0})
    put(path, "SkRefParam", {"RefAg": 1, "RefParam": 3, "ValDouble": 12.25}, {"RefAg": 2, "RefParam": 4})
    chosen = ({"RefAg": 2, "RefParam": 4, "RefParamList": row, "Sel": 1} for row in (3, 1))
    put(path, "SKRefParamList", *chosen)
    put(path, "AD", {"Firma": "Dřevo s.r.o."}, {"Firma": "Kov"})
    put(path, "SKzNC", {"RefAg": 1, "RefAD": 2, "ObjKod": "K-1", "DefDod": 1}, {"RefAg": 1, "RefAD": 1, "DefDod": 0})
    do(path, "UPDATE SKz SET RefAD = 1, Vyrobce = 'ACME' WHERE ID < 3")
    state = ("PDoklad", "Vyrizeno", "BDodano", "DatStorn", "Datum")
    made = [("E1", 0, 0, None), ("E2", 1, 0, None), ("E3", 0, 1, None), ("E4", 0, 0, "2026-11-19 00:00:00")]
    made += [("E5", 0, 0, None), ("e1 ", 1, 0, None)]
    days = ["2026-11-18 00:00:00"] * 5 + ["2026-11-02 00:00:00"]
    for row, day in zip(made, days, strict=True):
        put(path, "OBJ", {"RelTpObj": 1, **dict(zip(state, (*row, day), strict=True))})
    put(path, "OBJ", {"RelTpObj": 2, "PDoklad": "E9", "Vyrizeno": 1, "Datum": days[0]})
    lines = ((1, 1, "A", 2.0, 1.0), (2, 2, "B", 1.0, 1.0), (5, 1, "A", 3.0, 2.0), (5, 2, "B", 1.0, 0.0))
    put(
        path,
        "OBJpol",
        *(dict(zip(("RefAg", "RefSKz", "Kod", "Mnozstvi", "Dodano"), row, strict=True)) for row in lines),
    )
    return path


WORDS = {1: "textValue", 3: "booleanValue", 5: "numberValue", 8: "listValue"}


class Export:
    """What POHODA would write of the books."""

    def __init__(self, path: Path) -> None:
        with closing(open_database(str(path))) as database, database.reading() as reader:
            self.sql = {
                name: reader.run(text)
                for name, text in {
                    "cards": "SELECT c.ID, c.IDS, s.IDS, c.IObchod, c.RefAD, c.Vyrobce FROM SKz c"
                    " JOIN sSklad s ON s.ID = c.RefSklad ORDER BY c.ID",
                    "linked": "SELECT RefAg, RefKat FROM SkRefKat ORDER BY ID",
                    "tree": "SELECT ID, IDS, SText, RefNodeID, Poradi, Zobraz FROM SkKat",
                    "defined": "SELECT ID, IDS, RelTyp, MJ FROM SkParam",
                    "listed": "SELECT RefAg, ID, IDS FROM SkParamList",
                    "said": "SELECT RefAg, RefParam, ValText, ValLong, ValDouble FROM SkRefParam ORDER BY ID",
                    "chosen": "SELECT RefAg, RefParam, RefParamList FROM SKRefParamList ORDER BY ID",
                    "supplied": "SELECT s.RefAg, s.RefAD, a.Firma, s.ObjKod, s.DefDod FROM SKzNC s"
                    " JOIN AD a ON a.ID = s.RefAD ORDER BY s.ID",
                    "orders": "SELECT ID, PDoklad, Vyrizeno, BDodano, DatStorn, Datum, RelTpObj FROM OBJ",
                    "lines": "SELECT RefAg, RefSKz, Kod, Mnozstvi, Dodano FROM OBJpol ORDER BY ID",
                }.items()
            }

    def lists(self) -> Sequence[str]:
        codes = {row: code for row, code, *_ in self.sql["cards"]}
        suppliers = (say.supplied(row, codes[row], *self._of("supplied", row)) for row in codes)
        definitions = (
            say.definition(row, name, WORDS[kind], unit=unit or "", choices=self._of("listed", row))
            for row, name, kind, unit in self.sql["defined"]
        )
        return (
            say.cards(*map(self._card, self.sql["cards"])),
            say.categories(*self._branches(0)),
            say.parameters(*definitions),
            say.suppliers(*suppliers),
            say.orders(*map(self._order, self.sql["orders"])),
        )

    def _of(self, what: str, parent: int) -> list[Any]:
        return [row[1:] for row in self.sql[what] if row[0] == parent]

    def _card(self, raw: Any) -> str:  # noqa: ANN401 - a row of the database
        row, code, store, tick, firm, maker = raw
        inside = say.in_categories(*(kind for (kind,) in self._of("linked", row)))
        inside += say.with_parameters(*(self._parameter(row, said) for said in self._of("said", row)))
        inside += f"<stk:supplier><typ:id>{firm}</typ:id></stk:supplier>" if firm else ""
        inside += f"<stk:producer>{maker}</stk:producer>" if maker else ""
        made = say.card(code, row, store=store.strip(), inside=inside)
        return made if tick else made.replace("<stk:isInternet>true", "<stk:isInternet>false")

    def _parameter(self, card: int, said: Any) -> str:  # noqa: ANN401 - as above
        row, *values = said
        name, kind = next((name, kind) for one, name, kind, _ in self.sql["defined"] if one == row)
        texts = {one: text for _, one, text in self.sql["listed"]}
        chosen = [(one, texts[one]) for of, one in self._of("chosen", card) if of == row]
        plain = [(None, str(value)) for value in values if value is not None]
        return say.parameter(row, name, WORDS[kind], *(chosen or plain))

    def _branches(self, parent: int) -> list[str]:
        found = []
        for row, name, text, above, place, shown in self.sql["tree"]:
            if above == parent:
                more = f"<ctg:description>{text}</ctg:description><ctg:displayed>{bool(shown)}</ctg:displayed>".lower()
                more += "" if place is None else f"<ctg:sequence>{place}</ctg:sequence>"
                more = more.replace(text.lower(), text).replace("&", "&amp;")
                found.append(say.category(row, name.replace("&", "&amp;"), *self._branches(row), more=more))
        return found

    def _order(self, raw: Any) -> str:  # noqa: ANN401 - as above
        row, number, done, sent, cancelled, day, kind = raw
        more = f"<ord:isExecuted>{done or 0}</ord:isExecuted><ord:isDelivered>{sent or 0}</ord:isDelivered>"
        more += f"<ord:dateCancellation>{cancelled[:10]}</ord:dateCancellation>" if cancelled else ""
        kinds = {1: "receivedOrder", 2: "issuedOrder"}
        return say.order(row, number, *self._of("lines", row), more=more, kind=kinds[kind], day=day[:10])


def values(source: PohodaTable[Any], target: Target) -> dict[str, Value]:
    rows = {key: of for some in whole(source, Gathered()) for key, of in some.items()}
    return {key: target.value(key, present) for key, present in rows.items()}


def things(source: PohodaTable[Any], target: Any) -> dict[str, Any]:  # noqa: ANN401 - one that collects
    rows = {key: of for some in whole(source, Gathered()) for key, of in some.items()}
    return {key: made for present in rows.values() for key, made in target.things(present).items()}


def test_exports_make_the_same_values_as_the_database(tmp_path: Path) -> None:
    path = books(tmp_path / "pohoda.db")
    desk = Desk(tmp_path)
    last = desk.tell(*Export(path).lists())
    assert (last.outcome, last.bad) == ("done", 0), last
    targets: Sequence[tuple[Any, Target, int]] = (
        (CategoriesView(fields=FIELDS), Categories(CategorySettings(fields=FIELDS)), 5),
        (CardCategoriesView(), ProductCategories(ProductCategorySettings()), 2),
        (CardParametersView(), Parameters(ParameterSettings()), 2),
        (CardSuppliersView(), Suppliers(SupplierSettings()), 2),
        (OrdersView(since=SINCE), OrderStates(OrderStateSettings(since=SINCE, map=MAP)), 5),
    )
    with closing(open_database(str(path))) as database:
        for view, target, count in targets:
            told = values(desk.source(view, ALL), target)
            assert told == values(PohodaTable("things", database, view), target), target.name
            assert len([value for value in told.values() if value is not None]) == count, told
        named: Sequence[tuple[Any, Any]] = (
            (CardParametersView(), Terms(ParameterSettings())),
            (CardSuppliersView(), Firms(SupplierSettings())),
        )
        for view, target in named:
            made = things(desk.source(view, ALL), target)
            assert made == things(PohodaTable("things", database, view), target)
            assert made
    desk.close()
