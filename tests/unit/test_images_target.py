"""Claims about the target of pictures: their order, whose they are, and what is never removed."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import Unusable
from agent.events import Value
from agent.sources.rows import PictureRow
from agent.targets import GuardCount
from agent.targets.images import Images, ImageSettings


def row(number: int, **given: Any) -> PictureRow:  # noqa: ANN401 - any field
    plain: dict[str, Any] = {"code": "A", "store": "HLAVNI", "internet": True, "file": f"{number}.png"}
    return PictureRow(number, **plain | {"order": number, "sha": f"sha{number}"} | given)


def images(**given: Any) -> Images:  # noqa: ANN401 - any setting
    return Images(ImageSettings(**given))


def names(value: Value) -> list[Value]:
    assert isinstance(value, list)
    return [each["file"] for each in value if isinstance(each, dict)]


def test_a_picture_is_its_hash_its_name_and_its_text() -> None:
    assert images().value("a", [row(1, alt=" čelní \r\n pohled "), row(2)]) == [
        {"sha": "sha1", "file": "1.png", "alt": "čelní pohled"},
        {"sha": "sha2", "file": "2.png", "alt": ""},
    ]


def test_the_default_one_is_first_then_the_order_of_pohoda_then_the_oldest() -> None:
    rows = [row(1, order=5), row(2, order=None), row(3, order=9, default=True), row(4, order=5)]
    assert names(images().value("a", rows)) == ["3.png", "2.png", "1.png", "4.png"]


def test_a_picture_that_a_card_has_twice_is_sent_once() -> None:
    assert names(images().value("a", [row(1, sha="same"), row(2, sha="same"), row(3)])) == ["1.png", "3.png"]


def test_pictures_of_one_store_are_sent_and_never_a_mixture() -> None:
    rows = [row(1), row(2, store="PRODEJNA"), row(3, store="PRODEJNA")]
    assert names(images().value("a", rows)) == ["1.png"]
    assert names(images(pictures_from="prodejna").value("a", rows)) == ["2.png", "3.png"]
    assert names(images(stores=("PRODEJNA", "HLAVNI")).value("a", rows)) == ["2.png", "3.png"]


def test_a_store_that_is_not_ticked_gives_no_pictures_and_removes_none() -> None:
    rows = [row(1, internet=False, sha=""), row(2, store="PRODEJNA")]
    assert names(images(pictures_from="HLAVNI").value("a", rows)) == ["2.png"]


def test_no_picture_any_more_is_a_value_and_no_tick_is_none() -> None:
    assert images().value("a", []) == []
    assert images().value("a", [row(1, internet=False, sha="")]) is None
    assert images().absent() is None


@pytest.mark.parametrize(
    "given", [{"sha": "", "trouble": "the file x is missing", "hint": "Put it there."}, {"sha": ""}]
)
def test_one_picture_that_cannot_be_sent_makes_the_whole_value_unusable(given: dict[str, Any]) -> None:
    with pytest.raises(Unusable) as caught:
        images().value("a", [row(1), row(2, **given)])
    assert caught.value.field == "SkRefObraz.Soubor"
    assert (given.get("trouble") or "was not read") in str(caught.value)
    assert caught.value.hint == given.get("hint", "")


def test_what_the_shop_holds_is_the_same_by_hash_and_order() -> None:
    sent = images().value("a", [row(1, alt="x"), row(2)])
    assert images().same(sent, sent)
    assert images().same(sent, [{"sha": "sha1"}, {"sha": "sha2", "alt": None}])
    assert images().same(sent, [{"id": "7"}, {"sha": "sha1", "alt": "x"}, {"sha": "sha2", "alt": ""}])
    assert not images().same(sent, [{"sha": "sha2"}, {"sha": "sha1"}])
    assert not images().same(sent, [{"sha": "sha1"}])
    assert not images().same(sent, [{"sha": "sha1", "alt": "y"}, {"sha": "sha2"}])
    assert not images().same(sent, None)
    assert images().same([], [])


def test_the_guard_counts_cards_that_lose_all_their_pictures() -> None:
    target, some = images(), images().value("a", [row(1)])
    assert target.counts(some, [])
    assert target.counts(None, [])
    assert not target.counts([], [])
    assert not target.counts(some, some)
    assert not target.guard(GuardCount(9, 9))
    assert "30 of 100 products would lose all pictures" in target.guard(GuardCount(30, 100))


def test_pictures_go_one_product_at_a_time_and_wait_for_the_product() -> None:
    assert (images().batch_size("prestashop"), images().creator, images().thing) == (1, "products", "images")
    assert images().fingerprint() != images(pictures_from="A").fingerprint()
