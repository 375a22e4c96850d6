"""What the program remembers: one SQLite file per shop. Knows nothing of the agent.

The words: a *delivery* is one value owed to one target; *seen* are the fingerprints of the source's rows; a *shadow* is
the value that the shop last confirmed; a *link* is the shop's id of a thing; a *rest* is the quiet time of a key after
an unclear answer. Functions take the connection of an open transaction (`db.StateFile.write`), so that whatever belongs
together is one commit.
"""
