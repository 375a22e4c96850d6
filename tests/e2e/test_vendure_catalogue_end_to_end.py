"""The whole way of a catalogue on a real Vendure: 300 cards with texts, prices and pictures are created, changed,
renamed and taken away in POHODA, by its database and by its exports; each time both sides are equal.

The agent is a process of its own; what the shop must show is reckoned, and what it shows is read, without it. Each
phase is one transaction in POHODA, the hardest way for all that hangs together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.demo import goods, pohoda

from . import catalogue_work as work
from .catalogue_office import Office
from .catalogue_reading import Reader, Reading
from .catalogue_reckoning import SAFETY, STORES
from .catalogue_stage import (
    TARGETS,
    TIMEOUT,
    Stage,
    command,
    in_state,
    kill_and_start_again,
    log_of,
    open_work,
    running,
    wait_for_rest,
    wait_until,
)
from .vendure import USER, RealVendure, running_vendure

pytestmark = pytest.mark.timeout(900)  # the first run on a machine installs
CARDS = 410
"""Rows of SKz: a bit more than 300 codes, of which every third lies in two stores."""
STRANGERS = ["Cizí-1", "CIZÍ 2", "cizi-3", "Cizí-4"]
"""Codes of products that POHODA has no card of."""
CONFIG = f"""\
[shop]
name = "e2e"
kind = "vendure"
url = "{{url}}"
user = "{USER}"
password = "${{{{SHOP_PASSWORD}}}}"
timeout = "{TIMEOUT:g}s"
[state]
file = "state.db"
[pohoda]
{{where}}
documents = "documents"
[targets.quantities]
{{common}}
poll = "500ms"
deduct = "reservations"
safety_stock = {SAFETY}
[targets.products]
{{common}}
poll = "500ms"
create = true
fields = [
    "name", "description", "short_description", "ean", "unit", "weight", "vat", "availability", "marks", "visible"
]
[targets.prices]
{{common}}
poll = "500ms"
[targets.images]
{{common}}
poll = "1s"
existing = "keep"
"""
WHERE = {"database": 'database = "pohoda.db"', "export": 'export_directory = "export"\nico = "12345678"'}


# ---------------------------------------------------------------------------------------------------- comparing


def assert_equal(stage: Stage) -> None:
    """Wait for rest, then compare all of the shop with all of what it must show."""
    wait_for_rest(stage)
    assert_shown(stage)
    dead = in_state(stage, "SELECT target, key FROM delivery WHERE status = 'dead'")
    parts = {"products": "texts", "images": "pictures"}
    assert {(key, parts.get(target, target)) for target, key in dead} == set(stage.stuck.items())
    assert in_state(stage, "SELECT count(*) FROM delivery WHERE status = 'held'") == [(0,)]


def assert_shown(stage: Stage) -> None:
    """Read the whole shop and compare it; every difference is listed."""
    reading = stage.reader.read()
    wrong = differences(stage, reading) + reading.faults
    assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong[:100])


def differences(stage: Stage, reading: Reading) -> list[str]:
    """Say every field of every product that is not as it must be."""
    begin = stage.begin
    found = [f"{key}: nobody ordered it" for key in reading.cards.keys() - stage.expected.keys() - begin.cards.keys()]
    for key, raw in begin.raw.items():
        if key not in stage.expected and reading.raw.get(key) != raw:
            found.append(f"{key}: was changed though POHODA does not offer it")
    for key, wanted in sorted(stage.expected.items()):
        held = reading.cards.get(key)
        if held is None:
            if wanted["visible"]:
                found.append(f"{key}: is not there")
            continue
        foreign = begin.cards[key]["pictures"] if key in begin.cards else []
        full: Mapping[str, Any] = {**wanted, "pictures": [*wanted["pictures"], *foreign]}
        found += [f"{key} {name}: {held[name]!r}, not {full[name]!r}" for name in full if held[name] != full[name]]
        if key in begin.raw and english(begin.raw[key]) != english(reading.raw[key]):
            found.append(f"{key}: its English texts were changed")
    return found


def english(product: dict[str, Any]) -> list[Any]:
    said = [*product["translations"], *product["variants"][0]["translations"]]
    return [text for text in said if text["languageCode"] == "en"]


# -------------------------------------------------------------------------------------------------------- stage


@pytest.fixture(params=["database", "export"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """POHODA with 300 cards, a shop that has some of them and others, and a configuration; the agent does not run."""
    office = Office(tmp_path / "pohoda.db", tmp_path / "documents" / goods.PICTURES)
    pohoda.create(office.database, cards=CARDS, seed=7, catalogue=True, documents=tmp_path / "documents")
    assert len(pohoda.codes(office.database)) >= 300
    common = f'source = "{request.param}"\nstores = ["{STORES[0]}", "{STORES[1]}"]'
    with running_vendure(tmp_path / "shop") as shop:
        furnish(shop, office)
        text = CONFIG.format(url=shop.url, where=WHERE[request.param], common=common)
        (tmp_path / "eshop.toml").write_text(text, encoding="utf-8")
        (tmp_path / "export").mkdir()
        reader = Reader(shop.url)
        made = Stage(tmp_path, request.param, shop, office, reader, reader.read())
        yield made
        if made.agent is not None:
            made.agent.kill()
            made.agent.wait(10)


def furnish(shop: RealVendure, office: Office) -> None:
    """Set the shop up for Czech crowns, with some products: of POHODA's codes, spelled in several ways, and others."""
    shop.graphql("mutation { updateGlobalSettings(input: {availableLanguages: [en, cs]}) { __typename } }")
    channel: dict[str, Any] = {"id": "1", "availableLanguageCodes": ["en", "cs"], "defaultLanguageCode": "cs"}
    channel |= {"availableCurrencyCodes": ["CZK", "USD"], "defaultCurrencyCode": "CZK", "pricesIncludeTax": True}
    shop.graphql("mutation($i: UpdateChannelInput!) { updateChannel(input: $i) { __typename } }", {"i": channel})
    offered = office.codes()[::4]
    spelled = [offered[0].lower(), f" {offered[1]} ", offered[2][:2].lower() + offered[2][2:], *offered[3:]]
    shop.create_products([*spelled, *office.codes(ticked=False)[:10], *STRANGERS], quantity=5)
    for code in (*offered[5:8], STRANGERS[0]):
        picture = shop.upload(f"vlastni {code}.png", goods.png(hash_of(code), width=20))
        listed = shop.graphql(
            "query($c: String!) { productVariants(options: {filter: {sku: {eq: $c}}}) { items { product { id } } } }",
            {"c": code},
        )
        product = listed["productVariants"]["items"][0]["product"]["id"]
        change = {"id": product, "assetIds": [picture], "featuredAssetId": picture}
        shop.graphql("mutation($i: UpdateProductInput!) { updateProduct(input: $i) { id } }", {"i": change})


def hash_of(code: str) -> int:
    return sum(map(ord, code)) % 2**24


# ---------------------------------------------------------------------------------------------------------- test


def test_both_sides_are_equal_after_cards_were_changed_renamed_and_taken_away(stage: Stage) -> None:
    with running(stage):
        create(stage)
        change(stage)
        rename(stage)
        settle(stage, work.take_away(stage.office, deletes=stage.source == "database"))
        cut_prices(stage)
        go_on_through_a_kill(stage)
    log = log_of(stage)
    assert "Traceback" not in log
    assert log.count("baseline complete") == len(TARGETS) - 1  # pictures have none; nobody read the shop a second time


def settle(stage: Stage, touched: Sequence[int]) -> None:
    """Let the agent take in what was changed, and compare."""
    stage.hand_over(touched)
    stage.reckon()
    assert_equal(stage)


def create(stage: Stage) -> None:
    """The first synchronisation; the agent is killed while it creates products (once: it costs 15 s to be sure).

    One product that the shop has cannot be given its texts: all else of it arrives.
    """
    mute = work.misspell(stage.office, stage.office.codes()[44:80:4]).casefold()
    stage.expected = {mute: {**stage.begin.cards[mute], "pictures": []}}
    stage.stuck = {mute: "texts"}
    stage.hand_over()
    stage.reckon()
    had = len(stage.begin.cards)
    wait_until(stage, "nothing is created", lambda: len(stage.shop.stock()) > had + 60, 120)
    if stage.source == "database":
        kill_and_start_again(stage)
    assert_equal(stage)
    assert len(stage.expected) > 260


def change(stage: Stage) -> None:
    """Texts, prices, quantities and pictures change; of two cards something cannot be sent."""
    touched, stuck = work.change(stage.office)
    stage.stuck |= stuck
    settle(stage, touched)


def rename(stage: Stage) -> None:
    """Codes change, and what was stuck is put right; the old codes end hidden and at 0."""
    touched = work.rename(stage.office, STRANGERS[:2], list(stage.stuck))
    touched += work.mend(stage.office, stage.stuck)
    stage.stuck = {}
    before = stage.expected
    settle(stage, touched)
    gone = [key for key in before if before[key]["visible"] and not stage.expected[key]["visible"]]
    assert len(gone) == 13
    assert all(stage.expected[key]["quantity"] == 0 for key in gone)


def cut_prices(stage: Stage) -> None:
    """Prices that fall all at once are held, and sent when they are approved; others go meanwhile."""
    touched, cut = work.cut_prices(stage.office, 4)
    stage.hand_over(touched)
    wait_until(stage, "nothing is held", lambda: held(stage) == cut, 60)
    wait_for_rest(stage)
    assert_shown(stage)  # not one has moved
    assert f"{len(cut)} approved" in command(stage, "outbox", "approve", "--all", "--target", "prices")
    stage.reckon()
    assert_equal(stage)


def held(stage: Stage) -> set[str]:
    return {key for (key,) in in_state(stage, "SELECT key FROM delivery WHERE status = 'held' AND target = 'prices'")}


def go_on_through_a_kill(stage: Stage) -> None:
    """Everything changes at once; the agent is killed amid it, and more changes while it is away."""
    stage.hand_over(work.go_on(stage.office, 0))
    wait_until(stage, "nothing to do", lambda: open_work(stage) > 40, 60)
    kill_and_start_again(stage, lambda: stage.hand_over(work.go_on(stage.office, 1)))
    settle(stage, work.go_on(stage.office, 2))
