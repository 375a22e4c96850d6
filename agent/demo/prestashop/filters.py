"""Reading the query of a list: ``display``, ``filter[…]``, ``date``, ``sort``, ``limit``, and choosing the rows.

The forms of a filter: ``[a|b]`` one of, ``[a,b]`` between, ``>[x]``, ``<[x]``, ``![x]`` not, ``[x]%`` begins,
``%[x]`` ends, ``%[x]%`` contains, and a bare value. Errors 32 and 35 with their lists of fields were recorded.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.demo.prestashop.errors import WebserviceError, closest
from agent.demo.prestashop.schema import Cell, Field, Resource, whole
from agent.demo.prestashop.store import Store, Table, fold

_ID = Field("id", "int", "isUnsignedId")
_FILTER = re.compile(r"filter\[(.+)\]")
_BRACKETS = re.compile(r"(.*?)\[(.*)\](.*)", re.DOTALL)
_BETWEEN = re.compile(r"([\d.:\-\s]+),([\d.:\-\s]+)")
_TIMES = {"date_add", "date_upd"}
_NUMBERS = {"int", "flag", "decimal", "null int", "null flag"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter, taken apart."""

    field: Field
    kind: Literal["one of", "none of", "between", "above", "below", "like"]
    values: tuple[str, ...]
    begins: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What a query asks for. ``display`` is None for ids only, ``("full",)`` for everything, else field names."""

    display: tuple[str, ...] | None
    conditions: tuple[Condition, ...]
    sort: tuple[tuple[Field, bool], ...]
    offset: int
    count: int | None


def read_listing(resource: Resource, query: Mapping[str, str]) -> Listing:
    """Understand a query, or raise `WebserviceError` as the shop does."""
    dates = query.get("date", "") not in {"", "0"}
    conditions = []
    for name, value in query.items():
        match = _FILTER.fullmatch(name)
        if match:
            conditions.append(_condition(resource, match[1], value, dates=dates))
    offset, count = _limit(query.get("limit"))
    return Listing(read_display(resource, query), tuple(conditions), _sort(resource, query.get("sort")), offset, count)


def read_display(resource: Resource, query: Mapping[str, str]) -> tuple[str, ...] | None:
    """Which fields are wanted: None when the query does not say."""
    wanted = query.get("display", "")
    if not wanted:
        return None
    if wanted == "full":
        return ("full",)
    match = re.fullmatch(r"\[(.*)\]", wanted)
    available = ["id", *resource.by_name]
    if match is None:
        raise WebserviceError(400, 36, f"The 'display' syntax is wrong. Available fields: {', '.join(available)}")
    names = tuple(match[1].split(","))
    for name in names:
        if name not in available:
            raise WebserviceError(
                400,
                35,
                f'Unable to display this field "{name}". However, these are available: {", ".join(available)}',
            )
    return names


def select(store: Store, table: Table, listing: Listing) -> list[int]:
    """Choose the ids of the rows, in the order in which the shop lists them."""
    conditions = list(listing.conditions)
    used: Field | None = None
    chosen: Sequence[int] = table.ids()
    for condition in listing.conditions:
        found = _by_index(table, condition)
        if found is not None:
            chosen, used = found, condition.field
            conditions.remove(condition)
            break
    tests = [_test(store, table, condition) for condition in conditions]
    if tests:
        chosen = [row for row in chosen if all(test(row) for test in tests)]
    order = [
        (table.resource.by_name[name], False) for name in table.resource.index_order.get(used.name if used else "", ())
    ]
    for one, down in reversed(listing.sort or order):
        key = _sort_key(store, table, one)
        chosen = sorted(chosen, key=key, reverse=down) if one is not _ID or down else sorted(chosen)
    end = None if listing.count is None else listing.offset + listing.count
    return list(chosen[listing.offset : end])


def _condition(resource: Resource, name: str, value: str, *, dates: bool) -> Condition:
    one = _ID if name == "id" else resource.by_name.get(name)
    hidden = one is not None and one.name in _TIMES and not dates
    if one is None or hidden:
        names = ["id", *(it.name for it in resource.fields if not it.i18n and (dates or it.name not in _TIMES))]
        listed = ", ".join(f'"{it}"' for it in names)
        raise WebserviceError(
            400,
            32,
            f'This filter does not exist. Did you mean: "{closest(name, names)}"? The full list is: {listed}',
        )
    match = _BRACKETS.fullmatch(value)
    if match is None:
        return Condition(one, "one of", (value,))
    before, inside, after = match.groups()
    if before == "%" or after == "%":
        return Condition(one, "like", (inside,), begins=before != "%", ends=after != "%")
    if before in {">", "<"}:
        return Condition(one, "above" if before == ">" else "below", (inside,))
    if before == "!":
        return Condition(one, "none of", tuple(inside.split("|")))
    between = _BETWEEN.fullmatch(inside)
    if between and "|" not in inside:
        return Condition(one, "between", (between[1], between[2]))
    return Condition(one, "one of", tuple(inside.split("|")))


def _limit(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 0, None
    match = re.fullmatch(r"(?:(\d+),)?(\d+)", text)
    if match is None:
        raise WebserviceError(
            400, 39, 'The "limit" value has to be two integers separated by a comma or a single integer'
        )
    return int(match[1] or 0), int(match[2])


def _sort(resource: Resource, text: str | None) -> tuple[tuple[Field, bool], ...]:
    if text is None:
        return ()
    inner = re.fullmatch(r"\[(.*)\]", text)
    order = []
    for part in (inner[1] if inner else text).split(","):
        name, _, direction = part.rpartition("_")
        if direction.upper() not in {"ASC", "DESC"}:
            raise WebserviceError(400, 37, 'The "sort" value has to be formed as "field_ASC" or "[field_1_DESC,…]"')
        one = _ID if name == "id" else resource.by_name.get(name)
        if one is None:
            raise WebserviceError(
                400,
                38,
                f"Unable to filter by this field. However, these are available: id, {', '.join(resource.by_name)}",
            )
        order.append((one, direction.upper() == "DESC"))
    return tuple(order)


def _by_index(table: Table, condition: Condition) -> list[int] | None:
    """Answer a condition without looking at every row; None when it cannot be."""
    one = condition.field
    if one is _ID:
        ids = table.ids()
        match condition.kind:
            case "one of":
                return sorted({row for row in map(whole, condition.values) if row in table.rows})
            case "above":
                return list(ids[bisect_right(ids, whole(condition.values[0])) :])
            case "below":
                return list(ids[: bisect_left(ids, whole(condition.values[0]))])
            case "between":
                low, high = map(whole, condition.values)
                return list(ids[bisect_left(ids, low) : bisect_right(ids, high)])
    if condition.kind == "one of" and table.indexed(one.name):
        values: list[Cell] = [whole(value) if one.kind in _NUMBERS else value for value in condition.values]
        return sorted({row for value in values for row in table.find(one.name, value)})
    return None


def _test(store: Store, table: Table, condition: Condition) -> Callable[[int], bool]:
    one = condition.field
    judge = _judge(condition)

    def test(row: int) -> bool:
        value: Cell = row if one is _ID else store.value(table, row, one)
        if isinstance(value, dict):
            return any(judge(text) for text in value.values())
        return value is not None and judge(value)

    return test


def _judge(condition: Condition) -> Callable[[float | str | None], bool]:
    if condition.kind == "like":
        part = re.escape(fold(condition.values[0]))
        pattern = re.compile(("" if condition.begins else ".*") + part + ("" if condition.ends else ".*"), re.DOTALL)
        return lambda value: pattern.fullmatch(fold(str(value))) is not None
    numeric = condition.field.kind in _NUMBERS
    wanted = [_comparable(value, numeric=numeric) for value in condition.values]

    def judge(value: float | str | None) -> bool:
        number, text = _comparable(value, numeric=numeric)
        mine = (number, text)
        match condition.kind:
            case "one of":
                return mine in wanted
            case "none of":
                return mine not in wanted
            case "between":
                return wanted[0] <= mine <= wanted[1]
            case "above":
                return mine > wanted[0]
            case _:
                return mine < wanted[0]

    return judge


def _comparable(value: Cell, *, numeric: bool) -> tuple[float, str]:
    """Compare as the database does: a number column with a text takes the text's leading number."""
    if not numeric:
        return 0.0, fold(str(value))
    match = re.match(r"\s*-?\d+(\.\d+)?", str(value))
    return (float(match[0]) if match else 0.0), ""


def _sort_key(store: Store, table: Table, one: Field) -> Callable[[int], tuple[float, str]]:
    def key(row: int) -> tuple[float, str]:
        if one is _ID:
            return float(row), ""
        value = store.value(table, row, one)
        if isinstance(value, dict):
            return 0.0, fold(next(iter(value.values()), "") or "")
        if value is None or value == "":
            return float("-inf"), ""  # NULL comes first
        return _comparable(value, numeric=one.kind in _NUMBERS)

    return key
