"""The former name of `data_migrations`, which migrations that are already written import."""

from crm.release.data_migrations import *  # noqa: F403
