"""Floor 4: the capabilities, a folder each. None imports another; `crm/wiring.py` lists them."""
