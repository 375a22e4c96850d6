"""What a PrestaShop is set up with, as far as products need it: languages, rates of VAT, the home category.

* The rate of a product follows from its tax rule group *in a country*. The country is told by its code (CZ) and looked
  up in ``countries``: the shop's own default is kept in ``configurations``, and a key that reads those reads the
  password of the mail server, too. No group (0) means no tax. Of several groups with the same rate the one that the
  product has stays, else the first.
* Rates are asked for again after `KEPT` seconds, and when one is missing. Languages and the home category are asked
  for whenever a product is created: they are of no use otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.errors import ShopUnavailable
from agent.shops.prestashop_fields import Unfit, canonical, number, on
from agent.shops.prestashop_lists import Lists

KEPT = 300.0
HOME = 2
"""The home category of a fresh installation; asked of ``shops``, for it can be another one."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Tax rule groups and their rates in the country; ``usable`` are those that may be given to a product."""

    of: dict[int, str]
    usable: frozenset[int]

    def group(self, rate: str, present: int) -> int | None:
        """The group for a rate: the present one if it has it, else the first usable; 0 for no tax; None for none."""
        if (self.of.get(present, "0") if present else "0") == rate:
            return present
        found = sorted(one for one in self.usable if self.of[one] == rate)
        return found[0] if found else 0 if rate == "0" else None

    def highest(self) -> int:
        """The group with the highest rate, for a product whose rate is not told; 0 where there is none."""
        ordered = sorted(self.usable, key=lambda one: (-float(self.of[one]), one))
        return ordered[0] if ordered else 0


class Setup:
    """Asks the shop, and keeps what changes once in years."""

    def __init__(
        self, lists: Lists, *, language: str, country: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lists = lists
        self._iso = language.strip().lower()
        self._country = country.strip().upper()
        self._clock = clock
        self._rates: tuple[float, Rates] | None = None
        self._language: int | None = None

    def languages(self) -> list[int]:
        """Ids of all languages, switched off or not: a text that leaves one out empties it. Raises `ShopUnavailable`.

        Finds out which one is ours, as well.
        """
        rows = self._lists.ask("languages", {"display": "[id,iso_code]"})
        found = {number(row.get("id")): str(row.get("iso_code") or "").lower() for row in rows}
        ours = [one for one, code in found.items() if code == self._iso]
        if len(found) == 1:
            ours = list(found)
        if not ours:
            known = ", ".join(sorted(code for code in found.values() if code))
            raise ShopUnavailable(
                f"This PrestaShop has no language {self._iso!r}, only: {known}.",
                hint="Set [shop] language to the code of the language that POHODA's texts are in.",
            )
        self._language = min(ours)
        return sorted(found)

    def language(self) -> int:
        """The language that POHODA's texts are in. Raises `ShopUnavailable`."""
        if self._language is None:
            self.languages()
        if self._language is None:
            raise AssertionError("languages() sets it or raises")
        return self._language

    def home(self) -> int:
        """The home category of our shop. Raises `ShopUnavailable`."""
        rows = self._lists.ask("shops", {"display": "[id,id_category]", "filter[id]": f"[{self._lists.shop_id}]"})
        return next((home for row in rows if (home := number(row.get("id_category")))), HOME)

    def rates(self) -> Rates:
        """Rates by tax rule group, at most `KEPT` seconds old. Raises `ShopUnavailable`."""
        if self._rates is None or self._clock() - self._rates[0] > KEPT:
            self._rates = (self._clock(), self._ask_rates())
        return self._rates[1]

    def group(self, rate: str, present: int) -> int:
        """The tax rule group for a rate in percent (canonical). Raises `Unfit` where the shop has none."""
        found = self.rates().group(rate, present)
        if found is None:
            self._rates = None
            found = self.rates().group(rate, present)
        if found is None:
            rates = ", ".join(f"{one} %" for one in sorted(set(self.rates().of.values()), key=float)) or "none"
            raise Unfit(
                f"vat: the shop has no tax rule with {rate} % for the country {self._country} (it has {rates}).",
                "Create it in PrestaShop under International, Taxes, Tax rules; then retry the delivery.",
            )
        return found

    def _ask_rates(self) -> Rates:
        countries = self._lists.ask("countries", {"display": "[id]", "filter[iso_code]": f"[{self._country}]"})
        country = next((one for row in countries if (one := number(row.get("id")))), 0)
        if not country:
            raise ShopUnavailable(
                f"This PrestaShop does not know the country {self._country!r}.",
                hint="Set [shop] country to the two letters of the country whose VAT the shop charges.",
            )
        taxes = {
            number(row.get("id")): canonical(str(row.get("rate") or "0"))
            for row in self._lists.ask("taxes", {"display": "[id,rate,active]"})
            if on(row.get("active"))
        }
        rules = self._lists.ask(
            "tax_rules",
            {"display": "[id,id_tax_rules_group,id_state,id_tax]", "filter[id_country]": f"[{country}]"},
        )
        of: dict[int, str] = {}
        for row in rules:
            rate = taxes.get(number(row.get("id_tax")))
            if rate is not None and not number(row.get("id_state")):
                of.setdefault(number(row.get("id_tax_rules_group")), rate)
        groups = self._lists.ask("tax_rule_groups", {"display": "[id,active,deleted]"})
        usable = {number(row.get("id")) for row in groups if on(row.get("active")) and not on(row.get("deleted"))}
        return Rates(of, frozenset(usable & of.keys()))
