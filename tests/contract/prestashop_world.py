"""PrestaShop in the contract: the fake of 9.1.4, which is held against recordings of the real one."""

from __future__ import annotations

import base64
import contextlib
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from agent.demo.prestashop import FakePrestaShop, catalogue
from agent.demo.prestashop.categories import HOME
from agent.demo.prestashop.schema import whole
from agent.demo.prestashop.store import Row
from agent.events import Value
from agent.shops import Shop
from agent.shops.prestashop import PrestaShop
from agent.shops.prestashop_fields import FIELDS, MARKS
from tests.contract.world import Seen, SeenCategory, SeenFirms, SeenPicture, World
from tests.fault_server import FaultProxy

ENGLISH, CZECH = 1, 2


class PrestaShopWorld:
    """The fake of PrestaShop 9.1.4, which is held against recordings of the real one."""

    smallest = -(2**31)
    unknown_link = "999999:999999:0"
    fields = FIELDS
    vat_rates = ("21", "12")
    marks = tuple(sorted(MARKS))
    keeps_order = False  # the webservice cannot write the position by which the shop sorts
    keeps_main = True
    keeps_codes = True
    remembers_categories = False
    refused: Mapping[str, tuple[str, ...]] = {
        "categories": ("<b>", "a;b", "a=b", "a#b", "{a}", "x" * 129),
        "parameters.terms": ("<b>", "a=b", "{a}", "x" * 256),
        "suppliers.firms": ("<b>", "a;b", "a=b", "a#b", "{a}", "x" * 65),
    }
    begun, partly, sent, delivered, cancelled = "2", "3", "4", "5", "6"

    def __init__(self, fake: FakePrestaShop, proxy: FaultProxy) -> None:
        self.fake = fake
        self.proxy = proxy
        self.secret = fake.key

    def shop(
        self,
        *,
        timeout: float = 5.0,
        secret: str | None = None,
        pictures: Callable[[str], bytes] | None = None,
        root: str = "",
    ) -> Shop:
        return PrestaShop(
            self.proxy.url,
            key=secret or self.secret,
            timeout=timeout,
            targets=PrestaShop.targets,
            pictures=pictures,
            root=root,
        )

    def add(self, *things: tuple[str, int]) -> None:
        self.fake.add_products(things)

    def remove(self, code: str) -> None:
        (row,) = catalogue.stock_rows_by_reference(self.fake.store, code)
        self._delete("products", whole(self.fake.store.tables["stock_availables"].rows[row]["id_product"]))

    def _delete(self, resource: str, row: int) -> None:
        request = urllib.request.Request(f"{self.fake.url}/api/{resource}/{row}", method="DELETE")
        request.add_header("authorization", "Basic " + base64.b64encode(f"{self.secret}:".encode()).decode())
        with urllib.request.urlopen(request, timeout=10) as said:
            assert said.status == 200

    def seen(self, code: str) -> list[Seen]:
        store = self.fake.store
        with store.lock:
            table = store.tables["products"]
            return [self._seen(table.rows[row], row) for row in table.find("reference", code)]

    def _seen(self, row: Row, product: int) -> Seen:
        def text(name: str, language: int = CZECH) -> str:
            kept = row.get(name)
            return str(kept.get(language) or "") if isinstance(kept, dict) else ""

        group = row.get("id_tax_rules_group", 0)
        fields: dict[str, Value] = {
            "name": text("name"),
            "description": text("description"),
            "short_description": text("description_short"),
            "availability": text("available_now"),
            "ean": str(row.get("ean13", "")),
            "unit": str(row.get("unity", "")),
            "weight": f"{Decimal(str(row.get('weight', 0))).normalize():f}",
            "vat": {1: "21", 2: "12"}.get(int(str(group)), "0"),
            "marks": ["action"] if row.get("on_sale") == "1" else [],
            "visible": row.get("active") == "1",
        }
        pictures = sorted(self.fake.store.shelf.of(product), key=lambda one: not one.cover)  # as customers see them
        return Seen(
            fields,
            f"{Decimal(str(row['price'])).normalize():f}",
            tuple(SeenPicture(str(one.id), None, one.cover) for one in pictures),
            (text("name", ENGLISH),),
        )

    def translate(self, code: str, name: str) -> None:
        table = self.fake.store.tables["products"]
        with self.fake.store.lock:
            for row in table.find("reference", code):
                texts = table.rows[row]["name"]
                assert isinstance(texts, dict)
                table.change(row, {"name": texts | {ENGLISH: name}})

    def add_picture(self, code: str) -> str:
        store = self.fake.store
        with store.lock:
            (product,) = store.tables["products"].find("reference", code)
            made = store.shelf.add(product)
            made.data = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
            return str(made.id)

    def sell(self, code: str, pieces: int) -> None:
        self.fake.sell(code, pieces)

    def everything(self) -> list[tuple[str, int]]:
        store = self.fake.store
        with store.lock:
            parents = {row["id_product"] for row in store.tables["combinations"].rows.values()}
            return [
                (catalogue.reference_of(store, number), catalogue.quantity_of(store, number))
                for number, row in store.tables["stock_availables"].rows.items()
                if row.get("id_product_attribute") or row["id_product"] not in parents
            ]

    # -- categories ---------------------------------------------------------------------------------------------------

    def home(self) -> str:
        return str(HOME)

    def categories(self) -> dict[str, SeenCategory]:
        store = self.fake.store
        with store.lock:
            rows = dict(store.tables["categories"].rows)
        return {
            str(one): SeenCategory(
                _czech(row, "name"),
                str(row.get("id_parent", 0)),
                row.get("active") == "1",
                _czech(row, "description"),
                self.fake.things.picture_of("categories", one) is not None,
            )
            for one, row in rows.items()
        }

    def children(self, category: str) -> list[str]:
        rows = self.fake.things.categories()
        mine = [one for one in rows.values() if one.parent == int(category)]
        return [str(one.id) for one in sorted(mine, key=lambda one: (one.position, one.id))]

    def category_in(self, link: str) -> str:
        return re.split("[:#]", link)[0]

    def link_to_category(self, category: str) -> str:
        return category

    def add_category(self, name: str, parent: str = "", *, visible: bool = True) -> str:
        return str(self.fake.things.add_category(name, int(parent or HOME), active=visible))

    def rename_category(self, category: str, name: str) -> None:
        self._rename("categories", int(category), "name", name)

    def translate_category(self, category: str, name: str) -> None:
        table = self.fake.store.tables["categories"]
        with self.fake.store.lock:
            texts = table.rows[int(category)]["name"]
            assert isinstance(texts, dict)
            table.change(int(category), {"name": texts | {ENGLISH: name}})

    def translation_of(self, category: str) -> str:
        texts = self.fake.store.tables["categories"].rows[int(category)]["name"]
        return str(texts.get(ENGLISH) or "") if isinstance(texts, dict) else ""

    def move_category(self, category: str, parent: str) -> None:
        with self.fake.store.lock:
            self.fake.store.tables["categories"].change(int(category), {"id_parent": int(parent)})

    def remove_category(self, category: str) -> None:
        self._delete("categories", int(category))

    def categories_of(self, code: str) -> set[str]:
        return {str(one) for one in self.fake.things.categories_of(code)[0]}

    def main_of(self, code: str) -> str:
        return str(self.fake.things.categories_of(code)[1])

    def put_into(self, code: str, category: str) -> None:
        present, main = self.fake.things.categories_of(code)
        self.fake.things.set_categories(code, [*present, int(category)], main)

    # -- parameters ---------------------------------------------------------------------------------------------------

    def terms(self) -> list[tuple[str, str]]:
        store = self.fake.store
        with store.lock:
            names = {one: _czech(row, "name") for one, row in store.tables["product_features"].rows.items()}
            values = [*store.tables["product_feature_values"].rows.values()]
        there = [(names.get(whole(row["id_feature"]), ""), _czech(row, "value")) for row in values]
        return [*((name, "") for name in names.values()), *there]

    def add_term(self, parameter: str, value: str = "") -> None:
        if value:
            self.fake.things.add_feature_value(self._feature(parameter), value)
        else:
            self.fake.things.add_feature(parameter)

    def rename_term(self, parameter: str, value: str, name: str) -> None:
        if value:
            self._rename("product_feature_values", self._value(parameter, value), "value", name)
        else:
            self._rename("product_features", self._feature(parameter), "name", name)

    def remove_term(self, parameter: str, value: str = "") -> None:
        if value:
            self._delete("product_feature_values", self._value(parameter, value))
        else:
            self._delete("product_features", self._feature(parameter))

    def parameters_of(self, code: str) -> dict[str, list[str]]:
        store = self.fake.store
        with store.lock:
            table = store.tables["products"]
            (product,) = table.find("reference", code)
            names, values = store.tables["product_features"].rows, store.tables["product_feature_values"].rows
            found: dict[str, list[str]] = {}
            for pair in store.entries(table, product, "product_features"):
                name = _czech(names[whole(pair["id"])], "name")
                found.setdefault(name, []).append(_czech(values[whole(pair["id_feature_value"])], "value"))
        return {name: sorted(texts) for name, texts in found.items()}

    def give_parameter(self, code: str, parameter: str, value: str) -> None:
        store = self.fake.store
        with store.lock:
            table = store.tables["products"]
            (product,) = table.find("reference", code)
            pairs = [
                (whole(one["id"]), whole(one["id_feature_value"]))
                for one in store.entries(table, product, "product_features")
            ]
        new = self._feature(parameter), self._value(parameter, value)
        self.fake.things.set_features(code, [*pairs, new])

    def _feature(self, name: str) -> int:
        return self._called("product_features", "name", name)[0]

    def _value(self, parameter: str, value: str) -> int:
        feature, rows = self._feature(parameter), self.fake.store.tables["product_feature_values"].rows
        found = self._called("product_feature_values", "value", value)
        return next(one for one in found if rows[one]["id_feature"] == feature)

    # -- firms --------------------------------------------------------------------------------------------------------

    def firms(self) -> list[tuple[str, str]]:
        store = self.fake.store
        with store.lock:
            return [
                (kind, str(row["name"]))
                for kind in ("manufacturer", "supplier")
                for row in store.tables[f"{kind}s"].rows.values()
            ]

    def add_firm(self, kind: str, name: str) -> None:
        make = {"manufacturer": self.fake.things.add_manufacturer, "supplier": self.fake.things.add_supplier}
        make[kind](name)

    def rename_firm(self, kind: str, name: str, new: str) -> None:
        with self.fake.store.lock:
            self.fake.store.tables[f"{kind}s"].change(self._firm(kind, name), {"name": new})

    def remove_firm(self, kind: str, name: str) -> None:
        self._delete(f"{kind}s", self._firm(kind, name))

    def firms_of(self, code: str) -> SeenFirms:
        suppliers, default = self.fake.things.suppliers_of(code)
        held = {one.supplier: one.reference for one in suppliers}
        assert len(held) == len(suppliers), suppliers
        return SeenFirms(self.fake.things.manufacturer_of(code) or None, held, default or None)

    def give_firm(self, code: str, kind: str, name: str) -> None:
        store, firm = self.fake.store, self._firm(kind, name)
        with store.lock:
            (product,) = store.tables["products"].find("reference", code)
            if kind == "manufacturer":
                store.tables["products"].change(product, {"id_manufacturer": firm})
            else:
                row = {"id_product": product, "id_product_attribute": 0, "id_supplier": firm, "id_currency": 1}
                store.seed("product_suppliers", None, row)

    def _firm(self, kind: str, name: str) -> int:
        return next(one for one, row in self.fake.store.tables[f"{kind}s"].rows.items() if row["name"] == name)

    def _called(self, resource: str, field: str, name: str) -> list[int]:
        rows = self.fake.store.tables[resource].rows
        return [one for one, row in rows.items() if _czech(row, field) == name]

    def _rename(self, resource: str, row: int, field: str, name: str) -> None:
        with self.fake.store.lock:
            self.fake.store.tables[resource].change(row, {field: {ENGLISH: name, CZECH: name}})

    # -- orders -------------------------------------------------------------------------------------------------------

    def buy(self, lines: Mapping[str, int]) -> str:
        return self.fake.orders.buy(lines, state=int(self.begun))

    def bring(self, number: str, state: str) -> None:
        self.fake.orders.set_state(number, int(state))

    def state_of(self, number: str) -> str:
        return str(self.fake.orders.state_of(number))

    def states_of(self, number: str) -> list[str]:
        return [str(state) for state in self.fake.orders.states_of(number)]

    def tracking_of(self, number: str) -> str:
        return self.fake.orders.tracking_of(number)

    def saleable(self, code: str) -> int:
        return self.fake.quantity_of(code)


def _czech(row: Row, field: str) -> str:
    kept = row.get(field)
    return str(kept.get(CZECH) or "") if isinstance(kept, dict) else str(kept or "")


@contextlib.contextmanager
def prestashop_world(_: Path) -> Iterator[World]:
    with (
        FakePrestaShop(key="PRESTA-K3Y-" + "x" * 21) as fake,
        FaultProxy(int(fake.url.rpartition(":")[2]), lambda request: not request.startswith(b"GET ")) as proxy,
    ):
        yield PrestaShopWorld(fake, proxy)
        assert fake.internal_errors == []
