"""Accounts that are kept: whoever stands in records or in histories is switched off, and not deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.utils.translation import gettext as _


def traces_of(account: models.Model) -> list[models.Model]:
    """Return an example of each kind of record that names an account: what it did, what is its own, or was."""
    rows = (model._base_manager.filter(**{name: account.pk})[:1] for model, name in _links_to_accounts())
    return [found for each in rows for found in each]


def _links_to_accounts() -> Iterator[tuple[type[models.Model], str]]:
    """Yield the links to accounts that a deletion would empty, or leave with the key of nobody."""
    relations = get_user_model()._meta.get_fields(include_hidden=True)
    for relation in (each for each in relations if isinstance(each, models.ManyToOneRel)):
        if relation.on_delete is not models.CASCADE:
            yield relation.related_model, relation.field.name


def keep_account(sender: type[models.Model], instance: models.Model, **_more: Any) -> None:
    """Raise ProtectedError where somebody is to be deleted who stands in records: histories would name nobody.

    A receiver of `pre_delete`, so that every way to delete asks it.
    """
    if traces := traces_of(instance):
        raise models.ProtectedError(_("%(account)s has worked here.") % {"account": instance}, set(traces))
