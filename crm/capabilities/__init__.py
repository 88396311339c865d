"""Layer 5: the capabilities, a folder each. None imports another; `crm/wiring.py` lists them."""
