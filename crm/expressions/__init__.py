"""Layer 1: what checked expressions mean: `evaluate` in Python for one instance, `compile_sql` for the database.

Both must always agree; `tests/expressions` holds them against each other. Imports the blueprint and Django alone.
"""
