"""PrestaShop's adapters for categories, parameters and firms beside the fake shop, without the rest of the adapter."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Self

from agent.demo.prestashop import FakePrestaShop
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Value, Wanted, key_of
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_find import find_products
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_setup import Setup

KEY = "S3CR3T-K3Y-" + "k" * 21
ENGLISH, CZECH = 1, 2


class Parts:
    """What an adapter for one target is made of; a context."""

    def __init__(self, fake: FakePrestaShop) -> None:
        self.fake = fake
        self.http = ShopHttp(f"{fake.url}/api", timeout=2.0, auth=(KEY, ""))
        self.lists = Lists(self.http, shop_id=1)
        self.setup = Setup(self.lists, language="cs", country="CZ")
        self._closing = closing(self.http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def short(self, text: str) -> str:
        return wire.short(text, KEY)

    def link(self, code: str) -> str:
        """The link to the product or combination of a code."""
        found = find_products(self.lists, [Wanted(key_of(code), code)])[key_of(code)]
        assert isinstance(found, Held), found
        return found.link

    def said(self) -> list[tuple[str, str, str]]:
        """What is written from now on: method, address, body."""
        said: list[tuple[str, str, str]] = []
        self.fake.faults.chooser = lambda request: said.append(
            (request.method, request.target, request.body.decode(errors="replace"))
        )
        return said


def owed(target: str, key: str, value: Value, link: str | None = None, links: Mapping[str, str] | None = None) -> Owed:
    return Owed(Event(target, key, value, key), link, links or {})


def asked(key: str, value: Value, links: Mapping[str, str] | None = None, link: str | None = None) -> Wanted:
    return Wanted(key, key, link, value=value, links=links or {})


def done(outcome: Outcome) -> Done:
    assert isinstance(outcome, Done), outcome
    return outcome


def linked(outcome: Outcome) -> str:
    link = done(outcome).link
    assert link is not None
    return link


def refused(outcome: Outcome) -> Rejected:
    assert isinstance(outcome, Rejected), outcome
    return outcome
