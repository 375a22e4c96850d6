"""Views: which columns of which POHODA table make a target's values. One file per view beside this one."""

from __future__ import annotations

from agent.sources.views.card_categories import CardCategoriesView
from agent.sources.views.card_parameters import CardParametersView
from agent.sources.views.card_suppliers import CardSuppliersView
from agent.sources.views.categories import CategoriesView
from agent.sources.views.orders import OrdersView
from agent.sources.views.pictures import PicturesView
from agent.sources.views.products import ProductsView
from agent.sources.views.stock import StockView

VIEWS = {
    "stock": StockView,
    "products": ProductsView,
    "pictures": PicturesView,
    "categories": CategoriesView,
    "card_categories": CardCategoriesView,
    "card_parameters": CardParametersView,
    "card_suppliers": CardSuppliersView,
    "orders": OrdersView,
}
"""To add a view: one file and one line."""
