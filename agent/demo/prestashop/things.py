"""What products point to, without a request: categories, features, values, manufacturers, suppliers.

`Things` puts them in as an owner would by hand, reads what is there, and counts doubles, for the shop allows them all.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent.demo.prestashop import categories, features
from agent.demo.prestashop.quantity import stock_rows_by_reference
from agent.demo.prestashop.schema import Cell, slug, whole
from agent.demo.prestashop.store import Row, Store

COUNTED = ("categories", "product_features", "product_feature_values", "manufacturers", "suppliers")
_NAMED = {"product_feature_values": "value"}
_PARENT = {"categories": "id_parent", "product_feature_values": "id_feature"}


class Named(NamedTuple):
    """What must be there once: the parent's id (0 for none) and the name without case and stray spaces."""

    parent: int
    name: str


class Category(NamedTuple):
    """One category as a judge reads it."""

    id: int
    parent: int
    name: str
    position: int
    active: bool
    description: str


class Supplied(NamedTuple):
    """A supplier of a product, with its own code of the goods."""

    supplier: str
    reference: str


def folded(name: str) -> str:
    """Fold a name as names are matched: case and stray spaces do not count, diacritics do."""
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


class Things:
    """The owner's hand and the judge's eye on what products point to."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- the owner's hand ---------------------------------------------------------------------------------------------

    def add_category(
        self, name: str, parent: int = categories.HOME, *, active: bool = True, row: int | None = None
    ) -> int:
        """Put a category below a parent, last; returns its id."""
        values = self._texts(name=name, link_rewrite=slug(name) or "kategorie")
        with self._store.lock:
            return categories.insert(
                self._store, {**values, **self._now(), "id_parent": parent, "active": "1" if active else "0"}, row
            )

    def add_feature(self, name: str) -> int:
        """Put a feature in, last; returns its id."""
        with self._store.lock:
            position = features.next_feature_position(self._store)
            return self._store.seed("product_features", None, {**self._texts(name=name), "position": position})

    def add_feature_value(self, feature: int, value: str, *, custom: bool = False) -> int:
        """Put a value of a feature in, last; returns its id."""
        with self._store.lock:
            position = features.next_value_position(self._store, feature)
            row: Row = {"id_feature": feature, "position": position, "custom": "1" if custom else "0"}
            return self._store.seed("product_feature_values", None, {**row, **self._texts(value=value)})

    def add_manufacturer(self, name: str) -> int:
        """Put a manufacturer in; returns its id."""
        return self._store.seed("manufacturers", None, {"name": name, "active": "1", **self._now()})

    def add_supplier(self, name: str) -> int:
        """Put a supplier in; returns its id."""
        return self._store.seed("suppliers", None, {"name": name, "active": "1", **self._now()})

    def set_categories(self, reference: str, ids: Sequence[int], main: int | None = None) -> None:
        """Put the product of a code into exactly these categories, as the owner would; `KeyError`."""
        with self._store.lock:
            product = self._product(reference)
            categories.assign(self._store, product, [{"id": one} for one in ids])
            if main is not None:
                self._store.tables["products"].change(product, {"id_category_default": main})

    def set_features(self, reference: str, pairs: Sequence[tuple[int, int]]) -> None:
        """Give the product of a code exactly these pairs of feature and value; `KeyError`."""
        with self._store.lock:
            entries = [{"id": feature, "id_feature_value": value} for feature, value in pairs]
            features.assign(self._store, self._product(reference), entries)

    # -- the judge's eye ----------------------------------------------------------------------------------------------

    def doubled(self) -> dict[str, dict[Named, int]]:
        """What is there more than once, by resource: parent and folded name → how often. Empty for a good shop."""
        counted = {resource: self.counts(resource) for resource in COUNTED}
        found = {name: {one: times for one, times in every.items() if times > 1} for name, every in counted.items()}
        return {name: twice for name, twice in found.items() if twice}

    def counts(self, resource: str) -> Counter[Named]:
        """How often each (parent, folded name) of one of `COUNTED` is there."""
        with self._store.lock:
            table = self._store.tables[resource]
            return Counter(
                Named(whole(row.get(_PARENT.get(resource, ""), 0)), folded(self.name_of(resource, one)))
                for one, row in table.rows.items()
            )

    def name_of(self, resource: str, row: int) -> str:
        """The name of a thing in the language that the shop runs in; empty for one that is not there."""
        value = self._store.tables[resource].rows.get(row, {}).get(_NAMED.get(resource, "name"))
        return str((value.get(self._store.languages[0]) if isinstance(value, dict) else value) or "")

    def ids(self, resource: str, name: str, parent: int = 0) -> list[int]:
        """Ids of the things of this name (below this parent, for categories and values), ascending."""
        with self._store.lock:
            table = self._store.tables[resource]
            up, wanted = _PARENT.get(resource, ""), folded(name)
            return [
                one
                for one in table.ids()
                if whole(table.rows[one].get(up, 0)) == parent and folded(self.name_of(resource, one)) == wanted
            ]

    def categories(self) -> dict[int, Category]:
        """Every category but the root and the home, by id."""
        with self._store.lock:
            rows = self._store.tables["categories"].rows
            return {
                one: Category(
                    one,
                    whole(row.get("id_parent", 0)),
                    self.name_of("categories", one),
                    whole(row.get("position", 0)),
                    row.get("active") == "1",
                    self._text(row.get("description")),
                )
                for one, row in rows.items()
                if one not in {categories.ROOT, categories.HOME}
            }

    def categories_of(self, reference: str) -> tuple[list[int], int]:
        """Ids of the categories of a product, ascending, and of its main one; `KeyError`."""
        with self._store.lock:
            product = self._product(reference)
            table = self._store.tables["products"]
            inside = [whole(one["id"]) for one in self._store.entries(table, product, "categories")]
            return sorted(inside), whole(table.rows[product].get("id_category_default", 0))

    def features_of(self, reference: str) -> dict[str, list[str]]:
        """The parameters of a product: name → values, in the order in which they were created; `KeyError`."""
        with self._store.lock:
            found: dict[str, list[str]] = {}
            table = self._store.tables["products"]
            for pair in self._store.entries(table, self._product(reference), "product_features"):
                name = self.name_of("product_features", whole(pair["id"]))
                value = self.name_of("product_feature_values", whole(pair["id_feature_value"]))
                found.setdefault(name, []).append(value)
            return found

    def manufacturer_of(self, reference: str) -> str:
        """The name of a product's manufacturer; empty for none; `KeyError`."""
        with self._store.lock:
            row = self._store.tables["products"].rows[self._product(reference)]
            return self.name_of("manufacturers", whole(row.get("id_manufacturer", 0)))

    def suppliers_of(self, reference: str) -> tuple[list[Supplied], str]:
        """The suppliers of a product (itself, not its combinations), and the name of its main one; `KeyError`."""
        with self._store.lock:
            product = self._product(reference)
            table = self._store.tables["product_suppliers"]
            rows = [table.rows[one] for one in table.find("id_product", product)]
            found = [
                Supplied(
                    self.name_of("suppliers", whole(row.get("id_supplier", 0))),
                    str(row.get("product_supplier_reference", "")),
                )
                for row in rows
                if not row.get("id_product_attribute")
            ]
            main = whole(self._store.tables["products"].rows[product].get("id_supplier", 0))
            return sorted(found), self.name_of("suppliers", main)

    def picture_of(self, resource: str, row: int) -> bytes | None:
        """The stored picture of a category, manufacturer or supplier; None for none."""
        with self._store.lock:
            face = self._store.faces.get((resource, row))
            return None if face is None else face.data

    def _product(self, reference: str) -> int:
        rows = stock_rows_by_reference(self._store, reference)
        if not rows:
            raise KeyError(reference)
        return whole(self._store.tables["stock_availables"].rows[rows[0]].get("id_product", 0))

    def _texts(self, **texts: str) -> Row:
        return {name: dict.fromkeys(self._store.languages, value) for name, value in texts.items()}

    def _text(self, value: Cell) -> str:
        return str((value.get(self._store.languages[0]) if isinstance(value, dict) else value) or "")

    def _now(self) -> Mapping[str, str]:
        now = self._store.now()
        return {"date_add": now, "date_upd": now}
