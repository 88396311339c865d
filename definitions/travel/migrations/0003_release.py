# What `manage.py apply` did; run like any migration of Django.
from django.db import migrations, models
from crm.release.batched import BatchedMigration


class Migration(BatchedMigration):

    dependencies = [
        ('crm', '0002_importrun'),
        ('travel', '0002_release'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='day',
            name='travel_day_trip_number_once',
        ),
        migrations.AddField(
            model_name='booking',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='customer',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='customer',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='day',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='day',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='flight',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='flight',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='note',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='note',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='passenger',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='passenger',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='stay',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='stay',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='task',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='task',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='trip',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='trip',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name='booking',
            name='number',
            field=models.CharField(max_length=80, null=True),
        ),
        migrations.AlterField(
            model_name='customer',
            name='email',
            field=models.EmailField(max_length=254, null=True),
        ),
        migrations.AlterField(
            model_name='customer',
            name='reference',
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='number',
            field=models.CharField(max_length=80, null=True),
        ),
        migrations.AlterField(
            model_name='note',
            name='key',
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name='task',
            name='key',
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name='trip',
            name='code',
            field=models.CharField(max_length=12),
        ),
        migrations.AlterField(
            model_name='trip',
            name='slug',
            field=models.SlugField(max_length=100, null=True),
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_booking_trash'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_customer_trash'),
        ),
        migrations.AddIndex(
            model_name='day',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_day_trash'),
        ),
        migrations.AddIndex(
            model_name='flight',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_flight_trash'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_invoice_trash'),
        ),
        migrations.AddIndex(
            model_name='invoiceline',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_invoice_line_trash'),
        ),
        migrations.AddIndex(
            model_name='note',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_note_trash'),
        ),
        migrations.AddIndex(
            model_name='passenger',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_passenger_trash'),
        ),
        migrations.AddIndex(
            model_name='stay',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_stay_trash'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_task_trash'),
        ),
        migrations.AddIndex(
            model_name='trip',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='travel_trip_trash'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('number',), name='travel_booking_number_kept'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('email',), name='travel_customer_email_kept'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('reference',), name='travel_customer_reference_kept'),
        ),
        migrations.AddConstraint(
            model_name='day',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('trip', 'number'), name='travel_day_trip_number_once'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('number',), name='travel_invoice_number_kept'),
        ),
        migrations.AddConstraint(
            model_name='note',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('key',), name='travel_note_key_kept'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('key',), name='travel_task_key_kept'),
        ),
        migrations.AddConstraint(
            model_name='trip',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('code',), name='travel_trip_code_kept'),
        ),
        migrations.AddConstraint(
            model_name='trip',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('slug',), name='travel_trip_slug_kept'),
        ),
        migrations.AddField(
            model_name='historicalbooking',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalbooking',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicalcustomer',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalcustomer',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicalday',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalday',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicalflight',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalflight',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoice',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoice',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoiceline',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalinvoiceline',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicalnote',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalnote',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicalpassenger',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalpassenger',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicalstay',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicalstay',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicaltask',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicaltask',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='historicaltrip',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='historicaltrip',
            name='deleted_in',
            field=models.UUIDField(null=True),
        ),
    ]
