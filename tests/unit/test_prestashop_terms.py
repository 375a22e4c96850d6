"""What only PrestaShop does with parameters: features and values that exist once, and products' sets of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.faults import Kind
from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Rejected, Unclear, Untried, Value
from agent.shops.prestashop_parameters import Parameters
from agent.shops.prestashop_terms import TermLink, Terms, link_of
from agent.targets.names import term_key
from agent.targets.parameters import Parameters as ParametersTarget
from agent.targets.parameters import ParameterSettings
from agent.targets.terms import Terms as TermsTarget
from tests.prestashop_parts import CZECH, ENGLISH, KEY, Parts, asked, done, linked, owed, refused

T, P = "parameters.terms", "parameters"
FEATURES, VALUES = "product_features", "product_feature_values"
TERMS, TARGET = TermsTarget(ParameterSettings()), ParametersTarget(ParameterSettings())


@pytest.fixture
def fake() -> Iterator[FakePrestaShop]:
    with FakePrestaShop(key=KEY) as shop:
        yield shop
        assert shop.internal_errors == []


@pytest.fixture
def parts(fake: FakePrestaShop) -> Iterator[Parts]:
    with Parts(fake) as made:
        yield made


@pytest.fixture
def terms(parts: Parts) -> Terms:
    return Terms(parts.http, parts.lists, parts.setup, short=parts.short)


@pytest.fixture
def parameters(parts: Parts) -> Parameters:
    return Parameters(parts.http, parts.lists, parts.setup, short=parts.short)


def create(terms: Terms, name: str, of: str | None = None, links: dict[str, str] | None = None) -> Outcome:
    key = term_key(name) if of is None else term_key(of, name)
    value: Value = {"name": name} if of is None else {"name": name, "of": of}
    return terms.deliver([owed(T, key, value, None, links)])[0]


# ------------------------------------------------------------------------------------------------ terms


def test_a_parameter_and_its_value_are_created_in_every_language(fake: FakePrestaShop, terms: Terms) -> None:
    parameter = done(create(terms, "Barva"))
    assert parameter == Done("1", {"name": "Barva"}, parameter.exchange)
    value = done(create(terms, "Červená & bílá", "Barva", {"barva": "1"}))
    assert value == Done("1:1", {"name": "Červená & bílá", "of": "Barva"}, value.exchange)
    row = fake.store.tables[VALUES].rows[1]
    assert row["value"] == {ENGLISH: "Červená & bílá", CZECH: "Červená & bílá"}
    assert (row["id_feature"], row["custom"]) == (1, "0")
    assert fake.store.tables[FEATURES].rows[1]["name"] == {ENGLISH: "Barva", CZECH: "Barva"}


@pytest.mark.parametrize(("name", "of"), [("a<b", None), ("x" * 129, None), ("a{b", "Barva"), ("x" * 256, "Barva")])
def test_a_name_that_the_shop_refuses_is_refused_before(
    fake: FakePrestaShop, parts: Parts, terms: Terms, name: str, of: str | None
) -> None:
    fake.things.add_feature("Barva")
    said = parts.said()
    assert "POHODA" in refused(create(terms, name, of, {"barva": "1"})).hint
    assert said == []


def test_signs_that_only_names_of_the_catalogue_lack_are_sent(terms: Terms) -> None:
    done(create(terms, "Délka; #1"))


@pytest.mark.parametrize("links", [{}, {"barva": "9"}, {"barva": "1:1"}])
def test_a_value_without_its_parameter_is_never_sent(parts: Parts, terms: Terms, links: dict[str, str]) -> None:
    said = parts.said()
    assert "reconcile" in refused(create(terms, "modrá", "Barva", links)).hint
    assert said == []


def test_what_is_there_is_confirmed_and_what_was_deleted_loses_its_link(fake: FakePrestaShop, terms: Terms) -> None:
    feature = fake.things.add_feature("Farbe")  # the owner calls it so
    one = fake.things.add_feature_value(feature, "rot")
    wanted: list[tuple[str, Value, str]] = [
        ("barva", {"name": "Barva"}, str(feature)),
        ("barva = červená", {"name": "červená", "of": "Barva"}, f"{feature}:{one}"),
        ("délka", {"name": "Délka"}, "99"),
        ("barva = modrá", {"name": "modrá", "of": "Barva"}, f"99:{one}"),
        ("x", {"name": "x"}, "?"),
    ]
    outcomes = terms.deliver([owed(T, *each, {"barva": str(feature)}) for each in wanted])
    assert [one.confirmed for one in outcomes if isinstance(one, Done)] == [wanted[0][1], wanted[1][1]]
    assert [one.link_lost for one in outcomes if isinstance(one, Rejected)] == [True] * 3
    held = terms.read([asked(key, value, {}, link) for key, value, link in wanted])
    assert {key: one.value for key, one in held.items()} == {key: value for key, value, _ in wanted[:2]}
    nameless = terms.read([asked("v", None, {}, f"{feature}:{one}")])["v"]
    assert nameless.value == {"name": "rot", "of": "Farbe"}


@pytest.mark.parametrize("kind", ["drop_after_apply", "half_answer", "s503_after_apply", "maintenance", "s500"])
def test_a_lost_answer_is_unclear_and_nothing_is_there_twice(fake: FakePrestaShop, terms: Terms, kind: Kind) -> None:
    fake.faults.next(kind)
    value: Value = {"name": "Barva"}
    outcomes = terms.deliver([owed(T, "barva", value), owed(T, "délka", {"name": "Délka"})])
    assert [type(one) for one in outcomes] == [Unclear, Untried]
    found = terms.find([asked("barva", value)]).get("barva")
    done(terms.deliver([owed(T, "barva", value, found.link if isinstance(found, Held) else None)])[0])
    assert fake.things.doubled() == {}
    assert len(fake.things.ids(FEATURES, "Barva")) == 1


def test_a_refused_connection_before_the_first_write_raises(fake: FakePrestaShop, terms: Terms) -> None:
    fake.faults.next("s429")
    with pytest.raises(ShopUnavailable):
        create(terms, "Barva")


# ------------------------------------------------------------------------------------------------ finding


def test_a_parameter_is_found_without_regard_to_case_and_spaces_the_oldest_first(
    fake: FakePrestaShop, terms: Terms
) -> None:
    fake.things.add_feature("Délka balíku")
    first = fake.things.add_feature("  DÉLKA \t balení ")
    fake.things.add_feature("Délka balení")
    fake.things.add_feature("Delka baleni")
    value: Value = {"name": "délka balení"}
    found = terms.find([asked("délka balení", value), asked("bárva", {"name": "Bárva"})])
    assert found == {"délka balení": Held("délka balení", "délka balení", str(first), value)}
    assert TERMS.same({"name": "Délka balení"}, value)


def test_what_has_another_key_already_is_not_given_away_again(fake: FakePrestaShop, terms: Terms) -> None:
    first, second = fake.things.add_feature("Barva"), fake.things.add_feature("barva")
    links = {"farbe": str(first), "farbe = rot": f"{second}:{second}"}
    found = terms.find([asked("barva", {"name": "Barva"}, links), asked("barva ", {"name": "Barva"}, links)])
    assert [one.link for one in found.values() if isinstance(one, Held)] == [str(second)]


def test_a_value_is_found_within_its_parameter_and_never_a_products_own(fake: FakePrestaShop, terms: Terms) -> None:
    one, other = fake.things.add_feature("Barva"), fake.things.add_feature("Podšívka")
    fake.things.add_feature_value(one, "červená", custom=True)
    fake.things.add_feature_value(other, "červená")
    mine = fake.things.add_feature_value(one, "ČERVENÁ")
    value: Value = {"name": "červená", "of": "Barva"}
    found = terms.find([asked("barva = červená", value, {"barva": str(one)}), asked("x = y", {"name": "y", "of": "x"})])
    assert {key: held.link for key, held in found.items() if isinstance(held, Held)} == {
        "barva = červená": f"{one}:{mine}"
    }


def test_only_the_language_of_pohoda_counts(fake: FakePrestaShop, terms: Terms) -> None:
    one = fake.things.add_feature("x")
    fake.store.tables[FEATURES].change(one, {"name": {ENGLISH: "Barva", CZECH: "Farba"}})
    assert terms.find([asked("barva", {"name": "Barva"})]) == {}
    assert list(terms.find([asked("farba", {"name": "Farba"})])) == ["farba"]


def test_a_thousand_values_are_read_in_pages(fake: FakePrestaShop, terms: Terms) -> None:
    one = fake.things.add_feature("Délka")
    for number in range(1005):
        fake.things.add_feature_value(one, f"{number} cm")
    value: Value = {"name": "1004 cm", "of": "Délka"}
    found = terms.find([asked("délka = 1004 cm", value, {"délka": str(one)})])
    assert [held.link for held in found.values() if isinstance(held, Held)] == [f"{one}:1005"]


def test_links_are_read_back() -> None:
    assert link_of("5") == TermLink(5)
    assert link_of(str(TermLink(5, 13))) == TermLink(5, 13)
    assert [link_of(text) for text in ("", "0", "5:", "5:0", "a", "5:1:2", None)] == [None] * 7


# ------------------------------------------------------------------------------------------------ products


@pytest.fixture
def links(fake: FakePrestaShop) -> dict[str, str]:
    fake.add_product("A")
    colour, length = fake.things.add_feature("Barva"), fake.things.add_feature("Délka")
    return {
        "barva": str(colour),
        "délka": str(length),
        "barva = červená": f"{colour}:{fake.things.add_feature_value(colour, 'Červená')}",
        "barva = modrá": f"{colour}:{fake.things.add_feature_value(colour, 'Modrá')}",
        "délka = 12 cm": f"{length}:{fake.things.add_feature_value(length, '12 cm')}",
    }


def put(parts: Parts, parameters: Parameters, value: Value, links: dict[str, str]) -> Outcome:
    return parameters.deliver([owed(P, "a", value, parts.link("A"), links)])[0]


def test_a_product_gets_its_values_and_twice_is_once(
    fake: FakePrestaShop, parts: Parts, parameters: Parameters, links: dict[str, str]
) -> None:
    value: Value = {"Barva": ["modrá", "červená"], "Délka": ["12 cm"]}
    said = parts.said()
    for _ in range(2):
        outcome = done(put(parts, parameters, value, links))
        assert outcome.confirmed == value
    assert fake.things.features_of("A") == {"Barva": ["Červená", "Modrá"], "Délka": ["12 cm"]}
    assert [(method, target) for method, target, _ in said] == [("PATCH", "/api/products")]
    done(put(parts, parameters, {"Délka": ["12 cm"]}, links))
    assert fake.things.features_of("A") == {"Délka": ["12 cm"]}
    assert done(put(parts, parameters, {}, links)).confirmed == {}
    assert fake.things.features_of("A") == {}


def test_parameters_that_others_put_on_the_product_stay(
    fake: FakePrestaShop, parts: Parts, parameters: Parameters, links: dict[str, str]
) -> None:
    theirs = fake.things.add_feature("Záruka")
    own = fake.things.add_feature_value(theirs, "5 let", custom=True)
    colour = int(links["barva"])
    black = fake.things.add_feature_value(colour, "černá")
    fake.things.set_features("A", [(theirs, own), (colour, black)])
    held = parameters.read([asked("a", None, links, parts.link("A"))])["a"]
    assert held.value == {"Barva": ["černá"]}
    assert not TARGET.same({"Barva": ["modrá"]}, held.value)
    outcome = done(put(parts, parameters, {"Barva": ["modrá"]}, links))
    assert fake.things.features_of("A") == {"Barva": ["Modrá"], "Záruka": ["5 let"]}
    assert outcome.confirmed == {"Barva": ["modrá"]}
    done(put(parts, parameters, {}, links))
    assert fake.things.features_of("A") == {"Záruka": ["5 let"]}


def test_a_value_that_its_owner_spells_otherwise_is_still_ours(
    fake: FakePrestaShop, parts: Parts, parameters: Parameters, links: dict[str, str]
) -> None:
    done(put(parts, parameters, {"Barva": ["červená"]}, links))
    fake.store.tables[VALUES].change(1, {"value": {ENGLISH: "red", CZECH: "rudá"}})
    value: Value = {"Barva": ["červená"]}
    assert done(put(parts, parameters, value, links)).confirmed == value
    assert parameters.read([asked("a", value, links, parts.link("A"))])["a"].value == value
    assert parameters.read([asked("a", {}, links, parts.link("A"))])["a"].value == {"Barva": ["rudá"]}


def test_a_value_that_was_deleted_in_the_shop_is_said_and_not_sent(
    fake: FakePrestaShop, parts: Parts, parameters: Parameters, links: dict[str, str]
) -> None:
    fake.store.tables[VALUES].remove(1)
    said = parts.said()
    for value in ("červená", "zelená"):
        outcome = refused(put(parts, parameters, {"Barva": [value]}, links))
        assert outcome.reason.startswith("Barva: ")
        assert not outcome.link_lost
    assert said == []


def test_a_combination_has_no_parameters_of_its_own(fake: FakePrestaShop, parts: Parts, parameters: Parameters) -> None:
    fake.add_product("B", combinations=[("B-S", 1)])
    outcome = refused(parameters.deliver([owed(P, "b-s", {}, parts.link("B-S"))])[0])
    assert "whole product" in outcome.reason
    assert isinstance(parameters.find([asked("b-s", {})])["b-s"], Rejected)
    assert parameters.read([asked("b-s", {}, {}, parts.link("B-S"))]) == {}


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_a_value_of_another_form_is_never_sent(
    parts: Parts, parameters: Parameters, terms: Terms, links: dict[str, str], value: Value
) -> None:
    said = parts.said()
    assert isinstance(put(parts, parameters, value, links), Rejected)
    assert isinstance(terms.deliver([owed(T, "x", value)])[0], Rejected)
    assert said == []


@pytest.mark.parametrize("kind", ["drop_after_apply", "half_apply", "s503_after_apply", "maintenance"])
def test_a_lost_answer_for_products_is_unclear_and_sent_again_without_harm(
    fake: FakePrestaShop, parts: Parts, parameters: Parameters, links: dict[str, str], kind: Kind
) -> None:
    fake.add_product("B")
    value: Value = {"Barva": ["modrá"]}
    sent = [owed(P, code.lower(), value, parts.link(code), links) for code in "AB"]
    fake.faults.next(kind)
    assert [type(one) for one in parameters.deliver(sent)] == [Unclear, Unclear]
    assert [done(one).confirmed for one in parameters.deliver(sent)] == [value, value]
    assert fake.things.features_of("B") == {"Barva": ["Modrá"]}


def test_a_product_that_is_found_tells_what_it_has(
    fake: FakePrestaShop, parts: Parts, parameters: Parameters, links: dict[str, str]
) -> None:
    fake.things.set_features("A", [(1, 1), (2, 3)])
    found = parameters.find([asked("a", {"Barva": ["červená"]}, links)])
    assert found == {"a": Held("a", "A", parts.link("A"), {"Barva": ["červená"], "Délka": ["12 cm"]})}


def test_a_new_value_of_a_new_parameter_goes_all_the_way(
    fake: FakePrestaShop, parts: Parts, parameters: Parameters, terms: Terms
) -> None:
    fake.add_product("A")
    links = {"barva": linked(create(terms, "Barva"))}
    links["barva = modrá"] = linked(create(terms, "modrá", "Barva", links))
    done(put(parts, parameters, {"Barva": ["modrá"]}, links))
    assert fake.things.features_of("A") == {"Barva": ["modrá"]}
