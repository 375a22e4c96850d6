"""`explain` on odd days: spellings, codes that are gone, codes that no search finds, quantities that are none."""

from __future__ import annotations

import re

import pytest

from tests.scenario.stage import Stage

WHEN = ["before the first start", "after it", "beside the agent"]


@pytest.mark.parametrize("when", WHEN)
def test_all_cards_of_a_code_are_found_however_each_is_spelt(play: Stage, when: str) -> None:
    spellings = {"ABC": 10, "ABC  ": 5, "Žluť-ď": 3, "ẞtraße": 2, "İx": 1}
    for code, pieces in spellings.items():
        play.card(code, pieces, store=1 + (code == "ABC  "))
    for code in ("abc", "žluť-ď", "ßtraße", "i̇x"):
        play.shop.add_product(code, 0)

    def explained() -> dict[str, object]:
        return {code: play.cli("explain", code, "--json").json["quantity"] for code in (*spellings, "abc ", "žLUŤ-Ď")}

    expected = {"ABC": 15, "ABC  ": 15, "Žluť-ď": 3, "ẞtraße": 2, "İx": 1, "abc ": 15, "žLUŤ-Ď": 3}
    if when == "before the first start":
        assert explained() == expected
        assert not play.state.exists()
    elif when == "after it":
        play.once()
        assert explained() == expected
    else:
        with play.agent() as agent:
            play.until(play.quiet, agent=agent)
            assert explained() == expected


def test_a_card_that_came_after_the_agent_had_stopped_counts_whatever_its_spelling(play: Stage) -> None:
    play.card("ABC", 10)
    play.once()
    play.card(" aBc", 5, store=2)
    assert play.cli("explain", "ABC", "--json").json["quantity"] == 15


@pytest.mark.parametrize("when", ["after it", "beside the agent"])
def test_a_deleted_code_is_explained_by_what_is_remembered(play: Stage, when: str) -> None:
    play.both(2)
    play.once()
    play.sql("DELETE FROM SKz WHERE IDS = 'A-0002'")
    play.once()
    if when == "after it":
        said, record = play.cli("explain", "a-0002"), play.cli("explain", "a-0002", "--json").json
    else:
        with play.agent():
            said, record = play.cli("explain", "a-0002"), play.cli("explain", "a-0002", "--json").json
    assert said.code == 0
    first, *rest = said.out.splitlines()
    assert first.startswith("A-0002: no card with this code in the chosen stores; a shop that sold it is given 0")
    assert rest == ["  the shop holds: 0", "  last confirmed: 0; nothing waits"]
    assert (record["code"], record["quantity"], record["in_shop"], record["confirmed"]) == ("A-0002", None, 0, 0)


def test_a_code_that_no_search_finds_is_read_by_its_link(play: Stage) -> None:
    play.card("[A]", 4)
    play.shop.add_product("[A]", 1)
    assert "cannot look for a code in square brackets" in play.cli("explain", "[A]").out
    play.once()
    assert "the shop holds: 4" in play.cli("explain", "[A]").out


def test_a_link_that_leads_nowhere_is_not_the_last_word(play: Stage) -> None:
    play.both(1)
    play.once()
    with play.shop.store.lock:
        play.shop.store.tables["products"].change(1, {"reference": "other"})
    play.shop.add_product("A-0001", 3)
    said = play.cli("explain", "A-0001")
    assert re.search(r"the shop holds: [35]$", said.out, re.MULTILINE)


def test_a_quantity_that_is_none_names_column_store_and_remedy(play: Stage) -> None:
    play.card("A", 1)
    play.card("A", 2, store=2)
    for odd, said_of in (("'text'", "not a number but str"), ("1e30", "1e+30, which is no number of pieces")):
        play.sql(f"UPDATE SKz SET StavZ = {odd} WHERE RefSklad = 2")
        for options in ([], ["--json"]):
            said = play.cli("explain", "A", *options)
            assert said.code == 1
            assert said.err.splitlines() == [
                f"error: SKz.StavZ: in the store PRODEJNA {said_of}",
                "  try: Correct the card in POHODA.",
            ]
