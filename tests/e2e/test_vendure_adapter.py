"""The Vendure adapter against a real Vendure: what the server does was not believed but asked."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import agent.shops.vendure_lists
from agent.errors import ShopUnavailable
from agent.events import Done, Event, Held, Owed, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.shops.vendure import VendureShop

from .vendure import PASSWORD, USER, RealVendure, running_vendure

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs

CODES = [f"ZBO-{n:03}" for n in range(40)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVendure]:
    with running_vendure(tmp_path_factory.mktemp("vendure") / "shop") as shop:
        shop.create_products(CODES, quantity=1)
        yield shop


@pytest.fixture
def adapter(server: RealVendure) -> Iterator[VendureShop]:
    shop = VendureShop(server.url, user=USER, password=PASSWORD, timeout=20)
    yield shop
    shop.close()


def wanted(*codes: str) -> list[Wanted]:
    return [Wanted(key=key_of(code), code=code) for code in codes]


def owed(code: str, value: Value, link: str | None) -> Owed:
    return Owed(Event(target="quantities", key=key_of(code), value=value, code=code), link)


def links(shop: VendureShop, *codes: str) -> list[str]:
    found = shop.find("quantities", wanted(*codes))
    return [held.link for code in codes if isinstance(held := found[key_of(code)], Held)]


def test_what_is_delivered_is_in_the_shop_and_confirmed_by_it(adapter: VendureShop, server: RealVendure) -> None:
    one, two = links(adapter, *CODES[:2])
    outcomes = adapter.deliver("quantities", [owed(CODES[0], 17, one), owed(CODES[1], 2**31 - 1, two)])
    assert [(o.link, o.confirmed) for o in outcomes if isinstance(o, Done)] == [(one, 17), (two, 2**31 - 1)]
    assert server.stock(CODES[:3]) == {CODES[0]: 17, CODES[1]: 2**31 - 1, CODES[2]: 1}


def test_twice_is_the_same_as_once(adapter: VendureShop, server: RealVendure) -> None:
    (link,) = links(adapter, CODES[2])
    for _ in range(2):
        (outcome,) = adapter.deliver("quantities", [owed(CODES[2], 5, link)])
        assert isinstance(outcome, Done)
        assert outcome.confirmed == 5
    assert server.stock([CODES[2]]) == {CODES[2]: 5}


def test_an_unknown_id_loses_its_link_and_the_rest_of_the_batch_is_untried(
    adapter: VendureShop, server: RealVendure
) -> None:
    one, two = links(adapter, *CODES[3:5])
    batch = [owed(CODES[3], 30, one), owed("gone", 31, "987654"), owed(CODES[4], 32, two), owed("odd", 33, "abc")]
    first, gone, second, odd = adapter.deliver("quantities", batch)
    assert [first, second] == [Untried(), Untried()]
    assert isinstance(gone, Rejected)
    assert isinstance(odd, Rejected)
    assert gone.link_lost
    assert odd.link_lost
    assert server.stock(CODES[3:5]) == {CODES[3]: 1, CODES[4]: 1}


def test_a_deleted_variant_is_neither_found_nor_read_nor_written(adapter: VendureShop, server: RealVendure) -> None:
    server.create_products(["DELETED"])
    (link,) = links(adapter, "DELETED")
    server.graphql("mutation($i: ID!) { deleteProductVariant(id: $i) { result } }", {"i": link})
    assert adapter.find("quantities", wanted("DELETED")) == {}
    assert adapter.read("quantities", [Wanted("deleted", "DELETED", link)]) == {}
    (outcome,) = adapter.deliver("quantities", [owed("DELETED", 1, link)])
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost


@pytest.mark.parametrize("value", [-1, 2**31, True, 1.5, "1", None])
def test_what_no_shop_can_hold_is_rejected_and_the_rest_goes(
    adapter: VendureShop, server: RealVendure, value: Value
) -> None:
    one, two = links(adapter, *CODES[5:7])
    bad, good = adapter.deliver("quantities", [owed(CODES[5], value, one), owed(CODES[6], 8, two)])
    assert isinstance(bad, Rejected)
    assert bad.reason.startswith("stockOnHand")
    assert isinstance(good, Done)
    assert server.stock(CODES[5:7]) == {CODES[5]: 1, CODES[6]: 8}


def test_a_key_with_two_rights_is_enough(server: RealVendure) -> None:
    shop = VendureShop(server.url, api_key=server.create_api_key("ReadCatalog", "UpdateCatalog"), timeout=20)
    assert {finding.verdict for finding in shop.check()} == {"ok"}
    (link,) = links(shop, CODES[7])
    (outcome,) = shop.deliver("quantities", [owed(CODES[7], 70, link)])
    assert isinstance(outcome, Done)
    assert shop.logins == 0
    shop.close()


def test_a_key_that_may_not_write_is_denied_by_delivery_and_probe_alike(server: RealVendure) -> None:
    shop = VendureShop(server.url, api_key=server.create_api_key("ReadCatalog"), timeout=20)
    (link,) = links(shop, CODES[8])
    with pytest.raises(ShopUnavailable) as delivery:
        shop.deliver("quantities", [owed(CODES[8], 80, link)])
    with pytest.raises(ShopUnavailable) as probe:
        shop.probe()
    assert delivery.value.denied
    assert probe.value.denied
    assert [finding.verdict for finding in shop.check()] == ["ok", "error"]
    assert server.stock([CODES[8]]) == {CODES[8]: 1}
    shop.close()


def test_wrong_credentials_are_denied_without_being_named(server: RealVendure) -> None:
    for shop in (
        VendureShop(server.url, user=USER, password="wrong-secret", timeout=20),
        VendureShop(server.url, api_key="wrong-secret", timeout=20),
        VendureShop(server.url, timeout=20),
    ):
        with pytest.raises(ShopUnavailable) as error:
            shop.probe()
        assert error.value.denied
        assert "wrong-secret" not in f"{error.value}{error.value.hint}"
        shop.close()


def test_probe_changes_nothing(adapter: VendureShop, server: RealVendure) -> None:
    moved = "{ productVariants(options: { sort: { updatedAt: DESC }, take: 1 }) { items { id updatedAt } } }"
    before = (server.graphql(moved), server.stock())
    adapter.probe()
    assert (server.graphql(moved), server.stock()) == before


def test_a_code_is_found_in_any_case(adapter: VendureShop, server: RealVendure) -> None:
    server.create_products(["aBc-Ž/1.x", "  blank ", "100%_A"])
    found = adapter.find("quantities", wanted("ABC-ž/1.X", "Blank", "100%_a", "abc-ž/11x", "unknown", "x" * 120))
    assert {key: held.code for key, held in found.items() if isinstance(held, Held)} == {
        "abc-ž/1.x": "aBc-Ž/1.x",
        "blank": "  blank ",
        "100%_a": "100%_A",
    }
    assert len(found) == 3


def test_a_code_held_twice_is_rejected_by_find_and_a_problem_on_its_page(
    adapter: VendureShop, server: RealVendure, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.create_products(["TWICE", "between", "twice"])
    found = adapter.find("quantities", wanted("Twice"))["twice"]
    assert isinstance(found, Rejected)
    assert "2 times" in found.reason
    monkeypatch.setattr(agent.shops.vendure_lists, "PAGE", 2)  # the two are on different pages
    problems: list[str] = []
    page: str | None = None
    while True:
        answer = adapter.read_page("quantities", page)
        problems += [key for key, _ in answer.problems]
        assert "twice" not in {item.key for item in answer.items}
        if (page := answer.next) is None:
            break
    assert problems.count("twice") == 2


def test_pages_show_everything_even_when_variants_before_are_deleted(
    adapter: VendureShop, server: RealVendure, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.create_products([f"doomed-{n}" for n in range(3)])
    monkeypatch.setattr(agent.shops.vendure_lists, "PAGE", 5)
    doomed = [CODES[39], *(f"doomed-{n}" for n in range(3))]
    server.create_products([f"last-{n}" for n in range(12)], quantity=3)
    seen: dict[str, Value] = {}
    page: str | None = None
    while True:
        restarted = VendureShop(server.url, user=USER, password=PASSWORD)  # a token outlives the agent
        answer = restarted.read_page("quantities", page)
        restarted.close()
        seen |= {item.key: item.value for item in answer.items}
        if "last-0" in seen and doomed:
            ids = links(adapter, *doomed)
            server.graphql("mutation($i: [ID!]!) { deleteProductVariants(ids: $i) { result } }", {"i": ids})
            doomed = []
        if (page := answer.next) is None:
            break
    assert {key_of(code) for code in [*CODES, *(f"last-{n}" for n in range(12))]} <= seen.keys()
    assert seen["last-11"] == 3


def test_reading_by_link_says_what_the_shop_holds(
    adapter: VendureShop, server: RealVendure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.shops.vendure_lists, "PAGE", 3)
    codes = CODES[20:30]
    asked = [Wanted(key_of(code), code, link) for code, link in zip(codes, links(adapter, *codes), strict=True)]
    held = adapter.read("quantities", [*asked, Wanted("gone", "gone", "987654")])
    assert {item.code: item.value for item in held.values()} == server.stock(codes)


def test_a_session_outlives_a_kill_of_the_shop(adapter: VendureShop, server: RealVendure) -> None:
    (link,) = links(adapter, CODES[9])
    adapter.deliver("quantities", [owed(CODES[9], 90, link)])
    server.kill()
    assert server.stock([CODES[9]]) == {CODES[9]: 90}
    with pytest.raises(ShopUnavailable):
        adapter.deliver("quantities", [owed(CODES[9], 91, link)])
    server.start()
    (outcome,) = adapter.deliver("quantities", [owed(CODES[9], 92, link)])
    assert isinstance(outcome, Done)
    assert adapter.logins == 1


def test_an_expired_session_is_renewed_within_the_call(adapter: VendureShop, server: RealVendure) -> None:
    (link,) = links(adapter, CODES[10])
    adapter._session.ask("mutation { logout { success } }")
    (outcome,) = adapter.deliver("quantities", [owed(CODES[10], 100, link)])
    assert isinstance(outcome, Done)
    assert adapter.logins == 2


def test_a_write_that_timed_out_is_unclear_and_is_applied_later(server: RealVendure) -> None:
    shop = VendureShop(server.url, user=USER, password=PASSWORD, timeout=1.5)
    one, two = links(shop, *CODES[11:13])
    server.freeze()
    try:
        outcomes = shop.deliver("quantities", [owed(CODES[11], 110, one), owed(CODES[12], 120, two)])
        with pytest.raises(ShopUnavailable):
            shop.probe()
        assert server.stock(CODES[11:13]) == {CODES[11]: 1, CODES[12]: 1}
    finally:
        server.thaw()
    assert all(isinstance(outcome, Unclear) for outcome in outcomes)
    deadline = time.monotonic() + 10
    while server.stock([CODES[11]]) != {CODES[11]: 110} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.stock(CODES[11:13]) == {CODES[11]: 110, CODES[12]: 120}
    shop.close()


def test_check_warns_of_variants_whose_stock_is_not_counted(adapter: VendureShop, server: RealVendure) -> None:
    (link,) = links(adapter, CODES[13])
    track = "mutation($i: ID!, $t: GlobalFlag) { updateProductVariant(input: {id: $i, trackInventory: $t}) { id } }"
    server.graphql(track, {"i": link, "t": "FALSE"})
    assert [(f.verdict, f.text[:10]) for f in adapter.check()][-1] == ("warning", "1 variants")
    server.graphql(track, {"i": link, "t": "INHERIT"})
    assert {finding.verdict for finding in adapter.check()} == {"ok"}


def test_of_several_stock_locations_one_must_be_chosen_and_only_it_is_written(server: RealVendure) -> None:
    make = 'mutation { createStockLocation(input: {name: "Prague"}) { id } }'
    prague = int(server.graphql(make)["createStockLocation"]["id"])
    undecided = VendureShop(server.url, user=USER, password=PASSWORD)
    chosen = VendureShop(server.url, user=USER, password=PASSWORD, stock_location="prague")
    try:
        with pytest.raises(ShopUnavailable) as error:
            links(undecided, CODES[14])
        assert "Prague" in error.value.hint
        (link,) = links(chosen, CODES[14])
        (outcome,) = chosen.deliver("quantities", [owed(CODES[14], 140, link)])
        assert isinstance(outcome, Done)
        assert outcome.confirmed == 140
        assert server.stock([CODES[14]]) == {CODES[14]: 1}
        assert server.stock([CODES[14]], location=prague) == {CODES[14]: 140}
        remove = "mutation($i: ID!) { deleteStockLocation(input: {id: $i}) { result } }"
        server.graphql(remove, {"i": str(prague)})
        (lost,) = chosen.deliver("quantities", [owed(CODES[14], 141, link)])
        assert isinstance(lost, Unclear)  # the shop answers with a database error
        with pytest.raises(ShopUnavailable, match="no such stock location"):
            chosen.deliver("quantities", [owed(CODES[14], 141, link)])
    finally:
        undecided.close()
        chosen.close()


def test_an_unknown_channel_stops_everything(server: RealVendure) -> None:
    shop = VendureShop(server.url, user=USER, password=PASSWORD, channel="no-such-channel")
    with pytest.raises(ShopUnavailable):
        shop.read_page("quantities", None)
    assert shop.check()[0].verdict == "error"
    shop.close()
