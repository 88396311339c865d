"""Layer 4: builds Django's classes from the contributions. The only package below the capabilities that knows Unfold."""
