"""Layer 1: the field types. One small class each, with storage, display, exchange, input and filter; one file a family.

Nothing outside this package ever asks for a type's name: it asks the type, by what `faces/` describes and `base.py`
combines. Imports Django and the blueprint only.
"""
