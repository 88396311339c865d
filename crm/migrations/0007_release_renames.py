from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0006_release_pending_uploadfolder'),
    ]

    operations = [
        migrations.AddField(
            model_name='release',
            name='renames',
            field=models.JSONField(blank=True, default=list),
        ),
    ]
