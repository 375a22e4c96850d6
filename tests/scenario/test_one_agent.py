"""One shop, one state file, one agent: what was confirmed by one shop is never believed of another."""

from __future__ import annotations

from agent.demo.prestashop import FakePrestaShop
from tests.scenario.stage import Stage


def test_a_state_file_of_another_shop_is_refused_and_nothing_is_written_there(play: Stage) -> None:
    play.both(3)
    assert play.once().code == 0
    with FakePrestaShop() as other:
        for code in ("A-0003", "X", "A-0001", "A-0002"):  # the same row ids belong to other products there
            other.add_product(code, 50)
        play.configure(shop__url=other.url)
        play.pieces("A-0002", 9)
        for command in ("once", "run"):
            said = play.cli(command)
            assert said.code == 2
            assert f"belongs to prestashop {play.shop.url}, and [shop] names prestashop {other.url}" in said.err
            assert "Name another [state] file" in said.err
        assert other.writes() == []

        play.configure(shop__url=other.url, state__file="second.db")
        assert play.once().code == 0
        assert {code: other.quantity_of(code) for code in ("A-0001", "A-0002", "A-0003", "X")} == {
            "A-0001": 5,
            "A-0002": 9,
            "A-0003": 5,
            "X": 50,
        }


def test_two_agents_with_two_state_files_do_not_work_for_one_shop(play: Stage) -> None:
    play.both(2)
    with play.agent():
        play.configure(state__file="second.db")
        said = play.cli("run")
        assert said.code == 2
        assert f"Another agent already works on the target quantities of prestashop {play.shop.url}" in said.err
        assert not (play.folder / "second.db").exists()
