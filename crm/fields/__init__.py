"""Floor 1: the field types. One small class each, with every face a value has; one file a family.

Nothing outside this room ever asks for a type's name: it asks the type. Imports Django and the blueprint only.
"""
