"""One agent per state file, and one per shop and target: locks that the system frees at any death of their holder.

The first lies beside the state file. The second lies in a folder of this machine, named by a hash of where the target
is written to, for two configurations with two state files can name one shop. An agent on another machine is not seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import filelock

from agent.config import Config
from agent.errors import ConfigError, EnvironmentProblem

PATIENCE = 0.5
"""Seconds to wait for the lock: `is_running` takes it for a moment to find out whether it is free."""


@contextlib.contextmanager
def instance_lock(config: Config) -> Iterator[None]:
    """Hold the right to be the only agent on this state file and for this shop's targets.

    Raises `ConfigError` when another agent has it, `EnvironmentProblem` when the folder cannot be written.
    """
    with contextlib.ExitStack() as held:
        _hold(held, lock_path(config), f"for the shop {config.shop.name!r} ({config.state.file})")
        for target in config.targets.enabled():
            mark = hashlib.blake2b(f"{target} {config.place}".encode(), digest_size=12).hexdigest()
            with contextlib.suppress(
                EnvironmentProblem
            ):  # another account's lock: it cannot be told whether it is held
                _hold(held, machine_folder() / f"{mark}.lock", f"on the target {target} of {config.place}")
        yield


@contextlib.contextmanager
def intake_lock(folder: Path) -> Iterator[None]:
    """Hold the right to be the only agent of this machine that takes in an export directory.

    Raises `ConfigError` when another agent has it.
    """
    mark = hashlib.blake2b(f"exports {os.path.normcase(folder.resolve())}".encode(), digest_size=12).hexdigest()
    with contextlib.ExitStack() as held:
        with contextlib.suppress(EnvironmentProblem):  # another account's lock, as below
            try:
                _hold(held, machine_folder() / f"{mark}.lock", "")
            except ConfigError as error:
                raise ConfigError(
                    f"Another agent already takes in the exports in {folder}.",
                    hint="Let one agent serve all shops of this POHODA: pohoda-agent run a.toml b.toml",
                ) from error
        yield


def _hold(held: contextlib.ExitStack, path: Path, what: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path)
        lock.acquire(timeout=PATIENCE, poll_interval=0.05)
    except filelock.Timeout as error:
        raise ConfigError(
            f"Another agent already works {what}.", hint="Stop it first, or look at it: pohoda-agent status."
        ) from error
    except OSError as error:
        raise EnvironmentProblem(
            f"The folder {path.parent} cannot be written: {error.strerror}.", hint="Check [state] file and the rights."
        ) from error
    held.callback(lock.release)


def machine_folder() -> Path:
    """Where the locks of this machine lie: the same for a service and for a user's console."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", tempfile.gettempdir())) / "pohoda-agent"
    return Path(tempfile.gettempdir()) / "pohoda-agent"


def lock_path(config: Config) -> Path:
    """Where the instance lock of a configuration lies: beside its state file."""
    return config.state.file.with_name(config.state.file.name + ".lock")


def is_running(config: Config) -> bool:
    """Tell whether an agent holds this configuration's state file."""
    path = lock_path(config)
    if not path.exists():
        return False
    try:
        with filelock.FileLock(path, blocking=False):
            return False
    except (filelock.Timeout, OSError):
        return True
