"""Gives each tag its comparison form, and makes one of those that differ in capitals or in invisible letters."""

from collections import defaultdict

from django.db import migrations, models

from crm.fields.comparison import bounded_key, fold_text


def make_keys(apps, editor):
    """Keep the first of equal tags, and let the records and versions of the others have that one."""
    tags = apps.get_model("crm", "Tag").objects
    groups = defaultdict(list)
    for tag in tags.order_by("pk"):
        tag.key = bounded_key(fold_text(tag.name))
        groups[tag.scope, tag.key].append(tag)
    kept = {}
    for first, *others in groups.values():
        tags.filter(pk=first.pk).update(key=first.key)
        kept |= {other.pk: first.pk for other in others}
    if kept:
        for table, holder, column in _tables_of_tags(editor.connection):
            _exchange(editor.connection, table, holder, column, kept)
        tags.filter(pk__in=list(kept)).delete()


def _tables_of_tags(connection):
    """Yield the tables between records, or versions of them, and tags: (table, column of the record, of the tag)."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            columns = [one.name for one in connection.introspection.get_table_description(cursor, table)]
            relations = connection.introspection.get_relations(cursor, table)
            for column, (_, other) in relations.items():
                if other == "crm_tag" and len(columns) == 3:
                    yield table, next(one for one in columns if one not in ("id", column)), column
            if "m2m_history_id" in columns and "tag_id" in columns:
                yield table, "history_id", "tag_id"


def _exchange(connection, table, holder, column, kept):
    quote = connection.ops.quote_name
    table, holder, column = quote(table), quote(holder), quote(column)
    with connection.cursor() as cursor:
        for old, new in kept.items():
            cursor.execute(
                f"DELETE FROM {table} WHERE {column} = %s "  # noqa: S608  (names of our own tables alone)
                f"AND {holder} IN (SELECT {holder} FROM {table} WHERE {column} = %s)",
                [old, new],
            )
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", [new, old])  # noqa: S608


def stay(apps, editor):
    """Leave the tags as they are on the way back."""


class Migration(migrations.Migration):
    dependencies = [("crm", "0003_transition")]

    operations = [
        migrations.AddField("tag", "key", models.CharField(max_length=300, null=True)),
        migrations.RemoveConstraint("tag", "crm_tag_once"),
        migrations.RunPython(make_keys, stay),
        migrations.AddConstraint(
            "tag", models.UniqueConstraint(fields=["scope", "key"], name="crm_tag_key_once")
        ),
    ]
