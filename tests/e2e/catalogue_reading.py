"""A reading of a Vendure's catalogue by plain HTTP: what customers are shown, and whether anything is there twice.

Nothing of the agent is used, nor its HTTP library. Pictures are known by the bytes that the shop serves.
"""

from __future__ import annotations

import hashlib
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .catalogue_reckoning import Card
from .vendure import PASSWORD, USER

LANGUAGE, CURRENCY = "cs", "CZK"
_PAGE = 100
_LOGIN = "mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }"
_ASSET = "id source translations { languageCode name }"
_PRODUCTS = f"""query($o: ProductListOptions) {{ products(options: $o) {{ totalItems items {{
  id enabled updatedAt featuredAsset {{ id }} assets {{ {_ASSET} }}
  translations {{ languageCode name slug description customFields {{ shortDescription }} }}
  variants {{ id sku enabled updatedAt taxCategory {{ name }} prices {{ currencyCode price }}
   stockLevels {{ stockOnHand }} featuredAsset {{ id }} assets {{ id }}
   customFields {{ ean unit weight marks }}
   translations {{ languageCode name customFields {{ availability }} }} }} }} }} }}"""
_ASSETS = "query($o: AssetListOptions) { assets(options: $o) { totalItems items { id } } }"


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole catalogue. ``cards`` are by key: a code without case."""

    cards: dict[str, Card]
    raw: dict[str, dict[str, Any]]
    """Products as the shop told them, by the same keys: to see that nobody touched them."""
    faults: list[str]
    """What no shop should have: a code twice, a product without its variant, a picture that nobody shows."""


class Reader:
    """Reads one shop; signs in with each reading, for the shop may have been started again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._token = ""
        self._known: dict[str, str] = {}
        """An asset's ``source`` -> the hash of its bytes, which never change."""

    def read(self) -> Reading:
        """Read everything."""
        self._token = ""
        self._ask(_LOGIN, {"u": USER, "p": PASSWORD})
        cards: dict[str, Card] = {}
        raw: dict[str, dict[str, Any]] = {}
        faults: list[str] = []
        shown: set[str] = set()
        for product in self._list(_PRODUCTS, "products"):
            shown |= {asset["id"] for asset in product["assets"]}
            if len(product["variants"]) != 1:
                faults.append(f"product {product['id']} has {len(product['variants'])} variants")
                continue
            (variant,) = product["variants"]
            key = variant["sku"].strip().casefold()
            if key in cards:
                faults.append(f"{key} is there twice")
            cards[key], raw[key] = self._card(product, variant), product
            faults += [f"{key}: {fault}" for fault in _faults(product, variant, cards[key])]
        unseen = {asset["id"] for asset in self._list(_ASSETS, "assets")} - shown
        faults += [f"asset {asset} is not shown by any product" for asset in sorted(unseen)]
        return Reading(cards, raw, faults)

    def _card(self, product: dict[str, Any], variant: dict[str, Any]) -> Card:
        texts, own = _mine(product), _mine(variant)
        special = variant["customFields"]
        (price,) = [price["price"] for price in variant["prices"] if price["currencyCode"] == CURRENCY]
        (level,) = variant["stockLevels"]
        return {
            "name": texts.get("name"),
            "description": texts.get("description"),
            "short_description": (texts.get("customFields") or {}).get("shortDescription") or "",
            "ean": special["ean"] or "",
            "unit": special["unit"] or "",
            "weight": special["weight"] or 0.0,
            "vat": variant["taxCategory"]["name"],
            "availability": (own.get("customFields") or {}).get("availability") or "",
            "marks": sorted(special["marks"] or []),
            "visible": product["enabled"] and variant["enabled"],
            "quantity": level["stockOnHand"],
            "price": price,
            "pictures": [self._picture(asset) for asset in product["assets"]],
        }

    def _picture(self, asset: dict[str, Any]) -> tuple[str, str]:
        """Bytes and text; Vendure has no text but the name, and a name with a hash in it is that of a file."""
        sha, name = self._sha(asset["source"]), str(_mine(asset).get("name", ""))
        return sha, "" if sha in name else name

    def _sha(self, source: str) -> str:
        if source not in self._known:
            address = source if "://" in source else f"{self._url}/assets/{source}"
            with urllib.request.urlopen(urllib.parse.quote(address, safe=":/"), timeout=30) as answer:
                self._known[source] = hashlib.sha256(answer.read()).hexdigest()
        return self._known[source]

    def _list(self, document: str, name: str) -> Iterator[dict[str, Any]]:
        at, total = 0, 1
        while at < total:
            listed = self._ask(document, {"o": {"sort": {"id": "ASC"}, "skip": at, "take": _PAGE}})[name]
            total = listed["totalItems"]
            yield from listed["items"]
            at += _PAGE

    def _ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        body = json.dumps({"query": document, "variables": variables}).encode()
        request = urllib.request.Request(f"{self._url}/admin-api", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            self._token = answer.headers.get("vendure-auth-token") or self._token
            said = json.load(answer)
        assert "errors" not in said, said["errors"]
        data: dict[str, Any] = said["data"]
        return data


def _mine(said: dict[str, Any]) -> dict[str, Any]:
    return next((each for each in said["translations"] if each["languageCode"] == LANGUAGE), {})


def _faults(product: dict[str, Any], variant: dict[str, Any], card: Card) -> Iterator[str]:
    """What is wrong with one product, whatever POHODA says of it."""
    first = product["assets"][0]["id"] if product["assets"] else None
    if (product["featuredAsset"] or {}).get("id") != first:
        yield "lists show another picture than the first one"
    if len({sha for sha, _ in card["pictures"]}) != len(card["pictures"]):
        yield "a picture is shown twice"
    if variant["assets"]:
        yield "the variant has pictures of its own"
    if _mine(product).get("name") != _mine(variant).get("name"):
        yield "product and variant have different names"
    if product["enabled"] != variant["enabled"]:
        yield "only one of product and variant is shown"
    if any(text["slug"].startswith("pohoda-") for text in product["translations"]):
        yield "was left half-made"
