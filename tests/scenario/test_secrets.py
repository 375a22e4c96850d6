"""No secret ends in a log, an answer, a traceback or the state file, whatever goes wrong; and what events look like."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from agent.demo.prestashop.faults import Fault, Kind
from tests.scenario.stage import Said, Stage, stage

KEY = "Xq7ZrT4mWv9KpB2nLd6HsF8jYc3GaE5u"
FORMS = (
    *(KEY, KEY[:16], quote(KEY)),
    *(base64.b64encode(text.encode()).decode().rstrip("=") for text in (KEY, f"{KEY}:")),
)


TROUBLE: tuple[Kind, ...] = (
    *("unauthorized", "maintenance", "s500", "s503_after_apply", "half_answer", "never_apply"),
)


def seen(play: Stage, kind: Kind) -> Callable[[], bool]:
    """Tell, when asked, whether a fault has happened."""
    return lambda: kind in play.shop.faults.counts


def assert_clean(play: Stage, *said: Said) -> None:
    """Look for the key in everything that was said and in every file but the configuration."""
    texts = [one.all.encode() for one in said]
    files = [path for path in play.folder.rglob("*") if path.is_file() and path not in {play.config, play.database}]
    assert texts
    for data in [*texts, *(path.read_bytes() for path in files)]:
        for form in FORMS:
            assert form.encode() not in data


def looks(play: Stage) -> list[Said]:
    """Ask every command that shows something."""
    commands = (
        *("status", "status --json", "outbox list", "outbox list --json", "outbox list --dead --json"),
        *("outbox history A-0001 --json", "outbox show 1", "check", "check --json", "plan", "explain A-0001"),
    )
    return [play.cli(*command.split()) for command in commands]


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose shop has a distinctive key."""
    with stage(tmp_path, key=KEY) as ready:
        ready.both(3)
        yield ready


@pytest.mark.parametrize("flags", [(), ("--log-json", "-v")], ids=["text", "json"])
def test_no_kind_of_trouble_shows_the_key(secret: Stage, flags: tuple[str, ...]) -> None:
    secret.configure(shop__timeout="200ms")
    secret.card("GHOST", 2)
    with secret.agent(*flags) as agent:
        for number, kind in enumerate(TROUBLE):
            secret.shop.faults.next(Fault(kind))
            secret.sql("UPDATE SKz SET StavZ = ?", 10 + number)
            secret.until(seen(secret, kind), agent=agent)
        secret.shop.down = "refuse"
        secret.sql("UPDATE SKz SET StavZ = 30")
        secret.until(lambda: secret.cli("status").code == 1, agent=agent)
        said = looks(secret)
        secret.shop.down = False
        secret.until(lambda: set(secret.differences()) == {"ghost"}, 30, agent=agent)
        agent.stop()
    assert_clean(secret, *said, *looks(secret))
    if flags:
        events = [json.loads(line) for line in agent.said().splitlines()]
        assert all({"time", "level", "text"} <= event.keys() for event in events)
        assert any(event["level"] == "warning" for event in events)
    else:
        line = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (debug|info|warning|error) +\S")
        assert all(line.match(text) for text in agent.said().splitlines())


@pytest.mark.parametrize("wrong", ["key", "url", "path"])
def test_a_wrong_key_or_address_is_said_without_it(secret: Stage, wrong: str) -> None:
    if wrong == "key":
        secret.shop.webservice.keys.clear()
    elif wrong == "url":
        secret.configure(shop__url="http://localhost:1")
    else:
        secret.configure(shop__url=f"{secret.shop.url}/nothing")
    said = secret.once(patience=0)
    assert said.code == 1
    assert "3 deliveries are still waiting" in said.out
    assert_clean(secret, said, *looks(secret))


def test_a_bug_while_delivering_is_kept_with_its_traceback_and_without_the_key(
    secret: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret.once()
    secret.sql("UPDATE SKz SET StavZ = 1")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"Authorization: Basic {base64.b64encode(f'{KEY}:'.encode()).decode()} and {KEY}")

    monkeypatch.setattr("agent.shops.prestashop.PrestaShop.deliver", broken)
    said = secret.once(patience=0)
    assert said.code == 1
    assert "Traceback" in said.err
    (row, *_) = secret.cli("outbox", "list", "--json").json
    assert "RuntimeError" in row["answer"]
    assert "***" in row["answer"]
    assert_clean(secret, said, *looks(secret))


def test_problems_of_the_configuration_do_not_repeat_what_was_written(secret: Stage) -> None:
    secret.configure(shop__kye=KEY, shop__key=None, shop__kind=KEY, pohoda__database=f"mssql://sa:{KEY}@")
    said = secret.once()
    assert said.code == 2
    assert_clean(secret, said)


def test_the_password_in_the_address_of_a_database_is_never_shown(secret: Stage) -> None:
    secret.configure(pohoda__database=f"mssql://sa:{KEY}@127.0.0.1:1/StwPh", shop__key="K" * 32)
    said = [secret.once(patience=0), *looks(secret)]
    assert said[0].code in {1, 3}  # 3 where the ODBC library is missing
    assert_clean(secret, *said)
