"""What PrestaShop 9.1.4 says of its resources in ``?schema=synopsis``: names, order, formats, sizes.

The order counts: it is the order of the nodes in every answer, whatever order ``display`` names. To add a resource:
describe it here and, if it computes anything, give it rules in `catalogue.RULES`.
"""

from __future__ import annotations

from agent.demo.prestashop.categories import CATEGORIES
from agent.demo.prestashop.features import FEATURES
from agent.demo.prestashop.firms import FIRMS
from agent.demo.prestashop.images import IMAGES
from agent.demo.prestashop.orders import ORDERING
from agent.demo.prestashop.schema import Association, Field, Resource, decimal, flag, number, text, texts
from agent.demo.prestashop.settings import SETTINGS

_ID = "isUnsignedId"
_UINT = "isUnsignedInt"

PRODUCTS = Resource(
    name="products",
    node="product",
    class_name="Product",
    description="The products",
    indexed=("reference",),
    fields=(
        number("id_manufacturer", _ID, link="manufacturers"),
        number("id_supplier", _ID, link="suppliers"),
        number("id_category_default", _ID, link="categories"),
        Field("new", "null"),
        number("cache_default_attribute"),
        number("id_default_image", computed=True),
        number("id_default_combination", computed=True, link="combinations"),
        number("id_tax_rules_group", _ID, link="tax_rule_groups"),
        number("position_in_category", computed=True),
        Field("manufacturer_name", "text", read_only=True, computed=True),
        number("quantity", read_only=True, computed=True),
        Field("type", "text", computed=True),
        number("id_shop_default", _ID, default="1"),
        text("reference", "isReference", 64),
        text("supplier_reference", "isReference", 64),
        text("location", "isString", 255),
        decimal("width", "isUnsignedFloat"),
        decimal("height", "isUnsignedFloat"),
        decimal("depth", "isUnsignedFloat"),
        decimal("weight", "isUnsignedFloat"),
        flag("quantity_discount"),
        text("ean13", "isGtin", 14),
        text("isbn", "isIsbn", 32),
        text("upc", "isUpc", 12),
        text("mpn", "isMpn", 40),
        flag("cache_is_pack"),
        flag("cache_has_attachments"),
        flag("is_virtual"),
        number("state", _ID),
        number("additional_delivery_times", _ID),
        texts("delivery_in_stock", "isGenericName", 255),
        texts("delivery_out_stock", "isGenericName", 255),
        text("product_type", "isGenericName", default="standard"),
        flag("on_sale"),
        flag("online_only"),
        decimal("ecotax", "isPrice"),
        number("minimal_quantity", "isPositiveInt"),
        Field("low_stock_threshold", "null int", "isInt"),
        flag("low_stock_alert"),
        decimal("price", "isPrice", required=True),
        decimal("wholesale_price", "isPrice"),
        text("unity", "isString", 255),
        decimal("unit_price", "isPrice"),
        decimal("unit_price_ratio"),
        decimal("additional_shipping_cost", "isPrice"),
        number("customizable", _UINT),
        number("text_fields", _UINT),
        number("uploadable_files", _UINT),
        flag("active"),
        text("redirect_type", "isString"),
        number("id_type_redirected", _ID),
        flag("available_for_order"),
        Field("available_date", "date", "isDateFormat"),
        flag("show_condition"),
        text("condition", "isGenericName", default="new"),
        flag("show_price"),
        flag("indexed"),
        text("visibility", "isProductVisibility", default="both"),
        flag("advanced_stock_management"),
        Field("date_add", "moment", "isDate"),
        Field("date_upd", "moment", "isDate"),
        number("pack_stock_type", _UINT),
        texts("meta_description", "isGenericName", 512),
        texts("meta_title", "isGenericName", 255),
        texts("link_rewrite", "isLinkRewrite", 128),
        texts("name", "isCatalogName", 128),
        texts("description", "isCleanHtml", 4194303),
        texts("description_short", "isCleanHtml", 4194303),
        texts("available_now", "isGenericName", 255),
        texts("available_later", "IsGenericName", 255),
    ),
    associations=(
        Association("categories", "category", "categories"),
        Association("images", "image", "images", required=frozenset()),
        Association("combinations", "combination", "combinations"),
        Association("product_option_values", "product_option_value", "product_option_values"),
        Association(
            "product_features",
            "product_feature",
            "product_features",
            {"id": "", "id_feature_value": "product_feature_values"},
            frozenset({"id", "id_feature_value"}),
        ),
        Association("tags", "tag", "tags"),
        Association(
            "stock_availables",
            "stock_available",
            "stock_availables",
            {"id": "", "id_product_attribute": ""},
            frozenset({"id", "id_product_attribute"}),
        ),
        Association("attachments", "attachment", "attachments"),
        Association("accessories", "product", "products", {"id": "products"}),
        Association("product_bundle", "product", "products", {"id": "", "id_product_attribute": "", "quantity": ""}),
    ),
)

COMBINATIONS = Resource(
    name="combinations",
    node="combination",
    class_name="Combination",
    description="The product combinations",
    indexed=("reference", "id_product"),
    index_order={"reference": ("reference",), "id_product": ("id_product", "default_on")},
    fields=(
        number("id_product", _ID, link="products", required=True),
        text("ean13", "isEan13", 13),
        text("isbn", "isIsbn", 32),
        text("upc", "isUpc", 12),
        text("mpn", "isMpn", 40),
        text("reference", "", 64),
        text("supplier_reference", "", 64),
        decimal("wholesale_price", "isNegativePrice", max_size=27),
        decimal("price", "isNegativePrice", max_size=20),
        decimal("ecotax", "isPrice", max_size=20),
        decimal("weight", "isFloat"),
        decimal("unit_price_impact", "isNegativePrice", max_size=20),
        number("minimal_quantity", "isPositiveInt", required=True),
        Field("low_stock_threshold", "null int", "isInt"),
        flag("low_stock_alert"),
        Field("default_on", "null flag", "isBool"),
        Field("available_date", "date", "isDateFormat"),
        texts("available_now", "isGenericName", 255),
        texts("available_later", "IsGenericName", 255),
    ),
    associations=(
        Association("product_option_values", "product_option_value", "product_option_values", required=frozenset()),
        Association("images", "image", "images/products", required=frozenset()),
    ),
)

STOCK_AVAILABLES = Resource(
    name="stock_availables",
    node="stock_available",
    class_name="StockAvailable",
    description="Available quantities",
    forbidden=frozenset({"POST", "DELETE"}),
    indexed=("id_product", "id_product_attribute"),
    index_order={"id_product": ("id_product", "id_product_attribute")},
    fields=(
        number("id_product", _ID, link="products", required=True),
        number("id_product_attribute", _ID, link="combinations", required=True),
        number("id_shop", _ID, link="shops"),
        number("id_shop_group", _ID, link="shop_groups"),
        number("quantity", "isInt", required=True, span=(-(2**31), 2**31 - 1)),
        flag("depends_on_stock", required=True),
        number("out_of_stock", "isInt", required=True),
        text("location", "isString", 255),
    ),
)

RESOURCES: dict[str, Resource] = {
    one.name: one
    for one in (
        CATEGORIES,
        COMBINATIONS,
        IMAGES,
        PRODUCTS,
        STOCK_AVAILABLES,
        *FEATURES,
        *FIRMS,
        *ORDERING,
        *SETTINGS,
    )
}
