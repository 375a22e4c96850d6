"""Claims about the targets of categories: the tree itself, and which cards are in which of them."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from agent.entries import to_json
from agent.errors import Unusable
from agent.events import Value
from agent.sources.rows_catalogue import CardCategoriesRow, CategoryRow
from agent.targets import GuardCount, Naming
from agent.targets.categories import Categories, CategorySettings
from agent.targets.product_categories import ProductCategories, ProductCategorySettings


def category(**given: Any) -> CategoryRow:  # noqa: ANN401 - any field
    plain: dict[str, Any] = {"id": 12, "code": "Nábytek / Židle", "name": "Židle", "parent": 3, "order": 2}
    return CategoryRow(**plain | given)


def categories(**given: Any) -> Categories:  # noqa: ANN401 - any setting
    return Categories(CategorySettings(**given))


def of(row: CategoryRow, **given: Any) -> dict[str, Value]:  # noqa: ANN401 - any setting
    made = categories(**given).value("12", [row])
    assert isinstance(made, dict)
    return made


def unusable(row: CategoryRow) -> Unusable:
    with pytest.raises(Unusable) as caught:
        categories().value("12", [row])
    return caught.value


def card(number: int = 1, **given: Any) -> CardCategoriesRow:  # noqa: ANN401 - any field
    plain: dict[str, Any] = {"code": "A", "store": "HLAVNI", "internet": True, "categories": (12, 3)}
    return CardCategoriesRow(number, **plain | given)


def products(*stores: str) -> ProductCategories:
    return ProductCategories(ProductCategorySettings(stores=stores))


# ------------------------------------------------------------------------------------------------------- the tree


def test_a_value_holds_name_parent_and_the_configured_fields() -> None:
    row = category(name=" Židle \r\n a křesla ", description="k <stolu> & k\nbaru", file="z.png", sha="abc")
    assert of(row) == {
        "name": "Židle a křesla",
        "parent": "3",
        "description": "k &lt;stolu&gt; &amp; k<br>baru",
        "picture": {"sha": "abc", "file": "z.png"},
        "order": 2,
        "visible": True,
    }
    assert of(row, fields=()) == {"name": "Židle a křesla", "parent": "3"}
    assert of(row, fields=("order",)) == {"name": "Židle a křesla", "parent": "3", "order": 2}


def test_what_pohoda_leaves_empty_has_a_plain_value() -> None:
    row = category(parent=None, order=None, visible=None)
    plain = {"name": "Židle", "parent": None, "description": "", "picture": None, "order": 0, "visible": True}
    assert of(row) == plain
    assert of(category(visible=False))["visible"] is False
    assert of(category(visible=0))["visible"] is False


def test_a_name_of_any_length_is_taken_and_an_empty_one_is_not() -> None:
    assert of(category(name="Ž" * 100))["name"] == "Ž" * 100
    for name in (None, "", " \t"):
        error = unusable(category(name=name))
        assert error.field == "SkKat.IDS"
        assert error.hint


@pytest.mark.parametrize("text", ["<p>a</p>", "a<br>b", "a<BR/>b", 'x <a href="#">y</a>'])
def test_a_description_with_tags_is_html_already(text: str) -> None:
    assert of(category(description=text))["description"] == text


@pytest.mark.parametrize(("text", "sent"), [("a < b > c", "a &lt; b &gt; c"), ("<jméno>", "&lt;jméno&gt;")])
def test_angle_brackets_are_no_html(text: str, sent: str) -> None:
    assert of(category(description=text))["description"] == sent


def test_a_category_that_hangs_on_nothing_is_unusable_with_the_reason() -> None:
    error = unusable(category(broken="it lies in a cycle: Židle / Stoly / Židle"))
    assert error.field == "SkKat.RefNodeID"
    assert "in a cycle: Židle" in str(error)
    assert error.hint


def test_a_picture_that_cannot_be_sent_makes_the_category_unusable_only_if_pictures_are_sent() -> None:
    row = category(file="z.png", trouble="the file z.png is missing", hint="Put it there.")
    error = unusable(row)
    assert (error.field, error.hint) == ("SkKat.Obrazek", "Put it there.")
    assert "z.png is missing" in str(error)
    assert "was not read" in str(unusable(category(file="z.png")))
    assert "picture" not in of(row, fields=("order",))


def test_a_category_that_is_gone_is_hidden_deleted_or_kept() -> None:
    assert categories().value("12", []) is None
    assert categories().absent() == {"gone": "hide"}
    assert categories(when_gone="delete", fields=()).absent() == {"gone": "delete"}
    assert categories(when_gone="keep").absent() is None


def test_a_category_is_hidden_only_if_it_can_be_shown_again() -> None:
    assert categories(fields=("order",)).absent() is None


def test_a_category_needs_its_parent() -> None:
    target = categories()
    assert isinstance(target, Naming)
    assert (target.names, target.namer, target.thing, target.creates) == ("category", target.name, "category", True)
    assert target.needs(of(category())) == ["3"]
    assert target.needs(of(category(parent=None))) == []
    assert target.needs({"gone": "hide"}) == []


def test_what_the_shop_holds_is_the_same_of_the_fields_that_both_name() -> None:
    sent, same = of(category(description="<p>a</p><p>b</p>", file="z.png", sha="abc")), categories().same
    assert same(sent, sent)
    assert same(sent, {"name": "Židle", "parent": "3"})
    assert same(sent, {"name": " Židle ", "parent": "3", "description": "<p>a</p>\n<p>b</p>\n", "slug": "zidle"})
    assert not same(sent, {"name": "židle", "parent": "3"}), "a new spelling is a rename"
    assert not same(sent, {"name": "Židle", "parent": None})
    assert not same(sent, {"name": "Židle", "order": 3})
    assert not same(sent, {"name": "Židle", "visible": False})
    assert not same(sent, {})
    assert not same(sent, None)


def test_a_picture_is_known_by_its_hash_and_one_without_is_not_ours() -> None:
    same = categories().same
    ours, none = of(category(file="z.png", sha="abc")), of(category())
    assert same(ours, {"picture": {"sha": "abc"}})
    assert same(ours, {"picture": {"sha": "abc", "file": "other.png"}})
    assert not same(ours, {"picture": {"sha": "abd"}})
    assert not same(ours, {"picture": {"sha": None}})
    assert not same(ours, {"picture": None})
    assert same(none, {"picture": None})
    assert same(none, {"picture": {"sha": None}}), "somebody else's picture stays"
    assert not same(none, {"picture": {"sha": "abc"}})


def test_a_hidden_category_may_be_told_of_either_way() -> None:
    same = categories().same
    assert same({"gone": "hide"}, {"gone": "hide"})
    assert same({"gone": "hide"}, {"gone": "delete"})
    assert same({"gone": "hide"}, {"name": "Židle", "visible": False})
    assert not same({"gone": "hide"}, {"name": "Židle", "visible": True})
    assert not same({"gone": "hide"}, None)
    assert same({"gone": "delete"}, {"gone": "delete"})
    assert not same({"gone": "delete"}, {"gone": "hide"})
    assert not same({"gone": "delete"}, {"name": "Židle", "visible": False})


def test_a_category_that_comes_back_differs_from_one_that_is_gone() -> None:
    assert not categories().same(of(category()), {"gone": "hide"})
    assert not categories().same(of(category()), {"gone": "hide", "name": "Židle", "parent": "3"})


def test_the_guard_counts_removals_of_what_is_there() -> None:
    target, there = categories(), of(category())
    assert target.counts(there, {"gone": "hide"})
    assert target.counts(None, {"gone": "delete"})
    assert target.counts({"gone": "hide"}, {"gone": "delete"})
    assert not target.counts({"gone": "hide"}, {"gone": "hide"})
    assert not target.counts({"name": "Židle", "visible": False}, {"gone": "hide"})
    assert not target.counts(there, there)
    assert not target.counts({"gone": "hide"}, there)


def test_the_guard_holds_from_three_removals_above_the_share() -> None:
    assert not categories().guard(GuardCount(2, 2))
    assert not categories().guard(GuardCount(3, 15))
    assert "3 of 14 categories would be hidden, more than 20% (remove_guard)" in categories().guard(GuardCount(3, 14))
    assert "would be deleted" in categories(when_gone="delete").guard(GuardCount(14, 14))
    assert not categories(remove_guard=None).guard(GuardCount(14, 14))


def test_the_settings_that_form_values_have_a_digest_of_their_own() -> None:
    plain = categories().fingerprint()
    changed: list[dict[str, Any]] = [{"fields": ("order",)}, {"when_gone": "keep"}, {"root": "7"}]
    assert len({plain, *(categories(**each).fingerprint() for each in changed)}) == 4
    assert categories(remove_guard=None).fingerprint() == plain
    assert categories(fields=("visible", "order", "picture", "description")).fingerprint() == plain


# ------------------------------------------------------------------------------------------------------ the cards


def test_a_card_is_in_a_set_of_categories() -> None:
    assert products().value("a", [card(categories=(3, 12, 3))]) == {"categories": ["12", "3"], "main": None}
    assert products().value("a", [card(main=3)]) == {"categories": ["12", "3"], "main": "3"}


def test_a_main_category_that_is_not_among_them_is_not_told() -> None:
    assert products().value("a", [card(main=99)]) == {"categories": ["12", "3"], "main": None}


def test_no_category_any_more_is_a_value_and_not_on_offer_is_none() -> None:
    assert products().value("a", [card(categories=())]) == {"categories": [], "main": None}
    assert products().value("a", [card(internet=False)]) is None
    assert products().value("a", []) is None
    assert products().absent() is None


def test_the_card_that_speaks_decides_alone() -> None:
    rows = [card(1), card(2, store="PRODEJNA", categories=(5,))]
    assert products().value("a", rows) == {"categories": ["12", "3"], "main": None}
    assert products("PRODEJNA", "HLAVNI").value("a", rows) == {"categories": ["5"], "main": None}
    rows[0] = card(1, internet=False)
    assert products().value("a", rows) == {"categories": ["5"], "main": None}


def test_the_order_of_the_rows_makes_no_other_value() -> None:
    rows = [card(1), card(2, store="B", categories=(5,)), card(3, store="C", categories=())]
    assert len({to_json(products().value("a", each)) for each in permutations(rows)}) == 1
    assert len({to_json(products("C", "B").value("a", each)) for each in permutations(rows)}) == 1


def test_a_card_needs_its_categories() -> None:
    target = products()
    assert isinstance(target, Naming)
    assert target.needs(target.value("a", [card()])) == ["12", "3"]
    assert (target.names, target.namer, target.thing, target.creator) == (
        "category",
        "categories",
        "product",
        "products",
    )


def test_categories_are_compared_as_a_set_and_the_main_one_where_it_was_said() -> None:
    same = products().same
    sent: Value = {"categories": ["12", "3"], "main": None}
    assert same(sent, {"categories": ["3", "12"], "main": "12"})
    assert not same(sent, {"categories": ["3"], "main": None})
    assert not same(sent, {"categories": ["12", "3", "4"], "main": None})
    assert same({"categories": ["3"], "main": "3"}, {"categories": ["3"], "main": "3"})
    assert not same({"categories": ["12", "3"], "main": "3"}, {"categories": ["12", "3"], "main": "12"})
    assert not same({"categories": [], "main": None}, {"main": None})
    assert not same(sent, None)


def test_the_guard_counts_cards_that_lose_all_categories() -> None:
    target = products()
    some: Value = {"categories": ["3"], "main": None}
    none: Value = {"categories": [], "main": None}
    assert target.counts(some, none)
    assert not target.counts(None, none)  # a new card
    assert not target.counts(none, none)
    assert not target.counts(some, some)
    assert not target.guard(GuardCount(9, 9))
    assert not target.guard(GuardCount(20, 100))
    assert "21 of 100 products would lose all categories" in target.guard(GuardCount(21, 100))


def test_the_order_of_stores_forms_the_values() -> None:
    assert products("A", "B").fingerprint() != products("B", "A").fingerprint()
    assert (products().batch_size("prestashop"), categories().batch_size("vendure")) == (50, 20)
