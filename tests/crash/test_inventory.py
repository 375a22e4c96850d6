"""The judge of the catalogue is judged: it must see each loss and each double, and nothing where there is none."""

from __future__ import annotations

from dataclasses import replace

from tests.crash.inventory import Card, Shown, judge

FIELDS = {"name": "Šroub"}
A, B, C = b"a", b"b", b"c"
CARD = Card("S-1", FIELDS, 10.0, 5, (A, B))
SHOWN = Shown(1, FIELDS, True, 10.0, 5, (A, B))


def verdict(*shown: Shown, cards: tuple[Card, ...] = (CARD,)) -> tuple[int, int]:
    found = judge(cards, {"s-1": shown} if shown else {})
    return found.lost, found.doubled


def test_what_is_there_once_as_it_should_be_is_sound() -> None:
    assert verdict(SHOWN) == (0, 0)


def test_a_product_that_is_missing_is_lost() -> None:
    assert verdict() == (1, 0)


def test_a_product_with_other_texts_price_pieces_or_hidden_is_lost() -> None:
    for other in (
        replace(SHOWN, fields={"name": "Matka"}),
        replace(SHOWN, price=10.01),
        replace(SHOWN, pieces=4),
        replace(SHOWN, visible=False),
    ):
        assert verdict(other) == (1, 0)


def test_pictures_that_are_missing_or_in_another_order_are_lost() -> None:
    assert verdict(replace(SHOWN, pictures=(A,))) == (1, 0)
    assert verdict(replace(SHOWN, pictures=(B, A))) == (1, 0)


def test_a_code_twice_is_doubled() -> None:
    assert verdict(SHOWN, replace(SHOWN, product=2)) == (0, 1)


def test_a_picture_twice_is_doubled() -> None:
    assert verdict(replace(SHOWN, pictures=(A, B, A))) == (0, 1)


def test_a_picture_that_is_not_the_cards_is_left_over_with_or_without_a_file() -> None:
    assert verdict(replace(SHOWN, pictures=(A, B, C))) == (0, 1)
    assert verdict(replace(SHOWN, pictures=(A, B, None))) == (0, 1)


def test_what_is_not_on_offer_any_more_must_be_hidden_and_at_0() -> None:
    assert verdict(SHOWN, cards=()) == (1, 0)
    assert verdict(replace(SHOWN, visible=False), cards=()) == (1, 0)
    assert verdict(replace(SHOWN, visible=False, pieces=0), cards=()) == (0, 0)
    assert verdict(cards=()) == (0, 0)
