"""How answers, errors and events look: for people, for machines, and without secrets."""

from __future__ import annotations

import base64
import json
import logging
import math
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from agent import log
from agent.cli import output
from agent.cli.output import ago, fail, moment, print_json, table

SECRET = "Tajné/heslo+123="


@pytest.fixture(autouse=True)
def _no_secrets_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_secrets", set())


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """The lines that the program's own handler has written; logging is put back at the end."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    yield lines
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_table_lines_up_whatever_the_letters(capsys: pytest.CaptureFixture[str]) -> None:
    table([{"code": "ŠRO-1", "n": 5}, {"code": "Z\u030cX", "n": None}], ["code", "n"])  # a combining hook has no width
    assert capsys.readouterr().out.splitlines() == ["code   n", "ŠRO-1  5", "Z\u030cX     -"]


def test_a_cell_stays_on_its_line_and_short(capsys: pytest.CaptureFixture[str]) -> None:
    table([{"note": "one\ntwo\x1f" + "x" * 200, "yes": True}], ["note", "yes"])
    _, line = capsys.readouterr().out.splitlines()
    assert line.startswith("one two")
    assert "…  yes" in line
    assert len(line) < 90


def test_a_table_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    table([], ["code"])
    assert capsys.readouterr().out == "none\n"


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"code": "Šroub", "value": None}])
    assert json.loads(capsys.readouterr().out) == [{"code": "Šroub", "value": None}]


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        (10**30, 10**30),
        (-(10**30), -(10**30)),
        (10**5000, "an integer of 16610 bits"),
        ("half \ud800", "half \ud800"),
        (math.nan, None),
        ({1: (2, math.inf)}, {"1": [2, None]}),
        (b"bytes", "b'bytes'"),
    ],
    ids=["large", "negative", "endless", "half a character", "nan", "keys", "bytes"],
)
def test_json_shows_nonsense_rather_than_fail(odd: object, shown: object, capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"value": odd, "large": 2**64, "fine": 1.5}])
    assert json.loads(capsys.readouterr().out) == [{"value": shown, "large": 2**64, "fine": 1.5}]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (7200, "2 h ago"), (200_000, "2 d ago"), (-5, "0 s ago")],
)
def test_how_long_ago_is_said_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert ago(1_000_000 - seconds, 1_000_000) == text


def test_what_never_was_has_no_time() -> None:
    assert ago(None, 5) == "never"
    assert moment(None) is None
    assert moment(0.25) == "1970-01-01T00:00:00.250+00:00"


def test_an_error_ends_with_what_to_try_and_hides_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_secrets", {SECRET})
    fail(f"no {SECRET}", f"not {SECRET}", [f"shop.key: {SECRET}"])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == ["error: no ***", "  shop.key: ***", "  try: not ***"]


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        quote(SECRET, safe=""),
        coded(SECRET),
        coded(f"{SECRET}:"),
        f"Authorization: Basic {coded(SECRET + ':')}",
        f"https://shop.example/api?ws_key={quote(SECRET, safe='')}&x=1",
        f'{{"password": "{SECRET}"}}',
    ],
)
def test_a_secret_is_masked_in_every_form_in_which_it_travels(text: str) -> None:
    masked = log.redactor([SECRET])(f"before {text} after")
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    for form in (SECRET, quote(SECRET, safe=""), coded(SECRET).rstrip("="), coded(f"{SECRET}:").rstrip("=")):
        assert form not in masked


@pytest.mark.parametrize(
    "text", ["ws_key=ABCDEF", "password: hunter2", "Authorization: Bearer abc.def", "'token': 'abcdef'", "PWD=x;"]
)
def test_what_looks_like_credentials_is_masked_though_nobody_named_it(text: str) -> None:
    masked = log.redactor([])(text)
    assert log.MASK in masked
    assert not any(word in masked for word in ("ABCDEF", "hunter2", "abc.def", "abcdef", "=x"))


def test_an_ordinary_text_is_left_alone() -> None:
    text = "the shop does not know the code 'KEY-1' (key=key-1), 3 keys differ; https://shop.example/api/products"
    assert log.redactor([SECRET, "abc"])(text) == text


def test_an_event_is_one_line_that_ends_with_what_to_try(logged: Callable[[], list[str]]) -> None:
    log.set_up(as_json=False, verbose=False, redact=log.redactor([SECRET]))
    extra = {"target": "quantities", "key": "abc", "hint": "wait."}
    logging.getLogger("agent.x").warning("two\nlines %s", SECRET, extra=extra)
    (line,) = logged()
    assert line.endswith("warning quantities: two lines *** (key=abc) - try: wait.")


def test_a_json_event_is_one_object_with_its_fields_and_traceback(logged: Callable[[], list[str]]) -> None:
    log.set_up(as_json=True, verbose=False, redact=log.redactor([SECRET]))
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("agent.x").exception("a bug\nhere", extra={"shop": "eshop", "hint": "report it"})
    (line,) = logged()
    event = json.loads(line)
    assert event.keys() == {"time", "level", "text", "shop", "hint", "traceback"}
    assert (event["level"], event["text"], event["shop"]) == ("error", "a bug\nhere", "eshop")
    assert "ValueError: ***" in event["traceback"]
    assert SECRET not in line


def test_a_traceback_follows_indented_and_without_secrets(logged: Callable[[], list[str]]) -> None:
    log.set_up(as_json=False, verbose=False, redact=log.redactor([SECRET]))
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("agent.x").exception("a bug")
    first, *rest = logged()
    assert first.endswith("a bug")
    assert all(line.startswith("  ") for line in rest)
    assert rest[-1] == "  ValueError: ***"


def test_foreign_libraries_are_heard_from_warnings_up_and_verbose_adds_our_own_details(
    logged: Callable[[], list[str]],
) -> None:
    for verbose in (False, True):
        log.set_up(as_json=False, verbose=verbose, redact=log.redactor([]))
        logging.getLogger("httpx").info("noise")
        logging.getLogger("state.x").debug("detail")
        logging.getLogger("httpx").warning("trouble")
    texts = [line.rsplit(" ", 1)[1] for line in logged()]
    assert texts == ["trouble", "detail", "trouble"]
