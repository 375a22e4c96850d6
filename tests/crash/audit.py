"""Judges what a shop holds of categories, parameters, firms and orders at the end. Knows nothing of the agent.

``lost``: what differs. ``doubled``: categories beyond POHODA's with one name below one parent; the rest of the doubles
counts `shelf.twice`. ``regressed``: orders that went back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.crash.desk_orders import CANCELLED, EXECUTED, PARTLY, REFUNDED, TRANSFERRED
from tests.crash.reckoning import Category, Holding, Ordered, Way, due

PLACED = 2
PROGRESS = (PLACED, PARTLY, TRANSFERRED, EXECUTED, CANCELLED, REFUNDED)
"""The shop's states in the order of progress; the ends come last."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Texts for people, one for each that is lost, doubled or went back."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    regressed: tuple[str, ...] = ()


def audit(
    pohoda: Holding, shop: Holding, *, hidden: int, owner: Mapping[str, int], histories: Mapping[str, Sequence[int]]
) -> Audit:
    """Compare both sides. ``hidden``: how many categories may be left over that are not shown.

    ``owner``: orders that the shop's owner went on with, and where to; ``histories``: all states of each order.
    """
    lost, doubled = _trees(pohoda.tree, shop.tree, hidden)
    for code, wanted in pohoda.cards.items():
        there = shop.cards.get(code)
        if there is None:
            continue  # the judge of the products counts it
        names = ("places", "parameters", "maker", "suppliers", "main")
        differ = [name for name in names if getattr(there, name) != getattr(wanted, name)]
        if differ:
            said = [f"{name} {getattr(there, name)!r} for {getattr(wanted, name)!r}" for name in differ]
            lost.append(f"{code}: {'; '.join(said)}")
    for number, wanted_state in pohoda.orders.items():
        lost += _order(number, due(wanted_state, owner.get(number, 0), PLACED), shop.orders.get(number))
    regressed = [f"order {number}: {list(story)}" for number, story in histories.items() if _went_back(story)]
    return Audit(tuple(lost), tuple(doubled), tuple(regressed))


def _trees(pohoda: Sequence[Category], shop: Sequence[Category], hidden: int) -> tuple[list[str], list[str]]:
    lost, doubled = [], []
    wanted, there = _by_way(pohoda), _by_way(shop)
    for way in sorted({*wanted, *there}):
        here, held = wanted.get(way, []), there.get(way, [])
        missing = Counter(here) - Counter(held)
        beyond = list((Counter(held) - Counter(here)).elements())
        if len(held) < len(here):
            lost.append(f"category {' / '.join(way)}: {len(held)} for {len(here)}")
            continue
        left = sorted(beyond, key=lambda one: one.visible)[: len(held) - len(here)]
        allowed = [one for one in left if not one.visible][:hidden]
        hidden -= len(allowed)
        for one in allowed:
            left.remove(one)
            beyond.remove(one)
        if left and here:
            doubled += [f"category {' / '.join(way)}: {len(held)} for {len(here)}"] * len(left)
        elif left:
            lost += [f"category {' / '.join(way)}: left over"]
            doubled += [f"category {' / '.join(way)}: left over {len(left)} times"] * (len(left) - 1)
        elif missing:
            lost += [f"category {' / '.join(way)}: {text}" for text in _differences(list(missing), beyond)]
    return lost, doubled


def _by_way(tree: Sequence[Category]) -> dict[Way, list[Category]]:
    found: dict[Way, list[Category]] = {}
    for one in tree:
        found.setdefault(one.way, []).append(one)
    return found


def _differences(missing: Sequence[Category], beyond: Sequence[Category]) -> Iterator[str]:
    for wanted, there in zip(missing, beyond, strict=False):
        names = ("name", "visible", "description", "picture")
        said = [(name, str(getattr(there, name))[:60], str(getattr(wanted, name))[:60]) for name in names]
        yield "; ".join(f"{name} {held!r} for {here!r}" for name, held, here in said if held != here)


def _order(number: str, wanted: Ordered, there: Ordered | None) -> list[str]:
    if there is None or there.state != wanted.state:
        return [f"order {number}: state {there.state if there else None} for {wanted.state}"]
    if wanted.tracking is not None and there.tracking != wanted.tracking:
        return [f"order {number}: tracking number {there.tracking!r} for {wanted.tracking!r}"]
    return []


def _went_back(story: Sequence[int]) -> bool:
    return any(PROGRESS.index(after) < PROGRESS.index(before) for before, after in pairwise(story))
