"""Which databases of POHODA a server has, asked when the one that is configured cannot be opened.

Why: a wrong IČO or year names a database that does not exist, and FreeTDS reports that with the same number (18456) as
a wrong password. Whoever may enter ``master``, as every login may, has the right password; and the list of what is
there says what to set.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from agent.errors import AgentError
from agent.sources import SourceFinding
from agent.sources.mssql import open_server
from agent.sources.rights import quoted
from agent.sources.server_address import Address
from agent.sources.statements import YEARS

_LIMIT = 10.0
_ABOUT_DATABASE = ("(18456)", "(4060)", "(911)", "(916)", "(4064)")
"""Numbers after which it is worth asking: the server was reached, and refused."""


def look_around(address: Address, refusal: SourceFinding) -> SourceFinding:
    """Say more of a refusal if the login is good and only the database is not; else give it back as it is."""
    if not any(number in refusal.text for number in _ABOUT_DATABASE):
        return refusal
    try:
        server = open_server(replace(address, database="master"), call_limit=_LIMIT, lock_wait=1.0)
        with closing(server), server.reading() as reader:
            names = [str(name) for (name,) in reader.run(YEARS, ("StwPh_%",)) if str(name).lower() != "stwph_sys"]
    except AgentError:
        return refusal
    wanted = address.database
    there = ", ".join(names) or "none"
    text = f"the login is right, but the database {wanted} cannot be opened; the server has: {there}"
    if any(name.lower() == wanted.lower() for name in names):
        user = quoted(address.user or "DOMAIN\\user")
        hint = (
            f"Have an administrator run: USE {quoted(wanted)}; CREATE USER {user} FOR LOGIN {user}; and grant it SELECT"
        )
        return SourceFinding("error", "database", text, f"{hint} as config/README.md says.")
    hint = "Set ico and year in [pohoda] (or the name in database) to one of those."
    if not names:
        hint = "Check the server's name: this one has no accounting unit of POHODA."
    return SourceFinding("error", "database", text, hint)
