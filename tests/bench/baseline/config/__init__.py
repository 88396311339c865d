"""The baseline's settings and addresses: `settings` with Unfold's admin, `settings_plain` with Django's own."""
