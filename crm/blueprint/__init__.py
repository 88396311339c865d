"""Layer 0: what the definitions say, read, checked and frozen. No Django here.

Knows field types and capabilities only through the small protocol in `language.py`.
"""
