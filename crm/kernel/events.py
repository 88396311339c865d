"""What happened, told to whoever listens: how capabilities meet without knowing one another.

Handlers run in the transaction of the sender, in the order of connecting; an exception undoes the whole.
"""

from django.dispatch import Signal

records_written = Signal()
"""Records were written in bulk, past `save()`. Sends `sender` (the model), `created` and `updated` (lists of records,
each with its primary key) and `links` (names of the many-to-many fields that were written)."""

values_computed = Signal()
"""Values of records were written because something else was: what they are computed of, or the target of a link. Sends
`sender` (the model) and `values`: primary key → field → the value that it has now."""

record_shown = Signal()
"""A record's page is about to be shown. Sends `sender` (the model), `record` and `request`."""
