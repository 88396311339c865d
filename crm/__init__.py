"""The engine: turns the description of a business into a working Django admin.

Rooms, from the ground up; each imports only from the ones before it:
blueprint, fields, kernel, builders, capabilities, release, wiring.
"""
