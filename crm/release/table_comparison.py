"""Compares the tables that a business has in the database with those that its migrations claim, in an owner's words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.blueprint.names import camel
from crm.blueprint.nodes import Business
from crm.fields.comparison import is_key_name, source_name
from crm.release.differences import Altered, Difference, LeftOver, Missing, Renamed, way_out_of_left_overs
from crm.release.renamed_columns import Rename, RenamedColumn, find_renamed, other_names
from crm.release.tables import Column, Table

VERSIONS = "historical"
"""What the tables of the history are called after, behind the label: `shop_historicaltrip`."""


@dataclass
class TableComparison:
    """Compares the tables that a database has with those that its migrations claim; told in an owner's words."""

    business: Business
    claimed: dict[str, Table]
    actual: dict[str, Table]
    read_wanted: Callable[[], dict[str, Table]]
    """Returns the tables that the definitions ask for: what is left over may be in the way of these."""
    renames: Collection[Rename] = ()
    """What the releases of this database have renamed."""
    migrations: Collection[str] = ()
    """The migrations whose files are here."""

    @cached_property
    def wanted(self) -> dict[str, Table]:
        return self.read_wanted()

    def differences(self) -> list[Difference]:
        """Return all differences of tables, columns and unique constraints."""
        return [*self._renamed(), *self._left_over(), *self._missing(), *self._altered()]

    @cached_property
    def _renames_by_field(self) -> dict[tuple[str, str], list[RenamedColumn]]:
        """The renamed columns of each field, by its entity's name and its own."""
        groups: dict[tuple[str, str], list[RenamedColumn]] = {}
        for column in find_renamed(self.claimed, self.actual, self.renames):
            name = source_name(column.wanted) if is_key_name(column.wanted) else column.wanted
            groups.setdefault((self._owner(column.table), name), []).append(column)
        return groups

    @cached_property
    def _moved(self) -> set[tuple[str, str]]:
        """The places, by table and column, that are told as renamed: neither as left over nor as missing."""
        groups = self._renames_by_field.values()
        columns = [column for group in groups if _can_be_moved(group) for column in group]
        return {place for column in columns for place in (column.wanted_place, column.actual_place)}

    def _renamed(self) -> Iterator[Renamed]:
        for (owner, name), columns in self._renames_by_field.items():
            if not _can_be_moved(columns):
                continue
            first = next((column for column in columns if column.wanted == name), columns[0])
            place = next((column.actual_place for column in columns if not self._is_history(column.table)), None)
            count = self._count(*place) if place else 0
            values = {
                "wanted": f"{owner}.{name}",
                "actual": f"{owner}.{first.actual}",
                "held": ngettext("%(n)s value", "%(n)s values", count) % {"n": f"{count:,}"},
                "reason": self._reason(first.rename),
            }
            sentence = _("%(actual)s holds what %(wanted)s is to hold (%(held)s): %(reason)s.") % values
            way_out = _("apply gives the column the name that these files have for it; it keeps all that it holds.")
            yield Renamed(
                sentence, way_out, is_settled_by_apply=True, table=first.table, entity=owner, columns=tuple(columns)
            )

    def _reason(self, rename: Rename) -> str:
        if rename.migration in self.migrations:
            return _("the migration %(name)s renamed it, and other files had it moved back") % {
                "name": rename.migration
            }
        return _("the migration %(name)s renamed it, and its file is not here") % {"name": rename.migration}

    def _left_over(self) -> Iterator[LeftOver]:
        """Yield what is left over; what an entity's records and their history have in common is told once."""
        left: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for name, table in self.actual.items():
            if (name, "") in self._moved:
                continue
            if name not in self.claimed:
                left.setdefault((self._owner(name), ""), []).append((name, ""))
                continue
            for column in table.columns.keys() - self.claimed[name].columns.keys():
                if (name, column) in self._moved:
                    continue
                left.setdefault((self._owner(name), column), []).append((name, column))
        for (owner, column), places in sorted(left.items()):
            yield self._left_over_columns(owner, column, sorted(places))
        for name, table in self.actual.items():
            known = self.claimed.get(name)
            for columns in table.unique.keys() - known.unique.keys() if known else ():
                if columns <= known.columns.keys():
                    yield self._left_over_constraint(name, columns, table.unique[columns])

    def _left_over_columns(self, owner: str, column: str, places: list[tuple[str, str]]) -> LeftOver:
        records = [place for place in places if not self._is_history(place[0])] or places
        count = sum(self._count(*place) for place in records)
        if column:
            held = ngettext("with %(n)s value", "with %(n)s values", count) % {"n": f"{count:,}"}
            sentence = _("The column %(name)s is left over, %(held)s: no file here makes it.")
            values = {"name": f"{owner}.{self._field(places[0][0], column)}", "held": held}
        else:
            held = ngettext("with %(n)s record", "with %(n)s records", count) % {"n": f"{count:,}"}
            sentence = _("The table of %(name)s is left over, %(held)s: no file here makes it.")
            values = {"name": owner, "held": held}
        text = sentence % values
        for table, name in records if column else ():
            known = self.actual[table].columns[name]
            if not known.null and not known.has_default:
                text += " " + _("It must have a value, so new records cannot be saved while it is there.")
        name = values["name"]
        if not any(self._is_wanted(*place) for place in places):
            return LeftOver(text, way_out_of_left_overs(), columns=tuple(places), name=name)
        if all(column and self._is_wanted_so(table, column) for table, column in places):
            text = _("The column %(name)s is left over, %(held)s, and is as these definitions add it.") % values
            way_out = _("apply keeps its values.")
            return LeftOver(text, way_out, is_settled_by_apply=True, columns=tuple(places), name=name, is_adopted=True)
        text += " " + _("It is in the way of another one that these definitions add.")
        return LeftOver(text, way_out_of_left_overs(name), blocks=True, columns=tuple(places), name=name)

    def _left_over_constraint(self, table: str, columns: frozenset[str], name: str) -> LeftOver:
        sentence = _("%(columns)s of %(owner)s must be unique in the database, and no file here asks for that.")
        values = {"columns": self._fields(table, columns), "owner": self._owner(table)}
        return LeftOver(sentence % values, way_out_of_left_overs(), constraint=(table, name))

    def _is_wanted(self, table: str, column: str) -> bool:
        return table in self.wanted and (not column or column in self.wanted[table].columns)

    def _is_wanted_so(self, table: str, column: str) -> bool:
        """Say whether the definitions add a column as it is: of its type, unique or not, and with the same target."""
        if not self._is_wanted(table, column):
            return False
        wanted, actual = self.wanted[table], self.actual[table]
        model: Any = wanted.model
        field = next(field for field in model._meta.local_concrete_fields if field.column == column)
        if isinstance(field, models.GeneratedField):
            return True  # The database computes its values anew.
        with connection.cursor() as cursor:
            link = connection.introspection.get_relations(cursor, table).get(column)
        target = field.remote_field.model._meta.db_table if field.remote_field and field.db_constraint else None
        facts = [(known.type, known.null) for known in (wanted.columns[column], actual.columns[column])]
        unique = [{names for names in known.unique if column in names} for known in (wanted, actual)]
        return facts[0] == facts[1] and unique[0] == unique[1] and (link[1] if link else None) == target

    def _missing(self) -> Iterator[Missing]:
        for name, table in sorted(self.claimed.items()):
            actual = self.actual.get(name)
            if (name, "") in self._moved:
                continue
            if actual is None:
                sentence = _("The table of %(name)s is missing in the database.")
                yield self._addition(sentence % {"name": self._name(name)}, name)
                continue
            gone = table.columns.keys() - actual.columns.keys()
            for column in sorted(gone):
                if (name, column) in self._moved:
                    continue
                sentence = _("The column %(name)s is missing in the database.")
                yield self._addition(
                    sentence % {"name": f"{self._name(name)}.{self._field(name, column)}"}, name, column
                )
            for columns in table.unique.keys() - actual.unique.keys():
                if not columns & gone:
                    sentence = _("%(columns)s of %(owner)s should be unique, and the database does not see to it.")
                    values = {"columns": self._fields(name, columns), "owner": self._name(name)}
                    way_out = _("apply adds the constraint; values that occur twice must be mended first.")
                    yield Missing(sentence % values, way_out, is_settled_by_apply=True, table=name, unique=columns)

    def _addition(self, sentence: str, table: str, column: str = "") -> Missing:
        """Return the difference of something that apply adds, where the rows that are there can have it empty."""
        renamed = self._is_elsewhere(table, column)
        if renamed:
            way_out = _(
                "So apply does not add it empty. To keep it, bring the files that renamed it here and apply, and "
                "rename it back there. To give it up: apply --drop-left-over archives what it holds, and drops it."
            )
            return Missing(f"{sentence} {renamed}", way_out, blocks=True, table=table, column=column)
        if column and not self._can_be_added(table, column):
            way_out = _("Its rows would have no value there, so apply cannot add it: restore a backup that has it.")
            return Missing(sentence, way_out, blocks=True, table=table, column=column)
        way_out = _(
            "apply adds it, without what it held. If that is wanted, restore a backup, or look into crm_archive."
        )
        return Missing(sentence, way_out, is_settled_by_apply=True, table=table, column=column)

    def _is_elsewhere(self, table: str, column: str) -> str:
        """Say by which name the database has what is missing, where a release has renamed it; else nothing."""
        sentence = _("What it held is in %(name)s: %(reason)s.")
        for columns in self._renames_by_field.values():
            for renamed in columns:
                if renamed.wanted_place == (table, column):
                    name = f"{self._name(table)}.{renamed.actual}"
                    return sentence % {"name": name, "reason": self._reason(renamed.rename)}
        model = self.claimed[table].model._meta.model_name
        for name, rename in () if column else other_names(model, [each for each in self.renames if not each.model]):
            place = f"{self.business.label}_{name}"
            if place in self.actual and place not in self.claimed:
                return sentence % {"name": self._name(place), "reason": self._reason(rename)}
        return ""

    def _can_be_added(self, table: str, column: str) -> bool:
        model = self.claimed[table].model
        known = next(field for field in model._meta.local_concrete_fields if field.column == column)
        return known.null or known.generated or known.has_default() or known.has_db_default() or not self._count(table)

    def _altered(self) -> Iterator[Altered]:
        for name, table in sorted(self.claimed.items()):
            for column in table.columns.values() if name in self.actual else ():
                actual = self.actual[name].columns.get(column.name)
                if actual is not None and (actual.type, actual.null) != (column.type, column.null):
                    sentence = _(
                        "The column %(name)s is %(actual)s in the database, and the migrations made it %(claimed)s."
                    )
                    values = {
                        "name": f"{self._name(name)}.{self._field(name, column.name)}",
                        "actual": _describe_column(actual),
                        "claimed": _describe_column(column),
                    }
                    way_out = _(
                        "If another branch changed it, bring its files here and apply, and change it back there; else "
                        "change it in the database by hand, as it was changed."
                    )
                    yield Altered(sentence % values, way_out)

    def _owner(self, table: str) -> str:
        """Return the name of the entity whose records, history or links a table holds."""
        name = table.removeprefix(f"{self.business.label}_").removeprefix(VERSIONS)
        for entity in self.business.entities.values():
            model = camel(entity.name).lower()
            if name == model:
                return entity.name
            if name.startswith(f"{model}_"):
                return f"{entity.name}.{name.removeprefix(f'{model}_')}"
        return name

    def _name(self, table: str) -> str:
        owner = self._owner(table)
        return _("the history of %(name)s") % {"name": owner} if self._is_history(table) else owner

    def _is_history(self, table: str) -> bool:
        return table.startswith(f"{self.business.label}_{VERSIONS}")

    def _field(self, table: str, column: str) -> str:
        model = self.claimed[table].model if table in self.claimed else None
        known = {field.column: field.name for field in model._meta.local_concrete_fields} if model else {}
        return known.get(column, column)

    def _fields(self, table: str, columns: Collection[str]) -> str:
        return " + ".join(sorted(self._field(table, column) for column in columns))

    def _count(self, table: str, column: str = "") -> int:
        """Count the rows of a table, or those that hold something in a column."""
        quote = connection.ops.quote_name
        what = f"NULLIF(CAST({quote(column)} AS text), '')" if column else "*"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT({what}) FROM {quote(table)}")  # noqa: S608  (names from the catalog alone)
            return cursor.fetchone()[0]


def _can_be_moved(columns: list[RenamedColumn]) -> bool:
    return all(column.is_same for column in columns)


def _describe_column(column: Column) -> str:
    return _("%(type)s, may be empty") % {"type": column.type} if column.null else column.type
