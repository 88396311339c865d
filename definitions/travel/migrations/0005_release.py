# What `manage.py apply` did; run like any migration of Django.
import crm.release.moving
import functools
from django.db import migrations, models
from crm.release.batched import BatchedMigration


class Migration(BatchedMigration):

    dependencies = [
        ('crm', '0004_tag_key'),
        ('travel', '0004_release'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='booking',
            name='travel_booking_number_kept',
        ),
        migrations.RemoveConstraint(
            model_name='customer',
            name='travel_customer_email_kept',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='travel_invoice_number_kept',
        ),
        migrations.RemoveConstraint(
            model_name='trip',
            name='travel_trip_code_kept',
        ),
        migrations.RemoveConstraint(
            model_name='trip',
            name='travel_trip_slug_kept',
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='number',
            field=models.CharField(max_length=80, null=True),
        ),
        migrations.AlterField(
            model_name='guide',
            name='email',
            field=models.EmailField(max_length=254),
        ),
        migrations.AlterField(
            model_name='hotel',
            name='name',
            field=models.CharField(max_length=120),
        ),
        migrations.AlterField(
            model_name='payment',
            name='reference',
            field=models.CharField(max_length=80, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='_number_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_number_key', 'entity': 'booking', 'label': 'travel', 'model': 'booking', 'name': 'number', 'raw': {'format': 'B-{year}-{n:05}', 'type': 'sequence'}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddField(
            model_name='customer',
            name='_email_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_email_key', 'entity': 'customer', 'label': 'travel', 'model': 'customer', 'name': 'email', 'raw': {'type': 'email', 'unique': True}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddField(
            model_name='enquiry',
            name='_number_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_number_key', 'entity': 'enquiry', 'label': 'travel', 'model': 'enquiry', 'name': 'number', 'raw': {'format': 'E-{n:05}', 'type': 'sequence'}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_number_key'], 'label': 'travel', 'model': 'enquiry'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='_number_key',
            field=models.CharField(max_length=300, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='flight',
            name='_number_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_number_key', 'entity': 'flight', 'label': 'travel', 'model': 'flight', 'name': 'number', 'raw': {'label': 'Flight number', 'max_length': 8, 'required': True, 'type': 'text'}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AlterField(
            model_name='flight',
            name='_number_key',
            field=models.CharField(db_index=True, max_length=300, null=True),
        ),
        migrations.AddField(
            model_name='guide',
            name='_email_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_email_key', 'entity': 'guide', 'label': 'travel', 'model': 'guide', 'name': 'email', 'raw': {'required': True, 'type': 'email', 'unique': True}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_email_key'], 'label': 'travel', 'model': 'guide'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AlterField(
            model_name='guide',
            name='_email_key',
            field=models.CharField(max_length=300, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='hotel',
            name='_name_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_name_key', 'entity': 'hotel', 'label': 'travel', 'model': 'hotel', 'name': 'name', 'raw': {'max_length': 120, 'required': True, 'type': 'text', 'unique': True}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_name_key'], 'label': 'travel', 'model': 'hotel'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AlterField(
            model_name='hotel',
            name='_name_key',
            field=models.CharField(max_length=300, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='_number_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_number_key', 'entity': 'invoice', 'label': 'travel', 'model': 'invoice', 'name': 'number', 'raw': {'format': 'INV-{year}-{n:05}', 'gapless': True, 'type': 'sequence'}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddField(
            model_name='passenger',
            name='_first_name_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_first_name_key', 'entity': 'passenger', 'label': 'travel', 'model': 'passenger', 'name': 'first_name', 'raw': {'max_length': 60, 'required': True, 'type': 'text'}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AlterField(
            model_name='passenger',
            name='_first_name_key',
            field=models.CharField(db_index=True, max_length=300, null=True),
        ),
        migrations.AddField(
            model_name='passenger',
            name='_last_name_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_last_name_key', 'entity': 'passenger', 'label': 'travel', 'model': 'passenger', 'name': 'last_name', 'raw': {'max_length': 60, 'required': True, 'type': 'text'}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AlterField(
            model_name='passenger',
            name='_last_name_key',
            field=models.CharField(db_index=True, max_length=300, null=True),
        ),
        migrations.AddField(
            model_name='payment',
            name='_reference_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_reference_key', 'entity': 'payment', 'label': 'travel', 'model': 'payment', 'name': 'reference', 'raw': {'format': 'P-{n:06}', 'type': 'sequence'}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_reference_key'], 'label': 'travel', 'model': 'payment'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AlterField(
            model_name='payment',
            name='_reference_key',
            field=models.CharField(max_length=300, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='trip',
            name='_code_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_code_key', 'entity': 'trip', 'label': 'travel', 'model': 'trip', 'name': 'code', 'raw': {'help': 'As printed in the brochure', 'max_length': 12, 'required': True, 'type': 'text', 'unique': True}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddField(
            model_name='trip',
            name='_slug_key',
            field=models.CharField(max_length=300, null=True),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.fill_keys, *(), **{'app': {'currency': 'GBP', 'languages': ['en'], 'name': 'Wayfarer Group Travel', 'region': 'GB', 'time_zone': 'Europe/London'}, 'column': '_slug_key', 'entity': 'trip', 'label': 'travel', 'model': 'trip', 'name': 'slug', 'raw': {'from': 'name', 'type': 'slug'}}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_number_key'], 'label': 'travel', 'model': 'booking'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('_number_key',), name='travel_booking__number_key_kept'),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_email_key'], 'label': 'travel', 'model': 'customer'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('_email_key',), name='travel_customer__email_key_kept'),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_number_key'], 'label': 'travel', 'model': 'invoice'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('_number_key',), name='travel_invoice__number_key_kept'),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_code_key'], 'label': 'travel', 'model': 'trip'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddConstraint(
            model_name='trip',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('_code_key',), name='travel_trip__code_key_kept'),
        ),
        migrations.RunPython(
            code=functools.partial(crm.release.moving.refuse_doubles, *(), **{'columns': ['_slug_key'], 'label': 'travel', 'model': 'trip'}),
            reverse_code=crm.release.moving.do_nothing,
        ),
        migrations.AddConstraint(
            model_name='trip',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('_slug_key',), name='travel_trip__slug_key_kept'),
        ),
    ]
