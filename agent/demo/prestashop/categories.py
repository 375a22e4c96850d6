"""Categories: the description, the tree, and which products are in them.

Recorded: a parent that does not exist, or is the category itself, is an empty 500 and nothing is kept; names are not
unique; an address part is made a valid one when a category is created, and must be there at all; a move keeps the
position; a category that holds no product counts -1; unknown categories of a product are dropped from its set.
From the shop's public source: a deleted category takes its subcategories with it. Chosen, for nothing was recorded: a
product whose main category goes has the parent as its main one from then on (the shop may keep the id that is gone);
neither the root nor the home can be deleted; a cycle is the same empty 500 as a category below itself; a position that
is sent is kept, whoever has it, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.demo.prestashop.errors import CrashError, WebserviceError
from agent.demo.prestashop.schema import (
    Association,
    Cell,
    Entry,
    Part,
    Resource,
    flag,
    moments,
    number,
    slug,
    text,
    texts,
    whole,
)
from agent.demo.prestashop.store import Row, Rules, Store
from agent.demo.prestashop.validation import RULES as FORMATS

ROOT = 1
HOME = 2
_UINT = "isUnsignedInt"
_GENERIC = "isGenericName"
_NO_PRODUCTS = -1

CATEGORIES = Resource(
    name="categories",
    node="category",
    class_name="Category",
    description="The product categories",
    indexed=("id_parent",),
    fields=(
        number("id_parent", _UINT, link="categories"),
        number("level_depth", _UINT, read_only=True),
        number("nb_products_recursive", read_only=True, computed=True),
        flag("active", required=True),
        number("id_shop_default", "isUnsignedId", default="1"),
        flag("is_root_category"),
        number("position"),
        text("redirect_type", "isString"),
        number("id_type_redirected", "isUnsignedId"),
        *moments(),
        texts("name", "isCatalogName", 128, required=True),
        texts("link_rewrite", "isLinkRewrite", 128, required=True),
        texts("description", "isCleanHtml"),
        texts("additional_description", "isCleanHtml"),
        texts("meta_title", _GENERIC, 255),
        texts("meta_description", _GENERIC, 512),
    ),
    associations=(
        Association("categories", "category", "categories", required=frozenset()),
        Association("products", "product", "products", required=frozenset()),
    ),
)


def beginning(languages: tuple[int, ...]) -> Mapping[int, Mapping[str, Cell]]:
    """The two categories that a shop has from the first day."""

    def both(name: str) -> Cell:
        return dict.fromkeys(languages, name)

    return {
        ROOT: {"active": "1", "id_shop_default": 1, "name": both("Root"), "link_rewrite": both("root")},
        HOME: {
            "id_parent": ROOT,
            "active": "1",
            "id_shop_default": 1,
            "is_root_category": "1",
            "name": both("Home"),
            "link_rewrite": both("home"),
        },
    }


def children_of(store: Store, category: int) -> list[int]:
    """Ids of the categories right below one, in the order in which the shop's index has them."""
    return list(store.tables["categories"].find("id_parent", category))


def parent_of(store: Store, category: int) -> int:
    """Id of the category above; 0 for the root."""
    return whole(store.tables["categories"].rows[category].get("id_parent", 0))


def path_of(store: Store, category: int) -> list[int]:
    """The ids from a category up to the root, itself first."""
    rows, path = store.tables["categories"].rows, []
    while category in rows and category not in path:
        path.append(category)
        category = parent_of(store, category)
    return path


def below(store: Store, category: int) -> Iterator[int]:
    """Ids of all categories below one, each before its own children."""
    for child in children_of(store, category):
        yield child
        yield from below(store, child)


def insert(store: Store, values: Row, row_id: int | None = None) -> int:
    """Put a category in, last among those below its parent; returns its id."""
    made = store.seed("categories", row_id, {"position": next_position(store, whole(values["id_parent"])), **values})
    store.positions.setdefault(made, {})
    return made


def next_position(store: Store, parent: int) -> int:
    """The position of one more category below a parent: counted from 0 (recorded)."""
    rows = store.tables["categories"].rows
    return max((whole(rows[one].get("position", 0)) for one in children_of(store, parent)), default=-1) + 1


def assign(store: Store, product: int, entries: list[Entry]) -> None:
    """Put a product into exactly these categories; it keeps its place where it was and goes last where it is new."""
    known = store.tables["categories"].rows
    wanted = sorted({one["id"] for one in entries if one.get("id") in known})
    for category in set(_of(store, product)).difference(wanted):
        store.positions.get(category, {}).pop(product, None)
    for category in wanted:
        enter(store, product, category)
    store.link(store.tables["products"], product, "categories", [{"id": category} for category in wanted])


def enter(store: Store, product: int, category: int) -> None:
    """Put a product last into a category, unless it is in it; quick for the thousandth one, too."""
    members = store.positions.setdefault(category, {})
    if product not in members:
        members[product] = next(reversed(members.values()), 0) + 1  # who came last has the highest place


def position_in_category(store: Store, product: int) -> Cell:
    """The place of a product in its main category; empty when it is not in it (recorded)."""
    category = whole(store.tables["products"].rows[product].get("id_category_default", 0))
    return store.positions.get(category, {}).get(product, "")


def leave_all(store: Store, product: int) -> None:
    """Take a product out of all categories, before it is deleted."""
    for category in _of(store, product):
        store.positions.get(category, {}).pop(product, None)


def _of(store: Store, product: int) -> list[int]:
    return [whole(one["id"]) for one in store.entries(store.tables["products"], product, "categories")]


def _products(store: Store, category: int) -> Sequence[Part]:
    members = store.positions.get(category, {})
    return [{"id": product} for product in sorted(members, key=lambda one: (members[one], one))]


def _count(store: Store, category: int) -> Cell:
    found = set(store.positions.get(category, {}))
    for one in below(store, category):
        found |= store.positions.get(one, {}).keys()
    return len(found) or _NO_PRODUCTS


def _preparing(_store: Store, raw: Row) -> None:
    """Make valid address parts, as the shop does for new categories."""
    given = raw["link_rewrite"]
    if not isinstance(given, dict):
        raw["link_rewrite"] = " "  # recorded: without any, error 84, and not that it is empty
        return
    names = raw["name"] if isinstance(raw["name"], dict) else {}
    parts = {language: given.get(language) or slug(name or "") for language, name in names.items()}
    raw["link_rewrite"] = {
        language: part if not part or FORMATS["isLinkRewrite"](part) else slug(part)
        for language, part in {**given, **parts}.items()
        if part is not None
    }


def _saving(store: Store, category: int, raw: Row) -> None:
    if "id_parent" not in raw:
        return
    parent = whole(raw["id_parent"])
    if category == ROOT and parent == 0:
        return
    if parent not in store.tables["categories"].rows or (category and category in path_of(store, parent)):
        raise CrashError


def _created(store: Store, category: int) -> None:
    table = store.tables["categories"]
    if not table.rows[category].get("position"):
        beside = next_position(store, parent_of(store, category))
        others = [one for one in children_of(store, parent_of(store, category)) if one != category]
        table.change(category, {"position": beside if others else 0})
    store.positions.setdefault(category, {})


def _removing(store: Store, category: int) -> None:
    if category in {ROOT, HOME}:
        raise WebserviceError(500, 88, f"Id(s) wasn't deleted: {category}")
    table, parent = store.tables["categories"], parent_of(store, category)
    gone = [category, *below(store, category)]
    for one in gone:
        for product in store.positions.pop(one, {}):
            left = [{"id": other} for other in _of(store, product) if other != one]
            store.link(store.tables["products"], product, "categories", left)
        store.faces.pop(("categories", one), None)
    _give_parent(store, set(gone), parent)
    for one in reversed(gone[1:]):
        table.remove(one)


def _give_parent(store: Store, gone: set[int], parent: int) -> None:
    products = store.tables["products"]
    for product, row in products.rows.items():
        if row.get("id_category_default") in gone:
            products.change(product, {"id_category_default": parent})


CATEGORY_RULES = Rules(
    computed={
        "level_depth": lambda store, category: len(path_of(store, category)) - 1,
        "nb_products_recursive": _count,
    },
    listed={
        "categories": lambda store, category: [{"id": one} for one in children_of(store, category)],
        "products": _products,
    },
    preparing=_preparing,
    saving=_saving,
    created=_created,
    removing=_removing,
)
