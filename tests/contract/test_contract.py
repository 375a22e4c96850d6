"""Every claim of the contract against every shop kind: PrestaShop (our fake) and Vendure (a real server).

To let a kind join: write its `World`, and add it to `WORLDS`; one that serves products, prices and pictures too is a
`CatalogueWorld`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract import bad_days, catalogue_suite, suite
from tests.contract.prestashop_world import prestashop_world
from tests.contract.vendure_world import vendure_world
from tests.contract.world import CatalogueWorld, World

WORLDS: dict[str, Callable[[Path], contextlib.AbstractContextManager[World]]] = {
    "prestashop": prestashop_world,
    "vendure": vendure_world,
}

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs Vendure


@pytest.fixture(scope="module", params=list(WORLDS))
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with WORLDS[request.param](tmp_path_factory.mktemp(request.param)) as world:
        yield world


@pytest.fixture
def world(running: World) -> Iterator[World]:
    yield running
    running.proxy.clear()


@pytest.fixture
def catalogue(world: World) -> CatalogueWorld:
    if not isinstance(world, CatalogueWorld):
        pytest.skip("this kind serves no products, prices and pictures yet")
    return world


for _module in (suite, bad_days, catalogue_suite):
    _claims = {name: claim for name, claim in vars(_module).items() if name.startswith("claim_")}
    globals().update({f"test_{name.removeprefix('claim_')}": claim for name, claim in _claims.items()})
