"""The former name of `dialect`, which migrations that are already written import."""

from crm.expressions.dialect import DialectSQL as Written

__all__ = ["Written"]
