"""What a shop is set up with: languages, currencies, shops, taxes, configuration; descriptions and a Czech beginning.

Names, order and kinds of the fields are those of recorded answers; ``tax_rules`` and ``countries`` were not recorded
and follow PrestaShop's public documentation. The rate of a tax is kept as the text that the shop shows (``21.000``).
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.demo.prestashop.orders import CONFIGURED
from agent.demo.prestashop.schema import Cell, Field, Resource, decimal, flag, number, text, texts

_ID = "isUnsignedId"
_GENERIC = "isGenericName"

LANGUAGES = Resource(
    name="languages",
    node="language",
    class_name="Language",
    description="Shop languages",
    fields=(
        text("name", _GENERIC, 32),
        text("iso_code", "", 2),
        text("locale", "", 5),
        text("language_code", "", 5),
        flag("active"),
        flag("is_rtl"),
        text("date_format_lite", "", 32),
        text("date_format_full", "", 32),
    ),
)

COUNTRIES = Resource(
    name="countries",
    node="country",
    class_name="Country",
    description="The countries",
    fields=(
        number("id_zone", _ID, required=True, link="zones"),
        number("id_currency", _ID, link="currencies"),
        number("call_prefix", "isInt"),
        Field("iso_code", "text", "", required=True, max_size=3),
        flag("active"),
        flag("contains_states", required=True),
        flag("need_identification_number", required=True),
        flag("need_zip_code"),
        text("zip_code_format"),
        flag("display_tax_label", required=True),
        texts("name", _GENERIC, 64),
    ),
)

CURRENCIES = Resource(
    name="currencies",
    node="currency",
    class_name="Currency",
    description="The currencies",
    fields=(
        texts("names", _GENERIC, 255),
        text("name", _GENERIC, 255),
        texts("symbol", "", 255),
        text("iso_code", "", 3),
        text("numeric_iso_code", "", 3),
        number("precision"),
        decimal("conversion_rate"),
        number("deleted"),
        number("active"),
        number("unofficial"),
        number("modified"),
        texts("pattern", "", 255),
    ),
)

SHOPS = Resource(
    name="shops",
    node="shop",
    class_name="Shop",
    description="Shops from multi-shop feature",
    fields=(
        number("id_shop_group"),
        number("id_category"),
        number("active"),
        number("deleted"),
        text("name", _GENERIC, 64),
        text("color"),
        text("theme_name"),
    ),
)

TAX_RULE_GROUPS = Resource(
    name="tax_rule_groups",
    node="tax_rule_group",
    class_name="TaxRulesGroup",
    description="Tax rule groups",
    fields=(
        text("name", _GENERIC, 64),
        flag("active"),
        flag("deleted"),
        Field("date_add", "moment", "isDate"),
        Field("date_upd", "moment", "isDate"),
    ),
)

TAX_RULES = Resource(
    name="tax_rules",
    node="tax_rule",
    class_name="TaxRule",
    description="Tax rules entity",
    fields=(
        number("id_tax_rules_group", _ID, required=True, link="tax_rule_groups"),
        number("id_state", _ID, link="states"),
        number("id_country", _ID, required=True, link="countries"),
        text("zipcode_from"),
        text("zipcode_to"),
        number("id_tax", _ID, required=True, link="taxes"),
        number("behavior", "isUnsignedInt"),
        text("description", "isString"),
    ),
)

TAXES = Resource(
    name="taxes",
    node="tax",
    class_name="Tax",
    description="The tax rate",
    fields=(text("rate", "isFloat"), flag("active"), flag("deleted"), texts("name", _GENERIC, 64)),
)

CONFIGURATIONS = Resource(
    name="configurations",
    node="configuration",
    class_name="Configuration",
    description="Shop configuration",
    indexed=("name",),
    index_order={"name": ("name",)},
    fields=(
        text("value", "", 4194303),
        Field("name", "text", "isConfigName", required=True, max_size=254),
        Field("id_shop_group", "empty int", _ID),
        Field("id_shop", "empty int", _ID),
        Field("date_add", "moment", "isDate"),
        Field("date_upd", "moment", "isDate"),
    ),
)

SETTINGS = (LANGUAGES, COUNTRIES, CURRENCIES, SHOPS, TAX_RULE_GROUPS, TAX_RULES, TAXES, CONFIGURATIONS)

_ISO = {1: "en", 2: "cs", 3: "sk", 4: "de"}
CZECHIA = 16
"""PrestaShop's number of the country in a fresh installation."""
GERMANY = 1


def beginning(languages: tuple[int, ...]) -> Mapping[str, Mapping[int, Mapping[str, Cell]]]:
    """Rows of a fresh Czech shop: resource → id → fields. A shop with one language has Czech."""
    codes = {one: _ISO.get(one, "sk") for one in languages} if len(languages) > 1 else dict.fromkeys(languages, "cs")
    return {
        "languages": {
            one: {"name": code, "iso_code": code, "locale": code, "language_code": code, "active": "1"}
            for one, code in codes.items()
        },
        "countries": {
            GERMANY: {"id_zone": 1, "iso_code": "DE", "active": "1"},
            CZECHIA: {"id_zone": 1, "iso_code": "CZ", "active": "1"},
        },
        "shops": {1: {"id_shop_group": 1, "id_category": 2, "active": 1, "name": "Demo", "theme_name": "classic"}},
        "tax_rule_groups": {
            1: {"name": "CZ Základní sazba (21%)", "active": "1"},
            2: {"name": "CZ Snížená sazba (12%)", "active": "1"},
            3: {"name": "CZ 21 % (stará)", "active": "1", "deleted": "1"},
        },
        "taxes": {
            1: {"rate": "21.000", "active": "1"},
            2: {"rate": "12.000", "active": "1"},
            3: {"rate": "19.000", "active": "1"},
        },
        "tax_rules": {
            1: {"id_tax_rules_group": 3, "id_country": CZECHIA, "id_tax": 1},
            2: {"id_tax_rules_group": 1, "id_country": GERMANY, "id_tax": 3},
            3: {"id_tax_rules_group": 1, "id_country": CZECHIA, "id_tax": 1},
            4: {"id_tax_rules_group": 2, "id_country": CZECHIA, "id_tax": 2},
        },
        "configurations": {
            1: {"name": "PS_LANG_DEFAULT", "value": str(languages[0])},
            2: {"name": "PS_COUNTRY_DEFAULT", "value": str(CZECHIA)},
            3: {"name": "PS_HOME_CATEGORY", "value": "2"},
            **{
                number: {"name": name, "value": str(state)}
                for number, (name, state) in enumerate(CONFIGURED.items(), 4)
            },
        },
    }
