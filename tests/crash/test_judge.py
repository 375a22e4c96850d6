"""The judge of the crash test is judged: it must see each way in which money is lost, and nothing where none is."""

from __future__ import annotations

from tests.crash.judge import Verdict, judge
from tests.crash.storm import Sent

CODES = {1: "A", 2: "B"}


def verdict(*sent: Sent, kills: tuple[float, ...] = (), pohoda: int = 3, shop: int = 3) -> Verdict:
    return judge(sent, kills, CODES, {"A"}, pohoda={"A": pohoda}, shop={"A": shop})


def test_a_straight_story_is_sound() -> None:
    found = verdict(Sent(1, 1, 1, "none"), Sent(2, 1, 2, "none"), Sent(3, 1, 3, "none"))
    assert (found.lost, found.regressed, found.resends) == (0, 0, 0)


def test_a_final_value_that_differs_is_lost() -> None:
    assert verdict(Sent(1, 1, 2, "none"), shop=2).lost == 1


def test_an_older_value_after_a_confirmed_one_is_a_regression() -> None:
    assert verdict(Sent(1, 1, 3, "none"), Sent(2, 1, 2, "none"), shop=2).regressed == 2  # sent, and stands at the end


def test_after_an_unclear_answer_an_older_value_may_be_sent() -> None:
    story = (Sent(1, 1, 2, "none"), Sent(2, 1, 3, "drop_after_apply"), Sent(3, 1, 1, "none"), Sent(4, 1, 3, "none"))
    assert verdict(*story).regressed == 0


def test_a_refusal_is_not_an_unclear_answer() -> None:
    story = (Sent(1, 1, 2, "none"), Sent(2, 1, 3, "s429"), Sent(3, 1, 1, "none"), Sent(4, 1, 3, "none"))
    assert verdict(*story).regressed == 1


def test_across_a_kill_an_older_value_may_be_sent() -> None:
    story = (Sent(1, 1, 3, "none"), Sent(3, 1, 2, "none"), Sent(4, 1, 3, "none"))
    assert verdict(*story, kills=(2.0,)).regressed == 0


def test_the_same_value_after_a_clear_answer_is_a_resend() -> None:
    assert verdict(Sent(1, 1, 3, "none"), Sent(2, 1, 3, "none")).resends == 1
    assert verdict(Sent(1, 1, 3, "never_apply"), Sent(2, 1, 3, "none")).resends == 0


def test_cards_that_flip_are_judged_by_their_end_only() -> None:
    found = judge([Sent(1, 2, 9, "none"), Sent(2, 2, 8, "none")], (), CODES, {"A"}, pohoda={"B": 8}, shop={"B": 8})
    assert (found.lost, found.regressed, found.resends) == (0, 0, 0)
