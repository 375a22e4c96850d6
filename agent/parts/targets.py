"""The targets, each made of its table of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from agent.config import Config
from agent.errors import ConfigError
from agent.shops import Shop
from agent.targets import Target
from agent.targets.categories import Categories, CategorySettings
from agent.targets.firms import Firms
from agent.targets.images import Images, ImageSettings
from agent.targets.order_states import OrderStates, OrderStateSettings
from agent.targets.parameters import Parameters, ParameterSettings
from agent.targets.prices import Prices, PriceSettings
from agent.targets.product_categories import ProductCategories, ProductCategorySettings
from agent.targets.products import Products, ProductSettings
from agent.targets.quantities import Quantities, QuantitySettings
from agent.targets.suppliers import Suppliers, SupplierSettings
from agent.targets.terms import Terms
from agent.targets.vat import VatRates


def make_target(config: Config, name: str, shop: Shop) -> Target:
    """Make an enabled target, for what this shop stores. Raises `ConfigError` when it is not enabled."""
    if name not in config.targets.running():
        raise ConfigError(
            f"{config.path}: the target {name} is not enabled.",
            hint=f"Add a table [targets.{name.partition('.')[0]}]; see config/README.md.",
        )
    return _TARGETS[name](config, shop)


def make_quantities(config: Config, shop: Shop) -> Quantities:
    """Make the quantities target. Raises `ConfigError` when it is not enabled."""
    made = make_target(config, "quantities", shop)
    assert isinstance(made, Quantities)
    return made


def _quantities(config: Config, shop: Shop) -> Target:
    table = config.targets.quantities
    assert table is not None
    settings = QuantitySettings(
        stores=table.stores,
        combine=table.combine,
        deduct=table.deduct,
        safety_stock=table.safety_stock,
        zero_guard=table.zero_guard,
        card_types=table.card_types,
    )
    return Quantities(settings, shop.quantity)


def _products(config: Config, _: Shop) -> Target:
    table = config.targets.products
    assert table is not None
    settings = ProductSettings(
        fields=table.fields,
        stores=table.stores,
        texts_from=table.texts_from,
        create=table.create,
        when_gone=table.when_gone or "hide",
        vat_rates=_vat_rates(config),
    )
    return Products(settings)


def _prices(config: Config, shop: Shop) -> Target:
    table = config.targets.prices
    assert table is not None
    settings = PriceSettings(
        stores=table.stores,
        prices_from=table.prices_from,
        level=table.level,
        level_prices=table.level_prices,
        round=table.round,
        drop_guard=table.price_drop_guard,
        vat_rates=_vat_rates(config),
    )
    return Prices(settings, shop.price_form, shop.price_places)


def _images(config: Config, _: Shop) -> Target:
    table = config.targets.images
    assert table is not None
    return Images(ImageSettings(stores=table.stores, pictures_from=table.pictures_from, existing=table.existing))


def _category_tree(config: Config, _: Shop) -> Target:
    table = config.targets.categories
    assert table is not None
    fields = tuple(name for name in table.fields if name != "picture" or config.pohoda.documents)
    return Categories(
        CategorySettings(
            root=table.root, fields=fields, when_gone=table.when_gone or "hide", remove_guard=table.remove_guard
        )
    )


def _product_categories(config: Config, _: Shop) -> Target:
    table = config.targets.categories
    assert table is not None
    return ProductCategories(ProductCategorySettings(stores=table.stores, card_types=table.card_types))


def _parameter_settings(config: Config) -> ParameterSettings:
    table = config.targets.parameters
    assert table is not None
    return ParameterSettings(stores=table.stores, card_types=table.card_types, skip=table.skip)


def _supplier_settings(config: Config) -> SupplierSettings:
    table = config.targets.suppliers
    assert table is not None
    return SupplierSettings(stores=table.stores, card_types=table.card_types, fields=table.fields)


def _order_states(config: Config, _: Shop) -> Target:
    table = config.targets.order_states
    assert table is not None
    settings = OrderStateSettings(
        since=table.since,
        map={sign: state for sign, state in table.map.items()},  # noqa: C416 - a wider type of key
        list_column=table.list_column,
        list_map=table.list_map,
        progress=table.progress,
        tracking_column=table.tracking_column,
        carrier_column=table.carrier_column,
        order_number=table.order_number,
    )
    return OrderStates(settings)


_TARGETS: dict[str, Callable[[Config, Shop], Target]] = {
    "quantities": _quantities,
    "products": _products,
    "prices": _prices,
    "images": _images,
    "categories": _category_tree,
    "categories.products": _product_categories,
    "parameters.terms": lambda config, _: Terms(_parameter_settings(config)),
    "parameters": lambda config, _: Parameters(_parameter_settings(config)),
    "suppliers.firms": lambda config, _: Firms(_supplier_settings(config)),
    "suppliers": lambda config, _: Suppliers(_supplier_settings(config)),
    "order_states": _order_states,
}


def _vat_rates(config: Config) -> VatRates:
    rates = config.pohoda.vat_rates
    return VatRates(*(None if rate is None else Decimal(str(rate)) for rate in (rates.high, rates.low, rates.third)))
