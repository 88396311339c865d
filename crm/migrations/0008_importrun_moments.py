import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _person() -> models.ForeignKey:
    kwargs = {"null": True, "on_delete": django.db.models.deletion.SET_NULL, "related_name": "+"}
    return models.ForeignKey(settings.AUTH_USER_MODEL, **kwargs)


class Migration(migrations.Migration):
    dependencies = [("crm", "0007_release_renames")]

    operations = [
        migrations.AddField("importrun", "imported_by", _person()),
        migrations.AddField("importrun", "closed", models.DateTimeField(null=True)),
        migrations.AddField("importrun", "closed_by", _person()),
    ]
