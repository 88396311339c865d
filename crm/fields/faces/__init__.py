"""The faces of a field type, each in a file of its own: what one part of the engine asks of it.

A face answers as most types do, and calls other faces through `self`; `FieldType` (`crm/fields/base.py`) combines them.
Imports no type.
"""
