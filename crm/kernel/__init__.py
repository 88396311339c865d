"""Floor 2: what every record, plan and capability has in common. Imports the blueprint and the fields only."""
