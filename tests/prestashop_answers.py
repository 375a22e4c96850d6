"""Answers of PrestaShop's webservice to be played byte for byte, and the words that its tests share."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from agent.events import Event, Held, Owed, Value, Wanted, key_of
from agent.shops.prestashop import PrestaShop

Q = "quantities"
KEY = "S3CR3T-K3Y-" + "k" * 21


class Make:
    """Makes adapters with the key of the tests, and closes them all at the end."""

    def __init__(self) -> None:
        self._made: list[PrestaShop] = []

    def __call__(self, url: str, shop_id: int = 1) -> PrestaShop:
        self._made.append(PrestaShop(url, key=KEY, timeout=2.0, shop_id=shop_id))
        return self._made[-1]

    def close(self) -> None:
        for shop in self._made:
            shop.close()


def wanted(*codes: str) -> list[Wanted]:
    return [Wanted(key_of(code), code) for code in codes]


def owed(value: Value, link: str | None, code: str = "A") -> Owed:
    return Owed(Event(Q, key_of(code), value, code), link)


def held(shop: PrestaShop, code: str) -> Held:
    found = shop.find(Q, wanted(code))[key_of(code)]
    assert isinstance(found, Held), found
    return found


def xml(content: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<prestashop>\n{content}\n</prestashop>\n'.encode()


def node(row: int, quantity: object, product: int = 7, combination: int = 0) -> str:
    fields = {"id": row, "id_product": product, "id_product_attribute": combination, "id_shop": 1, "quantity": quantity}
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return f"<stock_available>{inner}</stock_available>"


def failure(code: int, message: str) -> bytes:
    return xml(f"<errors><error><code>{code}</code><message><![CDATA[{message}]]></message></error></errors>")


def rows(*given: tuple[int, int, int, int, int]) -> bytes:
    names = ("id", "id_product", "id_product_attribute", "id_shop", "quantity")
    return json.dumps({"stock_availables": [dict(zip(names, row, strict=True)) for row in given]}).encode()


def query(request: bytes) -> dict[str, str]:
    line = request.split(b"\r\n", 1)[0].decode().split(" ")[1]
    return {name: values[0] for name, values in parse_qs(urlsplit(line).query).items()}


def root(**rights: str) -> bytes:
    given = {"products": "get", "combinations": "get", "stock_availables": "get patch", **rights}
    every = ("get", "put", "post", "patch", "delete", "head")
    api = etree.Element("api", shopName="Test")
    for name, text in given.items():
        etree.SubElement(api, name, {method: str(method in text.split()).lower() for method in every})
    return xml(etree.tostring(api).decode())
