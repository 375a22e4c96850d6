"""What only PrestaShop does with categories: below one parent, by id, in all languages, with one picture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.faults import Kind
from agent.errors import ShopUnavailable, Unusable
from agent.events import Done, Held, Outcome, Rejected, Unclear, Untried, Value
from agent.shops.prestashop_categories import Categories
from agent.shops.prestashop_tree import CategoryLink, Tree, link_of
from agent.targets.categories import Categories as CategoriesTarget
from agent.targets.categories import CategorySettings
from tests.contract.catalogue_suite import png
from tests.prestashop_parts import CZECH, ENGLISH, KEY, Parts, asked, done, linked, owed, refused

C = "categories"
FILES: dict[str, bytes] = {}
TARGET = CategoriesTarget(CategorySettings())


def data_of(sha: str) -> bytes:
    if sha not in FILES:
        raise Unusable("images", f"the file {sha[:8]} is gone", hint="Put it back.")
    return FILES[sha]


def picture(width: int) -> dict[str, Value]:
    data = png(width, 1)
    sha = hashlib.sha256(data).hexdigest()
    FILES[sha] = data
    return {"sha": sha, "file": "obrázek.png"}


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
def shop(parts: Parts) -> Categories:
    return make(parts)


def make(parts: Parts, root: str = "") -> Categories:
    return Categories(parts.http, parts.lists, parts.setup, short=parts.short, root=root, pictures=data_of)


def whole(name: str = "Elektro", parent: str | None = None, **more: Value) -> dict[str, Value]:
    value: dict[str, Value] = {"name": name, "parent": parent, "description": "", "visible": True, "order": 1}
    return {**value, "picture": None, **more}


def deliver(
    shop: Categories, value: Value, link: str | None = None, links: Mapping[str, str] | None = None, key: str = "12"
) -> Outcome:
    return shop.deliver([owed(C, key, value, link, links)])[0]


def text(fake: FakePrestaShop, category: int, field: str) -> object:
    return fake.store.tables["categories"].rows[category].get(field)


# ------------------------------------------------------------------------------------------------ creating


def test_a_new_category_is_below_the_home_and_has_all_in_every_language(fake: FakePrestaShop, shop: Categories) -> None:
    outcome = done(deliver(shop, whole("Žluťoučký kůň", description="<p>Popis</p>")))
    assert outcome.link == "3"
    assert fake.things.categories()[3].parent == 2
    assert text(fake, 3, "name") == {ENGLISH: "Žluťoučký kůň", CZECH: "Žluťoučký kůň"}
    assert text(fake, 3, "link_rewrite") == {ENGLISH: "zlutoucky-kun", CZECH: "zlutoucky-kun"}
    assert text(fake, 3, "description") == {ENGLISH: "<p>Popis</p>", CZECH: "<p>Popis</p>"}
    assert TARGET.same(whole("Žluťoučký kůň", description="<p>Popis</p>"), outcome.confirmed)


def test_a_name_without_latin_letters_has_an_address_all_the_same(fake: FakePrestaShop, shop: Categories) -> None:
    done(deliver(shop, whole("漢字")))
    assert text(fake, 3, "link_rewrite") == {ENGLISH: "kategorie", CZECH: "kategorie"}


def test_three_levels_stand_below_the_configured_category(fake: FakePrestaShop, parts: Parts) -> None:
    root = fake.things.add_category("Můstek")
    shop = make(parts, f" {root} ")
    links: dict[str, str] = {}
    for key, parent in (("1", None), ("2", "1"), ("3", "2")):
        links[key] = linked(deliver(shop, whole(f"K{key}", parent), None, dict(links), key))
    parents = {one.name: one.parent for one in fake.things.categories().values()}
    assert parents == {"Můstek": 2, "K1": root, "K2": int(links["1"]), "K3": int(links["2"])}
    held = shop.read([asked("3", None, links, links["3"])])["3"].value
    assert isinstance(held, dict)
    assert held["parent"] == "2"


def test_the_order_is_neither_confirmed_nor_read(shop: Categories) -> None:
    outcome = done(deliver(shop, whole(order=7)))
    assert isinstance(outcome.confirmed, dict)
    assert "order" not in outcome.confirmed
    assert TARGET.same(whole(order=7), outcome.confirmed)


def test_fields_that_are_not_kept_are_not_touched(fake: FakePrestaShop, parts: Parts, shop: Categories) -> None:
    one = fake.things.add_category("Elektro", active=False)
    said = parts.said()
    outcome = done(deliver(shop, {"name": "Elektro", "parent": None}, str(one)))
    assert said == []
    assert outcome.confirmed == {"name": "Elektro", "parent": None}


@pytest.mark.parametrize("name", ["a<b", "a>b", "a;b", "a=b", "a#b", "a{b", "a}b", "x" * 129, "", "  ", None])
def test_a_name_that_the_shop_refuses_is_refused_before(
    fake: FakePrestaShop, parts: Parts, shop: Categories, name: Value
) -> None:
    said = parts.said()
    outcome = refused(deliver(shop, {**whole(), "name": name}))
    assert outcome.reason.startswith("name:")
    assert "POHODA" in outcome.hint
    assert said == []


def test_what_the_shop_refuses_itself_says_so(shop: Categories) -> None:
    outcome = refused(deliver(shop, whole(description="<script>x</script>")))
    assert "Category->description" in outcome.reason
    assert "POHODA" in outcome.hint


@pytest.mark.parametrize("value", [None, [], "x", {"gone": "hide"}])
def test_a_value_of_another_form_is_never_sent(parts: Parts, shop: Categories, value: Value) -> None:
    said = parts.said()
    assert isinstance(deliver(shop, value), Rejected)
    assert said == []


# ------------------------------------------------------------------------------------------------ changing


def test_only_what_differs_is_sent_and_twice_is_once(fake: FakePrestaShop, parts: Parts, shop: Categories) -> None:
    one = fake.things.add_category("Elektro")
    said = parts.said()
    for _ in range(2):
        done(deliver(shop, whole("Elektronika", visible=False), str(one)))
    assert [method for method, _, _ in said] == ["PATCH"]
    assert text(fake, one, "active") == "0"
    assert "<id_parent>" not in said[0][2]
    assert "link_rewrite" not in said[0][2]


def test_other_languages_keep_what_they_hold(fake: FakePrestaShop, shop: Categories) -> None:
    one = fake.things.add_category("Elektro")
    fake.store.tables[C].change(one, {"name": {ENGLISH: "Electric\x0b", CZECH: "Elektro"}})
    done(deliver(shop, whole("Elektronika"), str(one)))
    assert text(fake, one, "name") == {ENGLISH: "Electric", CZECH: "Elektronika"}
    assert text(fake, one, "link_rewrite") == {ENGLISH: "elektro", CZECH: "elektro"}


def test_a_move_is_a_change_of_the_same_category(fake: FakePrestaShop, shop: Categories) -> None:
    above, one = fake.things.add_category("A"), fake.things.add_category("B")
    outcome = done(deliver(shop, whole("B", "1"), str(one), {"1": str(above)}))
    assert fake.things.categories()[one].parent == above
    assert isinstance(outcome.confirmed, dict)
    assert outcome.confirmed["parent"] == "1"
    done(deliver(shop, whole("B"), str(one), {"1": str(above)}))
    assert fake.things.categories()[one].parent == 2


def test_a_circle_is_refused_before_anything_is_sent(fake: FakePrestaShop, parts: Parts, shop: Categories) -> None:
    above = fake.things.add_category("A")
    below = fake.things.add_category("B", fake.things.add_category("M", above))
    said = parts.said()
    for parent in (above, below):
        outcome = refused(deliver(shop, whole("A", "2"), str(above), {"1": str(above), "2": str(parent)}))
        assert "circle" in outcome.reason
        assert not outcome.link_lost
    assert said == []


@pytest.mark.parametrize("link", ["1", "2"])
def test_the_shops_own_categories_are_never_touched(parts: Parts, shop: Categories, link: str) -> None:
    said = parts.said()
    values: list[Value] = [whole("Moje"), {"gone": "hide"}, {"gone": "delete"}]
    for value in values:
        assert "not touched" in refused(deliver(shop, value, link)).reason
    assert said == []


def test_what_is_outside_of_the_configured_category_is_never_touched(fake: FakePrestaShop, parts: Parts) -> None:
    root, outside = fake.things.add_category("Můstek"), fake.things.add_category("Akce")
    shop, said = make(parts, str(root)), parts.said()
    values: list[Value] = [whole("Moje"), {"gone": "hide"}, {"gone": "delete"}]
    for value in values:
        outcome = refused(deliver(shop, value, str(outside)))
        assert not outcome.link_lost
        assert "root" in outcome.hint
    assert isinstance(deliver(shop, whole("Nová", "1"), None, {"1": str(outside)}), Rejected)
    assert isinstance(deliver(shop, whole("Nová"), str(root)), Rejected)
    assert said == []


@pytest.mark.parametrize("root", ["99", "1", "0", "x", "-2"])
def test_a_configured_category_that_cannot_be_used_stops_the_target_with_a_hint(parts: Parts, root: str) -> None:
    with pytest.raises(ShopUnavailable, match="root") as caught:
        make(parts, root).deliver([owed(C, "1", whole())])
    assert "id of a category" in caught.value.hint


def test_the_home_is_asked_of_the_shop(fake: FakePrestaShop, shop: Categories) -> None:
    home = fake.things.add_category("Domů", 1)
    fake.store.tables["shops"].change(1, {"id_category": home})
    done(deliver(shop, whole()))
    assert [one.parent for one in fake.things.categories().values() if one.name == "Elektro"] == [home]


@pytest.mark.parametrize("link", ["9", "", "x", "9:zz"])
def test_a_link_that_leads_nowhere_is_lost(shop: Categories, link: str) -> None:
    assert refused(deliver(shop, whole(), link)).link_lost


def test_a_parent_that_was_deleted_is_said_and_not_sent(parts: Parts, shop: Categories) -> None:
    said = parts.said()
    for links in ({"1": "9"}, {}):
        outcome = refused(deliver(shop, whole("B", "1"), None, links))
        assert outcome.reason.startswith("parent:")
        assert not outcome.link_lost
    assert said == []


# ------------------------------------------------------------------------------------------------ gone


def test_a_gone_category_is_hidden_once_and_keeps_its_link(
    fake: FakePrestaShop, parts: Parts, shop: Categories
) -> None:
    one = fake.things.add_category("Elektro")
    said = parts.said()
    for _ in range(2):
        outcome = done(deliver(shop, {"gone": "hide"}, str(one)))
        assert outcome.link == str(one)
        assert TARGET.same({"gone": "hide"}, outcome.confirmed)
    assert len(said) == 1
    assert not fake.things.categories()[one].active


def test_a_gone_category_is_deleted_and_its_link_forgotten(fake: FakePrestaShop, shop: Categories) -> None:
    one = fake.things.add_category("Elektro")
    for _ in range(2):
        outcome = done(deliver(shop, {"gone": "delete"}, str(one)))
        assert (outcome.link, outcome.confirmed) == (None, {"gone": "delete"})
    assert fake.things.categories() == {}
    assert done(deliver(shop, {"gone": "hide"}, str(one))).link is None


def test_a_category_with_subcategories_is_not_deleted_unless_they_go_before(
    fake: FakePrestaShop, shop: Categories
) -> None:
    above = fake.things.add_category("A")
    below = fake.things.add_category("Ručně", above, active=False)
    outcome = refused(deliver(shop, {"gone": "delete"}, str(above)))
    assert str(below) in outcome.reason
    assert "Move or delete" in outcome.hint
    gone: Value = {"gone": "delete"}
    outcomes = shop.deliver([owed(C, "2", gone, str(below)), owed(C, "1", gone, str(above))])
    assert [type(one) for one in outcomes] == [Done, Done]
    assert fake.things.categories() == {}


# ------------------------------------------------------------------------------------------------ pictures


def test_a_picture_is_uploaded_replaced_and_taken_away(fake: FakePrestaShop, parts: Parts, shop: Categories) -> None:
    one, other = picture(40), picture(60)
    link = linked(deliver(shop, whole(picture=one)))
    assert link == f"3#{one['sha']}"
    first = fake.things.picture_of(C, 3)
    said = parts.said()
    outcome = done(deliver(shop, whole(picture=one), link))
    assert said == []
    assert TARGET.same(whole(picture=one), outcome.confirmed)
    link = linked(deliver(shop, whole(picture=other), link))
    assert link == f"3#{other['sha']}"
    assert fake.things.picture_of(C, 3) not in {None, first}
    assert [target.partition("?")[2] for _, target, _ in said] == ["", "ps_method=PUT"]
    assert linked(deliver(shop, whole(), link)) == "3"
    assert fake.things.picture_of(C, 3) is None


def test_a_picture_that_others_gave_is_replaced_but_not_taken_away(fake: FakePrestaShop, shop: Categories) -> None:
    one, other = picture(40), picture(60)
    link = linked(deliver(shop, whole(picture=one)))
    done(deliver(shop, whole(), "3"))  # nobody knows that it is ours
    assert fake.things.picture_of(C, 3) is not None
    assert linked(deliver(shop, whole(picture=other), "3")) == f"3#{other['sha']}"
    assert link != "3"
    unanswered = replace(owed(C, "1", whole(), "3"), tried=whole(picture=other))  # then it is ours
    assert [type(one) for one in shop.deliver([unanswered])] == [Done]
    assert fake.things.picture_of(C, 3) is None


def test_a_picture_that_was_deleted_in_the_shop_is_seen_and_comes_again(fake: FakePrestaShop, shop: Categories) -> None:
    one = picture(40)
    link = linked(deliver(shop, whole(picture=one)))
    fake.store.faces.clear()
    held = shop.read([asked("12", None, {}, link)])["12"]
    assert isinstance(held.value, dict)
    assert (held.value["picture"], held.link) == (None, link)
    assert linked(deliver(shop, whole(picture=one), link)) == link
    assert fake.things.picture_of(C, 3) is not None


@pytest.mark.parametrize(("data", "told"), [(b"hello", "no gif"), (None, "is gone")])
def test_a_picture_that_cannot_be_sent_creates_nothing(
    parts: Parts, shop: Categories, data: bytes | None, told: str
) -> None:
    sha = "ab" * 32
    FILES.pop(sha, None)
    if data is not None:
        FILES[sha] = data
    said = parts.said()
    outcome = refused(deliver(shop, whole(picture={"sha": sha, "file": "x.bmp"})))
    assert told in outcome.reason
    assert said == []


def test_a_picture_that_the_shop_refuses_after_a_creation_leaves_the_category_to_be_found(
    fake: FakePrestaShop, shop: Categories
) -> None:
    broken = b"\xff\xd8\xff short"
    sha = hashlib.sha256(broken).hexdigest()
    FILES[sha] = broken
    value = whole(picture={"sha": sha, "file": "rozbitý.jpg"})
    unclear = deliver(shop, value)
    assert isinstance(unclear, Unclear)
    assert "rozbitý.jpg" in unclear.reason
    found = shop.find([asked("12", value)])["12"]
    assert isinstance(found, Held)
    outcome = refused(deliver(shop, value, found.link))
    assert "rozbitý.jpg" in outcome.reason
    assert "documents" in outcome.hint
    assert len(fake.things.ids(C, "Elektro", 2)) == 1


# ------------------------------------------------------------------------------------------------ lost answers


@pytest.mark.parametrize("kind", ["drop_after_apply", "half_answer", "s503_after_apply", "maintenance", "s500"])
def test_a_lost_answer_is_unclear_and_nothing_is_there_twice(
    fake: FakePrestaShop, shop: Categories, kind: Kind
) -> None:
    fake.faults.next(kind)
    outcomes = shop.deliver([owed(C, "12", whole()), owed(C, "13", whole("Jiná"))])
    assert isinstance(outcomes[0], Unclear)
    assert isinstance(outcomes[1], Untried)
    found = shop.find([asked("12", whole())]).get("12")
    link = found.link if isinstance(found, Held) else None
    done(deliver(shop, whole(), link))
    assert fake.things.doubled() == {}
    assert [one.name for one in fake.things.categories().values()] == ["Elektro"]


def test_a_shop_that_is_down_before_the_first_write_raises_and_later_leaves_the_rest(
    fake: FakePrestaShop, shop: Categories
) -> None:
    fake.faults.next("s429")
    with pytest.raises(ShopUnavailable):
        deliver(shop, whole())
    fake.faults.next("none", "s429")
    outcomes = shop.deliver([owed(C, "1", whole("A")), owed(C, "2", whole("B"))])
    assert [type(one) for one in outcomes] == [Done, Untried]


# ------------------------------------------------------------------------------------------------ finding


def test_siblings_of_one_name_are_two_and_each_is_found_once(fake: FakePrestaShop, shop: Categories) -> None:
    first, second = fake.things.add_category(" ELEKTRO  nářadí "), fake.things.add_category("Elektro nářadí")
    fake.things.add_category("Elektro naradi")
    fake.things.add_category("Elektro nářadí", first)
    value = whole("elektro Nářadí")
    found = shop.find([asked("1", value), asked("2", value), asked("3", value)])
    assert {key: one.link for key, one in found.items() if isinstance(one, Held)} == {"1": str(first), "2": str(second)}
    taken = shop.find([asked("2", value, {"1": f"{first}#{'ab' * 32}"})])
    assert isinstance(taken["2"], Held)
    assert taken["2"].link == str(second)


def test_a_category_is_found_below_its_parent_only_with_what_it_holds(fake: FakePrestaShop, shop: Categories) -> None:
    above = fake.things.add_category("A")
    below = fake.things.add_category("B", above)
    found = shop.find(
        [
            asked("2", whole("B", "1"), {"1": str(above)}),
            asked("3", whole("B")),
            asked("4", whole("Home", "9"), {"9": "1"}),
            asked("5", {"gone": "hide"}),
        ]
    )
    assert list(found) == ["2"]
    held = found["2"]
    assert isinstance(held, Held)
    assert held.link == str(below)
    assert held.value == {"name": "B", "description": "", "parent": "1", "visible": True, "picture": None}


def test_a_category_that_was_moved_by_hand_is_read_with_another_parent(fake: FakePrestaShop, shop: Categories) -> None:
    foreign = fake.things.add_category("Ručně")
    one = fake.things.add_category("B", foreign)
    held = shop.read([asked("2", whole("B"), {"2": str(one)}, str(one)), asked("3", None, {}, "99")])
    assert list(held) == ["2"]
    assert not TARGET.same(whole("B"), held["2"].value)


def test_links_are_read_back_and_a_loop_in_the_shops_tree_leads_nowhere() -> None:
    assert link_of("45") == CategoryLink(45)
    assert link_of(str(CategoryLink(45, "ab" * 32))) == CategoryLink(45, "ab" * 32)
    assert [link_of(text) for text in ("", "0", "45#", "45#x", "1#2#3", "４5", None)] == [None] * 7
    tree = Tree(2, {1: 0, 2: 1, 3: 4, 4: 3})
    assert not tree.ours(3)
    assert not tree.ours(2)
