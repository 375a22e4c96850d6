"""What a Vendure is set up as: its channel's language, currency and tax, and which fields of a card it can hold.

Measured on 3.7.3. ``taxRates`` needs no more than ReadCatalog; ``globalSettings`` and ``activeChannel`` need no right.

* Vendure has fields for a name, a description, a price, a tax category, "enabled", and nothing else of a card. The
  rest goes into **custom fields**, where the shop defines one with the name of ours (`CUSTOM`), on ProductVariant or
  on Product. What it does not define it cannot hold: that is no fault, and `check` says so.
* A tax category is chosen by its rate in the channel's default tax zone. Of several rates of a category the oldest
  counts, as in Vendure itself (``TaxRate.test`` asks zone and category, never the group of customers, which only
  those may see who may see customers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from agent.errors import ShopUnavailable
from agent.shops.vendure_lists import understood
from agent.shops.vendure_session import VendureSession

ALWAYS = frozenset({"name", "description", "vat", "visible"})
"""The fields of a card that every Vendure holds."""
CUSTOM = {
    "short_description": "shortDescription",
    "ean": "ean",
    "unit": "unit",
    "weight": "weight",
    "availability": "availability",
    "marks": "marks",
}
"""Our field → the name of the custom field that holds it; case and underscores do not matter."""
_TEXTS = {"string", "text", "localeString", "localeText"}
_ASKED = """{
 activeChannel { token defaultLanguageCode availableLanguageCodes defaultCurrencyCode pricesIncludeTax
  defaultTaxZone { id } }
 globalSettings { serverConfig { moneyStrategyPrecision
  entityCustomFields { entityName customFields { ... on CustomField { name type list readonly } } } } }
 taxRates(options: { take: 1000, sort: { id: ASC } }) {
  items { enabled value category { id isDefault } zone { id } } } }"""


@dataclass(frozen=True, slots=True)
class Custom:
    """A custom field that holds one of our fields."""

    field: str
    owner: Literal["variant", "product"]
    name: str
    type: str
    list: bool

    @property
    def localized(self) -> bool:
        """Whether it is kept per language."""
        return self.type.startswith("locale")


@dataclass(frozen=True, slots=True)
class SetUp:
    """The channel as it is now."""

    language: str
    languages: tuple[str, ...]
    currency: str
    gross: bool
    """Whether prices are stored with tax."""
    places: int
    """Decimal places of the minor unit: a price is stored as a whole number of these."""
    rates: tuple[tuple[str, str], ...]
    """Tax category and its rate in percent (canonical decimal), in the order in which a rate is looked up."""
    customs: tuple[Custom, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a card that this shop can hold."""
        return ALWAYS | {custom.field for custom in self.customs}

    def rate(self, category: str) -> str:
        """The rate of a tax category; empty when it has none in the channel's zone."""
        return next((rate for known, rate in self.rates if known == category), "")

    def category(self, rate: str) -> str | None:
        """The tax category with a rate: the default one if it has it, else the oldest."""
        return next((known for known, other in self.rates if other == rate), None)


def read_set_up(session: VendureSession, *, channel: str | None, language: str | None) -> SetUp:
    """Ask the shop. Raises `ShopUnavailable`, with a hint when the configured channel is not there."""
    data = session.ask(_ASKED)
    token = understood("channel", lambda: data["activeChannel"]["token"])
    require_channel(channel, token)
    return understood("set-up of a channel", lambda: _set_up(data, language))


def require_channel(wish: str | None, token: str) -> None:
    """Raise `ShopUnavailable` unless the channel is the configured one: a shop with one ignores a wrong token."""
    if wish and token != wish:
        hint = "Set [shop] channel to the channel's token (Settings, Channels in Vendure)."
        raise ShopUnavailable("The shop does not know the configured channel.", hint=hint)


def plain(number: Decimal) -> str:
    """Write a canonical decimal: no exponent, no zeros at its end, no minus before 0."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def _set_up(data: Mapping[str, Any], language: str | None) -> SetUp:
    channel, config = data["activeChannel"], data["globalSettings"]["serverConfig"]
    zone = (channel.get("defaultTaxZone") or {}).get("id")
    default = str(channel["defaultLanguageCode"])
    return SetUp(
        language=language or default,
        languages=tuple(map(str, channel.get("availableLanguageCodes") or [default])),
        currency=str(channel["defaultCurrencyCode"]),
        gross=bool(channel["pricesIncludeTax"]),
        places=int(config["moneyStrategyPrecision"]),
        rates=_rates(data["taxRates"]["items"], zone),
        customs=_customs(config["entityCustomFields"]),
    )


def _rates(items: Sequence[Mapping[str, Any]], zone: object) -> tuple[tuple[str, str], ...]:
    mine = [r for r in items if r["enabled"] and (r.get("zone") or {}).get("id") == zone]
    mine.sort(key=lambda r: not r["category"]["isDefault"])  # stable: else the order of the shop, by id
    found: dict[str, str] = {}
    for rate in mine:
        found.setdefault(str(rate["category"]["id"]), plain(Decimal(str(rate["value"]))))
    return tuple(found.items())


def _customs(entities: Sequence[Mapping[str, Any]]) -> tuple[Custom, ...]:
    defined = {str(entity["entityName"]): entity["customFields"] for entity in entities}
    found: list[Custom] = []
    owners: tuple[tuple[Literal["variant", "product"], str], ...] = (
        ("variant", "ProductVariant"),
        ("product", "Product"),
    )
    for field, name in CUSTOM.items():
        for owner, entity in owners:
            for raw in defined.get(entity, ()):
                same = str(raw["name"]).replace("_", "").casefold() == name.casefold()
                if same and _fits(field, raw) and field not in {custom.field for custom in found}:
                    found.append(Custom(field, owner, str(raw["name"]), str(raw["type"]), bool(raw["list"])))
    return tuple(found)


def _fits(field: str, raw: Mapping[str, Any]) -> bool:
    """Tell whether a custom field can hold the values of our field exactly."""
    if raw["readonly"]:
        return False
    if raw["list"]:
        return field == "marks" and raw["type"] in {"string", "text"}
    return raw["type"] in _TEXTS or (field == "weight" and raw["type"] == "float")
