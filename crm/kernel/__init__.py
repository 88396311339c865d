"""Layer 2: the contract of capabilities: contributions, events, named actions. Imports the blueprint only."""
