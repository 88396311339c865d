# What `manage.py apply` did; run like any migration of Django.
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models
from crm.release.batched import BatchedMigration


class Migration(BatchedMigration):

    dependencies = [
        ('crm', '0003_transition'),
        ('travel', '0003_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Enquiry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True, default=django.utils.timezone.now)),
                ('updated', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now())),
                ('number', models.CharField(max_length=80, null=True, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('status', models.CharField(db_default='new', default='new', max_length=60)),
                ('phone', models.CharField(db_default='', default='', max_length=60)),
                ('email', models.EmailField(db_default='', default='', max_length=254)),
                ('source', models.CharField(db_default='website', default='website', max_length=60)),
                ('party', models.BigIntegerField(db_default=2, default=2, null=True)),
                ('call_on', models.DateField(null=True)),
                ('wishes', models.TextField(db_default='', default='')),
                ('assigned_to', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='enquiry_customer_set', related_query_name='enquiry_customer', to='travel.customer')),
                ('trip', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='enquiry_trip_set', related_query_name='enquiry_trip', to='travel.trip')),
            ],
            options={
                'permissions': [('import_enquiry', 'Can import enquiry'), ('export_enquiry', 'Can export enquiry')],
            },
        ),
        migrations.AddField(
            model_name='payment',
            name='status',
            field=models.CharField(db_default='settled', default='settled', max_length=60),
        ),
        migrations.CreateModel(
            name='HistoricalEnquiry',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now)),
                ('updated', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('history_change', models.UUIDField(db_index=True, null=True)),
                ('number', models.CharField(max_length=80, null=True)),
                ('name', models.CharField(max_length=120)),
                ('status', models.CharField(db_default='new', default='new', max_length=60)),
                ('phone', models.CharField(db_default='', default='', max_length=60)),
                ('email', models.EmailField(db_default='', default='', max_length=254)),
                ('source', models.CharField(db_default='website', default='website', max_length=60)),
                ('party', models.BigIntegerField(db_default=2, default=2, null=True)),
                ('call_on', models.DateField(null=True)),
                ('wishes', models.TextField(db_default='', default='')),
                ('history_change_reason', models.TextField(null=True)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('assigned_to', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='enquiry_customer', to='travel.customer')),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('trip', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='enquiry_trip', to='travel.trip')),
            ],
            options={
                'verbose_name': 'version of enquiry',
                'verbose_name_plural': 'versions of enquiry',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name='historicalpayment',
            name='status',
            field=models.CharField(db_default='settled', default='settled', max_length=60),
        ),
    ]
