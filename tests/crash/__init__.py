"""Proof by killing: the real agent as a child process, an open-loop writer, a shop on its worst days.

``python -m tests.crash --kills 30`` ends with one line: ``kills=30 lost=0 regressed=0 resends_per_kill=…``. With
``--source database`` or ``--source export-directory`` it is about a whole catalogue, whose products and pictures must
not be there twice: ``kills=30 lost=0 doubled=0 resends_per_kill=…``. With ``--target all`` every target runs at once,
categories, parameters, firms and orders among them: ``kills=30 lost=0 regressed=0 doubled=0 resends_per_kill=…``.
"""
