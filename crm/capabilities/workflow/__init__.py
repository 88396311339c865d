"""Workflow: the state of a record is changed by named actions alone, each with its conditions and its people.

May import the kernel and the builders; others meet it through the field that it guards, and through named actions.
"""
