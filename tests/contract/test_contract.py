"""Every claim of the contract against every shop kind: PrestaShop (our fake) and Vendure (a real server).

To let a kind join: write its `World`, and add it to `WORLDS`; one that serves products, prices and pictures too is a
`CatalogueWorld`, one with categories, parameters and suppliers a `NamedWorld`, one with orders an `OrderWorld`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract import bad_days, card_suite, catalogue_suite, category_suite, named_suite, order_suite, suite
from tests.contract.desk import dismiss
from tests.contract.prestashop_world import prestashop_world
from tests.contract.vendure_world import vendure_world
from tests.contract.world import CatalogueWorld, NamedWorld, OrderWorld, World

WORLDS: dict[str, Callable[[Path], contextlib.AbstractContextManager[World]]] = {
    "prestashop": prestashop_world,
    "vendure": vendure_world,
}

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs Vendure


@pytest.fixture(scope="module", params=list(WORLDS))
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with WORLDS[request.param](tmp_path_factory.mktemp(request.param)) as world:
        yield world
        dismiss(world)


@pytest.fixture
def world(running: World) -> Iterator[World]:
    yield running
    running.proxy.clear()


@pytest.fixture
def catalogue(world: World) -> CatalogueWorld:
    if not isinstance(world, CatalogueWorld):
        pytest.skip("this kind serves no products, prices and pictures yet")
    return world


@pytest.fixture
def named(world: World) -> NamedWorld:
    if not isinstance(world, NamedWorld):
        pytest.skip("this kind serves no categories, parameters and suppliers yet")
    return world


@pytest.fixture
def ordering(world: World) -> OrderWorld:
    if not isinstance(world, OrderWorld):
        pytest.skip("this kind serves no states of orders yet")
    return world


# Those that make many categories come last: a real Vendure looks at all of them after every change of a product.
for _module in (suite, bad_days, catalogue_suite, order_suite, card_suite, named_suite, category_suite):
    for _name, _claim in vars(_module).items():
        if _name.startswith("claim_"):
            _test = f"test_{_name.removeprefix('claim_')}"
            assert globals().setdefault(_test, _claim) is _claim, f"two claims have one name: {_name}"
