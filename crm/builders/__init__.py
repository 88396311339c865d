"""Layer 4: builds Django's classes from the contributions. Only this package and the capabilities know Unfold."""
