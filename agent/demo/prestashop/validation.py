"""What the shop refuses to store, in the words that it refuses it with.

Formats and texts of the errors were recorded where the recordings reach; the rest of the formats follow PrestaShop's
public documentation of its validation rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from agent.demo.prestashop.errors import WebserviceError
from agent.demo.prestashop.schema import Cell, Field, Resource, whole

_NUMERIC = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE)
_ACTIVE_HTML = re.compile(r"<\s*(script|iframe|form|input|object|embed)", re.IGNORECASE)


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _is_int(value: str) -> bool:
    return str(whole(value)) == value


def _is_float(value: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None


RULES: Mapping[str, Callable[[str], bool]] = {
    "isUnsignedId": lambda value: _is_int(value) and int(value) >= 0,
    "isUnsignedInt": lambda value: _is_int(value) and 0 <= int(value) < 2**32,
    "isPositiveInt": lambda value: _is_int(value) and 0 <= int(value) < 2**32,
    "isInt": _is_int,
    "isBool": lambda value: value in {"0", "1"},
    "isPrice": _matches(r"[0-9]{1,10}(\.[0-9]{1,9})?"),
    "isNegativePrice": _matches(r"-?[0-9]{1,10}(\.[0-9]{1,9})?"),
    "isFloat": _is_float,
    "isUnsignedFloat": lambda value: _is_float(value) and not value.startswith("-"),
    "isReference": _matches(r"[^<>;={}]*"),
    "isGenericName": _matches(r"[^<>={}]*"),
    "IsGenericName": _matches(r"[^<>={}]*"),
    "isCatalogName": _matches(r"[^<>;=#{}]*"),
    "isLinkRewrite": _matches(r"[_a-zA-Z0-9-]+"),
    "isCleanHtml": lambda value: (
        re.search(r"<\s*(script|iframe|form|input|object|embed)", value, re.IGNORECASE) is None
    ),
    "isString": lambda _: True,
    "isEan13": _matches(r"[0-9]{0,13}"),
    "isGtin": _matches(r"[0-9]{0,14}"),
    "isUpc": _matches(r"[0-9]{0,12}"),
    "isIsbn": _matches(r"[0-9-]{0,32}"),
    "isMpn": _matches(r"[ -~]{0,40}"),
    "isConfigName": _matches(r"[a-zA-Z_0-9-]+"),
    "isModuleName": _matches(r"[a-zA-Z0-9_-]+"),
    "isTplName": _matches(r"[a-zA-Z0-9_-]+"),
    "isColor": _matches(r"#[0-9a-fA-F]{6}|[a-zA-Z0-9-]*"),
    "isMd5": _matches(r"[a-f0-9A-F]{32}"),
    "isTrackingNumber": _matches(r"[~:#,%&_=()\[\].? +\-@/a-zA-Z0-9]+"),
    "isCarrierName": _matches(r"[^<>;=#{}]*"),
    "isAbsoluteUrl": _matches(r"https?://[^<>\s]*"),
    "isDate": _matches(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?"),
    "isDateFormat": _matches(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?"),
    "isProductVisibility": lambda value: value in {"both", "catalog", "search", "none"},
}


def check(resource: Resource, raw: Mapping[str, Cell], language: int) -> None:
    """Refuse what the shop refuses: first the texts in languages (error 84), then the rest (error 85).

    ``language``: the one that the shop runs in, in which a required text must not be empty.
    """
    for code, i18n in ((84, True), (85, False)):
        for one in resource.fields:
            if one.i18n == i18n and one.name in raw:
                _check_field(resource, one, raw[one.name], code=code, language=language)


def _check_field(resource: Resource, one: Field, value: Cell, *, code: int, language: int) -> None:
    name = f"{resource.class_name}->{one.name}"
    if isinstance(value, dict):
        if one.required and not value.get(language):
            _refuse(code, f"Property {name} is empty.")
        for text in value.values():
            _check_text(name, one, text or "", code)
    elif one.required and (value is None or value == ""):
        _refuse(code, f"Property {name} is empty.")
    else:
        _check_text(name, one, "" if value is None or value is False else str(value), code)


def _check_text(name: str, one: Field, text: str, code: int) -> None:
    if one.span is not None:
        least, most = one.span
        # PHP asks whether the text is a number at all: 1e3 and 2.5 are, and fail only at the format
        inside = (
            re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", text, re.IGNORECASE)
            and least <= float(text) <= most
        )
        if not inside:
            _refuse(
                code, f"The range of property {name} is currently {whole(text)}. It must be between {least} and {most}."
            )
    if one.max_size and len(text) > one.max_size:
        _refuse(
            code,
            f"The length of property {name} is currently {len(text)} chars. "
            f"It must be between 0 and {one.max_size} chars.",
        )
    if text not in {"", "0"} and one.format and not RULES[one.format](text):
        _refuse(code, f"Property {name} is not valid")


def _refuse(code: int, message: str) -> None:
    raise WebserviceError(400, code, f'Validation error: "{message}"')
