"""The reference of the language, written from the code itself: a module for each part of the page.

`page.py` puts the parts together. May import what `release` may.
"""
