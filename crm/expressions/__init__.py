"""What checked expressions mean: in Python for a record at hand, and as Django's own expressions in the database.

Both must always agree; `tests/expressions` holds them against each other. Imports the blueprint and Django alone.
"""
