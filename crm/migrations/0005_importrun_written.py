from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_tag_key")]

    operations = [
        migrations.AddField("importrun", "numbers", models.CharField(blank=True, default="", max_length=20)),
        migrations.AddField("importrun", "encoding", models.CharField(blank=True, default="", max_length=40)),
    ]
