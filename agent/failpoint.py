"""Named points at which the crash test kills the program, as the power could.

``POHODA_AGENT_FAILPOINT=name:N`` ends the process, without any clean-up, the N-th time that `reach(name)` is called.
Without the variable a point costs one comparison.
"""

from __future__ import annotations

import os
import signal

_name, _, _count = os.environ.get("POHODA_AGENT_FAILPOINT", "").partition(":")
_left = int(_count or 1)


def reach(name: str) -> None:
    """Die here if this is the point that the environment names."""
    global _left  # noqa: PLW0603 - a counter of the process, set once from the environment
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        if hasattr(signal, "SIGKILL"):
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(137)
