"""Layer 6: from the definitions as they are written to the definitions in force: plan, apply, snapshot.

May import every layer below; is imported by the commands and, for the snapshot, by `apps.py`.
"""
