"""Categories, parameters and firms in the demo's shop, beside what POHODA's tables ask for (`asked`).

Categories are compared by their way from the top, so a moved one is missing where it ought to be, and one too many
where it is; what is gone in POHODA must be hidden. Parameters and firms are compared by name, without regard to case
and stray spaces; none may be there twice, and what the shop's owner put in (`owner`) must still be there. Products are
compared while they are on offer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.demo import owner
from agent.demo.asked import Card, Range, Shown, Way
from agent.demo.compare import Compared, unclosed
from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.schema import whole
from agent.demo.prestashop.things import folded
from agent.events import key_of

TARGETS = ("categories", "categories.products", "parameters.terms", "parameters", "suppliers.firms", "suppliers")
_CZECH = 2
"""The fake's number of the language that the agent writes."""


@dataclass(slots=True)
class _Shop:
    """The shop's categories, as far as they are below ours: their ways by id; and its codes by their keys."""

    shop: FakePrestaShop
    ways: dict[int, Way] = field(default_factory=dict)
    codes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.shop.store.tables["products"].rows.values():
            self.codes.setdefault(key_of(str(row["reference"])), []).append(str(row["reference"]))
        rows = self.shop.store.tables["categories"].rows
        waiting: list[tuple[int, Way]] = [(owner.ROOT, ())]
        below: dict[int, list[int]] = {}
        for one, row in rows.items():
            below.setdefault(whole(row.get("id_parent", 0)), []).append(one)
        while waiting:
            above, way = waiting.pop()
            for one in below.get(above, ()):
                self.ways[one] = (*way, " ".join(_text(rows[one], "name").split()))
                waiting.append((one, self.ways[one]))

    def shown(self, category: int) -> Shown:
        row = self.shop.store.tables["categories"].rows[category]
        picture = self.shop.things.picture_of("categories", category)
        return Shown(row.get("active") == "1", unclosed(_text(row, "description")), picture)


_Differ = Callable[[Card, _Shop, str, owner.Own | None], Iterator[str]]


def compare(books: Range, shop: FakePrestaShop, *, told: Collection[str], own: owner.Own) -> list[Compared]:
    """Compare all targets; one record for each of `TARGETS`. ``told``: keys whose products must be there by now."""
    found = {target: Compared(target) for target in TARGETS}
    cards = {key: books.cards[key] for key in sorted(books.cards.keys() & {*told})}
    with shop.store.lock:  # of one moment: the agent may be at work
        there = _Shop(shop)
        _compare_tree(books.tree, there, found["categories"])
        for target, differ in _DIFFER.items():
            found[target].keys = len(cards)
            found[target].differing += _compare_cards(cards, there, differ, own)
        for resource, names in _named(cards.values()).items():
            target = "parameters.terms" if resource.startswith("product_feature") else "suppliers.firms"
            _compare_names(_counted(shop, resource), names, found[target], resource)
    return list(found.values())


def _compare_cards(cards: Mapping[str, Card], there: _Shop, differ: _Differ, own: owner.Own) -> Iterator[str]:
    for key, card in cards.items():
        codes = there.codes.get(key, [])
        if len(codes) != 1:
            yield f"{key}: {len(codes)} products in the shop"
        elif lines := list(differ(card, there, codes[0], own if key in own.keys else None)):
            yield f"{key}: " + "; ".join(lines)


def _compare_tree(tree: Mapping[Way, Shown], there: _Shop, found: Compared) -> None:
    held: dict[Way, list[Shown]] = {}
    for category, way in there.ways.items():
        held.setdefault(way, []).append(there.shown(category))
    for way in sorted({*tree, *held}):
        found.keys += 1
        lines = []
        left = held.get(way, [])
        if way in tree and tree[way] not in left:
            lines.append(f"POHODA {_seen(tree[way])}, shop {[_seen(one) for one in left]}")
        elif way in tree:
            left.remove(tree[way])
        if any(one.visible for one in left) and not lines:
            lines.append("is not in POHODA, and not hidden")
        found.differing += [f"{' / '.join(way)}: {line}" for line in lines]


def _seen(one: Shown) -> str:
    return f"{'shown' if one.visible else 'hidden'} {one.description[:40]!r} {len(one.picture or b'')} bytes"


def _differ_categories(card: Card, there: _Shop, code: str, own: owner.Own | None) -> Iterator[str]:
    ids, _ = there.shop.things.categories_of(code)
    held = frozenset(there.ways[one] for one in ids if one in there.ways)
    yield from _told("categories", card.categories, held)
    if own is not None and own.category not in ids:
        yield "is not in the owner's category any more"


def _differ_parameters(card: Card, there: _Shop, code: str, own: owner.Own | None) -> Iterator[str]:
    held = [
        (folded(name), folded(value)) for name, some in there.shop.things.features_of(code).items() for value in some
    ]
    wanted = card.parameters | ({(folded(owner.PARAMETER), folded(owner.VALUE))} if own is not None else set())
    yield from _told("parameters", wanted, frozenset(held))
    if len(held) != len({*held}):
        yield "has a value twice"


def _differ_suppliers(card: Card, there: _Shop, code: str, own: owner.Own | None) -> Iterator[str]:  # noqa: ARG001 - of one kind with the others
    things = there.shop.things
    yield from _told("manufacturer", card.maker, folded(things.manufacturer_of(code)))
    rows, main = things.suppliers_of(code)
    held = [(folded(row.supplier), row.reference) for row in rows]
    yield from _told("suppliers", card.suppliers, frozenset(held))
    if card.main:
        yield from _told("preferred", card.main, folded(main))
    if len(held) != len({*held}):
        yield "has a supplier twice"


_DIFFER: Mapping[str, _Differ] = {
    "categories.products": _differ_categories,
    "parameters": _differ_parameters,
    "suppliers": _differ_suppliers,
}


def _told(what: str, there: object, here: object) -> Iterator[str]:
    if there != here:
        yield f"{what}: POHODA {_plain(there)}, shop {_plain(here)}"


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset | set) else value


def _named(cards: Collection[Card]) -> Mapping[str, set[Any]]:
    """What the products on offer name, by the shop's resource; a value with the name of its parameter before it."""
    return {
        "product_features": {name for card in cards for name, _ in card.parameters},
        "product_feature_values": {pair for card in cards for pair in card.parameters},
        "manufacturers": {card.maker for card in cards if card.maker},
        "suppliers": {name for card in cards for name, _ in card.suppliers},
    }


def _counted(shop: FakePrestaShop, resource: str) -> Counter[Any]:
    """How often the shop has each name."""
    things, counts = shop.things, shop.things.counts(resource)
    if resource != "product_feature_values":
        return Counter({one.name: times for one, times in counts.items()})
    return Counter(
        {(folded(things.name_of("product_features", one.parent)), one.name): times for one, times in counts.items()}
    )


def _compare_names(there: Counter[Any], wanted: set[Any], found: Compared, resource: str) -> None:
    """All that a product on offer names is there, and nothing is there twice."""
    names = {*wanted, *there}
    found.keys += len(names)
    for one in sorted(names):
        if there[one] != 1:
            found.differing.append(f"{resource} {one}: {there[one]} times in the shop")


def _text(row: Mapping[str, Any], name: str) -> str:
    texts = row.get(name)
    return str(texts.get(_CZECH) or "") if isinstance(texts, dict) else ""
