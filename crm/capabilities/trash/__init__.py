"""Trash: deleted records can be brought back for a while, with everything that went along.

The rows stay in their tables; `crm/kernel/presence.py` leaves them out wherever rows are read.
"""
