"""What is measured, a module each: `run(kind, options)` measures on one kind of database and prints its tables."""
