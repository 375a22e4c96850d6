"""Claims about the targets of parameters: how values are written, and that what is named is always made."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from agent.entries import to_json
from agent.errors import Unusable
from agent.events import Value
from agent.sources.rows_catalogue import CardParameter, CardParametersRow
from agent.targets import Collecting, GuardCount, Naming
from agent.targets.names import term_key
from agent.targets.parameters import Parameters, ParameterSettings
from agent.targets.terms import Terms


def one(name: object = "Barva", kind: object = 1, **given: Any) -> CardParameter:  # noqa: ANN401 - any field
    empty: dict[str, Any] = dict.fromkeys(("unit", "currency", "text", "number", "whole", "money", "date"))
    return CardParameter(name, kind, **empty | given)


def card(*parameters: CardParameter, **given: Any) -> CardParametersRow:  # noqa: ANN401 - any field
    plain: dict[str, Any] = {"id": 1, "code": "A", "store": "HLAVNI", "internet": True}
    return CardParametersRow(**plain | {"parameters": parameters} | given)


def parameters(**given: Any) -> Parameters:  # noqa: ANN401 - any setting
    return Parameters(ParameterSettings(**given))


def terms(**given: Any) -> Terms:  # noqa: ANN401 - any setting
    return Terms(ParameterSettings(**given))


def written(parameter: CardParameter) -> list[Value]:
    made = parameters().value("a", [card(parameter)])
    assert isinstance(made, dict)
    values = made.get("Barva", [])
    assert isinstance(values, list)
    return values


def unusable(parameter: CardParameter) -> Unusable:
    with pytest.raises(Unusable) as caught:
        parameters().value("a", [card(parameter)])
    assert caught.value.hint
    with pytest.raises(Unusable):
        terms().things([card(parameter)])
    return caught.value


# ------------------------------------------------------------------------------------------------------ the types


def test_a_text_is_one_tidy_line() -> None:
    assert written(one(text=" tmavě \r\n červená\t")) == ["tmavě červená"]


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (12.5, "cm", "12,5 cm"),
        (12.0, " cm ", "12 cm"),
        (0.1 + 0.2, None, "0,3"),
        (Decimal("1234.500"), "mm", "1234,5 mm"),
        (-4, "°C", "-4 °C"),
        (0, "W", "0 W"),
        ("2.50", "", "2,5"),
        (1e12, "", "1000000000000"),
    ],
)
def test_a_number_has_a_decimal_comma_and_its_unit(number: object, unit: object, text: str) -> None:
    assert written(one(kind=5, number=number, unit=unit)) == [text]


def test_an_integer_has_its_unit() -> None:
    assert written(one(kind=6, whole=4, unit="ks")) == ["4 ks"]
    assert written(one(kind=5, whole=4, unit="ks")) == ["4 ks"]
    assert written(one(kind=5, number=0, whole=4)) == ["4"]


@pytest.mark.parametrize(("whole", "texts"), [(1, ["Ano"]), (-1, ["Ano"]), (0, ["Ne"]), (False, ["Ne"]), (None, [])])
def test_a_boolean_is_ano_or_ne_and_null_says_nothing(whole: object, texts: list[str]) -> None:
    assert written(one(kind=3, whole=whole)) == texts


def test_a_truth_value_is_a_boolean_of_any_type() -> None:
    assert written(one(kind=2, whole=True)) == ["Ano"]
    assert written(one(kind=2, whole=False)) == ["Ne"]


@pytest.mark.parametrize(
    ("money", "currency", "text"),
    [
        (Decimal("1234.5"), "", "1 234,50 Kč"),
        (1234567, None, "1 234 567,00 Kč"),
        (99.995, "CZK", "100,00 Kč"),
        (12, "EUR", "12,00 EUR"),
        (-5, "", "-5,00 Kč"),
        ("-0.001", "", "0,00 Kč"),
    ],
)
def test_an_amount_has_two_decimals_groups_and_its_currency(money: object, currency: object, text: str) -> None:
    assert written(one(kind=2, money=money, currency=currency)) == [text]


@pytest.mark.parametrize(
    "given",
    [
        dt.datetime(2026, 12, 4, 13, 30),  # noqa: DTZ001 - POHODA's times have no zone
        dt.date(2026, 12, 4),
        "2026-12-04 00:00:00",
        "2026-12-04T13:30:00",
    ],
)
def test_a_date_is_written_as_czechs_do_and_without_a_time(given: object) -> None:
    assert written(one(kind=6, date=given)) == ["4. 12. 2026"]


def test_a_list_gives_its_chosen_values_in_their_order() -> None:
    assert written(one(kind=8, chosen=("modrá", "červená", "", "MODRÁ"))) == ["modrá", "červená"]
    assert written(one(kind=8)) == []


def test_all_spaces_are_plain_ones() -> None:
    row = card(one("A", text="a\u00a0b"), one("B", kind=2, money=1000), one("C", kind=6, date="2026-12-04"))
    assert "\u00a0" not in to_json(parameters().value("a", [row]))


def test_a_known_type_takes_its_own_column_first() -> None:
    full = {"text": "text", "number": 2.5, "whole": 1, "money": 3, "date": "2026-12-04"}
    assert written(one(kind=1, **full)) == ["text"]
    assert written(one(kind=3, **full)) == ["Ano"]
    assert written(one(kind=5, **full)) == ["2,5"]
    assert written(one(kind=8, **full, chosen=("a",))) == ["a"]


@pytest.mark.parametrize("kind", [None, 2, 4, 6, 7, 99, "?", Decimal(7), ""])
def test_an_unknown_type_takes_the_column_that_says_something(kind: object) -> None:
    assert written(one(kind=kind, text="a", number=0, whole=0, money=0)) == ["a"]
    assert written(one(kind=kind, number=2.5, whole=0, money=0)) == ["2,5"]
    assert written(one(kind=kind, whole=3, text="", money=0)) == ["3"]
    assert written(one(kind=kind, money=3, number=0)) == ["3,00 Kč"]


def test_a_known_type_whose_column_is_empty_takes_the_one_that_is_filled() -> None:
    assert written(one(kind=1, text=" ", number=2.5)) == ["2,5"]
    assert written(one(kind=8, text="červená")) == ["červená"]
    assert written(one(kind="5", text="asi 5")) == ["asi 5"]


def test_a_zero_says_something_where_it_belongs_or_if_it_is_alone() -> None:
    assert written(one(kind=5, number=0, money=0, whole=0)) == ["0"]
    assert written(one(kind=6, whole=0)) == ["0"]
    assert written(one(kind=2, money=0)) == ["0,00 Kč"]
    assert written(one(kind=6, whole=0, number=0)) == []
    assert written(one(kind=1, whole=0)) == []


@pytest.mark.parametrize(
    ("parameter", "field"),
    [
        (one(text="x" * 256), "SkRefParam.ValText"),
        (one(kind=8, chosen=("x" * 256,)), "SkParamList.IDS"),
        (one(name="x" * 129, text="a"), "SkParam.IDS"),
        (one(kind=5, number="abc"), "SkRefParam.ValDouble"),
        (one(kind=6, date="soon"), "SkRefParam.ValDate"),
        (one(kind=6, date=20), "SkRefParam.ValDate"),
        (one(text=b"a"), "SkRefParam.ValText"),
        (one(kind=2, money=12, currency="#3"), "SkParam.RefCM"),
    ],
)
def test_what_no_shop_can_hold_is_unusable_and_names_its_column(parameter: CardParameter, field: str) -> None:
    assert unusable(parameter).field == field


def test_the_longest_name_and_value_are_taken() -> None:
    assert parameters().value("a", [card(one("n" * 128, text="x" * 255))]) == {"n" * 128: ["x" * 255]}


# ------------------------------------------------------------------------------------------------------ the cards


def test_parameters_are_sorted_by_name_and_values_keep_their_order() -> None:
    row = card(one("Délka", 5, number=12, unit="cm"), one("Barva", 8, chosen=("modrá", "bílá")))
    made = parameters().value("a", [row])
    assert made == {"Barva": ["modrá", "bílá"], "Délka": ["12 cm"]}
    assert isinstance(made, dict)
    assert list(made) == ["Barva", "Délka"]


def test_a_parameter_without_a_value_or_a_name_is_left_out() -> None:
    row = card(one("Barva", text=""), one("Délka", 5), one("", text="a"), one(None, text="a"), one("Typ", text="x"))
    assert parameters().value("a", [row]) == {"Typ": ["x"]}


def test_two_parameters_of_one_name_are_one() -> None:
    row = card(one("Barva", text="červená"), one(" BARVA ", text="Červená"), one("barva", text="modrá"))
    assert parameters().value("a", [row]) == {"Barva": ["červená", "modrá"]}


def test_diacritics_count() -> None:
    row = card(one("Barva", text="bílá"), one("Bárva", text="bila"))
    assert parameters().value("a", [row]) == {"Barva": ["bílá"], "Bárva": ["bila"]}


def test_skipped_names_are_not_transferred_whatever_they_hold() -> None:
    row = card(one("Interní  kód", text="x" * 1000), one("Barva", text="bílá"))
    assert parameters(skip=("INTERNÍ kód ",)).value("a", [row]) == {"Barva": ["bílá"]}
    assert len(terms(skip=("interní kód",)).things([row])) == 2


def test_no_parameter_any_more_is_a_value_and_not_on_offer_is_none() -> None:
    assert parameters().value("a", [card()]) == {}
    assert parameters().value("a", [card(one(text="a"), internet=False)]) is None
    assert parameters().value("a", []) is None
    assert parameters().absent() is None


def test_the_card_that_speaks_decides_whatever_the_order_of_the_rows() -> None:
    rows = [card(one(text="a")), card(one(text="b"), id=2, store="B"), card(id=3, store="C", internet=False)]
    assert parameters().value("a", rows) == {"Barva": ["a"]}
    assert parameters(stores=("B",)).value("a", rows) == {"Barva": ["b"]}
    assert len({to_json(parameters().value("a", each)) for each in permutations(rows)}) == 1


def test_parameters_are_the_same_in_any_order_and_case() -> None:
    same = parameters().same
    sent: Value = {"Barva": ["červená", "modrá"], "Délka": ["12 cm"]}
    assert same(sent, {"délka": ["12 CM"], "BARVA ": ["Modrá", " červená"]})
    assert not same(sent, {"Barva": ["červená"], "Délka": ["12 cm"]})
    assert not same(sent, {"Barva": ["cervena", "modrá"], "Délka": ["12 cm"]})
    assert not same({}, sent)
    assert same({}, {})
    assert not same({}, None)


def test_the_guard_counts_cards_that_lose_all_parameters() -> None:
    target = parameters()
    assert target.counts({"Barva": ["a"]}, {})
    assert not target.counts(None, {})  # a new card
    assert not target.counts({}, {})
    assert not target.counts({"Barva": ["a"]}, {"Barva": ["b"]})
    assert not target.guard(GuardCount(9, 9))
    assert "21 of 100 products would lose all parameters" in target.guard(GuardCount(21, 100))


# ------------------------------------------------------------------------------------------------------ the terms


def test_terms_are_all_parameters_and_values_that_a_card_names() -> None:
    row = card(one("Barva", 8, chosen=("červená", "modrá")))
    assert terms().things([row]) == {
        "barva": ("Barva", {"name": "Barva"}),
        "barva = červená": ("Barva: červená", {"name": "červená", "of": "Barva"}),
        "barva = modrá": ("Barva: modrá", {"name": "modrá", "of": "Barva"}),
    }


def test_what_a_card_needs_is_exactly_what_is_made_for_it() -> None:
    row = card(
        one(" Barva =", text="a = b"), one("Délka", 5, number=1.5, unit=" cm"), one("BARVA =", text=" A  =  B"),
        one("Od", 6, date="2026-12-04"), one("Cena", 2, money=1234.5), one("Sklon", 8, chosen=("x ", "y")),
    )  # fmt: skip
    needed = parameters().needs(parameters().value("a", [row]))
    assert set(needed) == set(terms().things([row]))
    assert len(needed) == len(set(needed)) == 11


def test_a_card_that_is_not_on_offer_names_nothing() -> None:
    assert terms().things([card(one(text="a"), internet=False)]) == {}
    assert terms().things([]) == {}


def test_a_value_needs_its_parameter_and_a_parameter_nothing() -> None:
    target = terms()
    assert isinstance(target, Naming)
    assert isinstance(target, Collecting)
    assert target.needs({"name": "červená", "of": " BARVA"}) == [term_key("Barva")]
    assert target.needs({"name": "Barva"}) == []
    assert (target.thing, target.names, target.namer, target.creates) == ("term", "term", target.name, True)
    assert (parameters().thing, parameters().names, parameters().namer) == ("product", "term", target.name)


def test_a_term_is_the_same_by_its_name() -> None:
    same = terms().same
    assert same({"name": "Barva"}, {"name": " BARVA", "id": "7"})
    assert not same({"name": "Barva"}, {"name": "Bárva"})
    assert same({"name": "a", "of": "Barva"}, {"name": "A", "of": "barva"})
    assert not same({"name": "a", "of": "Barva"}, {"name": "a", "of": "Tvar"})
    assert not same({"name": "a", "of": "Barva"}, {"name": "a"})
    assert not same({"name": "a"}, None)


def test_terms_are_never_removed_and_never_held() -> None:
    target = terms()
    assert target.absent() is None
    assert target.value("barva", [card(one(text="a"))]) is None
    assert not target.counts(None, {"name": "a"})
    assert not target.guard(GuardCount(100, 100))


def test_both_targets_share_a_digest_of_what_forms_the_values() -> None:
    plain = parameters().fingerprint()
    assert terms().fingerprint() == plain
    assert parameters(skip=("Barva", "a")).fingerprint() == parameters(skip=("A ", "barva")).fingerprint() != plain
    assert parameters(stores=("A", "B")).fingerprint() != parameters(stores=("B", "A")).fingerprint()
    assert (parameters().batch_size("vendure"), terms().batch_size("vendure")) == (50, 50)
