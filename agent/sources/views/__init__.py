"""Views: which columns of which POHODA table make a target's values. One file per view beside this one."""

from __future__ import annotations

from agent.sources.views.pictures import PicturesView
from agent.sources.views.products import ProductsView
from agent.sources.views.stock import StockView

VIEWS = {"stock": StockView, "products": ProductsView, "pictures": PicturesView}
"""To add a view: one file and one line."""
