"""Properties of every business that the language can describe: definitions and records made up by Hypothesis.

`strategies` makes definitions, `values` makes records of them, `changes` edits definitions as an owner would; `world`
gives a business its models and tables for as long as an example lasts, and `records` writes and reads what they hold.
"""
