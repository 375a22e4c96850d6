"""Codes of cards among the references of products and combinations, for the targets that belong to products.

References are not unique, neither among products nor across combinations, and MySQL folds accents: what it finds is
compared again by `agent.events.key_of`, and what is there twice is refused (`prestashop_lists.judge`).
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.events import Held, Rejected, Wanted
from agent.shops import prestashop_xml as wire
from agent.shops.prestashop_lists import Lists, judge


def find_products(lists: Lists, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
    """Look codes up; of what is found the link counts, its value is the quantity. Raises `ShopUnavailable`."""
    asked = {item.key: item.code.strip() for item in wanted}
    places = {key: found for key, found in lists.places(list(asked.values())).items() if key in asked}
    single = [found[0] for found in places.values() if len(found) == 1]
    parents = lists.parents(place.product for place in single if not place.combination)
    rows = lists.stock_of(place.product for place in single if place.combination or place.product not in parents)
    answer = {key: judge(key, found, parents, rows) for key, found in places.items()}
    for key, code in asked.items():
        if code and not wire.findable(code):
            answer[key] = Rejected(
                "PrestaShop's webservice cannot look for a code in square brackets.",
                "Give the card a code that does not begin with [ and end with ].",
            )
    return answer
