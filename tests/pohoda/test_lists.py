"""Categories, parameters, suppliers, stores and orders as values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

from agent.pohoda import categories, orders, parameters, stores, suppliers
from agent.pohoda.bad import BadItem
from agent.pohoda.items import Item, items
from tests.pohoda.documents import pack, pack_item, write


def listed(folder: Path, inside: str) -> list[Item]:
    return list(items(write(folder, pack(pack_item(inside)))))


def category(ident: str, name: str, inside: str = "") -> str:
    return f"<ctg:category><ctg:id>{ident}</ctg:id><ctg:name>{name}</ctg:name>{inside}</ctg:category>"


def category_list(*inside: str) -> str:
    details = "".join(f"<lst:categoryDetail>{one}</lst:categoryDetail>" for one in inside)
    return f"<lst:listCategory>{details}</lst:listCategory>"


def test_categories_come_flat_with_parent_and_position(tmp_path: Path) -> None:
    below = category("3", "Ž", f"<ctg:subCategories>{category('4', 'd')}</ctg:subCategories>")
    tree = category("1", "a", f"<ctg:subCategories>{category('2', 'b')}{below}</ctg:subCategories>")
    found = categories.parse_many(listed(tmp_path, category_list(tree, category("5", "e"))))
    assert [
        (one.id, one.name, one.parent_id, one.position) for one in found if isinstance(one, categories.Category)
    ] == [
        (1, "a", None, 0),
        (2, "b", 1, 0),
        (3, "Ž", 1, 1),
        (4, "d", 3, 0),
        (5, "e", None, 1),
    ]


def test_parameters_of_a_category_are_read_in_both_versions(tmp_path: Path) -> None:
    old = "<ctg:internetParams><ctg:idInternetParams>1, 2</ctg:idInternetParams></ctg:internetParams>"
    new = "<ctg:internetParams><ctg:intParameter><typ:id>7</typ:id></ctg:intParameter></ctg:internetParams>"
    none = "<ctg:internetParams><ctg:idInternetParams/></ctg:internetParams>"
    tree = category("1", "a", old) + category("2", "b", new) + category("3", "c", none)
    found = categories.parse_many(listed(tmp_path, category_list(tree)))
    assert [one.parameter_ids for one in found if isinstance(one, categories.Category)] == [(1, 2), (7,), ()]


def test_a_category_without_an_id_is_named(tmp_path: Path) -> None:
    good, bad = categories.parse_many(listed(tmp_path, category_list(category("1", "a") + category("", "bez čísla"))))
    assert isinstance(good, categories.Category)
    assert isinstance(bad, BadItem)
    assert (bad.code, bad.problem.reason) == ("bez čísla", "field")


def test_a_parameter_has_its_choices_and_unit(tmp_path: Path) -> None:
    choice = "<ipm:parameterListItem><ipm:id>4</ipm:id><ipm:name>buk</ipm:name><ipm:sequence>1</ipm:sequence>"
    settings = f"<ipm:unit>cm</ipm:unit><ipm:parameterList>{choice}</ipm:parameterListItem></ipm:parameterList>"
    text = (
        "<ipm:intParam><ipm:id>1</ipm:id><ipm:name>Materiál</ipm:name><ipm:parameterType>listValue</ipm:parameterType>"
        f"<ipm:parameterSettings>{settings}</ipm:parameterSettings></ipm:intParam>"
    )
    whole = f"<lst:listIntParam><lst:intParamDetail>{text}</lst:intParamDetail></lst:listIntParam>"
    (found,) = parameters.parse_many(listed(tmp_path, whole))
    assert isinstance(found, parameters.InternetParameter)
    assert (found.id, found.name, found.kind, found.unit) == (1, "Materiál", "listValue", "cm")
    assert found.choices == (parameters.Choice(4, "buk", None, 1),)


def test_the_suppliers_of_a_card_are_kept_with_the_default_one(tmp_path: Path) -> None:
    stock = "<sup:stockItem><typ:stockItem><typ:id>12</typ:id><typ:ids>Z001</typ:ids></typ:stockItem></sup:stockItem>"
    first = '<sup:supplierItem default="true"><sup:id>7</sup:id><sup:refAd><typ:id>25</typ:id><typ:ids>Dřevo</typ:ids>'
    rest = "</sup:refAd><sup:purchasingPrice>620.10</sup:purchasingPrice><sup:deliveryTime>12</sup:deliveryTime>"
    second = '</sup:supplierItem><sup:supplierItem default="false"/>'
    text = f"<lst:supplier>{stock}<sup:suppliers>{first}{rest}{second}</sup:suppliers></lst:supplier>"
    (found,) = suppliers.parse_many(listed(tmp_path, f"<lst:listSupplier>{text}</lst:listSupplier>"))
    assert isinstance(found, suppliers.CardSuppliers)
    assert (found.stock_id, found.code, [one.default for one in found.suppliers]) == (12, "Z001", [True, False])
    one = found.suppliers[0]
    assert (one.address_id, one.name, one.purchasing_price, one.delivery_time) == (25, "Dřevo", Decimal("620.10"), 12)


def test_stores_and_their_branches_have_the_paths_that_cards_name(tmp_path: Path) -> None:
    deep = '<lst:subStorages><lst:itemStorage id="4" code="Židle" name="Ž"/></lst:subStorages>'
    branch = f'<lst:subStorages><lst:itemStorage id="3" code="Nábytek">{deep}</lst:itemStorage></lst:subStorages>'
    text = f'<lst:itemStorage id="0" code="ZBOŽÍ" idStore="1">{branch}</lst:itemStorage>'
    found = stores.parse_storages(listed(tmp_path, f"<lst:listStorage>{text}</lst:listStorage>"))
    assert [(one.path, one.parent, one.store_id) for one in found if isinstance(one, stores.Storage)] == [
        ("ZBOŽÍ", None, 1),
        ("ZBOŽÍ/Nábytek", "ZBOŽÍ", 1),
        ("ZBOŽÍ/Nábytek/Židle", "ZBOŽÍ/Nábytek", 1),
    ]


def test_a_store_has_its_code_and_text_and_one_without_is_bad(tmp_path: Path) -> None:
    good = "<lst:store><sto:id>1</sto:id><sto:name>ZBOŽÍ</sto:name><sto:text>Hlavní</sto:text></lst:store>"
    found = stores.parse_many(listed(tmp_path, f"<lst:listStore>{good}<lst:store/></lst:listStore>"))
    assert found[0] == stores.Store(1, "ZBOŽÍ", "Hlavní", None, None)
    assert isinstance(found[1], BadItem)


def order(ident: int, inside: str, lines: str = "") -> str:
    header = f"<ord:orderHeader><ord:id>{ident}</ord:id>{inside}</ord:orderHeader>"
    return f"<lst:order>{header}<ord:orderDetail>{lines}</ord:orderDetail></lst:order>"


def test_the_state_of_an_order_can_be_made_from_what_is_read(tmp_path: Path) -> None:
    text = order(1, "<ord:isExecuted>true</ord:isExecuted><ord:isDelivered>false</ord:isDelivered>")
    text += order(2, "<ord:dateCancellation>2026-11-19</ord:dateCancellation>")
    text += order(3, "<ord:storno>cancelledDocument</ord:storno><ord:dateCancellation/>")
    found = orders.parse_many(listed(tmp_path, f"<lst:listOrder>{text}</lst:listOrder>"))
    assert [(one.id, one.executed, one.delivered, one.cancelled) for one in found if isinstance(one, orders.Order)] == [
        (1, True, False, False),
        (2, None, None, True),
        (3, None, None, True),
    ]
    assert [one.cancelled_on for one in found if isinstance(one, orders.Order)][1] == dt.date(2026, 11, 19)


def test_a_line_has_its_code_even_where_only_the_card_names_it(tmp_path: Path) -> None:
    stock = "<typ:store><typ:id>1</typ:id><typ:ids>ZBOŽÍ</typ:ids></typ:store><typ:stockItem><typ:id>12</typ:id>"
    line = (
        "<ord:orderItem><ord:quantity>2.5</ord:quantity><ord:delivered>1</ord:delivered>"
        f"<ord:stockItem>{stock}<typ:ids>Z001</typ:ids></typ:stockItem></ord:stockItem></ord:orderItem>"
    )
    text = f"<lst:listOrder>{order(1, '', line)}</lst:listOrder>"
    (found,) = orders.parse_many(listed(tmp_path, text))
    assert isinstance(found, orders.Order)
    (one,) = found.lines
    assert (one.code, one.quantity, one.delivered) == ("Z001", Decimal("2.5"), Decimal(1))
    assert (one.stock_id, one.store_id, one.store) == (12, 1, "ZBOŽÍ")


def test_a_date_that_is_none_is_named_with_the_order(tmp_path: Path) -> None:
    number = "<ord:number><typ:numberRequested>262100512</typ:numberRequested></ord:number>"
    text = order(1, number + "<ord:date>včera</ord:date>")
    (found,) = orders.parse_many(listed(tmp_path, f"<lst:listOrder>{text}</lst:listOrder>"))
    assert isinstance(found, BadItem)
    assert (found.code, str(found.problem)) == ("262100512", "date: 'včera' is not a date")
