"""Vendure: the ``check`` command: sign-in, channel, rights, and what the enabled targets need of the set-up.

Rights are proven by calls that need them and have no effect: an update of no variants, a creation and a deletion of
no assets. For the right to create **products** there is no such call; who may create assets by CreateCatalog may
create products, too, and a role with the finer CreateAsset and CreateProduct is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.errors import ShopUnavailable
from agent.shops import Finding
from agent.shops.vendure_lists import Lists, understood
from agent.shops.vendure_session import VendureSession
from agent.shops.vendure_setup import CUSTOM, SetUp

_COUNTING = "{ globalSettings { trackInventory } }"
_CREATE_NONE = "mutation($f: [CreateAssetInput!]!) { createAssets(input: $f) { __typename } }"
_DELETE_NONE = "mutation($a: DeleteAssetsInput!) { deleteAssets(input: $a) { result } }"
_HALF_MADE = "query($o: ProductListOptions) { products(options: $o) { totalItems } }"


@dataclass(frozen=True, slots=True)
class Examination:
    """One run of ``check``: what it asks with, and what the configuration says."""

    session: VendureSession
    lists: Lists
    place: Callable[[], str]
    set_up: Callable[[], SetUp]
    probe: Callable[[], None]
    price_form: str
    targets: frozenset[str]
    product_fields: frozenset[str]
    creates: bool

    def findings(self) -> list[Finding]:
        """One finding per subject; after one that could not be asked there is nothing more to ask."""
        findings: list[Finding] = []
        for subject, step in self._steps().items():
            try:
                findings.append(step())
            except ShopUnavailable as error:
                return [*findings, Finding("error", subject, str(error), error.hint)]
        return findings

    def _steps(self) -> Mapping[str, Callable[[], Finding]]:
        steps: dict[str, Callable[[], Finding]] = {}
        if "quantities" in self.targets:
            steps["stock location"] = self._place
        steps["right to write"] = self._write
        if "quantities" in self.targets:
            steps["stock counting"] = self._counting
        if "prices" in self.targets:
            steps["prices"] = self._prices
        if "products" in self.targets:
            steps |= {"language": self._language, "fields": self._fields, "tax rates": self._rates}
        if "images" in self.targets or ("products" in self.targets and self.creates):
            steps["right to create"] = self._create
        if "images" in self.targets:
            steps["right to delete"] = self._delete
        return steps

    def _place(self) -> Finding:
        return Finding("ok", "stock location", f"signed in; quantities go to stock location {self.place()}")

    def _write(self) -> Finding:
        self.probe()
        return Finding("ok", "right to write", "variants may be written")

    def _counting(self) -> Finding:
        counted = (self.session.ask(_COUNTING).get("globalSettings") or {}).get("trackInventory")
        question = {"filter": {"trackInventory": {"eq": "FALSE"} if counted else {"notEq": "TRUE"}}}
        _, number = self.lists.some("", question, take=1)
        if number == 0:
            return Finding("ok", "stock counting", "the stock of every variant counts")
        text = f"{number} variants are sold without regard to their stock"
        hint = "Set 'track inventory' to true in Vendure: in those variants, or in the global settings."
        return Finding("warning", "stock counting", text, hint)

    def _prices(self) -> Finding:
        known = self.set_up()
        stored = "gross" if known.gross else "net"
        if stored != self.price_form:
            text = f"the channel stores {stored} prices, the configuration says {self.price_form}; no price is sent"
            return Finding(
                "error", "prices", text, f'Set [shop] prices = "{stored}", or change the channel in Vendure.'
            )
        if known.places < 2:
            text = f"the shop stores {known.places} decimal places; prices with more are refused"
            return Finding("warning", "prices", text, "See moneyStrategy in the configuration of the shop.")
        return Finding("ok", "prices", f"{stored} prices in {known.currency}, {known.places} decimal places")

    def _language(self) -> Finding:
        known = self.set_up()
        if known.language in known.languages:
            return Finding("ok", "language", f"texts are written in {known.language}; other languages stay")
        text = f"the channel has no language {known.language}: it has {', '.join(known.languages)}"
        return Finding("error", "language", text, "Set [shop] language to one of these, or add it to the channel.")

    def _fields(self) -> Finding:
        known = self.set_up().fields
        lacking = sorted(self.product_fields - known)
        if not lacking:
            return Finding("ok", "fields", f"the shop holds: {', '.join(sorted(known))}")
        names = ", ".join(CUSTOM.get(field, field) for field in lacking)
        text = f"the shop cannot hold {', '.join(lacking)}; these fields are left out"
        hint = f"Define custom fields of ProductVariant or Product of these names in the shop: {names}."
        return Finding("warning", "fields", text, hint)

    def _rates(self) -> Finding:
        rates = sorted({rate for _, rate in self.set_up().rates}, key=float)
        if rates:
            return Finding("ok", "tax rates", f"rates of the channel's default tax zone: {', '.join(rates)} %")
        hint = "Give the channel a default tax zone, and tax rates for it."
        return Finding("warning", "tax rates", "the channel's default tax zone has no tax rates", hint)

    def _create(self) -> Finding:
        self.session.ask(_CREATE_NONE, {"f": []})
        if "products" in self.targets and self.creates:
            return self._left_over()
        return Finding("ok", "right to create", "pictures may be uploaded")

    def _left_over(self) -> Finding:
        options = {"filter": {"slug": {"regex": "^pohoda-[0-9a-f]{24}"}}, "take": 1}
        data = self.session.ask(_HALF_MADE, {"o": options})
        number = understood("list of products", lambda: int(data["products"]["totalItems"]))
        if not number:
            return Finding("ok", "right to create", "products may be created (CreateCatalog, or CreateProduct)")
        text = f"{number} products were begun and not finished; nobody sees them"
        hint = "They are finished when their cards are sent again; delete in Vendure those that have no variant."
        return Finding("warning", "right to create", text, hint)

    def _delete(self) -> Finding:
        self.session.ask(_DELETE_NONE, {"a": {"assetIds": []}})
        return Finding("ok", "right to delete", "pictures may be removed")
