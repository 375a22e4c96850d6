"""What happens to cards in POHODA and to codes in the shop: deleted, unticked, renamed, in several stores, unknown."""

from __future__ import annotations

import httpx
import pytest

from tests.scenario.stage import Stage


def test_a_deleted_card_goes_to_0_and_its_neighbours_stay(play: Stage) -> None:
    play.both(3)
    play.once()
    play.sql("DELETE FROM SKz WHERE IDS = 'A-0002'")
    assert play.once().code == 0
    assert play.sent() == [("A-0002", 0)]


def test_an_unticked_card_goes_to_0_and_comes_back_with_the_tick(play: Stage) -> None:
    play.both(2)
    play.once()
    play.sql("UPDATE SKz SET IObchod = 0 WHERE IDS = 'A-0001'")
    play.once()
    play.sql("UPDATE SKz SET IObchod = 1 WHERE IDS = 'A-0001'")
    play.once()
    assert play.sent() == [("A-0001", 0), ("A-0001", 5)]


def test_a_card_that_was_never_on_offer_is_not_touched_in_the_shop(play: Stage) -> None:
    play.card("HIDDEN", 3, internet=0)
    play.shop.add_product("HIDDEN", 8)
    play.shop.add_product("NOT-OURS", 4)
    assert play.once().code == 0
    assert play.sent() == []


def test_a_renamed_card_gives_its_pieces_to_the_new_code_and_takes_them_from_the_old(play: Stage) -> None:
    play.both(1)
    play.shop.add_product("NEW", 0)
    play.once()
    play.sql("UPDATE SKz SET IDS = 'NEW' WHERE IDS = 'A-0001'")
    assert play.once().code == 0
    assert sorted(play.sent()) == [("A-0001", 0), ("NEW", 5)]


def test_another_spelling_is_the_same_code(play: Stage) -> None:
    play.card("  Šroub-1 ", 7)
    play.shop.add_product("šROUB-1", 0)
    assert play.once().code == 0
    assert play.shop.quantity_of("šROUB-1") == 7


def test_stores_are_added_up_or_only_the_best_counts(play: Stage) -> None:
    play.card("A", 4, store=1)
    play.card("A", 3, store=2)
    play.shop.add_product("A", 0)
    play.once()
    play.configure(quantities__combine="max")
    play.once()
    play.configure(quantities__stores=["prodejna"])
    play.once()
    assert [pieces for _, pieces in play.sent()] == [7, 4, 3]


def test_a_store_that_does_not_exist_stops_everything_and_names_those_that_do(play: Stage) -> None:
    play.both(12)
    play.once()
    play.configure(quantities__stores=["HLAVNI", "PRODEJN"])
    said = play.once()
    assert said.code == 1
    assert "POHODA has no store PRODEJN" in said.err
    assert "try: Set stores to some of: HLAVNI, PRODEJNA" in said.err
    assert play.sent() == []
    checked = play.cli("check")
    assert checked.code == 1
    assert "POHODA has no store PRODEJN" in checked.out


def test_an_unknown_code_is_a_dead_letter_with_a_hint_and_holds_up_nobody(play: Stage) -> None:
    play.both(3, held=1)
    play.card("GHOST", 4)
    said = play.once()
    assert said.code == 0
    assert "1 dead letters. Try: pohoda-agent outbox list --dead" in said.out
    assert len(play.sent()) == 3
    (letter,) = play.cli("outbox", "list", "--dead", "--json").json
    assert letter["reason"] == "the shop does not know the code 'GHOST'"
    assert letter["hint"].startswith("Create the product in the shop with exactly this code")
    assert letter["hint"].endswith("pohoda-agent outbox retry --all.")


@pytest.mark.parametrize("how", ["retry", "change"])
def test_a_dead_letter_is_answered_by_retry_or_by_the_next_change_once_the_product_is_there(
    play: Stage, how: str
) -> None:
    play.card("GHOST", 4)
    play.once()
    play.shop.add_product("GHOST", 0)
    assert play.once().code == 0
    assert play.sent() == []  # nothing told the agent that it may try again
    if how == "retry":
        said = play.cli("outbox", "retry", "ghost")
        assert said.out == "1 will be read again and sent at the next start of the agent, or by: pohoda-agent once.\n"
        play.pieces("GHOST", 6)  # the present value goes, not the one that died
    else:
        play.pieces("GHOST", 6)
    assert play.once().code == 0
    assert play.sent() == [("GHOST", 6)]
    assert play.cli("outbox", "list", "--dead", "--json").json == []


def test_a_code_that_the_shop_has_twice_is_a_dead_letter_until_it_is_single_again(play: Stage) -> None:
    play.card("TWIN", 4)
    play.shop.add_product("TWIN", 1)
    second = play.shop.add_product("twin", 1)
    assert play.once().code == 0
    (letter,) = play.cli("outbox", "list", "--dead", "--json").json
    assert "TWIN" in letter["code"]
    assert letter["hint"]
    assert play.sent() == []
    with play.shop.store.lock:
        play.shop.store.tables["products"].change(second, {"reference": "other"})
    play.cli("outbox", "retry", "--all")
    assert play.once().code == 0
    assert play.sent() == [("TWIN", 4)]


def test_a_discarded_dead_letter_is_gone_and_the_next_change_goes_all_the_same(play: Stage) -> None:
    play.card("GHOST", 4)
    play.once()
    assert play.cli("outbox", "discard", "GHOST").out == "1 discarded.\n"
    assert play.target()["dead"] == 0
    (row,) = play.cli("outbox", "history", "GHOST", "--json").json
    assert (row["status"], row["reason"].split(":")[0]) == ("superseded", "discarded")
    play.shop.add_product("GHOST", 0)
    play.pieces("GHOST", 5)
    play.once()
    assert play.sent() == [("GHOST", 5)]


def test_a_product_deleted_and_made_again_in_the_shop_is_found_anew(play: Stage) -> None:
    play.both(2)
    play.once()
    assert httpx.delete(f"{play.shop.url}/api/products/1", auth=(play.shop.key, "")).status_code == 200
    play.shop.add_product("A-0001", 0)
    play.pieces("A-0001", 9)
    assert play.once().code == 0
    assert play.shop.quantity_of("A-0001") == 9


@pytest.mark.parametrize(
    ("written", "sent"), [("NULL", 0), ("-3", 0), ("2.9999999999", 3), ("2.5", 2), ("'text'", None), ("9e99", None)]
)
def test_odd_quantities_become_whole_pieces_or_a_dead_letter_that_names_the_column(
    play: Stage, written: str, sent: int | None
) -> None:
    play.card("A", 1)
    play.shop.add_product("A", 1)
    play.once()
    play.sql(f"UPDATE SKz SET StavZ = {written}")
    play.once()
    if sent is None:
        (letter,) = play.cli("outbox", "list", "--dead", "--json").json
        assert letter["reason"].startswith("SKz.StavZ: in the store HLAVNI")
        assert letter["hint"]
        assert play.sent() == []
    else:
        assert play.sent() == [("A", sent)]
