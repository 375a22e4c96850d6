"""What the program does: it takes changes in from POHODA and hands them on to the shops.

Ingest moves what a source saw into one durable file; dispatch moves what that file owes to a shop.
Everything else here is a source, a target, a shop, or a loop that calls one of the two.
"""
