"""The state file as commands use it, beside an agent that may be running: a look, or one short transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from agent.config import Config
from state.db import Connection, StateFile, open_inspector, open_state

T = TypeVar("T")


@contextlib.contextmanager
def inspecting(config: Config) -> Iterator[StateFile]:
    """Open the state file for looking only. Raises `StateError` when there is none."""
    state = open_inspector(config.state.file)
    try:
        yield state
    finally:
        state.close()


@contextlib.contextmanager
def looking(config: Config) -> Iterator[Connection]:
    """Look into the state file. Raises `StateError` when there is none."""
    with inspecting(config) as state, state.read() as db:
        yield db


def remembered(config: Config, look: Callable[[Connection], T], nothing: T) -> T:
    """Look up what the state file remembers; ``nothing`` when there is no file yet."""
    if not config.state.file.exists():
        return nothing
    with looking(config) as db:
        return look(db)


@contextlib.contextmanager
def writing(config: Config) -> Iterator[Connection]:
    """Make one short transaction in the state file. Raises `StateError` when there is none: only the agent makes it."""
    state = open_state(config.state.file, beside_agent=True)
    try:
        with state.write() as db:
            yield db
    finally:
        state.close()
