"""The engine: turns the description of a business into a working Django admin.

Layers, from the ground up; each imports only from the ones before it:
blueprint, fields and expressions, kernel, records, builders, capabilities, wiring, release.
"""
