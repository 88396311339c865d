"""The one small language of `compute`, `check`, `visible_if`, `rows` and all other conditions: read and checked here.

Knows no Django: what a checked expression means is worked out by `crm.expressions`, for the database and in Python.
"""
