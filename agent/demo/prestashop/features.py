"""Features and their values: what the shop calls the parameters of products.

Recorded: names and values are not unique, and a value may belong to a feature that does not exist; positions count from
0 among the features, and among the values of one feature; a product may name features and values that do not exist.
From the shop's public source: a product's pairs are a set, shown by feature and value; what is deleted goes from the
products, and a feature takes its values with it.
"""

from __future__ import annotations

from agent.demo.prestashop.schema import Entry, Field, Resource, number, texts, whole
from agent.demo.prestashop.store import Row, Rules, Store

_GENERIC = "isGenericName"

PRODUCT_FEATURES = Resource(
    name="product_features",
    node="product_feature",
    class_name="Feature",
    description="The product features",
    fields=(number("position", "isInt"), texts("name", _GENERIC, 128, required=True)),
)

PRODUCT_FEATURE_VALUES = Resource(
    name="product_feature_values",
    node="product_feature_value",
    class_name="FeatureValue",
    description="The product feature values",
    indexed=("id_feature",),
    fields=(
        number("id_feature", "isUnsignedId", link="product_features", required=True),
        Field("custom", "flag", "isBool"),
        number("position", "isInt"),
        texts("value", _GENERIC, 255, required=True),
    ),
)

FEATURES = (PRODUCT_FEATURES, PRODUCT_FEATURE_VALUES)


def next_feature_position(store: Store) -> int:
    """The position of one more feature."""
    rows = store.tables["product_features"].rows.values()
    return max((whole(row.get("position", 0)) for row in rows), default=-1) + 1


def next_value_position(store: Store, feature: int) -> int:
    """The position of one more value of a feature."""
    table = store.tables["product_feature_values"]
    found = table.find("id_feature", feature)
    return max((whole(table.rows[one].get("position", 0)) for one in found), default=-1) + 1


def assign(store: Store, product: int, entries: list[Entry]) -> None:
    """Give a product exactly these pairs of feature and value."""
    pairs = sorted({(one["id"], one.get("id_feature_value", 0)) for one in entries})
    kept: list[Entry] = [{"id": feature, "id_feature_value": value} for feature, value in pairs]
    store.link(store.tables["products"], product, "product_features", kept)


def _drop(store: Store, name: str, gone: int) -> None:
    products = store.tables["products"]
    for product, links in list(products.links.items()):
        pairs = links.get("product_features", [])
        if any(one.get(name) == gone for one in pairs):
            store.link(products, product, "product_features", [one for one in pairs if one.get(name) != gone])


def _preparing_feature(store: Store, raw: Row) -> None:
    raw["position"] = raw.get("position") or next_feature_position(store)


def _preparing_value(store: Store, raw: Row) -> None:
    raw["position"] = raw.get("position") or next_value_position(store, whole(raw["id_feature"]))


def _removing_feature(store: Store, feature: int) -> None:
    table = store.tables["product_feature_values"]
    for value in list(table.find("id_feature", feature)):
        table.remove(value)
    _drop(store, "id", feature)


FEATURE_RULES: dict[str, Rules] = {
    "product_features": Rules(preparing=_preparing_feature, removing=_removing_feature),
    "product_feature_values": Rules(
        preparing=_preparing_value, removing=lambda store, value: _drop(store, "id_feature_value", value)
    ),
}
