"""What is logged: readable, machine-readable, and never with a secret in it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from agent.log import JsonFormatter, LineFormatter, current_shop, redactor, set_up

SECRET = "hunter2-äöü+/="
FORMATTERS = [LineFormatter, JsonFormatter]


def record(text: str, *args: object, exc: bool = False, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("agent.x", logging.WARNING, __file__, 1, text, args, sys.exc_info() if exc else None)
    made.__dict__.update(fields)
    return made


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize("fields", [{}, {"hint": f"use {SECRET}"}, {"key": SECRET}, {"shop": SECRET}])
def test_a_secret_is_in_no_text_and_in_no_field(
    formatter: Callable[[Callable[[str], str]], logging.Formatter], fields: dict[str, object]
) -> None:
    made = record("with %s in it", SECRET)
    made.__dict__.update(fields)
    said = formatter(redactor([SECRET])).format(made)
    assert SECRET not in said
    assert "hunter2" not in said
    assert "with *** in it" in said


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_a_secret_is_in_no_traceback(formatter: Callable[[Callable[[str], str]], logging.Formatter]) -> None:
    try:
        raise ValueError(f"DSN=x;PWD={SECRET};")
    except ValueError:
        said = formatter(redactor([SECRET])).format(record("a bug", exc=True))
    assert "ValueError" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "text",
    [
        "GET /api?ws_key=ABCDEFGH1234",
        "Driver=x;PWD=abc def;Server=y".replace("abc def", "Tajne1"),
        '{"password": "Tajne1", "user": "x"}',
        "Authorization: Basic QUJDRA==",
        "authorization: Bearer eyJhbGciOi",
        "api-key=Tajne1&x=1",
        "token: Tajne1",
        "PA\u017f\u017fWORD=Tajne1",  # the long s and the sign of Kelvin are letters of these words, too
        "to\u212aen=Tajne1",
        "AP\u0131_\u212aEY=Tajne1",
        "author\u0131zation: Tajne1",
    ],
)
def test_what_looks_like_credentials_is_masked_though_nobody_named_it(text: str) -> None:
    said = redactor([])(text)
    assert "***" in said
    for secret in ("ABCDEFGH1234", "Tajne1", "QUJDRA", "eyJhbGciOi"):
        assert secret not in said


def test_a_short_word_is_not_taken_for_a_secret() -> None:
    assert redactor(["a", "abc", ""])("a cab in abc") == "a cab in abc"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    assert redactor(["hunter2", "hunter2-more"])("x hunter2-more y") == "x *** y"


def test_a_line_says_when_where_what_and_what_to_try() -> None:
    said = LineFormatter(redactor([])).format(
        record("dead letter: no", shop="prestashop", target="quantities", key="abc", hint="Create it.")
    )
    assert said.split(" ", 2)[2] == "warning prestashop/quantities: dead letter: no (key=abc) - try: Create it."


def test_a_line_stays_one_line_whatever_is_in_it() -> None:
    said = LineFormatter(redactor([])).format(record("one\ntwo\r\n2026-01-01 00:00:00 error forged"))
    assert len(said.splitlines()) == 1


def test_an_object_per_line_has_stable_fields() -> None:
    said = JsonFormatter(redactor([])).format(record("text\nof two lines", target="quantities", key="abc", held=3))
    assert "\n" not in said
    event = orjson.loads(said)
    assert (event["level"], event["text"], event["target"], event["key"], event["held"]) == (
        "warning",
        "text\nof two lines",
        "quantities",
        "abc",
        "3",
    )
    assert event["time"].endswith("+00:00")


def test_an_event_names_the_shop_that_its_thread_works_for(tmp_path: Path) -> None:
    set_up(as_json=False, verbose=False, redact=redactor([]), file=tmp_path / "agent.log")
    token = current_shop.set("second")
    try:
        logging.getLogger("agent.dispatch").info("delivered 3", extra={"target": "quantities"})
    finally:
        current_shop.reset(token)
    for handler in list(logging.getLogger().handlers):
        if isinstance(handler, logging.FileHandler):
            logging.getLogger().removeHandler(handler)
            handler.close()
    assert "info    second/quantities: delivered 3" in (tmp_path / "agent.log").read_text(encoding="utf-8")
