"""Floor 3: makes Django's classes of the plans. The only room, below the capabilities, that knows Unfold."""
