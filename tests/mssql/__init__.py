"""A small server that speaks TDS 7.4 to the real ODBC drivers, for tests of the wire, the drivers and bad days.

It proves nothing about T-SQL: it knows only the shapes of statements that the project, the drivers and SQLAlchemy
send, and answers any other with error 102 that shows it. `Server` in ``server.py`` is the way in.
"""
