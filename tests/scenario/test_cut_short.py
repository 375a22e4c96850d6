"""Ctrl-C in the demo is no broken guarantee, and no proof of one either."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from pathlib import Path

import pytest

from agent.demo import show
from tests.scenario.stage import logging_kept


@pytest.mark.parametrize("at", ["POHODA: ", "the shop fails"])
def test_a_demo_that_is_cut_short_says_so_gives_no_verdict_and_exits_1(tmp_path: Path, at: str) -> None:
    stop = threading.Event()
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if text.startswith(at):
            stop.set()

    begin = time.monotonic()
    with logging_kept():
        code = show.play(tmp_path / "demo", seconds=2, cards=20, stop=stop, say=say)
        logging.shutdown([weakref.ref(handler) for handler in logging.getLogger().handlers])  # the demo's log file
    assert code == 1
    assert said[-1].startswith("cut short after ")
    assert not any("differ" in line for line in said)
    assert ("baseline complete; the morning begins" in said) is (at != "POHODA: ")
    assert time.monotonic() - begin < 15
