"""Layer 3: what records do: base class, display, access, rules, computed values, writes, deletion, changes.

Imports the kernel and the layers below it; never the builders, Unfold or a capability.
"""
