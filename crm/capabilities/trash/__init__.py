"""Trash: deleted records can be brought back for a while, with everything that went along.

The rows stay in their tables; `crm/records/soft_delete.py` leaves them out wherever rows are read.
"""
