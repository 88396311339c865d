"""The former name of `link_guards`, for the gate."""

from __future__ import annotations

from crm.records.link_guards import refuse_hidden_targets, refuse_hidden_uploads

__all__ = ["refuse_hidden_targets", "refuse_hidden_uploads"]
